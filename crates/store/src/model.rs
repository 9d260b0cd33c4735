//! What the store is told, and what it tells.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::stream::BoxStream;

use crate::{HistoryLimits, StoreError};

/// A position in the store's history; 0 means "none". A transaction takes one revision, which its
/// events share. Revisions grow and never go back, also not over a restart; they need not be dense.
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

/// Who made a change: kept with the event in history, not with the entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    pub user: Box<str>,
    pub manager: Box<str>,
}

/// What a writer demands of a key's present state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The key does not exist.
    Absent,
    /// The key was last modified at exactly this revision.
    At(Revision),
    Anything,
}

impl Expect {
    pub(crate) fn holds(self, current: Option<&Entry>) -> bool {
        match self {
            Expect::Absent => current.is_none(),
            Expect::At(revision) => current.is_some_and(|current| current.modified == revision),
            Expect::Anything => true,
        }
    }
}

/// One key's part in a transaction.
#[derive(Clone, Debug)]
pub struct Operation {
    pub key: Arc<str>,
    pub expect: Expect,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub enum Action {
    Put {
        value: Bytes,
        /// The key is removed, as by a delete without author, not before this time has passed and
        /// little later: a lease. It outlives a restart; the next put of the key ends it.
        lifetime: Option<Duration>,
    },
    /// Of a key that is not there, where that is not unexpected: nothing happens.
    Delete,
    /// Nothing but the expectation.
    Check,
}

impl Operation {
    pub fn put(key: impl Into<Arc<str>>, value: Bytes, expect: Expect) -> Operation {
        Operation { key: key.into(), expect, action: Action::Put { value, lifetime: None } }
    }

    pub fn delete(key: impl Into<Arc<str>>, expect: Expect) -> Operation {
        Operation { key: key.into(), expect, action: Action::Delete }
    }

    pub fn check(key: impl Into<Arc<str>>, expect: Expect) -> Operation {
        Operation { key: key.into(), expect, action: Action::Check }
    }
}

/// All or nothing, at one revision. A key stands in it at most once.
#[derive(Clone, Debug)]
pub struct Transaction {
    pub operations: Vec<Operation>,
    pub author: Option<Arc<Author>>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The transaction's revision; the newest one there was when it changed nothing.
    pub revision: Revision,
    /// For each operation: the new entry of a put, the removed one of a delete, the present one of a
    /// check.
    pub entries: Vec<Option<Entry>>,
}

/// One change. `previous` is what the key held before, where it existed: a watcher that selects
/// by content needs it to tell "changed" from "no longer selected".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub revision: Revision,
    pub change: Change,
    pub previous: Option<Entry>,
    /// The wall clock at the commit; within a store it never goes back.
    pub time: SystemTime,
    pub author: Option<Arc<Author>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Put(Entry),
    Delete { key: Arc<str> },
}

impl Change {
    pub fn key(&self) -> &Arc<str> {
        match self {
            Change::Put(entry) => &entry.key,
            Change::Delete { key } => key,
        }
    }
}

impl Event {
    /// The key that changed.
    pub fn key(&self) -> &Arc<str> {
        self.change.key()
    }

    /// What the key holds after the change.
    pub fn current(&self) -> Option<&Entry> {
        match &self.change {
            Change::Put(entry) => Some(entry),
            Change::Delete { .. } => None,
        }
    }
}

/// How fresh a read must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadAt {
    /// Everything acknowledged before the call, by any server, is seen. With an engine that owns its
    /// bytes this costs nothing.
    #[default]
    Newest,
    /// Whatever memory holds.
    Memory,
    /// What memory holds once it has reached this revision.
    NotOlderThan(Revision),
    /// The state at this revision.
    Exactly(Revision),
}

/// A range of keys that share a prefix.
#[derive(Clone, Debug, Default)]
pub struct RangeRequest {
    pub prefix: String,
    /// Only keys strictly after this one: how a paginated list goes on.
    pub after: Option<String>,
    /// 0 means no limit.
    pub limit: usize,
    pub at: ReadAt,
}

/// Keys in order, and the revision they were read at.
#[derive(Clone, Debug)]
pub struct Range {
    pub revision: Revision,
    pub entries: Vec<Entry>,
    /// How many keys of the prefix follow the last entry.
    pub remaining: usize,
}

/// Whose events, and from where on.
#[derive(Clone, Debug, Default)]
pub struct WatchRequest {
    pub prefix: String,
    /// The newest revision that the watcher knows of already.
    pub after: Revision,
    /// Say [`WatchItem::Progress`] at least this often while nothing else is delivered.
    pub progress_every: Option<Duration>,
}

/// What a watcher receives.
#[derive(Clone, Debug)]
pub enum WatchItem {
    Event(Arc<Event>),
    /// Everything up to this revision has been delivered. Sent where replayed history ends, and as
    /// often as the watcher asked for.
    Progress(Revision),
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
