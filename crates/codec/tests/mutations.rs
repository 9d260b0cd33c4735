//! A short walk through what fuzzing does at length: valid bodies with a few bytes changed, the same ones every time.

#[path = "../../../fuzz/bodies.rs"]
mod bodies;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use codec::schema::facts::KINDS;
use codec::{cbor, protobuf, yaml};
use serde_json::{Value, json};
use support::{Draws, Fields};

const ROUNDS: usize = 4000;

/// Of each seed.
const MUTATIONS: usize = 150;

fn object(draws: &mut Draws, at: usize, fields: Fields) -> Value {
    let (group, version, kind, r#type) = KINDS[at];
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Value::Object(support::object(draws, r#type, kind, &api_version, fields))
}

/// Bytes changed, doubled, cut out or cut off.
fn mutate(draws: &mut Draws, bytes: &mut Vec<u8>) {
    for _ in 0..1 + draws.below(4) {
        let at = draws.below(bytes.len());
        match draws.below(5) {
            _ if bytes.is_empty() => return,
            0 => bytes[at] = draws.below(256) as u8,
            1 => bytes[at] ^= 1 << draws.below(8),
            2 => bytes.truncate(at),
            3 => {
                let end = (at + 1 + draws.below(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            _ => {
                let end = (at + 1 + draws.below(64)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
}

#[test]
fn no_body_breaks_a_decoder() {
    let mut draws = Draws::from_seed(11);
    for round in 0..ROUNDS {
        let at = draws.below(KINDS.len().min(256));
        let value = object(&mut draws, at, if round % 4 == 3 { Fields::Numbered } else { Fields::All });
        let mut body = match round % 4 {
            0 => value.to_string().into_bytes(),
            1 => yaml::encode(&value).into_bytes(),
            2 => cbor::encode(&value),
            _ => protobuf::encode(&value).unwrap_or_else(|_| b"k8s\0".to_vec()),
        };
        mutate(&mut draws, &mut body);
        body.splice(0..0, [at as u8, (round % 4) as u8]);
        bodies::decode(&body);
    }
}

#[test]
fn no_patch_breaks_an_object() {
    let mut draws = Draws::from_seed(12);
    for round in 0..ROUNDS / 20 {
        let at = draws.below(KINDS.len());
        let value = object(&mut draws, at, Fields::All);
        let patch = match round % 2 {
            0 => object(&mut draws, at, Fields::All),
            _ => json!([
                {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
                {"op": "move", "from": "/metadata/name", "path": "/spec/x"},
                {"op": "test", "path": "/kind", "value": "Pod"},
            ]),
        };
        let mut patch = patch.to_string().into_bytes();
        mutate(&mut draws, &mut patch);
        let body = [value.to_string().as_bytes(), b"\0", &patch].concat();
        bodies::patch(&body);
    }
}

/// The seeds that fuzzing begins with: what decoders and parsers were once told to be wary of.
#[test]
fn no_seed_breaks_anything_nor_what_becomes_of_it() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let decode: fn(&[u8]) = bodies::decode;
    for (target, run) in [("decode", decode), ("patch", bodies::patch), ("text", bodies::text)] {
        let mut files: Vec<PathBuf> =
            fs::read_dir(seeds.join(target)).unwrap().map(|file| file.unwrap().path()).collect();
        // Folders have no order, and every run is to draw alike.
        files.sort();
        assert!(files.len() > 5, "{target}");
        let mut draws = Draws::from_seed(13);
        for file in files {
            let seed = fs::read(&file).unwrap();
            run(&seed);
            for _ in 0..MUTATIONS {
                let mut bytes = seed.clone();
                mutate(&mut draws, &mut bytes);
                run(&bytes);
            }
        }
    }
}
