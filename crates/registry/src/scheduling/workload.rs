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
