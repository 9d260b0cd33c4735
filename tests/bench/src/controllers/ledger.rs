//! What was written to the store, by kind, and how far the pods have come.

use std::collections::BTreeMap;

use memchr::memmem;
use store::{Change, Entry, Event};

#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    kinds: BTreeMap<String, Count>,
    /// Pods that have a node.
    pub(super) bound: usize,
    pub(super) running: usize,
}

#[derive(Clone, Debug, Default)]
struct Count {
    live: usize,
    writes: usize,
}

impl Ledger {
    /// Whether anything but a lease was written.
    pub(super) fn note(&mut self, event: &Event) -> bool {
        let (key, entry) = match &event.change {
            Change::Put(entry) => (&*entry.key, Some(entry)),
            Change::Delete { key } => (&**key, None),
        };
        // `/registry/GROUP/PLURAL/…`
        let kind = key.split('/').nth(3).unwrap_or_default();
        let count = self.kinds.entry(kind.to_owned()).or_default();
        count.writes += 1;
        count.live = (count.live + usize::from(entry.is_some())).saturating_sub(usize::from(event.previous.is_some()));
        if kind == "pods" {
            let previous = event.previous.as_ref();
            self.bound = step(self.bound, previous.is_some_and(is_bound), entry.is_some_and(is_bound));
            self.running = step(self.running, previous.is_some_and(is_running), entry.is_some_and(is_running));
        }
        kind != "leases"
    }

    pub(super) fn live(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, |count| count.live)
    }

    pub(super) fn writes(&self, kind: &str) -> usize {
        self.kinds.get(kind).map_or(0, |count| count.writes)
    }

    pub(super) fn all_writes(&self) -> usize {
        self.kinds.values().map(|count| count.writes).sum()
    }
}

fn step(count: usize, was: bool, is: bool) -> usize {
    (count + usize::from(is)).saturating_sub(usize::from(was))
}

fn is_bound(pod: &Entry) -> bool {
    memmem::find(&pod.value, b"\"nodeName\":\"").is_some()
}

fn is_running(pod: &Entry) -> bool {
    memmem::find(&pod.value, b"\"phase\":\"Running\"").is_some()
}
