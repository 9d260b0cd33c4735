//! Who waits, in the order in which they came.

use std::collections::BTreeMap;
use std::task::Waker;

/// Tasks that wait for something to happen. They are woken first come, first served, so that a
/// simulation takes the same course every time.
#[derive(Debug, Default)]
pub struct Waiters {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

/// A task's place among the waiters; empty while it does not wait.
#[derive(Debug, Default)]
pub struct Place(Option<u64>);

impl Waiters {
    /// Puts a task in line, or keeps its place there.
    pub fn wait(&mut self, place: &mut Place, waker: &Waker) {
        if let Some(waiting) = place.0.and_then(|number| self.wakers.get_mut(&number)) {
            waiting.clone_from(waker);
            return;
        }
        place.0 = Some(self.next);
        self.wakers.insert(self.next, waker.clone());
        self.next += 1;
    }

    /// Takes a task out of the line.
    pub fn leave(&mut self, place: &mut Place) {
        if let Some(number) = place.0.take() {
            self.wakers.remove(&number);
        }
    }

    /// Takes everybody out of the line, to be woken once no lock is held any more.
    pub fn take(&mut self) -> Wakeups {
        if self.wakers.is_empty() { Wakeups::default() } else { Wakeups(vec![std::mem::take(&mut self.wakers)]) }
    }
}

/// Tasks to be woken.
#[must_use = "whoever is not woken waits for ever"]
#[derive(Debug, Default)]
pub struct Wakeups(Vec<BTreeMap<u64, Waker>>);

impl Wakeups {
    pub fn wake(self) {
        self.0.into_iter().flat_map(BTreeMap::into_values).for_each(Waker::wake);
    }

    /// Adds others, to be woken after these.
    pub fn append(&mut self, mut others: Wakeups) {
        self.0.append(&mut others.0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

    use super::*;

    struct Note(u32, Arc<Mutex<Vec<u32>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn the_first_to_come_is_the_first_to_be_woken() {
        let woken = Arc::new(Mutex::new(Vec::new()));
        let waker = |number| Waker::from(Arc::new(Note(number, woken.clone())));
        let mut waiters = Waiters::default();
        let mut places: Vec<Place> = (0..5).map(|_| Place::default()).collect();
        for number in [3, 1, 4, 0] {
            waiters.wait(&mut places[number as usize], &waker(number));
        }
        // Asking again keeps the place, leaving gives it up.
        waiters.wait(&mut places[3], &waker(3));
        waiters.leave(&mut places[4]);
        let mut wakeups = waiters.take();
        waiters.wait(&mut places[2], &waker(2));
        wakeups.append(waiters.take());
        wakeups.wake();
        waiters.take().wake();
        assert_eq!(*woken.lock().unwrap(), [3, 1, 0, 2]);
    }
}
