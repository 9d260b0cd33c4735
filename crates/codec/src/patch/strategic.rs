//! Strategic merge patch: lists merge by the schema's keys, and directives say what merging cannot.
//!
//! - `$patch: replace | delete | merge` in an object or a keyed list's item;
//! - `$deleteFromPrimitiveList/<list>` beside a list of scalars;
//! - `$setElementOrder/<list>` beside a merging list;
//! - `$retainKeys` in an object.

use serde_json::{Map, Value};

use super::order::{ELEMENT_ORDER, ElementOrder, element_orders, order_items};
use super::{PatchError, malformed, type_name};
use crate::Object;
use crate::apply::go_value;
use crate::schema::{Patch, Shape, Type};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM_PRIMITIVES: &str = "$deleteFromPrimitiveList/";

/// The object as the patch leaves it; unknown fields merge as plain JSON does.
pub fn apply_strategic_patch(object: &Object, patch: &Object, r#type: &Type) -> Result<Object, PatchError> {
    let mut patched = object.clone();
    merge_object(&mut patched, patch, &Fields::Struct(r#type))?;
    Ok(patched)
}

/// What is known of an object's fields.
enum Fields<'a> {
    Struct(&'a Type),
    /// A map whose values all have this shape.
    Map(&'a Shape),
    Unknown,
}

impl<'a> Fields<'a> {
    fn of(shape: Option<&'a Shape>) -> Self {
        match shape {
            Some(Shape::Struct(r#type)) => Fields::Struct(r#type),
            Some(Shape::Map(value)) => Fields::Map(value),
            _ => Fields::Unknown,
        }
    }

    fn shape(&self, key: &str) -> Option<&'a Shape> {
        match self {
            Fields::Struct(r#type) => r#type.field(key).map(|field| &field.shape),
            Fields::Map(value) => Some(value),
            Fields::Unknown => None,
        }
    }

    fn patch(&self, key: &str) -> Patch {
        match self {
            Fields::Struct(r#type) => r#type.field(key).map_or(Patch::Plain, |field| field.patch),
            _ => Patch::Plain,
        }
    }
}

fn merge_object(target: &mut Object, patch: &Object, fields: &Fields<'_>) -> Result<(), PatchError> {
    match patch.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or("")) {
        None | Some("merge") => {}
        Some("replace") => {
            *target = without_directives(patch);
            return Ok(());
        }
        Some("delete") => {
            target.clear();
            return Ok(());
        }
        Some(other) => return Err(unknown_directive(other, patch)),
    }
    retain_keys(target, patch)?;
    let orders = element_orders(target, patch)?;
    for (key, change) in patch {
        if key == DIRECTIVE || key == RETAIN_KEYS || key.starts_with(ELEMENT_ORDER) {
            continue;
        }
        match key.strip_prefix(DELETE_FROM_PRIMITIVES) {
            Some(list) => delete_primitives(target, list, change)?,
            None => merge_field(target, key, change, fields)?,
        }
    }
    for ElementOrder { list, order, before } in orders {
        if let Some(Value::Array(items)) = target.get_mut(list) {
            order_items(items, order, &before, fields.patch(list));
        }
    }
    Ok(())
}

fn merge_field(target: &mut Object, key: &str, change: &Value, fields: &Fields<'_>) -> Result<(), PatchError> {
    match change {
        Value::Null => {
            target.shift_remove(key);
        }
        Value::Object(change) => {
            if change.get(DIRECTIVE).is_some_and(|directive| directive == "delete") && !target.contains_key(key) {
                return Ok(());
            }
            let inner = target.entry(key).or_insert(Value::Null);
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                merge_object(inner, change, &Fields::of(fields.shape(key)))?;
            }
        }
        Value::Array(changes) => {
            let merged = match fields.patch(key) {
                Patch::Merge(merge_key) | Patch::MergeRetainingKeys(merge_key) => {
                    let present = match target.get(key) {
                        Some(Value::Array(items)) => items.clone(),
                        _ => Vec::new(),
                    };
                    let item = match fields.shape(key) {
                        Some(Shape::List(item)) => Some(*item),
                        _ => None,
                    };
                    merge_list(present, changes, merge_key, item, key)?
                }
                Patch::Plain | Patch::RetainKeys => replaced_list(changes),
            };
            target.insert(key.to_owned(), Value::Array(merged));
        }
        scalar => {
            target.insert(key.to_owned(), scalar.clone());
        }
    }
    Ok(())
}

/// A list that does not merge: the patch's items as they are, but for directives.
fn replaced_list(changes: &[Value]) -> Vec<Value> {
    let is_directive_alone =
        |item: &Value| item.as_object().is_some_and(|object| object.len() == 1 && object.contains_key(DIRECTIVE));
    changes.iter().filter(|item| !is_directive_alone(item)).map(clean).collect()
}

fn merge_list(
    present: Vec<Value>,
    changes: &[Value],
    merge_key: &str,
    item: Option<&Shape>,
    field: &str,
) -> Result<Vec<Value>, PatchError> {
    if merge_key.is_empty() {
        return Ok(merge_primitives(present, changes));
    }
    let directive = |change: &Value| change.get(DIRECTIVE).and_then(Value::as_str).map(str::to_owned);
    if changes.iter().any(|change| directive(change).as_deref() == Some("replace")) {
        let kept = changes.iter().filter(|change| directive(change).as_deref() != Some("replace"));
        return Ok(kept.map(clean).collect());
    }
    let mut items = present;
    for change in changes {
        let Value::Object(change) = change else {
            return Err(match change {
                Value::Array(_) => PatchError::Inapplicable("lists of lists are not supported".to_owned()),
                other => malformed(format!("expected a map in {field:?}, but received a {}", type_name(other))),
            });
        };
        let wanted = change.get(merge_key);
        match change.get(DIRECTIVE).map(|directive| directive.as_str().unwrap_or("")) {
            Some("delete") => {
                let wanted = wanted.ok_or_else(|| no_merge_key(change, merge_key))?;
                items.retain(|item| !holds(item, merge_key, wanted));
                continue;
            }
            None | Some("merge") => {}
            Some(other) => return Err(unknown_directive(other, change)),
        }
        let wanted = wanted.ok_or_else(|| no_merge_key(change, merge_key))?;
        match items.iter_mut().find(|item| holds(item, merge_key, wanted)) {
            Some(Value::Object(existing)) => merge_object(existing, change, &Fields::of(item))?,
            _ => {
                let mut added = Map::new();
                merge_object(&mut added, change, &Fields::of(item))?;
                items.push(Value::Object(added));
            }
        }
    }
    Ok(items)
}

/// A set of scalars: what is new goes to the end.
fn merge_primitives(present: Vec<Value>, changes: &[Value]) -> Vec<Value> {
    let mut items = present;
    for change in changes {
        if !items.contains(change) {
            items.push(change.clone());
        }
    }
    items
}

fn delete_primitives(target: &mut Object, list: &str, gone: &Value) -> Result<(), PatchError> {
    let gone = gone.as_array().ok_or_else(|| malformed("invalid patch format of primitive list".to_owned()))?;
    if let Some(Value::Array(items)) = target.get_mut(list) {
        items.retain(|item| !gone.contains(item));
    }
    Ok(())
}

/// Drops what `$retainKeys` does not name. The patch may only set what it retains.
fn retain_keys(target: &mut Object, patch: &Object) -> Result<(), PatchError> {
    let Some(retained) = patch.get(RETAIN_KEYS) else { return Ok(()) };
    let retained = retained.as_array().ok_or_else(|| malformed("invalid patch format of retainKeys".to_owned()))?;
    let is_retained = |key: &str| retained.iter().any(|name| name == key);
    let sets_another = patch.iter().any(|(key, change)| {
        let is_directive = key.starts_with('$');
        !is_directive && !change.is_null() && !is_retained(key)
    });
    if sets_another {
        return Err(PatchError::Inapplicable("patch content doesn't match retainKeys list".to_owned()));
    }
    target.retain(|key, _| is_retained(key));
    Ok(())
}

fn holds(item: &Value, merge_key: &str, wanted: &Value) -> bool {
    item.get(merge_key) == Some(wanted)
}

/// A value without directives, as it stands where nothing was before.
fn clean(value: &Value) -> Value {
    match value {
        Value::Object(object) => Value::Object(without_directives(object)),
        Value::Array(items) => Value::Array(items.iter().map(clean).collect()),
        scalar => scalar.clone(),
    }
}

fn without_directives(object: &Object) -> Object {
    let is_directive = |key: &str| {
        key == DIRECTIVE
            || key == RETAIN_KEYS
            || key.starts_with(DELETE_FROM_PRIMITIVES)
            || key.starts_with(ELEMENT_ORDER)
    };
    object
        .iter()
        .filter(|(key, value)| !is_directive(key) && !value.is_null())
        .map(|(key, value)| (key.clone(), clean(value)))
        .collect()
}

fn unknown_directive(directive: &str, patch: &Object) -> PatchError {
    malformed(format!("unknown patch type: {directive} in map: {}", go_value(&Value::Object(patch.clone()))))
}

fn no_merge_key(item: &Object, merge_key: &str) -> PatchError {
    let item = go_value(&Value::Object(item.clone()));
    malformed(format!("map: {item} does not contain declared merge key: {merge_key}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    fn patched(kind: (&str, &str), object: Value, patch: Value) -> Result<Value, String> {
        let (Value::Object(object), Value::Object(patch)) = (object, patch) else { panic!("objects") };
        let r#type = lookup(kind.0, "v1", kind.1).unwrap();
        apply_strategic_patch(&object, &patch, r#type).map(Value::Object).map_err(|error| error.to_string())
    }

    fn pod(containers: Value) -> Value {
        json!({"spec": {"containers": containers}})
    }

    #[test]
    fn keyed_lists_merge_by_their_key() {
        let before = pod(json!([{"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]}, {"name": "b"}]));
        for (patch, after) in [
            (
                json!([{"name": "a", "image": "x:2"}]),
                json!([{"name": "a", "image": "x:2", "ports": [{"containerPort": 80}]}, {"name": "b"}]),
            ),
            (
                json!([{"name": "c", "image": "y", "command": null}]),
                json!([
                    {"name": "a", "image": "x:1", "ports": [{"containerPort": 80}]},
                    {"name": "b"},
                    {"name": "c", "image": "y"}
                ]),
            ),
            (json!([{"name": "a", "$patch": "delete"}]), json!([{"name": "b"}])),
            (json!([{"$patch": "replace"}, {"name": "z"}]), json!([{"name": "z"}])),
            (
                json!([{"name": "a", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]}]),
                json!([
                    {"name": "a", "image": "x:1", "ports": [{"containerPort": 80, "name": "http"}, {"containerPort": 81}]},
                    {"name": "b"}
                ]),
            ),
        ] {
            assert_eq!(patched(("", "Pod"), before.clone(), pod(patch.clone())), Ok(pod(after)), "{patch}");
        }
        assert!(patched(("", "Pod"), before, pod(json!([{"image": "x"}]))).unwrap_err().contains("merge key: name"));
    }

    #[test]
    fn atomic_lists_are_replaced_and_sets_grow() {
        let before = json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"tolerations": [{"key": "x"}]}});
        assert_eq!(
            patched(
                ("", "Pod"),
                before.clone(),
                json!({"metadata": {"finalizers": ["b", "c"]}, "spec": {"tolerations": [{"key": "y"}]}})
            ),
            Ok(json!({"metadata": {"finalizers": ["a", "b", "c"]}, "spec": {"tolerations": [{"key": "y"}]}}))
        );
        assert_eq!(
            patched(("", "Pod"), before, json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}})),
            Ok(json!({"metadata": {"finalizers": ["b"]}, "spec": {"tolerations": [{"key": "x"}]}}))
        );
    }

    #[test]
    fn objects_take_directives() {
        let before = json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
        for (patch, after) in [
            (json!({"$retainKeys": ["type"], "type": "Recreate"}), json!({"type": "Recreate"})),
            (json!({"$patch": "replace", "type": "Recreate", "rollingUpdate": null}), json!({"type": "Recreate"})),
            (json!({"$patch": "delete"}), json!({})),
            (json!({"rollingUpdate": null, "type": "Recreate"}), json!({"type": "Recreate"})),
        ] {
            let outcome = patched(("apps", "Deployment"), before.clone(), json!({"spec": {"strategy": patch}}));
            assert_eq!(outcome, Ok(json!({"spec": {"strategy": after}})), "{patch}");
        }
        let unretained = json!({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}});
        assert!(patched(("apps", "Deployment"), before.clone(), unretained).unwrap_err().contains("retainKeys"));
        let unknown = json!({"spec": {"strategy": {"$patch": "bend"}}});
        assert_eq!(
            patched(("apps", "Deployment"), before, unknown),
            Err("unknown patch type: bend in map: map[$patch:bend]".to_owned())
        );
    }

    #[test]
    fn volumes_change_their_source_when_they_retain_keys() {
        let before = json!({"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}});
        let patch = json!({"spec": {"volumes": [{"name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": {"path": "/x"}}]}});
        assert_eq!(
            patched(("", "Pod"), before, patch),
            Ok(json!({"spec": {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]}}))
        );
    }

    #[test]
    fn an_order_arranges_what_it_names() {
        let names = |names: &[&str]| pod(names.iter().map(|name| json!({"name": name})).collect());
        for (before, order, expected) in [
            (names(&["a", "b", "c"]), &["c", "b", "a"][..], names(&["c", "b", "a"])),
            (names(&["a", "server", "b"]), &["a", "b"][..], names(&["a", "server", "b"])),
            (names(&["a", "b", "server"]), &["b", "a"][..], names(&["b", "a", "server"])),
        ] {
            let order: Vec<Value> = order.iter().map(|name| json!({"name": name})).collect();
            let patch = json!({"spec": {"$setElementOrder/containers": order}});
            assert_eq!(patched(("", "Pod"), before, patch), Ok(expected));
        }
        let injected_first = json!({"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "x"}],
        }});
        assert_eq!(
            patched(("", "Pod"), names(&["server", "a"]), injected_first),
            Ok(pod(json!([{"name": "server"}, {"name": "a", "image": "x"}])))
        );
        let patch = json!({"spec": {
            "$setElementOrder/containers": [{"name": "new"}, {"name": "a"}],
            "containers": [{"name": "new", "image": "x"}],
        }});
        assert_eq!(
            patched(("", "Pod"), names(&["a"]), patch),
            Ok(pod(json!([{"name": "new", "image": "x"}, {"name": "a"}])))
        );
    }

    /// What kubectl sends for everyday commands.
    #[test]
    fn everyday_commands_work() {
        let before = json!({
            "metadata": {"labels": {"app": "web", "old": "1"}, "annotations": {"note": "x"}},
            "spec": {"replicas": 1, "template": {"metadata": {}, "spec": {"containers": [
                {"name": "a", "image": "x:1", "env": [{"name": "A", "value": "1"}], "resources": {"limits": {"cpu": "1"}}}
            ]}}},
        });
        let run = |patch: Value| patched(("apps", "Deployment"), before.clone(), patch).unwrap();
        let labelled = run(json!({"metadata": {"labels": {"new": "2", "old": null}}}));
        assert_eq!(labelled["metadata"]["labels"], json!({"app": "web", "new": "2"}));
        let image = run(json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{"name": "a", "image": "x:2"}],
        }}}}));
        assert_eq!(image["spec"]["template"]["spec"]["containers"][0]["image"], "x:2");
        assert_eq!(image["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"], "1");
        let restarted = run(json!({"spec": {"template": {"metadata": {"annotations": {
            "kubectl.kubernetes.io/restartedAt": "2030-01-01T00:00:00Z"
        }}}}}));
        assert_eq!(restarted["spec"]["template"]["metadata"]["annotations"].as_object().unwrap().len(), 1);
        let edited = run(json!({"spec": {"replicas": 3, "template": {"spec": {
            "$setElementOrder/containers": [{"name": "a"}],
            "containers": [{
                "name": "a",
                "$setElementOrder/env": [{"name": "B"}],
                "env": [{"name": "B", "value": "2"}, {"name": "A", "$patch": "delete"}],
                "resources": {"limits": null},
            }],
        }}}}));
        assert_eq!(
            edited["spec"]["template"]["spec"]["containers"],
            json!([{"name": "a", "image": "x:1", "env": [{"name": "B", "value": "2"}], "resources": {}}])
        );
    }

    proptest! {
        #[test]
        fn a_pod_patched_with_nothing_or_itself_is_itself(names in prop::collection::btree_set("[a-e]", 0..5)) {
            let object = pod(names.iter().map(|name| json!({"name": name, "image": "x", "env": [{"name": "E"}]})).collect());
            prop_assert_eq!(patched(("", "Pod"), object.clone(), json!({})), Ok(object.clone()));
            prop_assert_eq!(patched(("", "Pod"), object.clone(), object.clone()), Ok(object));
        }
    }
}
