//! The container runtime: images, pod sandboxes, containers, and the shim that owns them.
//!
//! [`Runtime`] implements the services of `cri` in this process; what must outlive it runs in one
//! [`shim`] per pod. Nothing here needs another runtime's programs.

mod capability;
mod cgroup;
mod destroy;
mod devices;
mod images;
mod limits;
mod lsm;
mod paths;
mod proc_guard;
mod propagation;
mod runtime;
mod seccomp;
pub mod shim;
mod spec;
mod user;

pub use destroy::{DestroyError, destroy};
pub use images::{
    HostsError, Image, ImageStore, InvalidReference, LoadError, Origin, PullError, RegistryCredentials, StoreError,
    UnpackError,
};
pub use runtime::{Config, OpenError, Runtime};

/// The ids of the containers in a cluster's data folder that were made from an image; removing it would take their
/// files away beneath them.
pub fn users_of_image(data_dir: &std::path::Path, image_id: &str) -> std::io::Result<Vec<String>> {
    runtime::record::users_of_image(&paths::Paths::new(data_dir, data_dir).containers(), image_id)
}
