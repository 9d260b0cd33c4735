//! node.k8s.io before v1. In v1alpha1 a class had a spec.

use serde_json::{Value, json};

use crate::kind::{Conversion, Kind, Object};
use crate::node::runtime_class::RUNTIME_CLASS;

pub static RUNTIME_CLASS_V1BETA1: Kind =
    Kind::served_as("node.k8s.io", "v1beta1", &Conversion::same_as(&RUNTIME_CLASS)).deprecated(22, 25, "");
pub static RUNTIME_CLASS_V1ALPHA1: Kind =
    Kind::served_as("node.k8s.io", "v1alpha1", &Conversion::between(&RUNTIME_CLASS, to_storage, out_of_storage))
        .deprecated(20, 22, "node.k8s.io/v1 RuntimeClass");

/// Fields of the spec, and of the class in later versions.
const FIELDS: [(&str, &str); 3] =
    [("runtimeHandler", "handler"), ("overhead", "overhead"), ("scheduling", "scheduling")];

fn to_storage(class: &mut Object) {
    let Some(Value::Object(mut spec)) = class.shift_remove("spec") else { return };
    for (old, new) in FIELDS {
        if let Some(value) = spec.shift_remove(old) {
            class.insert(new.to_owned(), value);
        }
    }
}

fn out_of_storage(class: &mut Object) {
    let mut spec = Object::new();
    for (old, new) in FIELDS {
        if let Some(value) = class.shift_remove(new) {
            spec.insert(old.to_owned(), value);
        }
    }
    class.insert("spec".to_owned(), json!(spec));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn a_class_had_a_spec() {
        let old = json!({"metadata": {"name": "a"}, "spec": {"runtimeHandler": "runsc", "overhead": {"podFixed": {"cpu": "1"}}}});
        let at_rest = rested(&RUNTIME_CLASS_V1ALPHA1, old.clone());
        assert_eq!((&at_rest["handler"], at_rest.get("spec")), (&json!("runsc"), None));
        assert_eq!(shown(&RUNTIME_CLASS_V1ALPHA1, at_rest)["spec"], old["spec"]);
    }
}
