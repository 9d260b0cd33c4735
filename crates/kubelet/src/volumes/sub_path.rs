//! Parts of a volume, reached without ever leaving it.
//!
//! What is in a volume belongs to the pod, which may have put a link to the node's files there. So
//! the kernel resolves the path inside the volume, and what was opened is bound, not what the path
//! names a moment later.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::sys::stat::{Mode, mkdirat};

use super::mounts::Mounter;

/// Binds `inner` of the volume at `target` and returns where it is; a folder that is missing is made.
pub(crate) fn bind(volume: &Path, inner: &str, target: &Path, mounter: &dyn Mounter) -> io::Result<PathBuf> {
    let opened = open_inside(volume, Path::new(inner))?;
    mounter.unmount(target)?;
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    if opened.metadata()?.is_dir() {
        fs::create_dir_all(target)?;
    } else {
        File::create(target)?;
    }
    mounter.bind_open_file(&opened, target)?;
    Ok(target.to_owned())
}

/// Opens a path below `root`; links may lead elsewhere inside, never out.
fn open_inside(root: &Path, inner: &Path) -> io::Result<File> {
    let normal = inner.components().all(|component| matches!(component, Component::Normal(_) | Component::CurDir));
    if !normal {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "subPath must be relative and without \"..\""));
    }
    let root = File::open(root)?;
    match open_beneath(&root, inner) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make_folders(&root, inner),
        result => result,
    }
}

fn make_folders(root: &File, inner: &Path) -> io::Result<File> {
    let mut made = PathBuf::new();
    let mut folder = root.try_clone()?;
    for component in inner.components() {
        let name = Path::new(component.as_os_str());
        made.push(name);
        match open_beneath(root, &made) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                mkdirat(folder.as_fd(), name, Mode::from_bits_truncate(0o750)).map_err(io::Error::from)?;
                folder = open_beneath(root, &made)?;
            }
            result => folder = result?,
        }
    }
    Ok(folder)
}

fn open_beneath(root: &File, inner: &Path) -> io::Result<File> {
    let how = OpenHow::new()
        .flags(OFlag::O_PATH | OFlag::O_CLOEXEC)
        .resolve(ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let inner = if inner.as_os_str().is_empty() { Path::new(".") } else { inner };
    openat2(root.as_fd(), inner, how).map(File::from).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_never_leaves_the_volume() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("volume");
        fs::create_dir_all(volume.join("a")).unwrap();
        fs::write(volume.join("a/f"), "x").unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        symlink("../outside", volume.join("out")).unwrap();
        symlink("/etc", volume.join("etc")).unwrap();
        symlink("a", volume.join("inside")).unwrap();
        let open = |inner: &str| open_inside(&volume, Path::new(inner));
        assert!(open("a").unwrap().metadata().unwrap().is_dir());
        assert!(open("inside/f").unwrap().metadata().unwrap().is_file());
        assert!(open("new/deep").unwrap().metadata().unwrap().is_dir() && volume.join("new/deep").is_dir());
        for bad in ["out", "etc", "etc/passwd", "../outside", "/etc", "out/new"] {
            assert!(open(bad).is_err(), "{bad}");
        }
        assert!(!folder.path().join("outside/new").exists());
    }
}
