//! A watch: the past, a progress note where it ends, then what comes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::Stream;
use tokio::time::Sleep;

use crate::core::Core;
use crate::ring::{End, Reader};
use crate::shared::Shared;
use crate::{Event, Revision, StoreError, WatchItem, WatchRequest};

/// How much of history one look at it takes: events looked at, and events taken.
const SCANNED_AT_ONCE: usize = 4096;
const TAKEN_AT_ONCE: usize = 256;

/// Notes of progress come no more often than this, whatever a watcher asks for.
const LEAST_PROGRESS: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct WatchStream {
    shared: Weak<Shared>,
    prefix: Box<str>,
    /// Events of the past that are ready to be delivered.
    replay: VecDeque<Arc<Event>>,
    phase: Phase,
    /// The newest revision that the watcher has been told of.
    delivered: Revision,
    progress: Option<Progress>,
}

#[derive(Debug)]
enum Phase {
    /// History has been taken up to, but without, the event with this number.
    Replaying(u64),
    /// History ended at the revision, which is still to be told; the reader joined there.
    CaughtUp(Revision, Reader),
    Live(Reader),
    Ended,
}

#[derive(Debug)]
struct Progress {
    every: Duration,
    /// Set when the watch first waits: it is made where there may be no timer.
    timer: Option<Pin<Box<Sleep>>>,
}

impl WatchStream {
    pub(crate) fn begin(shared: &Arc<Shared>, request: WatchRequest) -> Result<WatchStream, StoreError> {
        let WatchRequest { prefix, after, progress_every } = request;
        let core = shared.read();
        core.check_readable(after)?;
        let mut stream = WatchStream {
            shared: Arc::downgrade(shared),
            prefix: prefix.into(),
            replay: VecDeque::new(),
            phase: Phase::Replaying(core.history.events().number_after(after)),
            delivered: after,
            progress: progress_every.map(|every| Progress { every: every.max(LEAST_PROGRESS), timer: None }),
        };
        drop(core);
        // Most watches begin near the present and are there at once.
        stream.replay_some(shared)?;
        Ok(stream)
    }

    /// Takes the next part of history, and joins those who watch the present where it ends. Only for
    /// that does anybody have to wait.
    fn replay_some(&mut self, shared: &Shared) -> Result<(), StoreError> {
        if self.take_some(&shared.read())? {
            let mut core = shared.write();
            if self.take_some(&core)? {
                self.phase = Phase::CaughtUp(core.revision(), core.watchers.join(&self.prefix));
            }
        }
        Ok(())
    }

    /// Takes the next part of history; true where it ends.
    fn take_some(&mut self, core: &Core) -> Result<bool, StoreError> {
        let Phase::Replaying(number) = &mut self.phase else { return Ok(false) };
        let events = core.history.events();
        if *number < events.first_number() {
            // A watcher that takes its time is overtaken by compaction.
            return Err(StoreError::Compacted { requested: self.delivered.0, oldest: core.history.oldest().0 });
        }
        for event in events.since_number(*number).take(SCANNED_AT_ONCE) {
            *number += 1;
            if event.key().starts_with(&*self.prefix) {
                self.replay.push_back(event.clone());
                if self.replay.len() >= TAKEN_AT_ONCE {
                    break;
                }
            }
        }
        Ok(*number == events.next_number())
    }

    fn end(&mut self) {
        let (Phase::CaughtUp(_, reader) | Phase::Live(reader)) = std::mem::replace(&mut self.phase, Phase::Ended)
        else {
            return;
        };
        if let Some(shared) = self.shared.upgrade() {
            shared.write().watchers.leave(&self.prefix, reader);
        }
    }

    fn fail(&mut self, error: StoreError) -> Poll<Option<Result<WatchItem, StoreError>>> {
        self.end();
        Poll::Ready(Some(Err(error)))
    }

    fn poll_live(&mut self, context: &mut Context<'_>) -> Poll<Result<Arc<Event>, End>> {
        match &mut self.phase {
            Phase::Live(reader) => reader.poll_next(context),
            _ => Poll::Ready(Err(End::Closed)),
        }
    }

    /// A note of progress, when its time has come.
    fn poll_progress(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(progress) = &mut self.progress else { return Poll::Pending };
        let every = progress.every;
        let timer = progress.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(every)));
        ready!(timer.as_mut().poll(context));
        // From now on: no notes pile up.
        timer.set(tokio::time::sleep(every));
        Poll::Ready(())
    }
}

impl Stream for WatchStream {
    type Item = Result<WatchItem, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.replay.pop_front() {
                self.delivered = event.revision;
                return Poll::Ready(Some(Ok(WatchItem::Event(event))));
            }
            match std::mem::replace(&mut self.phase, Phase::Ended) {
                Phase::Ended => return Poll::Ready(None),
                Phase::Replaying(number) => {
                    self.phase = Phase::Replaying(number);
                    let Some(shared) = self.shared.upgrade() else { return self.fail(StoreError::Closed) };
                    if let Err(error) = self.replay_some(&shared) {
                        return self.fail(error);
                    }
                }
                Phase::CaughtUp(revision, reader) => {
                    self.phase = Phase::Live(reader);
                    self.delivered = revision;
                    return Poll::Ready(Some(Ok(WatchItem::Progress(revision))));
                }
                Phase::Live(reader) => {
                    self.phase = Phase::Live(reader);
                    break;
                }
            }
        }
        match self.poll_live(context) {
            Poll::Ready(Ok(event)) => {
                self.delivered = event.revision;
                Poll::Ready(Some(Ok(WatchItem::Event(event))))
            }
            Poll::Ready(Err(End::Closed)) => self.fail(StoreError::Closed),
            Poll::Ready(Err(End::Lost(oldest))) => {
                let requested = self.delivered.0;
                self.fail(StoreError::Compacted { requested, oldest: oldest.0 })
            }
            Poll::Pending => {
                ready!(self.poll_progress(context));
                // The revision first: what is in the ring after it has been read is not passed over.
                let Some(revision) = self.shared.upgrade().map(|shared| shared.revision()) else {
                    return self.fail(StoreError::Closed);
                };
                match self.poll_live(context) {
                    Poll::Pending => {
                        self.delivered = revision;
                        Poll::Ready(Some(Ok(WatchItem::Progress(revision))))
                    }
                    Poll::Ready(Ok(event)) => {
                        self.delivered = event.revision;
                        Poll::Ready(Some(Ok(WatchItem::Event(event))))
                    }
                    Poll::Ready(Err(_)) => self.fail(StoreError::Closed),
                }
            }
        }
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.end();
    }
}
