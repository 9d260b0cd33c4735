//! Shows a container its control groups of version 1 below `/sys/fs/cgroup`.
//!
//! libcontainer can, but it looks for the hierarchies in the table of all mounts, which is long on a node with many pods,
//! and walks to each mount point anew: with ten hierarchies that is close to half of what it does for a start.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use libcontainer::syscall::linux::{
    AT_EMPTY_PATH, AT_RECURSIVE, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC, MOUNT_ATTR_NOSUID, MOUNT_ATTR_RDONLY,
    MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH, MountAttr,
};
use libcontainer::syscall::syscall::create_syscall;
use nix::mount::{MsFlags, mount};

use super::protocol::CgroupAccess;
use crate::cgroup::Cgroups;

const PLACE: &str = "/sys/fs/cgroup";
const OPEN_TREE_CLONE: u32 = 1;
const OPEN_TREE_CLOEXEC: u32 = libc::O_CLOEXEC as u32;

/// A container's groups, mounted nowhere yet.
#[derive(Debug)]
pub(crate) struct CgroupView {
    access: CgroupAccess,
    /// By the names of the hierarchies' mount points.
    groups: Vec<(String, OwnedFd)>,
}

impl CgroupView {
    /// Takes hold of the groups, which it makes, while the host's hierarchies are in sight. Where libcontainer moves no
    /// container it is the shim's group that is shown, as that is where the container's processes are.
    pub(crate) fn prepare(
        cgroups: &Cgroups,
        of_container: &str,
        of_shim: &str,
        access: CgroupAccess,
    ) -> io::Result<Self> {
        let kernel = create_syscall();
        let mut groups = Vec::new();
        for (name, group) in cgroups.legacy_groups(Path::new(PLACE), of_container, of_shim) {
            fs::create_dir_all(&group)?;
            let path = group.to_str().ok_or(io::ErrorKind::InvalidInput)?;
            let tree = kernel.open_tree(libc::AT_FDCWD, Some(path), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
            groups.push((name, tree.map_err(io::Error::other)?));
        }
        Ok(CgroupView { access, groups })
    }

    /// Mounts them, inside the container.
    pub(crate) fn show(&self) -> io::Result<()> {
        let place = Path::new(PLACE);
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("tmpfs"), place, Some("tmpfs"), flags, Some("mode=755"))?;
        let kernel = create_syscall();
        for (name, group) in &self.groups {
            let target = place.join(name);
            fs::create_dir(&target)?;
            let flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
            let moved = kernel.move_mount(group.as_fd(), None, open_place(&target)?.as_fd(), None, flags);
            moved.map_err(io::Error::other)?;
            // Controllers that share a hierarchy are found by each of their names.
            for controller in name.split(',').filter(|controller| controller != name) {
                std::os::unix::fs::symlink(name, place.join(controller))?;
            }
        }
        let mut attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
        if self.access == CgroupAccess::ReadOnly {
            // To the bottom: a container's root could lift its own limits.
            attr_set |= MOUNT_ATTR_RDONLY;
        }
        let attributes = MountAttr { attr_set, attr_clr: 0, propagation: 0, userns_fd: 0 };
        let place = open_place(place)?;
        let flags = AT_EMPTY_PATH | AT_RECURSIVE;
        let sealed = kernel.mount_setattr(place.as_fd(), Path::new(""), flags, &attributes, size_of::<MountAttr>());
        sealed.map_err(io::Error::other)
    }
}

fn open_place(path: &Path) -> io::Result<File> {
    File::options().read(true).custom_flags(libc::O_PATH | libc::O_CLOEXEC).open(path)
}
