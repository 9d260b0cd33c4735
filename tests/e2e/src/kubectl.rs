//! The kubectl programs of this computer.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::fixtures::debian_program;

/// A real kubectl.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kubectl {
    /// Minor version, as in 1.33.
    pub minor: u32,
    pub program: PathBuf,
}

impl Kubectl {
    /// Every version that can be found, the oldest first: Debian's package, those that lie beside
    /// Google's command line, and the one in the path.
    pub fn all() -> &'static [Kubectl] {
        static FOUND: OnceLock<Vec<Kubectl>> = OnceLock::new();
        FOUND.get_or_init(|| {
            let mut found: Vec<Kubectl> = candidates().into_iter().filter_map(Kubectl::look_at).collect();
            found.sort();
            found.dedup_by_key(|kubectl| kubectl.minor);
            assert!(!found.is_empty(), "no kubectl: type apt-get install kubernetes-client");
            found
        })
    }

    pub fn newest() -> &'static Kubectl {
        Kubectl::all().last().expect("there is at least one")
    }

    /// The one that tests use which are not about versions: `$KUBECTL`, else the newest.
    pub fn usual() -> &'static Kubectl {
        static USUAL: OnceLock<Kubectl> = OnceLock::new();
        USUAL.get_or_init(|| match std::env::var_os("KUBECTL") {
            Some(program) => Kubectl::look_at(program.into()).expect("$KUBECTL is a kubectl"),
            None => Kubectl::newest().clone(),
        })
    }

    fn look_at(program: PathBuf) -> Option<Self> {
        let output = Command::new(&program).args(["version", "--client", "--output=json"]).output().ok()?;
        let version: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
        let minor = version["clientVersion"]["minor"].as_str()?;
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        Some(Kubectl { minor: digits.parse().ok()?, program })
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> = debian_program("kubernetes-client", "usr/bin/kubectl").into_iter().collect();
    let folders = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let in_path =
        folders.unwrap_or_default().into_iter().map(|folder| folder.join("kubectl")).find(|path| path.is_file());
    // Google's plain `kubectl` is a front that picks one of its neighbours by the server's version.
    let real = in_path.and_then(|path| path.canonicalize().ok());
    let versions = real.as_deref().and_then(Path::parent).map(versions_in).unwrap_or_default();
    if versions.is_empty() {
        candidates.extend(real)
    } else {
        candidates.extend(versions)
    }
    candidates
}

/// Files such as `kubectl.1.33`.
fn versions_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("kubectl.1."))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_found_is_there_once() {
        let found = Kubectl::all();
        assert!(found.windows(2).all(|pair| pair[0].minor < pair[1].minor), "{found:?}");
        assert!(found.iter().any(|kubectl| kubectl.minor == 20), "Debian's: {found:?}");
        assert_eq!(Kubectl::newest(), found.last().unwrap());
    }
}
