//! The store: keys with ordered revisions, watches and history.
//!
//! Every change takes the next [`Revision`]; every change is an [`Event`] at its revision. The API
//! server is the only caller. Engines differ in where the bytes rest; [`Store`] is what they share,
//! and one contract suite runs on all of them.

mod core;
mod embedded;
mod history;
mod limits;
mod memory;
mod tree;
mod watchers;

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;

pub use embedded::{Disk, DiskFile, Embedded, FolderDisk, OpenError};
pub use history::HistoryLimits;
pub use limits::{MAX_KEY_BYTES, MAX_VALUE_BYTES};
pub use memory::Memory;

/// A position in the store's history. The first write makes revision 1 or later; 0 means "none".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// One key as it stood at some revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: Arc<str>,
    pub value: Bytes,
    /// The revision at which the key came into being.
    pub created: Revision,
    /// The revision that wrote this value.
    pub modified: Revision,
}

/// What a writer demands of the key's present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The key does not exist.
    Absent,
    /// The key was last modified at exactly this revision.
    At(Revision),
}

/// One change. `previous` is what the key held before, where it existed: a watcher that selects
/// by content needs it to tell "changed" from "no longer selected".
#[derive(Clone, Debug)]
pub struct Event {
    pub revision: Revision,
    pub change: Change,
    pub previous: Option<Entry>,
}

#[derive(Clone, Debug)]
pub enum Change {
    Put(Entry),
    Delete { key: Arc<str> },
}

impl Event {
    /// The key that changed.
    pub fn key(&self) -> &Arc<str> {
        match &self.change {
            Change::Put(entry) => &entry.key,
            Change::Delete { key } => key,
        }
    }
}

/// What a watcher receives.
#[derive(Clone, Debug)]
pub enum WatchItem {
    Event(Arc<Event>),
    /// Everything up to this revision has been delivered. Sent once, where replayed history ends.
    Progress(Revision),
}

/// A range of keys that share a prefix.
#[derive(Clone, Debug, Default)]
pub struct RangeRequest {
    pub prefix: String,
    /// Only keys strictly after this one: how a paginated list goes on.
    pub after: Option<String>,
    /// 0 means no limit.
    pub limit: usize,
    /// Read as of this revision; `None` means the newest.
    pub at: Option<Revision>,
}

/// Keys in order, and the revision they were read at.
#[derive(Clone, Debug)]
pub struct Range {
    pub revision: Revision,
    pub entries: Vec<Entry>,
    /// How many keys of the prefix follow the last entry.
    pub remaining: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The key is not in the state the writer expected; holds its present entry.
    #[error("the key changed since it was read")]
    Conflict { current: Option<Entry> },
    #[error("revision {requested} is compacted; the oldest kept is {oldest}")]
    Compacted { requested: u64, oldest: u64 },
    #[error("revision {requested} is in the future; the newest is {newest}")]
    FutureRevision { requested: u64, newest: u64 },
    #[error("the value is {size} bytes; the limit is {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("invalid key {key:?}: {reason}")]
    InvalidKey { key: String, reason: &'static str },
    /// The disk refused a write; the store serves reads only from here on.
    #[error("the store does not accept writes: {reason}")]
    ReadOnly { reason: String },
    #[error("the store is shutting down")]
    Closed,
}

/// A watch: events in order, without gap or duplicate, until dropped. A watcher that falls behind
/// by more than the engine's bound receives [`StoreError::Compacted`] and the end.
pub type Watch = BoxStream<'static, Result<WatchItem, StoreError>>;

/// What every engine can be told.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub history: HistoryLimits,
    /// How many events a watcher may fall behind before it is cut off.
    pub watch_queue: usize,
    /// The embedded engine begins a new log when the old one is longer than this and than the data.
    pub rotate_log_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { history: HistoryLimits::default(), watch_queue: 4096, rotate_log_bytes: 8 << 20 }
    }
}

/// The contract of every engine.
#[async_trait::async_trait]
pub trait Store: Send + Sync + 'static {
    /// The newest committed revision. Every event up to it is in the queues of its watchers.
    fn revision(&self) -> Revision;

    /// Wakes whoever waits for the newest revision to move.
    fn revisions(&self) -> tokio::sync::watch::Receiver<Revision>;

    async fn get(&self, key: &str) -> Result<Option<Entry>, StoreError>;

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError>;

    /// Writes one key if `expect` holds. The answer arrives after the write is durable. A caller
    /// that stops waiting does not take the write back.
    async fn put(&self, key: &str, value: Bytes, expect: Expect) -> Result<Entry, StoreError>;

    /// Removes one key if it was last modified at `expect`; returns the revision of the removal
    /// and what was removed.
    async fn delete(&self, key: &str, expect: Revision) -> Result<(Revision, Entry), StoreError>;

    /// Every event after `after` on keys with `prefix`. `after` equal to [`Store::revision`] means
    /// "from now on". Returns at once; history is replayed first.
    fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, StoreError>;

    /// Drops history before `revision`: the state at `revision` and every event after it stay.
    async fn compact(&self, revision: Revision) -> Result<(), StoreError>;
}
