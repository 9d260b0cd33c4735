//! Finalizers that were taken off, though the cache does not show it yet.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::k8s::api::core::v1::Pod;
use reconcile::Informer;

use super::view::has_finalizer;
use crate::pods;

/// UIDs of pods. What the cache shows without finalizer, or not at all any longer, leaves the set.
#[derive(Debug, Default)]
pub(super) struct Released {
    uids: Mutex<BTreeSet<String>>,
}

impl Released {
    /// To be called before the write, so that no observation can come first.
    pub(super) fn expect(&self, pod: &Pod) {
        self.lock().insert(pods::uid(pod).to_owned());
    }

    pub(super) fn forget(&self, pod: &Pod) {
        self.lock().remove(pods::uid(pod));
    }

    pub(super) fn all(&self) -> BTreeSet<String> {
        self.lock().clone()
    }

    pub(super) fn watch(self: &Arc<Self>, pods: &Informer<Pod>) {
        let released = Arc::clone(self);
        pods.on_change(move |old, new| match (old, new) {
            (_, Some(new)) if !has_finalizer(new) => released.forget(new),
            (Some(old), None) => released.forget(old),
            _ => {}
        });
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.uids.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
