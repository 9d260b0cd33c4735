//! A transaction of the store as one of etcd's, and etcd's answer as the store's. Nothing here talks to anybody.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use store::{Action, Committed, Entry, Expect, Operation, Revision};

use crate::client::{entry, from_wire, to_wire};
use crate::layout::{Layout, Signature};
use crate::messages::{
    Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RequestOp, Response, ResponseOp, TxnRequest,
    TxnResponse, revision_of,
};

/// The most that etcd takes in one transaction unless it is told otherwise (`--max-txn-ops`).
const MAX_REQUESTS: usize = 128;

/// One attempt at a transaction.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) request: TxnRequest,
    /// Whether it changes anything when its expectations hold.
    pub(crate) is_effective: bool,
    /// Whether, once it took place, it cannot take place again: it changes a key that must be at a certain revision.
    pub(crate) is_repeatable: bool,
    steps: Vec<Step>,
}

/// One operation, and where its answer comes from.
#[derive(Debug)]
struct Step {
    key: Arc<str>,
    expect: Expect,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// `created` is known where the key must be absent, or memory holds the revision it must be at.
    Put {
        value: Bytes,
        created: Option<Created>,
    },
    Delete,
    Check,
}

#[derive(Clone, Copy, Debug)]
enum Created {
    Now,
    At(Revision),
}

/// What came of an attempt.
#[derive(Debug)]
pub(crate) enum Answer {
    Committed(Committed),
    /// An expectation did not hold; what each operation's key holds, at this revision.
    Refused {
        held: Vec<Option<Entry>>,
    },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("etcd takes 128 operations, one of which says who writes")]
    TooManyOperations,
    #[error("etcd's answer does not fit the transaction")]
    WrongAnswer,
}

/// What [`plan`] needs to know beside the operations.
pub(crate) struct Context<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) signature: &'a Signature,
    /// The lease of each operation; 0 for none.
    pub(crate) leases: &'a [i64],
    /// What memory holds.
    pub(crate) memory: &'a dyn Fn(&str) -> Option<Entry>,
}

pub(crate) fn plan(operations: &[Operation], context: &Context<'_>) -> Result<Plan, PlanError> {
    let layout = context.layout;
    let mut request = TxnRequest::default();
    let (mut is_effective, mut is_repeatable) = (false, false);
    let mut steps = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        let key = layout.object(&operation.key);
        match operation.expect {
            Expect::Absent => request.compare.push(Compare::modified_at(key.clone(), 0)),
            Expect::At(revision) => request.compare.push(Compare::modified_at(key.clone(), to_wire(revision))),
            Expect::Anything => {}
        }
        let look = RangeRequest { key: key.clone(), ..RangeRequest::default() };
        request.failure.push(RequestOp::range(look.clone()));
        let changes =
            !matches!((&operation.action, operation.expect), (Action::Check, _) | (Action::Delete, Expect::Absent));
        is_effective |= changes;
        is_repeatable |= changes && matches!(operation.expect, Expect::At(_));
        let kind = match &operation.action {
            Action::Put { value, .. } => {
                let created = match operation.expect {
                    Expect::Absent => Some(Created::Now),
                    Expect::At(revision) => (context.memory)(&operation.key)
                        .filter(|held| held.modified == revision)
                        .map(|held| Created::At(held.created)),
                    Expect::Anything => None,
                };
                let lease = context.leases.get(index).copied().unwrap_or(0);
                let put = PutRequest { key, value: value.clone(), lease, prev_kv: created.is_none() };
                request.success.push(RequestOp::put(put));
                Kind::Put { value: value.clone(), created }
            }
            Action::Delete if changes => {
                request.success.push(RequestOp::delete(DeleteRangeRequest { key, prev_kv: true }));
                Kind::Delete
            }
            Action::Delete | Action::Check => {
                request.success.push(RequestOp::range(look));
                Kind::Check
            }
        };
        steps.push(Step { key: operation.key.clone(), expect: operation.expect, kind });
    }
    let signature = layout.signature();
    request.success.push(if is_effective {
        let value = context.signature.encode_to_vec().into();
        RequestOp::put(PutRequest { key: signature, value, ..PutRequest::default() })
    } else {
        RequestOp::range(RangeRequest { key: signature, ..RangeRequest::default() })
    });
    if request.success.len() > MAX_REQUESTS {
        return Err(PlanError::TooManyOperations);
    }
    Ok(Plan { request, is_effective, is_repeatable, steps })
}

impl Plan {
    pub(crate) fn read(&self, response: TxnResponse) -> Result<Answer, PlanError> {
        let revision = from_wire(revision_of(&response.header));
        let mut responses = response.responses.into_iter();
        if !response.succeeded {
            let held = self
                .steps
                .iter()
                .zip(&mut responses)
                .map(|(step, response)| Ok(found(response)?.map(|held| entry(&step.key, held))));
            let held = held.collect::<Result<Vec<_>, PlanError>>()?;
            return if held.len() == self.steps.len() {
                Ok(Answer::Refused { held })
            } else {
                Err(PlanError::WrongAnswer)
            };
        }
        let mut entries = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let response = responses.next().ok_or(PlanError::WrongAnswer)?;
            entries.push(step.read(response, revision)?);
        }
        if self.is_effective {
            return Ok(Answer::Committed(Committed { revision, entries }));
        }
        // The store's newest revision then: etcd's own may have been moved by others since.
        let signature = found(responses.next().ok_or(PlanError::WrongAnswer)?)?;
        let seen = entries.iter().flatten().map(|entry: &Entry| entry.modified);
        let newest = seen.chain(signature.map(|held| from_wire(held.mod_revision))).max();
        // A store that nobody has ever written to stands before its first revision.
        Ok(Answer::Committed(Committed { revision: newest.unwrap_or(Revision(0)), entries }))
    }

    /// The first operation whose expectation does not hold against what was found.
    pub(crate) fn refusal(&self, held: &[Option<Entry>]) -> Option<usize> {
        self.steps.iter().zip(held).position(|(step, held)| match step.expect {
            Expect::Absent => held.is_some(),
            Expect::At(revision) => held.as_ref().is_none_or(|held| held.modified != revision),
            Expect::Anything => false,
        })
    }
}

impl Step {
    fn read(&self, response: ResponseOp, revision: Revision) -> Result<Option<Entry>, PlanError> {
        match (&self.kind, response.response) {
            (Kind::Put { value, created }, Some(Response::Put(put))) => {
                let created = match (created, put.prev_kv) {
                    (Some(Created::At(created)), _) => *created,
                    (None, Some(previous)) => from_wire(previous.create_revision),
                    (Some(Created::Now) | None, _) => revision,
                };
                Ok(Some(Entry { key: self.key.clone(), value: value.clone(), created, modified: revision }))
            }
            (Kind::Delete, Some(Response::DeleteRange(deleted))) => {
                Ok(deleted.prev_kvs.into_iter().next().map(|held| entry(&self.key, held)))
            }
            (Kind::Check, response @ Some(Response::Range(_))) => {
                Ok(found(ResponseOp { response })?.map(|held| entry(&self.key, held)))
            }
            _ => Err(PlanError::WrongAnswer),
        }
    }
}

fn found(response: ResponseOp) -> Result<Option<KeyValue>, PlanError> {
    match response.response {
        Some(Response::Range(range)) => Ok(range.kvs.into_iter().next()),
        _ => Err(PlanError::WrongAnswer),
    }
}
