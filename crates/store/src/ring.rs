//! What the watchers of one prefix have still to read.
//!
//! An event is put here once, however many watchers there are; each reads at a place of its own.
//! Whoever falls so far behind that the ring has no room for what it has not read loses its place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use stdx::waiters::{Place, Waiters, Wakeups};

use crate::{Event, Revision};

#[derive(Debug)]
pub(crate) struct Ring {
    state: Mutex<State>,
    /// How many events there is room for.
    room: usize,
}

/// What the values of the events in a ring may come to; a single one may be larger.
const MAX_BYTES: usize = 64 << 20;

#[derive(Debug, Default)]
struct State {
    slots: VecDeque<Slot>,
    bytes: usize,
    /// The number of the first slot, counted from the ring's first event.
    first: u64,
    /// The revision of the last event that went before all had read it.
    lost: Revision,
    readers: usize,
    waiters: Waiters,
    /// Something was pushed since those who wait were last taken.
    is_touched: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Slot {
    event: Arc<Event>,
    bytes: usize,
    /// How many readers have it still before them.
    unread: usize,
}

/// A watcher's place in a ring.
#[derive(Debug)]
pub(crate) struct Reader {
    ring: Arc<Ring>,
    /// The number of the slot to read next.
    next: u64,
    place: Place,
}

/// Why a reader reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// It fell behind; what it has not read begins before or at this revision.
    Lost(Revision),
    Closed,
}

impl Ring {
    pub(crate) fn new(room: usize) -> Arc<Ring> {
        Arc::new(Ring { state: Mutex::default(), room })
    }

    /// Adds a reader, of what comes from now on.
    pub(crate) fn join(self: &Arc<Self>) -> Reader {
        let mut state = self.lock();
        state.readers += 1;
        let next = state.first + state.slots.len() as u64;
        Reader { ring: self.clone(), next, place: Place::default() }
    }

    /// Adds an event; true for the first one since those who wait were last taken.
    pub(crate) fn push(&self, event: Arc<Event>) -> bool {
        let mut state = self.lock();
        let unread = state.readers;
        if unread == 0 {
            return false;
        }
        let bytes = event.current().map_or(0, |entry| entry.value.len());
        state.bytes += bytes;
        state.slots.push_back(Slot { event, bytes, unread });
        while state.slots.len() > self.room || state.bytes > MAX_BYTES && state.slots.len() > 1 {
            state.lost = state.pop_front().unwrap_or(state.lost);
        }
        !std::mem::replace(&mut state.is_touched, true)
    }

    /// Whoever waits for what was pushed.
    pub(crate) fn take_waiters(&self) -> Wakeups {
        let mut state = self.lock();
        state.is_touched = false;
        state.waiters.take()
    }

    /// Ends all reading: what follows `revision` is not what preceded it.
    pub(crate) fn lose(&self, revision: Revision) -> Wakeups {
        let mut state = self.lock();
        // Also for those who had read everything.
        state.first += state.slots.len() as u64 + 1;
        state.slots.clear();
        state.bytes = 0;
        state.lost = revision;
        state.waiters.take()
    }

    pub(crate) fn close(&self) -> Wakeups {
        let mut state = self.lock();
        state.is_closed = true;
        state.waiters.take()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Arc<Event>, End>> {
        let mut state = self.ring.lock();
        let Some(index) = self.next.checked_sub(state.first) else {
            return Poll::Ready(Err(End::Lost(state.lost)));
        };
        if let Some(slot) = state.slots.get_mut(index as usize) {
            slot.unread -= 1;
            let event = slot.event.clone();
            self.next += 1;
            state.drop_read();
            return Poll::Ready(Ok(event));
        }
        if state.is_closed {
            return Poll::Ready(Err(End::Closed));
        }
        state.waiters.wait(&mut self.place, context.waker());
        Poll::Pending
    }

    /// Gives up the place; true when nobody reads this ring any more.
    pub(crate) fn leave(mut self) -> bool {
        let mut state = self.ring.lock();
        state.waiters.leave(&mut self.place);
        state.readers -= 1;
        let index = self.next.saturating_sub(state.first) as usize;
        for slot in state.slots.iter_mut().skip(index) {
            slot.unread -= 1;
        }
        state.drop_read();
        state.readers == 0
    }

    pub(crate) fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }
}

impl State {
    fn pop_front(&mut self) -> Option<Revision> {
        let slot = self.slots.pop_front()?;
        self.first += 1;
        self.bytes -= slot.bytes;
        Some(slot.event.revision)
    }

    fn drop_read(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.unread == 0) {
            self.pop_front();
        }
        if self.slots.is_empty() {
            // A quiet ring holds no room for the storm that was.
            self.slots.shrink_to(64);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;
    use crate::Change;

    fn event(revision: u64) -> Arc<Event> {
        Arc::new(Event {
            revision: Revision(revision),
            change: Change::Delete { key: "k".into() },
            previous: None,
            time: SystemTime::UNIX_EPOCH,
            author: None,
        })
    }

    fn read(reader: &mut Reader) -> Option<Result<u64, End>> {
        match reader.poll_next(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result.map(|event| event.revision.0)),
            Poll::Pending => None,
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Join,
        Read(prop::sample::Index, usize),
        Leave(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Push),
            1 => Just(Step::Join),
            4 => (any::<prop::sample::Index>(), 1usize..4).prop_map(|(index, count)| Step::Read(index, count)),
            1 => any::<prop::sample::Index>().prop_map(Step::Leave),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        /// Each reader sees the events since it came without gap, until it is more than the ring's
        /// room behind; and what all have read is not kept.
        #[test]
        fn readers_see_everything_or_are_told(steps in prop::collection::vec(step(), 1..200), room in 1usize..6) {
            let ring = Ring::new(room);
            let mut pushed = 0;
            // With each reader, how far it has come.
            let mut readers: Vec<(Reader, u64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Push => {
                        pushed += 1;
                        ring.push(event(pushed));
                    }
                    Step::Join => readers.push((ring.join(), pushed)),
                    Step::Read(index, count) if !readers.is_empty() => {
                        let index = index.index(readers.len());
                        let (reader, seen) = &mut readers[index];
                        for _ in 0..count {
                            let expected = if pushed - *seen > room as u64 {
                                Some(Err(End::Lost(Revision(pushed - room as u64))))
                            } else if *seen < pushed {
                                *seen += 1;
                                Some(Ok(*seen))
                            } else {
                                None
                            };
                            prop_assert_eq!(read(reader), expected);
                        }
                    }
                    Step::Leave(index) if !readers.is_empty() => {
                        let (reader, _) = readers.swap_remove(index.index(readers.len()));
                        prop_assert_eq!(reader.leave(), readers.is_empty());
                    }
                    Step::Read(..) | Step::Leave(_) => {}
                }
                let most_behind = readers.iter().map(|(_, seen)| (pushed - seen) as usize).max().unwrap_or(0);
                prop_assert!(ring.lock().slots.len() <= most_behind.min(room));
            }
        }
    }

    #[test]
    fn a_closed_ring_is_read_to_its_end() {
        let ring = Ring::new(4);
        let mut reader = ring.join();
        ring.push(event(7));
        ring.close().wake();
        assert_eq!(read(&mut reader), Some(Ok(7)));
        assert_eq!(read(&mut reader), Some(Err(End::Closed)));
    }
}
