//! The runtime on the real kernel. Needs root and Debian's busybox-static.

mod bench;
mod confinement;
mod lifecycle;
mod streaming;
mod survival;
