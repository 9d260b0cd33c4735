//! What a controller has done and its cache does not show yet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::NamespacedName;
use stdx::Clock;
use tokio::time::Instant;

/// After this, an expectation that was never met is given up: better to act on a stale view than never.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Per owner, the creations and deletions it still has to observe. Until it has, its count of
/// dependents is not to be trusted, or it would create too many.
#[derive(Debug)]
pub struct Expectations {
    clock: Clock,
    pending: Mutex<BTreeMap<NamespacedName, Pending>>,
}

#[derive(Debug)]
struct Pending {
    creations: usize,
    deletions: BTreeSet<String>,
    since: Instant,
}

impl Expectations {
    pub fn new(clock: Clock) -> Self {
        Expectations { clock, pending: Mutex::default() }
    }

    /// To be called before the writes, so that no observation can come first. Replaces what was
    /// expected before. Deletions are told apart by UID: an update may be seen before the deletion.
    pub fn expect(&self, owner: &NamespacedName, creations: usize, deletions: impl IntoIterator<Item = String>) {
        let pending = Pending { creations, deletions: deletions.into_iter().collect(), since: self.clock.instant() };
        self.lock().insert(owner.clone(), pending);
    }

    /// A dependent was seen, or its creation failed or was never tried.
    pub fn creation_observed(&self, owner: &NamespacedName) {
        if let Some(pending) = self.lock().get_mut(owner) {
            pending.creations = pending.creations.saturating_sub(1);
        }
    }

    /// A dependent was seen going, or its deletion failed.
    pub fn deletion_observed(&self, owner: &NamespacedName, uid: &str) {
        if let Some(pending) = self.lock().get_mut(owner) {
            pending.deletions.remove(uid);
        }
    }

    /// The owner is gone.
    pub fn forget(&self, owner: &NamespacedName) {
        self.lock().remove(owner);
    }

    /// Whether the cache shows all that was done, or has had time enough.
    pub fn satisfied(&self, owner: &NamespacedName) -> bool {
        self.lock().get(owner).is_none_or(|pending| {
            (pending.creations == 0 && pending.deletions.is_empty())
                || self.clock.instant().duration_since(pending.since) > TIMEOUT
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NamespacedName, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_every_creation_and_deletion_but_not_for_ever() {
        let expectations = Expectations::new(Clock::simulated());
        let owner = NamespacedName::new("default", "web");
        assert!(expectations.satisfied(&owner));
        expectations.expect(&owner, 2, ["uid-1".to_owned()]);
        expectations.creation_observed(&owner);
        expectations.creation_observed(&owner);
        assert!(!expectations.satisfied(&owner));
        expectations.deletion_observed(&owner, "uid-0");
        assert!(!expectations.satisfied(&owner));
        expectations.deletion_observed(&owner, "uid-1");
        assert!(expectations.satisfied(&owner));
        expectations.expect(&owner, 1, []);
        tokio::time::advance(Duration::from_secs(301)).await;
        assert!(expectations.satisfied(&owner));
    }
}
