//! The mounts that the runtime makes on the host: root file systems, shared memory, its program.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Mount options share one page.
const OPTIONS_LIMIT_BYTES: usize = 4000;
/// What a container has written, below its folder.
pub(crate) const UPPER: &str = "upper";
/// Account files beyond this are not account files.
const ACCOUNTS_LIMIT_BYTES: u64 = 4 << 20;

/// Stacks the layers (the lowest first) under a write layer in `folder` whose root belongs to `owner`.
///
/// The mount is `volatile`: a write layer never outlives a reboot, so nothing is gained by forcing
/// it to disk at each fsync and unmount.
pub(crate) fn mount_root(layers: &[PathBuf], folder: &Path, target: &Path, owner: (u32, u32)) -> io::Result<()> {
    let (upper, work) = (folder.join(UPPER), folder.join("work"));
    for path in [&upper, &work, &target.to_path_buf()] {
        fs::create_dir_all(path)?;
    }
    fs::set_permissions(&upper, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    std::os::unix::fs::chown(&upper, Some(owner.0), Some(owner.1))?;
    // An image without layers still needs a lower folder.
    let empty = [folder.join("empty")];
    let layers = if layers.is_empty() {
        fs::create_dir_all(&empty[0])?;
        &empty[..]
    } else {
        layers
    };
    let lower = Lower::of(layers)?;
    let options = lower.options(&format!(",upperdir={},workdir={}", upper.display(), work.display()))?;
    let stack = |options: &str| mount(Some("overlay"), target, Some("overlay"), MsFlags::MS_NODEV, Some(options));
    match stack(&format!("{options},volatile")) {
        Err(Errno::EINVAL) => Ok(stack(&options)?),
        result => Ok(result?),
    }
}

/// Stacks the layers (the lowest first) for reading alone; `empty` is a folder without files.
pub(crate) fn mount_read_only(layers: &[PathBuf], empty: &Path, target: &Path) -> io::Result<()> {
    // Two at least: the kernel asks for them where there is no write layer.
    let mut all = vec![empty.to_owned(); 2_usize.saturating_sub(layers.len())];
    all.extend_from_slice(layers);
    let lower = Lower::of(&all)?;
    let flags = MsFlags::MS_NODEV | MsFlags::MS_RDONLY;
    Ok(mount(Some("overlay"), target, Some("overlay"), flags, Some(lower.options("")?.as_str()))?)
}

/// Layers as overlayfs wants them named, the topmost first.
struct Lower {
    names: String,
    count: usize,
    /// Names may stand for these.
    _descriptors: Vec<File>,
}

impl Lower {
    fn of(layers: &[PathBuf]) -> io::Result<Self> {
        let descriptors = layers
            .iter()
            .rev()
            .map(|layer| File::options().read(true).custom_flags(libc::O_PATH | libc::O_DIRECTORY).open(layer))
            .collect::<io::Result<Vec<File>>>()?;
        // Long paths would not fit; a descriptor's name is short.
        let by_path = layers.iter().rev().map(|layer| layer.display().to_string()).collect::<Vec<_>>().join(":");
        let by_descriptor = descriptors.iter().map(|file| format!("/proc/self/fd/{}", file.as_raw_fd()));
        let names = match by_path.len() < OPTIONS_LIMIT_BYTES / 2 {
            true => by_path,
            false => by_descriptor.collect::<Vec<_>>().join(":"),
        };
        Ok(Lower { names, count: layers.len(), _descriptors: descriptors })
    }

    fn options(&self, rest: &str) -> io::Result<String> {
        let options = format!("lowerdir={}{rest}", self.names);
        if options.len() > OPTIONS_LIMIT_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} layers are too many", self.count)));
        }
        Ok(options)
    }
}

/// A memory file system for a pod's /dev/shm.
pub(crate) fn mount_shared_memory(target: &Path, owner: (u32, u32)) -> io::Result<()> {
    fs::create_dir_all(target)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let options = format!("mode=1777,size=65536k,uid={},gid={}", owner.0, owner.1);
    Ok(mount(Some("shm"), target, Some("tmpfs"), flags, Some(options.as_str()))?)
}

/// Binds the program read-only to `target`, anew if another was there.
pub(crate) fn bind_program(program: &Path, target: &Path) -> io::Result<()> {
    unmount(target)?;
    File::options().create(true).append(true).mode(0o700).open(target)?;
    mount(Some(program), target, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    Ok(mount(None::<&str>, target, None::<&str>, flags, None::<&str>)?)
}

/// Takes everything mounted at `target` away; nothing there is success.
pub(crate) fn unmount(target: &Path) -> io::Result<()> {
    // Bounded: a crash between two starts may have stacked one on the other, not more.
    for _ in 0..8 {
        match umount2(target, MntFlags::MNT_DETACH | MntFlags::UMOUNT_NOFOLLOW) {
            Ok(()) => {}
            Err(Errno::EINVAL | Errno::ENOENT) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Unmounts a folder and removes it.
pub(crate) fn remove_mount_point(target: &Path) -> io::Result<()> {
    unmount(target)?;
    match fs::remove_dir(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads a file of the container's as the container would see it: symbolic links stay inside.
pub(crate) fn read_inside(root: &Path, path: &str) -> io::Result<String> {
    let folder = File::open(root)?;
    let how = OpenHow::new()
        .flags(OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
        .resolve(ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS);
    let file = match openat2(&folder, path, how) {
        Ok(file) => File::from(file),
        Err(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP) => return Ok(String::new()),
        Err(error) => return Err(error.into()),
    };
    if !file.metadata()?.is_file() {
        return Ok(String::new());
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(&file, ACCOUNTS_LIMIT_BYTES), &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
