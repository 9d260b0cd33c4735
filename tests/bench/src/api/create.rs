//! The processor's part of a create: a pod of 4 KiB is read, defaulted, validated and written as it rests, in this process.

use std::hint::black_box;

use codec::{FieldValidation, Format, Object, protobuf, schema};
use serde_json::Value;

use crate::Bench;
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::own_processor_seconds;

const TURNS: usize = 20;
const CREATES_A_TURN: usize = 200;
const AIM_SECONDS: f64 = 100e-6;

pub(crate) fn measure(_bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let json = include_bytes!("../../../../crates/codec/examples/pod.json").as_slice();
    let r#type = schema::lookup("", "v1", "Pod").expect("pods are built in");
    let kind = registry::by_kind("", "v1", "Pod").expect("pods are served");
    let binary = protobuf::encode(&serde_json::from_slice(json)?)?;
    let from_json = || Ok(codec::decode(json, Format::Json, r#type, FieldValidation::Strict)?.object);
    let from_protobuf = || Ok(protobuf::decode(&binary, r#type)?);
    let finish = |mut object: Object| -> anyhow::Result<Object> {
        kind.rules.default(&mut object);
        schema::complete(&mut object, r#type);
        black_box(kind.rules.validate(&object, None));
        Ok(object)
    };
    let ready = Value::Object(finish(from_json()?)?);

    let figure = |name: &str, bytes: usize, read: &dyn Fn() -> anyhow::Result<Object>, is_answered_in_json: bool| {
        let whole = best(|| {
            let object = Value::Object(finish(read()?)?);
            black_box(serde_json::to_vec(&object)?);
            // What rests is the answer where that is JSON.
            if !is_answered_in_json {
                black_box(protobuf::encode(&object)?);
            }
            Ok(())
        })?;
        let reading = best(|| {
            black_box(read()?);
            Ok(())
        })?;
        let writing = best(|| {
            match is_answered_in_json {
                true => drop(black_box(serde_json::to_vec(&ready)?)),
                false => drop(black_box(protobuf::encode(&ready)?)),
            }
            Ok(())
        })?;
        let figure = Figure::new(format!("create in {name}, processor time"), Quantity::Seconds(whole))
            .detail("read", Quantity::Bytes(bytes as f64))
            .detail("in", Quantity::Seconds(reading))
            .detail("out", Quantity::Seconds(writing))
            .aim(Aim::AtMost(Quantity::Seconds(AIM_SECONDS)));
        anyhow::Ok(figure)
    };
    Ok(vec![figure("JSON", json.len(), &from_json, true)?, figure("protobuf", binary.len(), &from_protobuf, false)?])
}

/// The best turn, each: what others did on the machine meanwhile does not count.
fn best(mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let mut least = f64::INFINITY;
    for _ in 0..TURNS {
        let before = own_processor_seconds()?;
        for _ in 0..CREATES_A_TURN {
            work()?;
        }
        least = least.min((own_processor_seconds()? - before) / CREATES_A_TURN as f64);
    }
    Ok(least)
}
