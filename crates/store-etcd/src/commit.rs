//! One transaction, from the caller to etcd and back, also when the answer gets lost.
//!
//! A lost answer leaves three cases. If the watch, asked to be up to date, has brought the request's signature, it took
//! place. If not, and it changes a key that must be at a certain revision, it is sent again: whichever copy comes first
//! moves the key on and shuts the other out. All else is answered "unknown": the lost copy may still be on its way.

use std::sync::Arc;

use store::{Action, Committed, Entry, Expect, Operation, ReadAt, Revision, StoreError, Transaction};
use tokio::time::timeout_at;

use crate::engine::Inner;
use crate::grpc::{CallError, Code};
use crate::layout::Signature;
use crate::pending::Ticket;
use crate::plan::{Answer, Context, Plan, PlanError, plan};

/// How often one transaction is sent before the caller is told that it is not known.
const MAX_SENDS: usize = 3;

/// How often a removal of whatever is there is aimed anew because the key changed meanwhile.
const MAX_AIMS: usize = 64;

impl Inner {
    pub(crate) async fn commit(self: &Arc<Self>, transaction: Transaction) -> Result<Committed, StoreError> {
        let Ok(_permit) = self.transactions.acquire().await else { return Err(StoreError::Closed) };
        let Transaction { operations, author } = transaction;
        if let Some(keys) = blind_removals(&operations) {
            return self.remove_blindly(operations, &keys, author.as_deref()).await;
        }
        self.commit_as_is(&operations, author.as_deref()).await.map_err(|refused| refused.into_error(&operations))
    }

    /// Removals of whatever is there, and nothing else that has an effect: they must not take a revision where nothing
    /// is there. So they are aimed at what memory holds, and again at what etcd says instead.
    async fn remove_blindly(
        self: &Arc<Self>,
        operations: Vec<Operation>,
        blind: &[usize],
        author: Option<&store::Author>,
    ) -> Result<Committed, StoreError> {
        let mut held = Vec::with_capacity(operations.len());
        for operation in &operations {
            held.push(self.replica.get(&operation.key, ReadAt::Memory)?);
        }
        for _ in 0..MAX_AIMS {
            let mut aimed = operations.clone();
            for &index in blind {
                aimed[index].expect = held[index].as_ref().map_or(Expect::Absent, |held| Expect::At(held.modified));
            }
            match self.commit_as_is(&aimed, author).await {
                Err(Refused::Expectation { index, held: found }) if blind.contains(&index) => held = found,
                outcome => return outcome.map_err(|refused| refused.into_error(&operations)),
            }
        }
        Err(StoreError::Unavailable { reason: "others keep changing the same keys".into() })
    }

    async fn commit_as_is(
        self: &Arc<Self>,
        operations: &[Operation],
        author: Option<&store::Author>,
    ) -> Result<Committed, Refused> {
        let request = self.ambient.random.next_u64();
        let time_ns = i64::try_from(self.ambient.clock.now().as_nanosecond()).unwrap_or(i64::MAX);
        let signature = Signature::new(author, time_ns, request);
        let mut ticket = self.pending.enter(request);
        let mut may_have_landed = false;
        for _ in 0..MAX_SENDS {
            let leases = self.leases_of(operations).await?;
            let plan = self.plan(operations, &signature, &leases).map_err(Refused::plan)?;
            let lost = match self.client.transact(&plan.request, self.deadline()).await {
                Ok(response) => match plan.read(response).map_err(Refused::plan)? {
                    Answer::Committed(committed) => {
                        self.await_memory(&plan, &committed, &mut ticket).await;
                        return Ok(committed);
                    }
                    Answer::Refused { held } => {
                        // A copy that was sent before may be what moved the key.
                        if may_have_landed && let Some(revision) = self.find(&mut ticket).await? {
                            return self.remembered(operations, revision);
                        }
                        let index = plan.refusal(&held).ok_or_else(|| Refused::plan(PlanError::WrongAnswer))?;
                        return Err(Refused::Expectation { index, held });
                    }
                },
                Err(CallError::Refused { code: Code::NotFound, .. }) if leases.iter().any(|lease| *lease != 0) => {
                    self.leases.forget().await;
                    continue;
                }
                Err(error @ CallError::Interrupted { .. }) => error,
                Err(error) if may_have_landed => error,
                Err(error) => return Err(Refused::Store(self.refusal(error, Revision(0), size_bytes(operations)))),
            };
            if !plan.is_effective {
                return Err(Refused::Store(StoreError::Unavailable { reason: lost.to_string() }));
            }
            may_have_landed = true;
            if let Some(revision) = self.find(&mut ticket).await? {
                return self.remembered(operations, revision);
            }
            if !plan.is_repeatable {
                break;
            }
        }
        Err(unknown("its answer got lost"))
    }

    fn plan(&self, operations: &[Operation], signature: &Signature, leases: &[i64]) -> Result<Plan, PlanError> {
        let memory = |key: &str| self.replica.get(key, ReadAt::Memory).ok().flatten();
        plan(operations, &Context { layout: &self.layout, signature, leases, memory: &memory })
    }

    /// Where a request landed whose answer got lost, as far as etcd can tell by now.
    async fn find(self: &Arc<Self>, ticket: &mut Ticket) -> Result<Option<Revision>, Refused> {
        match self.refresh().await {
            Ok(_) => Ok(ticket.seen()),
            Err(error) => Err(unknown(&error.to_string())),
        }
    }

    /// Waits until memory holds what was committed. It is durable: if the watch is away, the caller is not kept.
    async fn await_memory(&self, plan: &Plan, committed: &Committed, ticket: &mut Ticket) {
        let deadline = self.deadline();
        let is_held = if plan.is_effective {
            timeout_at(deadline, ticket.landed()).await.is_ok_and(|landed| landed.is_some())
        } else {
            self.remember(committed.revision, deadline).await.is_ok()
        };
        if !is_held {
            tracing::warn!(revision = committed.revision.0, "committed, but memory is behind: etcd's watch is away");
        }
    }

    /// The answer to a transaction, from what history keeps of it.
    fn remembered(&self, operations: &[Operation], revision: Revision) -> Result<Committed, Refused> {
        let mut entries = Vec::with_capacity(operations.len());
        for operation in operations {
            let changes = self.replica.changes(&operation.key).map_err(Refused::Store)?;
            let change = changes.iter().rev().find(|event| event.revision == revision);
            entries.push(match (&operation.action, change) {
                (Action::Put { .. }, Some(event)) => event.current().cloned(),
                (Action::Delete, change) => change.and_then(|event| event.previous.clone()),
                (Action::Check, _) => {
                    self.replica.get(&operation.key, ReadAt::Exactly(revision)).map_err(Refused::Store)?
                }
                (Action::Put { .. }, None) => return Err(unknown("it took place and its history is gone already")),
            });
        }
        Ok(Committed { revision, entries })
    }

    async fn leases_of(&self, operations: &[Operation]) -> Result<Vec<i64>, Refused> {
        let mut leases = vec![0; operations.len()];
        for (lease, operation) in leases.iter_mut().zip(operations) {
            if let Action::Put { lifetime: Some(lifetime), .. } = operation.action {
                let granted =
                    self.leases.for_lifetime(lifetime, &self.client, self.ambient.clock, self.deadline()).await;
                *lease = granted.map_err(|error| Refused::Store(self.refusal(error, Revision(0), 0)))?;
            }
        }
        Ok(leases)
    }
}

/// Why a transaction did not, or may not have, taken place.
#[derive(Debug)]
enum Refused {
    /// The operation's key is not as expected; what all keys hold.
    Expectation {
        index: usize,
        held: Vec<Option<Entry>>,
    },
    Store(StoreError),
}

impl Refused {
    fn plan(error: PlanError) -> Refused {
        Refused::Store(match error {
            PlanError::TooManyOperations => {
                StoreError::InvalidTransaction { reason: "etcd takes 128 operations, one of which says who writes" }
            }
            PlanError::WrongAnswer => StoreError::Unavailable { reason: error.to_string() },
        })
    }

    fn into_error(self, operations: &[Operation]) -> StoreError {
        match self {
            Refused::Expectation { index, mut held } => {
                StoreError::Conflict { key: operations[index].key.clone(), current: held.swap_remove(index) }
            }
            Refused::Store(error) => error,
        }
    }
}

fn unknown(reason: &str) -> Refused {
    let reason = format!("it is not known whether the write took place: {reason}");
    Refused::Store(StoreError::Unavailable { reason })
}

/// The removals of whatever is there, if nothing else in the transaction is sure to change anything.
fn blind_removals(operations: &[Operation]) -> Option<Vec<usize>> {
    let mut blind = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        match (&operation.action, operation.expect) {
            (Action::Delete, Expect::Anything) => blind.push(index),
            (Action::Put { .. }, _) | (Action::Delete, Expect::At(_)) => return None,
            (Action::Delete, Expect::Absent) | (Action::Check, _) => {}
        }
    }
    (!blind.is_empty()).then_some(blind)
}

fn size_bytes(operations: &[Operation]) -> usize {
    let size = |operation: &Operation| match &operation.action {
        Action::Put { value, .. } => operation.key.len() + value.len(),
        Action::Delete | Action::Check => operation.key.len(),
    };
    operations.iter().map(size).sum()
}
