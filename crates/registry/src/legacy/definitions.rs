//! apiextensions.k8s.io/v1beta1: what all versions of a custom resource share is said once for all of them.

use serde_json::{Value, json};

use crate::apiextensions::custom_resource_definition::CUSTOM_RESOURCE_DEFINITION;
use crate::error::{FieldError, FieldErrorKind};
use crate::fields::{get, get_array, items, items_mut, object_at, object_mut, set, set_default, text};
use crate::kind::{Conversion, Kind, Object};

pub static CUSTOM_RESOURCE_DEFINITION_V1BETA1: Kind = Kind::served_as(
    "apiextensions.k8s.io",
    "v1beta1",
    &Conversion { default, tolerates, ..Conversion::between(&CUSTOM_RESOURCE_DEFINITION, to_storage, out_of_storage) },
)
.deprecated(16, 22, "apiextensions.k8s.io/v1 CustomResourceDefinition");

/// What stood beside the versions, and where in each of them it stands now.
const SHARED: [(&str, &str); 4] = [
    ("validation", "schema"),
    ("subresources", "subresources"),
    ("additionalPrinterColumns", "additionalPrinterColumns"),
    ("selectableFields", "selectableFields"),
];

fn default(definition: &mut Object) {
    let spec = object_at(definition, "spec");
    set_default(spec, "scope", "Namespaced");
    set_default(spec, "preserveUnknownFields", true);
    if get_array(spec, "versions").is_empty() && !text(spec, "version").is_empty() {
        let version = json!({ "name": text(spec, "version"), "served": true, "storage": true });
        set(spec, "versions", json!([version]));
    }
    if text(spec, "version").is_empty() {
        name_first_version(spec);
    }
    if text(spec, "conversion.strategy") == "Webhook"
        && get_array(spec, "conversion.conversionReviewVersions").is_empty()
    {
        set(spec, "conversion.conversionReviewVersions", json!(["v1beta1"]));
    }
}

fn to_storage(definition: &mut Object) {
    let Some(spec) = object_mut(definition, "spec") else { return };
    spec.shift_remove("version");
    if get(spec, "preserveUnknownFields") == Some(&Value::Bool(false)) {
        spec.shift_remove("preserveUnknownFields");
    }
    for (beside, within) in SHARED {
        if let Some(shared) = spec.shift_remove(beside) {
            for version in items_mut(spec, "versions") {
                set_default(version, within, shared.clone());
            }
        }
    }
    for version in items_mut(spec, "versions") {
        rename_in_columns(version, "JSONPath", "jsonPath");
    }
    if let Some(conversion) = object_mut(spec, "conversion") {
        let client = conversion.shift_remove("webhookClientConfig");
        let versions = conversion.shift_remove("conversionReviewVersions");
        if let Some(client) = client {
            set(conversion, "webhook.clientConfig", client);
        }
        if let Some(versions) = versions {
            set(conversion, "webhook.conversionReviewVersions", versions);
        }
    }
}

fn out_of_storage(definition: &mut Object) {
    let Some(spec) = object_mut(definition, "spec") else { return };
    for version in items_mut(spec, "versions") {
        rename_in_columns(version, "jsonPath", "JSONPath");
    }
    for (beside, within) in SHARED {
        if let Some(shared) = shared_by_all(spec, within) {
            for version in items_mut(spec, "versions") {
                version.shift_remove(within);
            }
            spec.insert(beside.to_owned(), shared);
        }
    }
    name_first_version(spec);
    // Left out, it would mean yes here.
    set_default(spec, "preserveUnknownFields", false);
    if let Some(conversion) = object_mut(spec, "conversion")
        && let Some(Value::Object(mut webhook)) = conversion.shift_remove("webhook")
    {
        if let Some(client) = webhook.shift_remove("clientConfig") {
            conversion.insert("webhookClientConfig".to_owned(), client);
        }
        if let Some(versions) = webhook.shift_remove("conversionReviewVersions") {
            conversion.insert("conversionReviewVersions".to_owned(), versions);
        }
    }
}

fn name_first_version(spec: &mut Object) {
    let first = items(spec, "versions").next().map(|version| text(version, "name").to_owned());
    if let Some(first) = first {
        set(spec, "version", first);
    }
}

fn shared_by_all(spec: &Object, within: &str) -> Option<Value> {
    let mut versions = items(spec, "versions").map(|version| get(version, within));
    let first = versions.next()??;
    versions.all(|other| other == Some(first)).then(|| first.clone())
}

fn rename_in_columns(version: &mut Object, from: &str, to: &str) {
    for column in items_mut(version, "additionalPrinterColumns") {
        if let Some(path) = column.shift_remove(from) {
            column.insert(to.to_owned(), path);
        }
    }
}

/// Schemas could be left out, or say less than a structural one, as long as nothing is pruned.
fn tolerates(fault: &FieldError) -> bool {
    let in_schema = fault.path.starts_with("spec.validation") || fault.path.contains(".schema");
    match &fault.kind {
        FieldErrorKind::Required { .. } => in_schema,
        _ => fault.path == "spec.preserveUnknownFields",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::testing::{faults, rested, shown};

    fn definition() -> Value {
        json!({
            "metadata": {"name": "foos.example.com"},
            "spec": {
                "group": "example.com",
                "version": "v1",
                "names": {"plural": "foos", "kind": "Foo"},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "JSONPath": ".spec.size"}],
                "subresources": {"status": {}},
            },
        })
    }

    #[test]
    fn what_is_said_once_rests_in_every_version() {
        let at_rest = rested(&CUSTOM_RESOURCE_DEFINITION_V1BETA1, definition());
        assert_eq!(
            at_rest["spec"]["versions"],
            json!([{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "additionalPrinterColumns": [{"name": "Size", "type": "integer", "jsonPath": ".spec.size"}],
            }])
        );
        assert_eq!((&at_rest["spec"]["scope"], at_rest["spec"].get("version")), (&json!("Namespaced"), None));
        let shown = shown(&CUSTOM_RESOURCE_DEFINITION_V1BETA1, at_rest);
        for field in ["version", "additionalPrinterColumns", "subresources"] {
            assert_eq!(shown["spec"][field], definition()["spec"][field], "{field}");
        }
        assert_eq!(shown["spec"]["versions"], json!([{"name": "v1", "served": true, "storage": true}]));
        assert_eq!(shown["spec"]["preserveUnknownFields"], true);
    }

    #[test]
    fn a_schema_may_be_left_out() {
        assert_eq!(faults(&CUSTOM_RESOURCE_DEFINITION_V1BETA1, definition()), [""; 0]);
    }

    #[test]
    fn a_conversion_names_its_webhook_in_two_fields() {
        let mut old = definition();
        old["spec"]["conversion"] =
            json!({"strategy": "Webhook", "webhookClientConfig": {"url": "https://example.com"}});
        let at_rest = rested(&CUSTOM_RESOURCE_DEFINITION_V1BETA1, old.clone());
        assert_eq!(
            at_rest["spec"]["conversion"]["webhook"],
            json!({"clientConfig": {"url": "https://example.com"}, "conversionReviewVersions": ["v1beta1"]})
        );
        let shown = shown(&CUSTOM_RESOURCE_DEFINITION_V1BETA1, at_rest);
        assert_eq!(
            shown["spec"]["conversion"]["webhookClientConfig"],
            old["spec"]["conversion"]["webhookClientConfig"]
        );
    }
}
