//! A message's fields into the object of the type that numbers them.

use api::{duration, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::reader::{Payload, Reader};
use super::{MAX_NESTING, ProtobufError};
use crate::decode::{MAX_BODY_BYTES, Object};
use crate::schema::{Shape, Type, is_zero, zero};
use crate::tree;

/// Reads a message into an object. Zero values that Go would not write as JSON are left out.
pub(super) fn read(bytes: &[u8], r#type: &Type, object: &mut Object) -> Result<(), ProtobufError> {
    fields(bytes, r#type, object, MAX_NESTING)
}

/// What stands twice is merged, as protobuf has it.
fn fields(bytes: &[u8], r#type: &Type, object: &mut Object, levels: usize) -> Result<(), ProtobufError> {
    let levels = levels.checked_sub(1).ok_or(ProtobufError::TooDeep)?;
    let mut reader = Reader::new(bytes);
    while let Some((number, payload)) = reader.next()? {
        if let Some(field) = r#type.numbered(number) {
            // Go writes zeros that JSON has not: most of a message is these.
            let is_one = !matches!(field.shape, Shape::List(_) | Shape::Map(_));
            if is_one && field.omits_zero() && payload.is_zero() && !object.contains_key(field.name) {
                continue;
            }
            let place = object.entry(field.name).or_insert(Value::Null);
            merge(place, &field.shape, Item { field: field.name, payload, levels })?;
        } else if let Some((_, embedded)) = r#type.embedded.iter().find(|(at, _)| u32::from(*at) == number) {
            fields(payload.bytes(embedded.name)?, embedded, object, levels)?;
        }
    }
    object.retain(|name, value| !(is_zero(value) && r#type.field(name).is_some_and(|field| field.omits_zero())));
    Ok(())
}

/// One payload, the JSON name of the field it is for, and how much deeper messages may go in it.
#[derive(Clone, Copy)]
struct Item<'a> {
    field: &'static str,
    payload: Payload<'a>,
    levels: usize,
}

fn merge(place: &mut Value, shape: &Shape, item: Item<'_>) -> Result<(), ProtobufError> {
    match shape {
        Shape::List(element) => append(array(place), element, item),
        Shape::Map(value) => {
            let (key, value) = entry(value, item)?;
            object(place).insert(key, value);
            Ok(())
        }
        Shape::Struct(r#type) => fields(item.bytes()?, r#type, object(place), item.levels),
        _ => {
            *place = single(shape, item)?;
            Ok(())
        }
    }
}

fn append(items: &mut Vec<Value>, element: &Shape, item: Item<'_>) -> Result<(), ProtobufError> {
    match (element, item.payload) {
        // Numbers may also come packed into one payload.
        (Shape::Int32 | Shape::Int64 | Shape::Bool, Payload::Bytes(packed)) => {
            let mut reader = Reader::new(packed);
            while !reader.is_empty() {
                let payload = Payload::Varint(reader.varint()?);
                items.push(single(element, Item { payload, ..item })?);
            }
        }
        _ => {
            let mut value = Value::Null;
            merge(&mut value, element, item)?;
            items.push(value);
        }
    }
    Ok(())
}

/// A map's entry: a message of key and value. A list as the value is wrapped in a message of its own.
fn entry(shape: &Shape, item: Item<'_>) -> Result<(String, Value), ProtobufError> {
    let mut key = "";
    let mut value = match shape {
        Shape::Bytes => Value::from(""),
        Shape::List(_) => Value::Array(Vec::new()),
        other => zero(other),
    };
    let mut reader = Reader::new(item.bytes()?);
    while let Some((number, payload)) = reader.next()? {
        match (number, shape) {
            (1, _) => key = payload.text(item.field)?,
            (2, Shape::List(element)) => {
                let mut wrapped = Reader::new(payload.bytes(item.field)?);
                while let Some((number, payload)) = wrapped.next()? {
                    if number == 1 {
                        append(array(&mut value), element, Item { payload, ..item })?;
                    }
                }
            }
            (2, shape) => merge(&mut value, shape, Item { payload, ..item })?,
            _ => {}
        }
    }
    Ok((key.to_owned(), value))
}

/// What is one payload. Negative numbers come as 64 bits of two's complement, whatever their width.
fn single(shape: &Shape, item: Item<'_>) -> Result<Value, ProtobufError> {
    let Item { field, payload, .. } = item;
    Ok(match shape {
        Shape::String | Shape::Text(_) => Value::from(payload.text(field)?),
        Shape::Bool => Value::from(payload.varint(field)? != 0),
        Shape::Int32 => Value::from(payload.varint(field)? as i32),
        Shape::Int64 => Value::from(payload.varint(field)? as i64),
        Shape::Float64 => {
            let number = Number::from_f64(f64::from_bits(payload.fixed64(field)?));
            Value::Number(number.ok_or_else(|| item.fault("not a number that JSON can hold"))?)
        }
        Shape::Bytes => Value::from(STANDARD.encode(payload.bytes(field)?)),
        Shape::Quantity => Value::from(item.only(1)?.map_or(Ok("0"), |payload| payload.text(field))?),
        Shape::IntOrString => int_or_string(item)?,
        Shape::Time => moment(item, time::seconds)?,
        Shape::MicroTime => moment(item, time::micros)?,
        Shape::Duration => {
            let nanoseconds = item.only(1)?.map_or(Ok(0), |payload| payload.varint(field))?;
            Value::from(duration::format(nanoseconds as i64))
        }
        Shape::Any => match item.only(1)?.map_or(Ok(&[][..]), |payload| payload.bytes(field))? {
            [] => Value::Null,
            json => tree::from_json(json, MAX_BODY_BYTES).map_err(|reason| item.fault(reason))?.value,
        },
        Shape::Either(r#type) => {
            let mut forms = Object::new();
            fields(item.bytes()?, r#type, &mut forms, item.levels)?;
            // A truth value stands for the whole only where nothing says more.
            let says_more = forms.values().position(|form| !form.is_boolean());
            forms.into_iter().nth(says_more.unwrap_or(0)).map_or(Value::Bool(false), |(_, form)| form)
        }
        Shape::List(_) | Shape::Map(_) | Shape::Struct(_) => {
            let mut value = Value::Null;
            merge(&mut value, shape, item)?;
            value
        }
    })
}

/// A message of three: which of the others holds (1), a number (2), a text (3).
fn int_or_string(item: Item<'_>) -> Result<Value, ProtobufError> {
    let (mut is_text, mut number, mut text) = (false, 0, "");
    let mut reader = Reader::new(item.bytes()?);
    while let Some((at, payload)) = reader.next()? {
        match at {
            1 => is_text = payload.varint(item.field)? == 1,
            2 => number = payload.varint(item.field)? as i32,
            3 => text = payload.text(item.field)?,
            _ => {}
        }
    }
    Ok(if is_text { Value::from(text) } else { Value::from(number) })
}

/// A message of seconds (1) and nanoseconds (2); an empty one is Go's zero time, which JSON has as null.
fn moment(item: Item<'_>, format: fn(Timestamp) -> String) -> Result<Value, ProtobufError> {
    let bytes = item.bytes()?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let (mut seconds, mut nanoseconds) = (0, 0);
    let mut reader = Reader::new(bytes);
    while let Some((at, payload)) = reader.next()? {
        match at {
            1 => seconds = payload.varint(item.field)? as i64,
            2 => nanoseconds = payload.varint(item.field)? as i32,
            _ => {}
        }
    }
    let moment = Timestamp::new(seconds, nanoseconds).map_err(|_| item.fault("the time is out of range"))?;
    Ok(Value::from(format(moment)))
}

impl<'a> Item<'a> {
    fn bytes(self) -> Result<&'a [u8], ProtobufError> {
        self.payload.bytes(self.field)
    }

    /// The last payload with this number in the message that the payload is.
    fn only(self, wanted: u32) -> Result<Option<Payload<'a>>, ProtobufError> {
        let mut found = None;
        let mut reader = Reader::new(self.bytes()?);
        while let Some((number, payload)) = reader.next()? {
            if number == wanted {
                found = Some(payload);
            }
        }
        Ok(found)
    }

    fn fault(self, reason: impl Into<String>) -> ProtobufError {
        ProtobufError::Field { field: self.field, reason: reason.into() }
    }
}

/// The list in a place that holds one or nothing yet.
fn array(place: &mut Value) -> &mut Vec<Value> {
    if !place.is_array() {
        *place = Value::Array(Vec::new());
    }
    match place {
        Value::Array(items) => items,
        _ => unreachable!("the place was just made a list"),
    }
}

/// The object in a place that holds one or nothing yet.
fn object(place: &mut Value) -> &mut Map<String, Value> {
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    match place {
        Value::Object(entries) => entries,
        _ => unreachable!("the place was just made an object"),
    }
}
