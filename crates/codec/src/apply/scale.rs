//! The owners of an object's replicas, as its Scale shows them.

use super::element::PathElement;
use super::managed::{Entry, ManagedFields};
use super::set::FieldSet;

/// The version Scale is served in.
const SCALE_VERSION: &str = "autoscaling/v1";

fn replicas_of_scale() -> [PathElement; 2] {
    [PathElement::Field("spec".into()), PathElement::Field("replicas".into())]
}

/// Those of an object's managers that own its replicas, as managers of its Scale.
pub fn to_scale(parent: &ManagedFields, replicas: &[PathElement]) -> ManagedFields {
    let mut managed = ManagedFields::default();
    for entry in parent.entries().iter().filter(|entry| entry.set().contains(replicas)) {
        managed.put(Entry::new(entry.manager.clone(), SCALE_VERSION, of(&replicas_of_scale()), entry.time.clone()));
    }
    managed
}

/// The object's managers after a write to its Scale left `scale`: who owns the replicas there owns them here, and
/// nobody else does. As upstream has it, managers that came with the write carry no time.
pub fn scale_to_parent(
    parent: &ManagedFields,
    scale: &ManagedFields,
    api_version: &str,
    replicas: &[PathElement],
) -> ManagedFields {
    let mut managed = ManagedFields::default();
    for entry in parent.entries() {
        let mut kept = entry.clone();
        if entry.set().contains(replicas) && scale.get(&entry.manager).is_none() {
            kept.replace_set(entry.set().difference(&of(replicas)));
        }
        managed.put(kept);
    }
    let holds = |entry: &&Entry| entry.set().contains(&replicas_of_scale());
    for entry in scale.entries().iter().filter(holds) {
        let stays = parent.get(&entry.manager).is_some_and(|before| before.set().contains(replicas));
        if stays {
            continue;
        }
        let mut manager = entry.manager.clone();
        if !manager.api_version.is_empty() {
            api_version.clone_into(&mut manager.api_version);
        }
        let time = parent.get(&manager).and_then(|before| before.time.clone());
        managed.put(Entry::new(manager, api_version, of(replicas), time));
    }
    managed
}

fn of(path: &[PathElement]) -> FieldSet {
    let mut set = FieldSet::default();
    set.insert(path);
    set
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn entry(manager: &str, operation: &str, version: &str, subresource: Option<&str>, fields: Value) -> Value {
        let mut entry = json!({"manager": manager, "operation": operation, "apiVersion": version,
            "time": "2030-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields});
        if let Some(subresource) = subresource {
            entry["subresource"] = json!(subresource);
        }
        entry
    }

    /// The cases of upstream's own handler.
    #[test]
    fn ownership_of_replicas_goes_to_scale_and_comes_back() {
        let replicas = [PathElement::field("spec"), PathElement::field("replicas")];
        let both = json!({"f:spec": {"f:replicas": {}, "f:selector": {}}});
        let parent = ManagedFields::decode(&json!([
            entry("test", "Apply", "apps/v1", None, both.clone()),
            entry("other", "Update", "apps/v1", None, json!({"f:spec": {"f:selector": {}}})),
        ]))
        .unwrap();
        let scale = to_scale(&parent, &replicas);
        let shown = scale.clone().encode().unwrap();
        assert_eq!(
            shown,
            json!([entry("test", "Apply", "autoscaling/v1", None, json!({"f:spec": {"f:replicas": {}}}))])
        );
        let unchanged = scale_to_parent(&parent, &scale, "apps/v1", &replicas).encode();
        assert_eq!(unchanged, parent.clone().encode());

        let taken =
            json!([entry("scaler", "Update", "autoscaling/v1", Some("scale"), json!({"f:spec": {"f:replicas": {}}}))]);
        let taken = ManagedFields::decode(&taken).unwrap();
        let after = scale_to_parent(&parent, &taken, "apps/v1", &replicas).encode().unwrap();
        let mut expected = entry("scaler", "Update", "apps/v1", Some("scale"), json!({"f:spec": {"f:replicas": {}}}));
        expected.as_object_mut().unwrap().remove("time");
        let selector = json!({"f:spec": {"f:selector": {}}});
        assert_eq!(
            after,
            json!([
                entry("test", "Apply", "apps/v1", None, selector.clone()),
                expected,
                entry("other", "Update", "apps/v1", None, selector),
            ])
        );
    }
}
