//! How a pod shows in a table: the one status its many states come down to.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column, wide};
use crate::fields::{condition, condition_is_true, get_array, get_object, items, number, or_none, text, truth};
use crate::human;
use crate::kind::{Column, Object};

pub(super) static COLUMNS: &[Column] = &[
    NAME,
    column("Ready", "string", "The aggregate readiness state of this pod for accepting traffic."),
    column("Status", "string", "The aggregate status of the containers in this pod."),
    column(
        "Restarts",
        "string",
        "The number of times the containers in this pod have been restarted and when the last container in this pod \
         has restarted.",
    ),
    AGE,
    wide("IP", "string", "podIP address allocated to the pod. Routable at least within the cluster."),
    wide("Node", "string", "The node this pod is scheduled to."),
    wide("Nominated Node", "string", "The node that other pods make room on for this one."),
    wide("Readiness Gates", "string", "The conditions besides its containers that must hold for this pod to be ready."),
];

pub(super) fn row(pod: &Object, now: Timestamp) -> Vec<Value> {
    let summary = Summary::of(pod);
    let address = items(pod, "status.podIPs").next().map_or(text(pod, "status.podIP"), |first| text(first, "ip"));
    vec![
        columns::name(pod),
        Value::from(format!("{}/{}", summary.ready, summary.total)),
        Value::from(summary.reason),
        Value::from(summary.restarts.describe(now)),
        columns::age(pod, now),
        or_none(address),
        or_none(text(pod, "spec.nodeName")),
        or_none(text(pod, "status.nominatedNodeName")),
        readiness_gates(pod),
    ]
}

struct Summary {
    ready: usize,
    total: usize,
    reason: String,
    restarts: Restarts,
}

#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, status: &Object) {
        self.count += number(status, "restartCount");
        let finished = text(status, "lastState.terminated.finishedAt").parse().ok();
        self.last = self.last.max(finished);
    }

    fn describe(self, now: Timestamp) -> String {
        match self.last {
            Some(last) if self.count != 0 => {
                format!("{} ({} ago)", self.count, human::duration(human::seconds_between(last, now)))
            }
            _ => self.count.to_string(),
        }
    }
}

impl Summary {
    fn of(pod: &Object) -> Summary {
        let phase = text(pod, "status.phase");
        let pod_reason = text(pod, "status.reason");
        let mut reason = if pod_reason.is_empty() { phase } else { pod_reason }.to_owned();
        if condition(pod, "PodScheduled").is_some_and(|scheduled| text(scheduled, "reason") == "SchedulingGated") {
            reason = "SchedulingGated".to_owned();
        }
        let sidecars: Vec<&str> = items(pod, "spec.initContainers")
            .filter(|container| text(container, "restartPolicy") == "Always")
            .map(|container| text(container, "name"))
            .collect();
        let mut summary = Summary {
            ready: 0,
            total: get_array(pod, "spec.containers").len() + sidecars.len(),
            reason,
            restarts: Restarts::default(),
        };
        let (initializing, sidecar_restarts) = summary.add_init_containers(pod, &sidecars);
        if !initializing || condition_is_true(pod, "Initialized") {
            summary.restarts = sidecar_restarts;
            summary.add_containers(pod);
        }
        if pod.get("metadata").and_then(|metadata| metadata.get("deletionTimestamp")).is_some() {
            if pod_reason == "NodeLost" {
                summary.reason = "Unknown".to_owned();
            } else if !["Failed", "Succeeded"].contains(&phase) {
                summary.reason = "Terminating".to_owned();
            }
        }
        summary
    }

    /// Whether an init container is still in the way, and the restarts of those that go on running.
    fn add_init_containers(&mut self, pod: &Object, sidecars: &[&str]) -> (bool, Restarts) {
        let mut sidecar_restarts = Restarts::default();
        for (at, status) in items(pod, "status.initContainerStatuses").enumerate() {
            let is_sidecar = sidecars.contains(&text(status, "name"));
            self.restarts.add(status);
            if is_sidecar {
                sidecar_restarts.add(status);
            }
            let terminated = get_object(status, "state.terminated");
            if terminated.is_some_and(|terminated| number(terminated, "exitCode") == 0) {
                continue;
            }
            if is_sidecar && truth(status, "started") {
                self.ready += usize::from(truth(status, "ready"));
                continue;
            }
            let waiting = text(status, "state.waiting.reason");
            self.reason = match terminated {
                Some(terminated) => format!("Init:{}", ending(terminated)),
                None if !waiting.is_empty() && waiting != "PodInitializing" => format!("Init:{waiting}"),
                None => format!("Init:{at}/{}", get_array(pod, "spec.initContainers").len()),
            };
            return (true, sidecar_restarts);
        }
        (false, sidecar_restarts)
    }

    fn add_containers(&mut self, pod: &Object) {
        let mut has_running = false;
        let statuses: Vec<&Object> = items(pod, "status.containerStatuses").collect();
        for status in statuses.into_iter().rev() {
            self.restarts.add(status);
            let waiting = text(status, "state.waiting.reason");
            if !waiting.is_empty() {
                self.reason = waiting.to_owned();
            } else if let Some(terminated) = get_object(status, "state.terminated") {
                self.reason = ending(terminated);
            } else if truth(status, "ready") && get_object(status, "state.running").is_some() {
                has_running = true;
                self.ready += 1;
            }
        }
        if self.reason == "Completed" && has_running {
            self.reason = if condition_is_true(pod, "Ready") { "Running" } else { "NotReady" }.to_owned();
        }
    }
}

/// Why a container ended: its reason, or else the signal or the exit code.
fn ending(terminated: &Object) -> String {
    match (text(terminated, "reason"), number(terminated, "signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn readiness_gates(pod: &Object) -> Value {
    let gates: Vec<&Object> = items(pod, "spec.readinessGates").collect();
    if gates.is_empty() {
        return or_none("");
    }
    let open = gates.iter().filter(|gate| condition_is_true(pod, text(gate, "conditionType"))).count();
    Value::from(format!("{open}/{}", gates.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn cells(pod: Value) -> String {
        let Value::Object(pod) = pod else { panic!("an object") };
        let cells = row(&pod, "2030-01-01T01:00:00Z".parse().unwrap());
        cells[1..4].iter().map(|cell| cell.as_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    fn with_status(state: Value) -> Value {
        json!({
            "spec": {"containers": [{"name": "a"}]},
            "status": {"phase": "Running", "containerStatuses": [state]},
        })
    }

    #[test]
    fn main_containers_speak_for_the_pod() {
        let ended = json!({"terminated": {"finishedAt": "2030-01-01T00:59:55Z"}});
        for (state, expected) in [
            (json!({"ready": true, "state": {"running": {}}}), "1/1 Running 0"),
            (json!({"state": {"waiting": {"reason": "ContainerCreating"}}}), "0/1 ContainerCreating 0"),
            (
                json!({"restartCount": 3, "lastState": ended, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}),
                "0/1 CrashLoopBackOff 3 (5s ago)",
            ),
            (json!({"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}), "0/1 Completed 0"),
            (json!({"state": {"terminated": {"exitCode": 3}}}), "0/1 ExitCode:3 0"),
            (json!({"state": {"terminated": {"signal": 9}}}), "0/1 Signal:9 0"),
        ] {
            assert_eq!(cells(with_status(state)), expected);
        }
    }

    #[test]
    fn init_containers_speak_first() {
        let pod = |statuses: Value| {
            json!({
                "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "i"}, {"name": "j"}]},
                "status": {
                    "phase": "Pending",
                    "initContainerStatuses": statuses,
                    "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}],
                },
            })
        };
        let done = json!({"name": "i", "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}});
        for (statuses, expected) in [
            (json!([{"name": "i", "state": {"running": {}}}]), "0/1 Init:0/2 0"),
            (json!([done, {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}}]), "0/1 Init:1/2 0"),
            (
                json!([{"name": "i", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]),
                "0/1 Init:CrashLoopBackOff 2",
            ),
            (json!([{"name": "i", "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]), "0/1 Init:Error 0"),
            (json!([done, {"name": "j", "state": {"terminated": {"exitCode": 0}}}]), "0/1 PodInitializing 0"),
        ] {
            assert_eq!(cells(pod(statuses)), expected);
        }
    }

    #[test]
    fn a_sidecar_counts_as_a_container() {
        let pod = json!({
            "spec": {"containers": [{"name": "a"}], "initContainers": [{"name": "s", "restartPolicy": "Always"}]},
            "status": {
                "phase": "Running",
                "initContainerStatuses": [{"name": "s", "started": true, "ready": true, "state": {"running": {}}}],
                "containerStatuses": [{"ready": true, "state": {"running": {}}}],
            },
        });
        assert_eq!(cells(pod), "2/2 Running 0");
    }

    #[test]
    fn deletion_shows_until_the_pod_has_ended() {
        let mut pod = with_status(json!({"ready": true, "state": {"running": {}}}));
        pod["metadata"] = json!({"deletionTimestamp": "2030-01-01T00:00:00Z"});
        assert_eq!(cells(pod.clone()), "1/1 Terminating 0");
        pod["status"]["phase"] = json!("Succeeded");
        pod["status"]["containerStatuses"] = json!([{"state": {"terminated": {"reason": "Completed"}}}]);
        assert_eq!(cells(pod), "0/1 Completed 0");
    }
}
