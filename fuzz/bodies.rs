//! What must hold of any bytes a client sends.

use codec::patch::{apply_json_patch, apply_merge_patch, apply_strategic_patch};
use codec::schema::{Type, facts::KINDS};
use codec::{FieldValidation, Format, Object, cbor, protobuf, yaml};
use serde_json::Value;

/// The first byte chooses the kind, the second the encoding. What is read can be written in every encoding and read again.
pub(crate) fn decode(bytes: &[u8]) {
    let [kind, encoding, body @ ..] = bytes else { return };
    let r#type = KINDS[usize::from(*kind) % KINDS.len()].3;
    let read = match encoding % 4 {
        0 => decoded(body, Format::Json, r#type),
        1 => decoded(body, Format::Yaml, r#type),
        2 => decoded(body, Format::Cbor, r#type),
        _ => protobuf::decode(body, r#type).ok(),
    };
    if let Some(object) = read {
        rewrite(&Value::Object(object));
    }
}

/// Bytes before the first NUL are an object, the others a patch on it.
pub(crate) fn patch(bytes: &[u8]) {
    let Some(at) = bytes.iter().position(|byte| *byte == 0) else { return };
    let parse = |body: &[u8]| codec::decode::parse(body, Format::Json).ok().map(|tree| tree.value);
    let (Some(Value::Object(object)), Some(patch)) = (parse(&bytes[..at]), parse(&bytes[at + 1..])) else { return };
    if let Ok(patched) = apply_json_patch(&object, &patch) {
        rewrite(&Value::Object(patched));
    }
    let Value::Object(changes) = patch else { return };
    let mut merged = object.clone();
    apply_merge_patch(&mut merged, &changes);
    let once = merged.clone();
    apply_merge_patch(&mut merged, &changes);
    assert_eq!(merged, once, "a merge patch applied twice is the patch applied once");
    for (.., r#type) in KINDS {
        if let Ok(patched) = apply_strategic_patch(&object, &changes, r#type) {
            rewrite(&Value::Object(patched));
        }
    }
}

/// What stands in query strings and in fields of their own form. What is canonical is so for good.
pub(crate) fn text(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(canonical) = api::quantity::canonical(text) {
        assert_eq!(api::quantity::canonical(&canonical).as_ref(), Ok(&canonical), "{text:?}");
    }
    if let Some(span) = api::duration::parse(text) {
        assert_eq!(api::duration::parse(&api::duration::format(span)), Some(span), "{text:?}");
    }
    if let Some(moment) = api::time::parse(text) {
        let written = api::time::micros(moment);
        assert_eq!(api::time::parse(&written).map(api::time::micros), Some(written), "{text:?}");
    }
    drop(api::Selector::parse(text));
    drop(api::cron::Schedule::parse(text));
}

fn decoded(body: &[u8], format: Format, r#type: &'static Type) -> Option<Object> {
    codec::decode(body, format, r#type, FieldValidation::Warn).ok().map(|decoded| decoded.object)
}

fn rewrite(value: &Value) {
    let same = |body: &[u8], format| {
        let read = codec::decode::parse(body, format).map(|tree| tree.value);
        // Numbers without a fraction lose their point in YAML, and CBOR nests less deep.
        if let Ok(read) = read {
            assert_eq!(read.is_object(), value.is_object());
        }
    };
    same(value.to_string().as_bytes(), Format::Json);
    same(yaml::encode(value).as_bytes(), Format::Yaml);
    same(&cbor::encode(value), Format::Cbor);
    // Kinds that have no messages, and values that no field holds, are refused.
    drop(protobuf::encode(value));
}
