//! What a controller has written and its cache does not show yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use api::NamespacedName;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// Per object, the newest version this controller wrote. To decide from an older one would be to forget
/// what was decided: a counter would go back, a pod would be made twice.
#[derive(Debug, Default)]
pub(crate) struct Written {
    newest: Mutex<BTreeMap<NamespacedName, u64>>,
}

impl Written {
    /// An answer to a write.
    pub(crate) fn remember(&self, answer: &ObjectMeta) {
        if let Some(version) = version(answer) {
            self.lock().insert(NamespacedName::of(answer), version);
        }
    }

    /// Whether the cached object is at least as new as what was written. What is older will be followed
    /// by the event that shows the write.
    pub(crate) fn is_shown_by(&self, cached: &ObjectMeta) -> bool {
        let key = NamespacedName::of(cached);
        let mut newest = self.lock();
        match (newest.get(&key), version(cached)) {
            (Some(written), Some(shown)) if shown < *written => false,
            (None, _) => true,
            _ => {
                newest.remove(&key);
                true
            }
        }
    }

    pub(crate) fn forget(&self, key: &NamespacedName) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NamespacedName, u64>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Versions of one kind are ordered numbers.
fn version(metadata: &ObjectMeta) -> Option<u64> {
    metadata.resource_version.as_ref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_older_than_the_last_write_is_not_trusted() {
        let at = |version: &str| ObjectMeta {
            name: Some("a".into()),
            resource_version: Some(version.into()),
            ..ObjectMeta::default()
        };
        let written = Written::default();
        assert!(written.is_shown_by(&at("7")));
        written.remember(&at("10"));
        assert!(!written.is_shown_by(&at("9")));
        assert!(written.is_shown_by(&at("10")));
        written.remember(&at("10"));
        assert!(written.is_shown_by(&at("12")));
    }
}
