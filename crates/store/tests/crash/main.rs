//! What the embedded engine keeps when the disk, or what is on it, fails.

mod crowd;
mod damage;
mod faulty_disk;
mod folder;
mod life;
mod power;
mod repair;
mod transfer;
