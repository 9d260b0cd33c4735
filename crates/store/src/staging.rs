//! Writes on their way: checked and given their revisions, not visible yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::limits::check_transaction;
use crate::tree::Place;
use crate::{Action, Author, Change, Entry, Event, Operation, Revision, StoreError, Transaction};

/// Transactions that have their revisions and are not committed yet.
#[derive(Debug, Default)]
pub(crate) struct Staged {
    /// Those of one revision are one transaction.
    events: Vec<StagedEvent>,
    /// The place of the last event on each key they touch.
    overlay: HashMap<Arc<str>, usize>,
}

#[derive(Debug)]
pub(crate) struct StagedEvent {
    pub(crate) event: Arc<Event>,
    /// When the key that was put ends by itself.
    pub(crate) due: Option<SystemTime>,
    /// Where what is replaced stands in the state, unless something staged before moves it.
    pub(crate) place: Option<Place>,
}

impl Staged {
    /// Makes room for so many more events.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.events.reserve(count);
        self.overlay.reserve(count);
    }

    pub(crate) fn events(&self) -> &[StagedEvent] {
        &self.events
    }

    pub(crate) fn into_events(self) -> Vec<StagedEvent> {
        self.events
    }

    /// What is staged, transaction by transaction; each has an event.
    pub(crate) fn transactions(&self) -> impl Iterator<Item = &[StagedEvent]> {
        self.events.chunk_by(|left, right| left.event.revision == right.event.revision)
    }

    /// The revision and the time of the last transaction staged.
    pub(crate) fn newest(&self) -> Option<(Revision, SystemTime)> {
        self.events.last().map(|staged| (staged.event.revision, staged.event.time))
    }

    /// What staged writes leave under a key; `None` when they do not touch it.
    pub(crate) fn left(&self, key: &str) -> Option<Option<&Entry>> {
        self.overlay.get(key).map(|&place| self.events[place].event.current())
    }

    /// Begins a transaction, whose revision is after those staged already.
    pub(crate) fn begin(&mut self, revision: Revision, time: SystemTime, author: Option<Arc<Author>>) -> Draft<'_> {
        let start = self.events.len();
        Draft { staged: self, start, revision, time, author }
    }
}

/// A transaction that is being staged.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    staged: &'a mut Staged,
    /// The place of its first event.
    start: usize,
    revision: Revision,
    time: SystemTime,
    author: Option<Arc<Author>>,
}

impl Draft<'_> {
    /// What is staged so far, this transaction's changes among it.
    pub(crate) fn staged(&self) -> &Staged {
        self.staged
    }

    /// Puts a key over what it holds, which stands at `place`; returns the new entry.
    pub(crate) fn put(
        &mut self,
        key: &Arc<str>,
        value: Bytes,
        due: Option<SystemTime>,
        previous: Option<Entry>,
        place: Option<Place>,
    ) -> Entry {
        let modified = self.revision;
        let entry = match &previous {
            // The key that is there already serves on.
            Some(previous) => Entry { key: previous.key.clone(), value, created: previous.created, modified },
            None => Entry { key: key.clone(), value, created: modified, modified },
        };
        self.stage(Change::Put(entry.clone()), previous, due, place);
        entry
    }

    pub(crate) fn delete(&mut self, previous: Entry) {
        self.push(Change::Delete { key: previous.key.clone() }, Some(previous));
    }

    /// A change as somebody else decided it.
    pub(crate) fn push(&mut self, change: Change, previous: Option<Entry>) {
        self.stage(change, previous, None, None);
    }

    /// False when it changes nothing.
    pub(crate) fn has_changes(&self) -> bool {
        self.staged.events.len() > self.start
    }

    fn stage(&mut self, change: Change, previous: Option<Entry>, due: Option<SystemTime>, place: Option<Place>) {
        let (revision, time, author) = (self.revision, self.time, self.author.clone());
        self.staged.overlay.insert(change.key().clone(), self.staged.events.len());
        let event = Arc::new(Event { revision, change, previous, time, author });
        self.staged.events.push(StagedEvent { event, due, place });
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
