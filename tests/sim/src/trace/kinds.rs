//! What a user sees of each kind.

use api::k8s::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use api::k8s::api::autoscaling::v2::HorizontalPodAutoscaler;
use api::k8s::api::batch::v1::{CronJob, Job};
use api::k8s::api::core::v1::{Namespace, Node, PersistentVolumeClaim, Pod, ResourceQuota};
use api::k8s::api::discovery::v1::EndpointSlice;
use api::k8s::api::policy::v1::PodDisruptionBudget;
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use reconcile::Kind;

use super::Subject;
use crate::condition::ready_status;
use crate::kubelet::is_ready;

pub(super) fn node_changes(old: Option<&Node>, new: Option<&Node>) -> Option<(Subject, String)> {
    let name = new.or(old)?.metadata.name.clone()?;
    let mut told = Vec::new();
    match (old, new) {
        (None, Some(_)) => told.push("registered".to_owned()),
        (_, None) => told.push("gone".to_owned()),
        (Some(_), Some(_)) => {}
    }
    if let Some(new) = new {
        let ready = old.and_then(ready_status);
        if let Some(now) = ready_status(new).filter(|now| Some(*now) != ready) {
            told.push(format!("Ready={now}"));
        }
        let (before, after) = (old.map(taints).unwrap_or_default(), taints(new));
        told.extend(after.iter().filter(|taint| !before.contains(taint)).map(|taint| format!("+{taint}")));
        told.extend(before.iter().filter(|taint| !after.contains(taint)).map(|taint| format!("-{taint}")));
    }
    tell(Subject::Named(format!("node {name}")), told)
}

fn taints(node: &Node) -> Vec<String> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    let mut taints: Vec<String> =
        taints.into_iter().flatten().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect();
    taints.sort();
    taints
}

pub(super) fn deployment_changes(old: Option<&Deployment>, new: Option<&Deployment>) -> Option<(Subject, String)> {
    let subject = Subject::Named(format!("deployment {}", new.or(old)?.metadata.name.as_deref()?));
    let (Some(new), counts) = (new, old.map(counts)) else { return Some((subject, "gone".into())) };
    let now = self::counts(new);
    if counts.as_deref() == Some(&now) { None } else { Some((subject, now)) }
}

fn counts(deployment: &Deployment) -> String {
    let wanted = deployment.spec.replicas.unwrap_or(1);
    let status = deployment.status.clone().unwrap_or_default();
    let mut told = format!(
        "{wanted} wanted, {} there, {} updated, {} available",
        status.replicas.unwrap_or(0),
        status.updated_replicas.unwrap_or(0),
        status.available_replicas.unwrap_or(0)
    );
    let mut reasons = status.conditions.iter().flatten().filter_map(|condition| condition.reason.as_deref());
    if let Some(reason) = reasons.find(|reason| matches!(*reason, "ProgressDeadlineExceeded" | "DeploymentPaused")) {
        told.push_str(&format!(", {reason}"));
    }
    if deployment.metadata.deletion_timestamp.is_some() {
        told.push_str(", going");
    }
    told
}

pub(super) fn stateful_set_changes(old: Option<&StatefulSet>, new: Option<&StatefulSet>) -> Option<(Subject, String)> {
    let counts = |set: &StatefulSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} wanted, {} there, {} updated, {} ready",
            set.spec.replicas.unwrap_or(1),
            status.replicas,
            status.updated_replicas.unwrap_or(0),
            status.ready_replicas.unwrap_or(0)
        )
    };
    changes("statefulset", old, new, counts)
}

pub(super) fn daemon_set_changes(old: Option<&DaemonSet>, new: Option<&DaemonSet>) -> Option<(Subject, String)> {
    let counts = |set: &DaemonSet| {
        let status = set.status.clone().unwrap_or_default();
        format!(
            "{} wanted, {} there, {} updated, {} available",
            status.desired_number_scheduled,
            status.current_number_scheduled,
            status.updated_number_scheduled.unwrap_or(0),
            status.number_available.unwrap_or(0)
        )
    };
    changes("daemonset", old, new, counts)
}

pub(super) fn job_changes(old: Option<&Job>, new: Option<&Job>) -> Option<(Subject, String)> {
    let counts = |job: &Job| {
        let status = job.status.clone().unwrap_or_default();
        let mut told = format!(
            "{} active, {} succeeded, {} failed",
            status.active.unwrap_or(0),
            status.succeeded.unwrap_or(0),
            status.failed.unwrap_or(0)
        );
        if let Some(indexes) = status.completed_indexes {
            told.push_str(&format!(", indexes {indexes} done"));
        }
        for condition in status.conditions.iter().flatten().filter(|condition| condition.status == "True") {
            told.push_str(&format!(", {} ({})", condition.type_, condition.reason.as_deref().unwrap_or_default()));
        }
        told
    };
    changes("job", old, new, counts)
}

pub(super) fn cron_job_changes(old: Option<&CronJob>, new: Option<&CronJob>) -> Option<(Subject, String)> {
    let told = |cron_job: &CronJob| {
        let status = cron_job.status.clone().unwrap_or_default();
        let moment = |time: &Option<Time>| time.as_ref().map_or("never".to_owned(), |time| time.0.to_string());
        format!(
            "{} active, last scheduled {}, last successful {}",
            status.active.iter().flatten().count(),
            moment(&status.last_schedule_time),
            moment(&status.last_successful_time)
        )
    };
    changes("cronjob", old, new, told)
}

/// What `describe` says now, where it said otherwise before.
fn changes<K: Kind>(
    kind: &str,
    old: Option<&K>,
    new: Option<&K>,
    describe: impl Fn(&K) -> String,
) -> Option<(Subject, String)> {
    let subject = Subject::Named(format!("{kind} {}", new.or(old)?.meta().name.as_deref()?));
    let Some(new) = new else { return Some((subject, "gone".into())) };
    let now = describe(new);
    if old.map(describe).as_ref() == Some(&now) { None } else { Some((subject, now)) }
}

pub(super) fn replica_set_changes(old: Option<&ReplicaSet>, new: Option<&ReplicaSet>) -> Option<(Subject, String)> {
    let metadata = &new.or(old)?.metadata;
    let subject = Subject::ReplicaSet { name: metadata.name.clone()?, owner: owner(metadata) };
    let wanted = |set: &ReplicaSet| set.spec.replicas.unwrap_or(1);
    let what = match (old.map(wanted), new.map(wanted)) {
        (None, Some(now)) => format!("created for {now}"),
        (Some(before), Some(now)) if before != now => format!("scaled {before} to {now}"),
        (_, None) => "gone".to_owned(),
        _ => return None,
    };
    Some((subject, what))
}

pub(super) fn pod_changes(old: Option<&Pod>, new: Option<&Pod>) -> Option<(Subject, String)> {
    let metadata = &new.or(old)?.metadata;
    // A StatefulSet's pods have names that mean something.
    let has_own_name = metadata.labels.iter().flatten().any(|(key, _)| key == "statefulset.kubernetes.io/pod-name");
    let owner = owner(metadata).filter(|_| !has_own_name);
    let subject = Subject::Pod { name: metadata.name.clone()?, owner };
    let Some(new) = new else { return Some((subject, "gone".into())) };
    let mut told = Vec::new();
    if old.is_none() {
        told.push("created".to_owned());
    }
    let node = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.node_name.clone());
    if let Some(bound) = node(new).filter(|_| old.and_then(node).is_none()) {
        told.push(format!("bound to {bound}"));
    }
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
    if let Some(now) = phase(new).filter(|now| old.and_then(phase).as_ref() != Some(now)) {
        told.push(now);
    }
    match (old.is_some_and(is_ready), is_ready(new)) {
        (false, true) => told.push("ready".to_owned()),
        (true, false) => told.push("not ready".to_owned()),
        _ => {}
    }
    if let Some(why) = unschedulable(new).filter(|why| old.and_then(unschedulable) != Some(why)) {
        told.push(format!("unschedulable: {why}"));
    }
    if new.metadata.deletion_timestamp.is_some() && old.is_none_or(|old| old.metadata.deletion_timestamp.is_none()) {
        told.push(format!("to go within {}s", new.metadata.deletion_grace_period_seconds.unwrap_or(0)));
    }
    tell(subject, told)
}

/// What the scheduler says of a pod that it cannot place.
fn unschedulable(pod: &Pod) -> Option<&str> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled")?;
    scheduled.message.as_deref().filter(|_| scheduled.status == "False")
}

pub(super) fn endpoint_changes(old: Option<&EndpointSlice>, new: Option<&EndpointSlice>) -> Option<(Subject, String)> {
    let service = new.or(old)?.metadata.labels.as_ref()?.get("kubernetes.io/service-name")?.clone();
    // The API server's own addresses are no pods.
    if service == "kubernetes" {
        return None;
    }
    let pods = new.map(ready_pods).unwrap_or_default();
    if old.is_some_and(|old| ready_pods(old) == pods) {
        return None;
    }
    Some((Subject::Endpoints { service, pods }, String::new()))
}

fn ready_pods(slice: &EndpointSlice) -> Vec<String> {
    let ready = slice
        .endpoints
        .iter()
        .flatten()
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true));
    let mut pods: Vec<String> =
        ready.filter_map(|endpoint| endpoint.target_ref.as_ref().and_then(|target| target.name.clone())).collect();
    pods.sort();
    pods
}

fn owner(metadata: &ObjectMeta) -> Option<String> {
    let owners = metadata.owner_references.iter().flatten();
    owners.filter(|owner| owner.controller == Some(true)).map(|owner| owner.name.clone()).next()
}

fn tell(subject: Subject, told: Vec<String>) -> Option<(Subject, String)> {
    if told.is_empty() { None } else { Some((subject, told.join(", "))) }
}

pub(super) fn namespace_changes(old: Option<&Namespace>, new: Option<&Namespace>) -> Option<(Subject, String)> {
    let told = |namespace: &Namespace| {
        let status = namespace.status.clone().unwrap_or_default();
        let conditions =
            status.conditions.unwrap_or_default().into_iter().filter(|condition| condition.status == "True");
        let reasons: Vec<String> = conditions.filter_map(|condition| condition.reason).collect();
        format!("{} {}", status.phase.unwrap_or_default(), reasons.join(" ")).trim_end().to_owned()
    };
    changes("namespace", old, new, told)
}

pub(super) fn claim_changes(
    old: Option<&PersistentVolumeClaim>,
    new: Option<&PersistentVolumeClaim>,
) -> Option<(Subject, String)> {
    let told = |claim: &PersistentVolumeClaim| {
        let phase = claim.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        let node = claim.metadata.annotations.as_ref();
        let node = node.and_then(|annotations| annotations.get("volume.kubernetes.io/selected-node"));
        node.map_or(phase.clone(), |node| format!("{phase}, for node {node}"))
    };
    changes("claim", old, new, told)
}

pub(super) fn quota_changes(old: Option<&ResourceQuota>, new: Option<&ResourceQuota>) -> Option<(Subject, String)> {
    let told = |quota: &ResourceQuota| {
        let status = quota.status.clone().unwrap_or_default();
        let used = status.used.unwrap_or_default();
        let amounts = status.hard.unwrap_or_default().into_iter().map(|(resource, hard)| {
            let used = used.get(&resource).map_or("?", |used| used.0.as_str());
            format!("{used} of {} {resource}", hard.0)
        });
        amounts.collect::<Vec<_>>().join(", ")
    };
    changes("quota", old, new, told)
}

pub(super) fn budget_changes(
    old: Option<&PodDisruptionBudget>,
    new: Option<&PodDisruptionBudget>,
) -> Option<(Subject, String)> {
    let told = |budget: &PodDisruptionBudget| {
        let status = budget.status.clone().unwrap_or_default();
        let healthy =
            format!("{} of {} healthy", status.current_healthy.unwrap_or(0), status.expected_pods.unwrap_or(0));
        format!("{healthy}, {} may go", status.disruptions_allowed.unwrap_or(0))
    };
    changes("budget", old, new, told)
}

pub(super) fn autoscaler_changes(
    old: Option<&HorizontalPodAutoscaler>,
    new: Option<&HorizontalPodAutoscaler>,
) -> Option<(Subject, String)> {
    let told = |autoscaler: &HorizontalPodAutoscaler| {
        let status = autoscaler.status.clone().unwrap_or_default();
        let metrics = status.current_metrics.unwrap_or_default();
        let used = metrics.first().and_then(|metric| metric.resource.as_ref()?.current.average_utilization);
        let used = used.map_or("?".to_owned(), |used| used.to_string());
        let conditions = status.conditions.unwrap_or_default();
        let reasons: Vec<String> = conditions.into_iter().filter_map(|condition| condition.reason).collect();
        let (present, wanted) = (status.current_replicas.unwrap_or(0), status.desired_replicas);
        format!("{present} there, {wanted} wanted, {used}% used, {}", reasons.join(" "))
    };
    changes("autoscaler", old, new, told)
}
