//! Objects in their JSON form into messages, field by field, as upstream's generated code writes them: by number,
//! map entries by key, and values that are no pointers even where they are zero.

use api::{duration, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::writer::Writer;
use super::{PREFIX, ProtobufError};
use crate::schema::facts::LIST_METADATA;
use crate::schema::{Field, MAX_FIELDS, Presence, Shape, Type, lookup};

/// How much of an answer is set aside at first.
const USUAL_BYTES: usize = 4096;

/// An object, a list of objects or a Status as a body: the envelope with what it says it is, and its message.
pub fn encode(value: &Value) -> Result<Vec<u8>, ProtobufError> {
    let mut writer = Writer::with_capacity(USUAL_BYTES);
    enveloped(&mut writer, value)?;
    Ok(writer.into_bytes())
}

/// One event of a watch: its length in four bytes, then `WatchEvent`, which alone goes without an envelope.
pub fn frame(event: &str, object: &Value) -> Result<Vec<u8>, ProtobufError> {
    let mut writer = Writer::with_capacity(USUAL_BYTES);
    enveloped(&mut writer, object)?;
    writer.close(RAW_EXTENSION, 0);
    writer.close(WATCH_EVENT_OBJECT, 0);
    writer.bytes(WATCH_EVENT_TYPE, event.as_bytes());
    let length = u32::try_from(writer.len()).map_err(|_| ProtobufError::TooLong)?;
    writer.raw(&length.to_be_bytes());
    Ok(writer.into_bytes())
}

/// Whether objects of the kind have a protobuf form.
pub fn encodes(group: &str, version: &str, kind: &str) -> bool {
    lookup(group, version, kind).is_some_and(Type::has_numbers)
}

const RAW_EXTENSION: u16 = 1;
const WATCH_EVENT_TYPE: u16 = 1;
const WATCH_EVENT_OBJECT: u16 = 2;

fn enveloped(writer: &mut Writer, value: &Value) -> Result<(), ProtobufError> {
    let text = |field: &str| value[field].as_str().unwrap_or("");
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let Value::Object(object) = value else { return Err(no_form("a value that is no object")) };
    writer.bytes(4, b"");
    writer.bytes(3, b"");
    let raw = writer.len();
    message_of(writer, api_version, kind, object)?;
    writer.close(2, raw);
    let type_meta = writer.len();
    writer.bytes(2, kind.as_bytes());
    writer.bytes(1, api_version.as_bytes());
    writer.close(1, type_meta);
    writer.raw(PREFIX);
    Ok(())
}

/// The message of what calls itself `kind`.
fn message_of(
    writer: &mut Writer,
    api_version: &str,
    kind: &str,
    object: &Map<String, Value>,
) -> Result<(), ProtobufError> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    // Both versions of meta.k8s.io share their types, and discovery's oldest answers say no version.
    let of_items = if group == "meta.k8s.io" || api_version.is_empty() { "v1" } else { version };
    if let Some(r#type) = lookup(group, of_items, kind).filter(|r#type| r#type.has_numbers()) {
        return message(writer, object, r#type);
    }
    let item = kind.strip_suffix("List").and_then(|item| lookup(group, of_items, item));
    let item = match item.filter(|r#type| r#type.has_numbers()) {
        Some(r#type) => Shape::Struct(r#type),
        None if kind == "List" => Shape::Any,
        None => return Err(no_form(kind)),
    };
    let (metadata_at, items_at) = if (group, version) == ("meta.k8s.io", "v1beta1") { (2, 1) } else { (1, 2) };
    let empty = Value::Object(Map::new());
    let metadata = object.get("metadata").unwrap_or(&empty);
    let items = object.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let write_items =
        |writer: &mut Writer| items.iter().rev().try_for_each(|value| single(writer, items_at, value, &item, "items"));
    if items_at < metadata_at {
        single(writer, metadata_at, metadata, &Shape::Struct(LIST_METADATA), "metadata")?;
        return write_items(writer);
    }
    write_items(writer)?;
    single(writer, metadata_at, metadata, &Shape::Struct(LIST_METADATA), "metadata")
}

fn no_form(kind: &str) -> ProtobufError {
    ProtobufError::NoForm(kind.to_owned())
}

fn message(writer: &mut Writer, object: &Map<String, Value>, r#type: &Type) -> Result<(), ProtobufError> {
    let mut values = [None; MAX_FIELDS];
    for (name, value) in object {
        if let Some(at) = r#type.position(name) {
            values[at] = Some(value);
        }
    }
    for at in r#type.order.iter().rev().map(|at| usize::from(*at)) {
        match r#type.fields.get(at) {
            Some(field) => written(writer, field, values[at].filter(|value| !value.is_null()))?,
            None => {
                let (number, embedded) = r#type.embedded[at - r#type.fields.len()];
                let end = writer.len();
                message(writer, object, embedded)?;
                writer.close(number, end);
            }
        }
    }
    Ok(())
}

fn written(writer: &mut Writer, field: &Field, value: Option<&Value>) -> Result<(), ProtobufError> {
    let Field { number, name, shape, presence, .. } = field;
    match (shape, value) {
        (Shape::List(item), Some(Value::Array(items))) => {
            items.iter().rev().try_for_each(|value| single(writer, *number, value, item, name))
        }
        (Shape::Map(value), Some(Value::Object(entries))) => map(writer, *number, entries, value, name),
        (_, Some(value)) => single(writer, *number, value, shape, name),
        (Shape::List(_) | Shape::Map(_) | Shape::Bytes, None) => Ok(()),
        (_, None) if *presence == Presence::Pointer => Ok(()),
        (_, None) => single(writer, *number, &Value::Null, shape, name),
    }
}

fn map(
    writer: &mut Writer,
    number: u16,
    entries: &Map<String, Value>,
    shape: &Shape,
    name: &'static str,
) -> Result<(), ProtobufError> {
    let mut ordered: Vec<(&String, &Value)> = entries.iter().collect();
    ordered.sort_unstable_by_key(|(key, _)| *key);
    for (key, value) in ordered.into_iter().rev() {
        let end = writer.len();
        match (shape, value) {
            // Lists as values are messages of their own.
            (Shape::List(item), Value::Array(items)) => {
                items.iter().rev().try_for_each(|value| single(writer, 1, value, item, name))?;
                writer.close(2, end);
            }
            (Shape::List(_) | Shape::Bytes, Value::Null) => {}
            _ => single(writer, 2, value, shape, name)?,
        }
        writer.bytes(1, key.as_bytes());
        writer.close(number, end);
    }
    Ok(())
}

/// A field that stands once. Null is Go's zero value.
fn single(
    writer: &mut Writer,
    number: u16,
    value: &Value,
    shape: &Shape,
    name: &'static str,
) -> Result<(), ProtobufError> {
    let fault = || ProtobufError::Field { field: name, reason: format!("{value} has no place here") };
    let end = writer.len();
    match (shape, value) {
        (Shape::String | Shape::Text(_), Value::String(text)) => writer.bytes(number, text.as_bytes()),
        (Shape::String | Shape::Text(_), Value::Null) => writer.bytes(number, b""),
        (Shape::Bool, Value::Bool(truth)) => writer.number(number, u64::from(*truth)),
        (Shape::Bool | Shape::Int32 | Shape::Int64, Value::Null) => writer.number(number, 0),
        (Shape::Int32 | Shape::Int64, Value::Number(integer)) => {
            // Negative numbers go as 64 bits of two's complement, whatever their width.
            writer.number(number, integer.as_i64().ok_or_else(fault)? as u64);
        }
        (Shape::Float64, Value::Number(float)) => {
            writer.fixed64(number, float.as_f64().ok_or_else(fault)?.to_bits());
        }
        (Shape::Float64, Value::Null) => writer.fixed64(number, 0),
        (Shape::Bytes, Value::String(text)) => {
            let bytes = decoded(text).ok_or_else(fault)?;
            writer.bytes(number, &bytes);
        }
        (Shape::Bytes, Value::Null) => writer.bytes(number, b""),
        (Shape::Quantity, Value::String(text)) => {
            writer.bytes(1, text.as_bytes());
            writer.close(number, end);
        }
        (Shape::Quantity, Value::Number(amount)) => {
            writer.bytes(1, amount.to_string().as_bytes());
            writer.close(number, end);
        }
        (Shape::Quantity, Value::Null) => {
            writer.bytes(1, b"0");
            writer.close(number, end);
        }
        (Shape::IntOrString, Value::Null | Value::Number(_) | Value::String(_)) => {
            let integer = if value.is_number() { value.as_i64().ok_or_else(fault)? } else { 0 };
            writer.bytes(3, value.as_str().unwrap_or("").as_bytes());
            writer.number(2, integer as u64);
            writer.number(1, u64::from(value.is_string()));
            writer.close(number, end);
        }
        (Shape::Time | Shape::MicroTime, Value::String(text)) => {
            let moment = time::parse(text).ok_or_else(fault)?;
            let micros = moment.as_microsecond();
            let counts_micros = matches!(shape, Shape::MicroTime);
            writer.number(2, if counts_micros { micros.rem_euclid(1_000_000) as u64 * 1000 } else { 0 });
            writer.number(1, micros.div_euclid(1_000_000) as u64);
            writer.close(number, end);
        }
        (Shape::Time | Shape::MicroTime, Value::Null) => writer.close(number, end),
        (Shape::Duration, Value::String(_) | Value::Null) => {
            let nanoseconds = duration::parse(value.as_str().unwrap_or("0")).ok_or_else(fault)?;
            writer.number(1, nanoseconds as u64);
            writer.close(number, end);
        }
        (Shape::Struct(r#type), Value::Object(object)) => {
            message(writer, object, r#type)?;
            writer.close(number, end);
        }
        (Shape::Struct(r#type), Value::Null) => {
            message(writer, &Map::new(), r#type)?;
            writer.close(number, end);
        }
        (Shape::Any, Value::Null) => writer.close(number, end),
        (Shape::Any, json) => {
            writer.bytes(RAW_EXTENSION, json.to_string().as_bytes());
            writer.close(number, end);
        }
        (Shape::Either(r#type), form) => {
            either(writer, form, r#type, name)?;
            writer.close(number, end);
        }
        _ => return Err(fault()),
    }
    Ok(())
}

/// Each form JSON may take here has a field of its own. A truth value beside others says that there is one.
fn either(writer: &mut Writer, form: &Value, r#type: &Type, name: &'static str) -> Result<(), ProtobufError> {
    for field in r#type.order.iter().rev().map(|at| &r#type.fields[usize::from(*at)]) {
        match (&field.shape, form) {
            (Shape::Bool, form) => {
                let allows = Value::Bool(form.as_bool().unwrap_or(!form.is_null()));
                single(writer, field.number, &allows, &Shape::Bool, name)?;
            }
            (Shape::Struct(_), Value::Object(_)) => single(writer, field.number, form, &field.shape, name)?,
            (Shape::List(_), Value::Array(_)) => written(writer, field, Some(form))?,
            _ => {}
        }
    }
    Ok(())
}

/// Go's decoder skips line breaks inside base64.
fn decoded(text: &str) -> Option<Vec<u8>> {
    match text.contains(['\r', '\n']) {
        true => STANDARD.decode(text.replace(['\r', '\n'], "")).ok(),
        false => STANDARD.decode(text).ok(),
    }
}
