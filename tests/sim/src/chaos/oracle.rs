//! Whether the world is as it was declared, once nothing has gone wrong for a while.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::laws::{is_empty, is_uncounted, ordinal};
use crate::object::{Object, World, all, controlled, share};

/// Kept without a word in the spec.
const USUAL_HISTORY: i64 = 10;

/// What is not as declared; nothing is what one hopes for.
pub(super) fn findings(world: &World) -> Vec<String> {
    let mut findings = Findings::default();
    for object in world.values() {
        ownership(world, object, &mut findings);
        match object.kind.as_str() {
            "apps/deployments" => deployment(world, object, &mut findings),
            "apps/replicasets" | "core/replicationcontrollers" => replicas(world, object, &mut findings),
            "apps/statefulsets" => stateful_set(world, object, &mut findings),
            "apps/daemonsets" => daemon_set(world, object, &mut findings),
            "batch/jobs" => job(world, object, &mut findings),
            "batch/cronjobs" => cron_job(world, object, &mut findings),
            "core/services" => service(world, object, &mut findings),
            "policy/poddisruptionbudgets" => budget(world, object, &mut findings),
            "core/resourcequotas" => quota(world, object, &mut findings),
            "core/pods" => pod(world, object, &mut findings),
            "core/nodes" => node(object, &mut findings),
            "core/namespaces" => namespace(world, object, &mut findings),
            "core/persistentvolumeclaims" => claim(world, object, &mut findings),
            "autoscaling/horizontalpodautoscalers" => autoscaler(world, object, &mut findings),
            _ => {}
        }
    }
    findings.0
}

#[derive(Default)]
struct Findings(Vec<String>);

impl Findings {
    fn unless(&mut self, holds: bool, object: &Object, what: impl FnOnce() -> String) {
        if !holds {
            self.0.push(format!("{}: {}", object.title(), what()));
        }
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, object: &Object, what: &str, is: T, should_be: T) {
        let holds = is == should_be;
        self.unless(holds, object, || format!("{what} is {is:?}, not {should_be:?}"));
    }
}

/// Nothing is left of what should be gone.
fn ownership(world: &World, object: &Object, findings: &mut Findings) {
    findings.unless(!object.is_going(), object, || "still going".to_owned());
    let known: BTreeSet<&str> = world.values().map(Object::uid).collect();
    let mut owners = object.owner_uids().peekable();
    let has_owners = owners.peek().is_some();
    let has_one = !has_owners || owners.any(|owner| known.contains(owner));
    findings.unless(has_one, object, || "its owners are gone".to_owned());
    if object.kind != "core/events" && !object.namespace().is_empty() {
        let mut namespaces = all(world, "core/namespaces");
        findings.unless(namespaces.any(|one| one.name() == object.namespace()), object, || "no namespace".to_owned());
    }
}

fn deployment(world: &World, object: &Object, findings: &mut Findings) {
    let wanted = object.replicas();
    findings.unless(object.is_observed(), object, || "not observed".to_owned());
    for count in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        findings.equal(object, count, object.count(&format!("/status/{count}")), wanted);
    }
    findings.equal(object, "unavailableReplicas", object.count("/status/unavailableReplicas"), 0);
    findings.equal(object, "Available", object.condition("Available"), "True");
    let sets: Vec<&Object> = controlled(world, "apps/replicasets", object).collect();
    let grown: Vec<&&Object> = sets.iter().filter(|set| set.replicas() > 0).collect();
    findings.equal(object, "ReplicaSets with pods", grown.len() as i64, i64::from(wanted > 0));
    let image = object.text("/spec/template/spec/containers/0/image");
    for set in grown {
        findings.equal(set, "image", set.text("/spec/template/spec/containers/0/image"), image);
    }
    let revisions: Vec<&str> = sets.iter().map(|set| revision(set)).collect();
    let newest = revisions.iter().filter_map(|text| text.parse::<i64>().ok()).max().unwrap_or(0);
    findings.equal(object, "revision", revision(object), newest.to_string().as_str());
    findings.equal(object, "distinct revisions", revisions.iter().collect::<BTreeSet<_>>().len(), sets.len());
    let kept = object.number("/spec/revisionHistoryLimit").unwrap_or(USUAL_HISTORY);
    findings.unless(sets.len() as i64 <= kept + 1, object, || format!("{} ReplicaSets kept", sets.len()));
}

fn revision(object: &Object) -> &str {
    object.value["metadata"]["annotations"]["deployment.kubernetes.io/revision"].as_str().unwrap_or_default()
}

fn replicas(world: &World, object: &Object, findings: &mut Findings) {
    let wanted = object.replicas();
    findings.unless(object.is_observed(), object, || "not observed".to_owned());
    let pods: Vec<&Object> = controlled(world, "core/pods", object).filter(|pod| !pod.is_finished()).collect();
    findings.equal(object, "pods", pods.len() as i64, wanted);
    for count in ["replicas", "readyReplicas", "availableReplicas", "fullyLabeledReplicas"] {
        findings.equal(object, count, object.count(&format!("/status/{count}")), wanted);
    }
}

fn stateful_set(world: &World, object: &Object, findings: &mut Findings) {
    let wanted = object.replicas();
    findings.unless(object.is_observed(), object, || "not observed".to_owned());
    let pods: Vec<&Object> = controlled(world, "core/pods", object).collect();
    let mut ordinals: Vec<i64> = pods.iter().filter_map(|pod| ordinal(pod)).collect();
    ordinals.sort_unstable();
    findings.equal(object, "ordinals", ordinals, (0..wanted).collect());
    for count in ["replicas", "readyReplicas", "availableReplicas", "updatedReplicas", "currentReplicas"] {
        findings.equal(object, count, object.count(&format!("/status/{count}")), wanted);
    }
    let update = object.text("/status/updateRevision");
    findings.equal(object, "currentRevision", object.text("/status/currentRevision"), update);
    for pod in pods {
        findings.equal(pod, "revision", pod.label("controller-revision-hash"), update);
        let image = object.text("/spec/template/spec/containers/0/image");
        findings.equal(pod, "image", pod.text("/spec/containers/0/image"), image);
    }
    let kept = object.number("/spec/revisionHistoryLimit").unwrap_or(USUAL_HISTORY);
    let revisions = controlled(world, "apps/controllerrevisions", object).count() as i64;
    findings.unless(revisions <= kept + 1, object, || format!("{revisions} revisions kept"));
}

/// Every node of these simulations takes pods of a DaemonSet.
fn daemon_set(world: &World, object: &Object, findings: &mut Findings) {
    findings.unless(object.is_observed(), object, || "not observed".to_owned());
    let nodes: Vec<&str> = all(world, "core/nodes").map(Object::name).collect();
    let pods: Vec<&Object> = controlled(world, "core/pods", object).collect();
    let mut places: Vec<&str> = pods.iter().map(|pod| pod.text("/spec/nodeName")).collect();
    places.sort_unstable();
    findings.equal(object, "nodes with its pods", &places, &nodes);
    for count in
        ["desiredNumberScheduled", "currentNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"]
    {
        findings.equal(object, count, object.count(&format!("/status/{count}")), nodes.len() as i64);
    }
    findings.equal(object, "numberMisscheduled", object.count("/status/numberMisscheduled"), 0);
    for pod in pods {
        let image = object.text("/spec/template/spec/containers/0/image");
        findings.equal(pod, "image", pod.text("/spec/containers/0/image"), image);
    }
}

fn job(world: &World, object: &Object, findings: &mut Findings) {
    let ended = ["Complete", "Failed"].map(|end| object.condition(end) == "True");
    findings.equal(object, "ends", ended.iter().filter(|has| **has).count(), 1);
    findings.equal(object, "active", object.count("/status/active"), 0);
    for end in ["succeeded", "failed"] {
        let pointer = format!("/status/uncountedTerminatedPods/{end}");
        findings.equal(object, &format!("uncounted {end}"), object.list(&pointer).count(), 0);
    }
    let pods: Vec<&Object> = controlled(world, "core/pods", object).collect();
    findings.unless(!pods.iter().any(|pod| is_uncounted(pod)), object, || "pods left uncounted".to_owned());
    findings.unless(pods.iter().all(|pod| pod.is_finished()), object, || "pods left running".to_owned());
    let kept = |phase: &str| pods.iter().filter(|pod| pod.text("/status/phase") == phase).count() as i64;
    if ended[0] {
        let wanted = object.number("/spec/completions").unwrap_or(1);
        let succeeded = object.count("/status/succeeded");
        findings.unless(succeeded >= wanted, object, || format!("complete with {succeeded} of {wanted}"));
    }
    if object.text("/spec/completionMode") != "Indexed" {
        let succeeded = object.count("/status/succeeded");
        findings
            .unless(succeeded >= kept("Succeeded"), object, || format!("{succeeded} counted of {}", kept("Succeeded")));
    }
    let failed = object.count("/status/failed");
    findings.unless(failed >= kept("Failed"), object, || format!("{failed} counted as failed of {}", kept("Failed")));
}

/// Suspended by then, with all of its Jobs at their ends.
fn cron_job(world: &World, object: &Object, findings: &mut Findings) {
    findings.equal(object, "active", object.list("/status/active").count(), 0);
    let jobs: Vec<&Object> = controlled(world, "batch/jobs", object).collect();
    for (end, limit, usual) in [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let kept = jobs.iter().filter(|job| job.condition(end) == "True").count() as i64;
        let limit = object.number(&format!("/spec/{limit}")).unwrap_or(usual);
        findings.unless(kept <= limit, object, || format!("{kept} Jobs kept that are {end}"));
    }
}

fn service(world: &World, object: &Object, findings: &mut Findings) {
    if is_empty(object.value.pointer("/spec/selector")) {
        return;
    }
    let pods = all(world, "core/pods").filter(|pod| object.selects("/spec/selector", pod) && pod.is_serving());
    let wanted: BTreeSet<&str> = pods.filter(|pod| !pod.is_finished()).map(|pod| pod.text("/status/podIP")).collect();
    let slices = all(world, "discovery.k8s.io/endpointslices").filter(|slice| {
        slice.namespace() == object.namespace() && slice.label("kubernetes.io/service-name") == object.name()
    });
    let ready = slices.flat_map(|slice| slice.list("/endpoints")).filter(|one| one["conditions"]["ready"] == true);
    let addresses: Vec<&str> = ready.filter_map(|one| one["addresses"][0].as_str()).collect();
    findings.equal(object, "addresses in slices", addresses.len(), wanted.len());
    findings.equal(object, "endpoints in slices", addresses.into_iter().collect(), wanted.clone());
    let mut endpoints =
        all(world, "core/endpoints").filter(|one| one.namespace() == object.namespace() && one.name() == object.name());
    let addresses: BTreeSet<&str> = endpoints
        .next()
        .into_iter()
        .flat_map(|endpoints| endpoints.list("/subsets"))
        .flat_map(|subset| subset["addresses"].as_array().into_iter().flatten())
        .filter_map(|address| address["ip"].as_str())
        .collect();
    findings.equal(object, "Endpoints", addresses, wanted);
}

fn budget(world: &World, object: &Object, findings: &mut Findings) {
    findings.unless(object.is_observed(), object, || "not observed".to_owned());
    let pods: Vec<&Object> = all(world, "core/pods")
        .filter(|pod| object.selects("/spec/selector/matchLabels", pod) && !pod.is_finished())
        .collect();
    let healthy = pods.iter().filter(|pod| pod.is_serving()).count() as i64;
    // All of them stand under one Deployment, or nothing.
    let expected = pods.len() as i64;
    let minimum = object.value.pointer("/spec/minAvailable").map(|amount| share(Some(amount), expected, true));
    let maximum = object.value.pointer("/spec/maxUnavailable").map(|amount| share(Some(amount), expected, true));
    let desired = minimum.unwrap_or_else(|| (expected - maximum.unwrap_or(0)).max(0));
    findings.equal(object, "currentHealthy", object.count("/status/currentHealthy"), healthy);
    findings.equal(object, "desiredHealthy", object.count("/status/desiredHealthy"), desired);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    findings.equal(object, "disruptionsAllowed", object.count("/status/disruptionsAllowed"), allowed);
}

fn quota(world: &World, object: &Object, findings: &mut Findings) {
    let pods = all(world, "core/pods").filter(|pod| pod.namespace() == object.namespace() && !pod.is_finished());
    let used = pods.count().to_string();
    findings.equal(object, "pods used", object.text("/status/used/pods"), used.as_str());
    findings.equal(object, "hard", object.text("/status/hard/pods"), object.text("/spec/hard/pods"));
}

fn pod(world: &World, object: &Object, findings: &mut Findings) {
    let node = object.text("/spec/nodeName");
    findings.unless(!node.is_empty(), object, || "bound nowhere".to_owned());
    findings.unless(all(world, "core/nodes").any(|one| one.name() == node), object, || format!("bound to lost {node}"));
    findings.unless(object.is_finished() || object.is_serving(), object, || "does not serve".to_owned());
}

fn node(object: &Object, findings: &mut Findings) {
    findings.equal(object, "Ready", object.condition("Ready"), "True");
    findings.equal(object, "taints", object.list("/spec/taints").count(), 0);
    findings.unless(!object.text("/spec/podCIDR").is_empty(), object, || "no range".to_owned());
}

fn namespace(world: &World, object: &Object, findings: &mut Findings) {
    findings.equal(object, "phase", object.text("/status/phase"), "Active");
    for (kind, name) in [("core/serviceaccounts", "default"), ("core/configmaps", "kube-root-ca.crt")] {
        let mut known = all(world, kind).filter(|one| one.namespace() == object.name());
        findings.unless(known.any(|one| one.name() == name), object, || format!("no {name}"));
    }
}

fn claim(world: &World, object: &Object, findings: &mut Findings) {
    // The usual class waits for somebody who wants it.
    let is_wanted = all(world, "core/pods").any(|pod| {
        let mut volumes = pod.list("/spec/volumes");
        pod.namespace() == object.namespace()
            && volumes.any(|volume| volume["persistentVolumeClaim"]["claimName"] == object.name())
    });
    if !is_wanted && object.text("/status/phase") == "Pending" {
        return;
    }
    findings.equal(object, "phase", object.text("/status/phase"), "Bound");
    let volume = object.text("/spec/volumeName");
    let bound = all(world, "core/persistentvolumes").find(|one| one.name() == volume);
    let back = bound.map(|volume| volume.text("/spec/claimRef/uid")).unwrap_or_default();
    findings.equal(object, "its volume's claim", back, object.uid());
}

/// By then its target is there, and of the size that its load asks for: nothing is scaled from or to nothing.
fn autoscaler(world: &World, object: &Object, findings: &mut Findings) {
    let target = object.text("/spec/scaleTargetRef/name");
    let mut targets = all(world, "apps/deployments").filter(|one| one.namespace() == object.namespace());
    let Some(target) = targets.find(|one| one.name() == target) else {
        return findings.unless(false, object, || format!("its target {target} is gone"));
    };
    findings.equal(object, "AbleToScale", object.condition("AbleToScale"), "True");
    // What was recommended within the stabilisation window may hold the present recommendation back.
    let is_held_back = object.condition_reason("AbleToScale").ends_with("Stabilized");
    findings.unless(!is_held_back, object, || "its recommendation is held back".to_owned());
    let replicas = target.replicas();
    if replicas == 0 {
        return;
    }
    let bounds = object.number("/spec/minReplicas").unwrap_or(1)..=object.count("/spec/maxReplicas");
    findings.unless(bounds.contains(&replicas), object, || format!("{replicas} of {bounds:?}"));
    findings.equal(object, "desiredReplicas", object.count("/status/desiredReplicas"), replicas);
    let utilization = object.number("/status/currentMetrics/0/resource/current/averageUtilization");
    let aim = object.count("/spec/metrics/0/resource/target/averageUtilization");
    let Some(utilization) = utilization else {
        return findings.unless(false, object, || "knows nothing of its load".to_owned());
    };
    findings.equal(object, "replicas", replicas, size_for(replicas, utilization, aim, &bounds));
}

/// So many pods bring the utilisation, in per cent of what so many requested, to the aim; a tenth more or less
/// is no reason to change.
fn size_for(replicas: i64, utilization: i64, aim: i64, bounds: &RangeInclusive<i64>) -> i64 {
    let is_near = (utilization - aim).abs() * 10 <= aim;
    let size = if is_near { replicas } else { (replicas * utilization + aim - 1) / aim };
    size.clamp(*bounds.start(), *bounds.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_autoscaler_rests_where_the_size_fits_the_load() {
        let bounds = 2..=6;
        for (replicas, utilization, aim, size) in [
            (4, 60, 60, 4),
            (4, 66, 60, 4),
            (4, 67, 60, 5),
            (4, 54, 60, 4),
            (4, 43, 60, 3),
            (4, 0, 60, 2),
            (5, 200, 50, 6),
        ] {
            assert_eq!(size_for(replicas, utilization, aim, &bounds), size, "{replicas} at {utilization} of {aim}");
        }
    }
}
