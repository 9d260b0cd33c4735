//! Taints of devices, and what tolerates them.

use jiff::Timestamp;

use crate::error::FieldError;
use crate::fields::{invalid_all, join, set_default, text};
use crate::kind::Object;
use crate::names;

const EFFECTS: [&str; 3] = ["NoExecute", "NoSchedule", "None"];

/// A taint says since when it is there.
pub(super) fn stamp(taint: &mut Object, now: Timestamp) {
    set_default(taint, "timeAdded", now.to_string());
}

/// `old_effect` is the effect it had; what it had it may keep.
pub(super) fn validate(taint: &Object, old_effect: Option<&str>, path: &str, faults: &mut Vec<FieldError>) {
    invalid_all(&join(path, "key"), text(taint, "key"), names::qualified_name(text(taint, "key")), faults);
    invalid_all(&join(path, "value"), text(taint, "value"), names::label_value(text(taint, "value")), faults);
    match text(taint, "effect") {
        effect if old_effect == Some(effect) => {}
        "" => faults.push(FieldError::required(join(path, "effect"), "")),
        effect => check_effect(effect, path, faults),
    }
}

pub(super) fn validate_toleration(toleration: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let (key, value) = (text(toleration, "key"), text(toleration, "value"));
    if !key.is_empty() {
        invalid_all(&join(path, "key"), key, names::qualified_name(key), faults);
    }
    match text(toleration, "operator") {
        "Exists" => {
            if !value.is_empty() {
                let detail = "must be empty for operator `Exists`";
                faults.push(FieldError::invalid(join(path, "value"), value, detail));
            }
        }
        "Equal" => invalid_all(&join(path, "value"), value, names::label_value(value), faults),
        "" => faults.push(FieldError::required(join(path, "operator"), "")),
        other => faults.push(FieldError::not_supported(join(path, "operator"), other, &["Equal", "Exists"])),
    }
    match text(toleration, "effect") {
        "" => {}
        effect => check_effect(effect, path, faults),
    }
}

fn check_effect(effect: &str, path: &str, faults: &mut Vec<FieldError>) {
    if !EFFECTS.contains(&effect) {
        faults.push(FieldError::not_supported(join(path, "effect"), effect, &EFFECTS));
    }
}
