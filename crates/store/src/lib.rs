//! The store: keys with ordered revisions, watches and history.
//!
//! Every transaction takes the next [`Revision`]; every change in it is an [`Event`] at that
//! revision. The API server is the only caller. Engines differ in where the bytes rest; [`Store`]
//! is what they share, and one contract suite runs on all of them.
//!
//! Beneath every engine lies the same core, which knows no input or output: the state as a
//! persistent tree, the recent events, the watchers, the leases. [`Memory`] is the core and nothing
//! else, [`Embedded`] adds a log, and an engine whose bytes rest with somebody else keeps a
//! [`Replica`] of them.

mod core;
mod embedded;
mod error;
mod history;
mod leases;
mod limits;
mod memory;
mod model;
mod pins;
mod replica;
mod ring;
mod shared;
mod snapshot;
mod staging;
mod tree;
mod undo;
mod watchers;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use stdx::signal;

pub use embedded::{Disk, DiskFile, Embedded, FolderDisk, OpenError, folder};
pub use error::StoreError;
pub use history::HistoryLimits;
pub use limits::{MAX_KEY_BYTES, MAX_OPERATIONS, MAX_TRANSACTION_BYTES, MAX_VALUE_BYTES, check_transaction};
pub use memory::Memory;
pub use model::{
    Action, Author, Change, Committed, Entry, Event, Expect, Operation, Options, Range, RangeRequest, ReadAt, Revision,
    Transaction, Watch, WatchItem, WatchRequest,
};
pub use replica::{Replica, ReplicaError, Replicated};
pub use snapshot::Snapshot;
pub use undo::put_back;

/// The contract of every engine.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// The newest revision that memory holds. Every event up to it is in the queues of its watchers.
    fn revision(&self) -> Revision;

    /// Wakes whoever waits for the newest revision to move.
    fn revisions(&self) -> signal::Receiver<Revision>;

    /// Waits until memory holds everything that was acknowledged before the call, by any server;
    /// returns the newest revision then.
    async fn refresh(&self) -> Result<Revision, StoreError>;

    async fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError>;

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError>;

    /// Does all of the transaction or nothing. The answer arrives after it is durable. A caller that
    /// stops waiting does not take it back. Without effect, it takes no revision.
    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError>;

    /// Every event after `request.after` on keys with the prefix. `after` equal to
    /// [`Store::revision`] means "from now on". Returns at once; history is replayed first.
    fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError>;

    /// Drops history before `revision`: the state at `revision` and every event after it stay.
    async fn compact(&self, revision: Revision) -> Result<(), StoreError>;

    /// The newest revision committed at or before `time`; [`StoreError::Compacted`] when history does
    /// not reach back so far.
    fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError>;

    /// What history knows of one key, oldest first.
    async fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError>;

    /// The whole state at the newest revision. It costs the same however much there is.
    fn snapshot(&self) -> Result<Snapshot, StoreError>;

    /// Writes one key, if `expect` holds.
    async fn put(&self, key: &str, value: Bytes, expect: Expect) -> Result<Entry, StoreError> {
        let operation = Operation::put(key, value, expect);
        let committed = self.commit(Transaction { operations: vec![operation], author: None }).await?;
        // Of a put there always is an entry.
        committed.entries.into_iter().next().flatten().ok_or(StoreError::Closed)
    }

    /// Removes one key, which must be there and as expected; returns the revision of the removal and
    /// what was removed.
    async fn delete(&self, key: &str, expect: Expect) -> Result<(Revision, Entry), StoreError> {
        let operation = Operation::delete(key, expect);
        let committed = self.commit(Transaction { operations: vec![operation], author: None }).await?;
        match committed.entries.into_iter().next().flatten() {
            Some(entry) => Ok((committed.revision, entry)),
            None => Err(StoreError::Conflict { key: key.into(), current: None }),
        }
    }
}
