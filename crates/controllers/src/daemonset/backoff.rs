//! How long a node that keeps failing its pod waits for the next.

use std::collections::BTreeMap;
use std::time::Duration;

use api::k8s::jiff::Timestamp;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// By node. A node that was quiet for twice the longest wait begins anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoffs(BTreeMap<String, (Duration, Timestamp)>);

impl Backoffs {
    pub(super) fn remaining(&self, node: &str, now: Timestamp) -> Duration {
        self.0.get(node).map_or(Duration::ZERO, |(delay, since)| delay.saturating_sub(passed(*since, now)))
    }

    /// A failed pod was deleted: the next of this node waits twice as long.
    pub(super) fn extend(&mut self, node: &str, now: Timestamp) {
        self.0.retain(|_, (_, since)| passed(*since, now) <= LONGEST * 2);
        let delay = self.0.get(node).map_or(FIRST, |(delay, _)| (*delay * 2).min(LONGEST));
        self.0.insert(node.to_owned(), (delay, now));
    }
}

fn passed(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour_and_is_forgotten() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut backoffs = Backoffs::default();
        assert_eq!(backoffs.remaining("one", at(0)), Duration::ZERO);
        let mut now = 0;
        let mut waits = Vec::new();
        for _ in 0..12 {
            backoffs.extend("one", at(now));
            waits.push(backoffs.remaining("one", at(now)).as_secs());
            now += 900;
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        backoffs.extend("one", at(now + 3600));
        assert_eq!(backoffs.remaining("one", at(now + 3600)).as_secs(), 1);
        assert_eq!(backoffs.remaining("two", at(now)), Duration::ZERO);
    }
}
