//! etcd's history kept within the store's limits, as upstream's compactor does it: every few minutes, by one of the
//! servers that share the etcd.

use std::sync::Arc;
use std::time::Duration;

use store::Revision;

use crate::engine::Inner;
use crate::grpc::{CallError, Code};
use crate::messages::{Compare, PutRequest, RangeRequest, RequestOp, Response, TxnRequest, TxnResponse};

/// How often upstream's API server does so (`--etcd-compaction-interval`).
pub const COMPACT_EVERY: Duration = Duration::from_secs(300);

/// Compacts until the task is ended.
pub(crate) async fn run(inner: Arc<Inner>) {
    let began = inner.ambient.clock.instant();
    let first = inner.oldest();
    let mut turn = 0;
    loop {
        inner.ambient.clock.sleep(inner.compact_every).await;
        let oldest = inner.oldest();
        // Memory that has dropped nothing yet knows nothing of what etcd may drop, until all it has not seen is too old.
        let is_due = oldest > first || inner.ambient.clock.instant() - began > inner.options.history.age;
        if !is_due {
            continue;
        }
        match compact(&inner, turn, oldest).await {
            Ok(next) => turn = next,
            Err(error) => tracing::warn!("etcd's history stays: {error}"),
        }
    }
}

/// Takes the turn and compacts, unless another server took it since this one looked; returns the next turn.
async fn compact(inner: &Inner, turn: i64, oldest: Revision) -> Result<i64, CallError> {
    let key = inner.layout.compaction();
    let put = PutRequest { key: key.clone(), value: oldest.0.to_string().into(), ..PutRequest::default() };
    let look = RangeRequest { key: key.clone(), ..RangeRequest::default() };
    let take_turn = TxnRequest {
        compare: vec![Compare::version(key, turn)],
        success: vec![RequestOp::put(put)],
        failure: vec![RequestOp::range(look)],
    };
    let answer = inner.client.transact(&take_turn, inner.deadline()).await?;
    if !answer.succeeded {
        return Ok(version(answer));
    }
    match inner.client.compact(oldest, inner.deadline()).await {
        Ok(()) => tracing::info!(revision = oldest.0, "compacted etcd's history"),
        // Somebody compacted further already.
        Err(CallError::Refused { code: Code::OutOfRange, .. }) => {}
        Err(error) => return Err(error),
    }
    Ok(turn + 1)
}

/// How often the turn was taken.
fn version(answer: TxnResponse) -> i64 {
    let found = answer.responses.into_iter().find_map(|response| match response.response {
        Some(Response::Range(range)) => range.kvs.into_iter().next(),
        _ => None,
    });
    found.map_or(0, |held| held.version)
}
