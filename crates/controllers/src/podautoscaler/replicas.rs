//! How many pods would bring a metric to its target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};
use api::k8s::jiff::Timestamp;

use crate::pods;

/// While a pod starts, what it uses of the processor tells little.
const CPU_INITIALIZATION: Duration = Duration::from_secs(5 * 60);
/// A pod that turned unready so soon after its start was never ready.
const INITIAL_READINESS: Duration = Duration::from_secs(30);

/// What one pod uses, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct PodMetric {
    pub(super) value: i64,
    pub(super) at: Timestamp,
    pub(super) window: Duration,
}

/// By pod.
pub(super) type PodMetrics = BTreeMap<String, PodMetric>;

/// How far a ratio may be from one before anything is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Tolerance {
    pub(super) up: f64,
    pub(super) down: f64,
}

impl Tolerance {
    pub(super) const DEFAULT: Tolerance = Tolerance { up: 0.1, down: 0.1 };

    fn covers(self, ratio: f64) -> bool {
        1.0 - self.down <= ratio && ratio <= 1.0 + self.up
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
pub(super) enum ReplicaError {
    #[error("no pods returned by selector while calculating replica count")]
    NoPods,
    #[error("did not receive metrics for targeted pods (pods might be unready)")]
    NoMetrics,
    #[error("missing request for {resource} in container {container} of Pod {pod}")]
    NoRequest { resource: String, container: String, pod: String },
    #[error("no metrics returned matched known pods")]
    Unmatched,
    #[error("unable to calculate ready pods: no pods returned by selector while calculating replica count")]
    NoReadyPods,
}

/// A count of pods, and what was seen on the way to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Proposal {
    pub(super) replicas: i32,
    /// Per cent of what is requested, where that is the measure.
    pub(super) utilization: Option<i32>,
    /// The mean of all pods, in thousandths.
    pub(super) average: i64,
}

/// What the pods are measured against.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    /// Per cent of what they request of a resource, as a whole or in one container.
    Utilization { percent: i32, resource: &'a str, container: Option<&'a str> },
    /// A mean of thousandths; of a resource, where it is one.
    Average { millis: i64, resource: Option<&'a str> },
}

/// As upstream counts: pods that do not tell are taken to hold back whatever would be done.
pub(super) fn propose(
    current: i32,
    target: Target<'_>,
    mut metrics: PodMetrics,
    pods: &[Arc<Pod>],
    tolerance: Tolerance,
    now: Timestamp,
) -> Result<Proposal, ReplicaError> {
    if pods.is_empty() {
        return Err(ReplicaError::NoPods);
    }
    let resource = match target {
        Target::Utilization { resource, .. } => Some(resource),
        Target::Average { resource, .. } => resource,
    };
    let groups = group(pods, &metrics, resource == Some("cpu"), now);
    metrics.retain(|pod, _| !groups.unready.contains(pod) && !groups.ignored.contains(pod));
    if metrics.is_empty() {
        return Err(ReplicaError::NoMetrics);
    }
    let requests = match target {
        Target::Utilization { resource, container, .. } => requests(pods, resource, container)?,
        Target::Average { .. } => BTreeMap::new(),
    };
    let first = measure(target, &metrics, &requests)?;
    let proposal = |replicas| Proposal { replicas, utilization: first.utilization, average: first.average };
    let ratio = first.ratio;
    let grows_past_unready = !groups.unready.is_empty() && ratio > 1.0;
    if !grows_past_unready && groups.missing.is_empty() {
        return Ok(proposal(if tolerance.covers(ratio) { current } else { scaled(ratio, groups.ready) }));
    }
    let silent = |value| PodMetric { value, at: now, window: Duration::ZERO };
    for pod in &groups.missing {
        let assumed = match target {
            _ if ratio > 1.0 => 0,
            Target::Utilization { percent, .. } => {
                requests.get(pod).copied().unwrap_or(0) * i64::from(percent.max(100)) / 100
            }
            Target::Average { millis, .. } => millis,
        };
        metrics.insert(pod.clone(), silent(assumed));
    }
    if grows_past_unready {
        metrics.extend(groups.unready.iter().map(|pod| (pod.clone(), silent(0))));
    }
    let second = measure(target, &metrics, &requests)?.ratio;
    let turned = (ratio < 1.0 && second > 1.0) || (ratio > 1.0 && second < 1.0);
    if tolerance.covers(second) || turned {
        return Ok(proposal(current));
    }
    let replicas = scaled(second, metrics.len());
    let contradicts = (second < 1.0 && replicas > current) || (second > 1.0 && replicas < current);
    Ok(proposal(if contradicts { current } else { replicas }))
}

/// For a value of the whole: how many pods bring `usage` to `target`. From none there is no share to go by.
pub(super) fn propose_for_value(
    current: i32,
    usage: i64,
    target: i64,
    pods: &[Arc<Pod>],
    tolerance: Tolerance,
) -> Result<i32, ReplicaError> {
    let ratio = usage as f64 / target as f64;
    if current == 0 {
        return Ok(ratio.ceil() as i32);
    }
    if tolerance.covers(ratio) {
        return Ok(current);
    }
    if pods.is_empty() {
        return Err(ReplicaError::NoReadyPods);
    }
    Ok(scaled(ratio, pods.iter().filter(|pod| pods::phase(pod) == "Running" && pods::is_ready(pod)).count()))
}

/// For a value that the pods share: how many bring each one's part to `target`.
pub(super) fn propose_for_share(current: i32, usage: i64, target: i64, tolerance: Tolerance) -> i32 {
    let ratio = usage as f64 / (target as f64 * f64::from(current));
    if current > 0 && tolerance.covers(ratio) { current } else { (usage as f64 / target as f64).ceil() as i32 }
}

fn scaled(ratio: f64, pods: usize) -> i32 {
    (ratio * pods as f64).ceil() as i32
}

struct Measure {
    ratio: f64,
    utilization: Option<i32>,
    average: i64,
}

fn measure(
    target: Target<'_>,
    metrics: &PodMetrics,
    requests: &BTreeMap<String, i64>,
) -> Result<Measure, ReplicaError> {
    match target {
        Target::Average { millis, .. } => {
            let total: i64 = metrics.values().map(|metric| metric.value).sum();
            let average = total / i64::try_from(metrics.len()).unwrap_or(i64::MAX).max(1);
            Ok(Measure { ratio: average as f64 / millis as f64, utilization: None, average })
        }
        Target::Utilization { percent, .. } => {
            let known = metrics.iter().filter_map(|(pod, metric)| Some((metric.value, *requests.get(pod)?)));
            let (used, requested, count) = known
                .fold((0, 0, 0), |(used, wanted, count), (value, request)| (used + value, wanted + request, count + 1));
            if requested == 0 {
                return Err(ReplicaError::Unmatched);
            }
            let utilization = i32::try_from(used * 100 / requested).unwrap_or(i32::MAX);
            Ok(Measure {
                ratio: f64::from(utilization) / f64::from(percent),
                utilization: Some(utilization),
                average: used / count,
            })
        }
    }
}

#[derive(Debug, Default, PartialEq)]
struct Groups {
    ready: usize,
    unready: BTreeSet<String>,
    missing: BTreeSet<String>,
    ignored: BTreeSet<String>,
}

fn group(pods: &[Arc<Pod>], metrics: &PodMetrics, is_cpu: bool, now: Timestamp) -> Groups {
    let mut groups = Groups::default();
    for pod in pods {
        let name = pod.metadata.name.clone().unwrap_or_default();
        if pods::is_terminating(pod) || pods::phase(pod) == "Failed" {
            groups.ignored.insert(name);
        } else if pods::phase(pod) == "Pending" {
            groups.unready.insert(name);
        } else if let Some(metric) = metrics.get(&name) {
            if is_cpu && !is_telling(pod, metric, now) {
                groups.unready.insert(name);
            } else {
                groups.ready += 1;
            }
        } else {
            groups.missing.insert(name);
        }
    }
    groups
}

/// Whether the pod is past its start, so that its use of the processor means something.
fn is_telling(pod: &Pod, metric: &PodMetric, now: Timestamp) -> bool {
    let started = pod.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
    let (Some(condition), Some(started)) = (pods::condition(pod, "Ready"), started) else { return false };
    let turned = condition.last_transition_time.as_ref().map_or(started, |time| time.0);
    let is_unready = condition.status == "False";
    if started + CPU_INITIALIZATION > now {
        !is_unready && metric.at >= turned + metric.window
    } else {
        !(is_unready && started + INITIAL_READINESS > turned)
    }
}

/// What the pods request of a resource, in thousandths.
fn requests(pods: &[Arc<Pod>], resource: &str, container: Option<&str>) -> Result<BTreeMap<String, i64>, ReplicaError> {
    let mut all = BTreeMap::new();
    for pod in pods {
        let name = pod.metadata.name.clone().unwrap_or_default();
        let spec = pod.spec.as_ref();
        let sidecars = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
        let sidecars = sidecars.filter(|one| one.restart_policy.as_deref() == Some("Always"));
        let containers = spec.into_iter().flat_map(|spec| &spec.containers).chain(sidecars);
        let mut sum = 0;
        for one in containers.filter(|one| container.is_none_or(|wanted| one.name == wanted)) {
            sum += request(one, resource).ok_or_else(|| ReplicaError::NoRequest {
                resource: resource.to_owned(),
                container: one.name.clone(),
                pod: name.clone(),
            })?;
        }
        all.insert(name, sum);
    }
    Ok(all)
}

fn request(container: &Container, resource: &str) -> Option<i64> {
    let requests = container.resources.as_ref()?.requests.as_ref()?;
    Quantity::of(requests.get(resource)?).ok().map(Quantity::millis)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn now() -> Timestamp {
        "2030-01-01T01:00:00Z".parse().unwrap()
    }

    /// A pod that requests one core, has run for an hour, and is ready or not.
    fn pod(name: &str, phase: &str, ready: bool) -> Arc<Pod> {
        let condition = json!({
            "type": "Ready", "status": if ready { "True" } else { "False" },
            "lastTransitionTime": "2030-01-01T00:00:01Z",
        });
        Arc::new(
            serde_json::from_value(json!({
                "metadata": {"name": name},
                "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}]},
                "status": {"phase": phase, "startTime": "2030-01-01T00:00:00Z", "conditions": [condition]},
            }))
            .unwrap(),
        )
    }

    fn metrics(values: &[(&str, i64)]) -> PodMetrics {
        let metric = |value| PodMetric { value, at: now(), window: Duration::from_secs(15) };
        values.iter().map(|(pod, value)| ((*pod).to_owned(), metric(*value))).collect()
    }

    const HALF: Target<'static> = Target::Utilization { percent: 50, resource: "cpu", container: None };

    fn cpu(current: i32, pods: &[Arc<Pod>], values: &[(&str, i64)]) -> i32 {
        propose(current, HALF, metrics(values), pods, Tolerance::DEFAULT, now()).unwrap().replicas
    }

    #[test]
    fn utilization_leads_to_replicas_as_upstream_counts() {
        let running =
            |names: &[&str]| -> Vec<Arc<Pod>> { names.iter().map(|name| pod(name, "Running", true)).collect() };
        let three = running(&["a", "b", "c"]);
        assert_eq!(cpu(3, &three, &[("a", 1000), ("b", 1000), ("c", 1000)]), 6);
        assert_eq!(cpu(3, &three, &[("a", 540), ("b", 540), ("c", 540)]), 3, "within a tenth");
        assert_eq!(cpu(3, &three, &[("a", 100), ("b", 100), ("c", 100)]), 1);
        assert_eq!(cpu(3, &three, &[("a", 1000), ("b", 1000)]), 4, "who is silent uses nothing when growing");
        assert_eq!(cpu(3, &three, &[("a", 100), ("b", 100)]), 3, "and all it may when shrinking");
        let mut starting = running(&["a", "b"]);
        starting.push(pod("c", "Pending", false));
        assert_eq!(cpu(3, &starting, &[("a", 1000), ("b", 1000)]), 4, "who is not ready uses nothing yet");
        let failed = [running(&["a"]), vec![pod("b", "Failed", false)]].concat();
        assert_eq!(cpu(2, &failed, &[("a", 1000), ("b", 1000)]), 2);
    }

    #[test]
    fn what_is_missing_is_named() {
        let pods = [pod("a", "Running", true)];
        let propose = |metrics, pods: &[Arc<Pod>], target| {
            propose(1, target, metrics, pods, Tolerance::DEFAULT, now()).unwrap_err().to_string()
        };
        let gpu = Target::Utilization { percent: 50, resource: "gpu", container: None };
        assert_eq!(
            propose(metrics(&[("a", 1)]), &[], HALF),
            "no pods returned by selector while calculating replica count"
        );
        assert_eq!(
            propose(metrics(&[]), &pods, HALF),
            "did not receive metrics for targeted pods (pods might be unready)"
        );
        assert_eq!(propose(metrics(&[("a", 1)]), &pods, gpu), "missing request for gpu in container main of Pod a");
    }

    #[test]
    fn averages_and_values_lead_to_replicas() {
        let pods: Vec<_> = ["a", "b"].iter().map(|name| pod(name, "Running", true)).collect();
        let average = Target::Average { millis: 100, resource: None };
        let proposed =
            propose(2, average, metrics(&[("a", 150), ("b", 250)]), &pods, Tolerance::DEFAULT, now()).unwrap();
        assert_eq!((proposed.replicas, proposed.average), (4, 200));
        for (current, usage, pods, expected) in [
            (2, 3000, &pods[..], Ok(6)),
            (2, 1099, &pods, Ok(2)),
            (2, 0, &pods, Ok(0)),
            (0, 2500, &[], Ok(3)),
            (0, 1, &[], Ok(1)),
            (0, 0, &[], Ok(0)),
            (2, 3000, &[], Err(ReplicaError::NoReadyPods)),
        ] {
            let proposed = propose_for_value(current, usage, 1000, pods, Tolerance::DEFAULT);
            assert_eq!(proposed, expected, "{current} {usage}");
        }
        assert_eq!(propose_for_share(0, 0, 1000, Tolerance::DEFAULT), 0);
        assert_eq!(propose_for_share(0, 1, 1000, Tolerance::DEFAULT), 1, "from none at the first of it");
        assert_eq!(propose_for_share(2, 5000, 1000, Tolerance::DEFAULT), 5);
        assert_eq!(propose_for_share(2, 2100, 1000, Tolerance::DEFAULT), 2);
    }

    proptest! {
        /// More use never leads to fewer pods, and a load at its target to no change.
        #[test]
        fn use_and_replicas_grow_together(pods in 1usize..8, low in 1i64..2000, more in 0i64..2000) {
            let names: Vec<String> = (0..pods).map(|index| index.to_string()).collect();
            let all: Vec<_> = names.iter().map(|name| pod(name, "Running", true)).collect();
            let count = i32::try_from(pods).unwrap();
            let at = |value| cpu(count, &all, &names.iter().map(|name| (name.as_str(), value)).collect::<Vec<_>>());
            prop_assert!(at(low) <= at(low + more));
            prop_assert_eq!(at(500), count);
        }
    }
}
