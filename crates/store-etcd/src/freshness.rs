//! Memory brought up to everything that was acknowledged before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Revision, StoreError};
use tokio::sync::oneshot;

use crate::client::from_wire;
use crate::engine::{Head, Inner};
use crate::grpc::CallError;
use crate::messages::{PutRequest, RequestOp, TxnRequest, revision_of};

/// Those who want to know how new memory is. One question to etcd answers all that came before it was asked; whoever
/// comes later waits for the next.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<oneshot::Sender<Result<Head, CallError>>>,
    is_asking: bool,
}

impl Inner {
    /// Waits until memory holds everything that was acknowledged before the call.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Result<Revision, StoreError> {
        let head = self.shared_head().await?;
        self.remember(head.signed, self.deadline()).await
    }

    /// Waits until memory holds a revision; an error where etcd has not come so far.
    pub(crate) async fn reach_revision(self: &Arc<Self>, revision: Revision) -> Result<(), StoreError> {
        if self.replica.revision() >= revision {
            return Ok(());
        }
        let head = self.shared_head().await?;
        self.remember(head.signed.min(revision), self.deadline()).await?;
        let newest = self.replica.revision();
        if newest >= revision {
            return Ok(());
        }
        if head.revision < revision {
            return Err(StoreError::FutureRevision { requested: revision.0, newest: newest.0 });
        }
        // etcd moved by something that was not a transaction of the store: the end of a lease, or another program. A
        // write of our own brings memory past it.
        let tick = PutRequest { key: self.layout.tick(), ..PutRequest::default() };
        let request = TxnRequest { success: vec![RequestOp::put(tick)], ..TxnRequest::default() };
        let ticked = self.client.transact(&request, self.deadline()).await;
        let ticked = ticked.map_err(|error| self.refusal(error, revision, 0))?;
        self.remember(from_wire(revision_of(&ticked.header)), self.deadline()).await?;
        Ok(())
    }

    async fn shared_head(self: &Arc<Self>) -> Result<Head, StoreError> {
        let (sender, answer) = oneshot::channel();
        let begins = {
            let mut state = self.freshness.lock();
            state.waiting.push(sender);
            !std::mem::replace(&mut state.is_asking, true)
        };
        if begins {
            // On its own: the one who came first may leave.
            tokio::spawn(self.clone().ask());
        }
        let head = answer.await.map_err(|_| StoreError::Closed)?;
        head.map_err(|error| self.refusal(error, Revision(0), 0))
    }

    /// Asks until nobody waits any more.
    async fn ask(self: Arc<Self>) {
        loop {
            let waiting = {
                let mut state = self.freshness.lock();
                state.is_asking = !state.waiting.is_empty();
                if !state.is_asking {
                    return;
                }
                std::mem::take(&mut state.waiting)
            };
            let head = self.head(self.deadline()).await;
            for waiter in waiting {
                // Whoever asked may have left.
                drop(waiter.send(head.clone()));
            }
        }
    }
}

impl Freshness {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
