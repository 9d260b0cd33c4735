//! Who writes: one at a time, for all who wait.
//!
//! A writer that comes alone writes by itself, in place: waking another thread and being woken by
//! it would cost as much as half a sync. Where several come together, a thread of the store's own
//! writes for them, so that they wait without holding up the runtime, and whatever gathers during
//! one sync shares the next. The same thread tends what falls due while nobody writes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stdx::Clock;
use tokio::time::Instant;

use super::batch::Request;
use super::format::{MAX_PAYLOAD_BYTES, RECORD_BYTES};
use crate::core::MAX_EXPIRED;
use crate::limits::{MAX_OPERATIONS, MAX_TRANSACTION_BYTES};

/// No further request is taken at once than these; the last one may go beyond the bytes.
const MAX_TAKEN_BYTES: usize = 4 << 20;
const MAX_TAKEN_REQUESTS: usize = 1024;
/// A batch consists of these, and of leases that end.
const _: () = assert!(
    MAX_TAKEN_BYTES + MAX_TRANSACTION_BYTES + (MAX_TAKEN_REQUESTS + MAX_EXPIRED) * (MAX_OPERATIONS + 1) * RECORD_BYTES
        <= MAX_PAYLOAD_BYTES
);

/// A runtime's worker is not held up longer than this for the sake of a quick answer.
const MAX_IN_PLACE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Handover {
    state: Mutex<State>,
    /// Tells the store's thread that there is something for it to do.
    work: Condvar,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Request>,
    /// Somebody writes, or is about to.
    is_busy: bool,
    /// Several come together, or the disk is slow: the next one leaves the writing to the thread.
    is_crowded: bool,
    is_closed: bool,
    /// When there is something to do that nobody asks for.
    due: Option<Instant>,
    /// What `due` was when the thread went to sleep.
    sleeps_until: Option<Instant>,
}

/// What becomes of a request.
#[derive(Debug)]
pub(super) enum Submitted<'a> {
    /// Somebody will write it.
    Waits,
    /// The caller is to write it, and all that gather until it does.
    Leads(Lead<'a>),
    Closed,
}

/// The right, and the duty, to write what waits. Dropping it leaves that to the store's thread.
#[derive(Debug)]
pub(super) struct Lead<'a> {
    handover: &'a Handover,
    /// When something was last taken.
    start: Instant,
    /// The most that was taken at once.
    most: usize,
    is_done: bool,
}

impl Handover {
    pub(super) fn new(clock: Clock, due: Option<Instant>) -> Self {
        Handover { state: Mutex::new(State { due, ..State::default() }), work: Condvar::new(), clock }
    }

    pub(super) fn submit(&self, request: Request) -> Submitted<'_> {
        let mut state = self.lock();
        if state.is_closed {
            return Submitted::Closed;
        }
        state.waiting.push(request);
        if state.is_busy {
            return Submitted::Waits;
        }
        if state.is_crowded {
            drop(state);
            self.work.notify_one();
            return Submitted::Waits;
        }
        Submitted::Leads(self.lead(state))
    }

    /// For the store's thread: waits for something to do that nobody else does. `None` once the
    /// store is closed and everything is written.
    pub(super) fn next(&self) -> Option<Lead<'_>> {
        let mut state = self.lock();
        loop {
            if state.is_busy {
                // Whoever is busy says when it is done.
                state.sleeps_until = None;
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if state.is_closed && state.waiting.is_empty() {
                return None;
            }
            let left = state.due.map(|due| due.saturating_duration_since(self.clock.instant()));
            if !state.waiting.is_empty() || left == Some(Duration::ZERO) {
                return Some(self.lead(state));
            }
            state.sleeps_until = state.due;
            state = match left {
                Some(left) => self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Takes no more requests; those that wait are still written.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.work.notify_one();
    }

    fn lead(&self, mut state: MutexGuard<'_, State>) -> Lead<'_> {
        state.is_busy = true;
        Lead { handover: self, start: self.clock.instant(), most: 0, is_done: false }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lead<'_> {
    /// What waits, within bounds.
    pub(super) fn take(&mut self) -> Vec<Request> {
        let mut state = self.handover.lock();
        let mut bytes = 0;
        let mut count = 0;
        while count < state.waiting.len().min(MAX_TAKEN_REQUESTS) && bytes < MAX_TAKEN_BYTES {
            bytes += state.waiting[count].size_bytes;
            count += 1;
        }
        if count > 0 {
            self.start = self.handover.clock.instant();
            self.most = self.most.max(count);
        }
        // As many are likely to come until the next time.
        let mut rest = Vec::with_capacity(state.waiting.len());
        rest.extend(state.waiting.drain(count..));
        std::mem::replace(&mut state.waiting, rest)
    }

    /// Ends the lead: all that was taken is written. `due` is when there is something to do again if
    /// nobody asks.
    pub(super) fn done(mut self, due: Option<Instant>) {
        self.is_done = true;
        self.handover.lock().due = due;
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let duration = self.start.elapsed();
        let mut state = self.handover.lock();
        state.is_busy = false;
        let was_alone = self.is_done && self.most <= 1 && duration <= MAX_IN_PLACE;
        state.is_crowded = !was_alone || !state.waiting.is_empty();
        let is_due_earlier = state.due.is_some_and(|due| state.sleeps_until.is_none_or(|until| due < until));
        let is_needed = !state.waiting.is_empty() || state.is_closed || is_due_earlier;
        drop(state);
        if is_needed {
            self.handover.work.notify_one();
        }
    }
}
