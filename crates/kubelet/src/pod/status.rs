//! A pod's status, as a pure function of its spec and what is seen of it.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{
    Container as ContainerSpec, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, Pod, PodIP, PodStatus, ResourceRequirements,
};
use api::k8s::apimachinery::pkg::api::resource::Quantity;
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use jiff::Timestamp;

use super::admit::Rejection;
use super::conditions::{self, ContainerFacts};
use super::observed::{Container, Exit, Observed, State};
use super::plan::{Cause, Ending, Eviction, Waiting};
use super::resize::{Grants, Progress};
use super::spec::{self, Role};
use crate::probe::Health;

#[derive(Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) observed: &'a Observed,
    pub(crate) waiting: &'a BTreeMap<String, Waiting>,
    pub(crate) health: &'a BTreeMap<String, Health>,
    pub(crate) ending: Option<&'a Ending>,
    /// The container whose start is under way: it may run already while its postStart hook does.
    pub(crate) starting: Option<&'a str>,
    /// Everything has stopped for good: what the runtime lost counts as ended too.
    pub(crate) finished: bool,
    pub(crate) grants: Option<&'a Grants>,
    pub(crate) resize: &'a Progress,
    pub(crate) host_ips: &'a [String],
    /// Containers' ids bear it.
    pub(crate) runtime_name: &'a str,
    /// When the node first saw the pod.
    pub(crate) seen_at: Timestamp,
    pub(crate) now: Timestamp,
}

/// The whole status; fields that others own are kept from the pod's current one.
pub(crate) fn generate(pod: &Pod, facts: &Facts<'_>) -> PodStatus {
    let previous = pod.status.clone().unwrap_or_default();
    if let Some(Cause::Rejected(rejection)) = facts.ending.map(|ending| &ending.cause) {
        return rejected(previous, rejection, pod);
    }
    let now = Timestamp::from_second(facts.now.as_second()).unwrap_or(facts.now);
    let init_statuses: Vec<ContainerStatus> = spec::init_containers(pod)
        .iter()
        .map(|container| container_status(pod, container, spec::init_role(container), facts))
        .collect();
    let statuses: Vec<ContainerStatus> =
        spec::spec(pod).containers.iter().map(|container| container_status(pod, container, Role::App, facts)).collect();
    let ephemeral_statuses: Vec<ContainerStatus> = spec::ephemeral_containers(pod)
        .iter()
        .filter_map(|container| spec::find(pod, &container.name))
        .map(|(container, role)| container_status(pod, &container, role, facts))
        .collect();

    let phase = sticky_phase(&previous, facts, phase(pod, &init_statuses, &statuses, facts));
    let (reason, message) = match facts.ending.map(|ending| &ending.cause) {
        Some(Cause::DeadlineExceeded) => (
            Some("DeadlineExceeded".to_owned()),
            Some("Pod was active on the node longer than the specified deadline".to_owned()),
        ),
        Some(Cause::Evicted(eviction)) => (Some(eviction.reason.to_owned()), Some(eviction.message.clone())),
        _ => (previous.reason.clone(), previous.message.clone()),
    };
    let pod_ips = pod_ips(pod, &previous, facts);
    let container_facts =
        ContainerFacts { phase, init: &init_statuses, apps: &statuses, has_sandbox: has_network(facts), now };
    let mut conditions = conditions::generate(pod, &previous, &container_facts);
    if facts.ending.is_none() {
        conditions::show_resize(&mut conditions, pod, &previous, facts.resize, now);
    }
    if let Some(Cause::Evicted(Eviction { disruption: Some(message), .. })) = facts.ending.map(|ending| &ending.cause) {
        conditions::add_disruption(&mut conditions, pod, message, now);
    }
    PodStatus {
        conditions: Some(conditions),
        container_statuses: Some(statuses).filter(|list| !list.is_empty()),
        ephemeral_container_statuses: Some(ephemeral_statuses).filter(|list| !list.is_empty()),
        init_container_statuses: Some(init_statuses).filter(|list| !list.is_empty()),
        host_ip: facts.host_ips.first().cloned(),
        host_ips: Some(facts.host_ips.iter().map(|ip| HostIP { ip: ip.clone() }).collect()),
        message,
        observed_generation: pod.metadata.generation.or(previous.observed_generation),
        phase: Some(phase.to_owned()),
        pod_ip: pod_ips.first().cloned(),
        pod_ips: Some(pod_ips.into_iter().map(|ip| PodIP { ip }).collect::<Vec<_>>()).filter(|ips| !ips.is_empty()),
        qos_class: previous.qos_class.clone().or_else(|| Some(crate::config::qos::class(pod).as_str().to_owned())),
        reason,
        start_time: previous.start_time.clone().or_else(|| Some(whole_seconds(facts.seen_at))),
        ..previous
    }
}

/// Of a pod that the node did not take nothing is told but why.
fn rejected(previous: PodStatus, rejection: &Rejection, pod: &Pod) -> PodStatus {
    PodStatus {
        phase: Some("Failed".to_owned()),
        reason: Some(rejection.reason.clone()),
        message: Some(format!("Pod was rejected: {}", rejection.message)),
        observed_generation: pod.metadata.generation.or(previous.observed_generation),
        qos_class: previous.qos_class.clone().or_else(|| Some(crate::config::qos::class(pod).as_str().to_owned())),
        start_time: None,
        ..previous
    }
}

fn has_network(facts: &Facts<'_>) -> bool {
    facts.observed.current_sandbox().is_some_and(|sandbox| sandbox.ready)
}

/// The sandbox's addresses; a pod that has ended keeps those it had.
fn pod_ips(pod: &Pod, previous: &PodStatus, facts: &Facts<'_>) -> Vec<String> {
    let sandbox = facts.observed.current_sandbox();
    if spec::is_host_network(pod) {
        return if sandbox.is_some() { facts.host_ips.to_vec() } else { Vec::new() };
    }
    match sandbox {
        Some(sandbox) if sandbox.ready && !sandbox.ips.is_empty() => sandbox.ips.clone(),
        _ => previous.pod_ips.iter().flatten().map(|pod_ip| pod_ip.ip.clone()).collect(),
    }
}

fn container_status(pod: &Pod, container: &ContainerSpec, role: Role, facts: &Facts<'_>) -> ContainerStatus {
    let name = &container.name;
    let mut history = facts.observed.containers.iter().filter(|seen| &seen.name == name);
    let waiting = facts.waiting.get(name);
    let Some(latest) = history.next() else {
        return unseen_status(pod, container, facts);
    };
    let older = history.find_map(|seen| seen.exit().map(|exit| (seen, exit)));
    let older = older.map(|(seen, exit)| terminated(seen, exit, facts)).or_else(|| forgotten_end(pod, latest, facts));
    let has_hook = container.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.post_start.is_some());
    let is_hooked = has_hook && latest.is_running() && facts.starting == Some(name.as_str());
    let (state, last_state) = match &latest.state {
        State::Running { .. } if is_hooked => (default_waiting(pod, role, facts), older),
        State::Running { started_at } => (running(*started_at), older),
        State::Exited(exit) => match waiting {
            Some(waiting) => (waiting_state(waiting), Some(terminated(latest, exit, facts))),
            None => (terminated(latest, exit, facts), older),
        },
        State::Created => (waiting.map_or_else(|| default_waiting(pod, role, facts), waiting_state), older),
        State::Unknown => (lost_state(latest, facts), older),
    };
    let health = facts.health.get(&latest.id).copied().unwrap_or_default();
    let is_running = latest.is_running();
    let succeeded = latest.exit().is_some_and(|exit| exit.exit_code == 0);
    let started = is_running && health.started && !is_hooked;
    let ready = match role {
        Role::Init => succeeded,
        Role::App | Role::Sidecar => started && health.ready && !facts.finished,
        Role::Ephemeral => false,
    };
    ContainerStatus {
        container_id: Some(container_id(latest, facts)),
        image: if latest.image.is_empty() { image_of(container) } else { latest.image.clone() },
        image_id: latest.image_id.clone(),
        last_state: Some(last_state.unwrap_or_default()),
        name: name.clone(),
        ready,
        resources: shown_resources(container, role, latest, facts),
        allocated_resources: allocated_resources(container, role, facts),
        restart_count: i32::try_from(latest.restart_count).unwrap_or(i32::MAX),
        started: Some(if role == Role::Init { is_running } else { started }),
        state: Some(state),
        ..ContainerStatus::default()
    }
}

/// What a container runs with: what it got last, else what it was granted.
fn shown_resources(
    container: &ContainerSpec,
    role: Role,
    latest: &Container,
    facts: &Facts<'_>,
) -> Option<ResourceRequirements> {
    if !matches!(role, Role::App | Role::Sidecar) {
        return None;
    }
    let grants = facts.grants?;
    let shown = grants.actuated(&latest.id).or_else(|| grants.allocated(&container.name))?.clone();
    Some(ResourceRequirements { claims: None, ..shown })
}

fn allocated_resources(container: &ContainerSpec, role: Role, facts: &Facts<'_>) -> Option<BTreeMap<String, Quantity>> {
    if !matches!(role, Role::App | Role::Sidecar) {
        return None;
    }
    facts.grants?.allocated(&container.name)?.requests.clone()
}

/// A container that the runtime does not know: not made yet, or lost.
fn unseen_status(pod: &Pod, container: &ContainerSpec, facts: &Facts<'_>) -> ContainerStatus {
    let name = &container.name;
    let role = spec::find(pod, name).map_or(Role::App, |(_, role)| role);
    let reported = reported(pod, name);
    if let Some(reported) = reported
        && let Some(state) = &reported.state
    {
        let stays = |exit: &ContainerStateTerminated| {
            let again = role != Role::App || spec::restarts_after(pod, container, role, exit.exit_code);
            !again || facts.ending.is_some() || facts.finished || role == Role::Init
        };
        let ended = state.terminated.is_some();
        if state.terminated.as_ref().is_some_and(stays) {
            return ContainerStatus {
                ready: reported.ready && role == Role::Init,
                started: Some(false),
                ..reported.clone()
            };
        }
        if reported.container_id.is_some() && !ended && (facts.ending.is_some() || facts.finished) {
            let lost = ContainerState { terminated: Some(lost(reported)), ..ContainerState::default() };
            return ContainerStatus { state: Some(lost), ready: false, started: Some(false), ..reported.clone() };
        }
    }
    let state = match facts.waiting.get(name) {
        Some(waiting) => waiting_state(waiting),
        None => default_waiting(pod, role, facts),
    };
    ContainerStatus {
        image: image_of(container),
        last_state: Some(reported.map(last_state_of).unwrap_or_default()),
        name: name.clone(),
        restart_count: reported.map_or(0, |reported| i32::try_from(next_restart_count(reported)).unwrap_or(i32::MAX)),
        started: Some(false),
        state: Some(state),
        ..ContainerStatus::default()
    }
}

/// What the API last heard of a container.
pub(super) fn reported<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let lists = [&status.container_statuses, &status.init_container_statuses, &status.ephemeral_container_statuses];
    lists.into_iter().flatten().flatten().find(|status| status.name == name)
}

/// The count of the container that follows one the runtime has forgotten. Without an id it has been
/// counted on already, or never ran.
pub(super) fn next_restart_count(reported: &ContainerStatus) -> u32 {
    let next = u32::from(reported.container_id.is_some());
    u32::try_from(reported.restart_count).unwrap_or(0).saturating_add(next)
}

/// The end before this run that the API still knows and the runtime does not.
fn forgotten_end(pod: &Pod, latest: &Container, facts: &Facts<'_>) -> Option<ContainerState> {
    let own = container_id(latest, facts);
    let reported = reported(pod, &latest.name)?;
    let about_this_run = reported.container_id.as_ref().is_none_or(|id| *id == own);
    let last = reported.last_state.clone().filter(|_| about_this_run)?;
    let ended_before = last.terminated.as_ref()?.container_id.as_ref() != Some(&own);
    ended_before.then_some(last)
}

/// How the last run of a container that the runtime has forgotten ended, as far as the API knows.
fn last_state_of(reported: &ContainerStatus) -> ContainerState {
    let state = reported.state.clone().unwrap_or_default();
    let earlier = reported.last_state.clone().unwrap_or_default();
    if state.terminated.is_some() {
        return state;
    }
    if state.running.is_none() {
        return earlier;
    }
    ContainerState { terminated: Some(lost(reported)), ..ContainerState::default() }
}

/// The end that nobody saw of a container that ran.
fn lost(reported: &ContainerStatus) -> ContainerStateTerminated {
    ContainerStateTerminated {
        container_id: reported.container_id.clone(),
        exit_code: 137,
        reason: Some("ContainerStatusUnknown".to_owned()),
        message: Some("The container could not be located when the pod was terminated".to_owned()),
        ..ContainerStateTerminated::default()
    }
}

fn image_of(container: &ContainerSpec) -> String {
    container.image.clone().unwrap_or_default()
}

fn container_id(container: &Container, facts: &Facts<'_>) -> String {
    format!("{}://{}", facts.runtime_name, container.id)
}

fn running(started_at: Timestamp) -> ContainerState {
    let running = ContainerStateRunning { started_at: Some(whole_seconds(started_at)) };
    ContainerState { running: Some(running), ..ContainerState::default() }
}

fn waiting_state(waiting: &Waiting) -> ContainerState {
    let message = Some(waiting.message.clone()).filter(|message| !message.is_empty());
    let waiting = ContainerStateWaiting { reason: Some(waiting.reason.clone()), message };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn default_waiting(pod: &Pod, role: Role, facts: &Facts<'_>) -> ContainerState {
    let has_init = !spec::init_containers(pod).is_empty();
    let sandboxed = facts.observed.current_sandbox().is_some();
    let initializing = has_init && (role != Role::Init || sandboxed);
    let reason = if initializing { "PodInitializing" } else { "ContainerCreating" };
    waiting_state(&Waiting { reason: reason.to_owned(), message: String::new() })
}

fn terminated(container: &Container, exit: &Exit, facts: &Facts<'_>) -> ContainerState {
    let reason = match (exit.reason.as_str(), exit.exit_code) {
        ("", 0) => "Completed",
        ("", _) => "Error",
        (reason, _) => reason,
    };
    let terminated = ContainerStateTerminated {
        container_id: Some(container_id(container, facts)),
        exit_code: exit.exit_code,
        finished_at: Some(whole_seconds(exit.finished_at)),
        message: Some(exit.message.clone()).filter(|message| !message.is_empty()),
        reason: Some(reason.to_owned()),
        signal: None,
        started_at: exit.started_at.map(whole_seconds),
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

fn lost_state(container: &Container, facts: &Facts<'_>) -> ContainerState {
    let terminated = ContainerStateTerminated {
        container_id: Some(container_id(container, facts)),
        exit_code: 137,
        reason: Some("ContainerStatusUnknown".to_owned()),
        message: Some("The container could not be located when the pod was terminated".to_owned()),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

fn whole_seconds(at: Timestamp) -> Time {
    Time(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// A pod that has ended stays ended; one that was stopped for good must end one way or the other.
fn sticky_phase(previous: &PodStatus, facts: &Facts<'_>, computed: &'static str) -> &'static str {
    match previous.phase.as_deref() {
        Some("Succeeded") => return "Succeeded",
        Some("Failed") => return "Failed",
        _ => {}
    }
    let cut_short = facts
        .ending
        .is_some_and(|ending| matches!(ending.cause, Cause::DeadlineExceeded | Cause::Evicted(_) | Cause::Rejected(_)));
    let over = matches!(computed, "Succeeded" | "Failed");
    // Whoever waits for a pod to end must not see it end while containers still run.
    if over && facts.observed.running().next().is_some() {
        return "Running";
    }
    if cut_short && facts.observed.running().next().is_none() {
        return "Failed";
    }
    computed
}

/// Where the pod is in its life, by the rules of upstream's `getPhase`.
fn phase(pod: &Pod, init: &[ContainerStatus], apps: &[ContainerStatus], facts: &Facts<'_>) -> &'static str {
    let specs = spec::init_containers(pod);
    let (mut initializing, mut init_failed) = (false, false);
    for (container, status) in specs.iter().zip(init) {
        let terminated = terminated_state(status);
        if spec::is_sidecar(container) {
            initializing |= status.started != Some(true) && terminated.is_none() && !app_seen(facts, pod);
            continue;
        }
        match terminated {
            Some(exit) if exit.exit_code == 0 => {}
            Some(exit) => {
                let again = spec::restarts_after(pod, container, Role::Init, exit.exit_code);
                init_failed |= !again;
                initializing |= again;
            }
            None => initializing |= !app_seen(facts, pod),
        }
    }
    if init_failed {
        return "Failed";
    }
    let (mut waiting, mut running, mut stopped, mut succeeded, mut restarting) = (0, 0, 0, 0, 0);
    for (container, status) in spec::spec(pod).containers.iter().zip(apps) {
        let state = status.state.as_ref();
        let ended_before = status.last_state.as_ref().and_then(|last| last.terminated.as_ref());
        if state.is_some_and(|state| state.running.is_some()) {
            running += 1;
        } else if let Some(exit) = terminated_state(status) {
            stopped += 1;
            succeeded += usize::from(exit.exit_code == 0);
            restarting += usize::from(spec::restarts_after(pod, container, Role::App, exit.exit_code));
        } else if ended_before.is_some() {
            stopped += 1;
            restarting += 1;
        } else {
            waiting += 1;
        }
    }
    let finished = facts.finished || facts.ending.is_some();
    match () {
        () if initializing && !finished => "Pending",
        () if waiting > 0 && !facts.finished => "Pending",
        () if running > 0 => "Running",
        () if finished && stopped > 0 && succeeded == apps.len() => "Succeeded",
        () if facts.finished => "Failed",
        () if finished => "Running",
        () if restarting > 0 => "Running",
        () if stopped > 0 && succeeded == stopped => "Succeeded",
        () if stopped > 0 => "Failed",
        () => "Pending",
    }
}

fn app_seen(facts: &Facts<'_>, pod: &Pod) -> bool {
    spec::spec(pod).containers.iter().any(|container| facts.observed.latest_in_current(&container.name).is_some())
}

pub(super) fn terminated_state(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref().and_then(|state| state.terminated.as_ref())
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
