//! apiextensions.k8s.io `CustomResourceDefinition`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::validation;
use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, items, object_at, object_mut, set, set_default, text, texts, truth};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};

pub static CUSTOM_RESOURCE_DEFINITION: Kind = Kind {
    group: "apiextensions.k8s.io",
    kind: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    singular: "customresourcedefinition",
    short_names: &["crd", "crds"],
    categories: &["api-extensions"],
    has_status: true,
    rules: &CustomResourceDefinitionRules,
    ..Kind::CLUSTER
};

struct CustomResourceDefinitionRules;

impl Rules for CustomResourceDefinitionRules {
    fn default(&self, object: &mut Object) {
        let kind = text(object, "spec.names.kind").to_owned();
        let spec = object_at(object, "spec");
        if !kind.is_empty() {
            let names = object_at(spec, "names");
            default_text(names, "singular", &kind.to_lowercase());
            default_text(names, "listKind", &format!("{kind}List"));
        }
        set_default(spec, "conversion", json!({}));
        if let Some(conversion) = object_mut(spec, "conversion") {
            default_text(conversion, "strategy", "None");
        }
        if let Some(service) = object_mut(spec, "conversion.webhook.clientConfig.service") {
            set_default(service, "port", 443);
        }
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        object.shift_remove("status");
        note_stored_version(object);
    }

    /// A version that stores from now on has stored objects from now on.
    fn prepare_update(&self, object: &mut Object, _old: &Object, _context: &WriteContext<'_>) {
        note_stored_version(object);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        validation::validate(object, old)
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "Created At",
                "date",
                "CreationTimestamp is a timestamp representing the server time when this object was created.",
            ),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "metadata.creationTimestamp"))]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

fn default_text(object: &mut Object, field: &str, value: &str) {
    if text(object, field).is_empty() {
        object.insert(field.to_owned(), Value::from(value));
    }
}

fn note_stored_version(definition: &mut Object) {
    let storing = items(definition, "spec.versions")
        .find(|version| truth(version, "storage"))
        .map(|version| text(version, "name"));
    let Some(storing) = storing.map(str::to_owned) else { return };
    if texts(definition, "status.storedVersions").any(|stored| stored == storing) {
        return;
    }
    let mut stored =
        get(definition, "status.storedVersions").and_then(Value::as_array).cloned().unwrap_or_else(Vec::new);
    stored.push(Value::from(storing));
    set(definition, "status.storedVersions", stored);
}
