//! The engine that keeps everything in memory: for tests, simulations, and clusters that may be
//! forgotten. It has no thread and no timer, so it also runs on virtual time.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use bytes::Bytes;
use stdx::Clock;
use tokio::sync::watch;

use crate::core::{Core, Staged, read_range};
use crate::{Entry, Expect, Options, Range, RangeRequest, Revision, Store, StoreError, Watch};

#[derive(Debug)]
pub struct Memory {
    core: Arc<RwLock<Core>>,
    clock: Clock,
}

impl Memory {
    pub fn new() -> Arc<Memory> {
        Memory::with_options(Options::default())
    }

    pub fn with_options(options: Options) -> Arc<Memory> {
        // Only the monotonic side of the clock is read, which is virtual on a paused runtime.
        Arc::new(Memory { core: Arc::new(RwLock::new(Core::empty(&options))), clock: Clock::system() })
    }

    fn read(&self) -> RwLockReadGuard<'_, Core> {
        self.core.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Core> {
        self.core.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Store for Memory {
    fn revision(&self) -> Revision {
        self.read().revision()
    }

    fn revisions(&self) -> watch::Receiver<Revision> {
        self.read().revisions()
    }

    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.read().get(key)
    }

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        let (revision, tree) = self.write().view(&request)?;
        Ok(read_range(&tree, revision, &request))
    }

    async fn put(&self, key: &str, value: Bytes, expect: Expect) -> Result<Entry, StoreError> {
        let mut core = self.write();
        let mut staged = Staged::default();
        let entry = core.stage_put(&mut staged, key, value, expect)?;
        core.commit(staged, self.clock.instant());
        Ok(entry)
    }

    async fn delete(&self, key: &str, expect: Revision) -> Result<(Revision, Entry), StoreError> {
        let mut core = self.write();
        let mut staged = Staged::default();
        let removed = core.stage_delete(&mut staged, key, expect)?;
        core.commit(staged, self.clock.instant());
        Ok(removed)
    }

    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, StoreError> {
        let stream = self.write().watch(prefix, after, Arc::downgrade(&self.core))?;
        Ok(Box::pin(stream))
    }

    async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        self.write().compact(revision)
    }
}
