//! Who is told of which event.

mod stream;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use stdx::waiters::Wakeups;
use tokio::runtime::Handle;

pub(crate) use stream::WatchStream;

use crate::ring::{Reader, Ring};
use crate::{Event, Revision};

/// More waiting tasks than these are woken by a task of their own.
const MAX_WOKEN_IN_PLACE: usize = 128;

/// The rings that live watchers read, found by the prefixes of an event's key: an event costs a
/// look-up for each *length* of prefix that is being watched, however many watchers there are.
#[derive(Debug)]
pub(crate) struct Watchers {
    by_prefix: HashMap<Arc<str>, Arc<Ring>>,
    /// How many watched prefixes there are of each length.
    lengths: BTreeMap<usize, usize>,
    /// The rings that got something since the last waking.
    touched: Vec<Arc<Ring>>,
    /// How many events a watcher may fall behind.
    room: usize,
    is_closed: bool,
    /// Where watchers run.
    runtime: Option<Handle>,
}

/// Who is to be told that something happened.
#[must_use = "whoever is not told waits for ever"]
#[derive(Debug, Default)]
pub(crate) struct Notice {
    wakeups: Wakeups,
    runtime: Option<Handle>,
}

impl Notice {
    /// Tells them; where they are many, without holding up the caller, who may be a writer.
    pub(crate) fn wake(self) {
        match self.runtime {
            // A runtime that has ended drops the task, and that wakes them too.
            Some(runtime) => drop(runtime.spawn(async move { self.wakeups.wake() })),
            None => self.wakeups.wake(),
        }
    }
}

impl Watchers {
    pub(crate) fn new(room: usize) -> Self {
        Watchers {
            by_prefix: HashMap::new(),
            lengths: BTreeMap::new(),
            touched: Vec::new(),
            room,
            is_closed: false,
            runtime: None,
        }
    }

    pub(crate) fn join(&mut self, prefix: &str) -> Reader {
        if self.runtime.is_none() {
            self.runtime = Handle::try_current().ok();
        }
        if let Some(ring) = self.by_prefix.get(prefix) {
            return ring.join();
        }
        let ring = Ring::new(self.room);
        if self.is_closed {
            ring.close().wake();
            return ring.join();
        }
        *self.lengths.entry(prefix.len()).or_default() += 1;
        self.by_prefix.insert(prefix.into(), ring.clone());
        ring.join()
    }

    pub(crate) fn leave(&mut self, prefix: &str, reader: Reader) {
        let ring = reader.ring().clone();
        let is_deserted = reader.leave();
        // After a close the prefix may be another ring's already.
        let is_ours = self.by_prefix.get(prefix).is_some_and(|other| Arc::ptr_eq(other, &ring));
        if is_deserted && is_ours {
            self.by_prefix.remove(prefix);
            if let Some(prefixes) = self.lengths.get_mut(&prefix.len()) {
                *prefixes -= 1;
                if *prefixes == 0 {
                    self.lengths.remove(&prefix.len());
                }
            }
        }
    }

    /// Puts the event into the rings of all watched prefixes of its key.
    pub(crate) fn deliver(&mut self, event: &Arc<Event>) {
        let key = event.key();
        for &length in self.lengths.keys().take_while(|&&length| length <= key.len()) {
            let Some(prefix) = key.get(..length) else { continue };
            let Some(ring) = self.by_prefix.get(prefix) else { continue };
            if ring.push(event.clone()) {
                self.touched.push(ring.clone());
            }
        }
    }

    /// Notice for whoever waits for what has been delivered since the last call, and for others.
    pub(crate) fn take_notice(&mut self, others: Wakeups) -> Notice {
        let mut wakeups = Wakeups::default();
        for ring in self.touched.drain(..) {
            wakeups.append(ring.take_waiters());
        }
        wakeups.append(others);
        let runtime = if wakeups.len() > MAX_WOKEN_IN_PLACE { self.runtime.clone() } else { None };
        Notice { wakeups, runtime }
    }

    /// Ends every watch for having missed what was before `revision`.
    pub(crate) fn cut_off(&mut self, revision: Revision) -> Wakeups {
        self.for_each_ring(|ring| ring.lose(revision))
    }

    /// Ends every watch, also those that are still to join.
    pub(crate) fn close(&mut self) -> Wakeups {
        self.is_closed = true;
        let wakeups = self.for_each_ring(Ring::close);
        self.by_prefix.clear();
        self.lengths.clear();
        wakeups
    }

    fn for_each_ring(&self, act: impl Fn(&Ring) -> Wakeups) -> Wakeups {
        let mut rings: Vec<_> = self.by_prefix.iter().collect();
        // In an order that repeats itself.
        rings.sort_by_key(|(prefix, _)| *prefix);
        let mut wakeups = Wakeups::default();
        rings.into_iter().for_each(|(_, ring)| wakeups.append(act(ring)));
        wakeups
    }
}

impl Drop for Watchers {
    fn drop(&mut self) {
        self.close().wake();
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};
    use std::time::SystemTime;

    use super::*;
    use crate::Change;

    fn event(key: &str) -> Arc<Event> {
        Arc::new(Event {
            revision: Revision(1),
            change: Change::Delete { key: key.into() },
            previous: None,
            time: SystemTime::UNIX_EPOCH,
            author: None,
        })
    }

    fn received(reader: &mut Reader) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        std::iter::from_fn(|| matches!(reader.poll_next(&mut context), Poll::Ready(Ok(_))).then_some(())).count()
    }

    #[test]
    fn events_reach_the_watchers_of_their_prefixes_only() {
        let mut watchers = Watchers::new(8);
        let prefixes = ["", "pods/", "pods/default/", "nodes/", "pods/"];
        let mut readers = prefixes.map(|prefix| watchers.join(prefix));
        for key in ["pods/default/a", "pods/other/b", "nodes/n", "podsx", "é"] {
            watchers.deliver(&event(key));
        }
        assert_eq!(readers.each_mut().map(received), [5, 2, 1, 1, 2]);
        for (prefix, reader) in prefixes.into_iter().zip(readers) {
            watchers.leave(prefix, reader);
        }
        assert!(watchers.by_prefix.is_empty() && watchers.lengths.is_empty(), "whoever left leaves nothing behind");
    }
}
