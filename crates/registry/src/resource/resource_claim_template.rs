//! resource.k8s.io `ResourceClaimTemplate`.

use super::{claim, v1beta1};
use crate::error::FieldError;
use crate::fields::{get_object, object_mut};
use crate::kind::{Conversion, Kind, Object, Rules};
use crate::metadata;

pub static RESOURCE_CLAIM_TEMPLATE: Kind = Kind {
    group: "resource.k8s.io",
    kind: "ResourceClaimTemplate",
    plural: "resourceclaimtemplates",
    singular: "resourceclaimtemplate",
    rules: &ResourceClaimTemplateRules,
    ..Kind::NAMESPACED
};

pub static RESOURCE_CLAIM_TEMPLATE_V1BETA2: Kind =
    Kind::served_as("resource.k8s.io", "v1beta2", &Conversion::same_as(&RESOURCE_CLAIM_TEMPLATE))
        .deprecated(36, 39, "");

pub static RESOURCE_CLAIM_TEMPLATE_V1BETA1: Kind = Kind::served_as(
    "resource.k8s.io",
    "v1beta1",
    &Conversion {
        to_storage: |template| v1beta1::requests_to_v1(template, "spec.spec.devices"),
        out_of_storage: |template| v1beta1::requests_from_v1(template, "spec.spec.devices"),
        ..Conversion::same_as(&RESOURCE_CLAIM_TEMPLATE)
    },
)
.deprecated(35, 38, "");

struct ResourceClaimTemplateRules;

impl Rules for ResourceClaimTemplateRules {
    fn default(&self, object: &mut Object) {
        if let Some(devices) = object_mut(object, "spec.spec.devices") {
            claim::default(devices);
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(old) = old {
            claim::check_same_spec(object, old, &mut faults);
        }
        if let Some(labels) = get_object(object, "spec.metadata.labels") {
            metadata::validate_labels(labels, "spec.metadata.labels", &mut faults);
        }
        if let Some(annotations) = get_object(object, "spec.metadata.annotations") {
            metadata::validate_annotations(annotations, "spec.metadata.annotations", &mut faults);
        }
        if let Some(spec) = get_object(object, "spec.spec") {
            claim::validate(spec, "spec.spec", &mut faults);
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created};

    #[test]
    fn the_claim_in_a_template_is_filled_and_checked() {
        let template = |requests: serde_json::Value| json!({"metadata": {"name": "t"}, "spec": {"metadata": {"labels": {"-": "x"}}, "spec": {"devices": {"requests": requests}}}});
        let kind = &RESOURCE_CLAIM_TEMPLATE;
        let created = created(kind, template(json!([{"name": "g", "exactly": {"deviceClassName": "x"}}])));
        assert_eq!(created["spec"]["spec"]["devices"]["requests"][0]["exactly"]["count"], 1);
        let label = crate::names::qualified_name("-").join("");
        check(
            kind,
            template(json!([{"name": "g"}])),
            &[
                &format!(r#"spec.metadata.labels: Invalid value: "-": {label}"#),
                "spec.spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required",
            ],
        );
    }
}
