//! Writes on their way: checked and given their revisions, not visible yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::limits::check_transaction;
use crate::{Action, Author, Change, Entry, Event, Operation, Revision, StoreError, Transaction};

/// Transactions that have their revisions and are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    transactions: Vec<StagedTransaction>,
    /// The last event on each key they touch.
    overlay: HashMap<Arc<str>, Arc<Event>>,
}

/// A transaction that changes something.
#[derive(Debug)]
pub(crate) struct StagedTransaction {
    pub(crate) revision: Revision,
    pub(crate) time: SystemTime,
    pub(crate) author: Option<Arc<Author>>,
    pub(crate) events: Vec<StagedEvent>,
}

#[derive(Debug)]
pub(crate) struct StagedEvent {
    pub(crate) event: Arc<Event>,
    /// When the key that was put ends by itself.
    pub(crate) due: Option<SystemTime>,
}

impl Staged {
    /// Makes room for so many more transactions.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.transactions.reserve(count);
        self.overlay.reserve(count);
    }

    pub(crate) fn transactions(&self) -> &[StagedTransaction] {
        &self.transactions
    }

    pub(crate) fn into_transactions(self) -> Vec<StagedTransaction> {
        self.transactions
    }

    /// The revision and the time of the last transaction staged.
    pub(crate) fn newest(&self) -> Option<(Revision, SystemTime)> {
        self.transactions.last().map(|transaction| (transaction.revision, transaction.time))
    }

    /// What staged writes leave under a key; `None` when they do not touch it.
    pub(crate) fn left(&self, key: &str) -> Option<Option<&Entry>> {
        self.overlay.get(key).map(|event| event.current())
    }

    pub(crate) fn push(&mut self, transaction: StagedTransaction) {
        for staged in &transaction.events {
            let event = &staged.event;
            self.overlay.insert(event.key().clone(), event.clone());
        }
        self.transactions.push(transaction);
    }
}

/// The header of a transaction under construction.
#[derive(Debug)]
pub(crate) struct Draft {
    revision: Revision,
    time: SystemTime,
    author: Option<Arc<Author>>,
    events: Vec<StagedEvent>,
}

impl Draft {
    pub(crate) fn new(revision: Revision, time: SystemTime, author: Option<Arc<Author>>) -> Self {
        Draft { revision, time, author, events: Vec::new() }
    }

    /// Puts a key over what it holds; returns the new entry.
    pub(crate) fn put(
        &mut self,
        key: Arc<str>,
        value: Bytes,
        due: Option<SystemTime>,
        previous: Option<Entry>,
    ) -> Entry {
        let modified = self.revision;
        let entry = match &previous {
            // The key that is there already serves on.
            Some(previous) => Entry { key: previous.key.clone(), value, created: previous.created, modified },
            None => Entry { key, value, created: modified, modified },
        };
        self.push(Change::Put(entry.clone()), previous, due);
        entry
    }

    pub(crate) fn delete(&mut self, previous: Entry) {
        self.push(Change::Delete { key: previous.key.clone() }, Some(previous), None);
    }

    /// A change as somebody else decided it.
    pub(crate) fn push(&mut self, change: Change, previous: Option<Entry>, due: Option<SystemTime>) {
        let (revision, time, author) = (self.revision, self.time, self.author.clone());
        self.events.push(StagedEvent { event: Arc::new(Event { revision, change, previous, time, author }), due });
    }

    /// `None` when nothing changes.
    pub(crate) fn finish(self) -> Option<StagedTransaction> {
        let Draft { revision, time, author, events } = self;
        (!events.is_empty()).then_some(StagedTransaction { revision, time, author, events })
    }
}

/// Refuses what no engine may take, and lets the values stand on their own: what is kept must not
/// hold the buffer it was cut from.
pub(crate) fn admit(mut transaction: Transaction) -> Result<Transaction, StoreError> {
    check_transaction(&transaction)?;
    for Operation { action, .. } in &mut transaction.operations {
        if let Action::Put { value, .. } = action {
            *value = Bytes::copy_from_slice(value);
        }
    }
    Ok(transaction)
}

/// When a lease that is granted now ends; never, where that is beyond what the log can say.
pub(crate) fn due_after(now: SystemTime, lifetime: Option<Duration>) -> Option<SystemTime> {
    let due = now.checked_add(lifetime?)?;
    let since_epoch = due.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    u64::try_from(since_epoch.as_micros()).is_ok().then_some(due)
}
