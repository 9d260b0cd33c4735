//! The cluster on a machine of its own: an emulator boots Debian's kernel into an initramfs that holds
//! busybox, the program, kubectl and two images, and nothing else. There cgroup v2 is the only
//! hierarchy, no systemd runs, and nobody loads modules.
//!
//! The guest walks by itself (`guest/walk.sh`) and says each step on its console; the host listens.

mod cpio;
mod initramfs;
mod kernel;
mod machine;
mod modules;

pub use initramfs::build;
pub use kernel::Kernel;
pub use machine::{Machine, make_disk};
