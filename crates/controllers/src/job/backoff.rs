//! How long to wait before a failed pod is replaced.

use std::time::Duration;

use api::k8s::api::core::v1::{ContainerStatus, Pod};
use api::k8s::jiff::Timestamp;

use crate::pods;

const FIRST: Duration = Duration::from_secs(10);
const LONGEST: Duration = Duration::from_secs(600);

/// The failures in a row since a pod of the Job last succeeded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Failures {
    pub(super) count: u32,
    pub(super) last: Option<Timestamp>,
}

impl Failures {
    /// What is known after some more pods have come to their ends.
    pub(super) fn after<'a>(
        self,
        succeeded: impl IntoIterator<Item = &'a Pod>,
        failed: impl IntoIterator<Item = &'a Pod>,
    ) -> Failures {
        let last_success = succeeded.into_iter().map(finished_at).max();
        let mut failures = if last_success.is_some() { Failures::default() } else { self };
        for end in failed.into_iter().map(finished_at) {
            if last_success.is_none_or(|success| end > success) {
                failures.count = failures.count.saturating_add(1);
                failures.last = failures.last.max(Some(end));
            }
        }
        failures
    }

    pub(super) fn remaining(self, now: Timestamp) -> Duration {
        let (Some(last), Some(doublings)) = (self.last, self.count.checked_sub(1)) else { return Duration::ZERO };
        let delay = FIRST.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST);
        // A negative time has not passed: the failure is dated later than now.
        let passed = Duration::try_from(now.duration_since(last)).unwrap_or(Duration::ZERO);
        delay.saturating_sub(passed)
    }
}

/// When the pod ended, as well as that can be told.
pub(super) fn finished_at(pod: &Pod) -> Timestamp {
    let when = containers_finished_at(pod).or_else(|| not_ready_since(pod)).or_else(|| told_to_go_at(pod));
    when.or_else(|| pod.metadata.creation_timestamp.as_ref().map(|time| time.0)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The end of the container that ended last; none while one has no end.
fn containers_finished_at(pod: &Pod) -> Option<Timestamp> {
    let statuses = pod.status.as_ref()?.container_statuses.as_ref()?;
    let end = |status: &ContainerStatus| Some(status.state.as_ref()?.terminated.as_ref()?.finished_at.as_ref()?.0);
    let ends: Option<Vec<Timestamp>> = statuses.iter().map(end).collect();
    ends?.into_iter().max()
}

fn not_ready_since(pod: &Pod) -> Option<Timestamp> {
    let ready = pods::condition(pod, "Ready").filter(|condition| condition.status == "False")?;
    ready.last_transition_time.as_ref().map(|time| time.0)
}

fn told_to_go_at(pod: &Pod) -> Option<Timestamp> {
    let deadline = pod.metadata.deletion_timestamp.as_ref()?.0;
    let grace = Duration::from_secs(u64::try_from(pod.metadata.deletion_grace_period_seconds?).ok()?);
    deadline.checked_sub(grace).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ended(second: i64) -> Pod {
        let end = Timestamp::from_second(second).unwrap().to_string();
        serde_json::from_value(json!({
            "metadata": {"name": "p"},
            "status": {"phase": "Failed", "containerStatuses": [
                {"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                 "state": {"terminated": {"exitCode": 1, "finishedAt": end}}},
            ]},
        }))
        .unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_wait_doubles_from_ten_seconds_to_ten_minutes() {
        let mut failures = Failures::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            failures = failures.after([], [&ended(1000)]);
            waits.push(failures.remaining(at(1000)).as_secs());
        }
        assert_eq!(waits, [10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(failures.remaining(at(1590)).as_secs(), 10);
        assert_eq!(failures.remaining(at(2000)), Duration::ZERO);
    }

    #[test]
    fn a_success_forgives_what_failed_before_it() {
        let failures = Failures::default().after([], [&ended(10), &ended(20)]);
        assert_eq!(failures.count, 2);
        let after = failures.after([&ended(30)], [&ended(25), &ended(40)]);
        assert_eq!(after, Failures { count: 1, last: Some(at(40)) });
        assert_eq!(failures.after([&ended(50)], []), Failures::default());
    }
}
