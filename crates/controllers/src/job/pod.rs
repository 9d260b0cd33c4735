//! The pods of a Job, as it makes them.

use api::k8s::api::batch::v1::{Job, JobSpec};
use api::k8s::api::core::v1::{Container, EnvVar, EnvVarSource, ObjectFieldSelector, Pod};
use reconcile::controller_reference;

use super::failure::action_on;
use super::indexes::INDEX;
use crate::replicaset::pod_from_template;

/// Keeps a pod from vanishing before it is counted.
pub(super) const FINALIZER: &str = "batch.kubernetes.io/job-tracking";

const INDEX_VARIABLE: &str = "JOB_COMPLETION_INDEX";
const INDEX_FAILURES: &str = "batch.kubernetes.io/job-index-failure-count";
const INDEX_IGNORED_FAILURES: &str = "batch.kubernetes.io/job-index-ignored-failure-count";

/// A generated name is this long at most without its random end.
const MAX_GENERATE_NAME_BYTES: usize = 58;

/// A pod of the Job, of one index where the Job is indexed. Where failures count by index, the new pod
/// takes over the count of the pod it replaces.
pub(super) fn pod_of(job: &Job, spec: &JobSpec, index: Option<i32>, replaced: Option<&Pod>) -> Pod {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    let mut pod = pod_from_template(Some(&spec.template), name, Some(controller_reference(job)));
    let finalizers = pod.metadata.finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
        finalizers.push(FINALIZER.to_owned());
    }
    let Some(index) = index else { return pod };
    let suffix = format!("-{index}-");
    let longest = MAX_GENERATE_NAME_BYTES - suffix.len();
    pod.metadata.generate_name = Some(format!("{}{suffix}", &name[..name.len().min(longest)]));
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(INDEX.to_owned(), index.to_string());
    if spec.backoff_limit_per_index.is_some() {
        let (failures, ignored) = replaced.map_or((0, 0), |replaced| counts_after(spec, replaced));
        annotations.insert(INDEX_FAILURES.to_owned(), failures.to_string());
        if ignored > 0 {
            annotations.insert(INDEX_IGNORED_FAILURES.to_owned(), ignored.to_string());
        }
    }
    pod.metadata.labels.get_or_insert_default().insert(INDEX.to_owned(), index.to_string());
    if let Some(pod_spec) = &mut pod.spec {
        pod_spec.hostname = Some(format!("{name}-{index}"));
        for container in pod_spec.init_containers.iter_mut().flatten().chain(&mut pod_spec.containers) {
            tell_index(container);
        }
    }
    pod
}

/// How often pods of this one's index have failed before it, in a way that counts.
pub(super) fn index_failures(pod: &Pod) -> i32 {
    annotated_number(pod, INDEX_FAILURES)
}

/// The same, with those that were ignored.
pub(super) fn all_index_failures(pod: &Pod) -> i32 {
    index_failures(pod).saturating_add(annotated_number(pod, INDEX_IGNORED_FAILURES))
}

fn counts_after(spec: &JobSpec, replaced: &Pod) -> (i32, i32) {
    let (failures, ignored) = (index_failures(replaced), annotated_number(replaced, INDEX_IGNORED_FAILURES));
    if action_on(spec.pod_failure_policy.as_ref(), replaced).counts() {
        (failures.saturating_add(1), ignored)
    } else {
        (failures, ignored.saturating_add(1))
    }
}

fn annotated_number(pod: &Pod, annotation: &str) -> i32 {
    let text = pod.metadata.annotations.as_ref().and_then(|annotations| annotations.get(annotation));
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A variable of that name that the template sets stays as it is.
fn tell_index(container: &mut Container) {
    let variables = container.env.get_or_insert_default();
    if variables.iter().any(|variable| variable.name == INDEX_VARIABLE) {
        return;
    }
    let field = ObjectFieldSelector { field_path: format!("metadata.labels['{INDEX}']"), api_version: None };
    variables.push(EnvVar {
        name: INDEX_VARIABLE.to_owned(),
        value: None,
        value_from: Some(EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() }),
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(name: &str) -> Job {
        serde_json::from_value(json!({
            "metadata": {"name": name, "namespace": "default", "uid": "u"},
            "spec": {"completionMode": "Indexed", "backoffLimitPerIndex": 2, "template": {"spec": {"containers": [
                {"name": "main", "image": "x"},
                {"name": "own", "image": "x", "env": [{"name": "JOB_COMPLETION_INDEX", "value": "7"}]},
            ]}}},
        }))
        .unwrap()
    }

    fn make(job: &Job, index: Option<i32>, replaced: Option<&Pod>) -> Pod {
        pod_of(job, job.spec.as_ref().unwrap(), index, replaced)
    }

    #[test]
    fn an_indexed_pod_knows_its_index() {
        let failed = make(&job("squares"), Some(3), None);
        let pod = serde_json::to_value(make(&job("squares"), Some(3), Some(&failed))).unwrap();
        assert_eq!(pod["metadata"]["generateName"], "squares-3-");
        assert_eq!(pod["metadata"]["finalizers"], json!([FINALIZER]));
        assert_eq!(pod["metadata"]["labels"], json!({INDEX: "3"}));
        assert_eq!(pod["metadata"]["annotations"], json!({INDEX: "3", INDEX_FAILURES: "1"}));
        assert_eq!(pod["spec"]["hostname"], "squares-3");
        let field = json!({"fieldRef": {"fieldPath": format!("metadata.labels['{INDEX}']")}});
        assert_eq!(pod["spec"]["containers"][0]["env"], json!([{"name": "JOB_COMPLETION_INDEX", "valueFrom": field}]));
        assert_eq!(pod["spec"]["containers"][1]["env"][0]["value"], "7");
    }

    #[test]
    fn a_long_name_leaves_room_for_the_index() {
        let pod = make(&job(&"a".repeat(63)), Some(12), None);
        assert_eq!(pod.metadata.generate_name.unwrap(), format!("{}-12-", "a".repeat(54)));
    }
}
