//! The guest's whole file system.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;
use std::process::Command;

use e2e::{Kubectl, debian_program, image, pintle};

use crate::cpio::Archive;
use crate::kernel::Kernel;
use crate::modules;

const INIT: &str = include_str!("../guest/init.sh");
const WALK: &str = include_str!("../guest/walk.sh");
const PODS: &str = include_str!("../guest/pods.yml");
const CONFIG: &str = include_str!("../guest/config.yaml");
const EVICTION: &str = include_str!("../guest/eviction.yml");
const HUGE: &str = include_str!("../guest/huge.yml");

/// Writes the archive that the kernel boots into.
pub fn build(kernel: &Kernel, path: &Path) -> io::Result<()> {
    let busybox = debian_program("busybox-static", "bin/busybox").ok_or_else(|| io::Error::other("no busybox"))?;
    let mut archive = Archive::new(BufWriter::new(File::create(path)?));
    for folder in ["bin", "guest", "guest/modules"] {
        archive.folder(folder)?;
    }
    archive.file("init", INIT.as_bytes(), 0o755)?;
    archive.file("bin/busybox", &fs::read(busybox)?, 0o755)?;
    archive.file("bin/pintle", &stripped(&pintle(), &path.with_extension("program"))?, 0o755)?;
    archive.file("bin/kubectl", &fs::read(&Kubectl::usual().program)?, 0o755)?;
    archive.file("guest/walk.sh", WALK.as_bytes(), 0o755)?;
    let texts = [("pods.yml", PODS), ("config.yaml", CONFIG), ("eviction.yml", EVICTION), ("huge.yml", HUGE)];
    for (name, contents) in texts {
        archive.file(&format!("guest/{name}"), contents.as_bytes(), 0o644)?;
    }
    for name in ["busybox.tar", "k8s-demo.tar"] {
        archive.file(&format!("guest/{name}"), &fs::read(image(name))?, 0o644)?;
    }
    // The shell sorts by name what it finds.
    for (place, module) in modules::in_order(&kernel.modules, &modules::WANTED)?.iter().enumerate() {
        archive.file(&format!("guest/modules/{place:03}-{}.ko", module.name), &module.content, 0o644)?;
    }
    archive.finish()?;
    Ok(())
}

/// A debug build without what only debuggers read: half as many bytes to unpack in an emulator.
fn stripped(program: &Path, copy: &Path) -> io::Result<Vec<u8>> {
    let status = Command::new("strip").arg("-o").arg(copy).arg(program).status()?;
    if !status.success() {
        return Err(io::Error::other(format!("cannot strip {}", program.display())));
    }
    let content = fs::read(copy)?;
    fs::remove_file(copy)?;
    Ok(content)
}
