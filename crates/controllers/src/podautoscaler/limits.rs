//! What keeps a count of pods from changing too fast, too far, or to and fro.

use std::time::Duration;

use api::k8s::api::autoscaling::v2::{HPAScalingPolicy, HPAScalingRules, HorizontalPodAutoscalerBehavior};
use tokio::time::Instant;

/// How long the highest recommendation holds where nobody says otherwise.
const DOWNSCALE_STABILIZATION: Duration = Duration::from_secs(300);
/// No rule looks back further than this.
const LONGEST_MEMORY: Duration = Duration::from_secs(3600);

/// What an autoscaler remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    recommendations: Vec<(Instant, i32)>,
    /// Pods added and removed.
    ups: Vec<(Instant, i32)>,
    downs: Vec<(Instant, i32)>,
}

impl History {
    /// Before anything was recommended, the present size counts as that.
    pub(super) fn begin(&mut self, current: i32, now: Instant) {
        if self.recommendations.is_empty() {
            self.recommendations.push((now, current));
        }
    }

    pub(super) fn recommended(&mut self, replicas: i32, now: Instant) {
        self.recommendations.push((now, replicas));
        self.forget(now);
    }

    pub(super) fn scaled(&mut self, from: i32, to: i32, now: Instant) {
        match to.cmp(&from) {
            std::cmp::Ordering::Greater => self.ups.push((now, to - from)),
            std::cmp::Ordering::Less => self.downs.push((now, from - to)),
            std::cmp::Ordering::Equal => {}
        }
        self.forget(now);
    }

    fn forget(&mut self, now: Instant) {
        for list in [&mut self.recommendations, &mut self.ups, &mut self.downs] {
            list.retain(|(at, _)| now.duration_since(*at) < LONGEST_MEMORY);
        }
    }

    fn recent(&self, window: Duration, now: Instant) -> impl Iterator<Item = i32> {
        self.recommendations.iter().filter(move |(at, _)| now.duration_since(*at) < window).map(|(_, count)| *count)
    }
}

/// A size within limits, and what is to be said of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limited {
    pub(super) replicas: i32,
    /// Of AbleToScale: a reason and a message.
    pub(super) able: (&'static str, &'static str),
    /// Of ScalingLimited: whether, a reason and a message.
    pub(super) limited: (bool, &'static str, &'static str),
}

pub(super) struct Bounds<'a> {
    pub(super) current: i32,
    pub(super) minimum: i32,
    pub(super) maximum: i32,
    pub(super) behavior: Option<&'a HorizontalPodAutoscalerBehavior>,
}

const READY: (&str, &str) = ("ReadyForNewScale", "recommended size matches current size");
const HIGHEST: (&str, &str) = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
);
const LOWEST: (&str, &str) = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
);
const TOO_FEW: (&str, &str) = ("TooFewReplicas", "the desired replica count is less than the minimum replica count");
const TOO_MANY: (&str, &str) = ("TooManyReplicas", "the desired replica count is more than the maximum replica count");
const TOO_FAST: (&str, &str) =
    ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
const TOO_FAST_DOWN: (&str, &str) =
    ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");
const IN_RANGE: (&str, &str) = ("DesiredWithinRange", "the desired count is within the acceptable range");

/// Brings what the metrics want within the limits. `desired` must not be in the history yet.
pub(super) fn limit(desired: i32, bounds: &Bounds<'_>, history: &History, now: Instant) -> Limited {
    let (stabilized, why) = match bounds.behavior {
        None => (history.recent(DOWNSCALE_STABILIZATION, now).fold(desired, i32::max), HIGHEST),
        Some(behavior) => stabilize(desired, bounds.current, behavior, history, now),
    };
    let able = if stabilized == desired { READY } else { why };
    let (replicas, (reason, message)) = match bounds.behavior {
        None => within_defaults(stabilized, bounds),
        Some(behavior) => within_rates(stabilized, bounds, behavior, history, now),
    };
    Limited { replicas, able, limited: (replicas != stabilized, reason, message) }
}

type Why = (&'static str, &'static str);

/// Up no further than the lowest, down no further than the highest that was lately recommended.
fn stabilize(
    desired: i32,
    current: i32,
    behavior: &HorizontalPodAutoscalerBehavior,
    history: &History,
    now: Instant,
) -> (i32, Why) {
    let window = |rules: Option<&HPAScalingRules>, default: Duration| {
        let seconds = rules.and_then(|rules| rules.stabilization_window_seconds);
        seconds.map_or(default, |seconds| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
    };
    let up = history.recent(window(behavior.scale_up.as_ref(), Duration::ZERO), now).fold(desired, i32::min);
    let down =
        history.recent(window(behavior.scale_down.as_ref(), DOWNSCALE_STABILIZATION), now).fold(desired, i32::max);
    let why = if desired >= current { LOWEST } else { HIGHEST };
    (current.max(up).min(down), why)
}

fn within_defaults(desired: i32, bounds: &Bounds<'_>) -> (i32, Why) {
    let fastest = bounds.current.saturating_mul(2).max(4);
    let (most, why) = if bounds.maximum > fastest { (fastest, TOO_FAST) } else { (bounds.maximum, TOO_MANY) };
    if desired < bounds.minimum {
        (bounds.minimum, TOO_FEW)
    } else if desired > most {
        (most, why)
    } else {
        (desired, IN_RANGE)
    }
}

fn within_rates(
    desired: i32,
    bounds: &Bounds<'_>,
    behavior: &HorizontalPodAutoscalerBehavior,
    history: &History,
    now: Instant,
) -> (i32, Why) {
    let current = bounds.current;
    if desired > current {
        let fastest = up_limit(current, behavior.scale_up.as_ref(), history, now).max(current);
        let (most, why) = if bounds.maximum > fastest { (fastest, TOO_FAST) } else { (bounds.maximum, TOO_MANY) };
        if desired > most {
            return (most, why);
        }
    } else if desired < current {
        let slowest = down_limit(current, behavior.scale_down.as_ref(), history, now).min(current);
        let (least, why) = if bounds.minimum < slowest { (slowest, TOO_FAST_DOWN) } else { (bounds.minimum, TOO_FEW) };
        if desired < least {
            return (least, why);
        }
    }
    (desired, IN_RANGE)
}

fn up_limit(current: i32, rules: Option<&HPAScalingRules>, history: &History, now: Instant) -> i32 {
    let default = [policy("Pods", 4), policy("Percent", 100)];
    let proposals = policies(rules, &default).iter().map(|policy| {
        let start = period_start(current, policy, history, now);
        match policy.type_.as_str() {
            "Pods" => start.saturating_add(policy.value),
            _ => (f64::from(start) * (1.0 + f64::from(policy.value) / 100.0)).ceil() as i32,
        }
    });
    match select(rules) {
        "Disabled" => current,
        "Min" => proposals.min().unwrap_or(current),
        _ => proposals.max().unwrap_or(current),
    }
}

fn down_limit(current: i32, rules: Option<&HPAScalingRules>, history: &History, now: Instant) -> i32 {
    let default = [policy("Percent", 100)];
    let proposals = policies(rules, &default).iter().map(|policy| {
        let start = period_start(current, policy, history, now);
        match policy.type_.as_str() {
            "Pods" => start.saturating_sub(policy.value),
            _ => (f64::from(start) * (1.0 - f64::from(policy.value) / 100.0)) as i32,
        }
    });
    match select(rules) {
        "Disabled" => current,
        // The least change.
        "Min" => proposals.max().unwrap_or(current),
        _ => proposals.min().unwrap_or(current),
    }
}

fn policy(r#type: &str, value: i32) -> HPAScalingPolicy {
    HPAScalingPolicy { type_: r#type.to_owned(), value, period_seconds: 15 }
}

fn policies<'a>(rules: Option<&'a HPAScalingRules>, default: &'a [HPAScalingPolicy]) -> &'a [HPAScalingPolicy] {
    rules.and_then(|rules| rules.policies.as_deref()).filter(|given| !given.is_empty()).unwrap_or(default)
}

fn select(rules: Option<&HPAScalingRules>) -> &str {
    rules.and_then(|rules| rules.select_policy.as_deref()).unwrap_or("Max")
}

/// How many there were when the policy's period began.
fn period_start(current: i32, policy: &HPAScalingPolicy, history: &History, now: Instant) -> i32 {
    let period = Duration::from_secs(u64::try_from(policy.period_seconds).unwrap_or(0));
    let changed = |list: &[(Instant, i32)]| -> i32 {
        list.iter().filter(|(at, _)| now.duration_since(*at) < period).map(|(_, count)| *count).sum()
    };
    current - changed(&history.ups) + changed(&history.downs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn behavior(value: Value) -> HorizontalPodAutoscalerBehavior {
        serde_json::from_value(value).unwrap()
    }

    /// `past` are recommendations and how many seconds ago they were made.
    fn history(past: &[(u64, i32)], now: Instant) -> History {
        let at = |seconds: u64| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        History { recommendations: past.iter().map(|(ago, count)| (at(*ago), *count)).collect(), ..History::default() }
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(7200)
    }

    #[tokio::test(start_paused = true)]
    async fn without_rules_it_doubles_at_most_and_shrinks_after_five_minutes() {
        let now = later();
        for (current, desired, past, expected, able, limited) in [
            (3, 5, &[][..], 5, "ReadyForNewScale", "DesiredWithinRange"),
            (3, 50, &[], 6, "ReadyForNewScale", "ScaleUpLimit"),
            (1, 50, &[], 4, "ReadyForNewScale", "ScaleUpLimit"),
            (8, 50, &[], 10, "ReadyForNewScale", "TooManyReplicas"),
            (5, 0, &[], 2, "ReadyForNewScale", "TooFewReplicas"),
            (5, 3, &[(200, 5)], 5, "ScaleDownStabilized", "DesiredWithinRange"),
            (5, 3, &[(301, 5)], 3, "ReadyForNewScale", "DesiredWithinRange"),
        ] {
            let bounds = Bounds { current, minimum: 2, maximum: 10, behavior: None };
            let limit = limit(desired, &bounds, &history(past, now), now);
            assert_eq!(
                (limit.replicas, limit.able.0, limit.limited.1),
                (expected, able, limited),
                "{current} {desired}"
            );
            assert_eq!(limit.limited.0, limited != "DesiredWithinRange");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn rules_set_rates_windows_and_stops() {
        let now = later();
        let pods = |count: i32, period: i32| json!([{"type": "Pods", "value": count, "periodSeconds": period}]);
        for (given, current, desired, past, expected, able, limited) in [
            (json!({"scaleUp": {"policies": pods(2, 60)}}), 3, 9, &[][..], 5, "ReadyForNewScale", "ScaleUpLimit"),
            (json!({"scaleUp": {"selectPolicy": "Disabled"}}), 3, 9, &[], 3, "ReadyForNewScale", "ScaleUpLimit"),
            (json!({"scaleDown": {"selectPolicy": "Disabled"}}), 5, 3, &[], 5, "ReadyForNewScale", "ScaleDownLimit"),
            (json!({"scaleDown": {"policies": pods(1, 60)}}), 5, 2, &[], 4, "ReadyForNewScale", "ScaleDownLimit"),
            (
                json!({"scaleUp": {"stabilizationWindowSeconds": 60}}),
                3,
                6,
                &[(30, 4)],
                4,
                "ScaleUpStabilized",
                "DesiredWithinRange",
            ),
            (
                json!({"scaleDown": {"stabilizationWindowSeconds": 0}}),
                5,
                2,
                &[(1, 5)],
                2,
                "ReadyForNewScale",
                "DesiredWithinRange",
            ),
            (json!({}), 5, 2, &[(1, 5)], 5, "ScaleDownStabilized", "DesiredWithinRange"),
        ] {
            let rules = behavior(given.clone());
            let bounds = Bounds { current, minimum: 1, maximum: 10, behavior: Some(&rules) };
            let limit = limit(desired, &bounds, &history(past, now), now);
            assert_eq!((limit.replicas, limit.able.0, limit.limited.1), (expected, able, limited), "{given}");
        }
        // What was added in the period counts against the rate.
        let rules = behavior(json!({"scaleUp": {"policies": pods(4, 60)}}));
        let bounds = Bounds { current: 5, minimum: 1, maximum: 20, behavior: Some(&rules) };
        let mut grown = History::default();
        grown.scaled(2, 5, now.checked_sub(Duration::from_secs(30)).unwrap());
        assert_eq!(limit(20, &bounds, &grown, now).replicas, 6);
    }

    proptest! {
        /// Whatever is wanted, and whatever the rules, the size stays within its bounds or moves towards them.
        #[test]
        fn a_size_stays_within_its_bounds(current in 1i32..50, desired in 0i32..200, minimum in 1i32..20, room in 0i32..30,
                                          percent in 1i32..400, has_rules in any::<bool>()) {
            let maximum = minimum + room;
            let rules = behavior(json!({"scaleUp": {"policies": [
                {"type": "Percent", "value": percent, "periodSeconds": 15},
            ]}}));
            let current = current.clamp(minimum, maximum);
            let bounds = Bounds { current, minimum, maximum, behavior: has_rules.then_some(&rules) };
            let now = Instant::now();
            let limited = limit(desired, &bounds, &History::default(), now);
            prop_assert!((minimum..=maximum).contains(&limited.replicas));
            prop_assert!(desired <= current || limited.replicas >= current);
            prop_assert!(desired >= current || limited.replicas <= current);
        }
    }
}
