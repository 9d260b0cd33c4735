//! When logs give way to a snapshot.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::disk::Disk;
use super::log::Journal;
use super::removal::remove_replaced;
use super::snapshot::{snapshot_name, write_snapshot};
use crate::Snapshot;

/// Writes snapshots in the background, one at a time.
#[derive(Debug)]
pub(super) struct Rotation {
    disk: Arc<dyn Disk>,
    /// No snapshot for logs shorter than this.
    least_bytes: u64,
    under_way: Option<UnderWay>,
    /// After a snapshot could not be written: how long the logs were then. The next try waits until
    /// there are more of them.
    in_vain_bytes: u64,
}

#[derive(Debug)]
struct UnderWay {
    thread: JoinHandle<bool>,
    stop: Arc<AtomicBool>,
    /// The logs that it will stand for.
    log_bytes: u64,
}

impl Rotation {
    pub(super) fn new(disk: Arc<dyn Disk>, least_bytes: u64) -> Self {
        Rotation { disk, least_bytes, under_way: None, in_vain_bytes: 0 }
    }

    /// Begins a snapshot when the logs before the present one have outgrown the bytes that it would
    /// write, so that snapshots are no more than half of all writing. Writes go on meanwhile; once it
    /// rests, those logs go. One that cannot be written costs nothing but their room, and the next log
    /// that fills tries again.
    pub(super) fn advance(
        &mut self,
        journal: &mut Journal,
        kept_bytes: u64,
        salt: u32,
        snapshot: impl FnOnce() -> Snapshot,
    ) {
        if let Some(finished) = self.under_way.take_if(|under_way| under_way.thread.is_finished()) {
            let log_bytes = finished.log_bytes;
            self.in_vain_bytes = if finished.finish() { 0 } else { log_bytes };
            if self.in_vain_bytes == 0 {
                journal.forget_earlier(log_bytes);
            }
        }
        let log_bytes = journal.earlier_bytes();
        let enough_bytes = self.least_bytes.max(kept_bytes).max(self.in_vain_bytes);
        if self.under_way.is_some() || log_bytes <= enough_bytes {
            return;
        }
        let frozen = snapshot();
        let stop = Arc::new(AtomicBool::new(false));
        let (disk, stopped) = (self.disk.clone(), stop.clone());
        let spawned = std::thread::Builder::new().name("store-snapshot".into()).spawn(move || {
            let written = write_snapshot(&*disk, salt, &frozen, &stopped);
            let done = written.and_then(|is_whole| {
                if is_whole {
                    remove_replaced(&*disk, frozen.revision(), &stopped)?;
                }
                Ok(is_whole)
            });
            done.unwrap_or_else(|error| {
                let path = disk.path(&snapshot_name(frozen.revision()));
                tracing::warn!(%error, path = %path.display(), "no snapshot");
                false
            })
        });
        match spawned {
            Ok(thread) => self.under_way = Some(UnderWay { thread, stop, log_bytes }),
            Err(error) => tracing::warn!(%error, "no snapshot: cannot start its thread"),
        }
    }

    /// Waits for what goes on in the background, which ends soon.
    pub(super) fn close(self) {
        if let Some(under_way) = self.under_way {
            under_way.stop.store(true, Ordering::Relaxed);
            under_way.finish();
        }
    }
}

impl UnderWay {
    /// Whether there is a snapshot.
    fn finish(self) -> bool {
        self.thread.join().unwrap_or_else(|_| {
            tracing::error!("writing a snapshot panicked");
            false
        })
    }
}
