//! Graceful node shutdown: when the machine is about to go down, pods end in the order of their priority, each
//! within the time its priority has.
//!
//! logind tells of a shutdown and lets the kubelet delay it; where there is none, SIGPWR does the former.

mod bus;
mod logind;

use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use futures::future::join_all;
use tokio::signal::unix::{SignalKind, signal};

use crate::pod::manager::Pods;
use crate::pod::plan::Eviction;
use crate::pod::{Context, spec};

/// What a power failure raises, and in containers what asks their init to end.
const SIGPWR: i32 = 30;
const SYSTEM_CRITICAL: i32 = 2_000_000_000;

/// How long pods of a priority, and of those up to the next, have to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grace {
    pub(crate) priority: i32,
    pub(crate) seconds: i64,
}

/// shutdownGracePeriod and shutdownGracePeriodCriticalPods in the general form; nothing where both are zero.
pub(crate) fn graces_of(whole_seconds: i64, critical_seconds: i64) -> Vec<Grace> {
    if whole_seconds <= 0 {
        return Vec::new();
    }
    let ordinary = Grace { priority: 0, seconds: whole_seconds - critical_seconds };
    vec![ordinary, Grace { priority: SYSTEM_CRITICAL, seconds: critical_seconds }]
}

/// Pods that end together, and how long each has.
#[derive(Debug, PartialEq)]
struct Group {
    grace: Grace,
    /// With the seconds that each gets.
    pods: Vec<(Arc<Pod>, i64)>,
}

/// Groups in the order in which they end. A pod belongs to the highest priority that is not above its own; one
/// below all belongs to the lowest.
fn groups(graces: &[Grace], pods: &[Arc<Pod>]) -> Vec<Group> {
    let mut groups: Vec<Group> = graces.iter().map(|grace| Group { grace: *grace, pods: Vec::new() }).collect();
    for pod in pods {
        let priority = spec::spec(pod).priority.unwrap_or(0);
        let index = graces.iter().rposition(|grace| grace.priority <= priority).unwrap_or(0);
        if let Some(group) = groups.get_mut(index) {
            let seconds = spec::termination_grace_seconds(pod).min(group.grace.seconds);
            group.pods.push((Arc::clone(pod), seconds));
        }
    }
    groups.retain(|group| !group.pods.is_empty());
    groups
}

/// Waits for the machine to go down and ends the pods then; until dropped.
pub(crate) async fn follow(context: Arc<Context>, pods: Arc<Pods>, graces: Vec<Grace>) {
    if graces.is_empty() {
        return;
    }
    let mut power = match signal(SignalKind::from_raw(SIGPWR)) {
        Ok(power) => power,
        Err(error) => {
            tracing::warn!(%error, "a power failure would not be heard of");
            return;
        }
    };
    let whole = Duration::from_secs(graces.iter().map(|grace| grace.seconds.unsigned_abs()).sum());
    loop {
        // What delays the machine is let go of when the pods have ended.
        let _delay = tokio::select! {
            delay = logind::shutdown(whole) => Some(delay),
            Some(()) = power.recv() => None,
        };
        tracing::info!("the node is shutting down: its pods end");
        context.is_shutting_down.store(true, std::sync::atomic::Ordering::Relaxed);
        context.node_changed.notify_one();
        end_all(&context, &pods, &graces).await;
        tracing::info!("the pods have ended: the node may go down");
    }
}

async fn end_all(context: &Context, pods: &Pods, graces: &[Grace]) {
    for group in groups(graces, &pods.active()) {
        for (pod, seconds) in &group.pods {
            pods.evict(Eviction::shutdown(pod), *seconds);
        }
        let ended = join_all(group.pods.iter().map(|(pod, _)| pods.ended(spec::uid(pod))));
        let deadline = context.ambient.clock.sleep(Duration::from_secs(group.grace.seconds.unsigned_abs()));
        tokio::select! {
            _ = ended => {}
            () = deadline => {
                tracing::warn!(priority = group.grace.priority, "pods outlasted the time they have at a shutdown");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn pod(name: &str, priority: i32, grace: i64) -> Arc<Pod> {
        Arc::new(pod_from(&format!(
            r#"{{"metadata":{{"name":"{name}","uid":"{name}"}},
                "spec":{{"priority":{priority},"terminationGracePeriodSeconds":{grace},"containers":[]}}}}"#
        )))
    }

    #[test]
    fn the_least_important_end_first_and_none_takes_longer_than_its_group() {
        let pods = [pod("critical", 2_000_001_000, 30), pod("plain", 0, 5), pod("slow", 10, 100), pod("low", -5, 30)];
        let shown: Vec<_> = groups(&graces_of(30, 10), &pods)
            .into_iter()
            .map(|group| {
                let pods: Vec<_> =
                    group.pods.iter().map(|(pod, seconds)| (spec::name(pod).to_owned(), *seconds)).collect();
                (group.grace.seconds, pods)
            })
            .collect();
        let named = |pods: &[(&str, i64)]| pods.iter().map(|(name, grace)| ((*name).to_owned(), *grace)).collect();
        let ordinary: Vec<(String, i64)> = named(&[("plain", 5), ("slow", 20), ("low", 20)]);
        assert_eq!(shown, [(20, ordinary), (10, named(&[("critical", 10)]))]);
    }

    #[test]
    fn any_number_of_priorities_may_have_their_own_time() {
        let grace = |priority, seconds| Grace { priority, seconds };
        let graces = [grace(0, 60), grace(1000, 120), grace(10_000, 180)];
        let pods = [pod("a", 999, 500), pod("b", 1000, 500), pod("c", 99_999, 500)];
        let seconds: Vec<_> = groups(&graces, &pods).iter().map(|group| group.pods[0].1).collect();
        assert_eq!(seconds, [60, 120, 180]);
        assert!(groups(&graces, &[]).is_empty() && graces_of(0, 0).is_empty());
    }
}
