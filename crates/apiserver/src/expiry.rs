//! Events live for an hour after their last write.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use stdx::Ambient;
use store::{Change, RangeRequest, Revision, StoreError, WatchItem};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::kinds;
use crate::storage::{self, Storage};

const LIFETIME: Duration = Duration::from_secs(3600);
/// After the store refused to answer, the next try waits this long.
const RETRY: Duration = Duration::from_secs(5);

/// Removes events as their time comes; one timer, set to the earliest, and none while there are none.
pub(crate) async fn run(storage: Storage, ambient: Ambient, cancel: CancellationToken) {
    loop {
        let ended = tokio::select! {
            () = cancel.cancelled() => return,
            ended = follow(&storage, &ambient) => ended,
        };
        match ended {
            // The watch fell behind: what there is is read anew at once.
            Err(StoreError::Compacted { .. }) | Ok(()) => {}
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "expired events could not be removed");
                tokio::select! {
                    () = cancel.cancelled() => return,
                    () = ambient.clock.sleep(RETRY) => {}
                }
            }
        }
    }
}

/// Keys by the moment they end; a key that is written again moves back.
#[derive(Default)]
struct Schedule {
    due: BTreeMap<(Instant, Arc<str>), Revision>,
    by_key: BTreeMap<Arc<str>, Instant>,
}

impl Schedule {
    fn set(&mut self, key: Arc<str>, at: Instant, revision: Revision) {
        self.forget(&key);
        self.by_key.insert(key.clone(), at);
        self.due.insert((at, key), revision);
    }

    fn forget(&mut self, key: &Arc<str>) {
        if let Some(at) = self.by_key.remove(key) {
            self.due.remove(&(at, key.clone()));
        }
    }

    fn earliest(&self) -> Option<Instant> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    fn pop_due(&mut self, now: Instant) -> Option<(Arc<str>, Revision)> {
        let (at, key) = self.due.keys().next().filter(|(at, _)| *at <= now)?.clone();
        self.by_key.remove(&key);
        let revision = self.due.remove(&(at, key.clone()))?;
        Some((key, revision))
    }
}

async fn follow(storage: &Storage, ambient: &Ambient) -> Result<(), StoreError> {
    let prefix = storage::prefix(kinds::required("", "v1", "events"), "");
    let range = storage.range(RangeRequest { prefix: prefix.clone(), ..RangeRequest::default() }).await?;
    let mut watch = storage.watch(&prefix, range.revision)?;
    let mut schedule = Schedule::default();
    // What an earlier run of the server left gets a full hour: its age is not worth decoding for.
    let at = ambient.clock.instant() + LIFETIME;
    for entry in range.entries {
        schedule.set(entry.key, at, entry.modified);
    }
    loop {
        let now = ambient.clock.instant();
        while let Some((key, revision)) = schedule.pop_due(now) {
            match storage.remove(&key, revision).await {
                // Written again or removed meanwhile: the watch tells.
                Ok(()) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let due = async {
            match schedule.earliest() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let item = tokio::select! {
            item = watch.next() => item,
            () = due => continue,
        };
        match item {
            Some(Ok(WatchItem::Event(event))) => match &event.change {
                Change::Put(entry) => {
                    let at = ambient.clock.instant() + LIFETIME;
                    schedule.set(entry.key.clone(), at, entry.modified);
                }
                Change::Delete { key } => schedule.forget(key),
            },
            Some(Ok(WatchItem::Progress(_))) => {}
            Some(Err(error)) => return Err(error),
            None => return Ok(()),
        }
    }
}
