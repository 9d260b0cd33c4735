//! Who waits, in the order in which they came.

use std::task::Waker;

/// Tasks that wait for something to happen. They are woken first come, first served, so that a
/// simulation takes the same course every time.
#[derive(Debug, Default)]
pub struct Waiters {
    next: u64,
    /// By rising number. Whoever left leaves a gap, which the next tidying closes.
    line: Vec<(u64, Option<Waker>)>,
    gaps: usize,
}

/// A task's place among the waiters; empty while it does not wait.
#[derive(Debug, Default)]
pub struct Place(Option<u64>);

impl Waiters {
    /// Puts a task in line, or keeps its place there.
    pub fn wait(&mut self, place: &mut Place, waker: &Waker) {
        if let Some(Some(waiting)) = place.0.and_then(|number| self.find(number)) {
            waiting.clone_from(waker);
            return;
        }
        place.0 = Some(self.next);
        self.line.push((self.next, Some(waker.clone())));
        self.next += 1;
    }

    /// Takes a task out of the line.
    pub fn leave(&mut self, place: &mut Place) {
        let Some(waiting) = place.0.take().and_then(|number| self.find(number)) else { return };
        *waiting = None;
        self.gaps += 1;
        if self.gaps * 2 > self.line.len() {
            self.line.retain(|(_, waker)| waker.is_some());
            self.gaps = 0;
        }
    }

    /// Takes everybody out of the line, to be woken once no lock is held any more.
    pub fn take(&mut self) -> Wakeups {
        self.gaps = 0;
        let line = std::mem::take(&mut self.line);
        if line.is_empty() { Wakeups::default() } else { Wakeups(vec![line]) }
    }

    fn find(&mut self, number: u64) -> Option<&mut Option<Waker>> {
        let index = self.line.binary_search_by_key(&number, |(other, _)| *other).ok()?;
        Some(&mut self.line[index].1)
    }
}

/// Tasks to be woken, at the latest when this is dropped.
#[must_use = "whoever is not woken waits for ever"]
#[derive(Debug, Default)]
pub struct Wakeups(Vec<Vec<(u64, Option<Waker>)>>);

impl Wakeups {
    pub fn wake(self) {
        drop(self);
    }

    /// How many there are, or a few more.
    pub fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds others, to be woken after these.
    pub fn append(&mut self, mut others: Wakeups) {
        self.0.append(&mut others.0);
    }
}

impl Drop for Wakeups {
    fn drop(&mut self) {
        let wakers = self.0.drain(..).flatten().filter_map(|(_, waker)| waker);
        wakers.for_each(Waker::wake);
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

    #[test]
    fn those_who_come_and_go_leave_no_trace() {
        let mut waiters = Waiters::default();
        let mut stays = Place::default();
        waiters.wait(&mut stays, Waker::noop());
        for _ in 0..1000 {
            let mut place = Place::default();
            waiters.wait(&mut place, Waker::noop());
            waiters.leave(&mut place);
            waiters.leave(&mut place);
        }
        assert!(waiters.line.len() < 4);
        assert_eq!(waiters.take().len() - waiters.gaps, 1);
    }
}
