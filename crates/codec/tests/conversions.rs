//! Every version through the kind it rests as and back.

mod support;

use codec::Object;
use codec::schema::{self, Type};
use registry::Kind;
use serde_json::Value;
use support::{Draws, Fields};

const SEEDS: u64 = 60;

fn versions() -> impl Iterator<Item = (&'static Kind, &'static Kind)> {
    registry::KINDS.iter().filter_map(|kind| Some((*kind, kind.storage?)))
}

fn type_of(kind: &Kind) -> &'static Type {
    schema::lookup(kind.group, kind.version, kind.kind).unwrap_or_else(|| panic!("{kind:?} has no type"))
}

/// Fails unless the object is whole and sound in the kind's type.
fn assert_fits(object: &Object, kind: &Kind) {
    let mut complaints = Vec::new();
    schema::conform(&mut object.clone(), type_of(kind), &mut complaints)
        .unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    assert_eq!(complaints, [""; 0], "{kind:?}");
}

/// Fails where something of `before` is missing in `after`. Defaults may have come to it.
fn assert_kept(before: &Value, after: &Value, place: &str) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before.iter().filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind")) {
                let place = format!("{place}.{name}");
                assert_kept(value, after.get(name).unwrap_or_else(|| panic!("{place} is lost")), &place);
            }
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            for (at, (before, after)) in before.iter().zip(after).enumerate() {
                assert_kept(before, after, &format!("{place}[{at}]"));
            }
        }
        _ => assert_eq!(before, after, "{place}"),
    }
}

#[test]
fn nothing_is_lost_on_the_way_to_storage_and_back() {
    assert!(versions().count() > 10, "there are kinds in several versions");
    for (served, stored) in versions() {
        for seed in 0..SEEDS {
            let mut draws = Draws::from_seed(seed);
            let fields = if seed % 2 == 0 { Fields::All } else { Fields::Numbered };
            let mut object = support::object(&mut draws, type_of(served), served.kind, &served.api_version(), fields);
            served.rules.default(&mut object);
            let before = Value::Object(object.clone());
            served.rules.to_storage(&mut object);
            assert_fits(&object, stored);
            let at_rest = object.clone();
            served.rules.out_of_storage(&mut object);
            assert_fits(&object, served);
            assert_kept(&before, &Value::Object(object.clone()), served.kind);
            served.rules.to_storage(&mut object);
            assert_eq!(Value::Object(object), Value::Object(at_rest), "{served:?}, seed {seed}, rests differently");
        }
    }
}
