//! The events of the recent past, within a bound.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::{Event, Revision};

/// What an event costs beside the value it replaced: its keys, counters and places in queues.
const EVENT_OVERHEAD_BYTES: usize = 256;

/// How much history is kept; the first limit reached drops the oldest events.
#[derive(Clone, Copy, Debug)]
pub struct HistoryLimits {
    pub events: usize,
    /// Memory that only history holds: replaced and removed values, and the events themselves.
    pub bytes: usize,
    /// Looked at when a write comes; an idle store keeps what it has.
    pub age: Duration,
}

impl Default for HistoryLimits {
    /// A watch can resume over five minutes of 50 writes a second of 2 KB objects.
    fn default() -> Self {
        HistoryLimits { events: 65_536, bytes: 32 << 20, age: Duration::from_secs(600) }
    }
}

#[derive(Debug)]
pub(crate) struct History {
    limits: HistoryLimits,
    /// One event for each revision after `oldest`, without gap.
    events: VecDeque<(Instant, Arc<Event>)>,
    bytes: usize,
    oldest: Revision,
}

impl History {
    /// An empty history of a store that stands at `oldest`.
    pub(crate) fn new(limits: HistoryLimits, oldest: Revision) -> Self {
        History { limits, events: VecDeque::new(), bytes: 0, oldest }
    }

    /// The oldest state that can still be read; every event after it is kept.
    pub(crate) fn oldest(&self) -> Revision {
        self.oldest
    }

    pub(crate) fn push(&mut self, now: Instant, event: Arc<Event>) {
        debug_assert_eq!(event.revision.0, self.oldest.0 + self.events.len() as u64 + 1, "revisions have no gap");
        self.bytes += cost_bytes(&event);
        self.events.push_back((now, event));
        while let Some((written, _)) = self.events.front()
            && (self.events.len() > self.limits.events
                || self.bytes > self.limits.bytes
                || now.saturating_duration_since(*written) > self.limits.age)
        {
            self.drop_oldest();
        }
    }

    /// The events after `revision`, oldest first.
    pub(crate) fn after(&self, revision: Revision) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        let skip = (revision.0.saturating_sub(self.oldest.0) as usize).min(self.events.len());
        self.events.range(skip..).map(|(_, event)| event)
    }

    /// Drops every event up to and including `revision`.
    pub(crate) fn compact(&mut self, revision: Revision) {
        while self.oldest < revision && !self.events.is_empty() {
            self.drop_oldest();
        }
        self.events.shrink_to(self.events.len() * 2);
    }

    fn drop_oldest(&mut self) {
        if let Some((_, event)) = self.events.pop_front() {
            self.bytes -= cost_bytes(&event);
            self.oldest = event.revision;
        }
    }
}

/// A value is charged to the event that replaced it: until then the index holds it anyway.
fn cost_bytes(event: &Event) -> usize {
    EVENT_OVERHEAD_BYTES + event.previous.as_ref().map_or(0, |previous| previous.value.len())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Change, Entry};

    fn event(revision: u64, previous_bytes: usize) -> Arc<Event> {
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
            previous: Some(entry(previous_bytes)),
        })
    }

    #[test]
    fn each_limit_drops_the_oldest() {
        let start = Instant::now();
        let revisions =
            |history: &History| history.after(Revision(0)).map(|event| event.revision.0).collect::<Vec<_>>();
        let unlimited = HistoryLimits { events: 1000, bytes: 1 << 30, age: Duration::from_secs(1000) };

        let mut by_count = History::new(HistoryLimits { events: 2, ..unlimited }, Revision(0));
        let mut by_bytes = History::new(HistoryLimits { bytes: 2500, ..unlimited }, Revision(0));
        let mut by_age = History::new(HistoryLimits { age: Duration::from_secs(15), ..unlimited }, Revision(0));
        for revision in 1..=4 {
            by_count.push(start, event(revision, 0));
            by_bytes.push(start, event(revision, 1000 - EVENT_OVERHEAD_BYTES));
            by_age.push(start + Duration::from_secs(revision * 10), event(revision, 0));
        }
        assert_eq!((revisions(&by_count), by_count.oldest()), (vec![3, 4], Revision(2)));
        assert_eq!((revisions(&by_bytes), by_bytes.oldest()), (vec![3, 4], Revision(2)));
        assert_eq!((revisions(&by_age), by_age.oldest()), (vec![3, 4], Revision(2)));
        assert_eq!(by_age.after(Revision(3)).count(), 1);
        assert_eq!(by_age.after(Revision(4)).count(), 0);
    }
}
