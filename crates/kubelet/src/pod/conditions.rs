//! A pod's conditions, with upstream's reasons and messages.

use api::k8s::api::core::v1::{ContainerStatus, Pod, PodCondition, PodStatus};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use jiff::Timestamp;

use super::resize::Progress;
use super::spec;

pub(crate) struct ContainerFacts<'a> {
    pub(crate) phase: &'a str,
    pub(crate) init: &'a [ContainerStatus],
    pub(crate) apps: &'a [ContainerStatus],
    pub(crate) has_sandbox: bool,
    pub(crate) now: Timestamp,
}

/// The kubelet's own conditions anew, in upstream's order, and after them those of others as they were.
pub(crate) fn generate(pod: &Pod, previous: &PodStatus, facts: &ContainerFacts<'_>) -> Vec<PodCondition> {
    let containers_ready = containers_ready(pod, facts);
    let ready = ready(pod, previous, &containers_ready);
    let mut fresh = vec![
        Draft::plain("PodReadyToStartContainers", facts.has_sandbox),
        initialized(pod, facts),
        ready,
        containers_ready,
    ];
    let scheduled = find(previous, "PodScheduled").is_none_or(|condition| condition.status != "True");
    if scheduled {
        fresh.push(Draft::plain("PodScheduled", true));
    }
    let kept = previous.conditions.iter().flatten();
    let kept = kept.filter(|condition| !fresh.iter().any(|draft| draft.type_ == condition.type_)).cloned();
    let kept: Vec<PodCondition> = kept.collect();
    fresh.into_iter().map(|draft| draft.finish(pod, previous, facts.now)).chain(kept).collect()
}

/// Tells controllers that the pod's end is not its own doing.
pub(crate) fn add_disruption(conditions: &mut Vec<PodCondition>, pod: &Pod, message: &str, now: Timestamp) {
    const TYPE: &str = "DisruptionTarget";
    if conditions.iter().any(|condition| condition.type_ == TYPE && condition.status == "True") {
        return;
    }
    conditions.retain(|condition| condition.type_ != TYPE);
    conditions.push(PodCondition {
        last_probe_time: None,
        last_transition_time: Some(Time(now)),
        message: Some(message.to_owned()),
        observed_generation: pod.metadata.generation,
        reason: Some("TerminationByKubelet".to_owned()),
        status: "True".to_owned(),
        type_: TYPE.to_owned(),
    });
}

/// Says what of a resize is still to come, and nothing where nothing is.
pub(crate) fn show_resize(
    conditions: &mut Vec<PodCondition>,
    pod: &Pod,
    previous: &PodStatus,
    progress: &Progress,
    now: Timestamp,
) {
    const PENDING: &str = "PodResizePending";
    const UNDER_WAY: &str = "PodResizeInProgress";
    conditions.retain(|condition| condition.type_ != PENDING && condition.type_ != UNDER_WAY);
    let pending = progress.pending.as_ref();
    let pending = pending.map(|(reason, message)| Draft::because(PENDING, true, reason, Some(message.clone())));
    let under_way = match &progress.error {
        Some(error) => Some(Draft::because(UNDER_WAY, true, "Error", Some(error.clone()))),
        None => progress.is_under_way.then(|| Draft::plain(UNDER_WAY, true)),
    };
    conditions.extend(pending.into_iter().chain(under_way).map(|draft| draft.finish(pod, previous, now)));
}

struct Draft {
    type_: &'static str,
    status: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Draft {
    fn plain(type_: &'static str, status: bool) -> Draft {
        Draft { type_, status, reason: None, message: None }
    }

    fn because(type_: &'static str, status: bool, reason: &'static str, message: Option<String>) -> Draft {
        Draft { type_, status, reason: Some(reason), message }
    }

    fn finish(self, pod: &Pod, previous: &PodStatus, now: Timestamp) -> PodCondition {
        let status = if self.status { "True" } else { "False" };
        let before = find(previous, self.type_).filter(|condition| condition.status == status);
        let since = before.and_then(|condition| condition.last_transition_time.clone());
        PodCondition {
            last_probe_time: None,
            last_transition_time: since.or(Some(Time(now))),
            message: self.message,
            observed_generation: pod.metadata.generation,
            reason: self.reason.map(str::to_owned),
            status: status.to_owned(),
            type_: self.type_.to_owned(),
        }
    }
}

fn initialized(pod: &Pod, facts: &ContainerFacts<'_>) -> Draft {
    const TYPE: &str = "Initialized";
    if facts.phase == "Succeeded" {
        return Draft::because(TYPE, true, "PodCompleted", None);
    }
    let incomplete: Vec<&str> = spec::init_containers(pod)
        .iter()
        .zip(facts.init)
        .filter(
            |(container, status)| {
                if spec::is_sidecar(container) { status.started != Some(true) } else { !status.ready }
            },
        )
        .map(|(container, _)| container.name.as_str())
        .collect();
    // Once an app container was made, the init containers have done their work for good.
    let passed = facts.apps.iter().any(|status| status.container_id.is_some());
    if incomplete.is_empty() || passed {
        return Draft::plain(TYPE, true);
    }
    let message = format!("containers with incomplete status: [{}]", incomplete.join(" "));
    Draft::because(TYPE, false, "ContainersNotInitialized", Some(message))
}

fn containers_ready(pod: &Pod, facts: &ContainerFacts<'_>) -> Draft {
    const TYPE: &str = "ContainersReady";
    match facts.phase {
        "Succeeded" => return Draft::because(TYPE, false, "PodCompleted", None),
        "Failed" => return Draft::because(TYPE, false, "PodFailed", None),
        _ => {}
    }
    let init = spec::init_containers(pod).iter().zip(facts.init);
    let sidecars = init.filter(|(container, _)| spec::is_sidecar(container)).map(|(_, status)| status);
    let counted = sidecars.chain(facts.apps);
    let unready: Vec<&str> = counted.filter(|status| !status.ready).map(|status| status.name.as_str()).collect();
    if unready.is_empty() {
        return Draft::plain(TYPE, true);
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    Draft::because(TYPE, false, "ContainersNotReady", Some(message))
}

fn ready(pod: &Pod, previous: &PodStatus, containers_ready: &Draft) -> Draft {
    const TYPE: &str = "Ready";
    if !containers_ready.status {
        return Draft { type_: TYPE, message: containers_ready.message.clone(), ..*containers_ready };
    }
    let gates = spec::spec(pod).readiness_gates.iter().flatten();
    let unmet: Vec<String> = gates
        .filter_map(|gate| match find(previous, &gate.condition_type) {
            None => {
                Some(format!("corresponding condition of pod readiness gate {:?} does not exist.", gate.condition_type))
            }
            Some(condition) if condition.status != "True" => Some(format!(
                "the status of pod readiness gate {:?} is not \"True\", but {}",
                gate.condition_type, condition.status
            )),
            Some(_) => None,
        })
        .collect();
    if unmet.is_empty() {
        return Draft::plain(TYPE, true);
    }
    Draft::because(TYPE, false, "ReadinessGatesNotReady", Some(unmet.join(", ")))
}

fn find<'a>(status: &'a PodStatus, type_: &str) -> Option<&'a PodCondition> {
    status.conditions.iter().flatten().find(|condition| condition.type_ == type_)
}
