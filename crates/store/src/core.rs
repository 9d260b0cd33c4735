//! What every engine shares: the state and its rules, without any input or output.
//!
//! A write is staged first: checked against the state and the writes staged before it, and given
//! its revision. Once the engine has put the staged events where they rest, it commits them, and
//! only then do readers and watchers see them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, RwLock, Weak};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::history::History;
use crate::limits::{check_key, check_value};
use crate::tree::Tree;
use crate::watchers::{WatchStream, Watchers};
use crate::{Change, Entry, Event, Expect, Options, Range, RangeRequest, Revision, StoreError};

/// How many states of paginated lists are held for their next pages.
const MAX_PINS: usize = 16;

#[derive(Debug)]
pub(crate) struct Core {
    tree: Tree,
    /// Keys and values of the tree.
    live_bytes: u64,
    history: History,
    pub(crate) watchers: Watchers,
    watch_queue: usize,
    /// States that paginated lists are being read from, the most recent last. A page whose state
    /// is not among them is read by undoing history, at the cost of the writes since.
    pins: VecDeque<(Revision, Tree)>,
    revision: watch::Sender<Revision>,
}

/// Writes that have their revisions and are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    events: Vec<Arc<Event>>,
    /// What the staged writes leave behind under the keys they touch.
    overlay: HashMap<Arc<str>, Option<Entry>>,
}

impl Staged {
    pub(crate) fn events(&self) -> &[Arc<Event>] {
        &self.events
    }
}

impl Core {
    /// A store that stands at `revision`, holds `tree`, and knows nothing of what was before.
    pub(crate) fn new(options: &Options, tree: Tree, revision: Revision) -> Self {
        Core {
            live_bytes: tree.iter_from(0).map(size_bytes).sum(),
            tree,
            history: History::new(options.history, revision),
            watchers: Watchers::default(),
            watch_queue: options.watch_queue,
            pins: VecDeque::new(),
            revision: watch::Sender::new(revision),
        }
    }

    pub(crate) fn empty(options: &Options) -> Self {
        Core::new(options, Tree::new(), Revision(0))
    }

    pub(crate) fn revision(&self) -> Revision {
        *self.revision.borrow()
    }

    pub(crate) fn revisions(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    pub(crate) fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        Ok(self.tree.get(key).cloned())
    }

    /// Stages a write of one key, if `expect` holds.
    pub(crate) fn stage_put(
        &self,
        staged: &mut Staged,
        key: &str,
        value: Bytes,
        expect: Expect,
    ) -> Result<Entry, StoreError> {
        check_key(key)?;
        check_value(&value)?;
        let current = self.current(staged, key);
        match (expect, current) {
            (Expect::Absent, None) => {}
            (Expect::At(revision), Some(current)) if current.modified == revision => {}
            (_, current) => return Err(StoreError::Conflict { current: current.cloned() }),
        }
        Ok(self.stage_put_anyway(staged, key, value))
    }

    /// Stages the removal of one key, if it was last modified at `expect`.
    pub(crate) fn stage_delete(
        &self,
        staged: &mut Staged,
        key: &str,
        expect: Revision,
    ) -> Result<(Revision, Entry), StoreError> {
        check_key(key)?;
        match self.current(staged, key) {
            Some(current) if current.modified == expect => {
                let current = current.clone();
                Ok((self.stage_removal(staged, current.clone()), current))
            }
            current => Err(StoreError::Conflict { current: current.cloned() }),
        }
    }

    /// Stages a write that was accepted before: recovery.
    pub(crate) fn stage_put_anyway(&self, staged: &mut Staged, key: &str, value: Bytes) -> Entry {
        let previous = self.current(staged, key).cloned();
        let revision = self.next_revision(staged);
        let entry = match &previous {
            Some(previous) => Entry { value, modified: revision, ..previous.clone() },
            None => Entry { key: key.into(), value, created: revision, modified: revision },
        };
        staged.overlay.insert(entry.key.clone(), Some(entry.clone()));
        staged.events.push(Arc::new(Event { revision, change: Change::Put(entry.clone()), previous }));
        entry
    }

    /// Stages a removal that was accepted before: recovery. `None` when there is nothing to remove.
    pub(crate) fn stage_delete_anyway(&self, staged: &mut Staged, key: &str) -> Option<Revision> {
        let current = self.current(staged, key).cloned()?;
        Some(self.stage_removal(staged, current))
    }

    /// Makes staged writes visible, and tells the watchers. The newest revision moves last, so
    /// whoever reads it finds the events up to it in the queues already.
    pub(crate) fn commit(&mut self, staged: Staged, now: Instant) {
        let Some(newest) = staged.events.last().map(|event| event.revision) else { return };
        for event in staged.events {
            match &event.change {
                Change::Put(entry) => {
                    self.live_bytes += size_bytes(entry);
                    self.tree.insert(entry.clone());
                }
                Change::Delete { key } => {
                    self.tree.remove(key);
                }
            }
            self.live_bytes -= event.previous.as_ref().map_or(0, size_bytes);
            self.watchers.deliver(&event);
            self.history.push(now, event);
        }
        self.drop_stale_pins();
        self.revision.send_replace(newest);
    }

    /// What a range is read from: a tree that stands still, and its revision. Reading it needs no
    /// lock on the core.
    pub(crate) fn view(&mut self, request: &RangeRequest) -> Result<(Revision, Tree), StoreError> {
        let newest = self.revision();
        let revision = request.at.unwrap_or(newest);
        self.check_readable(revision)?;
        if revision == newest {
            if request.limit > 0 && request.after.is_none() {
                self.pin(revision);
            }
            return Ok((revision, self.tree.clone()));
        }
        if let Some((_, pinned)) = self.pins.iter().find(|(pinned, _)| *pinned == revision) {
            return Ok((revision, pinned.clone()));
        }
        Ok((revision, self.undone(revision, &request.prefix)))
    }

    /// Begins a watch on the core behind `shared`, which must be this one.
    pub(crate) fn watch(
        &mut self,
        prefix: &str,
        after: Revision,
        shared: Weak<RwLock<Core>>,
    ) -> Result<WatchStream, StoreError> {
        self.check_readable(after)?;
        let replay = self.history.after(after).filter(|event| event.key().starts_with(prefix)).cloned().collect();
        let live = self.watchers.register(prefix, self.watch_queue);
        Ok(WatchStream::new(replay, self.revision(), live, shared))
    }

    pub(crate) fn compact(&mut self, revision: Revision) -> Result<(), StoreError> {
        if revision > self.revision() {
            return Err(StoreError::FutureRevision { requested: revision.0, newest: self.revision().0 });
        }
        self.history.compact(revision);
        self.drop_stale_pins();
        Ok(())
    }

    /// All a snapshot holds, to be written while the core goes on.
    pub(crate) fn freeze(&self) -> Frozen {
        let oldest = self.history.oldest();
        Frozen {
            revision: self.revision(),
            tree: self.tree.clone(),
            oldest,
            history: self.history.after(oldest).cloned().collect(),
        }
    }

    fn current<'a>(&'a self, staged: &'a Staged, key: &str) -> Option<&'a Entry> {
        match staged.overlay.get(key) {
            Some(left) => left.as_ref(),
            None => self.tree.get(key),
        }
    }

    fn next_revision(&self, staged: &Staged) -> Revision {
        Revision(self.revision().0 + staged.events.len() as u64 + 1)
    }

    fn stage_removal(&self, staged: &mut Staged, current: Entry) -> Revision {
        let revision = self.next_revision(staged);
        let key = current.key.clone();
        staged.overlay.insert(key.clone(), None);
        staged.events.push(Arc::new(Event { revision, change: Change::Delete { key }, previous: Some(current) }));
        revision
    }

    fn check_readable(&self, revision: Revision) -> Result<(), StoreError> {
        let (oldest, newest) = (self.history.oldest(), self.revision());
        if revision < oldest {
            return Err(StoreError::Compacted { requested: revision.0, oldest: oldest.0 });
        }
        if revision > newest {
            return Err(StoreError::FutureRevision { requested: revision.0, newest: newest.0 });
        }
        Ok(())
    }

    /// The tree as it stood at `revision`, right for keys with `prefix`.
    fn undone(&self, revision: Revision, prefix: &str) -> Tree {
        let mut tree = self.tree.clone();
        let since = self.history.after(revision).rev().filter(|event| event.key().starts_with(prefix));
        since.for_each(|event| undo(&mut tree, event));
        tree
    }

    /// Holds the present state for the next pages of a list that begins now.
    fn pin(&mut self, revision: Revision) {
        if self.pins.back().is_some_and(|(pinned, _)| *pinned == revision) {
            return;
        }
        if self.pins.len() == MAX_PINS {
            self.pins.pop_front();
        }
        self.pins.push_back((revision, self.tree.clone()));
    }

    fn drop_stale_pins(&mut self) {
        let oldest = self.history.oldest();
        while self.pins.front().is_some_and(|(pinned, _)| *pinned < oldest) {
            self.pins.pop_front();
        }
    }
}

/// The state at a revision, and the history that led to it.
#[derive(Debug)]
pub(crate) struct Frozen {
    pub(crate) revision: Revision,
    tree: Tree,
    /// The revision before the first event of the history.
    pub(crate) oldest: Revision,
    pub(crate) history: Vec<Arc<Event>>,
}

impl Frozen {
    /// The state at `oldest`.
    pub(crate) fn base(&self) -> Tree {
        let mut tree = self.tree.clone();
        self.history.iter().rev().for_each(|event| undo(&mut tree, event));
        tree
    }
}

/// Takes back the newest change of a tree.
fn undo(tree: &mut Tree, event: &Event) {
    match &event.previous {
        Some(previous) => tree.insert(previous.clone()),
        None => tree.remove(event.key()),
    };
}

/// Reads a range from a tree that [`Core::view`] gave.
pub(crate) fn read_range(tree: &Tree, revision: Revision, request: &RangeRequest) -> Range {
    let prefix = request.prefix.as_str();
    let start = tree.partition_point(|key| key < prefix || request.after.as_deref().is_some_and(|after| key <= after));
    let end = tree.partition_point(|key| key < prefix || key.starts_with(prefix));
    let matching = end.saturating_sub(start);
    let taken = if request.limit == 0 { matching } else { matching.min(request.limit) };
    let entries = tree.iter_from(start).take(taken).cloned().collect();
    Range { revision, entries, remaining: matching - taken }
}

fn size_bytes(entry: &Entry) -> u64 {
    (entry.key.len() + entry.value.len()) as u64
}
