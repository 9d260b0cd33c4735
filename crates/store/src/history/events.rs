//! Events in the order in which they happened, cheap to share and to drop.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::SystemTime;

use crate::{Event, Revision};

/// A chunk takes no further event once it has this many, or costs this much.
const CHUNK_EVENTS: usize = 512;
const CHUNK_BYTES: u64 = 512 << 10;
/// A chunk that a clone shares is copied when an event comes, unless it has this many already: then
/// the next one begins, so that readers of the past cost writers little.
const COPIED_EVENTS: usize = 64;

/// A queue of events in chunks that its clones share, so that a clone costs a count for each chunk.
/// Every event has a number, its place in all that ever happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    /// None of them empty.
    chunks: VecDeque<Arc<Chunk>>,
    /// How many of the first chunk's events are dropped already.
    dropped: usize,
    /// What those that are not dropped cost.
    bytes: u64,
    /// The number that the next event gets.
    next: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    first: u64,
    records: Vec<Record>,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Record {
    event: Arc<Event>,
    /// Spares a search for one key the look at most others.
    key_hash: u32,
    bytes: u32,
}

/// No events; the first one gets this number.
impl From<u64> for Events {
    fn from(next: u64) -> Self {
        Events { next, ..Events::default() }
    }
}

impl Events {
    pub(crate) fn push(&mut self, event: Arc<Event>, bytes: u64) {
        // Limits of values lie far below the cut.
        let record = Record { key_hash: hash(event.key()), event, bytes: bytes.min(u64::from(u32::MAX)) as u32 };
        self.bytes += u64::from(record.bytes);
        match self.chunks.back_mut() {
            Some(chunk) if takes_more(chunk) => {
                let chunk = Arc::make_mut(chunk);
                chunk.bytes += u64::from(record.bytes);
                chunk.records.push(record);
            }
            _ => {
                let bytes = u64::from(record.bytes);
                self.chunks.push_back(Arc::new(Chunk { first: self.next, records: vec![record], bytes }));
            }
        }
        self.next += 1;
    }

    /// Drops the oldest event; returns the chunk that it leaves empty.
    pub(crate) fn pop_front(&mut self) -> Option<Arc<Chunk>> {
        let chunk = self.chunks.front()?;
        self.bytes -= u64::from(chunk.records[self.dropped].bytes);
        self.dropped += 1;
        if self.dropped < chunk.records.len() {
            return None;
        }
        self.dropped = 0;
        self.chunks.pop_front()
    }

    /// Drops the chunks that hold nothing after `revision`. Looks at their ends only, so that a long
    /// history goes in no time.
    pub(crate) fn pop_chunks_until(&mut self, revision: Revision) -> Vec<Arc<Chunk>> {
        let count = self.chunks.partition_point(|chunk| chunk.last().revision <= revision);
        let mut popped = Vec::with_capacity(count);
        for chunk in self.chunks.drain(..count) {
            let dropped = std::mem::take(&mut self.dropped);
            let gone_before: u64 = chunk.records[..dropped].iter().map(|record| u64::from(record.bytes)).sum();
            self.bytes -= chunk.bytes - gone_before;
            popped.push(chunk);
        }
        popped
    }

    /// What the events cost that are kept.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn first(&self) -> Option<&Arc<Event>> {
        self.chunks.front().map(|chunk| &chunk.records[self.dropped].event)
    }

    /// The number of the oldest event kept, or of the next one if there is none.
    pub(crate) fn first_number(&self) -> u64 {
        self.chunks.front().map_or(self.next, |chunk| chunk.first + self.dropped as u64)
    }

    /// The number that the next event will get.
    pub(crate) fn next_number(&self) -> u64 {
        self.next
    }

    /// The number of the first event after `revision`.
    pub(crate) fn number_after(&self, revision: Revision) -> u64 {
        let index = self.chunks.partition_point(|chunk| chunk.last().revision <= revision);
        let Some(chunk) = self.chunks.get(index) else { return self.next };
        let within = chunk.records.partition_point(|record| record.event.revision <= revision);
        (chunk.first + within as u64).max(self.first_number())
    }

    /// The events from a number on, oldest first.
    pub(crate) fn since_number(&self, number: u64) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.records_since(number).map(|record| &record.event)
    }

    /// The events after a revision, oldest first.
    pub(crate) fn after(&self, revision: Revision) -> impl DoubleEndedIterator<Item = &Arc<Event>> {
        self.since_number(self.number_after(revision))
    }

    /// The events on one key from a number on, oldest first.
    pub(crate) fn of_key<'a>(&'a self, key: &'a str, number: u64) -> impl DoubleEndedIterator<Item = &'a Arc<Event>> {
        let key_hash = hash(key);
        let candidates = self.records_since(number).filter(move |record| record.key_hash == key_hash);
        candidates.map(|record| &record.event).filter(move |event| **event.key() == *key)
    }

    /// The revision of the last event at or before `time`.
    pub(crate) fn last_until(&self, time: SystemTime) -> Option<Revision> {
        let index = self.chunks.partition_point(|chunk| chunk.first().time <= time).checked_sub(1)?;
        let chunk = &self.chunks[index];
        let within = chunk.records.partition_point(|record| record.event.time <= time).checked_sub(1)?;
        let is_dropped = index == 0 && within < self.dropped;
        (!is_dropped).then(|| chunk.records[within].event.revision)
    }

    fn records_since(&self, number: u64) -> impl DoubleEndedIterator<Item = &Record> {
        let number = number.max(self.first_number());
        let index = self.chunks.partition_point(|chunk| chunk.end() <= number);
        self.chunks.range(index..).flat_map(move |chunk| {
            let skip = number.saturating_sub(chunk.first) as usize;
            chunk.records[skip.min(chunk.records.len())..].iter()
        })
    }
}

/// A chunk is never empty.
impl Chunk {
    /// The newest event.
    pub(crate) fn last(&self) -> &Event {
        &self.records[self.records.len() - 1].event
    }

    fn first(&self) -> &Event {
        &self.records[0].event
    }

    fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }
}

fn takes_more(chunk: &Arc<Chunk>) -> bool {
    let room = if Arc::strong_count(chunk) == 1 { CHUNK_EVENTS } else { COPIED_EVENTS };
    chunk.records.len() < room && chunk.bytes < CHUNK_BYTES
}

fn hash(key: &str) -> u32 {
    crc32fast::hash(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Change;

    fn event(revision: u64, key: u8) -> Arc<Event> {
        Arc::new(Event {
            revision: Revision(revision),
            change: Change::Delete { key: format!("k{key}").into() },
            previous: None,
            time: SystemTime::UNIX_EPOCH + Duration::from_secs(revision),
            author: None,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

        /// Transactions of one to three events at even revisions, some dropped from the front.
        #[test]
        fn behaves_as_a_plain_queue(
            sizes in prop::collection::vec((1usize..4, 0u8..5), 1..600),
            dropped in 0usize..700,
            chunks_until in 0u64..1300,
            probe in 0u64..1300,
        ) {
            let mut events = Events::default();
            let mut model = VecDeque::new();
            let mut clones: Vec<(Events, usize)> = Vec::new();
            for (index, (size, key)) in sizes.into_iter().enumerate() {
                for _ in 0..size {
                    let event = event(2 * index as u64 + 2, key);
                    events.push(event.clone(), 1000);
                    model.push_back(event);
                }
                if index % 50 == 7 {
                    clones.push((events.clone(), model.len()));
                }
            }
            for (clone, count) in clones {
                prop_assert!(clone.since_number(0).eq(model.iter().take(count)), "a clone stands still");
            }
            let shared = events.clone();
            let total = model.len();
            for _ in 0..dropped.min(total) {
                model.pop_front();
                events.pop_front();
            }
            let until = Revision(chunks_until);
            for chunk in events.pop_chunks_until(until) {
                prop_assert!(chunk.last().revision <= until);
            }
            let rest = events.after(Revision(0)).take_while(|event| event.revision <= until);
            prop_assert!(rest.count() < CHUNK_EVENTS, "only what shares a chunk with later events stays");
            let gone = events.first_number() as usize;
            model.drain(..gone - dropped.min(total));
            prop_assert_eq!(events.bytes(), 1000 * model.len() as u64);
            prop_assert_eq!(shared.since_number(0).count(), total);
            prop_assert_eq!(events.first(), model.front());
            prop_assert_eq!(events.first_number(), gone as u64);
            prop_assert_eq!(events.next_number(), total as u64);
            let after: Vec<_> = model.iter().filter(|event| event.revision.0 > probe).cloned().collect();
            prop_assert_eq!(events.after(Revision(probe)).cloned().collect::<Vec<_>>(), after.clone());
            prop_assert_eq!(events.after(Revision(probe)).rev().count(), after.len());
            prop_assert_eq!(events.number_after(Revision(probe)), (total - after.len()) as u64);
            let of_key: Vec<_> = after.iter().filter(|event| &**event.key() == "k3").cloned().collect();
            let number = events.number_after(Revision(probe));
            prop_assert_eq!(events.of_key("k3", number).cloned().collect::<Vec<_>>(), of_key);
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(probe);
            let until = model.iter().rev().find(|event| event.time <= time).map(|event| event.revision);
            prop_assert_eq!(events.last_until(time), until);
        }
    }
}
