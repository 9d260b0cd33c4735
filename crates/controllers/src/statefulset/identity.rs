//! What makes a pod of a StatefulSet this one and no other: its ordinal, its name, its claims.

use std::collections::BTreeMap;

use api::k8s::api::apps::v1::StatefulSet;
use api::k8s::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodTemplateSpec, Volume};
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use reconcile::controller_reference;

use crate::replicaset::pod_from_template;

/// On every pod: the name of the revision it was made from.
pub(super) const REVISION: &str = "controller-revision-hash";
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

pub(super) fn pod_name(set: &StatefulSet, ordinal: i32) -> String {
    format!("{}-{ordinal}", name(set))
}

/// The ordinal of a pod whose name is one of the set's.
pub(super) fn ordinal_of(set: &StatefulSet, pod: &Pod) -> Option<i32> {
    let (parent, ordinal) = pod.metadata.name.as_deref()?.rsplit_once('-')?;
    let is_number = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
    (parent == name(set) && is_number).then(|| ordinal.parse().ok())?
}

pub(super) fn revision_of(pod: &Pod) -> &str {
    pod.metadata.labels.as_ref().and_then(|labels| labels.get(REVISION)).map_or("", String::as_str)
}

/// A pod of one ordinal, from the template of one revision.
pub(super) fn pod_of(set: &StatefulSet, template: &PodTemplateSpec, revision: &str, ordinal: i32) -> Pod {
    let mut pod = pod_from_template(Some(template), name(set), Some(controller_reference(set)));
    let own_name = pod_name(set, ordinal);
    pod.metadata.generate_name = None;
    pod.metadata.name = Some(own_name.clone());
    pod.metadata.namespace = set.metadata.namespace.clone();
    let labels = pod.metadata.labels.get_or_insert_default();
    labels.extend(identity_labels(set, ordinal));
    labels.insert(REVISION.to_owned(), revision.to_owned());
    if let Some(spec) = &mut pod.spec {
        spec.hostname = Some(own_name);
        spec.subdomain = set.spec.service_name.clone().filter(|service| !service.is_empty());
        let templates = set.spec.volume_claim_templates.as_deref().unwrap_or_default();
        let claimed = templates.iter().map(|template| volume_of(set, template, ordinal));
        let mut volumes: Vec<Volume> = claimed.collect();
        let others = spec.volumes.take().unwrap_or_default();
        volumes.extend(others.into_iter().filter(|volume| {
            !templates.iter().any(|template| template.metadata.name.as_deref() == Some(&*volume.name))
        }));
        spec.volumes = (!volumes.is_empty()).then_some(volumes);
    }
    pod
}

/// Labels the pod should have and has not.
pub(super) fn missing_labels(set: &StatefulSet, ordinal: i32, pod: &Pod) -> BTreeMap<String, String> {
    let mut wanted = identity_labels(set, ordinal);
    wanted.retain(|key, value| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)) != Some(value));
    wanted
}

pub(super) fn claim_name(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i32) -> String {
    format!("{}-{}-{ordinal}", template.metadata.name.as_deref().unwrap_or_default(), name(set))
}

/// The claims of one ordinal.
pub(super) fn claims_of(set: &StatefulSet, ordinal: i32) -> Vec<PersistentVolumeClaim> {
    let templates = set.spec.volume_claim_templates.iter().flatten();
    let claims = templates.map(|template| {
        let mut labels = template.metadata.labels.clone().unwrap_or_default();
        labels.extend(set.spec.selector.match_labels.clone().unwrap_or_default());
        PersistentVolumeClaim {
            metadata: ObjectMeta {
                name: Some(claim_name(set, template, ordinal)),
                namespace: set.metadata.namespace.clone(),
                labels: Some(labels),
                annotations: template.metadata.annotations.clone(),
                ..ObjectMeta::default()
            },
            spec: template.spec.clone(),
            status: None,
        }
    });
    claims.collect()
}

fn identity_labels(set: &StatefulSet, ordinal: i32) -> BTreeMap<String, String> {
    BTreeMap::from([(POD_NAME.to_owned(), pod_name(set, ordinal)), (POD_INDEX.to_owned(), ordinal.to_string())])
}

fn volume_of(set: &StatefulSet, template: &PersistentVolumeClaim, ordinal: i32) -> Volume {
    let claim_name = claim_name(set, template, ordinal);
    Volume {
        name: template.metadata.name.clone().unwrap_or_default(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name, read_only: None }),
        ..Volume::default()
    }
}

fn name(set: &StatefulSet) -> &str {
    set.metadata.name.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set() -> StatefulSet {
        serde_json::from_value(json!({
            "metadata": {"name": "db", "namespace": "default", "uid": "set"},
            "spec": {
                "serviceName": "peers",
                "selector": {"matchLabels": {"app": "db"}},
                "template": {
                    "metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [], "volumes": [{"name": "data"}, {"name": "own", "emptyDir": {}}]},
                },
                "volumeClaimTemplates": [
                    {"metadata": {"name": "data", "labels": {"kind": "disk"}}, "spec": {"accessModes": ["ReadWriteOnce"]}},
                ],
            },
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_is_named_labelled_and_mounted_by_its_ordinal() {
        let set = set();
        let pod = serde_json::to_value(pod_of(&set, &set.spec.template, "db-7f", 2)).unwrap();
        assert_eq!(pod["metadata"]["name"], "db-2");
        assert_eq!(
            pod["metadata"]["labels"],
            json!({"app": "db", POD_NAME: "db-2", POD_INDEX: "2", REVISION: "db-7f"})
        );
        assert_eq!((&pod["spec"]["hostname"], &pod["spec"]["subdomain"]), (&json!("db-2"), &json!("peers")));
        assert_eq!(
            pod["spec"]["volumes"],
            json!([
                {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-2"}},
                {"name": "own", "emptyDir": {}},
            ])
        );
    }

    #[test]
    fn claims_carry_the_labels_of_template_and_selector() {
        let claim = serde_json::to_value(&claims_of(&set(), 0)[0]).unwrap();
        let labels = json!({"app": "db", "kind": "disk"});
        assert_eq!(claim["metadata"], json!({"name": "data-db-0", "namespace": "default", "labels": labels}));
        assert_eq!(claim["spec"], json!({"accessModes": ["ReadWriteOnce"]}));
    }

    #[test]
    fn only_names_of_the_set_have_an_ordinal() {
        let ordinal = |name: &str| {
            let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
            ordinal_of(&set(), &Pod { metadata, ..Pod::default() })
        };
        assert_eq!(["db-0", "db-12"].map(ordinal), [Some(0), Some(12)]);
        assert_eq!(["db", "db-", "db-x", "other-1", "db-1-1", "db-+1"].map(ordinal), [None; 6]);
    }
}
