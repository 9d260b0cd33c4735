//! resource.k8s.io `DeviceTaintRule`: a taint for all devices that fit.

use jiff::Timestamp;
use serde_json::Value;

use super::names::{check_label, check_pool};
use super::taint;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_length, get_object, get_str, join, object_mut, text};
use crate::human;
use crate::kind::{Column, Conversion, Kind, Object, Rules, WriteContext};
use crate::names::driver_name;

pub static DEVICE_TAINT_RULE: Kind = Kind {
    group: "resource.k8s.io",
    kind: "DeviceTaintRule",
    plural: "devicetaintrules",
    singular: "devicetaintrule",
    has_status: true,
    rules: &DeviceTaintRuleRules,
    ..Kind::CLUSTER
};

pub static DEVICE_TAINT_RULE_V1BETA2: Kind =
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&DEVICE_TAINT_RULE));

struct DeviceTaintRuleRules;

const MAX_CONDITIONS: usize = 8;

impl Rules for DeviceTaintRuleRules {
    fn prepare_create(&self, object: &mut Object, context: &WriteContext<'_>) {
        object.shift_remove("status");
        stamp(object, context);
    }

    fn prepare_update(&self, object: &mut Object, _old: &Object, context: &WriteContext<'_>) {
        stamp(object, context);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(selector) = get_object(object, "spec.deviceSelector") {
            let path = "spec.deviceSelector";
            if let Some(driver) = get_str(selector, "driver") {
                driver_name(driver, &join(path, "driver"), &mut faults);
            }
            if let Some(pool) = get_str(selector, "pool") {
                check_pool(pool, &join(path, "pool"), &mut faults);
            }
            if let Some(device) = get_str(selector, "device") {
                check_label(device, &join(path, "device"), &mut faults);
            }
        }
        let empty = Object::new();
        let rule = get_object(object, "spec.taint").unwrap_or(&empty);
        let old_effect = old.map(|old| text(old, "spec.taint.effect"));
        taint::validate(rule, old_effect, "spec.taint", &mut faults);
        faults
    }

    fn validate_status(&self, object: &Object, _old: &Object) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_length(object, "status.conditions", MAX_CONDITIONS, "", &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Key", "string", "The taint key to be applied to a device."),
            column("Value", "string", "The taint value corresponding to the taint key."),
            column("Effect", "string", "The effect of the taint on claims that do not tolerate it."),
            column("TimeAdded", "string", "The time at which the taint was added."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let shown = |field: &str| Value::from(text(object, &join("spec.taint", field)));
        let added = get_str(object, "spec.taint.timeAdded").map(|moment| human::since(Some(moment), now));
        vec![
            columns::name(object),
            shown("key"),
            shown("value"),
            shown("effect"),
            Value::from(added.as_deref().unwrap_or("")),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn stamp(rule: &mut Object, context: &WriteContext<'_>) {
    if let Some(taint) = object_mut(rule, "spec.taint") {
        taint::stamp(taint, context.now);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{NOW, check, check_update, created, row};

    fn rule(effect: &str) -> Value {
        json!({"metadata": {"name": "r"}, "spec": {
            "deviceSelector": {"driver": "d.example.com", "pool": "p", "device": "x"},
            "taint": {"key": "example.com/broken", "value": "yes", "effect": effect}}})
    }

    #[test]
    fn a_taint_says_since_when_it_is_there() {
        let kind = &DEVICE_TAINT_RULE;
        let created = created(kind, rule("NoExecute"));
        assert_eq!(created["spec"]["taint"]["timeAdded"], NOW);
        assert_eq!(
            row(kind, created),
            "Name=r Key=example.com/broken Value=yes Effect=NoExecute TimeAdded=0s Age=<unknown>"
        );
        assert!(row(kind, rule("None")).contains("TimeAdded= "));
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &DEVICE_TAINT_RULE;
        check(kind, rule("NoSchedule"), &[]);
        check(kind, rule(""), &["spec.taint.effect: Required value"]);
        let unknown =
            r#"spec.taint.effect: Unsupported value: "Later": supported values: "NoExecute", "NoSchedule", "None""#;
        check(kind, rule("Later"), &[unknown]);
        check_update(kind, rule("Later"), rule("Later"), &[]);
        let mut bad = rule("None");
        bad["spec"]["deviceSelector"] = json!({"pool": ""});
        check(kind, bad, &["spec.deviceSelector.pool: Required value"]);
    }
}
