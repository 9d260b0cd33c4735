//! A copy in memory of what rests with somebody else.

use std::sync::Arc;
use std::time::SystemTime;

use stdx::{Clock, signal};

use crate::core::Core;
use crate::shared::{Moment, Shared};
use crate::staging::{Draft, Staged};
use crate::tree::Tree;
use crate::{
    Author, Change, Entry, Event, Options, Range, RangeRequest, ReadAt, Revision, Snapshot, StoreError, Watch,
    WatchRequest,
};

/// The core of the other engines, told what happened instead of deciding it. Its revisions are the
/// other store's and need not be dense. Reads answer from memory: whoever needs more waits for
/// [`Replica::revisions`] first.
#[derive(Debug)]
pub struct Replica {
    shared: Arc<Shared>,
    options: Options,
    clock: Clock,
}

/// One transaction of the other store.
#[derive(Clone, Debug)]
pub struct Replicated {
    pub revision: Revision,
    pub time: SystemTime,
    pub author: Option<Arc<Author>>,
    pub changes: Vec<Change>,
}

/// The other store told something that cannot follow what it told before: start anew.
#[derive(Debug, thiserror::Error)]
#[error("revision {told} came after revision {newest}")]
pub struct ReplicaError {
    pub told: u64,
    pub newest: u64,
}

impl Replica {
    pub fn new(options: Options, clock: Clock) -> Replica {
        Replica { shared: Shared::new(Core::empty(&options)), options, clock }
    }

    /// Begins anew with a state. Nothing is known of what was before: watches end as those of slow
    /// watchers do, and begin again at `revision` or later.
    pub fn load(&self, entries: impl IntoIterator<Item = Entry>, revision: Revision, time: SystemTime) {
        let mut tree = Tree::new();
        for entry in entries {
            tree.insert(entry);
        }
        let mut fresh = Core::new(&self.options, tree, revision, time);
        let mut core = self.shared.write();
        fresh.history = fresh.history.following(&core.history);
        // Who waits for revisions waits on; who watches is told to begin anew.
        std::mem::swap(&mut core.revision, &mut fresh.revision);
        std::mem::swap(&mut core.watchers, &mut fresh.watchers);
        let mut wakeups = fresh.watchers.cut_off(revision);
        wakeups.append(fresh.advance(revision));
        let old = std::mem::replace(&mut *core, fresh);
        drop(core);
        wakeups.wake();
        drop(old);
    }

    /// Takes over a transaction. One that is known already, or has no changes, moves nothing.
    pub fn apply(&self, transaction: Replicated) -> Result<(), ReplicaError> {
        let now = Moment::now(&self.clock);
        let mut core = self.shared.write();
        let newest = core.revision();
        let Replicated { revision, time, author, changes } = transaction;
        if revision <= newest {
            return Err(ReplicaError { told: revision.0, newest: newest.0 });
        }
        let mut staged = Staged::default();
        let mut draft = Draft::new(revision, time.max(core.time()), author);
        for change in changes {
            let previous = core.current(&staged, change.key()).cloned();
            if matches!(change, Change::Put(_)) || previous.is_some() {
                draft.push(change, previous, None);
            }
        }
        draft.finish().into_iter().for_each(|transaction| staged.push(transaction));
        let mut aftermath = core.commit(staged, now);
        aftermath.wakeups.append(core.advance(revision));
        drop(core);
        aftermath.wakeups.wake();
        drop(aftermath.garbage);
        Ok(())
    }

    /// Moves the newest revision where nothing happened that concerns this store.
    pub fn advance(&self, revision: Revision) {
        let wakeups = self.shared.write().advance(revision);
        wakeups.wake();
    }

    pub fn revision(&self) -> Revision {
        self.shared.revision()
    }

    pub fn revisions(&self) -> signal::Receiver<Revision> {
        self.shared.revisions()
    }

    /// Reads from memory; [`ReadAt::Newest`] is taken for [`ReadAt::Memory`].
    pub fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError> {
        self.shared.get(key, at)
    }

    /// Reads from memory; [`ReadAt::Newest`] is taken for [`ReadAt::Memory`].
    pub async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.shared.range(request).await
    }

    pub fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.shared.watch(request)
    }

    pub async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        self.shared.compact(revision).await
    }

    pub fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError> {
        self.shared.revision_at(time)
    }

    pub fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError> {
        self.shared.changes(key)
    }

    pub fn snapshot(&self) -> Snapshot {
        self.shared.snapshot()
    }

    /// Ends every watch.
    pub fn close(&self) {
        let wakeups = self.shared.write().watchers.close();
        wakeups.wake();
    }
}
