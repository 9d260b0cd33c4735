//! apps `StatefulSet`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_not_negative, check_supported, get_object, items_mut, number, object_at, set_default, text, value,
};
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::{CONTAINERS, IMAGES, SCALE, container_cells, validate_selector_and_template, validate_share};

pub static STATEFUL_SET: Kind = Kind {
    group: "apps",
    kind: "StatefulSet",
    plural: "statefulsets",
    singular: "statefulset",
    short_names: &["sts"],
    categories: &["all"],
    has_status: true,
    scale: Some(SCALE),
    rules: &StatefulSetRules,
    ..Kind::NAMESPACED
};

struct StatefulSetRules;

/// Fields of the spec that an update may change, in the order the refusal names them.
const MUTABLE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

impl Rules for StatefulSetRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "podManagementPolicy", "OrderedReady");
        set_default(spec, "updateStrategy.type", "RollingUpdate");
        if text(spec, "updateStrategy.type") == "RollingUpdate" {
            set_default(spec, "updateStrategy.rollingUpdate.partition", 0);
        }
        set_default(spec, "persistentVolumeClaimRetentionPolicy.whenDeleted", "Retain");
        set_default(spec, "persistentVolumeClaimRetentionPolicy.whenScaled", "Retain");
        set_default(spec, "replicas", 1);
        set_default(spec, "revisionHistoryLimit", 10);
        for claim in items_mut(spec, "volumeClaimTemplates") {
            set_default(claim, "apiVersion", "v1");
            set_default(claim, "kind", "PersistentVolumeClaim");
            set_default(claim, "spec.volumeMode", "Filesystem");
            set_default(claim, "status.phase", "Pending");
        }
        pod_spec::default_template(object);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate_policies(object, &mut faults);
        for field in ["spec.replicas", "spec.minReadySeconds", "spec.ordinals.start"] {
            check_not_negative(object, field, "", &mut faults);
        }
        validate_selector_and_template(object, "statefulset", "StatefulSet", &mut faults);
        if let Some(old) = old {
            let fixed = |object: &Object| {
                let mut spec = get_object(object, "spec").cloned().unwrap_or_else(Object::new);
                spec.retain(|field, _| !MUTABLE.contains(&field.as_str()));
                spec
            };
            if fixed(object) != fixed(old) {
                faults.push(FieldError::forbidden("spec", update_rule()));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("Ready", "string", "Number of the pod with ready state"), AGE, CONTAINERS, IMAGES];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.template.spec.containers");
        vec![
            columns::name(object),
            Value::from(format!("{}/{}", number(object, "status.readyReplicas"), number(object, "spec.replicas"))),
            columns::age(object, now),
            containers,
            images,
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_policies(object: &Object, faults: &mut Vec<FieldError>) {
    match text(object, "spec.podManagementPolicy") {
        "" => faults.push(FieldError::required("spec.podManagementPolicy", "")),
        "OrderedReady" | "Parallel" => {}
        other => {
            let detail = "must be 'OrderedReady' or 'Parallel'";
            faults.push(FieldError::invalid("spec.podManagementPolicy", other, detail));
        }
    }
    const STRATEGY: &str = "spec.updateStrategy";
    const ROLLING: &str = "spec.updateStrategy.rollingUpdate";
    match (text(object, "spec.updateStrategy.type"), get_object(object, ROLLING)) {
        ("", _) => faults.push(FieldError::required(STRATEGY, "")),
        ("OnDelete", Some(_)) => {
            let detail = "only allowed for updateStrategy 'RollingUpdate'";
            faults.push(FieldError::invalid(ROLLING, value(object, ROLLING), detail));
        }
        ("RollingUpdate", Some(rolling)) => {
            check_not_negative(rolling, "partition", ROLLING, faults);
            validate_share(rolling, "maxUnavailable", ROLLING, faults);
        }
        ("OnDelete" | "RollingUpdate", None) => {}
        _ => {
            let detail = "must be 'RollingUpdate' or 'OnDelete'";
            faults.push(FieldError::invalid(STRATEGY, value(object, STRATEGY), detail));
        }
    }
    const RETENTION: &str = "spec.persistentVolumeClaimRetentionPolicy";
    if let Some(retention) = get_object(object, RETENTION) {
        for field in ["whenDeleted", "whenScaled"] {
            check_supported(retention, field, &["Delete", "Retain"], RETENTION, faults);
        }
    }
}

fn update_rule() -> String {
    let quoted: Vec<String> = MUTABLE.iter().map(|field| format!("'{field}'")).collect();
    let (last, others) = quoted.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    format!("updates to statefulset spec for fields other than {} and {last} are forbidden", others.join(", "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn identity_stays() {
        let set = |service: &str, replicas: i64| {
            let mut object = Object::from_iter([(
                "spec".to_owned(),
                json!({
                    "serviceName": service,
                    "replicas": replicas,
                    "selector": {"matchLabels": {"a": "b"}},
                    "template": {
                        "metadata": {"labels": {"a": "b"}},
                        "spec": {"containers": [{"name": "c", "image": "x"}]},
                    },
                }),
            )]);
            StatefulSetRules.default(&mut object);
            object
        };
        let faults = |new: &Object| -> Vec<String> {
            StatefulSetRules.validate(new, Some(&set("s", 1))).iter().map(FieldError::to_string).collect()
        };
        assert_eq!(faults(&set("s", 3)), [""; 0]);
        assert_eq!(
            faults(&set("t", 1)),
            ["spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', \
              'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' \
              are forbidden"]
        );
    }
}
