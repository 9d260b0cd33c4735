//! Memory filled from etcd: the oldest state it still has, so that the watch brings the history since.

use std::time::{Duration, SystemTime};

use prost::Message;
use store::{Entry, Revision};
use tokio::time::Instant;

use crate::client::{entry, to_wire};
use crate::engine::Inner;
use crate::grpc::{CallError, Code};
use crate::layout::{Layout, Place, Signature};
use crate::messages::{KeyValue, RangeRequest};

/// How much history is read at most. Beyond it a start would take longer than the history is worth.
const MAX_REVISIONS: u64 = 200_000;

/// How many objects are asked for at once. So many of the largest that etcd takes still fit into an answer.
const PAGE: i64 = 500;

/// How often a load begins anew when history is compacted under it.
const MAX_ATTEMPTS: usize = 5;

/// Fills the replica with the oldest readable state.
pub(crate) async fn load(inner: &Inner, deadline: Instant) -> Result<(), CallError> {
    let mut attempts = 1;
    loop {
        match load_once(inner, deadline).await {
            Err(CallError::Refused { code: Code::OutOfRange, .. }) if attempts < MAX_ATTEMPTS => attempts += 1,
            outcome => return outcome,
        }
    }
}

async fn load_once(inner: &Inner, deadline: Instant) -> Result<(), CallError> {
    let newest = inner.head(deadline).await?.revision;
    let revision = oldest_readable(inner, newest, deadline).await?;
    let entries = objects_at(inner, revision, deadline).await?;
    let signed = inner.client.range(&RangeRequest { key: inner.layout.signature(), ..at(revision) }, deadline).await?;
    let time = signed.kvs.into_iter().next().and_then(|held| Signature::decode(held.value).ok());
    let time = time.map_or(SystemTime::UNIX_EPOCH, |signature| wall_clock(signature.time_ns));
    tracing::info!(objects = entries.len(), revision = revision.0, newest = newest.0, "read the store from etcd");
    inner.replica.load(entries, revision, time);
    Ok(())
}

/// Where etcd's history begins, or as far back as is worth it. etcd does not tell; but what it refuses, it refuses by a
/// line, which halving finds.
async fn oldest_readable(inner: &Inner, newest: Revision, deadline: Instant) -> Result<Revision, CallError> {
    // Memory never goes back.
    let (mut refused, mut readable) =
        (inner.replica.revision().0.max(newest.0.saturating_sub(MAX_REVISIONS)), newest.0);
    let mut probe = refused.max(1);
    while probe < readable {
        let request = RangeRequest { key: inner.layout.signature(), ..at(Revision(probe)) };
        match inner.client.range(&request, deadline).await {
            Ok(_) => readable = probe,
            Err(CallError::Refused { code: Code::OutOfRange, .. }) => refused = probe,
            Err(error) => return Err(error),
        }
        probe = refused + (readable - refused).div_ceil(2);
    }
    Ok(Revision(readable))
}

async fn objects_at(inner: &Inner, revision: Revision, deadline: Instant) -> Result<Vec<Entry>, CallError> {
    let (mut key, range_end) = inner.layout.objects("");
    let mut entries = Vec::new();
    loop {
        let request = RangeRequest { key: key.clone(), range_end: range_end.clone(), limit: PAGE, ..at(revision) };
        let page = inner.client.range(&request, deadline).await?;
        let last = page.kvs.last().map(|held| held.key.clone());
        entries.extend(page.kvs.into_iter().filter_map(|held| object(&inner.layout, held)));
        match last {
            Some(last) if page.more => key = [&last[..], b"\0"].concat().into(),
            _ => return Ok(entries),
        }
    }
}

/// An object from under the root.
pub(crate) fn object(layout: &Layout, held: KeyValue) -> Option<Entry> {
    let wire_key = held.key.clone();
    match layout.place(&wire_key) {
        Place::Object(key) => Some(entry(key, held)),
        _ => None,
    }
}

pub(crate) fn wall_clock(time_ns: i64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(time_ns).unwrap_or(0))
}

fn at(revision: Revision) -> RangeRequest {
    RangeRequest { revision: to_wire(revision), ..RangeRequest::default() }
}
