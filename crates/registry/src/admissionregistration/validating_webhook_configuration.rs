//! admissionregistration.k8s.io `ValidatingWebhookConfiguration`.

use jiff::Timestamp;
use serde_json::Value;

use super::webhook;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};

pub static VALIDATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    singular: "validatingwebhookconfiguration",
    categories: &["api-extensions"],
    rules: &ValidatingWebhookConfigurationRules,
    ..Kind::CLUSTER
};

struct ValidatingWebhookConfigurationRules;

impl Rules for ValidatingWebhookConfigurationRules {
    fn default(&self, object: &mut Object) {
        webhook::default(object, false);
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
