//! Every kind through every encoding and back.

mod support;

use codec::schema::facts::KINDS;
use codec::schema::{self, Type};
use codec::{FieldValidation, Format, Object, cbor, protobuf};
use serde_json::Value;
use support::{Draws, Fields};

fn drawn(seed: u64, at: usize, fields: Fields) -> (Object, &'static Type) {
    let (group, version, kind, r#type) = KINDS[at];
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    (support::object(&mut Draws::from_seed(seed), r#type, kind, &api_version, fields), r#type)
}

/// Fails with the place where two objects part.
fn assert_same(left: &Value, right: &Value, place: &str) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys()) {
                let null = &Value::Null;
                let (left, right) = (left.get(name).unwrap_or(null), right.get(name).unwrap_or(null));
                assert_same(left, right, &format!("{place}.{name}"));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                assert_same(left, right, &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(left, right, "{place}"),
    }
}

/// Each kind once, and then kinds and seeds as they come.
fn check(fields: Fields, trip: impl Fn(&Object, &'static Type) -> Object) {
    for seed in 0..KINDS.len() + 200 {
        let at = seed * 61 % KINDS.len();
        let (object, r#type) = drawn(seed as u64, at, fields);
        if fields == Fields::All || r#type.has_numbers() {
            let back = trip(&object, r#type);
            assert_same(&Value::Object(object), &Value::Object(back), KINDS[at].2);
        }
    }
}

#[test]
fn what_is_drawn_is_in_its_canonical_form() {
    check(Fields::All, |object, r#type| {
        let mut conformed = object.clone();
        let mut complaints = Vec::new();
        schema::conform(&mut conformed, r#type, &mut complaints).unwrap();
        assert_eq!(complaints, [""; 0]);
        conformed
    });
}

#[test]
fn json_gives_back_what_it_was_given() {
    check(Fields::All, |object, r#type| {
        let bytes = serde_json::to_vec(object).unwrap();
        codec::decode(&bytes, Format::Json, r#type, FieldValidation::Strict).unwrap().object
    });
}

#[test]
fn yaml_gives_back_what_it_was_given() {
    check(Fields::All, |object, r#type| {
        let text = codec::yaml::encode(&Value::Object(object.clone()));
        codec::decode(text.as_bytes(), Format::Yaml, r#type, FieldValidation::Strict).unwrap().object
    });
}

#[test]
fn protobuf_gives_back_what_it_was_given() {
    check(Fields::Numbered, |object, r#type| {
        let bytes = protobuf::encode(&Value::Object(object.clone())).unwrap();
        protobuf::decode(&bytes, r#type).unwrap()
    });
}

#[test]
fn cbor_gives_back_what_it_was_given() {
    check(Fields::All, |object, r#type| {
        let bytes = cbor::encode(&Value::Object(object.clone()));
        codec::decode(&bytes, Format::Cbor, r#type, FieldValidation::Strict).unwrap().object
    });
}
