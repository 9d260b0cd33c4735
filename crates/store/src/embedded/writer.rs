//! The one thread that writes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use stdx::Ambient;
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

use super::disk::Disk;
use super::format::{FrameBuilder, FrameKind};
use super::log::{Log, log_name};
use super::snapshot::{snapshot_name, write_snapshot};
use crate::core::{Garbage, MAX_EXPIRED};
use crate::limits::{MAX_OPERATIONS, MAX_TRANSACTION_BYTES, size_bytes};
use crate::shared::{Moment, Shared};
use crate::staging::Staged;
use crate::{Committed, Options, Revision, Snapshot, StoreError, Transaction};

/// A batch takes no further request once it holds this much; the last one may go beyond it.
const MAX_BATCH_BYTES: usize = 8 << 20;
const MAX_BATCH_REQUESTS: usize = 1024;
/// What the format says of an operation beside its key and value, and of a transaction beside those.
const RECORD_BYTES: usize = 32;
const _: () = assert!(
    MAX_BATCH_BYTES + MAX_TRANSACTION_BYTES + (MAX_BATCH_REQUESTS + MAX_EXPIRED) * (MAX_OPERATIONS + 1) * RECORD_BYTES
        <= super::format::MAX_PAYLOAD_BYTES
);

/// A transaction and whom to answer. The answer waits until what it says rests on the disk. That
/// goes for conflicts too: what a write conflicts with may be a write of the same batch.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) transaction: Transaction,
    pub(super) reply: Reply,
}

type Reply = oneshot::Sender<Result<Committed, StoreError>>;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    log: Log,
    /// Set before the writer stops for good.
    failure: Arc<OnceLock<String>>,
    options: Options,
    ambient: Ambient,
    snapshot: Option<SnapshotUnderWay>,
    /// The log is rotated when it is longer than this.
    rotate_at_bytes: u64,
    /// What is freed while nobody waits.
    garbage: Garbage,
}

/// Why the writer has work.
enum Work {
    Requests(Vec<Request>),
    /// A lease ends, or history has to go.
    Tending,
    /// Every sender of requests is gone.
    Closed,
}

#[derive(Debug)]
struct SnapshotUnderWay {
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        log: Log,
        failure: Arc<OnceLock<String>>,
        options: Options,
        ambient: Ambient,
    ) -> Self {
        let rotate_at_bytes = options.rotate_log_bytes;
        Writer {
            shared,
            disk,
            log,
            failure,
            options,
            ambient,
            snapshot: None,
            rotate_at_bytes,
            garbage: Garbage::default(),
        }
    }

    /// Writes until every sender of requests is gone, or the disk refuses. The runtime is the
    /// writer's own, for its one timer.
    pub(super) fn run(mut self, runtime: &Runtime, mut requests: mpsc::Receiver<Request>) {
        loop {
            let done = match self.wait(runtime, &mut requests) {
                Work::Requests(batch) => self.write(batch),
                Work::Tending => self.write(Vec::new()),
                Work::Closed => break,
            };
            if let Err(error) = done.and_then(|()| self.rotate_if_long()) {
                // `write` has answered its batch; those behind it get the same reason.
                self.fail(&error);
                requests.close();
                while let Some(request) = requests.blocking_recv() {
                    answer(request.reply, Err(self.refusal()));
                }
                break;
            }
        }
        if let Some(snapshot) = self.snapshot.take() {
            snapshot.stop.store(true, Ordering::Relaxed);
            snapshot.finish();
        }
    }

    /// Waits for requests, or for the next thing that nobody asks for. One timer at most, and none
    /// if there is nothing to wait for.
    fn wait(&mut self, runtime: &Runtime, requests: &mut mpsc::Receiver<Request>) -> Work {
        loop {
            match requests.try_recv() {
                Ok(first) => return Work::Requests(gather(first, requests)),
                Err(mpsc::error::TryRecvError::Disconnected) => return Work::Closed,
                Err(mpsc::error::TryRecvError::Empty) => {}
            }
            if !self.garbage.free_some() {
                break;
            }
        }
        let next = self.shared.read().next_tending(self.now());
        let first = runtime.block_on(async {
            match next {
                Some(next) => tokio::time::timeout_at(next, requests.recv()).await,
                None => Ok(requests.recv().await),
            }
        });
        match first {
            Ok(Some(first)) => Work::Requests(gather(first, requests)),
            Ok(None) => Work::Closed,
            Err(_) => Work::Tending,
        }
    }

    /// Makes a batch durable, with whatever ends by itself at this moment; then visible, then known to
    /// its writers, and last to the watchers.
    fn write(&mut self, batch: Vec<Request>) -> io::Result<()> {
        let now = self.now();
        let mut staged = Staged::default();
        let mut answers = Vec::with_capacity(batch.len());
        {
            let core = self.shared.read();
            core.stage_expired(&mut staged, now);
            for Request { transaction, reply } in batch {
                answers.push((reply, core.stage(&mut staged, transaction, now)));
            }
        }
        if let Some((first, rest)) = staged.transactions().split_first() {
            let mut frame = FrameBuilder::new(FrameKind::Transactions, first.revision);
            for transaction in std::iter::once(first).chain(rest) {
                let changes = transaction.events.iter().map(|staged| (&*staged.event, staged.due));
                let author = transaction.author.as_deref();
                frame.push_transaction(transaction.revision, transaction.time, author, changes);
            }
            if let Err(error) = self.log.append(&frame.finish(self.log.salt())) {
                self.fail(&error);
                for (reply, _) in answers {
                    answer(reply, Err(self.refusal()));
                }
                return Err(error);
            }
        }
        let (aftermath, garbage) = {
            let mut core = self.shared.write();
            (core.commit(staged, now), core.tend(now))
        };
        for (reply, result) in answers {
            answer(reply, result);
        }
        aftermath.wakeups.wake();
        self.garbage.append(aftermath.garbage);
        self.garbage.append(garbage);
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
        let snapshot = {
            let core = self.shared.read();
            self.rotate_at_bytes = self.options.rotate_log_bytes.max(core.live_bytes());
            if self.log.bytes() <= self.rotate_at_bytes {
                return Ok(());
            }
            core.snapshot()
        };
        let old = self.log.first();
        self.log = Log::create(&*self.disk, self.salt(), Revision(snapshot.revision().0 + 1))?;
        self.snapshot = self.start_snapshot(snapshot, old);
        Ok(())
    }

    /// A snapshot that cannot be written costs nothing but the room of the logs it would replace;
    /// the next rotation tries again.
    fn start_snapshot(&self, state: Snapshot, old_log: Revision) -> Option<SnapshotUnderWay> {
        let stop = Arc::new(AtomicBool::new(false));
        let (disk, salt, stopped) = (self.disk.clone(), self.salt(), stop.clone());
        let spawned = std::thread::Builder::new().name("store-snapshot".into()).spawn(move || {
            let written = write_snapshot(&*disk, salt, &state, &stopped);
            let done = written.and_then(|whole| if whole { remove_replaced(&*disk, state.revision()) } else { Ok(()) });
            if let Err(error) = done {
                tracing::warn!(%error, path = %disk.path(&snapshot_name(state.revision())).display(), "no snapshot");
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

    fn now(&self) -> Moment {
        Moment::now(&self.ambient.clock)
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
}

impl SnapshotUnderWay {
    fn finish(self) {
        if self.thread.join().is_err() {
            tracing::error!("writing a snapshot panicked");
        }
    }
}

fn answer(reply: Reply, result: Result<Committed, StoreError>) {
    if reply.send(result).is_err() {
        tracing::debug!("a writer did not wait for its answer");
    }
}

/// The first request and all that wait behind it, within a batch's bounds.
fn gather(first: Request, requests: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut bytes = size_bytes(&first.transaction);
    let mut batch = vec![first];
    while bytes < MAX_BATCH_BYTES
        && batch.len() < MAX_BATCH_REQUESTS
        && let Ok(next) = requests.try_recv()
    {
        bytes += size_bytes(&next.transaction);
        batch.push(next);
    }
    batch
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
