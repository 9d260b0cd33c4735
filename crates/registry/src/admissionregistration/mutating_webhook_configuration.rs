//! admissionregistration.k8s.io `MutatingWebhookConfiguration`.

use jiff::Timestamp;
use serde_json::Value;

use super::webhook;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};

pub static MUTATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "MutatingWebhookConfiguration",
    plural: "mutatingwebhookconfigurations",
    singular: "mutatingwebhookconfiguration",
    categories: &["api-extensions"],
    rules: &MutatingWebhookConfigurationRules,
    ..Kind::CLUSTER
};

struct MutatingWebhookConfigurationRules;

impl Rules for MutatingWebhookConfigurationRules {
    fn default(&self, object: &mut Object) {
        webhook::default(object, true);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        webhook::validate(object, old)
    }

    fn columns(&self) -> &'static [Column] {
        webhook::COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        webhook::row(object, now)
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        webhook::bumps_generation(object, old)
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created};

    #[test]
    fn a_mutating_webhook_runs_once_unless_it_says_otherwise() {
        let hook = |policy: Value| {
            json!({"metadata": {"name": "a"}, "webhooks": [{
                "name": "a.example.com", "clientConfig": {"url": "https://example.com/x"}, "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "reinvocationPolicy": policy,
            }]})
        };
        let kind = &MUTATING_WEBHOOK_CONFIGURATION;
        assert_eq!(created(kind, hook(Value::Null))["webhooks"][0]["reinvocationPolicy"], "Never");
        check(kind, hook(json!("IfNeeded")), &[]);
        check(
            kind,
            hook(json!("Often")),
            &[r#"webhooks[0].reinvocationPolicy: Unsupported value: "Often": supported values: "IfNeeded", "Never""#],
        );
    }
}
