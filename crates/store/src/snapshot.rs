//! The whole state as it stood at one moment, while writes go on.

use std::time::SystemTime;

use crate::core::Core;
use crate::history::Events;
use crate::leases::Lease;
use crate::tree::{Keyed, Tree};
use crate::{Entry, Event, Revision};

/// A state, and the history that led to it. It shares its bytes with the store until they change
/// there: taking it costs the same however much there is.
#[derive(Clone, Debug)]
pub struct Snapshot {
    revision: Revision,
    time: SystemTime,
    entries: Tree<Entry>,
    leases: Tree<Lease>,
    history: Events,
    oldest: Revision,
    oldest_time: SystemTime,
}

impl Snapshot {
    pub(crate) fn new(core: &Core) -> Snapshot {
        Snapshot {
            revision: core.revision(),
            time: core.time(),
            entries: core.entries.clone(),
            leases: core.leases.by_key(),
            history: core.history.events().clone(),
            oldest: core.history.oldest(),
            oldest_time: core.history.oldest_time(),
        }
    }

    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// When the newest revision was committed.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter_from(0)
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The keys that end by themselves, and when.
    pub fn leases(&self) -> impl Iterator<Item = (&str, SystemTime)> {
        self.leases.iter_from(0).map(|lease| (&**lease.key(), lease.due()))
    }

    /// The oldest state that history reaches back to, and when that came to be.
    pub fn oldest(&self) -> (Revision, SystemTime) {
        (self.oldest, self.oldest_time)
    }

    /// The state at [`Snapshot::oldest`].
    pub(crate) fn base(&self) -> Tree<Entry> {
        let mut tree = self.entries.clone();
        // What a key held then is what its first change replaced; of later ones, nothing is to be seen.
        for event in self.history() {
            match &event.previous {
                Some(previous) if previous.modified <= self.oldest => drop(tree.insert(previous.clone())),
                None if tree.get(event.key()).is_some_and(|entry| entry.modified > self.oldest) => {
                    tree.remove(event.key());
                }
                Some(_) | None => {}
            }
        }
        tree
    }

    /// Every event since [`Snapshot::oldest`].
    pub fn history(&self) -> impl Iterator<Item = &Event> {
        self.history.since_number(0).map(|event| &**event)
    }
}
