//! States that paginated lists are being read from.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::tree::Tree;
use crate::{Entry, Revision};

/// How many states are held for next pages. A page whose state is not among them is read by undoing
/// history, at the cost of the writes since.
const MAX_PINS: usize = 16;

/// The most recently used last.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<VecDeque<Pin>>);

#[derive(Debug)]
struct Pin {
    revision: Revision,
    /// The tree is right for keys with this prefix.
    prefix: Box<str>,
    tree: Tree<Entry>,
}

impl Pins {
    /// A state that is right for the keys with a prefix.
    pub(crate) fn find(&self, revision: Revision, prefix: &str) -> Option<Tree<Entry>> {
        let mut pins = self.lock();
        let index = pins.iter().position(|pin| pin.revision == revision && prefix.starts_with(&*pin.prefix))?;
        let pin = pins.remove(index)?;
        let tree = pin.tree.clone();
        pins.push_back(pin);
        Some(tree)
    }

    /// Holds a state. Returns the one that it takes the place of, to be freed where nobody waits.
    pub(crate) fn hold(&self, revision: Revision, prefix: &str, tree: Tree<Entry>) -> Option<Tree<Entry>> {
        let mut pins = self.lock();
        let pin = Pin { revision, prefix: prefix.into(), tree };
        let same = pins.iter().position(|other| other.revision == revision && other.prefix == pin.prefix);
        let replaced = match same {
            Some(index) => pins.remove(index),
            None if pins.len() == MAX_PINS => pins.pop_front(),
            None => None,
        };
        pins.push_back(pin);
        replaced.map(|pin| pin.tree)
    }

    /// Gives up a state from before `oldest`, to be freed where nobody waits.
    pub(crate) fn take_stale(&self, oldest: Revision) -> Option<Tree<Entry>> {
        let mut pins = self.lock();
        let index = pins.iter().position(|pin| pin.revision < oldest)?;
        pins.remove(index).map(|pin| pin.tree)
    }

    pub(crate) fn has_stale(&self, oldest: Revision) -> bool {
        self.lock().iter().any(|pin| pin.revision < oldest)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Pin>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_states_used_last_are_held() {
        let pins = Pins::default();
        for revision in 0..MAX_PINS as u64 {
            assert!(pins.hold(Revision(revision), "pods/", Tree::new()).is_none());
        }
        assert!(pins.find(Revision(0), "pods/default/").is_some(), "a state of all pods is one of these");
        assert!(pins.find(Revision(0), "").is_none());
        assert!(pins.hold(Revision(99), "", Tree::new()).is_some());
        assert!(pins.find(Revision(1), "pods/").is_none(), "it was used the longest ago");
        assert!(pins.find(Revision(0), "pods/").is_some());
        assert_eq!(std::iter::from_fn(|| pins.take_stale(Revision(10))).count(), 9);
        assert!(pins.find(Revision(99), "nodes/").is_some());
    }
}
