//! An applied configuration merged into the live object.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::element::PathElement;
use super::model::{Model, is_void};
use crate::Object;
use crate::schema::Type;

/// The live object with everything the configuration says. Nothing is removed; the configuration is valid.
pub(super) fn merge(live: &Object, config: &Object, r#type: &'static Type) -> Object {
    merge_fields(Some(live), Some(config), Model::Struct(r#type))
}

fn merge_value(live: Option<&Value>, config: Option<&Value>, model: Model) -> Option<Value> {
    if matches!(model, Model::Leaf) || (is_void(live) && is_void(config)) {
        return config.or(live).cloned();
    }
    let Some(config) = config else { return live.cloned() };
    let Some(live) = live else { return Some(config.clone()) };
    match (model, live, config) {
        (Model::Struct(_) | Model::Map(_), Value::Object(live), Value::Object(config)) => {
            Some(Value::Object(merge_fields(Some(live), Some(config), model)))
        }
        (Model::List { .. } | Model::Set, Value::Array(live), Value::Array(config)) => {
            Some(Value::Array(merge_items(live, config, model)))
        }
        // Null says nothing of a container that is there.
        (_, live, Value::Null) => Some(live.clone()),
        (_, _, config) => Some(config.clone()),
    }
}

fn merge_fields(live: Option<&Map<String, Value>>, config: Option<&Map<String, Value>>, model: Model) -> Object {
    let mut merged = Object::new();
    let wanted = |name: &str| config.and_then(|config| config.get(name));
    for (name, value) in live.into_iter().flatten() {
        let outcome = match wanted(name) {
            None => Some(value.clone()),
            config => merge_value(Some(value), config, model.under(name).model),
        };
        merged.extend(outcome.map(|value| (name.clone(), value)));
    }
    for (name, value) in config.into_iter().flatten() {
        if live.is_none_or(|live| !live.contains_key(name)) {
            merged.insert(name.clone(), value.clone());
        }
    }
    merged
}

/// The items of both lists, in the configuration's order as far as it goes; items of the live list alone keep their
/// place among those that both have. Live duplicates stay as they are unless the configuration names their place.
fn merge_items(live: &[Value], config: &[Value], model: Model) -> Vec<Value> {
    let live = Indexed::of(live, model);
    let config = Indexed::of(config, model);
    let mut shared = config.places.iter().filter(|place| live.at.contains_key(*place)).peekable();
    let mut taken: BTreeSet<&PathElement> = BTreeSet::new();
    let mut merged = Vec::with_capacity(live.places.len() + config.places.len());
    let take = |place: &PathElement| {
        let before = live.at.get(place).copied().flatten();
        merge_value(before, config.at.get(place).copied().flatten(), model.item())
    };
    let (mut l, mut c) = (0, 0);
    while l < live.places.len() || c < config.places.len() {
        if let (Some(of_live), Some(of_config)) = (live.places.get(l), config.places.get(c)) {
            if of_live == of_config {
                taken.insert(of_config);
                merged.extend(take(of_config));
                (l, c) = (l + 1, c + 1);
                shared.next();
                continue;
            }
            if config.at.contains_key(of_live) && shared.peek().is_some_and(|next| *next != of_live) {
                // Both have it, but the configuration wants another one first.
                l += 1;
                continue;
            }
        }
        if let Some(of_live) = live.places.get(l) {
            if !config.at.contains_key(of_live) {
                merged.push(live.items[l].clone());
                l += 1;
                continue;
            }
            if taken.contains(of_live) {
                l += 1;
            }
        }
        if let Some(of_config) = config.places.get(c) {
            taken.insert(of_config);
            merged.extend(take(of_config));
            c += 1;
            shared.next_if(|next| *next == of_config);
        }
    }
    merged
}

struct Indexed<'a> {
    places: Vec<PathElement>,
    items: Vec<&'a Value>,
    /// None for places that several items have.
    at: BTreeMap<PathElement, Option<&'a Value>>,
}

impl<'a> Indexed<'a> {
    fn of(list: &'a [Value], model: Model) -> Self {
        let mut indexed = Indexed { places: Vec::new(), items: Vec::new(), at: BTreeMap::new() };
        for item in list {
            let Ok(place) = model.place(item) else { continue };
            indexed.at.entry(place.clone()).and_modify(|several| *several = None).or_insert(Some(item));
            indexed.places.push(place);
            indexed.items.push(item);
        }
        indexed
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    fn containers(live: &[&str], config: &[&str]) -> String {
        let pod = |names: &[&str]| {
            let items: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
            let Value::Object(pod) = json!({"spec": {"containers": items}}) else { panic!("an object") };
            pod
        };
        let merged = merge(&pod(live), &pod(config), lookup("", "v1", "Pod").unwrap());
        let names = merged["spec"]["containers"].as_array().unwrap();
        names.iter().map(|item| item["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn lists_take_the_configurations_order() {
        for (live, config, expected) in [
            (&["a", "b"][..], &["b", "a"][..], "ba"),
            (&["a", "b", "c"], &["c"], "abc"),
            (&["a"], &["b", "a"], "ba"),
            (&["a", "x", "b"], &["b", "a"], "xba"),
            (&["x", "a", "y"], &["a", "b"], "xayb"),
            (&[], &["a", "b"], "ab"),
            (&["a", "b"], &[], "ab"),
        ] {
            assert_eq!(containers(live, config), expected, "{live:?} {config:?}");
        }
    }

    #[test]
    fn scalars_and_what_is_owned_as_one_are_replaced_the_rest_grows() {
        let object = |value: Value| match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        };
        let live = json!({"metadata": {"labels": {"a": "1"}, "finalizers": ["x"]}, "spec": {"nodeSelector": {"a": "1"},
            "containers": [{"name": "c", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}});
        let config = json!({"metadata": {"labels": {"b": "2"}, "finalizers": ["y"]}, "spec": {"nodeSelector": {"b": "2"},
            "containers": [{"name": "c", "ports": [{"containerPort": 80, "name": "http"}]}]}});
        let merged = merge(&object(live), &object(config), lookup("", "v1", "Pod").unwrap());
        assert_eq!(
            Value::Object(merged),
            json!({"metadata": {"labels": {"a": "1", "b": "2"}, "finalizers": ["x", "y"]}, "spec": {"nodeSelector": {"b": "2"},
                "containers": [{"name": "c", "ports": [{"containerPort": 80, "protocol": "TCP", "name": "http"}]}]}})
        );
    }
}
