//! A copy in memory of what rests with somebody else.

use std::sync::Arc;
use std::time::SystemTime;

use stdx::{Clock, signal};
use tokio::time::Instant;

use crate::core::Core;
use crate::shared::{Moment, Shared};
use crate::staging::Staged;
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
        let mut draft = staged.begin(revision, time.max(core.time()), author);
        for change in changes {
            let previous = core.current(draft.staged(), change.key()).cloned();
            if matches!(change, Change::Put(_)) || previous.is_some() {
                draft.push(change, previous);
            }
        }
        let aftermath = core.commit(staged, now);
        let waiting = core.advance(revision);
        drop(core);
        aftermath.wakeups.wake();
        waiting.wake();
        drop(aftermath.garbage);
        Ok(())
    }

    /// Moves the newest revision where nothing happened that concerns this store.
    pub fn advance(&self, revision: Revision) {
        let wakeups = self.shared.write().advance(revision);
        wakeups.wake();
    }

    /// Drops a part of what history need not keep; returns when to come again. Transactions that
    /// arrive do so too: this is for when none do.
    pub async fn tend(&self) -> Option<Instant> {
        let now = Moment::now(&self.clock);
        let (garbage, next) = {
            let mut core = self.shared.write();
            (core.tend(now), core.next_tending(now))
        };
        garbage.free().await;
        next
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use futures::{FutureExt, StreamExt};

    use super::*;
    use crate::{HistoryLimits, WatchItem};

    fn entry(key: &str, created: u64, modified: u64) -> Entry {
        let value = Bytes::from(modified.to_string());
        Entry { key: key.into(), value, created: Revision(created), modified: Revision(modified) }
    }

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(second)
    }

    fn transaction(revision: u64, changes: Vec<Change>) -> Replicated {
        let author = Author { user: "ann".into(), manager: "test".into() };
        Replicated { revision: Revision(revision), time: at(revision), author: Some(Arc::new(author)), changes }
    }

    fn delete(key: &str) -> Change {
        Change::Delete { key: key.into() }
    }

    /// A copy of a store that stood at revision 100 when it was loaded.
    fn replica() -> Replica {
        // The transactions below are from 1970.
        let options = Options { history: HistoryLimits::unlimited(), ..Options::default() };
        let replica = Replica::new(options, Clock::system());
        replica.load([entry("a", 40, 90), entry("b", 50, 50)], Revision(100), at(100));
        replica
    }

    fn watch(replica: &Replica, after: u64) -> Watch {
        replica.watch(WatchRequest { after: Revision(after), ..WatchRequest::default() }).unwrap()
    }

    fn drain(watch: &mut Watch) -> Vec<String> {
        std::iter::from_fn(|| tokio::task::unconstrained(watch.next()).now_or_never().flatten())
            .map(|item| match item {
                Ok(WatchItem::Event(event)) => {
                    let value = |entry: &Entry| String::from_utf8(entry.value.to_vec()).unwrap();
                    let [before, after] =
                        [event.previous.as_ref(), event.current()].map(|entry| entry.map_or("-".to_owned(), value));
                    format!("{} {}: {before} to {after}", event.revision.0, event.key())
                }
                Ok(WatchItem::Progress(revision)) => format!("progress {}", revision.0),
                Err(error) => error.to_string(),
            })
            .collect()
    }

    #[tokio::test]
    async fn it_follows_revisions_that_are_not_its_own() {
        let replica = replica();
        let mut live = watch(&replica, 100);
        replica.apply(transaction(105, vec![Change::Put(entry("a", 40, 105)), delete("b"), delete("never")])).unwrap();
        replica.advance(Revision(110));
        replica.apply(transaction(117, vec![Change::Put(entry("b", 117, 117))])).unwrap();
        replica.apply(transaction(120, Vec::new())).unwrap();
        assert_eq!(drain(&mut live), ["progress 100", "105 a: 90 to 105", "105 b: 50 to -", "117 b: - to 117"]);
        assert_eq!(drain(&mut watch(&replica, 107)), ["117 b: - to 117", "progress 120"]);
        assert_eq!(replica.revision(), Revision(120));
        assert_eq!(replica.get("a", ReadAt::Newest).unwrap(), Some(entry("a", 40, 105)));
        // Between its own revisions the others' are as good.
        for (revision, b) in
            [(100, Some(50)), (104, Some(50)), (105, None), (116, None), (117, Some(117)), (119, Some(117))]
        {
            let held = replica.get("b", ReadAt::Exactly(Revision(revision))).unwrap();
            assert_eq!(held.map(|entry| entry.modified.0), b, "at {revision}");
            let request = RangeRequest { at: ReadAt::Exactly(Revision(revision)), ..RangeRequest::default() };
            assert_eq!(replica.range(request).await.unwrap().entries.len(), 1 + usize::from(b.is_some()));
        }
        for (second, revision) in [(100, 100), (104, 100), (105, 105), (118, 120)] {
            assert_eq!(replica.revision_at(at(second)).unwrap().0, revision, "at second {second}");
        }
        let authors: Vec<_> =
            replica.changes("b").unwrap().iter().map(|event| event.author.clone().unwrap().user.clone()).collect();
        assert_eq!(authors, ["ann".into(), "ann".into()]);
        assert_eq!(replica.snapshot().revision(), Revision(120));
    }

    #[tokio::test]
    async fn what_was_told_before_is_refused() {
        let replica = replica();
        replica.apply(transaction(105, vec![delete("a")])).unwrap();
        for revision in [90, 105] {
            let error = replica.apply(transaction(revision, vec![delete("b")])).unwrap_err();
            assert_eq!(error.to_string(), format!("revision {revision} came after revision 105"));
        }
        replica.advance(Revision(101));
        assert_eq!(replica.revision(), Revision(105));
        assert!(replica.get("b", ReadAt::Memory).unwrap().is_some());
    }

    #[tokio::test]
    async fn a_new_start_ends_what_cannot_go_on() {
        let replica = replica();
        let mut revisions = replica.revisions();
        let mut live = watch(&replica, 100);
        let mut read = watch(&replica, 100);
        assert_eq!(drain(&mut read), ["progress 100"]);
        replica.apply(transaction(101, vec![delete("a")])).unwrap();
        replica.load([entry("c", 150, 150)], Revision(200), at(200));
        assert_eq!(revisions.changed().await.unwrap(), Revision(200));
        assert_eq!(drain(&mut live), ["progress 100", "revision 100 is compacted; the oldest kept is 200"]);
        assert_eq!(drain(&mut read), ["revision 100 is compacted; the oldest kept is 200"]);
        let old = replica.watch(WatchRequest { after: Revision(101), ..WatchRequest::default() }).map(drop);
        assert!(matches!(old, Err(StoreError::Compacted { requested: 101, oldest: 200 })), "{old:?}");

        let mut fresh = watch(&replica, 200);
        replica.apply(transaction(201, vec![delete("c")])).unwrap();
        assert_eq!(drain(&mut fresh), ["progress 200", "201 c: 150 to -"]);
        replica.close();
        assert_eq!(drain(&mut fresh), ["the store is shutting down"]);
        assert_eq!(drain(&mut watch(&replica, 201)), ["progress 201", "the store is shutting down"]);
    }
}
