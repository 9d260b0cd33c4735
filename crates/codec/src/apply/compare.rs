//! What one object has that another has not, by the paths that owners own.

use serde_json::{Map, Value};

use super::element::PathElement;
use super::model::{Model, is_bookkeeping, is_metadata, is_void};
use super::set::FieldSet;
use crate::Object;
use crate::schema::{Type, is_zero};

/// No path stands in more than one of the sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    pub added: FieldSet,
    pub modified: FieldSet,
    pub removed: FieldSet,
}

/// Compares two objects of a type; identity and bookkeeping (names, versions, managed fields) are left out.
pub fn compare(old: &Object, new: &Object, r#type: &'static Type) -> Comparison {
    let mut walk = Walk { path: Vec::with_capacity(8), found: Comparison::default() };
    walk.fields(Fields::Given(old), Fields::Given(new), Model::Struct(r#type));
    walk.found
}

impl Comparison {
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }

    /// What the new object sets otherwise than the old.
    pub fn set(&self) -> FieldSet {
        self.added.union(&self.modified)
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&FieldSet) -> FieldSet) {
        for set in [&mut self.added, &mut self.modified, &mut self.removed] {
            if !set.is_empty() {
                *set = keep(set);
            }
        }
    }
}

/// A value on one side of the comparison.
#[derive(Clone, Copy, PartialEq)]
enum Side<'a> {
    Absent,
    /// Nobody set it, and Go has it nevertheless: as zero, an empty struct, or null.
    Implied,
    Given(&'a Value),
}

/// The fields of a struct or the entries of a map on one side.
#[derive(Clone, Copy)]
enum Fields<'a> {
    Absent,
    Implied,
    Given(&'a Map<String, Value>),
}

struct Walk {
    path: Vec<PathElement>,
    found: Comparison,
}

impl Walk {
    /// Compares what stands at the present path.
    fn value(&mut self, old: Side<'_>, new: Side<'_>, model: Model) {
        if old == new {
            return;
        }
        // Two containers with nothing in them differ as values do: null from an empty list.
        if matches!(model, Model::Leaf) || (old.is_void() && new.is_void()) {
            return self.leaf(old, new);
        }
        match model {
            Model::Struct(_) | Model::Map(_) => self.fields(old.fields(), new.fields(), model),
            Model::List { .. } | Model::Set => self.items(old.items(), new.items(), model),
            Model::Leaf => {}
        }
        match (old, new) {
            (Side::Absent, _) => self.note(Change::Added),
            (_, Side::Absent) => self.note(Change::Removed),
            _ => {}
        }
    }

    fn leaf(&mut self, old: Side<'_>, new: Side<'_>) {
        match (old, new) {
            (Side::Given(_), Side::Given(_)) => self.note(Change::Modified),
            (Side::Given(one), Side::Implied) | (Side::Implied, Side::Given(one)) => {
                if !is_zero(one) {
                    self.note(Change::Modified);
                }
            }
            (Side::Absent, Side::Given(_)) => self.note(Change::Added),
            (Side::Given(_), Side::Absent) => self.note(Change::Removed),
            // Zero on one side and nothing on the other: the containers tell of that.
            (Side::Absent | Side::Implied, Side::Absent | Side::Implied) => {}
        }
    }

    fn fields(&mut self, old: Fields<'_>, new: Fields<'_>, model: Model) {
        for name in new.names() {
            self.field(name, old, new, model);
        }
        for name in old.names().filter(|name| new.get(name).is_none()) {
            self.field(name, old, new, model);
        }
    }

    fn field(&mut self, name: &str, old: Fields<'_>, new: Fields<'_>, model: Model) {
        if old.get(name) == new.get(name) || (self.path.len() < 2 && is_bookkeeping(&self.path, name)) {
            return;
        }
        let child = model.under(name);
        let (old, new) = (old.side(name, child.is_always_there), new.side(name, child.is_always_there));
        self.path.push(child.element);
        self.value(old, new, child.model);
        self.path.pop();
    }

    fn items(&mut self, old: &[Value], new: &[Value], model: Model) {
        let (old, new) = (placed(old, model), placed(new, model));
        let (mut old, mut new) = (&old[..], &new[..]);
        // Both are ordered by place: the groups at the front are of the same place, or one side lacks it.
        while let Some(place) = [old.first(), new.first()].into_iter().flatten().map(|(place, _)| place).min() {
            let (of_old, rest_of_old) = old.split_at(old.partition_point(|(other, _)| other <= place));
            let (of_new, rest_of_new) = new.split_at(new.partition_point(|(other, _)| other <= place));
            self.path.push(place.clone());
            self.group(of_old, of_new, model);
            self.path.pop();
            (old, new) = (rest_of_old, rest_of_new);
        }
    }

    /// The items at one place: one on either side, or duplicates that old lists may have.
    fn group(&mut self, old: &[(PathElement, &Value)], new: &[(PathElement, &Value)], model: Model) {
        if old.len() <= 1 && new.len() <= 1 {
            return self.value(only(old), only(new), model.item());
        }
        let same = old.len() == new.len() && old.iter().zip(new).all(|(old, new)| old.1 == new.1);
        match (old.is_empty(), new.is_empty()) {
            (true, _) => self.note(Change::Added),
            (_, true) => self.note(Change::Removed),
            _ if !same => self.note(Change::Modified),
            _ => {}
        }
    }

    fn note(&mut self, change: Change) {
        if is_metadata(&self.path) {
            return;
        }
        let set = match change {
            Change::Added => &mut self.found.added,
            Change::Modified => &mut self.found.modified,
            Change::Removed => &mut self.found.removed,
        };
        set.insert(&self.path);
    }
}

enum Change {
    Added,
    Modified,
    Removed,
}

impl<'a> Side<'a> {
    fn is_void(self) -> bool {
        match self {
            Side::Absent | Side::Implied => true,
            Side::Given(value) => is_void(Some(value)),
        }
    }

    fn fields(self) -> Fields<'a> {
        match self {
            Side::Absent => Fields::Absent,
            Side::Implied => Fields::Implied,
            Side::Given(Value::Object(object)) => Fields::Given(object),
            Side::Given(_) => Fields::Implied,
        }
    }

    fn items(self) -> &'a [Value] {
        match self {
            Side::Given(Value::Array(items)) => items,
            _ => &[],
        }
    }
}

impl<'a> Fields<'a> {
    fn get(self, name: &str) -> Option<&'a Value> {
        match self {
            Fields::Given(object) => object.get(name),
            Fields::Absent | Fields::Implied => None,
        }
    }

    fn names(self) -> impl Iterator<Item = &'a String> {
        let object = match self {
            Fields::Given(object) => Some(object),
            Fields::Absent | Fields::Implied => None,
        };
        object.into_iter().flat_map(Map::keys)
    }

    fn side(self, name: &str, is_always_there: bool) -> Side<'a> {
        match (self.get(name), self) {
            (Some(value), _) => Side::Given(value),
            (None, Fields::Given(_) | Fields::Implied) if is_always_there => Side::Implied,
            (None, _) => Side::Absent,
        }
    }
}

fn only<'a>(items: &[(PathElement, &'a Value)]) -> Side<'a> {
    items.first().map_or(Side::Absent, |(_, value)| Side::Given(value))
}

/// A list's items ordered by their places; what has none is left out.
fn placed(items: &[Value], model: Model) -> Vec<(PathElement, &Value)> {
    let mut placed: Vec<(PathElement, &Value)> =
        items.iter().filter_map(|item| Some((model.place(item).ok()?, item))).collect();
    placed.sort_by(|left, right| left.0.cmp(&right.0));
    placed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn check(kind: (&str, &str), old: Value, new: Value, expected: [Value; 3]) {
        let r#type = lookup(kind.0, "v1", kind.1).unwrap();
        let found = compare(&object(old), &object(new), r#type);
        assert_eq!([found.added.encode(), found.modified.encode(), found.removed.encode()], expected);
    }

    #[test]
    fn containers_are_named_where_go_has_pointers_lists_or_maps() {
        let new = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "uid": "u", "labels": {"app": "web"}},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "web"}},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": "i", "resources": {},
                        "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "1"}]}]},
                },
            },
        });
        // As `kubectl get --show-managed-fields` shows a Deployment that `kubectl create` made.
        let container = json!({
            ".": {}, "f:name": {}, "f:image": {}, "f:resources": {},
            "f:ports": {".": {}, "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}},
            "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}},
        });
        let added = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}, "f:type": {}},
                "f:template": {
                    "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                    "f:spec": {"f:containers": {"k:{\"name\":\"c\"}": container}},
                },
            },
        });
        check(("apps", "Deployment"), json!({}), new, [added, json!({}), json!({})]);
    }

    #[test]
    fn items_are_found_by_their_keys_wherever_they_stand() {
        let pod = |containers: Value| json!({"spec": {"containers": containers}});
        check(
            ("", "Pod"),
            pod(json!([{"name": "a", "image": "1"}, {"name": "b", "image": "1"}])),
            pod(json!([{"name": "c", "image": "1"}, {"name": "a", "image": "2", "stdin": true}])),
            [
                json!({"f:spec": {"f:containers": {
                    "k:{\"name\":\"a\"}": {"f:stdin": {}},
                    "k:{\"name\":\"c\"}": {".": {}, "f:image": {}, "f:name": {}},
                }}}),
                json!({"f:spec": {"f:containers": {"k:{\"name\":\"a\"}": {"f:image": {}}}}}),
                json!({"f:spec": {"f:containers": {"k:{\"name\":\"b\"}": {".": {}, "f:image": {}, "f:name": {}}}}}),
            ],
        );
    }

    #[test]
    fn sets_and_values_owned_as_one() {
        check(
            ("", "Pod"),
            json!({"metadata": {"finalizers": ["a", "b"]}, "spec": {"tolerations": [{"key": "x"}], "nodeSelector": {"a": "1"}}}),
            json!({"metadata": {"finalizers": ["b", "c"]}, "spec": {"tolerations": [{"key": "y"}], "nodeSelector": {"a": "2"}}}),
            [
                json!({"f:metadata": {"f:finalizers": {"v:\"c\"": {}}}}),
                json!({"f:spec": {"f:tolerations": {}, "f:nodeSelector": {}}}),
                json!({"f:metadata": {"f:finalizers": {"v:\"a\"": {}}}}),
            ],
        );
    }

    #[test]
    fn old_duplicates_are_compared_as_one() {
        let env = |values: &[&str]| {
            let env: Vec<Value> = values.iter().map(|value| json!({"name": "A", "value": value})).collect();
            json!({"spec": {"containers": [{"name": "c", "env": env}]}})
        };
        let path = json!({"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {"f:env": {"k:{\"name\":\"A\"}": {}}}}}});
        check(("", "Pod"), env(&["1", "2"]), env(&["1", "2"]), [json!({}), json!({}), json!({})]);
        check(("", "Pod"), env(&["1", "2"]), env(&["1"]), [json!({}), path, json!({})]);
    }
}
