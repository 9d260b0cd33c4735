//! The rules of the house that neither the compiler nor clippy knows.
//!
//! The order of rooms is read from the table in `ARCHITECTURE.md`, so that the page cannot drift from
//! what is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};

/// Workspace tests and tools stand outside the house: they may see all of it.
const OUTSIDE: [&str; 9] = ["sim", "store-contract", "cri-contract", "e2e", "vm", "bench", "echo", "eater", "xtask"];
const PROGRAM: &str = "pintle";

pub(crate) fn run(repository: &Path) -> anyhow::Result<()> {
    let page = fs::read_to_string(repository.join("ARCHITECTURE.md")).context("ARCHITECTURE.md")?;
    let rooms = rooms(&page);
    let metadata = MetadataCommand::new().current_dir(repository).no_deps().exec()?;
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        if OUTSIDE.contains(&name) {
            continue;
        }
        let edges = package.dependencies.iter().filter(|edge| edge.path.is_some());
        // A room's own tests may bring in the room they test against.
        let edges = edges.filter(|edge| edge.kind != DependencyKind::Development);
        let edges: BTreeSet<&str> = edges.map(|edge| edge.name.as_str()).collect();
        faults.extend(direction_faults(&rooms, name, &edges));
    }
    let present: BTreeSet<&str> = metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let missing = rooms.keys().filter(|room| !present.contains(room.as_str()) && !room.contains('/'));
    faults.extend(missing.map(|room| format!("ARCHITECTURE.md names the room {room}, which does not exist")));
    faults.extend(source_faults(repository)?);
    for fault in &faults {
        eprintln!("tidy: {fault}");
    }
    match faults.len() {
        0 => Ok(()),
        count => bail!("{count} faults"),
    }
}

/// A room's level, and its place in the table.
type Rooms = BTreeMap<String, (u32, usize)>;

/// Reads rows like "| `stdx` | 0 | clock … |".
fn rooms(page: &str) -> Rooms {
    let mut rooms = Rooms::new();
    for line in page.lines() {
        let mut cells = line.split('|').skip(1).map(str::trim);
        let name = cells.next().and_then(|cell| cell.strip_prefix('`')).and_then(|cell| cell.strip_suffix('`'));
        let level = cells.next().and_then(|cell| cell.parse().ok());
        if let (Some(name), Some(level)) = (name, level) {
            rooms.insert(name.to_owned(), (level, rooms.len()));
        }
    }
    rooms
}

fn direction_faults(rooms: &Rooms, name: &str, edges: &BTreeSet<&str>) -> Vec<String> {
    let Some(&(level, place)) = rooms.get(name) else {
        return vec![format!("crate {name} is in no row of the table in ARCHITECTURE.md")];
    };
    let mut faults = Vec::new();
    for edge in edges {
        let Some(&(edge_level, edge_place)) = rooms.get(*edge) else { continue };
        let is_allowed = match level {
            1 | 2 => edge_level < level || (edge_level == level && edge_place < place),
            _ => edge_level < level,
        };
        if !is_allowed {
            faults.push(format!("{name} (level {level}) must not depend on {edge} (level {edge_level})"));
        }
        if *edge == "store" && name != "apiserver" && name != PROGRAM && !name.starts_with("store") {
            faults.push(format!("only apiserver names the store, not {name}"));
        }
    }
    faults
}

/// Crates in which `unsafe` may stand, each block with its SAFETY line.
const UNSAFE_ROOMS: [&str; 3] = ["crates/container", "crates/netlink", "crates/kubelet"];

fn source_faults(repository: &Path) -> anyhow::Result<Vec<String>> {
    let mut faults = Vec::new();
    for folder in ["crates", "tests", "xtask"] {
        visit(&repository.join(folder), &mut |path| {
            let shown = path.strip_prefix(repository).unwrap_or(path).display().to_string();
            let text = fs::read_to_string(path).with_context(|| shown.clone())?;
            faults.extend(text_faults(&shown, &text));
            Ok(())
        })?;
    }
    Ok(faults)
}

fn text_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // The patterns are spelled in two halves so that this file does not find itself.
    let ignore = concat!("#[", "ignore");
    let expects_unsafe = concat!("expect(", "unsafe_code");
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        if line.trim_start().starts_with(ignore) {
            faults.push(format!("{path}:{number}: a test that does not run is no test"));
        }
        if line.contains(expects_unsafe) && !UNSAFE_ROOMS.iter().any(|room| path.starts_with(room)) {
            faults.push(format!("{path}:{number}: unsafe code belongs in {}", UNSAFE_ROOMS.join(", ")));
        }
    }
    faults
}

fn visit(folder: &Path, each: &mut dyn FnMut(&Path) -> anyhow::Result<()>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            visit(&path, each)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            each(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
| crate | level | what |
|---|---|---|
| `stdx` | 0 | x |
| `api` | 1 | x |
| `codec` | 1 | x |
| `store` | 2 | x |
| `apiserver` | 3 | x |
| `kubelet` | 3 | x |
| `pintle` | 4 | x |
";

    fn check(name: &str, edges: &[&str], expected: usize) {
        let faults = direction_faults(&rooms(PAGE), name, &edges.iter().copied().collect());
        assert_eq!(faults.len(), expected, "{name} → {edges:?}: {faults:?}");
    }

    #[test]
    fn edges_point_down_and_within_a_level_only_up_the_table() {
        check("codec", &["stdx", "api"], 0);
        check("api", &["codec"], 1);
        check("apiserver", &["store", "codec"], 0);
        check("kubelet", &["apiserver"], 1);
        check("kubelet", &["store"], 1);
        check("stdx", &["api"], 1);
        check("pintle", &["apiserver", "kubelet", "store"], 0);
        check("stranger", &[], 1);
    }

    #[test]
    fn faults_of_a_text_are_found_with_their_line() {
        assert_eq!(text_faults("crates/api/src/x.rs", concat!("a\n    #[", "ignore]\nb\n")).len(), 1);
        let text = concat!("#![expect(", "unsafe_code, reason = \"x\")]\n");
        assert_eq!(text_faults("crates/api/src/x.rs", text).len(), 1);
        assert_eq!(text_faults("crates/netlink/src/x.rs", text).len(), 0);
    }
}
