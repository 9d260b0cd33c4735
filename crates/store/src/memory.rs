//! The engine that keeps everything in memory: for tests, simulations, and clusters that may be
//! forgotten. It has no thread, so it also runs on virtual time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::SystemTime;

use stdx::{Clock, signal};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::core::{Core, Garbage};
use crate::shared::{Moment, Shared};
use crate::staging::{Staged, admit};
use crate::{
    Committed, Entry, Event, Options, Range, RangeRequest, ReadAt, Revision, Snapshot, Store, StoreError, Transaction,
    Watch, WatchRequest,
};

#[derive(Debug)]
pub struct Memory {
    shared: Arc<Shared>,
    clock: Clock,
    keeper: Arc<Keeper>,
    this: Weak<Memory>,
}

/// Tells the task that tends the store when there is something to do earlier than it knew.
#[derive(Debug, Default)]
struct Keeper {
    is_running: AtomicBool,
    sooner: Notify,
}

impl Memory {
    pub fn new() -> Arc<Memory> {
        Memory::with_options(Options::default(), Clock::system())
    }

    pub fn with_options(options: Options, clock: Clock) -> Arc<Memory> {
        let shared = Shared::new(Core::empty(&options));
        Arc::new_cyclic(|this| Memory { shared, clock, keeper: Arc::default(), this: this.clone() })
    }

    /// Does what is due: ends leases and drops old history. Returns when to come again.
    fn tend(&self) -> (Option<Instant>, Garbage) {
        let now = Moment::now(&self.clock);
        let mut core = self.shared.write();
        let mut staged = Staged::default();
        core.stage_expired(&mut staged, now);
        let aftermath = core.commit(staged, now);
        let mut garbage = core.tend(now);
        let next = core.next_tending(now);
        drop(core);
        aftermath.wakeups.wake();
        garbage.append(aftermath.garbage);
        (next, garbage)
    }

    /// Sees to it that somebody tends the store by `next`. The task is started when there is first
    /// something to wait for, and ends with the store.
    fn keep(&self, earlier: Option<Instant>, next: Option<Instant>) {
        let Some(next) = next else { return };
        if earlier.is_some_and(|earlier| earlier <= next) && self.keeper.is_running.load(Ordering::Relaxed) {
            return;
        }
        // Outside of a runtime there are no timers; who works there has nothing that ends by itself.
        let Ok(runtime) = Handle::try_current() else { return };
        if self.keeper.is_running.swap(true, Ordering::Relaxed) {
            self.keeper.sooner.notify_one();
        } else {
            runtime.spawn(keep(self.this.clone(), self.keeper.clone()));
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.keeper.sooner.notify_one();
    }
}

/// Tends a store for as long as it lives; one timer, set to what is next, and none if there is nothing.
async fn keep(store: Weak<Memory>, keeper: Arc<Keeper>) {
    loop {
        let Some((next, garbage)) = store.upgrade().map(|store| store.tend()) else { return };
        garbage.free().await;
        let due = async {
            match next {
                Some(next) => tokio::time::sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = keeper.sooner.notified() => {}
            () = due => {}
        }
    }
}

#[async_trait::async_trait]
impl Store for Memory {
    fn revision(&self) -> Revision {
        self.shared.revision()
    }

    fn revisions(&self) -> signal::Receiver<Revision> {
        self.shared.revisions()
    }

    async fn refresh(&self) -> Result<Revision, StoreError> {
        Ok(self.shared.revision())
    }

    async fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError> {
        self.shared.get(key, at)
    }

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.shared.range(request).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        let mut transaction = admit(transaction)?;
        let now = Moment::now(&self.clock);
        let (committed, aftermath, earlier, next) = {
            let mut core = self.shared.write();
            let earlier = core.next_tending(now);
            let mut staged = Staged::default();
            let committed = core.stage(&mut staged, &mut transaction, now)?;
            (committed, core.commit(staged, now), earlier, core.next_tending(now))
        };
        aftermath.wakeups.wake();
        drop(aftermath.garbage);
        self.keep(earlier, next);
        Ok(committed)
    }

    fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.shared.watch(request)
    }

    async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        self.shared.compact(revision).await
    }

    fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError> {
        self.shared.revision_at(time)
    }

    async fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError> {
        self.shared.changes(key)
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(self.shared.snapshot())
    }
}

#[cfg(test)]
mod tests;
