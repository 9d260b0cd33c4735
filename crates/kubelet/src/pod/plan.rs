//! The pod machine: what to do next, as a pure function of what is wanted and what is seen.

use std::collections::BTreeMap;

use api::k8s::api::core::v1::{Container as ContainerSpec, Pod};
use jiff::{SignedDuration, Timestamp};

use super::admit::Rejection;
use super::backoff::{Backoffs, go_duration};
use super::observed::{Container, Observed, State};
use super::spec::{self, Role};
use super::start::RUN_CONTAINER_ERROR;
use super::status;
use crate::probe::Health;

/// How long a failed pull reads ErrImagePull before it reads ImagePullBackOff.
const SHOW_PULL_ERROR_FOR: SignedDuration = SignedDuration::from_secs(2);

/// All that a decision rests on.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) observed: &'a Observed,
    pub(crate) now: Timestamp,
    /// Whether the pod is to end, and why.
    pub(crate) ending: Option<&'a Ending>,
    /// Whether its volumes are set up.
    pub(crate) volumes: Volumes,
    pub(crate) health: &'a BTreeMap<String, Health>,
    pub(crate) backoffs: &'a Backoffs,
    /// Starts that failed and wait to be tried again, by container name; `""` is the sandbox.
    pub(crate) failures: &'a BTreeMap<String, StartFailure>,
    /// The one start under way, by container name; `""` is the sandbox and its volumes.
    pub(crate) starting: Option<&'a str>,
    /// Containers being stopped, by id, and when each will have been killed at the latest.
    pub(crate) stopping: &'a BTreeMap<String, Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Volumes {
    Absent,
    Ready,
}

/// Why a pod ends. Once set it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) cause: Cause,
    /// When whatever still runs is killed.
    pub(crate) deadline: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its deletion was asked for; when it has ended the object goes.
    Deleted,
    /// The API says that it is over: evicted, or finished before this program started.
    Terminal,
    /// It ran longer than `activeDeadlineSeconds`.
    DeadlineExceeded,
    /// The node cannot keep it.
    Evicted(Eviction),
    /// The node did not take it in the first place.
    Rejected(Rejection),
}

/// Why the node has a pod go, as its status tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Eviction {
    pub(crate) uid: String,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// The message of the condition that tells controllers it was not the pod's own doing.
    pub(crate) disruption: Option<String>,
    /// Whether an event tells of it too.
    pub(crate) has_event: bool,
}

impl Eviction {
    pub(crate) fn new(pod: &Pod, message: String) -> Self {
        Eviction { uid: spec::uid(pod).to_owned(), reason: "Evicted", message, disruption: None, has_event: true }
    }

    /// The machine goes down.
    pub(crate) fn shutdown(pod: &Pod) -> Self {
        let message = "Pod was terminated in response to imminent node shutdown.".to_owned();
        let disruption = Some(message.clone());
        Eviction { reason: "Terminated", disruption, has_event: false, ..Eviction::new(pod, message) }
    }

    /// It makes room for a pod that the cluster cannot do without.
    pub(crate) fn preemption(pod: &Pod) -> Self {
        Eviction {
            reason: "Preempting",
            disruption: Some("Pod was preempted by Kubelet to accommodate a critical pod.".to_owned()),
            ..Eviction::new(pod, "Preempted in order to admit critical pod".to_owned())
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StartFailure {
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) failed_at: Timestamp,
    pub(crate) retry_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Set up the volumes and, where none is usable, run a sandbox.
    StartSandbox {
        attempt: u32,
    },
    /// Only set up the volumes: the sandbox lives from before.
    SetUpVolumes,
    StopSandbox {
        id: String,
    },
    StartContainer {
        name: String,
        restart_count: u32,
        /// When its predecessor ended, where it restarts.
        restarts_since: Option<Timestamp>,
    },
    StopContainer {
        id: String,
        name: String,
        why: String,
        deadline: Timestamp,
    },
    /// Give up the start under way where it waits for a registry or a hook.
    CancelStart,
    /// Everything has stopped: release the volumes; for a deleted pod, say so to the API.
    Finish,
}

impl Action {
    pub(crate) fn is_start(&self) -> bool {
        matches!(self, Action::StartSandbox { .. } | Action::SetUpVolumes | Action::StartContainer { .. })
    }

    pub(crate) fn is_stop(&self) -> bool {
        matches!(self, Action::StopContainer { .. })
    }

    /// What is left to do once no container runs.
    pub(crate) fn is_way_out(&self) -> bool {
        matches!(self, Action::StopSandbox { .. } | Action::Finish)
    }
}

/// What to do now, what to say meanwhile, and when to look again if nothing else happens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) actions: Vec<Action>,
    pub(crate) waiting: BTreeMap<String, Waiting>,
    pub(crate) wake_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) reason: String,
    pub(crate) message: String,
}

pub(crate) fn plan(situation: &Situation<'_>) -> Plan {
    let mut planner = Planner { situation, plan: Plan::default() };
    match situation.ending {
        Some(ending) => planner.end(ending),
        None => planner.run(),
    }
    planner.plan
}

struct Planner<'a> {
    situation: &'a Situation<'a>,
    plan: Plan,
}

impl Planner<'_> {
    fn run(&mut self) {
        self.explain_failures();
        let Some(sandbox) = self.usable_sandbox() else {
            self.replace_sandbox();
            return;
        };
        if self.situation.volumes == Volumes::Absent {
            self.start_lane("", Action::SetUpVolumes);
            return;
        }
        let unfinished = self.run_init_containers();
        if unfinished {
            return;
        }
        for ephemeral in spec::ephemeral_containers(self.situation.pod) {
            if self.situation.observed.latest(&ephemeral.name).is_none() {
                self.start(&ephemeral.name, None);
            }
        }
        let mut alive = false;
        for container in &spec::spec(self.situation.pod).containers {
            alive |= self.run_container(container, Role::App);
        }
        if !alive {
            self.wind_down(&sandbox);
        }
    }

    /// The current sandbox's id, if containers can run in it.
    fn usable_sandbox(&self) -> Option<String> {
        let sandbox = self.situation.observed.current_sandbox()?;
        let has_address = spec::is_host_network(self.situation.pod) || !sandbox.ips.is_empty();
        (sandbox.ready && has_address).then(|| sandbox.id.clone())
    }

    fn replace_sandbox(&mut self) {
        let observed = self.situation.observed;
        let attempt = observed.current_sandbox().map_or(0, |sandbox| sandbox.attempt + 1);
        let containers = &spec::spec(self.situation.pod).containers;
        let wanted = containers.iter().any(|container| self.wants_start(container, Role::App));
        if !wanted || self.init_failed_for_good() {
            self.stop_sandboxes();
            return;
        }
        // What ran in the old sandbox lost its namespaces; it goes first.
        let mut leftovers = false;
        for container in observed.running() {
            leftovers = true;
            self.stop(container, "Pod sandbox changed, it will be killed and re-created.".to_owned());
        }
        self.stop_sandboxes();
        if !leftovers {
            self.start_lane("", Action::StartSandbox { attempt });
        }
    }

    /// Runs the init containers in order; true while the rest must wait.
    fn run_init_containers(&mut self) -> bool {
        let observed = self.situation.observed;
        let pod = self.situation.pod;
        let containers = &spec::spec(pod).containers;
        let initialized = containers.iter().any(|container| observed.latest_in_current(&container.name).is_some());
        for container in spec::init_containers(pod) {
            let latest = observed.latest_in_current(&container.name);
            if spec::is_sidecar(container) {
                let running = latest.is_some_and(Container::is_running);
                self.run_container(container, Role::Sidecar);
                let started = latest.is_some_and(|latest| running && self.health(&latest.id).started);
                if !initialized && !started {
                    return true;
                }
                continue;
            }
            if initialized {
                continue;
            }
            match latest.map(|latest| &latest.state) {
                Some(State::Exited(exit)) if exit.exit_code == 0 => {}
                Some(State::Exited(_)) if !self.wants_start(container, Role::Init) => {
                    if let Some(sandbox) = observed.current_sandbox() {
                        self.wind_down(&sandbox.id.clone());
                    }
                    return true;
                }
                _ => {
                    self.run_container(container, Role::Init);
                    return true;
                }
            }
        }
        false
    }

    /// Keeps one container as it should be; whether it runs or will.
    fn run_container(&mut self, container: &ContainerSpec, role: Role) -> bool {
        let pod = self.situation.pod;
        let latest = match role {
            Role::App | Role::Ephemeral => self.situation.observed.latest(&container.name),
            Role::Init | Role::Sidecar => self.situation.observed.latest_in_current(&container.name),
        };
        let Some(latest) = latest else {
            if role == Role::App && ended_for_good(pod, container) {
                return false;
            }
            self.start_unless_it_failed(container);
            return true;
        };
        match &latest.state {
            State::Running { .. } => {
                if let Some(why) = self.reason_to_replace(container, latest) {
                    self.stop(latest, why);
                }
                true
            }
            State::Exited(exit) => {
                if !spec::restarts_after(pod, container, role, exit.exit_code) {
                    return false;
                }
                self.restart(container, exit.finished_at);
                true
            }
            State::Created => {
                self.start_unless_it_failed(container);
                true
            }
            State::Unknown => {
                self.stop(latest, "Container is in unknown state, try killing it before restart".to_owned());
                true
            }
        }
    }

    fn reason_to_replace(&self, container: &ContainerSpec, latest: &Container) -> Option<String> {
        let health = self.health(&latest.id);
        let name = &container.name;
        let why = if !latest.spec_hash.is_empty() && latest.spec_hash != spec::hash(container) {
            format!("Container {name} definition changed")
        } else if health.liveness_failed {
            format!("Container {name} failed liveness probe")
        } else if health.startup_failed {
            format!("Container {name} failed startup probe")
        } else {
            return None;
        };
        let never = spec::restart_policy(self.situation.pod) == "Never" && !spec::is_sidecar(container);
        Some(if never { why } else { format!("{why}, will be restarted") })
    }

    /// Starts what has not run. A program that could not be started counts as one that ended at once,
    /// whether the runtime keeps an end of it or not.
    fn start_unless_it_failed(&mut self, container: &ContainerSpec) {
        match self.run_failure(&container.name).map(|failure| failure.failed_at) {
            Some(failed_at) => self.restart(container, failed_at),
            None => self.start(&container.name, None),
        }
    }

    fn run_failure(&self, name: &str) -> Option<&StartFailure> {
        self.situation.failures.get(name).filter(|failure| failure.reason == RUN_CONTAINER_ERROR)
    }

    fn restart(&mut self, container: &ContainerSpec, exited_at: Timestamp) {
        let Situation { pod, backoffs, now, .. } = *self.situation;
        if self.situation.starting == Some(container.name.as_str()) {
            return;
        }
        if let Some(failure) = self.run_failure(&container.name)
            && failure.retry_at > now
        {
            self.wake(failure.retry_at);
            return;
        }
        match backoffs.waiting(&container.name, exited_at, now) {
            Some((delay, until)) => {
                let message = format!(
                    "back-off {} restarting failed container={} pod={}",
                    go_duration(delay),
                    container.name,
                    spec::long_name(pod)
                );
                self.wait(&container.name, "CrashLoopBackOff", message);
                self.wake(until);
            }
            None => self.start(&container.name, Some(exited_at)),
        }
    }

    fn start(&mut self, name: &str, restarts_since: Option<Timestamp>) {
        let restart_count = next_restart_count(self.situation, name);
        self.start_lane(name, Action::StartContainer { name: name.to_owned(), restart_count, restarts_since });
    }

    /// Starts go one at a time, in the spec's order: a postStart hook holds back what follows.
    fn start_lane(&mut self, name: &str, action: Action) {
        if let Some(failure) = self.situation.failures.get(name)
            && failure.retry_at > self.situation.now
        {
            self.wake(failure.retry_at);
            return;
        }
        let planned = self.plan.actions.iter().any(Action::is_start);
        if self.situation.starting.is_none() && !planned {
            self.plan.actions.push(action);
        }
    }

    fn stop(&mut self, container: &Container, why: String) {
        let grace = self.health(&container.id).grace_seconds;
        let grace = grace.unwrap_or_else(|| spec::termination_grace_seconds(self.situation.pod));
        let deadline = after(self.situation.now, grace);
        self.stop_by(container, why, deadline);
    }

    fn stop_by(&mut self, container: &Container, why: String, deadline: Timestamp) {
        // One stop is enough, unless this one is to end sooner.
        let sooner = self.situation.stopping.get(&container.id).is_none_or(|current| deadline < *current);
        if sooner {
            let (id, name) = (container.id.clone(), container.name.clone());
            self.plan.actions.push(Action::StopContainer { id, name, why, deadline });
        }
    }

    /// All is done: sidecars and then the sandbox stop.
    fn wind_down(&mut self, _sandbox: &str) {
        let deadline = after(self.situation.now, spec::termination_grace_seconds(self.situation.pod));
        if self.stop_everything(deadline) {
            self.stop_sandboxes();
        }
    }

    fn end(&mut self, ending: &Ending) {
        if self.situation.starting.is_some() {
            self.plan.actions.push(Action::CancelStart);
        }
        let stopped = self.stop_everything(ending.deadline);
        if !stopped || self.situation.starting.is_some() {
            return;
        }
        if self.situation.observed.sandboxes.iter().any(|sandbox| sandbox.ready) {
            self.stop_sandboxes();
        } else {
            self.plan.actions.push(Action::Finish);
        }
    }

    /// Stops the containers, sidecars after all others and the last one first. True when none runs.
    fn stop_everything(&mut self, deadline: Timestamp) -> bool {
        let Situation { observed, pod, .. } = *self.situation;
        let sidecars: Vec<&str> = spec::init_containers(pod)
            .iter()
            .filter(|container| spec::is_sidecar(container))
            .map(|container| container.name.as_str())
            .collect();
        let live = |container: &&Container| matches!(container.state, State::Running { .. } | State::Unknown);
        let running: Vec<&Container> = observed.containers.iter().filter(live).collect();
        let mut others = running.iter().filter(|container| !sidecars.contains(&container.name.as_str())).peekable();
        if others.peek().is_some() {
            for container in others {
                self.stop_by(container, format!("Stopping container {}", container.name), deadline);
            }
            return false;
        }
        let last = sidecars.iter().rev().find_map(|name| running.iter().find(|container| container.name == *name));
        if let Some(container) = last {
            self.stop_by(container, format!("Stopping container {}", container.name), deadline);
        }
        last.is_none()
    }

    fn stop_sandboxes(&mut self) {
        for sandbox in self.situation.observed.sandboxes.iter().filter(|sandbox| sandbox.ready) {
            self.plan.actions.push(Action::StopSandbox { id: sandbox.id.clone() });
        }
    }

    /// Says why each container that could not be started waits.
    fn explain_failures(&mut self) {
        for (name, failure) in self.situation.failures {
            let found = spec::find(self.situation.pod, name);
            if found.is_some_and(|(container, role)| !self.wants_start(&container, role)) {
                // It ended for good: nothing waits.
                continue;
            }
            let shown_until = failure.failed_at.saturating_add(SHOW_PULL_ERROR_FOR).unwrap_or(Timestamp::MAX);
            let is_pull = matches!(failure.reason.as_str(), "ErrImagePull" | "RegistryUnavailable");
            if is_pull && self.situation.now >= shown_until && failure.retry_at > self.situation.now {
                let message =
                    format!("{}: {}: {}", back_off_pulling(self.situation.pod, name), failure.reason, failure.message);
                self.wait(name, "ImagePullBackOff", message);
            } else {
                self.wait(name, &failure.reason, failure.message.clone());
                if is_pull && self.situation.now < shown_until {
                    self.wake(shown_until);
                }
            }
        }
    }

    fn wants_start(&self, container: &ContainerSpec, role: Role) -> bool {
        match self.situation.observed.latest(&container.name).map(|latest| &latest.state) {
            Some(State::Exited(exit)) => spec::restarts_after(self.situation.pod, container, role, exit.exit_code),
            None => role != Role::App || !ended_for_good(self.situation.pod, container),
            Some(_) => true,
        }
    }

    fn init_failed_for_good(&self) -> bool {
        spec::init_containers(self.situation.pod).iter().any(|container| {
            let exit = self.situation.observed.latest(&container.name).and_then(Container::exit);
            let failed = exit.is_some_and(|exit| exit.exit_code != 0);
            failed && !spec::is_sidecar(container) && !self.wants_start(container, Role::Init)
        })
    }

    fn health(&self, id: &str) -> Health {
        self.situation.health.get(id).copied().unwrap_or_default()
    }

    fn wait(&mut self, name: &str, reason: &str, message: String) {
        self.plan.waiting.insert(name.to_owned(), Waiting { reason: reason.to_owned(), message });
    }

    fn wake(&mut self, at: Timestamp) {
        self.plan.wake_at = Some(self.plan.wake_at.map_or(at, |earlier| earlier.min(at)));
    }
}

/// `Back-off pulling image "x"`, as event and condition have it.
pub(crate) fn back_off_pulling(pod: &Pod, container: &str) -> String {
    let image = spec::find(pod, container).and_then(|(container, _)| container.image).unwrap_or_default();
    format!("Back-off pulling image {image:?}")
}

/// The number the next container of this name carries. The API's own count serves where the
/// runtime's memory is gone, as after a reboot.
fn next_restart_count(situation: &Situation<'_>, name: &str) -> u32 {
    let Situation { pod, observed, failures, .. } = *situation;
    let Some(latest) = observed.latest(name) else {
        return status::reported(pod, name).map_or(0, status::next_restart_count);
    };
    let failed = failures.get(name).is_some_and(|failure| failure.reason == RUN_CONTAINER_ERROR);
    let untried = latest.state == State::Created && !failed;
    if untried { latest.restart_count } else { latest.restart_count.saturating_add(1) }
}

/// Whether the API says of a container that the runtime has forgotten that it ended and stays so.
fn ended_for_good(pod: &Pod, container: &ContainerSpec) -> bool {
    let reported = status::reported(pod, &container.name).and_then(status::terminated_state);
    reported.is_some_and(|exit| !spec::restarts_after(pod, container, Role::App, exit.exit_code))
}

fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
