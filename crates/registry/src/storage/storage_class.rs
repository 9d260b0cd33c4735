//! storage.k8s.io `StorageClass`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_supported, get, get_object, set_default, text, truth};
use crate::kind::{Column, Kind, Object, Rules};

pub static STORAGE_CLASS: Kind = Kind {
    group: "storage.k8s.io",
    kind: "StorageClass",
    plural: "storageclasses",
    singular: "storageclass",
    short_names: &["sc"],
    rules: &StorageClassRules,
    ..Kind::CLUSTER
};

struct StorageClassRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("Provisioner", "string", "provisioner indicates the type of the provisioner."),
    column("ReclaimPolicy", "string", "reclaimPolicy controls what happens to the volumes made of this class."),
    column("VolumeBindingMode", "string", "How claims of this class should be provisioned and bound."),
    column(
        "AllowVolumeExpansion",
        "string",
        "allowVolumeExpansion shows whether the storage class allow volume expand.",
    ),
    AGE,
];

impl Rules for StorageClassRules {
    fn default(&self, object: &mut Object) {
        set_default(object, "reclaimPolicy", "Delete");
        set_default(object, "volumeBindingMode", "Immediate");
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if text(object, "provisioner").is_empty() {
            faults.push(FieldError::required("provisioner", ""));
        }
        check_supported(object, "reclaimPolicy", &["Delete", "Retain"], "", &mut faults);
        check_supported(object, "volumeBindingMode", &["Immediate", "WaitForFirstConsumer"], "", &mut faults);
        let Some(old) = old else { return faults };
        for (field, what) in [
            ("parameters", "updates to parameters are forbidden."),
            ("provisioner", "updates to provisioner are forbidden."),
            ("reclaimPolicy", "updates to reclaimPolicy are forbidden."),
        ] {
            if get(object, field) != get(old, field) {
                faults.push(FieldError::forbidden(field, what));
            }
        }
        crate::fields::check_immutable(object, old, "volumeBindingMode", &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let annotations = get_object(object, "metadata.annotations");
        let is_default =
            ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"]
                .iter()
                .any(|key| {
                    annotations.and_then(|annotations| annotations.get(*key)).is_some_and(|value| value == "true")
                });
        let name = text(object, "metadata.name");
        vec![
            Value::from(if is_default { format!("{name} (default)") } else { name.to_owned() }),
            Value::from(text(object, "provisioner")),
            Value::from(text(object, "reclaimPolicy")),
            Value::from(text(object, "volumeBindingMode")),
            Value::from(truth(object, "allowVolumeExpansion")),
            columns::age(object, now),
        ]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}
