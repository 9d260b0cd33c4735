//! The runtime on the real kernel. Needs root and Debian's busybox-static.

mod attacks;
mod bench;
mod confinement;
mod lifecycle;
mod propagation;
mod streaming;
mod survival;
mod usage;
mod users;
mod volumes;
