//! etcd's calls, as far as the engine makes them.

use store::{Entry, Revision};
use tokio::time::Instant;

use crate::channel::{Channel, Streaming};
use crate::grpc::CallError;
use crate::messages::{
    CompactionRequest, CompactionResponse, KeyValue, LeaseGrantRequest, LeaseGrantResponse, RangeRequest,
    RangeResponse, TxnRequest, TxnResponse, WatchCreateRequest, WatchRequest, WatchRequestUnion, WatchResponse,
};

#[derive(Debug)]
pub(crate) struct Client {
    channel: Channel,
}

impl Client {
    pub(crate) fn new(channel: Channel) -> Self {
        Client { channel }
    }

    pub(crate) async fn range(&self, request: &RangeRequest, deadline: Instant) -> Result<RangeResponse, CallError> {
        self.channel.repeatable("etcdserverpb.KV/Range", request, deadline).await
    }

    pub(crate) async fn transact(&self, request: &TxnRequest, deadline: Instant) -> Result<TxnResponse, CallError> {
        self.channel.unary("etcdserverpb.KV/Txn", request, deadline).await
    }

    pub(crate) async fn compact(&self, revision: Revision, deadline: Instant) -> Result<(), CallError> {
        let request = CompactionRequest { revision: to_wire(revision) };
        let CompactionResponse {} = self.channel.repeatable("etcdserverpb.KV/Compact", &request, deadline).await?;
        Ok(())
    }

    /// A lease of at least so many seconds: its id, and the seconds it got. One that nobody learned of just ends.
    pub(crate) async fn grant_lease(&self, ttl_seconds: i64, deadline: Instant) -> Result<(i64, i64), CallError> {
        let request = LeaseGrantRequest { ttl_seconds };
        let granted: LeaseGrantResponse =
            self.channel.repeatable("etcdserverpb.Lease/LeaseGrant", &request, deadline).await?;
        if granted.error.is_empty() {
            Ok((granted.id, granted.ttl_seconds))
        } else {
            Err(CallError::Interrupted { reason: granted.error })
        }
    }

    pub(crate) async fn watch(
        &self,
        create: WatchCreateRequest,
        deadline: Instant,
    ) -> Result<Streaming<WatchResponse>, CallError> {
        let request = WatchRequest { request_union: Some(WatchRequestUnion::Create(create)) };
        self.channel.stream("etcdserverpb.Watch/Watch", &request, deadline).await
    }
}

/// etcd's revisions are signed, and never negative.
pub(crate) fn to_wire(revision: Revision) -> i64 {
    i64::try_from(revision.0).unwrap_or(i64::MAX)
}

pub(crate) fn from_wire(revision: i64) -> Revision {
    Revision(u64::try_from(revision).unwrap_or(0))
}

/// What etcd holds for an object, under the object's own key.
pub(crate) fn entry(key: &str, held: KeyValue) -> Entry {
    Entry {
        key: key.into(),
        value: held.value,
        created: from_wire(held.create_revision),
        modified: from_wire(held.mod_revision),
    }
}
