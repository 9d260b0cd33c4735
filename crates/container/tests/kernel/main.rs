//! The runtime on the real kernel. Needs root and Debian's busybox-static.

mod bench;
mod confinement;
mod lifecycle;
mod propagation;
mod streaming;
mod survival;
mod users;
mod volumes;
