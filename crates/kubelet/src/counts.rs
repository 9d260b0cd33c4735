//! Counters for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How often something happened, by what it was. Whoever counts keeps the number of keys bounded.
#[derive(Debug)]
pub(crate) struct Counts<K> {
    by_key: Mutex<BTreeMap<K, u64>>,
}

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Counts { by_key: Mutex::default() }
    }
}

impl<K: Ord + Clone> Counts<K> {
    pub(crate) fn add(&self, key: K) {
        let mut by_key = self.lock();
        let count = by_key.entry(key).or_default();
        *count = count.saturating_add(1);
    }

    pub(crate) fn all(&self) -> Vec<(K, u64)> {
        self.lock().iter().map(|(key, count)| (key.clone(), *count)).collect()
    }

    /// Forgets what is no longer to be told of.
    pub(crate) fn retain(&self, keep: impl Fn(&K) -> bool) {
        self.lock().retain(|key, _| keep(key));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, u64>> {
        self.by_key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose probes ended how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ProbeKey {
    pub(crate) container: String,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) pod_uid: String,
    pub(crate) kind: crate::probe::Kind,
    /// `successful` or `failed`.
    pub(crate) result: &'static str,
}
