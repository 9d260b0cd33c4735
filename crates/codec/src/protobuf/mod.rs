//! Kubernetes' protobuf form of an object: an envelope that names the type, and in it a message whose
//! fields the schema table numbers. Decoding gives the object that the same thing in JSON would give; encoding gives
//! the bytes that upstream gives for that.

mod encode;
mod message;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

use serde_json::Value;

use crate::decode::{DecodeError, MAX_BODY_BYTES, Object};
use crate::schema::{self, Type};
use reader::{Reader, WireError};

pub use encode::{encode, encodes, frame};

pub const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// Of a watch.
pub const STREAM_MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf;stream=watch";

/// What every body starts with.
const PREFIX: &[u8] = b"k8s\0";

/// Both for messages within messages and for the JSON that comes of them; what `serde_json` reads back.
const MAX_NESTING: usize = 127;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    #[error("empty data")]
    Empty,
    #[error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")]
    Prefix,
    #[error(transparent)]
    Syntax(#[from] WireError),
    #[error("the content encoding {0:?} is not supported")]
    ContentEncoding(String),
    #[error("the content type {0:?} is not supported inside of protobuf")]
    ContentType(String),
    #[error("{0} has no protobuf form")]
    NoForm(String),
    #[error("proto: field {field}: {reason}")]
    Field { field: &'static str, reason: String },
    #[error("the message is longer than 4 GiB")]
    TooLong,
    #[error("nested more than {MAX_NESTING} levels deep")]
    TooDeep,
}

/// A body as an object of a built-in type. Unknown fields are skipped: protobuf has no names to complain of.
pub fn decode(body: &[u8], r#type: &Type) -> Result<Object, DecodeError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(DecodeError::TooLarge { limit: MAX_BODY_BYTES });
    }
    if !r#type.has_numbers() {
        return Err(ProtobufError::NoForm(r#type.name.to_owned()).into());
    }
    let envelope = Envelope::open(body)?;
    let mut object = Object::new();
    for (name, text) in [("kind", envelope.kind), ("apiVersion", envelope.api_version)] {
        if !text.is_empty() {
            object.insert(name.to_owned(), Value::from(text));
        }
    }
    message::read(envelope.raw, r#type, &mut object)?;
    if !object.values().all(|value| fits(value, MAX_NESTING - 1)) {
        return Err(ProtobufError::TooDeep.into());
    }
    schema::conform(&mut object, r#type, &mut Vec::new())?;
    Ok(object)
}

/// `runtime.Unknown`: what the message is, and the message.
#[derive(Default)]
struct Envelope<'a> {
    api_version: &'a str,
    kind: &'a str,
    raw: &'a [u8],
}

impl<'a> Envelope<'a> {
    fn open(body: &'a [u8]) -> Result<Self, ProtobufError> {
        if body.is_empty() {
            return Err(ProtobufError::Empty);
        }
        let mut reader = Reader::new(body.strip_prefix(PREFIX).ok_or(ProtobufError::Prefix)?);
        let mut envelope = Envelope::default();
        while let Some((number, payload)) = reader.next()? {
            match number {
                1 => envelope.read_type(payload.bytes("typeMeta")?)?,
                2 => envelope.raw = payload.bytes("raw")?,
                3 => match payload.text("contentEncoding")? {
                    "" => {}
                    other => return Err(ProtobufError::ContentEncoding(other.to_owned())),
                },
                4 => match payload.text("contentType")? {
                    "" | MEDIA_TYPE => {}
                    other => return Err(ProtobufError::ContentType(other.to_owned())),
                },
                _ => {}
            }
        }
        Ok(envelope)
    }

    fn read_type(&mut self, bytes: &'a [u8]) -> Result<(), ProtobufError> {
        let mut reader = Reader::new(bytes);
        while let Some((number, payload)) = reader.next()? {
            match number {
                1 => self.api_version = payload.text("apiVersion")?,
                2 => self.kind = payload.text("kind")?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether the value nests at most so deep; the recursion ends where the answer is clear.
fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(entries) => levels > 0 && entries.values().all(|entry| fits(entry, levels - 1)),
        _ => true,
    }
}
