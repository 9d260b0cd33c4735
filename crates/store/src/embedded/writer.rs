//! From transactions that wait to frames that rest, and to everybody's answer.
//!
//! Who writes in place takes one batch through all its stations. The store's thread takes one after
//! the other, and does not stand still while the disk is at work: one batch is appended while the one
//! before is made visible and the one behind is staged on top of both. What is staged on something
//! that fails fails with it.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use stdx::Ambient;
use tokio::time::Instant;

use super::appender::Appender;
use super::batch::{Batch, Frame, Request};
use super::disk::Disk;
use super::log::{AppendError, Journal};
use super::rotation::Rotation;
use crate::core::Garbage;
use crate::shared::{Moment, Shared};
use crate::staging::Overlay;
use crate::{Options, StoreError};

/// When leases that should have ended are tried again on a full disk, if nobody writes before.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Only what keeps the disk busy for a while is worth another thread, and that what gathers meanwhile
/// is written in two batches instead of one.
const WORTHWHILE_BYTES: usize = 96 << 10;

/// Why nothing is written any more.
pub(super) type Failure = Arc<OnceLock<String>>;

#[derive(Debug)]
pub(super) struct Writer {
    shared: Arc<Shared>,
    disk: Arc<dyn Disk>,
    /// `None` while it is lent.
    journal: Option<Journal>,
    appender: Appender,
    rotation: Rotation,
    failure: Failure,
    ambient: Ambient,
    /// What is freed while nobody waits.
    garbage: Garbage,
    /// Keys and values, of the state and of its history.
    kept_bytes: u64,
    /// When there is something to do even if nobody writes.
    due: Option<Instant>,
}

/// A batch whose frame is being appended.
#[derive(Debug)]
struct Flight {
    batch: Batch,
    /// What it leaves behind.
    overlay: Arc<Overlay>,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        journal: Journal,
        failure: Failure,
        options: Options,
        ambient: Ambient,
    ) -> io::Result<Self> {
        Ok(Writer {
            shared,
            rotation: Rotation::new(disk.clone(), options.rotate_log_bytes),
            disk,
            journal: Some(journal),
            appender: Appender::start()?,
            failure,
            ambient,
            garbage: Garbage::default(),
            kept_bytes: 0,
            due: None,
        })
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
        let mut batch = self.stage(None, requests);
        let appended = match batch.take_frame() {
            Some(frame) => self.append(frame),
            None => Ok(()),
        };
        match appended {
            Ok(()) => self.commit(batch),
            Err(error) => self.fail([batch], &error),
        }
        self.rotate();
        self.due
    }

    /// The same with all that `take` gives, until it gives nothing more.
    pub(super) fn write_all(&mut self, mut take: impl FnMut() -> Vec<Request>) -> Option<Instant> {
        let mut requests = take();
        loop {
            let bytes: usize = requests.iter().map(|request| request.size_bytes).sum();
            if bytes < WORTHWHILE_BYTES || self.failure.get().is_some() {
                self.write(requests);
            } else {
                let mut flight = self.depart(requests);
                while let Some(landing) = flight {
                    flight = self.follow(landing, &mut take);
                }
            }
            requests = take();
            if requests.is_empty() {
                return self.due;
            }
        }
    }

    /// Waits for what goes on in the background.
    pub(super) fn close(self) {
        self.rotation.close();
        self.appender.close();
        if let Some(journal) = self.journal {
            journal.close();
        }
    }

    /// Sends the first of several batches on its way.
    fn depart(&mut self, requests: Vec<Request>) -> Option<Flight> {
        let mut batch = self.stage(None, requests);
        match batch.take_frame() {
            Some(frame) => {
                self.append_ahead(frame);
                Some(Flight::of(batch))
            }
            None => {
                self.commit(batch);
                None
            }
        }
    }

    /// Waits for a batch to rest, and sends after it what gathers meanwhile.
    fn follow(&mut self, flight: Flight, take: &mut impl FnMut() -> Vec<Request>) -> Option<Flight> {
        let Flight { batch: landing, overlay } = flight;
        let mut next = self.stage(Some(overlay), take());
        self.garbage.free_some();
        if let Err(error) = self.land() {
            self.fail([landing, next], &error);
            return None;
        }
        self.rotate();
        next.add(&self.shared.read(), take(), Moment::now(&self.ambient.clock));
        match next.take_frame() {
            Some(frame) => {
                // The disk first: it works on while the rest is done here.
                self.append_ahead(frame);
                self.commit(landing);
                Some(Flight::of(next))
            }
            None => {
                self.commit(landing);
                self.commit(next);
                None
            }
        }
    }

    fn stage(&self, beneath: Option<Arc<Overlay>>, requests: Vec<Request>) -> Batch {
        Batch::new(beneath, &self.shared.read(), requests, Moment::now(&self.ambient.clock))
    }

    fn append(&mut self, frame: Frame) -> Result<(), AppendError> {
        let salt = self.salt();
        match &mut self.journal {
            Some(journal) => journal.append(frame.builder, frame.first, salt),
            None => Err(lost()),
        }
    }

    /// Lends the logs to the appender until [`Writer::land`].
    fn append_ahead(&mut self, frame: Frame) {
        let salt = self.salt();
        if let Some(journal) = self.journal.take() {
            self.appender.begin(journal, frame, salt);
        }
    }

    fn land(&mut self) -> Result<(), AppendError> {
        let (journal, result) = self.appender.finish().ok_or_else(lost)?;
        self.journal = Some(journal);
        result
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
    fn fail(&mut self, batches: impl IntoIterator<Item = Batch>, error: &AppendError) {
        let refusal = self.append_failed(error);
        batches.into_iter().for_each(|batch| batch.answers.refuse(&refusal));
        self.due = self.ambient.clock.instant().checked_add(RETRY_AFTER);
    }

    fn append_failed(&self, error: &AppendError) -> StoreError {
        let path = self.journal.as_ref().map_or_else(|| self.disk.path(""), Journal::path);
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
        if let Some(journal) = &mut self.journal {
            self.rotation.advance(journal, self.kept_bytes, salt, || self.shared.snapshot());
        }
    }

    fn salt(&self) -> u32 {
        self.ambient.random.next_u64() as u32
    }
}

impl Flight {
    fn of(mut batch: Batch) -> Flight {
        let overlay = batch.staged.take_overlay();
        Flight { batch, overlay }
    }
}

/// The logs were lent to a thread that is no more.
fn lost() -> AppendError {
    AppendError::Broken(io::Error::other("the thread that appends has ended"))
}
