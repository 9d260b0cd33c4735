//! Links that leave, many at a time.
//!
//! To delete a link the kernel waits until nobody looks at it any more, some ten milliseconds in which no other link can
//! be touched. Links that are deleted together share the wait, so whoever comes while it lasts is taken along by the
//! next.

use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Departures {
    /// As many as there are pods being stopped.
    waiting: Mutex<Vec<String>>,
    turn: Mutex<()>,
}

impl Departures {
    /// Returns when `delete` was given this link, by this caller or by another. Where it fails, only the caller whose
    /// turn it was hears of it; the others' links are tried again in turns of their own.
    pub(crate) fn leave<E>(&self, link: &str, delete: impl FnOnce(&[String]) -> Result<(), E>) -> Result<(), E> {
        self.waiting().push(link.to_owned());
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let links = {
            let mut waiting = self.waiting();
            if !waiting.iter().any(|other| other == link) {
                return Ok(());
            }
            std::mem::take(&mut *waiting)
        };
        let deleted = delete(&links);
        if deleted.is_err() {
            let own = links.iter().position(|other| other == link);
            let others = links.into_iter().enumerate().filter(|(index, _)| Some(*index) != own);
            self.waiting().extend(others.map(|(_, other)| other));
        }
        deleted
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Lets three come while the first is under way; answers which went together, and which failed.
    fn depart(fails: impl Fn(&[String]) -> bool + Sync) -> (Vec<Vec<String>>, usize) {
        let (departures, batches) = (Departures::default(), Mutex::new(Vec::<Vec<String>>::new()));
        let delete = |links: &[String]| {
            let mut sorted = links.to_vec();
            sorted.sort();
            batches.lock().unwrap().push(sorted);
            while links == ["a"] && departures.waiting().len() < 3 {
                thread::yield_now();
            }
            if fails(links) { Err(()) } else { Ok(()) }
        };
        let failed = thread::scope(|scope| {
            let first = scope.spawn(|| departures.leave("a", delete));
            while batches.lock().unwrap().is_empty() {
                thread::yield_now();
            }
            let departures = &departures;
            let rest = ["b", "c", "d"].map(|link| scope.spawn(move || departures.leave(link, delete)));
            std::iter::once(first).chain(rest).map(|one| one.join().unwrap()).filter(Result::is_err).count()
        });
        assert!(departures.waiting().is_empty());
        (batches.into_inner().unwrap(), failed)
    }

    #[test]
    fn who_comes_meanwhile_goes_together() {
        let (batches, failed) = depart(|_| false);
        assert_eq!((batches, failed), (vec![vec!["a".to_owned()], ["b", "c", "d"].map(str::to_owned).to_vec()], 0));
    }

    #[test]
    fn a_failure_is_one_callers_and_the_others_try_again() {
        let (batches, failed) = depart(|links| links.len() == 3);
        assert_eq!(failed, 1);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [1, 3, 2]);
    }
}
