//! What a kubelet does about its pods, decided without doing it.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long containers take to get ready where the script says nothing.
const USUAL_START: Duration = Duration::from_secs(2);
/// How long they take to stop; within any grace period that a script can set.
const STOP: Duration = Duration::from_secs(1);

/// How the script wants images to behave.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    /// `None`: never starts.
    starts_after: Mutex<BTreeMap<String, Option<Duration>>>,
    exits: Mutex<BTreeMap<String, Exits>>,
}

/// How the containers of an image end: the first with the first code, the last code for all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exits {
    pub codes: Vec<i32>,
    /// Counted from when they are ready.
    pub after: Duration,
}

impl Behaviour {
    pub(crate) fn set(&self, image: &str, starts_after: Option<Duration>) {
        let mut images = self.starts_after.lock().unwrap_or_else(PoisonError::into_inner);
        images.insert(image.to_owned(), starts_after);
    }

    pub(crate) fn set_exits(&self, image: &str, exits: Exits) {
        self.exits.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned(), exits);
    }

    /// How the next container of the image ends; none where it runs for ever.
    fn next_exit(&self, image: &str) -> Option<(i32, Duration)> {
        let mut images = self.exits.lock().unwrap_or_else(PoisonError::into_inner);
        let exits = images.get_mut(image)?;
        let code = if exits.codes.len() > 1 { exits.codes.remove(0) } else { *exits.codes.first()? };
        Some((code, exits.after))
    }

    fn starts_after(&self, image: &str) -> Option<Duration> {
        let images = self.starts_after.lock().unwrap_or_else(PoisonError::into_inner);
        images.get(image).copied().unwrap_or(Some(USUAL_START))
    }
}

/// What the kubelet knows of the pods it has met, by UID.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pods: BTreeMap<String, Local>,
    addresses_given: u32,
}

#[derive(Debug)]
struct Local {
    met: Instant,
    address: Option<Ipv4Addr>,
    /// When its containers end by themselves, and with which code.
    end: Option<(Instant, i32)>,
    stopping_since: Option<Instant>,
}

/// What to do now, and when to look again though nothing has changed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    pub(crate) next: Option<Instant>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Its containers have got ready.
    Report { pod: Arc<Pod>, address: Ipv4Addr },
    /// Its containers have ended by themselves.
    End { pod: Arc<Pod>, exit_code: i32 },
    /// Its containers have stopped.
    Remove { pod: Arc<Pod> },
}

/// `first_address` is the first of the node's range.
pub(crate) fn plan(
    pods: &[Arc<Pod>],
    memory: &mut Memory,
    behaviour: &Behaviour,
    first_address: Ipv4Addr,
    now: Instant,
) -> Plan {
    memory.pods.retain(|uid, _| pods.iter().any(|pod| pod.metadata.uid.as_ref() == Some(uid)));
    // A kubelet that is started again knows what it gave from the pods alone.
    let given = pods.iter().filter_map(|pod| number(address(pod)?, first_address)).max();
    memory.addresses_given = memory.addresses_given.max(given.unwrap_or(0));
    let mut plan = Plan::default();
    for pod in pods {
        let Some(uid) = &pod.metadata.uid else { continue };
        let local = memory.pods.entry(uid.clone()).or_insert_with(|| {
            // Met again after a restart of the kubelet: the containers have lived on.
            let address = address(pod);
            let end = address.filter(|_| !has_ended(pod)).and_then(|_| behaviour.next_exit(image(pod)));
            Local { met: now, address, end: end.map(|(code, after)| (now + after, code)), stopping_since: None }
        });
        let due = if pod.metadata.deletion_timestamp.is_some() {
            let due = *local.stopping_since.get_or_insert(now) + STOP;
            if due <= now {
                plan.steps.push(Step::Remove { pod: pod.clone() });
                continue;
            }
            Some(due)
        } else if local.address.is_none() {
            let due = behaviour.starts_after(image(pod)).map(|delay| local.met + delay);
            if due.is_some_and(|due| due <= now) {
                // The gateway has the first address.
                memory.addresses_given += 1;
                let address = Ipv4Addr::from_bits(first_address.to_bits() + 1 + memory.addresses_given);
                local.address = Some(address);
                local.end = behaviour.next_exit(image(pod)).map(|(code, after)| (now + after, code));
                plan.steps.push(Step::Report { pod: pod.clone(), address });
                continue;
            }
            due
        } else if has_ended(pod) {
            None
        } else if let Some((due, exit_code)) = local.end {
            if due <= now {
                plan.steps.push(Step::End { pod: pod.clone(), exit_code });
                continue;
            }
            Some(due)
        } else if let Some(address) = local.address.filter(|_| !is_ready(pod)) {
            // Somebody else said it was not ready: the node's controller, while the node was silent.
            plan.steps.push(Step::Report { pod: pod.clone(), address });
            continue;
        } else {
            None
        };
        plan.next = [plan.next, due].into_iter().flatten().min();
    }
    plan
}

/// The status of a pod whose containers are all running and ready, as a strategic merge patch.
pub(crate) fn running_status(pod: &Pod, host: Ipv4Addr, address: Ipv4Addr, now: &str) -> Value {
    let condition = |kind| json!({"type": kind, "status": "True", "lastTransitionTime": now});
    let containers: Vec<Value> = pod
        .spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .map(|container| {
            json!({
                "name": container.name,
                "image": container.image,
                "imageID": format!("sim://{}", container.image.as_deref().unwrap_or_default()),
                "containerID": format!("sim://{}/{}", pod.metadata.uid.as_deref().unwrap_or_default(), container.name),
                "ready": true,
                "started": true,
                "restartCount": 0,
                "state": {"running": {"startedAt": now}},
            })
        })
        .collect();
    json!({
        "metadata": {"uid": pod.metadata.uid},
        "status": {
            "phase": "Running",
            "hostIP": host,
            "hostIPs": [{"ip": host}],
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": now,
            "conditions": [
                condition("PodReadyToStartContainers"),
                condition("Initialized"),
                condition("ContainersReady"),
                condition("Ready"),
            ],
            "containerStatuses": containers,
        },
    })
}

/// The status of a pod whose containers have all ended, as a strategic merge patch.
pub(crate) fn ended_status(pod: &Pod, exit_code: i32, now: &str) -> Value {
    let is_well = exit_code == 0;
    let reason = if is_well { "Completed" } else { "Error" };
    let pod_reason = if is_well { "PodCompleted" } else { "PodFailed" };
    let condition = |kind| json!({"type": kind, "status": "False", "reason": pod_reason, "lastTransitionTime": now});
    let containers: Vec<Value> = pod
        .spec
        .iter()
        .flat_map(|spec| &spec.containers)
        .map(|container| {
            let end = json!({"exitCode": exit_code, "reason": reason, "finishedAt": now});
            json!({"name": container.name, "ready": false, "started": false, "state": {"terminated": end, "running": null}})
        })
        .collect();
    json!({
        "metadata": {"uid": pod.metadata.uid},
        "status": {
            "phase": if is_well { "Succeeded" } else { "Failed" },
            "conditions": [condition("ContainersReady"), condition("Ready")],
            "containerStatuses": containers,
        },
    })
}

fn has_ended(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn address(pod: &Pod) -> Option<Ipv4Addr> {
    pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()
}

/// The how manieth of the range's addresses it is. The gateway has the first.
fn number(address: Ipv4Addr, first_address: Ipv4Addr) -> Option<u32> {
    let number = address.to_bits().checked_sub(first_address.to_bits() + 1)?;
    (number < u32::from(u8::MAX)).then_some(number)
}

fn image(pod: &Pod) -> &str {
    let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    container.and_then(|container| container.image.as_deref()).unwrap_or_default()
}

pub(crate) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(uid: &str, more: Value) -> Arc<Pod> {
        let mut pod = json!({
            "metadata": {"name": uid, "uid": uid},
            "spec": {"containers": [{"name": "main", "image": "web:1"}]},
        });
        for (field, value) in more.as_object().unwrap() {
            pod["metadata"][field] = value.clone();
        }
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn a_pod_starts_after_its_delay_and_goes_when_told() {
        let (behaviour, mut memory) = (Behaviour::default(), Memory::default());
        let first = Ipv4Addr::new(10, 244, 3, 0);
        let start = Instant::now();
        let one = pod("one", json!({}));
        let mut plan_at = |pod: &Arc<Pod>, seconds| {
            plan(std::slice::from_ref(pod), &mut memory, &behaviour, first, start + Duration::from_secs(seconds))
        };

        let met = plan_at(&one, 0);
        assert_eq!(met, Plan { steps: vec![], next: Some(start + Duration::from_secs(2)) });
        let address = Ipv4Addr::new(10, 244, 3, 2);
        let started = plan_at(&one, 2);
        assert_eq!(started, Plan { steps: vec![Step::Report { pod: one, address }], next: None });

        let going = pod("one", json!({"deletionTimestamp": "2030-01-01T00:00:33Z"}));
        assert_eq!(plan_at(&going, 3).next, Some(start + Duration::from_secs(4)));
        assert_eq!(plan_at(&going, 4).steps, [Step::Remove { pod: going }]);
    }

    #[tokio::test(start_paused = true)]
    async fn containers_end_with_one_code_after_the_other() {
        let (behaviour, mut memory) = (Behaviour::default(), Memory::default());
        behaviour.set_exits("web:1", Exits { codes: vec![1, 0], after: Duration::from_secs(5) });
        let start = Instant::now();
        let both = [pod("one", json!({})), pod("two", json!({}))];
        let mut plan_at = |seconds| {
            plan(&both, &mut memory, &behaviour, Ipv4Addr::UNSPECIFIED, start + Duration::from_secs(seconds)).steps
        };
        plan_at(0);
        plan_at(2);
        assert_eq!(plan_at(6), []);
        let [one, two] = both.clone();
        assert_eq!(plan_at(7), [Step::End { pod: one, exit_code: 1 }, Step::End { pod: two, exit_code: 0 }]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_address_is_given_twice_by_one_that_was_started_again() {
        let (behaviour, mut memory) = (Behaviour::default(), Memory::default());
        let start = Instant::now();
        let mut old = Pod::clone(&pod("old", json!({})));
        old.status = serde_json::from_value(json!({"podIP": "10.244.3.2", "conditions": [
            {"type": "Ready", "status": "True"},
        ]}))
        .unwrap();
        let both = [Arc::new(old), pod("new", json!({}))];
        let first = Ipv4Addr::new(10, 244, 3, 0);
        let mut plan_at =
            |seconds| plan(&both, &mut memory, &behaviour, first, start + Duration::from_secs(seconds)).steps;
        assert_eq!(plan_at(0), []);
        let address = Ipv4Addr::new(10, 244, 3, 3);
        assert_eq!(plan_at(2), [Step::Report { pod: both[1].clone(), address }]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_image_that_never_starts_is_not_waited_for() {
        let (behaviour, mut memory) = (Behaviour::default(), Memory::default());
        behaviour.set("web:1", None);
        let plan = plan(&[pod("one", json!({}))], &mut memory, &behaviour, Ipv4Addr::UNSPECIFIED, Instant::now());
        assert_eq!(plan, Plan::default());
    }
}
