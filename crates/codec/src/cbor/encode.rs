//! JSON into CBOR.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::{SELF_DESCRIBED, major, tag};
use crate::schema::{self, Shape};

/// An object, a list of objects or a Status as a body. What is known of its kind says which texts are bytes.
pub fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    item(&mut out, value);
    out
}

/// One event of a watch.
pub fn frame(event: &str, object: &Value) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(&SELF_DESCRIBED);
    head(&mut out, major::MAP, 2);
    string(&mut out, "type");
    string(&mut out, event);
    string(&mut out, "object");
    item(&mut out, object);
    out
}

fn item(out: &mut Vec<u8>, object: &Value) {
    out.extend_from_slice(&SELF_DESCRIBED);
    let text = |field: &str| object[field].as_str().unwrap_or("");
    let (group, version) = text("apiVersion").split_once('/').unwrap_or(("", text("apiVersion")));
    let kind = text("kind");
    if let Some(r#type) = schema::lookup(group, version, kind) {
        return value(out, object, Some(&Shape::Struct(r#type)));
    }
    let items = kind.strip_suffix("List").and_then(|kind| schema::lookup(group, version, kind)).map(Shape::Struct);
    match (object, items) {
        (Value::Object(list), Some(shape)) => {
            head(out, major::MAP, list.len());
            for (key, content) in list {
                string(out, key);
                match content {
                    Value::Array(items) if key == "items" => array(out, items, Some(&shape)),
                    content => value(out, content, None),
                }
            }
        }
        _ => value(out, object, None),
    }
}

fn value(out: &mut Vec<u8>, content: &Value, shape: Option<&Shape>) {
    match content {
        Value::Null => out.push(0xf6),
        Value::Bool(truth) => out.push(0xf4 | u8::from(*truth)),
        Value::Number(amount) => number(out, amount),
        Value::String(text) => match shape {
            Some(Shape::Bytes) => bytes(out, text),
            _ => string(out, text),
        },
        Value::Array(items) => {
            array(out, items, shape.and_then(|shape| if let Shape::List(item) = shape { Some(*item) } else { None }))
        }
        Value::Object(entries) => {
            head(out, major::MAP, entries.len());
            for (key, content) in entries {
                string(out, key);
                let inner = match shape {
                    Some(Shape::Struct(r#type)) => r#type.field(key).map(|field| &field.shape),
                    Some(Shape::Map(shape)) => Some(*shape),
                    _ => None,
                };
                value(out, content, inner);
            }
        }
    }
}

fn array(out: &mut Vec<u8>, items: &[Value], shape: Option<&Shape>) {
    head(out, major::ARRAY, items.len());
    for item in items {
        value(out, item, shape);
    }
}

/// What stands in base64 in JSON stands as it is here; what is no base64 stays text.
fn bytes(out: &mut Vec<u8>, text: &str) {
    match STANDARD.decode(text) {
        Ok(bytes) => {
            head(out, major::TAG, tag::BASE64 as usize);
            head(out, major::BYTES, bytes.len());
            out.extend_from_slice(&bytes);
        }
        Err(_) => string(out, text),
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    head(out, major::BYTES, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, amount: &Number) {
    if let Some(integer) = amount.as_i64() {
        let (major, magnitude) = if integer < 0 { (major::NEGATIVE, !integer) } else { (major::UNSIGNED, integer) };
        wide_head(out, major, magnitude as u64);
    } else if let Some(integer) = amount.as_u64() {
        wide_head(out, major::UNSIGNED, integer);
    } else {
        float(out, amount.as_f64().unwrap_or(0.0));
    }
}

/// In the smallest width that keeps the value.
fn float(out: &mut Vec<u8>, number: f64) {
    let single = number as f32;
    if f64::from(single) != number {
        out.push(0xfb);
        out.extend_from_slice(&number.to_be_bytes());
    } else if let Some(half) = half(single) {
        out.push(0xf9);
        out.extend_from_slice(&half.to_be_bytes());
    } else {
        out.push(0xfa);
        out.extend_from_slice(&single.to_be_bytes());
    }
}

/// The same number in 16 bits, where they hold it.
fn half(number: f32) -> Option<u16> {
    let bits = number.to_bits();
    let sign = (bits >> 16 & 0x8000) as u16;
    let (exponent, fraction) = ((bits >> 23 & 0xff) as i32 - 127, bits & 0x7f_ffff);
    if bits << 1 == 0 {
        return Some(sign);
    }
    if (-14..=15).contains(&exponent) {
        return (fraction.trailing_zeros() >= 13)
            .then(|| sign | ((exponent + 15) as u16) << 10 | (fraction >> 13) as u16);
    }
    // Smaller ones have no implicit leading bit.
    let shift = -exponent - 1;
    let significand = fraction | 0x80_0000;
    ((14..24).contains(&shift) && significand.trailing_zeros() as i32 >= shift)
        .then(|| sign | (significand >> shift) as u16)
}

fn head(out: &mut Vec<u8>, major: u8, argument: usize) {
    wide_head(out, major, argument as u64);
}

fn wide_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            out.push(major | 25);
            out.extend_from_slice(&(argument as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(major | 26);
            out.extend_from_slice(&(argument as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}
