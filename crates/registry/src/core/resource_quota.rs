//! ResourceQuota.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, get_object, value};
use crate::kind::{Column, Kind, Object, Rules};

pub static RESOURCE_QUOTA: Kind = Kind {
    kind: "ResourceQuota",
    plural: "resourcequotas",
    singular: "resourcequota",
    short_names: &["quota"],
    has_status: true,
    rules: &ResourceQuotaRules,
    ..Kind::NAMESPACED
};

struct ResourceQuotaRules;

impl Rules for ResourceQuotaRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (resource, amount) in get_object(object, "spec.hard").into_iter().flatten() {
            if amount.as_str().is_some_and(|amount| amount.starts_with('-')) {
                let detail = "must be greater than or equal to 0";
                faults.push(FieldError::invalid(format!("spec.hard[{resource}]"), amount.clone(), detail));
            }
        }
        if let Some(old) = old
            && get(object, "spec.scopes") != get(old, "spec.scopes")
        {
            faults.push(FieldError::invalid("spec.scopes", value(object, "spec.scopes"), "field is immutable"));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "Request",
                "string",
                "Request represents a minimum amount of cpu/memory that a container may consume.",
            ),
            column("Limit", "string", "Limits control the maximum amount of cpu/memory that a container may use."),
            AGE,
        ];
        COLUMNS
    }

    /// Limits in their own column, everything else in the other; each as used of hard.
    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, hard) in get_object(object, "status.hard").into_iter().flatten() {
            let used = get_object(object, "status.used").and_then(|used| used.get(resource)).and_then(Value::as_str);
            let text = format!("{resource}: {}/{}", used.unwrap_or("0"), hard.as_str().unwrap_or(""));
            if resource.starts_with("limits") { limits.push(text) } else { requests.push(text) }
        }
        requests.sort();
        limits.sort();
        vec![
            columns::name(object),
            Value::from(requests.join(", ")),
            Value::from(limits.join(", ")),
            columns::age(object, now),
        ]
    }
}
