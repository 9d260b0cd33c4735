//! What upstream's own code wrote, field for field and byte for byte.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codec::schema::{self, Type};
use codec::{FieldValidation, Format, cbor, protobuf};
use flate2::read::GzDecoder;
use serde_json::Value;

struct Written {
    name: String,
    release: String,
    object: Value,
    protobuf: Vec<u8>,
    r#type: &'static Type,
}

fn written() -> Vec<Written> {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("fixtures/objects.jsonl.gz")[..]).read_to_string(&mut text).unwrap();
    text.lines().map(|line| parse(&serde_json::from_str(line).unwrap())).collect()
}

fn parse(line: &Value) -> Written {
    let object = &line["object"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
    let (group, version) = api_version.split_once('/').unwrap_or(("", &api_version));
    Written {
        name: format!("{api_version} {kind}"),
        release: text(&line["release"]),
        object: object.clone(),
        protobuf: STANDARD.decode(text(&line["protobuf"])).unwrap(),
        r#type: schema::lookup(group, version, &kind).unwrap_or_else(|| panic!("{api_version} {kind} is not known")),
    }
}

#[test]
fn every_field_of_every_kind_is_known_and_kept() {
    let all = written();
    assert!(all.len() > 160, "{}", all.len());
    for Written { name, object, r#type, .. } in all {
        let strict = |body: &[u8], format| match codec::decode(body, format, r#type, FieldValidation::Strict) {
            Ok(decoded) => Value::Object(decoded.object),
            Err(error) => panic!("{name}: {error}"),
        };
        assert_eq!(strict(object.to_string().as_bytes(), Format::Json), object, "{name}");
        let yaml = codec::yaml::encode(&object);
        assert_eq!(strict(yaml.as_bytes(), Format::Yaml), object, "{name} as YAML");
        assert_eq!(strict(&cbor::encode(&object), Format::Cbor), object, "{name} as CBOR");
    }
}

#[test]
fn protobuf_reads_as_upstream_wrote_it() {
    for Written { name, object, protobuf, r#type, .. } in written() {
        let read = protobuf::decode(&protobuf, r#type).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(Value::Object(read), object, "{name}");
    }
}

/// Later releases added fields that are always written: older bytes are read, not given back.
#[test]
fn protobuf_is_written_as_upstream_writes_it() {
    for Written { name, object, protobuf, .. } in written().iter().filter(|written| written.release != "1.18") {
        assert!(protobuf::encode(object).unwrap() == *protobuf, "{name}");
    }
}
