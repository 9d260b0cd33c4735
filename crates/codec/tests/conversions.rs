//! Every version through the kind it rests as and back.

mod support;

use std::collections::BTreeSet;

use codec::Object;
use codec::schema::{self, Type};
use registry::Kind;
use serde_json::Value;
use support::{Draws, Fields};

const SEEDS: u64 = 60;

/// What upstream's conversions and defaults do not keep either: the end of the place, and of what was there.
const NOT_KEPT: &[(&str, &str)] = &[
    // Another name for serviceAccountName, which wins.
    (".serviceAccount", ""),
    // No name is no port.
    (".servicePort", r#""""#),
    (".defaultBackend.service", r#""port":{}}"#),
    (".deviceClassName", r#""""#),
    (".reportingComponent", r#""""#),
    (".reportingInstance", r#""""#),
    // One that has a name needs no number.
    (".service.port.number", ""),
    // Nothing at all is what the old version's default stands for.
    (".admissionReviewVersions", "[]"),
    (".conversionReviewVersions", "[]"),
    (".conditions[].status", r#""""#),
    (".limited.nominalConcurrencyShares", "0"),
    // Empty structs and lists.
    (".behavior", "{}"),
    (".conversion.webhook", "{}"),
    (".conversion.webhook", r#"{"conversionReviewVersions":[]}"#),
    (".spec.versions", "[]"),
    (".spec.allNodes", "false"),
    (".spec.nodeName", r#""""#),
    (".currentMetrics", "[]"),
    // Each kind of metric has values that make no sense for it, and the type follows from those that do.
    (".target.type", ""),
    (".target.value", ""),
    (".target.averageUtilization", ""),
    (".current.value", ""),
    (".current.averageUtilization", ""),
];

/// What came when the old version was there no more.
const TOO_NEW: &[(&str, &str)] = &[
    ("autoscaling/v2beta1", ".conditions[].observedGeneration"),
    ("autoscaling/v2beta2", ".conditions[].observedGeneration"),
    ("autoscaling/v2beta2", ".tolerance"),
    ("batch/v2alpha1", ".timeZone"),
    ("batch/v2alpha1", ".lastSuccessfulTime"),
    ("storage.k8s.io/v1beta1, CSINode", ".status"),
    // The other way round: v1 has them no more.
    ("certificates.k8s.io/v1, PodCertificateRequest", ".pkixPublicKey"),
    ("certificates.k8s.io/v1, PodCertificateRequest", ".proofOfPossession"),
];

/// Versions that can say one thing in two places: what counts is which of them upstream shows.
const SAYS_TWICE: &[(&str, &str)] = &[("v1beta1", "CustomResourceDefinition")];

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

/// Notes where something of `before` is missing in `after`. Defaults may have come to it.
fn note_losses(before: &Value, after: Option<&Value>, place: &str, losses: &mut BTreeSet<String>) {
    match (before, after) {
        (Value::Object(before), Some(Value::Object(after))) => {
            for (name, value) in before.iter().filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind")) {
                note_losses(value, after.get(name), &format!("{place}.{name}"), losses);
            }
        }
        (Value::Array(before), Some(Value::Array(after))) if before.len() == after.len() => {
            for (before, after) in before.iter().zip(after) {
                note_losses(before, Some(after), &format!("{place}[]"), losses);
            }
        }
        (before, Some(after)) if before == after => {}
        (before, _) if is_known(place, &before.to_string()) => {}
        (before, after) => {
            losses.insert(format!("{place}: {before} became {after:?}"));
        }
    }
}

fn is_known(place: &str, before: &str) -> bool {
    NOT_KEPT.iter().any(|(end, value)| place.ends_with(end) && before.ends_with(value))
        || TOO_NEW.iter().any(|(version, end)| place.contains(version) && place.ends_with(end))
}

fn drawn(kind: &Kind, seed: u64) -> Object {
    let fields = if seed.is_multiple_of(2) { Fields::All } else { Fields::Numbered };
    support::object(&mut Draws::from_seed(seed), type_of(kind), kind.kind, &kind.api_version(), fields)
}

#[test]
fn nothing_is_lost_on_the_way_to_storage_and_back() {
    assert!(versions().count() > 70, "there are kinds in several versions");
    let mut losses = BTreeSet::new();
    for (served, stored) in versions() {
        for seed in 0..SEEDS {
            let mut object = drawn(served, seed);
            served.rules.default(&mut object);
            if SAYS_TWICE.contains(&(served.version, served.kind)) {
                served.rules.to_storage(&mut object);
                served.rules.out_of_storage(&mut object);
            }
            let before = Value::Object(object.clone());
            served.rules.to_storage(&mut object);
            assert_fits(&object, stored);
            let at_rest = object.clone();
            served.rules.out_of_storage(&mut object);
            assert_fits(&object, served);
            note_losses(&before, Some(&Value::Object(object.clone())), &format!("{served:?}"), &mut losses);
            served.rules.to_storage(&mut object);
            let (object, at_rest) = (Value::Object(object), Value::Object(at_rest));
            note_losses(&at_rest, Some(&object), &format!("{served:?} at rest"), &mut losses);
        }
    }
    assert!(losses.is_empty(), "{}", losses.into_iter().collect::<Vec<_>>().join("\n"));
}

/// What a version shows of a stored object comes back as it was. Stored objects have everything that the version
/// knows; what it does not know is not shown there, and an update through it takes it away, as upstream does.
#[test]
fn what_a_version_shows_comes_back() {
    let mut losses = BTreeSet::new();
    for (served, stored) in versions() {
        for seed in 0..SEEDS {
            let mut object = drawn(stored, seed);
            stored.rules.default(&mut object);
            let before = Value::Object(object.clone());
            served.rules.out_of_storage(&mut object);
            let mut unknown = Vec::new();
            schema::conform(&mut object, type_of(served), &mut unknown)
                .unwrap_or_else(|error| panic!("{served:?}: {error}"));
            served.rules.default(&mut object);
            served.rules.to_storage(&mut object);
            assert_fits(&object, stored);
            let place = format!("{served:?}");
            note_losses(&before, Some(&Value::Object(object)), &place, &mut losses);
        }
    }
    assert!(losses.is_empty(), "{}", losses.into_iter().collect::<Vec<_>>().join("\n"));
}
