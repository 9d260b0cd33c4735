//! A view of part of the store, brought up to date when it is read.
//!
//! A mirror holds a watch and folds what has arrived into its state just before an answer is drawn
//! from it. It needs no task and no timer, and whoever reads sees every write that was
//! acknowledged before.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::{FutureExt, StreamExt};
use store::{Change, RangeRequest, StoreError, Watch, WatchItem, WatchRequest};

use crate::storage::Storage;

/// What a mirror makes of the objects below its prefix.
pub(crate) trait Fold: Default + Send {
    fn put(&mut self, key: &str, value: &[u8]);
    fn delete(&mut self, key: &str);
    /// After a batch of changes.
    fn settle(&mut self) {}
}

pub(crate) struct Mirror<T> {
    storage: Storage,
    prefix: String,
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    state: T,
    /// None after the watch was cut off: the state is then read anew.
    watch: Option<Watch>,
}

impl<T: Fold> Mirror<T> {
    pub(crate) async fn open(storage: Storage, prefix: impl Into<String>) -> Result<Self, StoreError> {
        let inner = Mutex::new(Inner { state: T::default(), watch: None });
        let mirror = Mirror { storage, prefix: prefix.into(), inner };
        mirror.catch_up().await?;
        Ok(mirror)
    }

    /// Folds in everything that was committed before the call.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        match self.drain() {
            true => Ok(()),
            // Seldom, so that nobody carries the room for it along.
            false => Box::pin(self.read_anew()).await,
        }
    }

    async fn read_anew(&self) -> Result<(), StoreError> {
        let range = self.storage.range(RangeRequest { prefix: self.prefix.clone(), ..RangeRequest::default() }).await?;
        let request = WatchRequest { prefix: self.prefix.clone(), after: range.revision, progress_every: None };
        let watch = self.storage.watch(request)?;
        let mut state = T::default();
        for entry in &range.entries {
            state.put(&entry.key, &entry.value);
        }
        state.settle();
        *self.lock() = Inner { state, watch: Some(watch) };
        self.drain();
        Ok(())
    }

    /// Draws an answer from the state as it was at the last [`Mirror::catch_up`].
    pub(crate) fn read<R>(&self, answer: impl FnOnce(&T) -> R) -> R {
        answer(&self.lock().state)
    }

    /// Takes what the watch has ready; false where there is no watch to take from.
    fn drain(&self) -> bool {
        let mut inner = self.lock();
        let Inner { state, watch } = &mut *inner;
        let Some(events) = watch else { return false };
        let mut changed = false;
        // The runtime's budget must not make events look absent that are there.
        while let Some(item) = tokio::task::unconstrained(events.next()).now_or_never() {
            match item {
                Some(Ok(WatchItem::Event(event))) => {
                    changed = true;
                    match &event.change {
                        Change::Put(entry) => state.put(&entry.key, &entry.value),
                        Change::Delete { key } => state.delete(key),
                    }
                }
                Some(Ok(WatchItem::Progress(_))) => {}
                Some(Err(_)) | None => {
                    *watch = None;
                    return false;
                }
            }
        }
        if changed {
            state.settle();
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
