//! The one thread that writes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use bytes::Bytes;
use stdx::Ambient;
use tokio::sync::{mpsc, oneshot};

use super::disk::Disk;
use super::format::{FrameBuilder, FrameKind};
use super::log::{Log, log_name};
use super::snapshot::{snapshot_name, write_snapshot};
use crate::core::{Core, Frozen, Staged};
use crate::limits::MAX_VALUE_BYTES;
use crate::{Entry, Expect, Options, Revision, StoreError};

/// A batch takes no further request once it holds this much; the last one may go beyond it.
const MAX_BATCH_BYTES: usize = 8 << 20;
const MAX_BATCH_REQUESTS: usize = 1024;
const _: () = assert!(MAX_BATCH_BYTES + 2 * MAX_VALUE_BYTES <= super::format::MAX_PAYLOAD_BYTES);

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// A write and whom to answer.
#[derive(Debug)]
pub(super) enum Request {
    Put { key: Box<str>, value: Bytes, expect: Expect, reply: Reply<Entry> },
    Delete { key: Box<str>, expect: Revision, reply: Reply<(Revision, Entry)> },
}

/// An answer that waits until what it says rests on the disk. That goes for conflicts too: what a
/// write conflicts with may be a write of the same batch.
#[derive(Debug)]
enum Answer {
    Put(Reply<Entry>, Result<Entry, StoreError>),
    Delete(Reply<(Revision, Entry)>, Result<(Revision, Entry), StoreError>),
}

#[derive(Debug)]
pub(super) struct Writer {
    core: Arc<RwLock<Core>>,
    disk: Arc<dyn Disk>,
    log: Log,
    /// Set before the writer stops for good.
    failure: Arc<OnceLock<String>>,
    options: Options,
    ambient: Ambient,
    snapshot: Option<SnapshotUnderWay>,
    /// The log is rotated when it is longer than this.
    rotate_at_bytes: u64,
}

#[derive(Debug)]
struct SnapshotUnderWay {
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(
        core: Arc<RwLock<Core>>,
        disk: Arc<dyn Disk>,
        log: Log,
        failure: Arc<OnceLock<String>>,
        options: Options,
        ambient: Ambient,
    ) -> Self {
        let rotate_at_bytes = options.rotate_log_bytes;
        Writer { core, disk, log, failure, options, ambient, snapshot: None, rotate_at_bytes }
    }

    /// Writes until every sender of requests is gone, or the disk refuses.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let batch = gather(first, &mut requests);
            if let Err(error) = self.write(batch).and_then(|()| self.rotate_if_long()) {
                // `write` has answered its batch; those behind it get the same reason.
                self.fail(&error);
                requests.close();
                while let Some(request) = requests.blocking_recv() {
                    self.refuse(request);
                }
            }
        }
        if let Some(snapshot) = self.snapshot.take() {
            snapshot.stop.store(true, Ordering::Relaxed);
            snapshot.finish();
        }
    }

    /// Makes a batch durable, then visible, then known to its writers.
    fn write(&mut self, batch: Vec<Request>) -> io::Result<()> {
        let mut staged = Staged::default();
        let mut answers = Vec::with_capacity(batch.len());
        {
            let core = self.core.read().unwrap_or_else(PoisonError::into_inner);
            for request in batch {
                answers.push(match request {
                    Request::Put { key, value, expect, reply } => {
                        Answer::Put(reply, core.stage_put(&mut staged, &key, value, expect))
                    }
                    Request::Delete { key, expect, reply } => {
                        Answer::Delete(reply, core.stage_delete(&mut staged, &key, expect))
                    }
                });
            }
        }
        if let Some(first) = staged.events().first() {
            let mut frame = FrameBuilder::new(FrameKind::Events, first.revision);
            for event in staged.events() {
                frame.push_event(event);
            }
            if let Err(error) = self.log.append(&frame.finish(self.log.salt())) {
                self.fail(&error);
                for answer in answers {
                    answer.refuse(|| self.refusal());
                }
                return Err(error);
            }
            let now = self.ambient.clock.instant();
            self.core.write().unwrap_or_else(PoisonError::into_inner).commit(staged, now);
        }
        answers.into_iter().for_each(Answer::send);
        Ok(())
    }

    /// Begins a new log when the present one has outgrown the data, and a snapshot that will make
    /// the present one needless. Writes go on meanwhile.
    fn rotate_if_long(&mut self) -> io::Result<()> {
        if self.log.bytes() <= self.rotate_at_bytes {
            return Ok(());
        }
        match self.snapshot.take_if(|snapshot| snapshot.thread.is_finished()) {
            Some(finished) => finished.finish(),
            None if self.snapshot.is_some() => return Ok(()),
            None => {}
        }
        let frozen = {
            let core = self.core.read().unwrap_or_else(PoisonError::into_inner);
            self.rotate_at_bytes = self.options.rotate_log_bytes.max(core.live_bytes());
            if self.log.bytes() <= self.rotate_at_bytes {
                return Ok(());
            }
            core.freeze()
        };
        let old = self.log.first();
        self.log = Log::create(&*self.disk, self.salt(), Revision(frozen.revision.0 + 1))?;
        self.snapshot = self.start_snapshot(frozen, old);
        Ok(())
    }

    /// A snapshot that cannot be written costs nothing but the room of the logs it would replace;
    /// the next rotation tries again.
    fn start_snapshot(&self, frozen: Frozen, old_log: Revision) -> Option<SnapshotUnderWay> {
        let stop = Arc::new(AtomicBool::new(false));
        let (disk, salt, stopped) = (self.disk.clone(), self.salt(), stop.clone());
        let spawned = std::thread::Builder::new().name("store-snapshot".into()).spawn(move || {
            let written = write_snapshot(&*disk, salt, &frozen, &stopped);
            let done = written.and_then(|whole| if whole { remove_replaced(&*disk, frozen.revision) } else { Ok(()) });
            if let Err(error) = done {
                tracing::warn!(%error, path = %disk.path(&snapshot_name(frozen.revision)).display(), "no snapshot");
            }
        });
        match spawned {
            Ok(thread) => Some(SnapshotUnderWay { thread, stop }),
            Err(error) => {
                tracing::warn!(%error, log = log_name(old_log), "no snapshot: cannot start its thread");
                None
            }
        }
    }

    fn salt(&self) -> u32 {
        self.ambient.random.next_u64() as u32
    }

    fn fail(&self, error: &io::Error) {
        let path = self.disk.path(&log_name(self.log.first()));
        if self.failure.set(format!("{}: {error}; mend the disk and restart", path.display())).is_ok() {
            tracing::error!(%error, path = %path.display(), "the store accepts no more writes");
        }
    }

    fn refusal(&self) -> StoreError {
        StoreError::ReadOnly { reason: self.failure.get().cloned().unwrap_or_else(|| "the writer stopped".into()) }
    }

    fn refuse(&self, request: Request) {
        match request {
            Request::Put { reply, .. } => answer(reply, Err(self.refusal())),
            Request::Delete { reply, .. } => answer(reply, Err(self.refusal())),
        }
    }
}

impl Answer {
    fn send(self) {
        match self {
            Answer::Put(reply, result) => answer(reply, result),
            Answer::Delete(reply, result) => answer(reply, result),
        }
    }

    /// Answers with an error in place of what would have been.
    fn refuse(self, error: impl FnOnce() -> StoreError) {
        match self {
            Answer::Put(reply, _) => answer(reply, Err(error())),
            Answer::Delete(reply, _) => answer(reply, Err(error())),
        }
    }
}

impl SnapshotUnderWay {
    fn finish(self) {
        if self.thread.join().is_err() {
            tracing::error!("writing a snapshot panicked");
        }
    }
}

fn answer<T>(reply: Reply<T>, result: Result<T, StoreError>) {
    if reply.send(result).is_err() {
        tracing::debug!("a writer did not wait for its answer");
    }
}

/// The first request and all that wait behind it, within a batch's bounds.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = first.size_bytes();
    let mut batch = vec![first];
    while bytes < MAX_BATCH_BYTES
        && batch.len() < MAX_BATCH_REQUESTS
        && let Ok(next) = requests.try_recv()
    {
        bytes += next.size_bytes();
        batch.push(next);
    }
    batch
}

impl Request {
    fn size_bytes(&self) -> usize {
        match self {
            Request::Put { key, value, .. } => key.len() + value.len(),
            Request::Delete { key, .. } => key.len(),
        }
    }
}

/// Removes the logs and snapshots that the snapshot at `revision` stands for. The present log
/// begins behind it.
fn remove_replaced(disk: &dyn Disk, revision: Revision) -> io::Result<()> {
    for name in disk.names()? {
        let replaced = match super::recovery::split_name(&name) {
            Some((super::format::FileKind::Log, first)) => first <= revision,
            Some((super::format::FileKind::Snapshot, other)) => other < revision,
            None => false,
        };
        if replaced {
            disk.remove(&name)?;
        }
    }
    Ok(())
}
