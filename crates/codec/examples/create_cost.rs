//! What each stage of a create costs the processor, for a pod of 4 KiB: `cargo run --release -p codec --example create_cost`.
//!
//! The first line is serde_json's own parse of the same bytes into its own tree: what any work on objects costs at least.

use std::hint::black_box;
use std::time::Duration;

use codec::{FieldValidation, Format, Object, cbor, protobuf, schema};
use registry::{WriteContext, Writer};
use serde_json::Value;
use stdx::Clock;

const ROUNDS: u32 = 2000;

fn main() {
    let body = include_bytes!("pod.json").as_slice();
    let r#type = schema::lookup("", "v1", "Pod").expect("pods are built in");
    let kind = registry::by_kind("", "v1", "Pod").expect("pods are served");
    let decode = |body: &[u8]| {
        codec::decode(body, Format::Json, r#type, FieldValidation::Strict).expect("the pod is well formed").object
    };
    let plain: Value = serde_json::from_slice(body).expect("the pod is JSON");
    let decoded = decode(body);
    let mut ready = decoded.clone();
    kind.rules.default(&mut ready);
    let clock = Clock::system();
    kind.rules.prepare_create(&mut ready, &WriteContext { now: clock.now_seconds(), writer: Writer::named("bench") });
    let faults = kind.rules.validate(&ready, None);
    assert!(faults.is_empty(), "{faults:?}");
    let ready = Value::Object(ready);
    let proto = protobuf::encode(&ready).expect("pods have numbers");
    let packed = cbor::encode(&ready);
    println!(
        "JSON {} bytes, as it rests {} bytes, protobuf {}, CBOR {}",
        body.len(),
        ready.to_string().len(),
        proto.len(),
        packed.len()
    );

    let stage = |name: &str, work: &mut dyn FnMut()| {
        let took = measured(&clock, work);
        println!("{name:<28} {:>8.1} µs", took.as_secs_f64() * 1e6);
        took
    };
    stage("serde_json, to its tree", &mut || drop(black_box(serde_json::from_slice::<Value>(body))));
    stage("a tree's copy", &mut || drop(black_box(plain.clone())));
    let mut whole = stage("decode", &mut || drop(black_box(decode(body))));
    whole += beyond_copy(&clock, &decoded, |object| kind.rules.default(object), "default");
    let object = ready.as_object().expect("a pod is an object");
    whole += stage("validate", &mut || drop(black_box(kind.rules.validate(object, None))));
    whole += stage("encode", &mut || drop(black_box(serde_json::to_vec(object))));
    println!("{:<28} {:>8.1} µs", "the whole create", whole.as_secs_f64() * 1e6);
    stage("protobuf, in", &mut || drop(black_box(protobuf::decode(&proto, r#type))));
    stage("protobuf, out", &mut || drop(black_box(protobuf::encode(&ready))));
    stage("CBOR, in", &mut || drop(black_box(codec::decode(&packed, Format::Cbor, r#type, FieldValidation::Strict))));
    stage("CBOR, out", &mut || drop(black_box(cbor::encode(&ready))));
    stage("resting bytes to protobuf", &mut || {
        let value: Value = serde_json::from_slice(body).expect("the pod is JSON");
        drop(black_box(protobuf::encode(&value)));
    });
}

/// A stage that changes the object works on a copy, whose cost is taken off.
fn beyond_copy(clock: &Clock, object: &Object, change: impl Fn(&mut Object), name: &str) -> Duration {
    let copy = measured(clock, &mut || drop(black_box(object.clone())));
    let both = measured(clock, &mut || {
        let mut object = object.clone();
        change(&mut object);
        drop(black_box(object));
    });
    let took = both.saturating_sub(copy);
    println!("{name:<28} {:>8.1} µs", took.as_secs_f64() * 1e6);
    took
}

/// The best of ten turns: what others did on the machine meanwhile does not count.
fn measured(clock: &Clock, work: &mut dyn FnMut()) -> Duration {
    let turn = |work: &mut dyn FnMut()| {
        let before = clock.instant();
        (0..ROUNDS / 10).for_each(|_| work());
        clock.instant().duration_since(before) / (ROUNDS / 10)
    };
    (0..10).map(|_| turn(work)).min().unwrap_or_default()
}
