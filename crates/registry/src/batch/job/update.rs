//! What may change of a Job that exists: how much of it runs at once, and little else.

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{check_immutable, get, get_object, object_at, text, truth, value};
use crate::kind::Object;

pub(super) fn validate(job: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    validate_completions(job, old, faults);
    check_immutable(job, old, "spec.selector", faults);
    validate_template(job, old, faults);
    for field in [
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.managedBy",
        "spec.successPolicy",
    ] {
        check_immutable(job, old, field, faults);
    }
}

/// A Job with indices grows and shrinks in its indices: as many run at once as there are.
fn validate_completions(job: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    const COMPLETIONS: &str = "spec.completions";
    if text(job, "spec.completionMode") != "Indexed" {
        return check_immutable(job, old, COMPLETIONS, faults);
    }
    let (after, before) = (get(job, COMPLETIONS), get(old, COMPLETIONS));
    if after != before && after != get(job, "spec.parallelism") {
        let detail = "can only be modified in tandem with spec.parallelism";
        faults.push(FieldError::invalid(COMPLETIONS, value(job, COMPLETIONS), detail));
    }
}

/// Where the pods of a Job may run can be said until the first of them does.
fn validate_template(job: &Object, old: &Object, faults: &mut Vec<FieldError>) {
    let has_started = !truth(old, "spec.suspend") || get(old, "status.startTime").is_some_and(Value::is_string);
    let unfinished = |job: &Object| {
        let mut template = get_object(job, "spec.template").cloned().unwrap_or_else(Object::new);
        if !has_started {
            forget_where_to_run(&mut template);
        }
        template
    };
    if unfinished(job) != unfinished(old) {
        faults.push(FieldError::invalid("spec.template", value(job, "spec.template"), "field is immutable"));
    }
}

fn forget_where_to_run(template: &mut Object) {
    let metadata = object_at(template, "metadata");
    for field in ["labels", "annotations"] {
        metadata.shift_remove(field);
    }
    let spec = object_at(template, "spec");
    for field in ["nodeSelector", "tolerations", "schedulingGates"] {
        spec.shift_remove(field);
    }
    if let Some(Value::Object(affinity)) = spec.get_mut("affinity") {
        affinity.shift_remove("nodeAffinity");
        if affinity.is_empty() {
            spec.shift_remove("affinity");
        }
    }
    for list in ["initContainers", "containers"] {
        crate::fields::items_mut(spec, list).for_each(|container| drop(container.shift_remove("resources")));
    }
}
