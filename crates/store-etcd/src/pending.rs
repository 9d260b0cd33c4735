//! Transactions under way: each learns from the watch where it landed, whatever became of its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Revision;
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(crate) struct Pending {
    requests: Mutex<HashMap<u64, oneshot::Sender<Revision>>>,
}

/// One transaction's place among those under way, until dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    pending: Arc<Pending>,
    request: u64,
    landed: oneshot::Receiver<Revision>,
}

impl Pending {
    pub(crate) fn enter(self: &Arc<Self>, request: u64) -> Ticket {
        let (sender, landed) = oneshot::channel();
        self.lock().insert(request, sender);
        Ticket { pending: self.clone(), request, landed }
    }

    /// Memory holds what this request did.
    pub(crate) fn landed(&self, request: u64, revision: Revision) {
        let waiting = self.lock().remove(&request);
        if waiting.is_some_and(|waiting| waiting.send(revision).is_err()) {
            tracing::debug!(revision = revision.0, "a transaction landed after its caller had left");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Revision>>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits until memory holds what the request did; `None` when the watch passed it over.
    pub(crate) async fn landed(&mut self) -> Option<Revision> {
        (&mut self.landed).await.ok()
    }

    /// Where the request landed, as far as memory knows now.
    pub(crate) fn seen(&mut self) -> Option<Revision> {
        self.landed.try_recv().ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pending.lock().remove(&self.request);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_learns_where_it_landed_and_leaves_nothing() {
        let pending = Arc::new(Pending::default());
        let (mut first, mut second) = (pending.enter(1), pending.enter(2));
        pending.landed(1, Revision(7));
        pending.landed(3, Revision(8));
        assert_eq!((first.seen(), second.seen()), (Some(Revision(7)), None));
        drop((first, second));
        assert!(pending.lock().is_empty());
    }
}
