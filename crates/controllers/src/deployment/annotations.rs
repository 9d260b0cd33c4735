//! What a Deployment writes on its ReplicaSets, and reads back.

use std::collections::BTreeMap;

use api::k8s::api::apps::v1::ReplicaSet;
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED_REPLICAS: &str = "deployment.kubernetes.io/desired-replicas";
const MAX_REPLICAS: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const DEPRECATED_ROLLBACK: &str = "deprecated.deployment.rollback.to";
/// A longer history of revisions loses its oldest.
const REVISION_HISTORY_BYTES: usize = 2000;

pub(super) fn revision(metadata: &ObjectMeta) -> i64 {
    get(metadata, REVISION).and_then(|revision| revision.parse().ok()).unwrap_or(0)
}

/// The Deployment's size when the ReplicaSet was last scaled.
pub(super) fn desired_replicas(replica_set: &ReplicaSet) -> Option<i32> {
    get(&replica_set.metadata, DESIRED_REPLICAS)?.parse().ok()
}

/// As [`desired_replicas`], with the surge.
pub(super) fn max_replicas(replica_set: &ReplicaSet) -> Option<i32> {
    get(&replica_set.metadata, MAX_REPLICAS)?.parse().ok()
}

/// The revision to go back to, where one is asked for; 0 is the last one.
pub(super) fn rollback_to(deployment: &ObjectMeta) -> Option<i64> {
    get(deployment, DEPRECATED_ROLLBACK)?.parse().ok()
}

pub(super) fn clear_rollback(deployment: &mut ObjectMeta) {
    if let Some(annotations) = &mut deployment.annotations {
        annotations.remove(DEPRECATED_ROLLBACK);
    }
}

/// Gives the Deployment back the annotations it had when the ReplicaSet was made.
pub(super) fn take_back(deployment: &mut ObjectMeta, replica_set: &ObjectMeta) {
    let annotations = deployment.annotations.get_or_insert_default();
    annotations.retain(|key, _| is_own(key));
    let copied = replica_set.annotations.iter().flatten().filter(|(key, _)| !is_own(key));
    annotations.extend(copied.map(|(key, value)| (key.clone(), value.clone())));
}

/// True where something changed.
pub(super) fn set_sizes(metadata: &mut ObjectMeta, desired: i32, max: i32) -> bool {
    let annotations = metadata.annotations.get_or_insert_default();
    let desired_changed = set(annotations, DESIRED_REPLICAS, desired.to_string());
    set(annotations, MAX_REPLICAS, max.to_string()) || desired_changed
}

/// Copies the Deployment's annotations to its new ReplicaSet and raises the revision, keeping the
/// overtaken one in the history. True where something changed.
pub(super) fn sync(replica_set: &mut ObjectMeta, deployment: &ObjectMeta, new_revision: i64, exists: bool) -> bool {
    let mut changed = false;
    let target = replica_set.annotations.get_or_insert_default();
    for (key, value) in deployment.annotations.iter().flatten() {
        if !is_own(key) {
            changed |= set(target, key, value.clone());
        }
    }
    let old_revision = target.get(REVISION).cloned().unwrap_or_default();
    let old_number: i64 = old_revision.parse().unwrap_or(0);
    if old_number < new_revision {
        target.insert(REVISION.to_owned(), new_revision.to_string());
        changed = true;
        if exists && !old_revision.is_empty() {
            remember(target, &old_revision);
        }
    }
    changed
}

fn remember(annotations: &mut BTreeMap<String, String>, revision: &str) {
    let history = annotations.entry(REVISION_HISTORY.to_owned()).or_default();
    let mut revisions: Vec<&str> = history.split(',').filter(|revision| !revision.is_empty()).collect();
    revisions.push(revision);
    while revisions.len() > 1
        && revisions.iter().map(|revision| revision.len() + 1).sum::<usize>() > REVISION_HISTORY_BYTES
    {
        revisions.remove(0);
    }
    *history = revisions.join(",");
}

/// Annotations that say something of the object that bears them alone.
fn is_own(key: &str) -> bool {
    [LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, DEPRECATED_ROLLBACK].contains(&key)
}

fn set(annotations: &mut BTreeMap<String, String>, key: &str, value: String) -> bool {
    if annotations.get(key) == Some(&value) {
        return false;
    }
    annotations.insert(key.to_owned(), value);
    true
}

fn get<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a String> {
    metadata.annotations.as_ref()?.get(key)
}
