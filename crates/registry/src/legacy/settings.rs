//! settings.k8s.io/v1alpha1 `PodPreset`: what pods of a namespace get besides what they say.

use crate::error::FieldError;
use crate::fields::{get_array, get_object};
use crate::kind::{Kind, Object, Rules};
use crate::metadata;

pub static POD_PRESET: Kind = Kind {
    group: "settings.k8s.io",
    version: "v1alpha1",
    kind: "PodPreset",
    plural: "podpresets",
    singular: "podpreset",
    rules: &PodPresetRules,
    ..Kind::NAMESPACED
}
.deprecated(18, 20, "");

struct PodPresetRules;

impl Rules for PodPresetRules {
    fn validate(&self, preset: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(selector) = get_object(preset, "spec.selector") {
            metadata::validate_selector(selector, "spec.selector", &mut faults);
        }
        let parts = ["env", "envFrom", "volumes", "volumeMounts"];
        if parts.iter().all(|part| get_array(preset, &format!("spec.{part}")).is_empty()) {
            let detail = "must specify at least one";
            faults.push(FieldError::required("spec.volumes, env, envFrom, volumeMounts", detail));
        }
        faults
    }
}
