//! The one watch that memory lives from.

use std::sync::Arc;
use std::time::Duration;

use stdx::Backoff;
use store::{Replicated, Revision};

use crate::client::{from_wire, to_wire};
use crate::digest::{Digest, digest};
use crate::engine::Inner;
use crate::grpc::CallError;
use crate::load::{self, wall_clock};
use crate::messages::{WatchCreateRequest, revision_of};

const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(2));

/// Why a watch ended.
enum End {
    /// What it should have begun with is compacted.
    Compacted,
    Lost(String),
}

/// Follows etcd until the task is ended, over whatever happens to connections and servers.
pub(crate) async fn follow(inner: Arc<Inner>) {
    let mut backoff = BACKOFF;
    let mut is_lost = false;
    loop {
        let mut began = false;
        let end = watch(&inner, &mut || {
            began = true;
            if std::mem::take(&mut is_lost) {
                tracing::info!("etcd's watch is back");
            }
        })
        .await;
        if began {
            backoff.reset();
        }
        let reason = match end {
            End::Compacted => match load::load(&inner, inner.deadline()).await {
                Ok(()) => {
                    tracing::warn!("etcd's history was compacted past what memory held: watchers begin anew");
                    continue;
                }
                Err(error) => error.to_string(),
            },
            End::Lost(reason) => reason,
        };
        if !std::mem::replace(&mut is_lost, true) {
            tracing::warn!("memory does not follow etcd for now: {reason}");
        }
        inner.ambient.clock.sleep(backoff.next_delay()).await;
    }
}

/// One watch, from where memory stands.
async fn watch(inner: &Inner, began: &mut (dyn FnMut() + Send)) -> End {
    let lost = |error: CallError| End::Lost(error.to_string());
    let (key, range_end) = inner.layout.everything();
    let start_revision = to_wire(Revision(inner.replica.revision().0 + 1));
    // Progress notifications move memory on while others write elsewhere in the same etcd: a watch that has to begin
    // anew then does so where history has not been compacted.
    let create = WatchCreateRequest { key, range_end, start_revision, progress_notify: true, fragment: true };
    let mut stream = match inner.client.watch(create, inner.deadline()).await {
        Ok(stream) => stream,
        Err(error) => return lost(error),
    };
    let mut events = Vec::new();
    loop {
        let response = match stream.next().await {
            Ok(response) => response,
            Err(error) => return lost(error),
        };
        if response.compact_revision > 0 {
            return End::Compacted;
        }
        if response.canceled {
            return End::Lost(response.cancel_reason);
        }
        if response.created {
            began();
            continue;
        }
        if response.events.is_empty() && events.is_empty() {
            inner.replica.advance(from_wire(revision_of(&response.header)));
            continue;
        }
        events.extend(response.events);
        if response.fragment {
            continue;
        }
        for digest in digest(&inner.layout, std::mem::take(&mut events)) {
            if let Err(reason) = apply(inner, digest) {
                return End::Lost(reason);
            }
        }
    }
}

fn apply(inner: &Inner, digest: Digest) -> Result<(), String> {
    let Digest { revision, signature, changes } = digest;
    let time = signature.as_ref().map_or_else(|| inner.ambient.clock.now().into(), |by| wall_clock(by.time_ns));
    let author = signature.as_ref().and_then(|signature| signature.author()).map(Arc::new);
    let transaction = Replicated { revision, time, author, changes };
    inner.replica.apply(transaction).map_err(|error| stdx::error::chain(&error))?;
    if let Some(signature) = signature {
        inner.pending.landed(signature.request, revision);
    }
    Ok(())
}
