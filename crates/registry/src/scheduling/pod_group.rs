//! scheduling.k8s.io `PodGroup`: pods that are scheduled together.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::policy;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_named, condition, get, get_object, object_mut, or_none, set_default, text, value};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static POD_GROUP: Kind = Kind {
    group: "scheduling.k8s.io",
    version: "v1beta1",
    kind: "PodGroup",
    plural: "podgroups",
    singular: "podgroup",
    has_status: true,
    rules: &PodGroupRules,
    ..Kind::NAMESPACED
};

struct PodGroupRules;

impl Rules for PodGroupRules {
    fn default(&self, object: &mut Object) {
        if let Some(spec) = object_mut(object, "spec") {
            set_default(spec, "disruptionMode", json!({ "single": {} }));
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let empty = Object::new();
        let spec = get_object(object, "spec").unwrap_or(&empty);
        if let Some(workload) = get_object(spec, "workloadRef") {
            let path = "spec.workloadRef";
            check_named(workload, "templateName", names::dns_label, path, &mut faults);
            check_named(workload, "workloadName", names::dns_subdomain, path, &mut faults);
        }
        policy::validate_group(spec, "spec", &mut faults);
        policy::check_name(spec, "parentCompositePodGroupName", "spec", &mut faults);
        if let Some(old) = old {
            let (after, before) = (value(object, "spec"), value(old, "spec"));
            if policy::without_counts(&after) != policy::without_counts(&before) {
                faults.push(FieldError::invalid("spec", after, "field is immutable"));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Policy", "string", "How the pods of this group are scheduled."),
            column("Workload", "string", "Name of the referenced Workload object"),
            column("Status", "string", "Status of the PodGroup"),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let policy = if get(object, "spec.schedulingPolicy.gang").is_some() { "Gang" } else { "Basic" };
        let scheduled = condition(object, "PodGroupInitiallyScheduled");
        let status = match (condition(object, "DisruptionTarget"), scheduled) {
            (Some(disruption), _) => text(disruption, "reason"),
            (None, Some(scheduled)) if text(scheduled, "status") == "True" => "Scheduled",
            (None, Some(_)) => "Unschedulable",
            (None, None) => "Pending",
        };
        vec![
            columns::name(object),
            Value::from(policy),
            or_none(text(object, "spec.workloadRef.workloadName")),
            Value::from(status),
            columns::age(object, now),
        ]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created, row};

    #[test]
    fn a_group_is_disrupted_pod_by_pod_unless_it_says_otherwise() {
        let group = json!({"metadata": {"name": "g"}, "spec": {
            "schedulingPolicy": {"gang": {"minCount": 2}},
            "workloadRef": {"workloadName": "w", "templateName": "t"}}});
        check(&POD_GROUP, group.clone(), &[]);
        let mut created = created(&POD_GROUP, group);
        assert_eq!(created["spec"]["disruptionMode"], json!({"single": {}}));
        assert_eq!(row(&POD_GROUP, created.clone()), "Name=g Policy=Gang Workload=w Status=Pending Age=<unknown>");
        created["status"] = json!({"conditions": [{"type": "PodGroupInitiallyScheduled", "status": "True"}]});
        assert!(row(&POD_GROUP, created.clone()).contains("Status=Scheduled"));
        created["status"] =
            json!({"conditions": [{"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}]});
        assert!(row(&POD_GROUP, created).contains("Status=PreemptionByScheduler"));
        check(
            &POD_GROUP,
            json!({"metadata": {"name": "g"}, "spec": {"workloadRef": {}, "preemptionPolicy": "Always"}}),
            &[
                "spec.workloadRef.templateName: Required value",
                "spec.workloadRef.workloadName: Required value",
                r#"spec.schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`"#,
                r#"spec.preemptionPolicy: Unsupported value: "Always": supported values: "Never", "PreemptLowerPriority""#,
            ],
        );
    }
}
