//! A queue of keys: each waits at most once, and is worked on by at most one worker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stdx::Clock;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::figures::Figures;
use crate::turns::Turns;

/// The first and the longest delay after failures of one key.
const FIRST_RETRY: Duration = Duration::from_millis(5);
const LAST_RETRY: Duration = Duration::from_secs(1000);

/// Clones share one queue. It holds no more entries than there are keys, however often they are
/// added. A key added while a worker has it comes up again once the worker is done.
pub struct WorkQueue<K> {
    shared: Arc<Shared<K>>,
}

impl<K> Clone for WorkQueue<K> {
    fn clone(&self) -> Self {
        WorkQueue { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<K> {
    clock: Clock,
    state: Mutex<State<K>>,
    ready: Notify,
}

struct State<K> {
    /// Keys to hand out, oldest first, and since when they wait. None of them is being worked on.
    queue: VecDeque<(K, Instant)>,
    /// Keys that want work: those in `queue`, and those added again while being worked on.
    wanted: BTreeSet<K>,
    /// Since when each is worked on.
    working: BTreeMap<K, Instant>,
    /// Keys to add at a later time, with a number that keeps equal times in order of arrival.
    delayed: BTreeMap<(Instant, u64), K>,
    delayed_by_key: BTreeMap<K, (Instant, u64)>,
    sequence: u64,
    failures: BTreeMap<K, u32>,
    /// Keys that are not handed out before a time, wanted or not.
    resting: BTreeMap<K, Instant>,
    turns: Turns<K>,
    figures: Figures,
}

impl<K: Ord + Clone> WorkQueue<K> {
    pub fn new(clock: Clock) -> Self {
        let state = State {
            queue: VecDeque::new(),
            wanted: BTreeSet::new(),
            working: BTreeMap::new(),
            delayed: BTreeMap::new(),
            delayed_by_key: BTreeMap::new(),
            sequence: 0,
            failures: BTreeMap::new(),
            resting: BTreeMap::new(),
            turns: Turns::default(),
            figures: Figures::default(),
        };
        WorkQueue { shared: Arc::new(Shared { clock, state: Mutex::new(state), ready: Notify::new() }) }
    }

    pub fn add(&self, key: K) {
        if self.lock().add(key, &self.shared.clock) {
            self.shared.ready.notify_one();
        }
    }

    /// Adds the key after a delay; of several delays of one key, the earliest counts.
    pub fn add_after(&self, key: K, delay: Duration) {
        if delay.is_zero() {
            return self.add(key);
        }
        let at = self.shared.clock.instant() + delay;
        if self.lock().add_at(key, at) {
            // A waiting worker may now have to wake earlier.
            self.shared.ready.notify_one();
        }
    }

    /// Adds the key after its own back-off, which doubles with each call until [`WorkQueue::forget`].
    pub fn add_backed_off(&self, key: K) {
        let delay = {
            let mut state = self.lock();
            state.figures.retries += 1;
            let failures = state.failures.entry(key.clone()).or_insert(0);
            let delay = FIRST_RETRY.saturating_mul(2u32.saturating_pow(*failures)).min(LAST_RETRY);
            *failures = failures.saturating_add(1);
            delay
        };
        self.add_after(key, delay);
    }

    /// Ends the key's back-off.
    pub fn forget(&self, key: &K) {
        self.lock().failures.remove(key);
    }

    /// How often the key has been backed off in a row.
    pub fn failures(&self, key: &K) -> u32 {
        self.lock().failures.get(key).copied().unwrap_or(0)
    }

    /// Keeps the key back for a while from now, whoever adds it meanwhile: many changes then become one turn. To be
    /// called by the worker that has the key.
    pub fn rest(&self, key: &K, duration: Duration) {
        let now = self.shared.clock.instant();
        let mut state = self.lock();
        state.resting.retain(|_, until| *until > now);
        if !duration.is_zero() {
            state.rest_until(key, now + duration);
        }
    }

    /// The next key to work on; [`WorkQueue::done`] must follow.
    pub async fn next(&self) -> K {
        loop {
            let woken = self.shared.ready.notified();
            let deadline = {
                let mut state = self.lock();
                state.promote(&self.shared.clock);
                if let Some(key) = state.take(self.shared.clock.instant()) {
                    if !state.queue.is_empty() || !state.delayed.is_empty() {
                        // Another worker takes the rest, or minds the next deadline.
                        self.shared.ready.notify_one();
                    }
                    return key;
                }
                state.delayed.first_key_value().map(|((at, _), _)| *at)
            };
            match deadline {
                None => woken.await,
                Some(at) => tokio::select! {
                    biased;
                    () = woken => {}
                    () = tokio::time::sleep_until(at) => {}
                },
            }
        }
    }

    /// The worker is done with the key.
    pub fn done(&self, key: &K) {
        if self.lock().done(key, &self.shared.clock) {
            self.shared.ready.notify_one();
        }
    }

    /// Keys ready to be worked on.
    pub fn len(&self) -> usize {
        self.lock().queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What there is to tell of the queue until now.
    pub fn figures(&self) -> Figures {
        let now = self.shared.clock.instant();
        let state = self.lock();
        let unfinished = state.working.values().map(|since| now.duration_since(*since));
        Figures {
            depth: state.queue.len(),
            longest: unfinished.clone().max().unwrap_or_default(),
            unfinished: unfinished.sum(),
            ..state.figures.clone()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<K>> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord + Clone> State<K> {
    /// True where a worker has something new to take, or has to wake earlier.
    fn add(&mut self, key: K, clock: &Clock) -> bool {
        if self.working.contains_key(&key) {
            self.figures.adds += u64::from(self.wanted.insert(key));
            return false;
        }
        if let Some(until) = self.rests_until(&key, clock) {
            return self.add_at(key, until);
        }
        if !self.wanted.insert(key.clone()) {
            return false;
        }
        self.figures.adds += 1;
        self.queue.push_back((key, clock.instant()));
        true
    }

    /// Of several rests of one key the longest counts.
    fn rest_until(&mut self, key: &K, until: Instant) {
        let rests = self.resting.entry(key.clone()).or_insert(until);
        *rests = until.max(*rests);
    }

    /// Only who rests at all has to be compared with the time.
    fn rests_until(&mut self, key: &K, clock: &Clock) -> Option<Instant> {
        let until = *self.resting.get(key)?;
        if until > clock.instant() {
            return Some(until);
        }
        self.resting.remove(key);
        None
    }

    /// True where the earliest deadline moved.
    fn add_at(&mut self, key: K, at: Instant) -> bool {
        match self.delayed_by_key.get(&key) {
            Some((earlier, _)) if *earlier <= at => return false,
            Some(later) => {
                let later = *later;
                self.delayed.remove(&later);
            }
            None => {}
        }
        self.sequence += 1;
        let slot = (at, self.sequence);
        self.delayed.insert(slot, key.clone());
        self.delayed_by_key.insert(key, slot);
        self.delayed.first_key_value().is_some_and(|(first, _)| *first == slot)
    }

    /// Moves what has come due to the queue.
    fn promote(&mut self, clock: &Clock) {
        let now = clock.instant();
        while let Some(entry) = self.delayed.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let key = entry.remove();
            self.delayed_by_key.remove(&key);
            self.add(key, clock);
        }
    }

    fn take(&mut self, now: Instant) -> Option<K> {
        let (key, since) = self.queue.pop_front()?;
        self.figures.waited.add(now.duration_since(since).as_secs_f64());
        self.wanted.remove(&key);
        self.working.insert(key.clone(), now);
        if let Some(until) = self.turns.count(&key, now) {
            self.rest_until(&key, until);
        }
        Some(key)
    }

    /// True where the key is wanted again.
    fn done(&mut self, key: &K, clock: &Clock) -> bool {
        if let Some(since) = self.working.remove(key) {
            self.figures.worked.add(clock.instant().duration_since(since).as_secs_f64());
        }
        let is_wanted = self.wanted.remove(key);
        if is_wanted {
            // It was counted when it was added.
            self.figures.adds -= 1;
        }
        is_wanted && self.add(key.clone(), clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> WorkQueue<&'static str> {
        WorkQueue::new(Clock::simulated())
    }

    async fn ready_within(queue: &WorkQueue<&'static str>, limit: Duration) -> Option<&'static str> {
        tokio::time::timeout(limit, queue.next()).await.ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_waits_once_and_is_never_worked_on_twice_at_once() {
        let queue = queue();
        for key in ["a", "b", "a"] {
            queue.add(key);
        }
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        queue.add("a");
        assert_eq!(queue.next().await, "b");
        assert_eq!(ready_within(&queue, Duration::from_secs(3600)).await, None);
        queue.done(&"a");
        assert_eq!(queue.next().await, "a");
        queue.done(&"a");
        queue.done(&"b");
        assert_eq!(ready_within(&queue, Duration::from_secs(3600)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn delays_are_kept_and_the_earliest_counts() {
        let queue = queue();
        let start = Instant::now();
        queue.add_after("late", Duration::from_secs(10));
        queue.add_after("early", Duration::from_secs(5));
        queue.add_after("late", Duration::from_secs(7));
        queue.add_after("late", Duration::from_secs(60));
        assert_eq!((queue.next().await, start.elapsed().as_secs()), ("early", 5));
        assert_eq!((queue.next().await, start.elapsed().as_secs()), ("late", 7));
        queue.done(&"late");
        assert_eq!(ready_within(&queue, Duration::from_secs(3600)).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_earlier_deadline_wakes_a_waiting_worker() {
        let queue = queue();
        queue.add_after("late", Duration::from_secs(100));
        let worker = tokio::spawn({
            let queue = queue.clone();
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.add_after("early", Duration::from_secs(1));
        let start = Instant::now();
        assert_eq!(worker.await.unwrap(), "early");
        assert_eq!(start.elapsed().as_secs(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn failures_back_off_from_milliseconds_to_a_quarter_of_an_hour() {
        let queue = queue();
        let mut waits = Vec::new();
        for _ in 0..20 {
            let start = Instant::now();
            queue.add_backed_off("a");
            queue.done(&queue.next().await);
            waits.push(start.elapsed().as_millis());
        }
        assert_eq!(waits[..4], [5, 10, 20, 40]);
        assert_eq!(waits[17..], [655_360, 1_000_000, 1_000_000]);
        assert_eq!(queue.failures(&"a"), 20);
        queue.forget(&"a");
        assert_eq!(queue.failures(&"a"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_resting_key_comes_once_and_not_before_its_time() {
        let queue = queue();
        let start = Instant::now();
        queue.add("a");
        assert_eq!(queue.next().await, "a");
        queue.add("a");
        queue.rest(&"a", Duration::from_secs(5));
        queue.done(&"a");
        queue.add("a");
        queue.add_after("a", Duration::from_secs(1));
        queue.add("b");
        assert_eq!((queue.next().await, start.elapsed().as_secs()), ("b", 0), "others are not held back");
        assert_eq!((queue.next().await, start.elapsed().as_secs()), ("a", 5));
        queue.done(&"a");
        assert_eq!(ready_within(&queue, Duration::from_secs(3600)).await, None, "it was wanted once");
        queue.add("a");
        assert_eq!(ready_within(&queue, Duration::ZERO).await, Some("a"), "its rest is over");
    }

    #[tokio::test(start_paused = true)]
    async fn every_idle_worker_gets_its_share() {
        let queue = queue();
        let workers: Vec<_> = (0..3)
            .map(|_| {
                let queue = queue.clone();
                tokio::spawn(async move { queue.next().await })
            })
            .collect();
        tokio::task::yield_now().await;
        for key in ["a", "b", "c"] {
            queue.add(key);
        }
        let mut taken = Vec::new();
        for worker in workers {
            taken.push(worker.await.unwrap());
        }
        taken.sort_unstable();
        assert_eq!(taken, ["a", "b", "c"]);
    }
}
