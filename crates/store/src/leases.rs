//! Keys that end by themselves.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use crate::shared::Moment;
use crate::tree::{Keyed, Tree};

/// When a key ends.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    key: Arc<str>,
    /// What outlives a restart.
    due: SystemTime,
    /// The same by the clock that nobody sets.
    at: Instant,
}

impl Keyed for Lease {
    fn key(&self) -> &Arc<str> {
        &self.key
    }
}

impl Lease {
    pub(crate) fn due(&self) -> SystemTime {
        self.due
    }
}

#[derive(Debug)]
pub(crate) struct Leases {
    by_key: Tree<Lease>,
    by_time: BTreeSet<(Instant, Arc<str>)>,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Leases { by_key: Tree::new(), by_time: BTreeSet::new() }
    }

    /// All leases, to be read while these go on.
    pub(crate) fn by_key(&self) -> Tree<Lease> {
        self.by_key.clone()
    }

    pub(crate) fn grant(&mut self, key: Arc<str>, due: SystemTime, now: Moment) {
        self.end(&key);
        let left = due.duration_since(now.wall).unwrap_or_default();
        // What lies beyond the clock's end never comes.
        let Some(at) = now.instant.checked_add(left) else { return };
        self.by_time.insert((at, key.clone()));
        self.by_key.insert(Lease { key, due, at });
    }

    pub(crate) fn end(&mut self, key: &str) {
        if let Some(Lease { key, at, .. }) = self.by_key.remove(key) {
            self.by_time.remove(&(at, key));
        }
    }

    pub(crate) fn earliest(&self) -> Option<Instant> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// The keys whose time has come, the earliest first.
    pub(crate) fn due(&self, now: Instant) -> impl Iterator<Item = &Arc<str>> {
        self.by_time.iter().take_while(move |(at, _)| *at <= now).map(|(_, key)| key)
    }
}
