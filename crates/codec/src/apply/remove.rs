//! Fields taken out of an object.

use serde_json::{Map, Value};

use super::element::PathElement;
use super::model::Model;
use super::set::FieldSet;
use crate::Object;
use crate::schema::Type;

/// The object without the members of a set, and without all that is in them.
pub(super) fn remove(object: &Object, gone: &FieldSet, r#type: &'static Type) -> Object {
    without_fields(object, gone, Model::Struct(r#type))
}

/// The set with every struct field that leads to a member: who owns `spec.replicas` holds `spec`.
pub(super) fn with_named_fields(set: &FieldSet, r#type: &'static Type) -> FieldSet {
    with_named(set, Some(Model::Struct(r#type)))
}

fn without(value: &Value, gone: &FieldSet, model: Model) -> Option<Value> {
    match (model, value) {
        (Model::Struct(_) | Model::Map(_), Value::Object(object)) => {
            let left = without_fields(object, gone, model);
            (!left.is_empty()).then_some(Value::Object(left))
        }
        (Model::List { .. } | Model::Set, Value::Array(items)) => {
            let left: Vec<Value> = items.iter().filter_map(|item| without_item(item, gone, model)).collect();
            (!left.is_empty()).then_some(Value::Array(left))
        }
        // What is owned as one goes as one.
        (Model::Leaf, Value::Object(_) | Value::Array(_)) => None,
        (_, scalar) => Some(scalar.clone()),
    }
}

fn without_fields(object: &Map<String, Value>, gone: &FieldSet, model: Model) -> Object {
    let mut left = Object::new();
    for (name, value) in object {
        let child = model.under(name);
        if gone.has(&child.element) {
            continue;
        }
        let kept = match gone.child(&child.element) {
            Some(below) => without(value, below, child.model).unwrap_or(Value::Null),
            None => value.clone(),
        };
        left.insert(name.clone(), kept);
    }
    left
}

fn without_item(item: &Value, gone: &FieldSet, model: Model) -> Option<Value> {
    let Ok(place) = model.place(item) else { return Some(item.clone()) };
    if gone.has(&place) {
        return None;
    }
    match gone.child(&place) {
        Some(below) => without(item, below, model.item()),
        None => Some(item.clone()),
    }
}

fn with_named(set: &FieldSet, model: Option<Model>) -> FieldSet {
    set.map_nodes(|element, is_member, children| {
        let (is_named, inner) = match (element, model) {
            (PathElement::Field(name), Some(model @ (Model::Struct(_) | Model::Map(_)))) => {
                let child = model.under(name);
                (child.is_named, Some(child.model))
            }
            (PathElement::Key(_), Some(model @ Model::List { .. })) => (false, Some(model.item())),
            _ => (false, None),
        };
        (is_member || (is_named && !children.is_empty()), with_named(children, inner))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    #[test]
    fn members_go_with_all_in_them_and_containers_left_empty_go_too() {
        let pod = lookup("", "v1", "Pod").unwrap();
        let Value::Object(object) = json!({
            "metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]},
            "spec": {"containers": [{"name": "a", "image": "i", "env": [{"name": "A"}]}, {"name": "b"}]},
        }) else {
            panic!("an object")
        };
        let gone = FieldSet::decode(&json!({
            "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {"v:\"x\"": {}}},
            "f:spec": {"f:containers": {r#"k:{"name":"a"}"#: {"f:image": {}, "f:env": {r#"k:{"name":"A"}"#: {}}}, r#"k:{"name":"b"}"#: {}}},
        }))
        .unwrap();
        assert_eq!(
            Value::Object(remove(&object, &gone, pod)),
            json!({"metadata": {"labels": {"b": "2"}, "finalizers": ["y"]}, "spec": {"containers": [{"name": "a", "env": null}]}})
        );
        let named = with_named_fields(&gone, pod).encode();
        assert!(named["f:spec"].get(".").is_some() && named["f:spec"]["f:containers"].get(".").is_some());
        assert!(named["f:metadata"]["f:labels"].get(".").is_some(), "labels is a field of a struct");
        assert!(named["f:spec"]["f:containers"][r#"k:{"name":"a"}"#].get(".").is_none(), "an item is not");
    }
}
