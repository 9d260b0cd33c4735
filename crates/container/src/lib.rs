//! The container runtime: images, pod sandboxes, containers, and the shim that owns them.
//!
//! [`Runtime`] implements the services of `cri` in this process; what must outlive it runs in one
//! [`shim`] per pod. Nothing here needs another runtime's programs.

mod capability;
mod cgroup;
mod destroy;
mod images;
mod paths;
mod runtime;
mod seccomp;
pub mod shim;
mod spec;
mod user;

pub use destroy::{DestroyError, destroy};
pub use images::{
    Image, ImageStore, InvalidReference, LoadError, Origin, PullError, RegistryCredentials, StoreError, UnpackError,
};
pub use runtime::{Config, OpenError, Runtime};
