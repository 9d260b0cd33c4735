//! What an applied configuration says: whether it fits its type, and which fields it names.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value};

use super::element::{PathElement, path_text};
use super::model::Model;
use super::set::FieldSet;
use crate::Object;
use crate::schema::{Shape, Type};

/// The faults of a configuration, as upstream prints them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Misfit {
    faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Fault {
    path: String,
    message: String,
}

/// How many faults are told.
const MAX_FAULTS: usize = 100;

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => formatter.write_str(&self.message),
            path => write!(formatter, "{path}: {}", self.message),
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = &self.faults[..] {
            return write!(formatter, "{only}");
        }
        formatter.write_str("errors:")?;
        self.faults.iter().try_for_each(|fault| write!(formatter, "\n  {fault}"))
    }
}

/// Checks a configuration against its type: unknown fields, wrong types, items without keys, items twice.
pub(super) fn validate(config: &Object, r#type: &'static Type) -> Result<(), Misfit> {
    let mut walk = Validation { path: Vec::new(), faults: Vec::new() };
    walk.fields(config, Some(r#type), None);
    if walk.faults.is_empty() { Ok(()) } else { Err(Misfit { faults: walk.faults }) }
}

struct Validation {
    path: Vec<PathElement>,
    faults: Vec<Fault>,
}

impl Validation {
    fn fields(&mut self, object: &Map<String, Value>, r#type: Option<&'static Type>, entry: Option<&'static Shape>) {
        for (name, value) in object {
            let field = r#type.and_then(|r#type| r#type.field(name));
            self.path.push(PathElement::field(name));
            match (field, entry) {
                (Some(field), _) => self.value(value, &field.shape, Model::of_field(field)),
                (None, Some(shape)) => self.value(value, shape, Model::of_shape(shape)),
                (None, None) => self.fault("field not declared in schema".to_owned()),
            }
            self.path.pop();
        }
    }

    fn value(&mut self, value: &Value, shape: &'static Shape, model: Model) {
        match (shape, value) {
            (_, Value::Null) | (Shape::Any | Shape::Either(_), _) => {}
            (Shape::Struct(r#type), Value::Object(object)) => self.fields(object, Some(r#type), None),
            (Shape::Map(entry), Value::Object(object)) => self.fields(object, None, Some(entry)),
            (Shape::List(item), Value::Array(items)) => self.items(items, item, model),
            (Shape::Struct(_) | Shape::Map(_), other) => {
                self.fault(format!("expected map, got &{{{}}}", go_value(other)))
            }
            (Shape::List(_), other) => self.fault(format!("expected list, got &{{{}}}", go_value(other))),
            (_, Value::Array(_) | Value::Object(_)) => {
                self.fault(format!("expected {}, got {}", scalar(shape), go_wrapped(value)));
            }
            (Shape::Int32 | Shape::Int64 | Shape::Float64, other) if !other.is_number() => {
                self.fault(format!("expected numeric (int or float), got {}", go_type(other)));
            }
            (Shape::Bool, other) if !other.is_boolean() => {
                self.fault(format!("expected boolean, got {}", go_wrapped(other)));
            }
            (Shape::String | Shape::Text(_) | Shape::Bytes, other) if !other.is_string() => {
                self.fault(format!("expected string, got {}", go_wrapped(other)));
            }
            _ => {}
        }
    }

    fn items(&mut self, items: &[Value], shape: &'static Shape, model: Model) {
        let is_shared = matches!(model, Model::List { .. } | Model::Set);
        let mut seen = BTreeSet::new();
        for (at, item) in items.iter().enumerate() {
            let element = match is_shared.then(|| model.place(item)) {
                None => PathElement::Index(i64::try_from(at).unwrap_or(i64::MAX)),
                Some(Ok(place)) => place,
                Some(Err(error)) => {
                    self.fault(format!("element {at}: {error}"));
                    continue;
                }
            };
            if is_shared && !seen.insert(element.clone()) {
                self.fault(format!("duplicate entries for key {element}"));
            }
            self.path.push(element);
            self.value(item, shape, Model::of_shape(shape));
            self.path.pop();
        }
    }

    fn fault(&mut self, message: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { path: path_text(&self.path), message });
        }
    }
}

fn scalar(shape: &Shape) -> &'static str {
    match shape {
        Shape::Bool => "boolean",
        Shape::Int32 | Shape::Int64 | Shape::Float64 => "numeric (int or float)",
        Shape::Quantity | Shape::IntOrString | Shape::Time | Shape::MicroTime => "scalar",
        _ => "string",
    }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn go_wrapped(value: &Value) -> String {
    let inner = match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) | Value::Object(_) => format!("{}{{…}}", go_type(value)),
        scalar => scalar.to_string(),
    };
    format!("&value.valueUnstructured{{Value:{inner}}}")
}

/// As Go's `%v` prints a decoded value.
pub fn go_value(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_value).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(entries) => {
            let mut entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{name}:{}", go_value(value))).collect();
            entries.sort_unstable();
            format!("map[{}]", entries.join(" "))
        }
        scalar => scalar.to_string(),
    }
}

/// Every field a configuration names: its scalars, items and map entries; not the containers that only lead there.
pub(super) fn field_set(config: &Object, r#type: &'static Type) -> FieldSet {
    let mut walk = Naming { path: Vec::new(), set: FieldSet::default() };
    walk.fields(config, Model::Struct(r#type));
    walk.set
}

struct Naming {
    path: Vec<PathElement>,
    set: FieldSet,
}

impl Naming {
    fn value(&mut self, value: &Value, model: Model) {
        match (model, value) {
            (Model::Struct(_) | Model::Map(_), Value::Object(object)) => self.fields(object, model),
            (Model::List { .. } | Model::Set, Value::Array(items)) => self.items(items, model),
            (Model::Leaf, _) => self.insert(),
            _ => {}
        }
    }

    fn fields(&mut self, object: &Map<String, Value>, model: Model) {
        for (name, value) in object {
            let child = model.under(name);
            self.path.push(child.element);
            self.value(value, child.model);
            let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
            if is_empty || !child.is_named {
                self.insert();
            }
            self.path.pop();
        }
    }

    fn items(&mut self, items: &[Value], model: Model) {
        for item in items {
            let Ok(place) = model.place(item) else { continue };
            self.path.push(place);
            self.value(item, model.item());
            self.insert();
            self.path.pop();
        }
    }

    fn insert(&mut self) {
        self.set.insert(&self.path);
    }
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

    #[test]
    fn a_configuration_names_leaves_items_and_entries() {
        let config = object(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "a", "labels": {"app": "web"}, "annotations": {}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}],
                "tolerations": [], "nodeSelector": {"a": "b"}, "securityContext": {}},
        }));
        assert_eq!(
            field_set(&config, lookup("", "v1", "Pod").unwrap()).encode(),
            json!({
                "f:apiVersion": {}, "f:kind": {},
                "f:metadata": {"f:annotations": {}, "f:labels": {"f:app": {}}, "f:name": {}},
                "f:spec": {
                    "f:containers": {r#"k:{"name":"c"}"#: {".": {}, "f:image": {}, "f:name": {},
                        "f:ports": {r#"k:{"containerPort":80,"protocol":"TCP"}"#: {".": {}, "f:containerPort": {}}}}},
                    "f:nodeSelector": {}, "f:securityContext": {}, "f:tolerations": {},
                },
            })
        );
    }

    #[test]
    fn what_does_not_fit_is_said_as_upstream_says_it() {
        let check = |spec: Value| {
            let config = object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec}));
            validate(&config, lookup("", "v1", "Pod").unwrap()).map_err(|misfit| misfit.to_string())
        };
        assert_eq!(check(json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": 1}}}]})), Ok(()));
        for (spec, expected) in [
            (json!({"foo": 1}), ".spec.foo: field not declared in schema"),
            (
                json!({"containers": [{"name": "a", "ports": [{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]}]}),
                r#".spec.containers[name="a"].ports: duplicate entries for key [containerPort=80,protocol="TCP"]"#,
            ),
            (
                json!({"containers": [{"image": "a"}]}),
                r#".spec.containers: element 0: associative list with keys has an element that omits all key fields ["name"] (and doesn't have default values for any key fields)"#,
            ),
            (
                json!({"containers": [{"name": "a", "env": [{"name": "E", "value": true}]}]}),
                r#".spec.containers[name="a"].env[name="E"].value: expected string, got &value.valueUnstructured{Value:true}"#,
            ),
            (
                json!({"priority": "high", "hostname": 1}),
                "errors:\n  .spec.priority: expected numeric (int or float), got string\n  .spec.hostname: expected string, got \
                 &value.valueUnstructured{Value:1}",
            ),
            (json!({"containers": {"a": 1}}), ".spec.containers: expected list, got &{map[a:1]}"),
            (json!({"securityContext": "x"}), ".spec.securityContext: expected map, got &{x}"),
        ] {
            assert_eq!(check(spec), Err(expected.to_owned()));
        }
    }
}
