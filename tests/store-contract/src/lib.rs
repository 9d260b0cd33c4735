//! The contract of [`store::Store`], held against every engine.
//!
//! An engine's tests say where a store rests ([`Home`]) and call [`contract!`], which makes a test of each part of the
//! contract. Nothing here knows an engine: revisions are only compared, since they need not be dense, and what takes time
//! is waited for by its sign.

pub mod etcd;
mod history;
mod leases;
mod limits;
pub mod linearizability;
mod model;
mod ranges;
mod revisions;
mod snapshots;
mod transactions;
mod watches;
mod workload;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use store::{
    Change, Event, Expect, Options, Range, RangeRequest, ReadAt, Revision, Store, StoreError, Watch, WatchItem,
    WatchRequest,
};

pub use workload::{Load, Record, Recorder, run as run_workload};

/// What must come comes within this time, or the test fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Where the stores of one test rest.
#[async_trait::async_trait]
pub trait Home: Send + Sync {
    /// Opens the store that rests here: an empty one, at first. One is open at a time.
    async fn open(&self, options: Options) -> Arc<dyn Store>;

    /// Whether the next store to be opened holds what the last one held.
    fn is_durable(&self) -> bool;
}

/// The parts of the contract.
pub mod parts {
    pub use crate::history::*;
    pub use crate::leases::*;
    pub use crate::limits::*;
    pub use crate::model::*;
    pub use crate::ranges::*;
    pub use crate::revisions::*;
    pub use crate::snapshots::*;
    pub use crate::transactions::*;
    pub use crate::watches::*;
    pub use crate::workload::concurrent_clients_see_one_order;
}

/// One test for each part of the contract, in a module of its own. `$home` is an async function that returns a
/// [`Home`].
#[macro_export]
macro_rules! contract {
    ($engine:ident, $home:ident) => {
        $crate::contract! { $engine, $home,
            revisions_rise_and_entries_remember_theirs
            a_writer_must_know_the_present_state
            whoever_expects_anything_writes_anyway
            the_newest_revision_can_be_waited_for
            concurrent_writers_lose_nothing
            a_new_store_goes_on_where_the_last_one_ended
            a_transaction_happens_at_one_revision
            a_failing_check_changes_nothing_and_names_the_key
            a_check_may_stand_beside_changes
            what_changes_nothing_takes_no_revision
            a_transaction_that_makes_no_sense_is_refused
            large_transactions_are_carried_out
            a_range_is_ordered_paged_and_consistent
            an_old_range_is_read_as_it_was
            what_is_too_old_is_read_as_it_was_or_refused
            reads_are_as_fresh_as_they_must_be
            a_watch_replays_then_follows
            a_watch_sees_its_prefix_only
            a_watch_tells_of_its_progress
            a_slow_watcher_is_cut_off_and_told_so
            a_watcher_may_leave_at_any_time
            a_lifetime_ends_neither_early_nor_never
            another_put_ends_the_lifetime
            lifetimes_outlive_the_store
            compaction_keeps_the_present_and_refuses_the_past
            history_tells_who_changed_what_and_when
            an_older_value_is_put_back
            the_state_of_an_older_time_can_be_read
            a_snapshot_stands_still_while_writes_go_on
            limits_hold
            bad_keys_are_refused
            the_future_is_refused
            behaves_as_its_model
        }
    };
    ($engine:ident, $home:ident, $($part:ident)*) => {
        mod $engine {
            $(
                #[tokio::test]
                async fn $part() {
                    $crate::parts::$part(&super::$home().await).await;
                }
            )*

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn concurrent_clients_see_one_order() {
                $crate::parts::concurrent_clients_see_one_order(&super::$home().await).await;
            }
        }
    };
}

pub(crate) fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

pub(crate) fn string(value: &Bytes) -> String {
    String::from_utf8(value.to_vec()).expect("the tests write text")
}

pub(crate) async fn create(store: &dyn Store, key: &str, value: &str) -> Revision {
    store.put(key, text(value), Expect::Absent).await.expect("the key is new").modified
}

/// Writes whatever is there.
pub(crate) async fn set(store: &dyn Store, key: &str, value: &str) -> Revision {
    store.put(key, text(value), Expect::Anything).await.expect("nothing is expected").modified
}

pub(crate) async fn remove(store: &dyn Store, key: &str) -> Revision {
    store.delete(key, Expect::Anything).await.expect("the key is there").0
}

pub(crate) async fn read(store: &dyn Store, key: &str, at: ReadAt) -> Option<String> {
    store.get(key, at).await.expect("the key is readable").map(|entry| string(&entry.value))
}

pub(crate) fn prefix(prefix: &str) -> RangeRequest {
    RangeRequest { prefix: prefix.into(), ..RangeRequest::default() }
}

pub(crate) fn pairs(range: &Range) -> Vec<(String, String)> {
    range.entries.iter().map(|entry| (entry.key.to_string(), string(&entry.value))).collect()
}

pub(crate) async fn list(store: &dyn Store, under: &str, at: ReadAt) -> Vec<(String, String)> {
    let range = store.range(RangeRequest { at, ..prefix(under) }).await.expect("the range is readable");
    assert_eq!(range.remaining, 0);
    pairs(&range)
}

pub(crate) fn watch(store: &dyn Store, prefix: &str, after: Revision) -> Result<Watch, StoreError> {
    store.watch(WatchRequest { prefix: prefix.into(), after, progress_every: None })
}

pub(crate) fn describe(event: &Event) -> String {
    let previous = event.previous.as_ref().map_or("-".to_owned(), |entry| string(&entry.value));
    match &event.change {
        Change::Put(entry) => format!("{} put {}={} was {previous}", event.revision.0, entry.key, string(&entry.value)),
        Change::Delete { key } => format!("{} delete {key} was {previous}", event.revision.0),
    }
}

/// Everything the watch holds at this moment. What was acknowledged is there.
pub(crate) fn drain(watch: &mut Watch) -> Vec<String> {
    // Unconstrained: the runtime's fairness must not look like the end.
    std::iter::from_fn(|| tokio::task::unconstrained(watch.next()).now_or_never().flatten())
        .map(|item| match item {
            Ok(WatchItem::Event(event)) => describe(&event),
            Ok(WatchItem::Progress(revision)) => format!("progress {}", revision.0),
            Err(error) => error.to_string(),
        })
        .collect()
}

/// Waits for what must come.
pub(crate) async fn patiently<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}
