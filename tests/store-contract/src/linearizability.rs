//! Whether what concurrent callers saw could have been seen one call at a time.
//!
//! A history is linearizable if each call can be given a moment between its invocation and its return, such that the
//! calls, taken one by one in that order, give the answers that were given. Finding the order is exponential in general
//! (Wing and Gong 1993). Here the specification itself fixes most of it: a transaction's answer holds its revision, and
//! revisions rise along any valid order. So the transactions are in the order of their revisions or in none, and what
//! is left is a place between two of them for every read. A read's places are bounded from below by what ended before
//! it began, from above by what began after it ended; giving each read, in the order of invocation, the earliest place
//! that shows what it saw leaves the most room for all others. So the verdict is exact, in n log n; the tests hold it
//! against the exponential search.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use store::{Action, Change, Committed, Entry, Event, Expect, Operation, Range, Revision};

/// One call as its caller saw it. The moments are ticks of one counter that all callers share.
#[derive(Clone, Debug)]
pub struct Call {
    pub invoked: u64,
    pub returned: u64,
    pub outcome: Outcome,
}

#[derive(Clone, Debug)]
pub enum Outcome {
    Committed {
        operations: Vec<Operation>,
        committed: Committed,
    },
    /// Refused, since `key` held `current`.
    Conflicted {
        operations: Vec<Operation>,
        key: Arc<str>,
        current: Option<Entry>,
    },
    /// Nobody knows: it took place some time after the invocation, or never will.
    Unknown {
        operations: Vec<Operation>,
    },
    Got {
        key: Arc<str>,
        entry: Option<Entry>,
    },
    Listed {
        prefix: String,
        range: Range,
    },
}

/// Why a history cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("event {at}: {reason}")]
    BrokenEvent { at: u64, reason: &'static str },
    #[error("nobody's call explains the events at revision {at}")]
    Unexplained { at: u64 },
    #[error("call {call}: was acknowledged at revision {revision}, and no such events exist")]
    Lost { call: usize, revision: u64 },
    #[error("call {call}: {reason}")]
    WrongAnswer { call: usize, reason: &'static str },
    #[error("call {call} took a revision before that of a call that had ended when it began")]
    OutOfOrder { call: usize },
    #[error("call {call} saw what was not there between its invocation and its return")]
    Stale { call: usize },
}

/// Checks the calls against each other and against all events since the store was empty.
pub fn check(calls: &[Call], events: &[Arc<Event>]) -> Result<(), Violation> {
    let timeline = Timeline::new(events)?;
    let writers = timeline.writers(calls)?;
    check_order_of_writes(calls, &writers)?;
    place_reads(calls, &timeline, &writers)
}

/// What a key held, and from which place on. Place 0 is before every event, place `n` behind the `n`th revision.
type Story = Vec<(usize, Option<Entry>)>;

struct Timeline {
    /// The revisions with events, rising: `revisions[n - 1]` leads to place `n`.
    revisions: Vec<Revision>,
    /// What changed at each of them.
    changes: Vec<BTreeMap<Arc<str>, Option<Bytes>>>,
    stories: BTreeMap<Arc<str>, Story>,
}

impl Timeline {
    fn new(events: &[Arc<Event>]) -> Result<Self, Violation> {
        let mut timeline = Timeline { revisions: Vec::new(), changes: Vec::new(), stories: BTreeMap::new() };
        for event in events {
            let broken = |reason| Violation::BrokenEvent { at: event.revision.0, reason };
            match timeline.revisions.last() {
                Some(last) if *last > event.revision => return Err(broken("revisions go back")),
                Some(last) if *last == event.revision => {}
                _ => {
                    timeline.revisions.push(event.revision);
                    timeline.changes.push(BTreeMap::new());
                }
            }
            let place = timeline.revisions.len();
            let story = timeline.stories.entry(event.key().clone()).or_default();
            let before = story.last().and_then(|(_, entry)| entry.clone());
            if event.previous != before {
                return Err(broken("it does not tell what the key held before"));
            }
            let (after, value) = match &event.change {
                Change::Put(entry) => {
                    let created = before.as_ref().map_or(event.revision, |before| before.created);
                    if entry.modified != event.revision || entry.created != created {
                        return Err(broken("the entry's revisions are wrong"));
                    }
                    (Some(entry.clone()), Some(entry.value.clone()))
                }
                Change::Delete { .. } if before.is_none() => return Err(broken("it removes what was not there")),
                Change::Delete { .. } => (None, None),
            };
            story.push((place, after));
            if timeline.changes[place - 1].insert(event.key().clone(), value).is_some() {
                return Err(broken("the key changed twice at one revision"));
            }
        }
        Ok(timeline)
    }

    /// The place that shows the state at a revision.
    fn place_of(&self, revision: Revision) -> usize {
        self.revisions.partition_point(|known| *known <= revision)
    }

    fn at(&self, key: &str, place: usize) -> Option<&Entry> {
        let story = self.stories.get(key)?;
        let next = story.partition_point(|(from, _)| *from <= place);
        next.checked_sub(1).and_then(|index| story[index].1.as_ref())
    }

    /// The first place not before `earliest` at which the key holds `entry`.
    fn first_showing(&self, key: &str, entry: Option<&Entry>, earliest: usize) -> Option<usize> {
        if self.at(key, earliest) == entry {
            return Some(earliest);
        }
        let story = self.stories.get(key)?;
        let later = story.partition_point(|(from, _)| *from <= earliest);
        story[later..].iter().find(|(_, held)| held.as_ref() == entry).map(|(from, _)| *from)
    }

    /// Who made the events of each place (index 0 is place 1); checks what the writers were answered.
    fn writers(&self, calls: &[Call]) -> Result<Vec<usize>, Violation> {
        let mut writers = vec![None; self.revisions.len()];
        let mut unknown: HashMap<Effect, Vec<usize>> = HashMap::new();
        for (number, call) in calls.iter().enumerate() {
            match &call.outcome {
                Outcome::Committed { operations, committed } => {
                    let index = self.check_committed(number, operations, committed)?;
                    if let Some(index) = index
                        && writers[index].replace(number).is_some()
                    {
                        return Err(Violation::WrongAnswer { call: number, reason: "its revision is another's" });
                    }
                }
                Outcome::Unknown { operations } => {
                    unknown.entry(effect(operations)).or_default().push(number);
                }
                _ => {}
            }
        }
        let explain = |(index, writer): (usize, Option<usize>)| match writer {
            Some(writer) => Ok(writer),
            None => self
                .unknown_writer(index, calls, &mut unknown)
                .ok_or(Violation::Unexplained { at: self.revisions[index].0 }),
        };
        writers.into_iter().enumerate().map(explain).collect()
    }

    /// A call of unknown outcome that would have made just these events. Values are written once, so at most calls
    /// that only delete can be mistaken for one another; those that began first are taken first, which leaves the
    /// later ones for later events.
    fn unknown_writer(&self, index: usize, calls: &[Call], unknown: &mut HashMap<Effect, Vec<usize>>) -> Option<usize> {
        let effect: Effect = self.changes[index].iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        let candidates = unknown.get_mut(&effect)?;
        let holds = |&call: &usize| match &calls[call].outcome {
            Outcome::Unknown { operations } => {
                operations.iter().all(|operation| holds(operation.expect, self.at(&operation.key, index)))
            }
            _ => false,
        };
        let (position, _) = candidates
            .iter()
            .enumerate()
            .filter(|(_, call)| holds(call))
            .min_by_key(|(_, call)| calls[**call].invoked)?;
        Some(candidates.remove(position))
    }

    /// Which place's events the transaction made, if any; an error where it was answered what its revision does not
    /// show.
    fn check_committed(
        &self,
        number: usize,
        operations: &[Operation],
        committed: &Committed,
    ) -> Result<Option<usize>, Violation> {
        let wrong = |reason| Violation::WrongAnswer { call: number, reason };
        if committed.entries.len() != operations.len() {
            return Err(wrong("it has not one entry for each operation"));
        }
        let after = self.place_of(committed.revision);
        // What changes nothing sees the state at its revision; what changes something, the one before.
        let writes = operations.iter().zip(&committed.entries).any(|(operation, entry)| match operation.action {
            Action::Put { .. } => true,
            Action::Delete => entry.is_some(),
            Action::Check => false,
        });
        if writes && (after == 0 || self.revisions[after - 1] != committed.revision) {
            return Err(Violation::Lost { call: number, revision: committed.revision.0 });
        }
        let before = if writes { after - 1 } else { after };
        let mut expected = BTreeMap::new();
        for (operation, entry) in operations.iter().zip(&committed.entries) {
            let held = self.at(&operation.key, before);
            if !holds(operation.expect, held) {
                return Err(wrong("it was not refused, though its expectation did not hold"));
            }
            match &operation.action {
                Action::Put { value, .. } => {
                    expected.insert(operation.key.clone(), Some(value.clone()));
                    if entry.is_none() || entry.as_ref() != self.at(&operation.key, after) {
                        return Err(Violation::Lost { call: number, revision: committed.revision.0 });
                    }
                }
                Action::Delete => {
                    if held.is_some() {
                        expected.insert(operation.key.clone(), None);
                    }
                    if entry.as_ref() != held {
                        return Err(wrong("it was not told what it removed"));
                    }
                }
                Action::Check if entry.as_ref() != held => return Err(wrong("it was not told what is there")),
                Action::Check => {}
            }
        }
        if writes && self.changes[after - 1] != expected {
            return Err(Violation::Lost { call: number, revision: committed.revision.0 });
        }
        Ok(writes.then(|| after - 1))
    }
}

/// Keys and what they hold afterwards.
type Effect = Vec<(Arc<str>, Option<Bytes>)>;

fn effect(operations: &[Operation]) -> Effect {
    let mut effect: Effect = operations
        .iter()
        .filter_map(|operation| match &operation.action {
            Action::Put { value, .. } => Some((operation.key.clone(), Some(value.clone()))),
            Action::Delete => Some((operation.key.clone(), None)),
            Action::Check => None,
        })
        .collect();
    effect.sort();
    effect
}

fn holds(expect: Expect, held: Option<&Entry>) -> bool {
    match expect {
        Expect::Absent => held.is_none(),
        Expect::At(revision) => held.is_some_and(|held| held.modified == revision),
        Expect::Anything => true,
    }
}

/// When a call's answer bound it: one of unknown outcome may take place at any time.
fn returned(call: &Call) -> u64 {
    if matches!(call.outcome, Outcome::Unknown { .. }) { u64::MAX } else { call.returned }
}

fn check_order_of_writes(calls: &[Call], writers: &[usize]) -> Result<(), Violation> {
    let mut last_invoked = 0;
    for &writer in writers {
        if returned(&calls[writer]) < last_invoked {
            return Err(Violation::OutOfOrder { call: writer });
        }
        last_invoked = last_invoked.max(calls[writer].invoked);
    }
    Ok(())
}

/// Gives every call that changed nothing the earliest place it can have.
fn place_reads(calls: &[Call], timeline: &Timeline, writers: &[usize]) -> Result<(), Violation> {
    let bounds = Bounds::new(calls, writers);
    let mut is_writer = vec![false; calls.len()];
    writers.iter().for_each(|&writer| is_writer[writer] = true);
    let is_read = |call: &usize| !is_writer[*call] && !matches!(calls[*call].outcome, Outcome::Unknown { .. });
    let mut reads: Vec<usize> = (0..calls.len()).filter(is_read).collect();
    reads.sort_by_key(|&read| calls[read].invoked);

    // Reads that have their places, by when they returned; and the latest place of those that returned already.
    let mut placed: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut floor = 0;
    for read in reads {
        let call = &calls[read];
        while let Some(Reverse((ended, place))) = placed.peek().copied()
            && ended < call.invoked
        {
            floor = floor.max(place);
            placed.pop();
        }
        let earliest = floor.max(bounds.earliest(call.invoked));
        let place =
            earliest_place(read, call, timeline, earliest)?.filter(|place| *place <= bounds.latest(call.returned));
        placed.push(Reverse((call.returned, place.ok_or(Violation::Stale { call: read })?)));
    }
    Ok(())
}

/// The first place not before `earliest` that shows what the call saw.
fn earliest_place(
    number: usize,
    call: &Call,
    timeline: &Timeline,
    earliest: usize,
) -> Result<Option<usize>, Violation> {
    let wrong = |reason| Violation::WrongAnswer { call: number, reason };
    let fixed = |revision| Some(timeline.place_of(revision)).filter(|place| *place >= earliest);
    Ok(match &call.outcome {
        Outcome::Got { key, entry } => timeline.first_showing(key, entry.as_ref(), earliest),
        Outcome::Conflicted { operations, key, current } => {
            let operation = operations.iter().find(|operation| operation.key == *key);
            let operation = operation.ok_or(wrong("it was refused for a key it does not name"))?;
            if holds(operation.expect, current.as_ref()) {
                return Err(wrong("it was refused, though its expectation held"));
            }
            timeline.first_showing(key, current.as_ref(), earliest)
        }
        Outcome::Listed { prefix, range } => {
            let place = timeline.place_of(range.revision);
            let stories = timeline.stories.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
            let keys = stories.map(|(key, _)| key).take_while(|key| key.starts_with(prefix.as_str()));
            let shown = keys.filter_map(|key| timeline.at(key, place));
            if !shown.eq(&range.entries) || range.remaining > 0 {
                return Err(wrong("it is not the state at its revision"));
            }
            fixed(range.revision)
        }
        Outcome::Committed { committed, .. } => fixed(committed.revision),
        Outcome::Unknown { .. } => Some(earliest),
    })
}

/// Where a read may be among the writes, by the clock.
struct Bounds {
    /// When writes returned, rising, with the latest place of those that returned by then.
    returned: Vec<(u64, usize)>,
    /// When writes were invoked, rising, with the earliest place of those that were invoked from then on.
    invoked: Vec<(u64, usize)>,
    places: usize,
}

impl Bounds {
    fn new(calls: &[Call], writers: &[usize]) -> Self {
        let places = writers.iter().enumerate().map(|(index, &writer)| (&calls[writer], index + 1));
        let mut returned: Vec<(u64, usize)> = places.clone().map(|(call, place)| (returned(call), place)).collect();
        let mut invoked: Vec<(u64, usize)> = places.map(|(call, place)| (call.invoked, place)).collect();
        returned.sort_unstable();
        invoked.sort_unstable();
        returned.iter_mut().fold(0, |latest, (_, place)| {
            *place = latest.max(*place);
            *place
        });
        invoked.iter_mut().rev().fold(usize::MAX, |earliest, (_, place)| {
            *place = earliest.min(*place);
            *place
        });
        Bounds { returned, invoked, places: writers.len() }
    }

    fn earliest(&self, invoked: u64) -> usize {
        let count = self.returned.partition_point(|(returned, _)| *returned < invoked);
        count.checked_sub(1).map_or(0, |index| self.returned[index].1)
    }

    fn latest(&self, returned: u64) -> usize {
        let next = self.invoked.partition_point(|(invoked, _)| *invoked <= returned);
        self.invoked.get(next).map_or(self.places, |(_, place)| *place - 1)
    }
}

#[cfg(test)]
mod tests;
