//! apps `Deployment`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, check_not_negative, get_i64, get_object, number, object_at, set_default, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::{
    CONTAINERS, IMAGES, SCALE, SELECTOR, container_cells, is_zero_share, selector_cell, validate_selector_and_template,
    validate_share,
};

pub static DEPLOYMENT: Kind = Kind {
    group: "apps",
    kind: "Deployment",
    plural: "deployments",
    singular: "deployment",
    short_names: &["deploy"],
    categories: &["all"],
    has_status: true,
    scale: Some(SCALE),
    rules: &DeploymentRules,
    ..Kind::NAMESPACED
};

struct DeploymentRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Ready", "string", "Number of the pod with ready state"),
    column("Up-to-date", "string", "Total number of non-terminated pods that have the desired template spec."),
    column("Available", "string", "Total number of available pods (ready for at least minReadySeconds)."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

impl Rules for DeploymentRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "replicas", 1);
        set_default(spec, "strategy.type", "RollingUpdate");
        if text(spec, "strategy.type") == "RollingUpdate" {
            set_default(spec, "strategy.rollingUpdate.maxUnavailable", "25%");
            set_default(spec, "strategy.rollingUpdate.maxSurge", "25%");
        }
        set_default(spec, "revisionHistoryLimit", 10);
        set_default(spec, "progressDeadlineSeconds", 600);
        pod_spec::default_template(object);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_not_negative(object, "spec.replicas", "", &mut faults);
        validate_selector_and_template(object, "deployment", "ReplicaSet", &mut faults);
        validate_strategy(object, &mut faults);
        for field in ["spec.minReadySeconds", "spec.revisionHistoryLimit", "spec.progressDeadlineSeconds"] {
            check_not_negative(object, field, "", &mut faults);
        }
        let deadline = get_i64(object, "spec.progressDeadlineSeconds");
        if let Some(deadline) = deadline.filter(|deadline| *deadline <= number(object, "spec.minReadySeconds")) {
            let detail = "must be greater than minReadySeconds";
            faults.push(FieldError::invalid("spec.progressDeadlineSeconds", deadline, detail));
        }
        if let Some(old) = old {
            check_immutable(object, old, "spec.selector", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.template.spec.containers");
        vec![
            columns::name(object),
            Value::from(format!("{}/{}", number(object, "status.readyReplicas"), number(object, "spec.replicas"))),
            Value::from(number(object, "status.updatedReplicas")),
            Value::from(number(object, "status.availableReplicas")),
            columns::age(object, now),
            containers,
            images,
            selector_cell(object, "spec.selector"),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    /// Annotations are copied to ReplicaSets, so they too are intent.
    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        let annotations = |object: &Object| get_object(object, "metadata.annotations").cloned();
        object.get("spec") != old.get("spec") || annotations(object) != annotations(old)
    }
}

fn validate_strategy(object: &Object, faults: &mut Vec<FieldError>) {
    let rolling = get_object(object, "spec.strategy.rollingUpdate");
    match (text(object, "spec.strategy.type"), rolling) {
        ("Recreate", Some(_)) => {
            let detail = "may not be specified when strategy `type` is 'Recreate'";
            faults.push(FieldError::forbidden("spec.strategy.rollingUpdate", detail));
        }
        ("Recreate", None) => {}
        ("RollingUpdate", Some(rolling)) => {
            let path = "spec.strategy.rollingUpdate";
            validate_share(rolling, "maxUnavailable", path, faults);
            validate_share(rolling, "maxSurge", path, faults);
            if is_zero_share(rolling, "maxUnavailable") && is_zero_share(rolling, "maxSurge") {
                let detail = "may not be 0 when `maxSurge` is 0";
                let value = crate::fields::value(rolling, "maxUnavailable");
                faults.push(FieldError::invalid(format!("{path}.maxUnavailable"), value, detail));
            }
        }
        ("RollingUpdate", None) => {
            let detail = "this should be defaulted and never be nil";
            faults.push(FieldError::required("spec.strategy.rollingUpdate", detail));
        }
        (other, _) => {
            let supported = ["Recreate", "RollingUpdate"];
            faults.push(FieldError::not_supported("spec.strategy.type", other, &supported));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(spec: Value) -> Object {
        let mut object = Object::from_iter([("spec".to_owned(), spec)]);
        DeploymentRules.default(&mut object);
        object
    }

    fn good() -> Value {
        json!({
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "a", "image": "x:1"}]},
            },
        })
    }

    fn faults(new: &Object, old: Option<&Object>) -> Vec<String> {
        DeploymentRules.validate(new, old).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn defaults_make_a_rolling_deployment_of_one() {
        let object = deployment(good());
        assert_eq!(get_i64(&object, "spec.replicas"), Some(1));
        assert_eq!(
            object["spec"]["strategy"],
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}})
        );
        assert_eq!(text(&object, "spec.template.spec.dnsPolicy"), "ClusterFirst");
        assert!(get_object(&object, "spec.template.spec").unwrap().get("enableServiceLinks").is_none());
        assert_eq!(faults(&object, None), [""; 0]);
    }

    #[test]
    fn a_selector_must_select_the_template_and_stay() {
        let mut spec = good();
        spec["selector"]["matchLabels"]["app"] = json!("other");
        let changed = deployment(spec);
        assert_eq!(
            faults(&changed, Some(&deployment(good()))),
            [
                "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template \
                 `labels`",
                "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"other\"}}: field is immutable",
            ]
        );
        let mut spec = good();
        spec["selector"] = json!({});
        spec["strategy"] = json!({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}});
        spec["template"]["spec"]["restartPolicy"] = json!("Never");
        assert_eq!(
            faults(&deployment(spec), None),
            [
                "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
                "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
            ]
        );
    }

    #[test]
    fn the_row_counts_replicas() {
        let mut object = deployment(good());
        object.insert("status".to_owned(), json!({"readyReplicas": 1, "updatedReplicas": 1}));
        let row = DeploymentRules.row(&object, "2030-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(Value::from(row), json!(["", "1/1", 1, 0, "<unknown>", "a", "x:1", "app=web"]));
    }
}
