//! What every engine shares: the state and its rules, without any input or output.
//!
//! A transaction is staged first: checked against the state and what was staged before it, and
//! given its revision. Once the engine has put it where it rests, it is committed, and only then do
//! readers and watchers see it.

use std::sync::Arc;
use std::time::SystemTime;

use stdx::Signal;
use stdx::waiters::Wakeups;
use tokio::time::Instant;

use crate::history::{Chunk, History};
use crate::leases::Leases;
use crate::pins::Pins;
use crate::shared::Moment;
use crate::snapshot::Snapshot;
use crate::staging::{Staged, StagedEvent, due_after};
use crate::tree::{Nodes, Place, Tree};
use crate::watchers::{Notice, Watchers};
use crate::{Action, Change, Committed, Entry, Event, Options, Revision, StoreError, Transaction};

/// How many events of history a commit or a step of tending drops, for each event that came.
const RETIRE_BUDGET: usize = 64;

/// How many chunks of history may wait to be freed.
const MAX_GARBAGE_CHUNKS: usize = 32;

/// How many nodes of a tree are freed in one step.
const FREED_NODES: usize = 32;

/// How many leases end in one step.
pub(crate) const MAX_EXPIRED: usize = 256;

#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) entries: Tree<Entry>,
    /// Keys and values of the tree.
    live_bytes: u64,
    pub(crate) leases: Leases,
    pub(crate) history: History,
    pub(crate) watchers: Watchers,
    pub(crate) pins: Pins,
    pub(crate) revision: Signal<Revision>,
    /// When the newest revision was committed.
    time: SystemTime,
}

/// What is left to do once nobody holds the core's lock any more.
#[must_use = "whoever waits is woken by it"]
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    pub(crate) wakeups: Notice,
    pub(crate) garbage: Garbage,
}

/// What nobody needs any more: to be freed where nobody waits for it, some at a time.
#[derive(Debug, Default)]
pub(crate) struct Garbage {
    chunks: Vec<Arc<Chunk>>,
    trees: Vec<Nodes<Entry>>,
}

impl Garbage {
    pub(crate) fn append(&mut self, mut other: Garbage) {
        self.chunks.append(&mut other.chunks);
        self.trees.append(&mut other.trees);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chunks.is_empty() && self.trees.is_empty()
    }

    /// Frees what is too much to be left for later.
    pub(crate) fn free_excess(&mut self) {
        while self.chunks.len() > MAX_GARBAGE_CHUNKS {
            self.free_some();
        }
    }

    /// Frees what takes well under a millisecond; true while there is more.
    pub(crate) fn free_some(&mut self) -> bool {
        if self.chunks.pop().is_none()
            && let Some(tree) = self.trees.last_mut()
            && !tree.free_some(FREED_NODES)
        {
            self.trees.pop();
        }
        !self.is_empty()
    }

    /// Frees it all and lets others run in between.
    pub(crate) async fn free(mut self) {
        while self.free_some() {
            tokio::task::yield_now().await;
        }
    }
}

impl From<Tree<Entry>> for Garbage {
    fn from(tree: Tree<Entry>) -> Self {
        Garbage { trees: vec![tree.into_nodes()], ..Garbage::default() }
    }
}

impl Core {
    /// A store that stands at `revision`, holds `entries`, and knows nothing of what was before.
    pub(crate) fn new(options: &Options, entries: Tree<Entry>, revision: Revision, time: SystemTime) -> Self {
        Core {
            live_bytes: entries.iter_from(0).map(size_bytes).sum(),
            entries,
            leases: Leases::new(),
            history: History::new(options.history, revision, time),
            watchers: Watchers::new(options.watch_queue),
            pins: Pins::default(),
            revision: Signal::new(revision),
            time,
        }
    }

    pub(crate) fn empty(options: &Options) -> Self {
        Core::new(options, Tree::new(), Revision(0), SystemTime::UNIX_EPOCH)
    }

    pub(crate) fn revision(&self) -> Revision {
        self.revision.get()
    }

    pub(crate) fn time(&self) -> SystemTime {
        self.time
    }

    /// Keys and values of the state.
    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Keys and values, of the state and of the history behind it: what a snapshot would write.
    pub(crate) fn kept_bytes(&self) -> u64 {
        self.live_bytes + self.history.bytes()
    }

    /// Stages a transaction that [`crate::staging::admit`] let pass, if all it expects holds. Its
    /// values are taken out; what is left of it is for the caller to free.
    pub(crate) fn stage(
        &self,
        staged: &mut Staged,
        transaction: &mut Transaction,
        now: Moment,
    ) -> Result<Committed, StoreError> {
        // What there is, then what is answered.
        let mut entries = Vec::with_capacity(transaction.operations.len());
        let mut places = Vec::with_capacity(transaction.operations.len());
        for operation in &transaction.operations {
            let (current, place) = self.look_up(staged, &operation.key);
            if !operation.expect.holds(current) {
                return Err(StoreError::Conflict { key: operation.key.clone(), current: current.cloned() });
            }
            entries.push(current.cloned());
            places.push(place);
        }
        let (newest, time) = self.staged_newest(staged);
        let revision = Revision(newest.0 + 1);
        let mut draft = staged.begin(revision, now.wall.max(time), transaction.author.take());
        for ((operation, entry), place) in transaction.operations.iter_mut().zip(&mut entries).zip(places) {
            match &mut operation.action {
                Action::Put { value, lifetime } => {
                    let due = due_after(now.wall, *lifetime);
                    *entry = Some(draft.put(&operation.key, std::mem::take(value), due, entry.take(), place));
                }
                Action::Delete => entry.iter().for_each(|current| draft.delete(current.clone())),
                Action::Check => {}
            }
        }
        Ok(Committed { revision: if draft.has_changes() { revision } else { newest }, entries })
    }

    /// Stages the removal of keys whose leases have ended, each as a transaction of its own.
    pub(crate) fn stage_expired(&self, staged: &mut Staged, now: Moment) {
        for key in self.leases.due(now.instant).take(MAX_EXPIRED) {
            let Some(current) = self.current(staged, key).cloned() else { continue };
            let (newest, time) = self.staged_newest(staged);
            staged.begin(Revision(newest.0 + 1), now.wall.max(time), None).delete(current);
        }
    }

    /// What a key holds once all that is staged is done.
    pub(crate) fn current<'a>(&'a self, staged: &'a Staged, key: &str) -> Option<&'a Entry> {
        self.look_up(staged, key).0
    }

    /// The same, and where it stands if no write is staged for it.
    fn look_up<'a>(&'a self, staged: &'a Staged, key: &str) -> (Option<&'a Entry>, Option<Place>) {
        match staged.left(key) {
            Some(left) => (left, None),
            None => self.entries.find(key).map_or((None, None), |(place, entry)| (Some(entry), Some(place))),
        }
    }

    /// Makes staged writes visible, and puts them into the watchers' queues. The newest revision
    /// moves last, so whoever reads it finds the events up to it in the queues already.
    pub(crate) fn commit(&mut self, staged: Staged, now: Moment) -> Aftermath {
        let Some((newest, time)) = staged.newest() else { return Aftermath::default() };
        self.time = self.time.max(time);
        let staged = staged.into_events();
        let events = staged.len();
        staged.into_iter().for_each(|staged| self.apply(staged, now));
        let garbage = self.retire(now, events.saturating_mul(2).max(RETIRE_BUDGET));
        let waiting = self.revision.set_quietly(newest);
        Aftermath { wakeups: self.watchers.take_notice(waiting), garbage }
    }

    /// The newest revision moves without an event: in a store that others share.
    pub(crate) fn advance(&mut self, revision: Revision) -> Wakeups {
        if revision <= self.revision() { Wakeups::default() } else { self.revision.set_quietly(revision) }
    }

    /// A step of dropping what history need not keep.
    pub(crate) fn tend(&mut self, now: Moment) -> Garbage {
        let mut garbage = self.retire(now, RETIRE_BUDGET);
        if let Some(tree) = self.pins.take_stale(self.history.oldest()) {
            garbage.append(tree.into());
        }
        garbage
    }

    /// When there is something to do that nobody asks for: a lease ends, or history has to go.
    pub(crate) fn next_tending(&self, now: Moment) -> Option<Instant> {
        if self.pins.has_stale(self.history.oldest()) {
            return Some(now.instant);
        }
        let history = self.history.excess_from(self.live_bytes).and_then(|due| {
            let left = due.duration_since(now.wall).unwrap_or_default();
            // A little late, so that many events go at one waking.
            now.instant.checked_add(left + left / 16)
        });
        [self.leases.earliest(), history].into_iter().flatten().min()
    }

    pub(crate) fn compact(&mut self, revision: Revision) -> Result<Garbage, StoreError> {
        if revision > self.revision() {
            return Err(StoreError::FutureRevision { requested: revision.0, newest: self.revision().0 });
        }
        Ok(Garbage { chunks: self.history.compact(revision), ..Garbage::default() })
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::new(self)
    }

    pub(crate) fn check_readable(&self, revision: Revision) -> Result<(), StoreError> {
        let (oldest, newest) = (self.history.oldest(), self.revision());
        if revision < oldest {
            return Err(StoreError::Compacted { requested: revision.0, oldest: oldest.0 });
        }
        if revision > newest {
            return Err(StoreError::FutureRevision { requested: revision.0, newest: newest.0 });
        }
        Ok(())
    }

    fn staged_newest(&self, staged: &Staged) -> (Revision, SystemTime) {
        staged.newest().unwrap_or_else(|| (self.revision(), self.time))
    }

    fn apply(&mut self, StagedEvent { event, due, place }: StagedEvent, now: Moment) {
        self.live_bytes -= event.previous.as_ref().map_or(0, size_bytes);
        match &event.change {
            Change::Put(entry) => {
                self.live_bytes += size_bytes(entry);
                self.put(entry.clone(), place);
            }
            Change::Delete { key } => {
                self.entries.remove(key);
            }
        }
        match due {
            Some(due) => self.leases.grant(event.key().clone(), due, now),
            None => self.leases.end(event.key()),
        }
        self.watchers.deliver(&event);
        self.history.push(event);
    }

    /// Puts an entry where it is expected to replace another, or wherever else it belongs.
    fn put(&mut self, entry: Entry, place: Option<Place>) {
        let misplaced = match place {
            Some(place) => self.entries.replace(place, entry).err(),
            None => Some(entry),
        };
        misplaced.into_iter().for_each(|entry| drop(self.entries.insert(entry)));
    }

    fn retire(&mut self, now: Moment, budget: usize) -> Garbage {
        let chunks = self.history.retire(now.wall, self.live_bytes, budget);
        Garbage { chunks, ..Garbage::default() }
    }
}

/// Takes back the newest change of a tree.
pub(crate) fn undo(tree: &mut Tree<Entry>, event: &Event) {
    match &event.previous {
        Some(previous) => tree.insert(previous.clone()),
        None => tree.remove(event.key()),
    };
}

fn size_bytes(entry: &Entry) -> u64 {
    (entry.key.len() + entry.value.len()) as u64
}
