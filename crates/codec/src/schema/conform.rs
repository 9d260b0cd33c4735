//! Fits a JSON object to its type, as reading it into Go's struct and writing it out again would.

use api::{duration, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::{Shape, Type};

/// Why an object cannot be of its type, in the words of Go's decoder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    #[error("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {expected}")]
    Field { found: String, owner: String, path: String, expected: String },
    #[error("json: cannot unmarshal {found} into Go value of type {expected}")]
    Value { found: String, expected: &'static str },
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Quantity,
    #[error("time: invalid duration {0:?}")]
    Duration(String),
    #[error("illegal base64 data at input byte {at}")]
    Base64 { at: usize },
    #[error("parsing time {text:?} as \"{layout}\": cannot parse {text:?} as \"{layout}\"")]
    Time { text: String, layout: &'static str },
}

const TIME_LAYOUT: &str = "2006-01-02T15:04:05Z07:00";
const MICRO_TIME_LAYOUT: &str = "2006-01-02T15:04:05.000000Z07:00";

/// How many complaints one object may gather.
const MAX_COMPLAINTS: usize = 100;

/// Drops nulls, unknown fields and zero values that Go would not write; brings quantities and times into
/// their canonical form. Unknown fields are added to `complaints` as `unknown field "spec.foo"`.
pub fn conform(object: &mut Map<String, Value>, r#type: &Type, complaints: &mut Vec<String>) -> Result<(), TypeError> {
    let version = r#type.version("");
    let mut walk = Walk {
        full_path: String::new(),
        field_path: String::new(),
        version,
        owner: (r#type.name, version),
        complaints,
    };
    walk.object(object, r#type)
}

struct Walk<'a> {
    /// Of the kind.
    version: &'static str,
    /// With indices and map keys, as complaints name a place: `spec.containers[0].image`.
    full_path: String,
    /// Struct fields only, as Go's type errors name it: `spec.containers.image`.
    field_path: String,
    /// Name and version of the struct that holds the field being read.
    owner: (&'static str, &'static str),
    complaints: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn object(&mut self, object: &mut Map<String, Value>, r#type: &Type) -> Result<(), TypeError> {
        let mut fault = Ok(());
        object.retain(|key, value| {
            if fault.is_err() {
                return true;
            }
            let outer = (self.full_path.len(), self.field_path.len());
            append_name(&mut self.full_path, key);
            let keep = match r#type.field(key) {
                None => {
                    self.complain();
                    false
                }
                Some(_) if value.is_null() => false,
                Some(field) => {
                    append_name(&mut self.field_path, key);
                    self.owner = (r#type.name, r#type.version(self.version));
                    fault = self.value(value, &field.shape);
                    !(field.omits_zero() && is_zero(value))
                }
            };
            self.full_path.truncate(outer.0);
            self.field_path.truncate(outer.1);
            keep
        });
        fault
    }

    fn complain(&mut self) {
        let complaint = format!("unknown field \"{}\"", self.full_path);
        if self.complaints.len() < MAX_COMPLAINTS && !self.complaints.contains(&complaint) {
            self.complaints.push(complaint);
        }
    }

    fn value(&mut self, value: &mut Value, shape: &Shape) -> Result<(), TypeError> {
        match (shape, &mut *value) {
            (Shape::Any | Shape::Either(_), _)
            | (Shape::String | Shape::Text(_), Value::String(_))
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Float64, Value::Number(_)) => Ok(()),
            (Shape::Struct(r#type), Value::Object(object)) => self.object(object, r#type),
            (Shape::List(item), Value::Array(items)) => self.list(items, item),
            (Shape::Map(item), Value::Object(entries)) => self.map(entries, item),
            (Shape::Int32, Value::Number(number)) if integer(number).is_some_and(|n| i32::try_from(n).is_ok()) => {
                Ok(())
            }
            (Shape::Int64, Value::Number(number)) if integer(number).is_some() => Ok(()),
            (Shape::Int32 | Shape::Int64, Value::Number(number)) => {
                let found = format!("number {number}");
                Err(self.mismatch(found, shape))
            }
            (Shape::IntOrString, Value::String(_)) => Ok(()),
            (Shape::IntOrString, Value::Number(n)) if integer(n).is_some_and(|n| i32::try_from(n).is_ok()) => Ok(()),
            (Shape::IntOrString, other) => Err(TypeError::Value { found: found(other), expected: "int32" }),
            (Shape::Quantity, Value::String(text)) => replace(text, canonical_quantity(text)?),
            (Shape::Quantity, Value::Number(number)) => {
                *value = Value::String(canonical_quantity(&number.to_string())?);
                Ok(())
            }
            (Shape::Quantity, _) => Err(TypeError::Quantity),
            (Shape::Bytes, Value::String(text)) => check_base64(text),
            (Shape::Time, Value::String(text)) => replace(text, canonical_time(text, TIME_LAYOUT, time::seconds)?),
            (Shape::MicroTime, Value::String(text)) => {
                replace(text, canonical_time(text, MICRO_TIME_LAYOUT, time::micros)?)
            }
            (Shape::Duration, Value::String(text)) => {
                let nanoseconds = duration::parse(text).ok_or_else(|| TypeError::Duration(text.clone()))?;
                replace(text, duration::format(nanoseconds))
            }
            (Shape::Time | Shape::MicroTime | Shape::Duration, other) => {
                Err(TypeError::Value { found: found(other), expected: "string" })
            }
            (_, other) => {
                let found = found(other);
                Err(self.mismatch(found, shape))
            }
        }
    }

    fn list(&mut self, items: &mut [Value], shape: &Shape) -> Result<(), TypeError> {
        let owner = self.owner;
        for (at, item) in items.iter_mut().enumerate() {
            let outer = self.full_path.len();
            self.full_path.push_str(&format!("[{at}]"));
            self.owner = owner;
            self.item(item, shape)?;
            self.full_path.truncate(outer);
        }
        Ok(())
    }

    fn map(&mut self, entries: &mut Map<String, Value>, shape: &Shape) -> Result<(), TypeError> {
        let owner = self.owner;
        for (key, item) in entries {
            let outer = self.full_path.len();
            append_name(&mut self.full_path, key);
            self.owner = owner;
            self.item(item, shape)?;
            self.full_path.truncate(outer);
        }
        Ok(())
    }

    /// An item of a list or map, where null stands for the zero value.
    fn item(&mut self, item: &mut Value, shape: &Shape) -> Result<(), TypeError> {
        if item.is_null() {
            *item = zero(shape);
            return Ok(());
        }
        self.value(item, shape)
    }

    fn mismatch(&self, found: String, expected: &Shape) -> TypeError {
        let (owner, version) = self.owner;
        let expected = expected.go(version);
        TypeError::Field { found, owner: owner.to_owned(), path: self.field_path.clone(), expected }
    }
}

fn append_name(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
}

fn replace(text: &mut String, canonical: String) -> Result<(), TypeError> {
    *text = canonical;
    Ok(())
}

/// Go reads only digits as an integer: `1.0` and `1e3` are none.
fn integer(number: &Number) -> Option<i64> {
    number.as_i64()
}

fn found(value: &Value) -> String {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
    .to_owned()
}

/// What Go's zero value of the shape is in JSON.
pub(crate) fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::String | Shape::Text(_) => Value::from(""),
        Shape::Bool => Value::from(false),
        Shape::Int32 | Shape::Int64 | Shape::Float64 | Shape::IntOrString => Value::from(0),
        Shape::Quantity => Value::from("0"),
        Shape::Duration => Value::from("0s"),
        Shape::Struct(_) => Value::Object(Map::new()),
        Shape::Time | Shape::MicroTime | Shape::Bytes | Shape::List(_) | Shape::Map(_) => Value::Null,
        Shape::Any | Shape::Either(_) => Value::Null,
    }
}

pub(crate) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(truth) => !truth,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
    }
}

fn canonical_quantity(text: &str) -> Result<String, TypeError> {
    api::quantity::canonical(text.trim()).map_err(|_| TypeError::Quantity)
}

fn canonical_time(text: &str, layout: &'static str, format: fn(Timestamp) -> String) -> Result<String, TypeError> {
    time::parse(text).map(format).ok_or_else(|| TypeError::Time { text: text.to_owned(), layout })
}

/// Go's decoder skips line breaks inside base64.
fn check_base64(text: &str) -> Result<(), TypeError> {
    let fault = match text.contains(['\r', '\n']) {
        true => STANDARD.decode(text.replace(['\r', '\n'], "")).err(),
        false => STANDARD.decode(text).err(),
    };
    match fault {
        None => Ok(()),
        Some(base64::DecodeError::InvalidByte(at, _) | base64::DecodeError::InvalidLastSymbol(at, _)) => {
            Err(TypeError::Base64 { at })
        }
        Some(base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding) => {
            Err(TypeError::Base64 { at: text.len() / 4 * 4 })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    fn fit(kind: (&str, &str), value: Value) -> Result<(Value, Vec<String>), String> {
        let Value::Object(mut object) = value else { panic!("an object") };
        let mut complaints = Vec::new();
        conform(&mut object, lookup(kind.0, "v1", kind.1).unwrap(), &mut complaints).map_err(|e| e.to_string())?;
        Ok((Value::Object(object), complaints))
    }

    #[test]
    fn unknown_fields_go_and_are_named_with_their_place() {
        let (object, complaints) = fit(
            ("apps", "Deployment"),
            json!({"spec": {"foo": 1, "template": {"spec": {"containers": [{"name": "a", "immage": "b"}]}}}, "x": null}),
        )
        .unwrap();
        assert_eq!(object, json!({"spec": {"template": {"spec": {"containers": [{"name": "a"}]}}}}));
        assert_eq!(
            complaints,
            [
                r#"unknown field "spec.foo""#,
                r#"unknown field "spec.template.spec.containers[0].immage""#,
                r#"unknown field "x""#
            ]
        );
    }

    #[test]
    fn a_wrong_type_is_said_as_go_says_it() {
        let deployment = ("apps", "Deployment");
        for (kind, object, expected) in [
            (
                deployment,
                json!({"spec": {"replicas": "3"}}),
                "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                deployment,
                json!({"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": 1}]}]}}}}),
                "json: cannot unmarshal number into Go struct field \
                 EnvVar.spec.template.spec.containers.env.value of type string",
            ),
            (
                deployment,
                json!({"metadata": {"labels": {"a": true}}}),
                "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string",
            ),
            (
                deployment,
                json!({"spec": {"replicas": 1.5}}),
                "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32",
            ),
            (
                ("", "Pod"),
                json!({"spec": {"containers": {"name": "a"}}}),
                "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container",
            ),
            (
                ("", "Service"),
                json!({"spec": {"ports": [{"targetPort": true}]}}),
                "json: cannot unmarshal bool into Go value of type int32",
            ),
            (("", "Secret"), json!({"data": {"a": "%"}}), "illegal base64 data at input byte 0"),
        ] {
            assert_eq!(fit(kind, object), Err(expected.to_owned()));
        }
    }

    #[test]
    fn zero_values_quantities_and_times_take_gos_form() {
        let (object, complaints) = fit(
            ("", "Pod"),
            json!({
                "metadata": {"labels": {}, "creationTimestamp": "2030-01-01T02:00:00.5+02:00"},
                "spec": {
                    "hostNetwork": false,
                    "automountServiceAccountToken": false,
                    "volumes": [],
                    "containers": [{"name": "a", "resources": {"limits": {"cpu": 0.5, "memory": "1024Mi"}}}],
                },
            }),
        )
        .unwrap();
        assert_eq!(complaints, [""; 0]);
        assert_eq!(
            object,
            json!({
                "metadata": {"creationTimestamp": "2030-01-01T00:00:00Z"},
                "spec": {
                    "automountServiceAccountToken": false,
                    "containers": [{"name": "a", "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}}}],
                },
            })
        );
    }
}
