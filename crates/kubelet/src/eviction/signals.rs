//! How much of everything is left.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cri::ImageFsInfoRequest;

use crate::pod::Context;
use crate::policy::{Policy, Signal};
use crate::usage;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Observation {
    pub(super) available: i64,
    pub(super) capacity: i64,
}

/// What cannot be read is left out: it evicts nobody.
pub(super) async fn observe(context: &Context) -> BTreeMap<Signal, Observation> {
    let mut found = BTreeMap::new();
    let mut note = |signal, available: u64, capacity: u64| {
        let number = |value| i64::try_from(value).unwrap_or(i64::MAX);
        found.insert(signal, Observation { available: number(available), capacity: number(capacity) });
    };
    let memory = u64::try_from(context.node.memory_bytes).unwrap_or(0);
    match usage::node() {
        Ok(node) => note(Signal::MemoryAvailable, memory.saturating_sub(node.working_set_bytes), memory),
        Err(error) => tracing::warn!(%error, "the node's memory cannot be read"),
    }
    if let Some((most, taken)) = usage::process_ids() {
        note(Signal::PidAvailable, most.saturating_sub(taken), most);
    }
    let root = &context.node.root_dir;
    let mut disk = |path: &Path, bytes, inodes| match usage::disk(path) {
        Ok(disk) => {
            note(bytes, disk.available_bytes, disk.capacity_bytes);
            // Some file systems do not count them.
            if disk.inodes > 0 {
                note(inodes, disk.inodes_free, disk.inodes);
            }
        }
        Err(error) => tracing::warn!(path = %path.display(), %error, "a disk cannot be read"),
    };
    disk(root, Signal::NodeFsAvailable, Signal::NodeFsInodesFree);
    // On one disk with the pods, images are judged by the pods' thresholds.
    if let Some(images) = image_folder(context).await
        && device(&images) != device(root)
    {
        disk(&images, Signal::ImageFsAvailable, Signal::ImageFsInodesFree);
    }
    found
}

pub(crate) async fn image_folder(context: &Context) -> Option<PathBuf> {
    let info = context.images.image_fs_info(ImageFsInfoRequest {}).await;
    let info = info.map_err(|status| tracing::warn!(error = %status, "the images' disk cannot be read")).ok()?;
    info.image_filesystems.into_iter().next()?.fs_id.map(|id| PathBuf::from(id.mountpoint))
}

fn device(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.dev())
}

/// How long what is left above the thresholds lasts, used as fast as a machine can.
pub(super) fn time_left(policy: &Policy, observed: &BTreeMap<Signal, Observation>) -> Duration {
    let left = policy.thresholds.iter().filter_map(|threshold| {
        let Observation { available, capacity } = observed.get(&threshold.signal)?;
        let spare = available.saturating_sub(threshold.amount.of(*capacity)).max(0);
        Some(Duration::from_secs(u64::try_from(spare / fastest_per_second(threshold.signal)).unwrap_or(0)))
    });
    left.min().unwrap_or(Duration::MAX)
}

fn fastest_per_second(signal: Signal) -> i64 {
    match signal {
        Signal::MemoryAvailable | Signal::NodeFsAvailable | Signal::ImageFsAvailable => 1 << 30,
        Signal::NodeFsInodesFree | Signal::ImageFsInodesFree => 50_000,
        Signal::PidAvailable => 5_000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scarcest_thing_sets_the_pace() {
        let policy = Policy::default();
        let memory = |available| (Signal::MemoryAvailable, Observation { available, capacity: 16 << 30 });
        let pids = |available| (Signal::PidAvailable, Observation { available, capacity: 100_000 });
        let left = |observed: &[(Signal, Observation)]| time_left(&policy, &observed.iter().copied().collect());
        assert_eq!(left(&[memory(10 << 30)]), Duration::from_secs(9));
        assert_eq!(left(&[memory(10 << 30), pids(20_000)]), Duration::from_secs(3));
        assert_eq!(left(&[memory(50 << 20)]), Duration::ZERO);
        assert_eq!(left(&[]), Duration::MAX);
    }
}
