//! Kernel modules in the order in which they can be loaded. What depends on what stands in the modules
//! themselves, so that no `depmod` is needed.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a cluster asks of the kernel, and the link that stands for a network card.
pub(crate) const WANTED: [&str; 17] = [
    "ext4",
    "virtio_pci",
    "virtio_blk",
    "overlay",
    "veth",
    "bridge",
    "dummy",
    "nf_tables",
    "nf_conntrack_netlink",
    "nft_chain_nat",
    "nft_ct",
    "nft_fib_inet",
    "nft_hash",
    "nft_masq",
    "nft_nat",
    "nft_numgen",
    "nft_reject_inet",
];

/// A module ready to be loaded.
pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) content: Vec<u8>,
}

/// The wanted modules and all they depend on; each comes after its dependencies. What is built into
/// the kernel is left out.
pub(crate) fn in_order(folder: &Path, wanted: &[&str]) -> io::Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    collect(&folder.join("kernel"), &mut files)?;
    let built_in = fs::read_to_string(folder.join("modules.builtin"))?;
    let built_in: Vec<String> = built_in.lines().filter_map(|line| module_name(Path::new(line))).collect();
    let mut ordered = Vec::new();
    for name in wanted {
        add(name, &files, &built_in, &mut ordered)?;
    }
    Ok(ordered)
}

fn add(
    name: &str,
    files: &BTreeMap<String, PathBuf>,
    built_in: &[String],
    ordered: &mut Vec<Module>,
) -> io::Result<()> {
    if ordered.iter().any(|module| module.name == name) || built_in.iter().any(|known| known == name) {
        return Ok(());
    }
    let file = files.get(name).ok_or_else(|| io::Error::other(format!("this kernel has no module {name}")))?;
    let content = read(file)?;
    for dependency in dependencies(&content) {
        add(&dependency, files, built_in, ordered)?;
    }
    ordered.push(Module { name: name.to_owned(), content });
    Ok(())
}

/// The line `depends=a,b` of the module's own facts.
fn dependencies(module: &[u8]) -> Vec<String> {
    let mut strings = module.split(|byte| *byte == 0);
    let Some(value) = strings.find_map(|string| string.strip_prefix(b"depends=")) else { return Vec::new() };
    let names = String::from_utf8_lossy(value);
    names.split(',').filter(|name| !name.is_empty()).map(|name| name.replace('-', "_")).collect()
}

fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if let Some(name) = module_name(&path) {
            files.insert(name, path);
        }
    }
    Ok(())
}

/// The kernel takes `-` and `_` for the same in names.
fn module_name(path: &Path) -> Option<String> {
    let (name, compression) = path.file_name()?.to_str()?.split_once(".ko")?;
    matches!(compression, "" | ".xz" | ".zst").then(|| name.replace('-', "_"))
}

/// Newer packages compress modules, which busybox does not load.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let program = match file.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => return fs::read(file),
    };
    let output = Command::new(program).args(["--decompress", "--stdout"]).arg(file).output()?;
    if output.status.success() { Ok(output.stdout) } else { Err(io::Error::other(format!("{program} failed"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_come_first_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let kernel = folder.path().join("kernel/net");
        fs::create_dir_all(&kernel).unwrap();
        fs::write(folder.path().join("modules.builtin"), "kernel/lib/solid.ko\n").unwrap();
        for (file, depends) in [("top.ko", "mid-dle,base,solid"), ("mid-dle.ko", "base"), ("base.ko", "")] {
            fs::write(kernel.join(file), format!("ELF\0license=GPL\0depends={depends}\0name=x\0")).unwrap();
        }
        let ordered = in_order(folder.path(), &["top", "base"]).unwrap();
        let names: Vec<&str> = ordered.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["base", "mid_dle", "top"]);
        assert!(in_order(folder.path(), &["absent"]).is_err());
    }
}
