//! Which thresholds hold, what the node's conditions say, and what is to be reclaimed: pure.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::signals::Observation;
use crate::node::machine::Pressure;
use crate::policy::{Policy, Signal, Threshold};

/// What one round must remember for the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct State {
    /// Since when each threshold has held, by its place in the policy.
    met_since: BTreeMap<usize, Timestamp>,
    /// When each condition was last due.
    last_due: BTreeMap<Condition, Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Condition {
    Memory,
    Disk,
    Pids,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Met {
    pub(super) threshold: Threshold,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    pub(super) pressure: Pressure,
    /// The most urgent threshold whose grace is over.
    pub(super) reclaim: Option<Met>,
    /// When a grace or a condition's time ends.
    pub(super) wake_after: Option<Duration>,
}

pub(super) fn is_met(threshold: &Threshold, observation: Option<&Observation>) -> bool {
    observation.is_some_and(|seen| seen.available < threshold.amount.of(seen.capacity))
}

pub(super) fn decide(
    state: &mut State,
    policy: &Policy,
    observed: &BTreeMap<Signal, Observation>,
    now: Timestamp,
) -> Decision {
    let mut decision = Decision::default();
    let mut wake = |at: Timestamp| {
        let after = Duration::try_from(at.duration_since(now)).unwrap_or_default();
        decision.wake_after = Some(decision.wake_after.map_or(after, |earlier| earlier.min(after)));
    };
    let mut urgent: Vec<Threshold> = Vec::new();
    for (index, threshold) in policy.thresholds.iter().enumerate() {
        let seen = observed.get(&threshold.signal);
        let held = state.met_since.contains_key(&index);
        let goes_on = held && lacks_minimum(threshold, seen);
        if !is_met(threshold, seen) && !goes_on {
            state.met_since.remove(&index);
            continue;
        }
        let since = *state.met_since.entry(index).or_insert(now);
        state.last_due.insert(condition(threshold.signal), now);
        let due = later(since, threshold.grace.unwrap_or(SignedDuration::ZERO));
        if due <= now {
            urgent.push(*threshold);
        } else {
            wake(due);
        }
    }
    let mut holds = |condition: Condition| {
        let Some(last) = state.last_due.get(&condition) else { return false };
        let over = later(*last, policy.pressure_transition_period);
        if over <= now {
            state.last_due.remove(&condition);
            return false;
        }
        wake(over);
        true
    };
    let pressure =
        Pressure { memory: holds(Condition::Memory), disk: holds(Condition::Disk), pids: holds(Condition::Pids) };
    // Memory first: what runs dry of it dies without being asked.
    urgent.sort_by_key(|threshold| threshold.signal);
    Decision { pressure, reclaim: urgent.first().map(|threshold| Met { threshold: *threshold }), ..decision }
}

/// What has begun to be reclaimed goes on until there is some more than the threshold.
fn lacks_minimum(threshold: &Threshold, seen: Option<&Observation>) -> bool {
    seen.is_some_and(|seen| {
        seen.available < threshold.amount.of(seen.capacity).saturating_add(threshold.minimum_reclaim)
    })
}

fn condition(signal: Signal) -> Condition {
    match signal {
        Signal::MemoryAvailable => Condition::Memory,
        Signal::PidAvailable => Condition::Pids,
        _ => Condition::Disk,
    }
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.saturating_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Amount;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn seen(signal: Signal, available: i64) -> BTreeMap<Signal, Observation> {
        BTreeMap::from([(signal, Observation { available, capacity: 1000 })])
    }

    fn policy(threshold: Threshold) -> Policy {
        Policy { thresholds: vec![threshold], ..Policy::default() }
    }

    fn threshold(grace: Option<i64>, minimum_reclaim: i64) -> Threshold {
        let grace = grace.map(SignedDuration::from_secs);
        Threshold { signal: Signal::MemoryAvailable, amount: Amount::Units(100), grace, minimum_reclaim }
    }

    #[test]
    fn a_hard_threshold_reclaims_at_once_and_the_condition_outlasts_it() {
        let (policy, mut state) = (policy(threshold(None, 0)), State::default());
        let calm = decide(&mut state, &policy, &seen(Signal::MemoryAvailable, 100), at(0));
        assert_eq!(calm, Decision::default());
        let dry = decide(&mut state, &policy, &seen(Signal::MemoryAvailable, 99), at(10));
        assert!(dry.reclaim.is_some() && dry.pressure.memory && !dry.pressure.disk);
        let over = decide(&mut state, &policy, &seen(Signal::MemoryAvailable, 500), at(20));
        assert!(over.reclaim.is_none() && over.pressure.memory);
        assert_eq!(over.wake_after, Some(Duration::from_secs(290)));
        assert!(!decide(&mut state, &policy, &seen(Signal::MemoryAvailable, 500), at(310)).pressure.memory);
    }

    #[test]
    fn a_soft_threshold_waits_for_its_grace() {
        let (policy, mut state) = (policy(threshold(Some(30), 0)), State::default());
        let low = seen(Signal::MemoryAvailable, 50);
        let first = decide(&mut state, &policy, &low, at(0));
        assert!(first.reclaim.is_none() && first.pressure.memory);
        assert_eq!(first.wake_after, Some(Duration::from_secs(30)));
        assert!(decide(&mut state, &policy, &low, at(29)).reclaim.is_none());
        assert!(decide(&mut state, &policy, &low, at(30)).reclaim.is_some());
        // A moment of plenty starts the grace anew.
        decide(&mut state, &policy, &seen(Signal::MemoryAvailable, 200), at(31));
        assert!(decide(&mut state, &policy, &low, at(32)).reclaim.is_none());
    }

    #[test]
    fn reclaiming_goes_on_to_the_minimum_and_memory_goes_first() {
        let (one, mut state) = (policy(threshold(None, 50)), State::default());
        decide(&mut state, &one, &seen(Signal::MemoryAvailable, 99), at(0));
        assert!(decide(&mut state, &one, &seen(Signal::MemoryAvailable, 149), at(1)).reclaim.is_some());
        assert!(decide(&mut state, &one, &seen(Signal::MemoryAvailable, 150), at(2)).reclaim.is_none());
        assert!(decide(&mut state, &one, &seen(Signal::MemoryAvailable, 149), at(3)).reclaim.is_none());
        let all = Policy::default();
        let mut dry = seen(Signal::NodeFsAvailable, 0);
        dry.extend(seen(Signal::MemoryAvailable, 0));
        let decision = decide(&mut State::default(), &all, &dry, at(0));
        assert_eq!(decision.reclaim.unwrap().threshold.signal, Signal::MemoryAvailable);
        assert!(decision.pressure.disk && decision.pressure.memory && !decision.pressure.pids);
    }
}
