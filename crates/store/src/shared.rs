//! The core behind its lock, and every read of it: the same for all engines.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::SystemTime;

use stdx::{Clock, signal};
use tokio::time::Instant;

use crate::core::{Core, Garbage, undo};
use crate::history::Events;
use crate::limits::check_key;
use crate::tree::Tree;
use crate::watchers::WatchStream;
use crate::{Entry, Event, Range, RangeRequest, ReadAt, Revision, Snapshot, StoreError, Watch, WatchRequest};

/// How many events are undone before others get their turn.
const UNDONE_AT_ONCE: usize = 1024;

/// One moment by both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) instant: Instant,
    pub(crate) wall: SystemTime,
}

impl Moment {
    pub(crate) fn now(clock: &Clock) -> Moment {
        Moment { instant: clock.instant(), wall: clock.now().into() }
    }
}

#[derive(Debug)]
pub(crate) struct Shared {
    core: RwLock<Core>,
}

/// A state to read from without any lock.
#[derive(Debug)]
struct View {
    revision: Revision,
    entries: Tree<Entry>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// The whole state.
    Present,
    /// What an earlier page was read from.
    Pinned,
    /// The present, in which everything after the revision has to be undone first.
    Undo(Events),
}

impl Shared {
    pub(crate) fn new(core: Core) -> Arc<Shared> {
        Arc::new(Shared { core: RwLock::new(core) })
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn revision(&self) -> Revision {
        self.read().revision()
    }

    pub(crate) fn revisions(&self) -> signal::Receiver<Revision> {
        self.read().revision.subscribe()
    }

    /// Reads a key from memory, which is as new as `at` demands.
    pub(crate) fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError> {
        check_key(key)?;
        let core = self.read();
        let ReadAt::Exactly(revision) = at else {
            reached(&core, at)?;
            return Ok(core.entries.get(key).cloned());
        };
        core.check_readable(revision)?;
        let current = core.entries.get(key).cloned();
        if current.as_ref().is_some_and(|current| current.modified <= revision) {
            return Ok(current);
        }
        let events = core.history.events().clone();
        drop(core);
        let first = events.number_after(revision);
        // What the key held is what its next change replaced.
        Ok(match events.of_key(key, first).next() {
            Some(event) => event.previous.clone(),
            None => current,
        })
    }

    /// Reads a range from memory, which is as new as `request.at` demands.
    pub(crate) async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        let View { revision, mut entries, source } = self.view(&request)?;
        if let Source::Undo(events) = &source {
            undo_since(&mut entries, events, revision, &request.prefix).await;
        }
        let range = read_range(&entries, revision, &request);
        // The next pages are read from here.
        let right_for = match source {
            _ if range.remaining == 0 => None,
            Source::Present => Some(""),
            Source::Undo(_) => Some(request.prefix.as_str()),
            Source::Pinned => None,
        };
        if let Some(prefix) = right_for {
            let replaced = self.read().pins.hold(revision, prefix, entries);
            if let Some(tree) = replaced {
                Garbage::from(tree).free().await;
            }
        }
        Ok(range)
    }

    pub(crate) fn watch(self: &Arc<Self>, request: WatchRequest) -> Result<Watch, StoreError> {
        Ok(Box::pin(WatchStream::begin(self, request)?))
    }

    pub(crate) async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        let garbage = self.write().compact(revision)?;
        garbage.free().await;
        Ok(())
    }

    pub(crate) fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError> {
        let core = self.read();
        if time >= core.time() {
            return Ok(core.revision());
        }
        let oldest = core.history.oldest();
        core.history.revision_at(time).ok_or(StoreError::Compacted { requested: 0, oldest: oldest.0 })
    }

    pub(crate) fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError> {
        check_key(key)?;
        let events = self.read().history.events().clone();
        Ok(events.of_key(key, 0).cloned().collect())
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.read().snapshot()
    }

    fn view(&self, request: &RangeRequest) -> Result<View, StoreError> {
        let core = self.read();
        let newest = core.revision();
        let entries = core.entries.clone();
        let ReadAt::Exactly(revision) = request.at else {
            reached(&core, request.at)?;
            return Ok(View { revision: newest, entries, source: Source::Present });
        };
        core.check_readable(revision)?;
        if revision == newest {
            return Ok(View { revision, entries, source: Source::Present });
        }
        Ok(match core.pins.find(revision, &request.prefix) {
            Some(entries) => View { revision, entries, source: Source::Pinned },
            None => View { revision, entries, source: Source::Undo(core.history.events().clone()) },
        })
    }
}

/// Whether memory is as new as a read demands. An engine that is not alone has asked before.
fn reached(core: &Core, at: ReadAt) -> Result<(), StoreError> {
    match (at, core.revision()) {
        (ReadAt::NotOlderThan(revision), newest) if revision > newest => {
            Err(StoreError::FutureRevision { requested: revision.0, newest: newest.0 })
        }
        _ => Ok(()),
    }
}

/// Takes a tree back to a revision, as far as keys with a prefix go.
async fn undo_since(tree: &mut Tree<Entry>, events: &Events, revision: Revision, prefix: &str) {
    for (count, event) in events.after(revision).rev().enumerate() {
        if count % UNDONE_AT_ONCE == UNDONE_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        if event.key().starts_with(prefix) {
            undo(tree, event);
        }
    }
}

fn read_range(tree: &Tree<Entry>, revision: Revision, request: &RangeRequest) -> Range {
    let prefix = request.prefix.as_str();
    let start = tree.partition_point(|key| key < prefix || request.after.as_deref().is_some_and(|after| key <= after));
    let end = tree.partition_point(|key| key < prefix || key.starts_with(prefix));
    let matching = end.saturating_sub(start);
    let taken = if request.limit == 0 { matching } else { matching.min(request.limit) };
    let entries = tree.iter_from(start).take(taken).cloned().collect();
    Range { revision, entries, remaining: matching - taken }
}
