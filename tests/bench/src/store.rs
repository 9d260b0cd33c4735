//! The store alone, in turns with the disk, etcd and plain memory.

pub(crate) mod child;
mod disk;
#[cfg(feature = "engines")]
mod engines;
mod etcd;
mod memory;
mod ours;
mod pauses;
mod puts;
mod reads;
mod recovery;

use crate::Measurement;
pub(crate) use puts::load;

pub(crate) const MEASUREMENTS: &[Measurement] = &[
    ("Puts: 1 KiB, durable", puts::measure),
    #[cfg(feature = "engines")]
    ("Engines: durable puts of 1 KiB by one client", engines::measure),
    ("Reads", reads::measure),
    ("Memory", memory::measure),
    ("Recovery", recovery::measure),
    ("Snapshots and pauses", pauses::measure),
];
