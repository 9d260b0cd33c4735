//! JSON values to the bytes of the encodings that clients read.

use std::ops::Range;

use bytes::Bytes;
use codec::{cbor, protobuf, yaml};
use serde_json::Value;

use super::accept::Encoding;
use crate::status::ApiError;

/// One object, or a list of them, as a whole body.
pub(crate) fn value(encoding: Encoding, value: &Value) -> Result<Vec<u8>, ApiError> {
    match encoding {
        Encoding::Json => serde_json::to_vec(value).map_err(failed),
        Encoding::Yaml => Ok(yaml::encode(value).into_bytes()),
        Encoding::Protobuf => protobuf::encode(value).map_err(failed),
        Encoding::Cbor => Ok(cbor::encode(value)),
    }
}

/// The encoding itself, or JSON where the value has no other form.
pub(crate) fn for_value(encoding: Encoding, value: &Value) -> Encoding {
    if encoding != Encoding::Protobuf {
        return encoding;
    }
    let text = |field: &str| value[field].as_str().unwrap_or("");
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let kind = text("kind");
    let item = kind.strip_suffix("List").unwrap_or(kind);
    let encodes = [kind, item].iter().any(|kind| protobuf::encodes(group, version, kind));
    if encodes { encoding } else { Encoding::Json }
}

/// One event of a watch around an object that is encoded already, appended to `out`.
pub(crate) fn frame(out: &mut Vec<u8>, encoding: Encoding, event: &str, object: &[u8]) {
    match encoding {
        Encoding::Protobuf => protobuf_frame(out, event, object),
        Encoding::Cbor => cbor_frame(out, event, object),
        // JSON; YAML has no stream, and negotiation refuses it.
        Encoding::Json | Encoding::Yaml => json_frame(out, event, |out| out.extend_from_slice(object)),
    }
}

/// One event of a watch in JSON; `object` appends the object.
pub(crate) fn json_frame(out: &mut Vec<u8>, event: &str, object: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(event.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    object(out);
    out.extend_from_slice(b"}\n");
}

/// `WatchEvent` with its type and, as `RawExtension`, the enveloped object; before it its length in four bytes.
fn protobuf_frame(out: &mut Vec<u8>, event: &str, object: &[u8]) {
    let extension_length = 1 + varint_length(object.len()) + object.len();
    let length = 1 + varint_length(event.len()) + event.len() + 1 + varint_length(extension_length) + extension_length;
    out.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
    field(out, 1, event.len());
    out.extend_from_slice(event.as_bytes());
    field(out, 2, extension_length);
    field(out, 1, object.len());
    out.extend_from_slice(object);
}

/// A self-described map of two, whose keys and texts are byte strings.
fn cbor_frame(out: &mut Vec<u8>, event: &str, object: &[u8]) {
    out.extend_from_slice(&[0xd9, 0xd9, 0xf7, 0xa2]);
    for text in ["type", event, "object"] {
        // Every one of them is shorter than 24 bytes.
        out.push(0x40 | text.len() as u8);
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(object);
}

/// A list in protobuf whose items were encoded one by one, in the pieces of its body.
///
/// `empty` is the list without its items, as [`value`] encodes it.
pub(crate) fn protobuf_list(empty: &Bytes, items: &[Bytes]) -> Result<Vec<Bytes>, ApiError> {
    let broken = || ApiError::internal("an encoded object has no envelope");
    let head = message(empty).ok_or_else(broken)?;
    let messages: Option<Vec<&[u8]>> = items.iter().map(|item| Some(&item[message(item)?.data])).collect();
    let messages = messages.ok_or_else(broken)?;
    let of_item = |item: &&[u8]| 1 + varint_length(item.len()) + item.len();
    let mut buffer = empty[..head.field.start].to_vec();
    field(&mut buffer, MESSAGE, head.data.len() + messages.iter().map(of_item).sum::<usize>());
    buffer.extend_from_slice(&empty[head.data]);
    let mut pieces = Vec::new();
    for message in messages {
        field(&mut buffer, ITEMS, message.len());
        buffer.extend_from_slice(message);
        if buffer.len() >= super::body::CHUNK_BYTES {
            pieces.push(Bytes::from(std::mem::take(&mut buffer)));
        }
    }
    buffer.extend_from_slice(&empty[head.field.end..]);
    pieces.push(Bytes::from(buffer));
    Ok(pieces)
}

/// The field of `runtime.Unknown` that holds the message.
const MESSAGE: u8 = 2;

/// The field of every list that holds its items.
const ITEMS: u8 = 2;

/// Where in an enveloped object its message stands.
struct Message {
    field: Range<usize>,
    data: Range<usize>,
}

fn message(enveloped: &[u8]) -> Option<Message> {
    const PREFIX: &[u8] = b"k8s\0";
    let mut at = enveloped.starts_with(PREFIX).then_some(PREFIX.len())?;
    while at < enveloped.len() {
        let (tag, start) = (enveloped[at], at);
        // Every field of `runtime.Unknown` is bytes.
        if tag & 7 != 2 {
            return None;
        }
        let (length, data) = varint(enveloped, at + 1)?;
        at = data.checked_add(length).filter(|end| *end <= enveloped.len())?;
        if tag >> 3 == MESSAGE {
            return Some(Message { field: start..at, data: data..at });
        }
    }
    None
}

fn field(out: &mut Vec<u8>, number: u8, length: usize) {
    out.push(number << 3 | 2);
    let mut rest = length;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn varint_length(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}

fn varint(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let (mut value, mut shift) = (0usize, 0);
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some((value, at));
        }
        shift += 7;
    }
}

fn failed(error: impl std::fmt::Display) -> ApiError {
    ApiError::internal(&error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config_map(name: &str) -> Value {
        json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": {"a": "x".repeat(200)}})
    }

    #[test]
    fn a_list_of_encoded_items_is_the_encoded_list() {
        let list = |items: Vec<Value>| json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
        let values = [config_map("a"), config_map("b")];
        let items: Vec<Bytes> = values.iter().map(|item| value(Encoding::Protobuf, item).unwrap().into()).collect();
        let empty: Bytes = value(Encoding::Protobuf, &list(Vec::new())).unwrap().into();
        let joined = protobuf_list(&empty, &items).unwrap().concat();
        assert_eq!(joined, value(Encoding::Protobuf, &list(values.to_vec())).unwrap());
    }

    #[test]
    fn a_frame_around_an_encoded_object_is_the_encoded_event() {
        let object = config_map("a");
        let enveloped = value(Encoding::Protobuf, &object).unwrap();
        let mut framed = Vec::new();
        frame(&mut framed, Encoding::Protobuf, "ADDED", &enveloped);
        assert_eq!(framed, protobuf::frame("ADDED", &object).unwrap());
        let mut item = Vec::new();
        frame(&mut item, Encoding::Cbor, "ADDED", &value(Encoding::Cbor, &object).unwrap());
        assert_eq!(item, cbor::frame("ADDED", &object));
        let mut line = Vec::new();
        frame(&mut line, Encoding::Json, "ADDED", b"{}");
        assert_eq!(line, b"{\"type\":\"ADDED\",\"object\":{}}\n");
    }
}
