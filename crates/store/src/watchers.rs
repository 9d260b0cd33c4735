//! Who is told of which event.

use std::collections::{BTreeMap, HashMap};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::task::{Context, Poll, ready};
use std::vec;

use futures::Stream;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::core::Core;
use crate::{Event, Revision, StoreError, WatchItem};

/// The live watchers, found by the prefixes of an event's key: an event costs a look-up for each
/// *length* of prefix that is being watched, however many watchers there are.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    by_prefix: HashMap<Arc<str>, Vec<Watcher>>,
    /// How many watched prefixes there are of each length.
    lengths: BTreeMap<usize, usize>,
    next_id: u64,
}

#[derive(Debug)]
struct Watcher {
    id: u64,
    queue: mpsc::Sender<Arc<Event>>,
    cut_off: Arc<CutOff>,
}

/// The revision that no longer fitted a slow watcher's queue; 0 while all is well.
#[derive(Debug, Default)]
struct CutOff(AtomicU64);

/// What a new watcher reads from.
#[derive(Debug)]
pub(crate) struct Registration {
    prefix: Arc<str>,
    id: u64,
    queue: mpsc::Receiver<Arc<Event>>,
    cut_off: Arc<CutOff>,
}

impl Watchers {
    pub(crate) fn register(&mut self, prefix: &str, queue_length: usize) -> Registration {
        let (sender, receiver) = mpsc::channel(queue_length);
        let id = self.next_id;
        self.next_id += 1;
        let cut_off = Arc::new(CutOff::default());
        let prefix: Arc<str> = prefix.into();
        let watchers = self.by_prefix.entry(prefix.clone()).or_default();
        if watchers.is_empty() {
            *self.lengths.entry(prefix.len()).or_default() += 1;
        }
        watchers.push(Watcher { id, queue: sender, cut_off: cut_off.clone() });
        Registration { prefix, id, queue: receiver, cut_off }
    }

    /// Puts the event into the queue of everyone who watches a prefix of its key. Whoever has no
    /// room left is cut off.
    pub(crate) fn deliver(&mut self, event: &Arc<Event>) {
        let key = event.key();
        let mut deserted: Vec<Arc<str>> = Vec::new();
        for &length in self.lengths.keys().take_while(|&&length| length <= key.len()) {
            let Some(prefix) = key.get(..length) else { continue };
            let Some(watchers) = self.by_prefix.get_mut(prefix) else { continue };
            watchers.retain(|watcher| match watcher.queue.try_send(event.clone()) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    watcher.cut_off.0.store(event.revision.0, Ordering::Release);
                    false
                }
                Err(TrySendError::Closed(_)) => false,
            });
            if watchers.is_empty() {
                deserted.push(prefix.into());
            }
        }
        for prefix in deserted {
            self.forget_prefix(&prefix);
        }
    }

    /// Ends every watch.
    pub(crate) fn close(&mut self) {
        self.by_prefix.clear();
        self.lengths.clear();
    }

    fn unregister(&mut self, prefix: &str, id: u64) {
        // Whoever was cut off is gone already.
        let Some(watchers) = self.by_prefix.get_mut(prefix) else { return };
        watchers.retain(|watcher| watcher.id != id);
        if watchers.is_empty() {
            self.forget_prefix(prefix);
        }
    }

    fn forget_prefix(&mut self, prefix: &str) {
        if self.by_prefix.remove(prefix).is_none() {
            return;
        }
        if let Some(prefixes) = self.lengths.get_mut(&prefix.len()) {
            *prefixes -= 1;
            if *prefixes == 0 {
                self.lengths.remove(&prefix.len());
            }
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.by_prefix.is_empty() && self.lengths.is_empty()
    }
}

/// A watch: the past, a [`WatchItem::Progress`] where it ends, then what comes.
#[derive(Debug)]
pub(crate) struct WatchStream {
    replay: vec::IntoIter<Arc<Event>>,
    caught_up: Option<Revision>,
    /// `None` once the end was told.
    live: Option<Registration>,
    delivered: Revision,
    core: Weak<RwLock<Core>>,
}

impl WatchStream {
    /// `replay` are the events between the revision the watcher knows and `caught_up`; `live` has
    /// been registered at `caught_up`.
    pub(crate) fn new(
        replay: Vec<Arc<Event>>,
        caught_up: Revision,
        live: Registration,
        core: Weak<RwLock<Core>>,
    ) -> Self {
        WatchStream {
            replay: replay.into_iter(),
            caught_up: Some(caught_up),
            live: Some(live),
            delivered: caught_up,
            core,
        }
    }

    fn leave(&mut self) {
        if let Some(registration) = self.live.take()
            && let Some(core) = self.core.upgrade()
        {
            let mut core = core.write().unwrap_or_else(PoisonError::into_inner);
            core.watchers.unregister(&registration.prefix, registration.id);
        }
    }
}

impl Stream for WatchStream {
    type Item = Result<WatchItem, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(event) = self.replay.next() {
            return Poll::Ready(Some(Ok(WatchItem::Event(event))));
        }
        if let Some(revision) = self.caught_up.take() {
            return Poll::Ready(Some(Ok(WatchItem::Progress(revision))));
        }
        let Some(live) = &mut self.live else { return Poll::Ready(None) };
        match ready!(live.queue.poll_recv(context)) {
            Some(event) => {
                self.delivered = event.revision;
                Poll::Ready(Some(Ok(WatchItem::Event(event))))
            }
            None => {
                let error = match live.cut_off.0.load(Ordering::Acquire) {
                    0 => StoreError::Closed,
                    oldest => StoreError::Compacted { requested: self.delivered.0, oldest },
                };
                self.leave();
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

impl Drop for WatchStream {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Change;

    fn event(key: &str) -> Arc<Event> {
        Arc::new(Event { revision: Revision(1), change: Change::Delete { key: key.into() }, previous: None })
    }

    fn received(registration: &mut Registration) -> usize {
        std::iter::from_fn(|| registration.queue.try_recv().ok()).count()
    }

    #[test]
    fn events_reach_the_watchers_of_their_prefixes_only() {
        let mut watchers = Watchers::default();
        let mut all = watchers.register("", 8);
        let mut pods = watchers.register("pods/", 8);
        let mut default = watchers.register("pods/default/", 8);
        let mut nodes = watchers.register("nodes/", 8);
        for key in ["pods/default/a", "pods/other/b", "nodes/n", "podsx", "é"] {
            watchers.deliver(&event(key));
        }
        assert_eq!([&mut all, &mut pods, &mut default, &mut nodes].map(received), [5, 2, 1, 1]);

        drop(pods);
        watchers.deliver(&event("pods/default/a"));
        for registration in [&all, &default, &nodes] {
            watchers.unregister(&registration.prefix, registration.id);
        }
        assert!(watchers.is_empty(), "whoever left, in either way, leaves nothing behind");
    }
}
