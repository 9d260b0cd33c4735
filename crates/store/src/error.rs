//! Why the store says no.

use std::sync::Arc;

use crate::Entry;

#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The key is not in the state the writer expected; holds its present entry.
    #[error("{key} changed since it was read")]
    Conflict { key: Arc<str>, current: Option<Entry> },
    /// `requested` is 0 when it was a time that was asked for.
    #[error("revision {requested} is compacted; the oldest kept is {oldest}")]
    Compacted { requested: u64, oldest: u64 },
    #[error("revision {requested} is in the future; the newest is {newest}")]
    FutureRevision { requested: u64, newest: u64 },
    #[error("it is {size} bytes; the limit is {limit}")]
    TooLarge { size: usize, limit: usize },
    #[error("invalid key {key:?}: {reason}")]
    InvalidKey { key: String, reason: &'static str },
    #[error("invalid transaction: {reason}")]
    InvalidTransaction { reason: &'static str },
    /// The disk refused a write; the store serves reads only from here on.
    #[error("the store does not accept writes: {reason}")]
    ReadOnly { reason: String },
    /// Where the bytes rest nobody answers; the next try may succeed.
    #[error("the store does not answer: {reason}")]
    Unavailable { reason: String },
    #[error("the store is shutting down")]
    Closed,
}
