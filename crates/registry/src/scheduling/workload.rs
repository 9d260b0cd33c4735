//! scheduling.k8s.io `Workload`: templates of the groups of pods that an application is made of.

use std::collections::BTreeSet;

use serde_json::Value;

use super::policy;
use crate::error::FieldError;
use crate::fields::{check_length, check_named, get_array, get_object, invalid_all, items, join, text, value};
use crate::kind::{Kind, Object, Rules};
use crate::names;

pub static WORKLOAD: Kind = Kind {
    group: "scheduling.k8s.io",
    version: "v1beta1",
    kind: "Workload",
    plural: "workloads",
    singular: "workload",
    rules: &WorkloadRules,
    ..Kind::NAMESPACED
};

struct WorkloadRules;

const MAX_TEMPLATES: usize = 8;

/// How deep groups of groups nest.
const MAX_DEPTH: usize = 4;
const TEMPLATES: &str = "podGroupTemplates";
const COMPOSITE_TEMPLATES: &str = "compositePodGroupTemplates";

impl Rules for WorkloadRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let empty = Object::new();
        let spec = get_object(object, "spec").unwrap_or(&empty);
        if let Some(controller) = get_object(spec, "controllerRef") {
            let path = "spec.controllerRef";
            let group = text(controller, "apiGroup");
            if !group.is_empty() {
                invalid_all(&join(path, "apiGroup"), group, names::dns_subdomain(group), &mut faults);
            }
            check_named(controller, "kind", names::path_segment, path, &mut faults);
            check_named(controller, "name", names::path_segment, path, &mut faults);
        }
        match (get_array(spec, TEMPLATES).is_empty(), get_array(spec, COMPOSITE_TEMPLATES).is_empty()) {
            (true, true) => {
                let detail = format!("must specify one of: `{COMPOSITE_TEMPLATES}`, `{TEMPLATES}`");
                faults.push(FieldError::invalid("spec", "", detail));
            }
            (false, false) => {
                let detail = format!("must specify exactly one of: `{COMPOSITE_TEMPLATES}`, `{TEMPLATES}`");
                let both = format!("{{{COMPOSITE_TEMPLATES}, {TEMPLATES}}}");
                faults.push(FieldError::invalid("spec", both, detail));
            }
            _ => {}
        }
        validate_templates(spec, "spec", 1, &mut BTreeSet::new(), &mut faults);
        if let Some(old) = old {
            let (after, before) = (value(object, "spec"), value(old, "spec"));
            if policy::without_counts(&after) != policy::without_counts(&before) {
                faults.push(FieldError::invalid("spec", after, "field is immutable"));
            }
        }
        faults
    }
}

/// The templates of a workload or of a composite template. Names are unique in the whole workload.
fn validate_templates<'a>(
    owner: &'a Object,
    path: &str,
    depth: usize,
    seen: &mut BTreeSet<&'a str>,
    faults: &mut Vec<FieldError>,
) {
    for list in [TEMPLATES, COMPOSITE_TEMPLATES] {
        check_length(owner, list, MAX_TEMPLATES, path, faults);
        for (at, template) in items(owner, list).enumerate() {
            let path = format!("{path}.{list}[{at}]");
            check_named(template, "name", names::dns_label, &path, faults);
            let name = text(template, "name");
            if !name.is_empty() && !seen.insert(name) {
                faults.push(FieldError::duplicate(path.as_str(), Value::from(name)));
            }
            if list == TEMPLATES {
                policy::validate_group(template, &path, faults);
                continue;
            }
            policy::validate_composite(template, &path, faults);
            if [TEMPLATES, COMPOSITE_TEMPLATES].iter().all(|list| get_array(template, list).is_empty()) {
                let detail = format!("must specify at least one of: `{COMPOSITE_TEMPLATES}`, `{TEMPLATES}`");
                faults.push(FieldError::invalid(path.as_str(), "", detail));
            }
            if depth < MAX_DEPTH {
                validate_templates(template, &path, depth + 1, seen, faults);
            } else if !get_array(template, COMPOSITE_TEMPLATES).is_empty() {
                let detail = format!("templates may not be nested deeper than {MAX_DEPTH}");
                faults.push(FieldError::forbidden(join(&path, COMPOSITE_TEMPLATES), detail));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update};

    fn workload(templates: Value) -> Value {
        json!({"metadata": {"name": "w"}, "spec": {"podGroupTemplates": templates}})
    }

    #[test]
    fn templates_have_names_and_policies() {
        let kind = &WORKLOAD;
        check(kind, workload(json!([{"name": "a", "schedulingPolicy": {"gang": {"minCount": 2}}}])), &[]);
        check(
            kind,
            workload(json!([])),
            &[r#"spec: Invalid value: "": must specify one of: `compositePodGroupTemplates`, `podGroupTemplates`"#],
        );
        check(
            kind,
            workload(json!([
                {"name": "a", "schedulingPolicy": {}},
                {"name": "a", "schedulingPolicy": {"basic": {}, "gang": {"minCount": 1}}},
                {"schedulingPolicy": {"gang": {}}, "resourceClaims": [{"name": "c"}], "disruptionMode": {}},
            ])),
            &[
                r#"spec.podGroupTemplates[0].schedulingPolicy: Invalid value: "": must specify one of: `basic`, `gang`"#,
                r#"spec.podGroupTemplates[1]: Duplicate value: "a""#,
                r#"spec.podGroupTemplates[1].schedulingPolicy: Invalid value: "{basic, gang}": must specify exactly one of: `basic`, `gang`"#,
                "spec.podGroupTemplates[2].name: Required value",
                "spec.podGroupTemplates[2].schedulingPolicy.gang.minCount: Required value",
                r#"spec.podGroupTemplates[2].resourceClaims[0]: Invalid value: "": must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"#,
                r#"spec.podGroupTemplates[2].disruptionMode: Invalid value: "": must specify one of: `single`, `all`"#,
            ],
        );
        let many: Vec<Value> =
            (0..9).map(|at| json!({"name": format!("t{at}"), "schedulingPolicy": {"basic": {}}})).collect();
        check(kind, workload(json!(many)), &["spec.podGroupTemplates: Too many: 9: must have at most 8 items"]);
    }

    #[test]
    fn groups_of_groups_nest_within_a_bound() {
        let mut inner = json!({"name": "leaf", "schedulingPolicy": {"basic": {}}, "podGroupTemplates": [{"name": "p", "schedulingPolicy": {"basic": {}}}]});
        for depth in 0..MAX_DEPTH - 1 {
            inner = json!({"name": format!("level-{depth}"), "schedulingPolicy": {"basic": {}}, "compositePodGroupTemplates": [inner]});
        }
        let workload = |top: &Value| json!({"spec": {"compositePodGroupTemplates": [top]}});
        check(&WORKLOAD, workload(&inner), &[]);
        let deeper = json!({"name": "top", "schedulingPolicy": {"basic": {}}, "compositePodGroupTemplates": [inner]});
        let path =
            "spec".to_owned() + &".compositePodGroupTemplates[0]".repeat(MAX_DEPTH) + ".compositePodGroupTemplates";
        let fault = format!("{path}: Forbidden: templates may not be nested deeper than {MAX_DEPTH}");
        check(&WORKLOAD, workload(&deeper), &[&fault]);
    }

    #[test]
    fn only_counts_may_change() {
        let with = |count: i64, name: &str| {
            workload(json!([{"name": name, "schedulingPolicy": {"gang": {"minCount": count}}}]))
        };
        check_update(&WORKLOAD, with(3, "a"), with(2, "a"), &[]);
        check_update(
            &WORKLOAD,
            with(2, "b"),
            with(2, "a"),
            &[
                r#"spec: Invalid value: {"podGroupTemplates":[{"name":"b","schedulingPolicy":{"gang":{"minCount":2}}}]}: field is immutable"#,
            ],
        );
    }
}
