//! How often one key may come up.
//!
//! A change leads to a turn and a turn to a change, until all is as it should be. Two writers that undo each other (an
//! operator of somebody's, a leader that has not noticed its end) never get there. Upstream's clients send so many
//! requests a second at most; here a key has so many turns, which holds nobody else up.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// Turns that a key may have one right after the other: more than any honest course of changes asks for.
const BURST: u32 = 200;
/// Between turns from then on.
const INTERVAL: Duration = Duration::from_millis(20);
/// Keys that are remembered without a look at who may be forgotten.
const FEW: usize = 256;

/// Of each key that had turns lately, when all of them would be over, had it had one each interval.
#[derive(Debug)]
pub(crate) struct Turns<K> {
    over: BTreeMap<K, Instant>,
    most: usize,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Turns { over: BTreeMap::new(), most: FEW }
    }
}

impl<K: Ord + Clone> Turns<K> {
    /// Counts a turn; tells until when the key is to rest after it, where it must.
    pub(crate) fn count(&mut self, key: &K, now: Instant) -> Option<Instant> {
        let over = match self.over.get_mut(key) {
            Some(over) => {
                *over = (*over).max(now) + INTERVAL;
                *over
            }
            None => {
                self.forget_old(now);
                self.over.insert(key.clone(), now + INTERVAL);
                now + INTERVAL
            }
        };
        let rest = over.duration_since(now).saturating_sub(INTERVAL * BURST);
        (!rest.is_zero()).then(|| now + rest)
    }

    /// Who has had no more than one turn an interval is as if it had had none.
    fn forget_old(&mut self, now: Instant) {
        if self.over.len() >= self.most {
            self.over.retain(|_, over| *over > now);
            self.most = FEW.max(self.over.len() * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use stdx::Clock;

    use super::*;
    use crate::WorkQueue;

    #[test]
    fn a_key_may_hurry_for_a_while_and_not_for_ever() {
        let start = Instant::now();
        let mut turns = Turns::default();
        for turn in 0..BURST {
            assert_eq!(turns.count(&"a", start), None, "turn {turn}");
        }
        assert_eq!(turns.count(&"a", start), Some(start + INTERVAL));
        assert_eq!(turns.count(&"b", start), None, "each has turns of its own");
        assert_eq!(turns.count(&"a", start + INTERVAL), Some(start + INTERVAL * 2));
        let later = start + INTERVAL * 2 * BURST;
        assert_eq!(turns.count(&"a", later), None, "it is forgiven in time");
    }

    #[test]
    fn who_is_content_is_forgotten() {
        let start = Instant::now();
        let mut turns = Turns::default();
        for number in 0..100_000u32 {
            turns.count(&number, start + Duration::from_millis(u64::from(number)));
        }
        assert!(turns.over.len() <= FEW, "{}", turns.over.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_always_comes_back_lets_time_pass() {
        let queue = WorkQueue::new(Clock::simulated());
        let start = Instant::now();
        queue.add("a");
        for _ in 0..300 {
            let key = queue.next().await;
            // What it does is undone at once, and it sees that while it is still at it.
            queue.add(key);
            queue.done(&key);
        }
        let passed = start.elapsed();
        assert!((Duration::from_secs(1)..Duration::from_secs(3)).contains(&passed), "{passed:?}");
        queue.add("b");
        let waited = tokio::time::timeout(Duration::ZERO, queue.next()).await;
        assert_eq!(waited, Ok("b"), "others need not wait for it");
    }
}
