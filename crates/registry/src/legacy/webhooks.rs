//! admissionregistration.k8s.io/v1beta1: webhooks that are asked late, may fail and may have side effects.

use serde_json::json;

use crate::admissionregistration::mutating_webhook_configuration::MUTATING_WEBHOOK_CONFIGURATION;
use crate::admissionregistration::validating_admission_policy::VALIDATING_ADMISSION_POLICY;
use crate::admissionregistration::validating_admission_policy_binding::VALIDATING_ADMISSION_POLICY_BINDING;
use crate::admissionregistration::validating_webhook_configuration::VALIDATING_WEBHOOK_CONFIGURATION;
use crate::error::{FieldError, FieldErrorKind};
use crate::fields::{items_mut, set_default};
use crate::kind::{Conversion, Kind, Object};

const GROUP: &str = "admissionregistration.k8s.io";

pub static VALIDATING_WEBHOOK_CONFIGURATION_V1BETA1: Kind = Kind::served_as(
    GROUP,
    "v1beta1",
    &Conversion { tolerates, ..Conversion::with_defaults(&VALIDATING_WEBHOOK_CONFIGURATION, default) },
)
.deprecated(16, 22, "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration");
pub static MUTATING_WEBHOOK_CONFIGURATION_V1BETA1: Kind = Kind::served_as(
    GROUP,
    "v1beta1",
    &Conversion { tolerates, ..Conversion::with_defaults(&MUTATING_WEBHOOK_CONFIGURATION, default) },
)
.deprecated(16, 22, "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration");
pub static VALIDATING_ADMISSION_POLICY_V1BETA1: Kind =
    Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&VALIDATING_ADMISSION_POLICY)).deprecated(31, 34, "");
pub static VALIDATING_ADMISSION_POLICY_BINDING_V1BETA1: Kind =
    Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&VALIDATING_ADMISSION_POLICY_BINDING))
        .deprecated(31, 34, "");

fn default(configuration: &mut Object) {
    for webhook in items_mut(configuration, "webhooks") {
        set_default(webhook, "failurePolicy", "Ignore");
        set_default(webhook, "matchPolicy", "Exact");
        set_default(webhook, "sideEffects", "Unknown");
        set_default(webhook, "timeoutSeconds", 30);
        set_default(webhook, "admissionReviewVersions", json!(["v1beta1"]));
    }
}

fn tolerates(fault: &FieldError) -> bool {
    let has_effects = matches!(
        &fault.kind,
        FieldErrorKind::NotSupported { value, .. } if *value == "Unknown" || *value == "Some"
    );
    let is_name_twice = matches!(fault.kind, FieldErrorKind::Duplicate { .. }) && fault.path.ends_with(".name");
    (has_effects && fault.path.ends_with(".sideEffects")) || is_name_twice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::testing::{faults, rested};

    #[test]
    fn a_webhook_is_told_what_v1beta1_assumed() {
        let configuration = json!({"metadata": {"name": "a"}, "webhooks": [
            {"name": "a.example.com", "clientConfig": {"url": "https://example.com"}}
        ]});
        let hook = &rested(&MUTATING_WEBHOOK_CONFIGURATION_V1BETA1, configuration.clone())["webhooks"][0];
        for (field, expected) in [
            ("failurePolicy", json!("Ignore")),
            ("matchPolicy", json!("Exact")),
            ("sideEffects", json!("Unknown")),
            ("timeoutSeconds", json!(30)),
            ("admissionReviewVersions", json!(["v1beta1"])),
            ("reinvocationPolicy", json!("Never")),
        ] {
            assert_eq!(hook[field], expected, "{field}");
        }
        assert_eq!(faults(&VALIDATING_WEBHOOK_CONFIGURATION_V1BETA1, configuration), [""; 0]);
    }
}
