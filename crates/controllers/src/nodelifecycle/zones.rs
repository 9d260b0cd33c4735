//! How fast pods are evicted from unwell nodes, by the state of each zone: the more nodes fall silent at once, the
//! likelier the fault is not theirs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Node;
use tokio::time::Instant;

use super::plan::is_ready;

/// One node in ten seconds, usually.
const USUAL: Duration = Duration::from_secs(10);
/// In a large zone that is in trouble.
const SLOW: Duration = Duration::from_secs(100);
/// A zone of more nodes is large.
const LARGE: usize = 50;
/// A zone where so many hundredths are unwell is in trouble.
const TROUBLED_PERCENT: usize = 55;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Normal,
    /// Many nodes are unwell.
    Partial,
    /// All are.
    Full,
}

/// What may be evicted from a node's zone now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Nothing, and what was begun is taken back: no node anywhere is well, so the fault is more likely here.
    TakeBack,
    /// Nothing more for now.
    Stop,
    /// One node in such a time.
    Every(Duration),
}

/// When each zone's last node was given up.
#[derive(Debug, Default)]
pub(super) struct Limiter(BTreeMap<String, Instant>);

impl Limiter {
    /// Takes the zone's turn, or says how long until it comes.
    pub(super) fn take(&mut self, zone: &str, interval: Duration, now: Instant) -> Result<(), Duration> {
        if let Some(last) = self.0.get(zone) {
            let passed = now.duration_since(*last);
            if passed < interval {
                return Err(interval - passed);
            }
        }
        self.0.insert(zone.to_owned(), now);
        Ok(())
    }
}

/// The zone of nodes without labels.
const NOWHERE: &str = ":\0:";

pub(super) fn zone_of(node: &Node) -> String {
    let label = |key: &str| node.metadata.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
    let place = |new: &str, old: &str| label(new).or_else(|| label(old)).unwrap_or_default();
    let region = place("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
    let zone = place("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
    format!("{region}:\0:{zone}")
}

/// As metrics name it: a node that says nothing of where it is has no zone.
pub(super) fn zone_label(zone: &str) -> &str {
    if zone == NOWHERE { "" } else { zone }
}

/// The pace of a zone, among all nodes.
pub(super) fn pace(zone: &str, nodes: &[Arc<Node>]) -> Pace {
    if nodes.iter().all(|node| !is_ready(node)) {
        return Pace::TakeBack;
    }
    let own: Vec<&Arc<Node>> = nodes.iter().filter(|node| zone_of(node) == zone).collect();
    let unwell = own.iter().filter(|node| !is_ready(node)).count();
    match state(own.len() - unwell, unwell) {
        State::Normal | State::Full => Pace::Every(USUAL),
        State::Partial if own.len() > LARGE => Pace::Every(SLOW),
        State::Partial => Pace::Stop,
    }
}

fn state(well: usize, unwell: usize) -> State {
    if well == 0 && unwell > 0 {
        State::Full
    } else if unwell > 2 && unwell * 100 >= (well + unwell) * TROUBLED_PERCENT {
        State::Partial
    } else {
        State::Normal
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn nodes(zone: &str, well: usize, unwell: usize) -> Vec<Arc<Node>> {
        let node = |ready: &str| {
            let labels = json!({"topology.kubernetes.io/zone": zone});
            let conditions = json!([{"type": "Ready", "status": ready}]);
            let node = json!({"metadata": {"labels": labels}, "status": {"conditions": conditions}});
            Arc::new(serde_json::from_value::<Node>(node).unwrap())
        };
        (0..well).map(|_| node("True")).chain((0..unwell).map(|_| node("Unknown"))).collect()
    }

    #[test]
    fn the_more_fall_silent_the_slower_pods_are_evicted() {
        for (well, unwell, expected) in [
            (3, 1, Pace::Every(USUAL)),
            (1, 2, Pace::Every(USUAL)),
            (1, 3, Pace::Stop),
            (4, 4, Pace::Every(USUAL)),
            (20, 40, Pace::Every(SLOW)),
            (0, 3, Pace::TakeBack),
        ] {
            let own = nodes("a", well, unwell);
            assert_eq!(pace(&zone_of(&own[0]), &own), expected, "{well} well, {unwell} not");
        }
    }

    #[test]
    fn a_zone_that_is_lost_whole_is_given_up_where_others_live() {
        let lost = nodes("a", 0, 5);
        let all = [lost.clone(), nodes("b", 1, 0)].concat();
        assert_eq!(pace(&zone_of(&lost[0]), &all), Pace::Every(USUAL));
    }

    #[tokio::test(start_paused = true)]
    async fn each_zone_has_its_own_turn() {
        let (mut limiter, now) = (Limiter::default(), Instant::now());
        assert_eq!(limiter.take("a", USUAL, now), Ok(()));
        assert_eq!(limiter.take("b", USUAL, now), Ok(()));
        assert_eq!(limiter.take("a", USUAL, now + Duration::from_secs(4)), Err(Duration::from_secs(6)));
        assert_eq!(limiter.take("a", USUAL, now + USUAL), Ok(()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Of each zone, what upstream's defaults say: 0.1 nodes a second usually, 0.01 in a large zone of which 55 %
        /// are unwell, none in a small one; all is taken back where nobody is well anywhere.
        #[test]
        fn the_pace_follows_the_share_of_a_zone_that_is_unwell(
            zones in prop::collection::vec((0..80_usize, 0..80_usize), 1..4),
        ) {
            let all: Vec<Vec<Arc<Node>>> =
                zones.iter().enumerate().map(|(number, (well, unwell))| nodes(&number.to_string(), *well, *unwell)).collect();
            let everybody: Vec<Arc<Node>> = all.iter().flatten().cloned().collect();
            let is_anybody_well = zones.iter().any(|(well, _)| *well > 0);
            for (own, (well, unwell)) in all.iter().zip(&zones).filter(|(own, _)| !own.is_empty()) {
                let is_troubled = *well > 0 && *unwell > 2 && *unwell as f64 / (well + unwell) as f64 >= 0.55;
                let expected = match (is_anybody_well, is_troubled) {
                    (false, _) => Pace::TakeBack,
                    (true, false) => Pace::Every(Duration::from_secs(10)),
                    (true, true) if well + unwell > 50 => Pace::Every(Duration::from_secs(100)),
                    (true, true) => Pace::Stop,
                };
                prop_assert_eq!(pace(&zone_of(&own[0]), &everybody), expected, "{} well, {} not", well, unwell);
            }
        }

        #[test]
        fn no_zone_gives_up_two_nodes_within_its_interval(
            asked in prop::collection::vec((0..3_u8, 0..15_000_u64), 1..60),
        ) {
            let mut limiter = Limiter::default();
            let mut now = Instant::now();
            let mut given: BTreeMap<u8, Instant> = BTreeMap::new();
            for (zone, later) in asked {
                now += Duration::from_millis(later);
                let last = given.get(&zone).copied();
                match limiter.take(&zone.to_string(), USUAL, now) {
                    Ok(()) => {
                        prop_assert!(last.is_none_or(|last| now - last >= USUAL));
                        given.insert(zone, now);
                    }
                    // Whoever comes again at the time named is not sent away.
                    Err(wait) => prop_assert_eq!(last.map(|last| last + USUAL), Some(now + wait)),
                }
            }
        }
    }
}
