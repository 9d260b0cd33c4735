//! JSON merge patch, RFC 7386.

use serde_json::{Map, Value};

use crate::Object;

/// Null removes, an object merges, anything else replaces.
pub fn apply_merge_patch(object: &mut Object, patch: &Object) {
    for (key, change) in patch {
        match change {
            Value::Null => {
                object.shift_remove(key);
            }
            Value::Object(changes) => {
                let target = object.entry(key).or_insert(Value::Null);
                if !target.is_object() {
                    *target = Value::Object(Map::new());
                }
                if let Value::Object(inner) = target {
                    apply_merge_patch(inner, changes);
                }
            }
            other => {
                object.insert(key.clone(), other.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merged(target: Value, patch: Value) -> Value {
        let (Value::Object(mut target), Value::Object(patch)) = (target, patch) else { panic!("objects") };
        apply_merge_patch(&mut target, &patch);
        Value::Object(target)
    }

    /// The examples of the RFC's appendix whose documents are objects.
    #[test]
    fn follows_the_standard() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merged(target.clone(), patch.clone()), expected, "{target} {patch}");
        }
    }

    fn object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(1)), Just(json!("x")), Just(json!([1, 2])), Just(json!(true))];
        let any = leaf.prop_recursive(3, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect()))
        });
        prop::collection::btree_map("[a-d]", any, 0..4).prop_map(|entries| Value::Object(entries.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn an_empty_patch_changes_nothing_and_a_patch_is_idempotent(target in object(), patch in object()) {
            prop_assert_eq!(merged(target.clone(), json!({})), target.clone());
            let once = merged(target, patch.clone());
            prop_assert_eq!(merged(once.clone(), patch.clone()), once.clone());
            prop_assert_eq!(merged(json!({}), patch.clone()), patch);
        }
    }
}
