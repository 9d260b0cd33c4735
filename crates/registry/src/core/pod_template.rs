//! PodTemplate.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{format_labels, get_object, object_mut};
use crate::kind::{Column, Kind, Object, Rules};
use crate::pod_spec;
use crate::workload::container_cells;

pub static POD_TEMPLATE: Kind = Kind {
    kind: "PodTemplate",
    plural: "podtemplates",
    singular: "podtemplate",
    rules: &PodTemplateRules,
    ..Kind::NAMESPACED
};

struct PodTemplateRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Containers", "string", "Names of each container in the template."),
    column("Images", "string", "Images referenced by each container in the template."),
    column("Pod Labels", "string", "The labels for the pod template."),
];

impl Rules for PodTemplateRules {
    fn default(&self, object: &mut Object) {
        if let Some(spec) = object_mut(object, "template.spec") {
            pod_spec::default_spec(spec);
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let empty = Object::new();
        pod_spec::validate_template(get_object(object, "template").unwrap_or(&empty), "template")
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "template.spec.containers");
        let labels = format_labels(get_object(object, "template.metadata.labels"));
        vec![columns::name(object), containers, images, Value::from(labels)]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        object.get("template") != old.get("template")
    }
}
