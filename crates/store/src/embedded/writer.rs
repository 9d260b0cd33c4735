//! From transactions that wait to a frame that rests, and to everybody's answer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stdx::Ambient;
use tokio::time::Instant;

use super::batch::{Batch, Frame, Request};
use super::disk::Disk;
use super::log::{AppendError, Journal};
use super::rotation::Rotation;
use crate::core::Garbage;
use crate::shared::{Moment, Shared};
use crate::{Options, StoreError};

/// When leases that should have ended are tried again on a full disk, if nobody writes before.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Room for frames that is kept for the next one: what some hundred objects need.
const MAX_KEPT_BUFFER_BYTES: usize = 1 << 20;

/// Why nothing is written any more.
pub(super) type Failure = Arc<OnceLock<String>>;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    journal: Journal,
    rotation: Rotation,
    failure: Failure,
    ambient: Ambient,
    /// What frames are built within.
    buffer: Vec<u8>,
    /// What is freed while nobody waits.
    garbage: Garbage,
    /// Keys and values, of the state and of its history.
    kept_bytes: u64,
    /// When there is something to do even if nobody writes.
    due: Option<Instant>,
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
            journal,
            rotation: Rotation::new(disk, options.rotate_log_bytes),
            failure,
            ambient,
            buffer: Vec::new(),
            garbage: Garbage::default(),
            kept_bytes: 0,
            due: None,
        }
    }

    /// Makes requests, and the leases that have ended, durable, then visible, then known to those who
    /// wait. Returns when there is something to do even if nobody writes.
    pub(super) fn write(&mut self, requests: Vec<Request>) -> Option<Instant> {
        if self.failure.get().is_some() {
            requests.into_iter().for_each(|request| request.reply.send(Err(self.refusal())));
            self.due = None;
            return None;
        }
        if requests.is_empty() {
            self.garbage.free_some();
        }
        let now = Moment::now(&self.ambient.clock);
        let mut batch = Batch::stage(&self.shared.read(), requests, now, &mut self.buffer);
        let appended = match batch.frame.take() {
            Some(frame) => self.append(frame),
            None => Ok(()),
        };
        match appended {
            Ok(()) => {
                self.commit(batch);
                self.rotate();
            }
            Err(error) => self.fail(batch, &error),
        }
        self.due
    }

    /// The same with all that `take` gives, until it gives nothing more.
    pub(super) fn write_all(&mut self, mut take: impl FnMut() -> Vec<Request>) -> Option<Instant> {
        let mut requests = take();
        loop {
            let due = self.write(requests);
            requests = take();
            if requests.is_empty() {
                return due;
            }
        }
    }

    /// Waits for what goes on in the background.
    pub(super) fn close(self) {
        self.rotation.close();
        self.journal.close();
    }

    fn append(&mut self, Frame { mut builder, first }: Frame) -> Result<(), AppendError> {
        let appended = self.journal.append(&mut builder, first, self.salt());
        let buffer = builder.into_buffer();
        if buffer.capacity() <= MAX_KEPT_BUFFER_BYTES {
            self.buffer = buffer;
        }
        appended
    }

    /// Makes a batch visible, and answers; it rests.
    fn commit(&mut self, batch: Batch) {
        let mut core = self.shared.write();
        let aftermath = core.commit(batch.staged, batch.now);
        let garbage = core.tend(batch.now);
        self.due = core.next_tending(batch.now);
        self.kept_bytes = core.kept_bytes();
        drop(core);
        batch.answers.tell(aftermath.wakeups);
        self.garbage.append(aftermath.garbage);
        self.garbage.append(garbage);
        self.garbage.free_excess();
        if !self.garbage.is_empty() {
            self.due = Some(batch.now.instant);
        }
    }

    /// Tells those whose transactions could not be written.
    fn fail(&mut self, batch: Batch, error: &AppendError) {
        batch.answers.refuse(&self.append_failed(error));
        self.due = self.ambient.clock.instant().checked_add(RETRY_AFTER);
    }

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

    /// Sees whether the logs should give way to a snapshot.
    fn rotate(&mut self) {
        let salt = self.salt();
        self.rotation.advance(&mut self.journal, self.kept_bytes, salt, || self.shared.snapshot());
    }

    fn salt(&self) -> u32 {
        self.ambient.random.next_u64() as u32
    }
}
