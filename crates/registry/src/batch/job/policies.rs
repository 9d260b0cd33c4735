//! When a Job's failures count, when its success is enough, and when its pods are replaced.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::error::FieldError;
use crate::fields::{
    check_choice, check_not_negative, get, get_array, get_i64, get_object, get_str, invalid_all, items, join, number,
    text, value,
};
use crate::kind::Object;
use crate::names;

const MAX_RULES: usize = 20;
const MAX_EXIT_CODES: usize = 255;
const ACTIONS: [&str; 4] = ["Count", "FailIndex", "FailJob", "Ignore"];

pub(super) fn validate(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    if get_object(spec, "podFailurePolicy").is_some() {
        let path = join(path, "podFailurePolicy.rules");
        let count = get_array(spec, "podFailurePolicy.rules").len();
        if count > MAX_RULES {
            faults.push(FieldError::too_many(path.as_str(), count, MAX_RULES));
        }
        for (at, rule) in items(spec, "podFailurePolicy.rules").enumerate() {
            validate_failure_rule(rule, spec, &format!("{path}[{at}]"), faults);
        }
    }
    if get_object(spec, "successPolicy").is_some() {
        let path = join(path, "successPolicy");
        if text(spec, "completionMode") == "Indexed" {
            validate_success(spec, &path, faults);
        } else {
            let policy = value(spec, "successPolicy");
            faults.push(FieldError::invalid(path, policy, "requires indexed completion mode"));
        }
    }
    if let Some(replacement) = get_str(spec, "podReplacementPolicy") {
        // Whether a pod failed is known only when it has ended.
        let supported: &[&str] = match get(spec, "podFailurePolicy") {
            Some(_) => &["Failed"],
            None => &["Failed", "TerminatingOrFailed"],
        };
        if !supported.contains(&replacement) {
            faults.push(FieldError::not_supported(join(path, "podReplacementPolicy"), replacement, supported));
        }
    }
}

fn validate_failure_rule(rule: &Object, spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let action_path = join(path, "action");
    match text(rule, "action") {
        "" => {
            let quoted = ACTIONS.map(|action| format!("{action:?}")).join(" ");
            faults.push(FieldError::required(action_path, format!("valid values: [{quoted}]")));
        }
        "FailIndex" if get(spec, "backoffLimitPerIndex").is_none() => {
            let detail = "requires the backoffLimitPerIndex to be set";
            faults.push(FieldError::invalid(action_path, "FailIndex", detail));
        }
        action if ACTIONS.contains(&action) => {}
        action => faults.push(FieldError::not_supported(action_path, action, &ACTIONS)),
    }
    let exit_codes = get_object(rule, "onExitCodes");
    let conditions = get_array(rule, "onPodConditions").len();
    if let Some(exit_codes) = exit_codes {
        validate_exit_codes(exit_codes, spec, &join(path, "onExitCodes"), faults);
    }
    if conditions > MAX_RULES {
        faults.push(FieldError::too_many(join(path, "onPodConditions"), conditions, MAX_RULES));
    }
    for (at, condition) in items(rule, "onPodConditions").enumerate() {
        let path = format!("{path}.onPodConditions[{at}]");
        let kind = text(condition, "type");
        invalid_all(&join(&path, "type"), kind, names::qualified_name(kind), faults);
        check_choice(condition, "status", &["False", "True", "Unknown"], &path, faults);
    }
    match (exit_codes.is_some(), conditions > 0) {
        (true, true) => {
            let detail = "specifying both OnExitCodes and OnPodConditions is not supported";
            faults.push(FieldError::invalid_whole(path, detail));
        }
        (false, false) => {
            let detail = "specifying one of OnExitCodes and OnPodConditions is required";
            faults.push(FieldError::invalid_whole(path, detail));
        }
        _ => {}
    }
}

fn validate_exit_codes(rule: &Object, spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    check_choice(rule, "operator", &["In", "NotIn"], path, faults);
    if let Some(name) = get_str(rule, "containerName") {
        let is_known = ["initContainers", "containers"]
            .iter()
            .any(|list| items(spec, &format!("template.spec.{list}")).any(|container| text(container, "name") == name));
        if !is_known {
            let detail = "must be one of the container or initContainer names in the pod template";
            faults.push(FieldError::invalid(join(path, "containerName"), name, detail));
        }
    }
    let path = join(path, "values");
    let codes: Vec<i64> = get_array(rule, "values").iter().filter_map(Value::as_i64).collect();
    if codes.is_empty() {
        faults.push(FieldError::invalid(path.as_str(), value(rule, "values"), "at least one value is required"));
    } else if codes.len() > MAX_EXIT_CODES {
        faults.push(FieldError::too_many(path.as_str(), codes.len(), MAX_EXIT_CODES));
    }
    let mut seen = BTreeSet::new();
    for (at, code) in codes.iter().enumerate() {
        if text(rule, "operator") == "In" && *code == 0 {
            let detail = "must not be 0 for the In operator";
            faults.push(FieldError::invalid(format!("{path}[{at}]"), *code, detail));
        }
        if !seen.insert(code) {
            faults.push(FieldError::duplicate(format!("{path}[{at}]"), *code));
        }
    }
    if !codes.is_sorted() {
        faults.push(FieldError::invalid(path, value(rule, "values"), "must be ordered"));
    }
}

fn validate_success(spec: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let rules_path = join(path, "rules");
    let count = get_array(spec, "successPolicy.rules").len();
    if count == 0 {
        let detail = "at least one rules must be specified when the successPolicy is specified";
        faults.push(FieldError::required(rules_path.as_str(), detail));
    } else if count > MAX_RULES {
        faults.push(FieldError::too_many(rules_path.as_str(), count, MAX_RULES));
    }
    let completions = number(spec, "completions");
    for (at, rule) in items(spec, "successPolicy.rules").enumerate() {
        let path = format!("{rules_path}[{at}]");
        let (indices, wanted) = (get_str(rule, "succeededIndexes"), get_i64(rule, "succeededCount"));
        if indices.is_none() && wanted.is_none() {
            let detail = "at least one of succeededCount or succeededIndexes must be specified";
            faults.push(FieldError::required(path.as_str(), detail));
        }
        let total = indices.map(|indices| count_indices(indices, completions));
        if let (Some(indices), Some(Err(error))) = (indices, &total) {
            let detail = format!("error parsing succeededIndexes: {error}");
            faults.push(FieldError::invalid(join(&path, "succeededIndexes"), indices, detail));
        }
        check_not_negative(rule, "succeededCount", &path, faults);
        let Some(wanted) = wanted else { continue };
        let count_path = join(&path, "succeededCount");
        if wanted > completions {
            let detail = format!("must be less than or equal to {completions} (the number of specified completions)");
            faults.push(FieldError::invalid(count_path.as_str(), wanted, detail));
        }
        if let Some(Ok(total)) = total.filter(|total| total.as_ref().is_ok_and(|total| wanted > *total)) {
            let detail = format!(
                "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            );
            faults.push(FieldError::invalid(count_path, wanted, detail));
        }
    }
}

/// How many indices `0-2,5` names: ordered, apart from one another, below the number of completions.
fn count_indices(indices: &str, completions: i64) -> Result<i64, String> {
    let (mut total, mut last) = (0, -1);
    for interval in indices.split(',').filter(|_| !indices.is_empty()) {
        let parse = |text: &str| {
            text.parse::<i64>()
                .ok()
                .filter(|index| *index >= 0)
                .ok_or_else(|| format!("cannot convert string to integer for index: {text:?}"))
        };
        let (first, end) = match interval.split('-').collect::<Vec<_>>()[..] {
            [only] => (parse(only)?, parse(only)?),
            [first, end] => (parse(first)?, parse(end)?),
            _ => {
                return Err(format!(
                    "the fragment {interval:?} violates the requirement that an index interval can have at most two parts separated by '-'"
                ));
            }
        };
        if first <= last {
            return Err(format!("non-increasing order, previous: {last}, current: {first}"));
        }
        if end < first {
            return Err(format!("non-increasing order, previous: {first}, current: {end}"));
        }
        if end >= completions {
            return Err(format!("too large index: \"{end}\""));
        }
        total += end - first + 1;
        last = end;
    }
    Ok(total)
}
