//! From a batch of waiting transactions to one frame, one sync, and everybody's answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use stdx::Ambient;
use tokio::time::Instant;

use super::answers::{Answers, Reply};
use super::disk::Disk;
use super::format::{FrameBuilder, FrameKind, RECORD_BYTES};
use super::log::{AppendError, Journal};
use super::removal::remove_replaced;
use super::snapshot::{snapshot_name, write_snapshot};
use crate::core::Garbage;
use crate::shared::{Moment, Shared};
use crate::staging::{Staged, StagedTransaction};
use crate::{Options, StoreError, Transaction};

/// A transaction and whom to answer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) size_bytes: usize,
    pub(super) reply: Reply,
}

/// When leases that should have ended are tried again on a full disk, if nobody writes before.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why nothing is written any more.
pub(super) type Failure = Arc<OnceLock<String>>;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    journal: Journal,
    failure: Failure,
    options: Options,
    ambient: Ambient,
    snapshot: Option<SnapshotUnderWay>,
    /// After a snapshot could not be written: how long the logs were then. The next try waits until
    /// there are more of them.
    in_vain_bytes: u64,
    /// What is freed while nobody waits.
    garbage: Garbage,
}

#[derive(Debug)]
struct SnapshotUnderWay {
    thread: JoinHandle<bool>,
    stop: Arc<AtomicBool>,
    /// The logs that it will stand for.
    log_bytes: u64,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        journal: Journal,
        failure: Failure,
        options: Options,
        ambient: Ambient,
    ) -> Self {
        Writer {
            shared,
            disk,
            journal,
            failure,
            options,
            ambient,
            snapshot: None,
            in_vain_bytes: 0,
            garbage: Garbage::default(),
        }
    }

    /// Makes a batch, and the leases that have ended, durable, then visible, then known to those who
    /// wait. Returns when there is something to do even if nobody writes.
    pub(super) fn write(&mut self, batch: Vec<Request>) -> Option<Instant> {
        if self.failure.get().is_some() {
            batch.into_iter().for_each(|request| request.reply.send(Err(self.refusal())));
            return None;
        }
        let now = Moment::now(&self.ambient.clock);
        if batch.is_empty() {
            self.garbage.free_some();
        }
        let (staged, answers) = self.stage(batch, now);
        if let Err(error) = self.append(&staged) {
            answers.refuse(|| self.append_failed(&error));
            return now.instant.checked_add(RETRY_AFTER);
        }
        let mut core = self.shared.write();
        let aftermath = core.commit(staged, now);
        let garbage = core.tend(now);
        let next = core.next_tending(now);
        let kept_bytes = core.kept_bytes();
        drop(core);
        answers.tell(aftermath.wakeups);
        self.garbage.append(aftermath.garbage);
        self.garbage.append(garbage);
        self.snapshot_if_long(kept_bytes);
        if self.garbage.is_empty() { next } else { Some(now.instant) }
    }

    /// Waits for what goes on in the background.
    pub(super) fn close(self) {
        if let Some(snapshot) = self.snapshot {
            snapshot.stop.store(true, Ordering::Relaxed);
            snapshot.finish();
        }
        self.journal.close();
    }

    fn stage(&self, batch: Vec<Request>, now: Moment) -> (Staged, Answers) {
        let mut staged = Staged::default();
        let core = self.shared.read();
        core.stage_expired(&mut staged, now);
        let answers = batch
            .into_iter()
            .map(|Request { transaction, reply, .. }| (reply, core.stage(&mut staged, transaction, now)))
            .collect();
        (staged, Answers(answers))
    }

    fn append(&mut self, staged: &Staged) -> Result<(), AppendError> {
        let Some(first) = staged.transactions().first() else { return Ok(()) };
        let first = first.revision;
        let mut frame = FrameBuilder::new(FrameKind::Transactions, first);
        frame.reserve(staged.transactions().iter().map(frame_bytes).sum());
        for transaction in staged.transactions() {
            let changes = transaction.events.iter().map(|staged| (&*staged.event, staged.due));
            frame.push_transaction(transaction.revision, transaction.time, transaction.author.as_deref(), changes);
        }
        self.journal.append(frame, first, self.ambient.random.next_u64() as u32)
    }

    /// What those hear whose transactions could not be written.
    fn append_failed(&self, error: &AppendError) -> StoreError {
        let path = self.journal.path();
        match error {
            AppendError::Full(error) => {
                let reason = format!("there is no room for {} ({error}); give it some, and it goes on", path.display());
                tracing::warn!(%error, path = %path.display(), "no room to write");
                StoreError::Unavailable { reason }
            }
            AppendError::Broken(error) => {
                if self.failure.set(format!("{}: {error}; mend the disk and restart", path.display())).is_ok() {
                    tracing::error!(%error, path = %path.display(), "the store accepts no more writes");
                }
                self.refusal()
            }
        }
    }

    fn refusal(&self) -> StoreError {
        StoreError::ReadOnly { reason: self.failure.get().cloned().unwrap_or_else(|| "the writer stopped".into()) }
    }

    /// Begins a snapshot when the logs before the present one have outgrown what it would write, so
    /// that snapshots are no more than half of all writing. Writes go on meanwhile; once it rests,
    /// those logs go. One that cannot be written costs nothing but their room, and the next log that
    /// fills tries again.
    fn snapshot_if_long(&mut self, kept_bytes: u64) {
        if let Some(finished) = self.snapshot.take_if(|snapshot| snapshot.thread.is_finished()) {
            let log_bytes = finished.log_bytes;
            self.in_vain_bytes = if finished.finish() { 0 } else { log_bytes };
            if self.in_vain_bytes == 0 {
                self.journal.forget_earlier(log_bytes);
            }
        }
        let log_bytes = self.journal.earlier_bytes();
        let enough_bytes = self.options.rotate_log_bytes.max(kept_bytes).max(self.in_vain_bytes);
        if self.snapshot.is_some() || log_bytes <= enough_bytes {
            return;
        }
        let frozen = self.shared.snapshot();
        let stop = Arc::new(AtomicBool::new(false));
        let (disk, salt, stopped) = (self.disk.clone(), self.ambient.random.next_u64() as u32, stop.clone());
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
            Ok(thread) => self.snapshot = Some(SnapshotUnderWay { thread, stop, log_bytes }),
            Err(error) => tracing::warn!(%error, "no snapshot: cannot start its thread"),
        }
    }
}

impl SnapshotUnderWay {
    /// Whether there is a snapshot.
    fn finish(self) -> bool {
        self.thread.join().unwrap_or_else(|_| {
            tracing::error!("writing a snapshot panicked");
            false
        })
    }
}

/// About what a transaction comes to in a frame.
fn frame_bytes(transaction: &StagedTransaction) -> usize {
    let values = transaction.events.iter().map(|staged| {
        let event = &staged.event;
        event.key().len() + event.current().map_or(0, |entry| entry.value.len())
    });
    values.map(|bytes| bytes + RECORD_BYTES).sum::<usize>() + RECORD_BYTES
}
