//! The events of the recent past, within a bound.

mod events;
mod limits;

use std::sync::Arc;
use std::time::SystemTime;

use crate::{Event, Revision};
pub(crate) use events::{Chunk, Events};
pub use limits::HistoryLimits;

/// What an event costs beside the value it replaced: its keys, counters and places in queues.
const EVENT_OVERHEAD_BYTES: u64 = 256;

#[derive(Debug)]
pub(crate) struct History {
    limits: HistoryLimits,
    events: Events,
    /// The oldest state that can still be read; every event after it is kept.
    oldest: Revision,
    /// When that state came to be.
    oldest_time: SystemTime,
}

impl History {
    /// An empty history of a store that stands at `oldest`.
    pub(crate) fn new(limits: HistoryLimits, oldest: Revision, oldest_time: SystemTime) -> Self {
        History { limits, events: Events::default(), oldest, oldest_time }
    }

    /// The same, with numbers that follow those of another history.
    pub(crate) fn following(mut self, other: &History) -> Self {
        self.events = Events::from(other.events.next_number() + 1);
        self
    }

    pub(crate) fn oldest(&self) -> Revision {
        self.oldest
    }

    pub(crate) fn oldest_time(&self) -> SystemTime {
        self.oldest_time
    }

    pub(crate) fn events(&self) -> &Events {
        &self.events
    }

    pub(crate) fn push(&mut self, event: Arc<Event>) {
        let bytes = cost_bytes(&event);
        self.events.push(event, bytes);
    }

    /// The last revision committed at or before `time`, or `None` if that was before all history.
    pub(crate) fn revision_at(&self, time: SystemTime) -> Option<Revision> {
        (time >= self.oldest_time).then(|| self.events.last_until(time).unwrap_or(self.oldest))
    }

    /// Drops what the limits do not let keep, but no more than about `budget` events. Returns what is
    /// left to be freed.
    pub(crate) fn retire(&mut self, now: SystemTime, live_bytes: u64, budget: usize) -> Vec<Arc<Chunk>> {
        let mut retired = Vec::new();
        for _ in 0..budget {
            match self.excess_from(live_bytes) {
                Some(due) if due <= now => self.drop_oldest_revision(&mut retired),
                _ => break,
            }
        }
        retired
    }

    /// Keys and values of all events.
    pub(crate) fn bytes(&self) -> u64 {
        self.events.bytes()
    }

    /// From when on the oldest event is too much; `None` when it may stay for ever.
    pub(crate) fn excess_from(&self, live_bytes: u64) -> Option<SystemTime> {
        let oldest = self.events.first()?;
        let bytes = self.events.bytes();
        if bytes > self.limits.ceiling_bytes {
            return Some(SystemTime::UNIX_EPOCH);
        }
        oldest.time.checked_add(self.limits.greatest_age(bytes, live_bytes)?)
    }

    /// Drops every event up to and including `revision`. Returns what is left to be freed.
    pub(crate) fn compact(&mut self, revision: Revision) -> Vec<Arc<Chunk>> {
        let mut retired = self.events.pop_chunks_until(revision);
        if let Some(chunk) = retired.last() {
            self.oldest_time = chunk.last().time;
        }
        while self.events.first().is_some_and(|event| event.revision <= revision) {
            self.drop_oldest_revision(&mut retired);
        }
        self.oldest = self.oldest.max(revision);
        retired
    }

    /// A state lies between two revisions: the events of one go together.
    fn drop_oldest_revision(&mut self, retired: &mut Vec<Arc<Chunk>>) {
        let Some(oldest) = self.events.first() else { return };
        (self.oldest, self.oldest_time) = (oldest.revision, oldest.time);
        while self.events.first().is_some_and(|event| event.revision == self.oldest) {
            retired.extend(self.events.pop_front());
        }
    }
}

/// A value is charged to the event that replaced it: until then the index holds it anyway.
fn cost_bytes(event: &Event) -> u64 {
    EVENT_OVERHEAD_BYTES + event.previous.as_ref().map_or(0, |previous| previous.value.len() as u64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::{Change, Entry};

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(minute: u32) -> SystemTime {
        SystemTime::UNIX_EPOCH + minute * MINUTE
    }

    /// A change in the minute of its revision, with what it costs.
    fn event(revision: u64, bytes: u64) -> Arc<Event> {
        let key: Arc<str> = "k".into();
        let entry = |size| Entry {
            key: key.clone(),
            value: Bytes::from(vec![0; size]),
            created: Revision(1),
            modified: Revision(revision),
        };
        Arc::new(Event {
            revision: Revision(revision),
            change: Change::Put(entry(0)),
            previous: Some(entry((bytes - EVENT_OVERHEAD_BYTES) as usize)),
            time: at(revision as u32),
            author: None,
        })
    }

    fn history(limits: HistoryLimits) -> History {
        let mut history = History::new(limits, Revision(0), SystemTime::UNIX_EPOCH);
        (1..=4).for_each(|revision| history.push(event(revision, 1000)));
        history
    }

    fn kept(history: &History) -> Vec<u64> {
        history.events().after(Revision(0)).map(|event| event.revision.0).collect()
    }

    #[test]
    fn each_limit_drops_the_oldest() {
        let check = |limits: HistoryLimits, live_bytes: u64, expected: &[u64]| {
            let mut history = history(limits);
            drop(history.retire(at(10), live_bytes, usize::MAX));
            assert_eq!(kept(&history), expected, "{limits:?}");
            let oldest = expected.first().map_or(4, |first| first - 1);
            assert_eq!((history.oldest(), history.oldest_time()), (Revision(oldest), at(oldest as u32)));
        };
        let unlimited = HistoryLimits::unlimited();
        check(unlimited, 0, &[1, 2, 3, 4]);
        check(HistoryLimits { age: 7 * MINUTE, least_age: MINUTE, ..unlimited }, 1 << 30, &[4]);
        check(HistoryLimits { ceiling_bytes: 2500, ..unlimited }, 0, &[3, 4]);
        // A fifth of 15,000 bytes are three events; but what is younger than eight minutes stays.
        let share = HistoryLimits { share_percent: 20, least_age: MINUTE, ..unlimited };
        check(share, 15_000, &[2, 3, 4]);
        check(share, 0, &[]);
        check(HistoryLimits { least_age: 8 * MINUTE, ..share }, 0, &[3, 4]);
        // The ceiling protects the machine even then.
        check(HistoryLimits { least_age: 8 * MINUTE, ceiling_bytes: 1000, ..share }, 0, &[4]);
    }

    #[test]
    fn it_is_known_when_the_next_event_has_to_go() {
        let limits =
            HistoryLimits { age: 60 * MINUTE, share_percent: 20, least_age: 5 * MINUTE, ceiling_bytes: 10_000 };
        assert_eq!(history(limits).excess_from(100_000), Some(at(61)));
        assert_eq!(history(limits).excess_from(1000), Some(at(6)));
        assert_eq!(history(HistoryLimits { ceiling_bytes: 3999, ..limits }).excess_from(0), Some(at(0)));
        assert_eq!(history(HistoryLimits::unlimited()).excess_from(0), None);
        assert_eq!(History::new(limits, Revision(0), at(0)).excess_from(0), None);
    }

    #[test]
    fn a_budget_bounds_what_one_step_drops() {
        let mut history = history(HistoryLimits { ceiling_bytes: 0, ..HistoryLimits::unlimited() });
        drop(history.retire(at(0), 0, 1));
        drop(history.retire(at(10), 0, 2));
        assert_eq!(kept(&history), [4]);
        drop(history.compact(Revision(7)));
        assert_eq!((kept(&history), history.oldest()), (vec![], Revision(7)));
    }

    #[test]
    fn a_time_lies_between_two_revisions() {
        let mut history = history(HistoryLimits::unlimited());
        let second = Duration::from_secs(1);
        let revision_at = |history: &History, time| history.revision_at(time).map(|revision| revision.0);
        assert_eq!(revision_at(&history, at(0)), Some(0));
        assert_eq!(revision_at(&history, at(3) - second), Some(2));
        assert_eq!(revision_at(&history, at(3)), Some(3));
        assert_eq!(revision_at(&history, at(9)), Some(4));
        drop(history.compact(Revision(2)));
        assert_eq!(revision_at(&history, at(2) - second), None);
        assert_eq!(revision_at(&history, at(2)), Some(2));
        drop(history.compact(Revision(4)));
        assert_eq!(revision_at(&history, at(9)), Some(4));
    }
}
