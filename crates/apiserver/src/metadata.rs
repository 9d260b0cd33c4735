//! The part that all objects share: names, identity, times, generation.

use registry::{FieldError, Kind, NameRule, Object, names};
use serde_json::{Map, Value, json};
use stdx::Ambient;

use crate::status::{ApiError, Subject};

/// `generateName` leaves room for this many characters of suffix.
const SUFFIX_CHARACTERS: usize = 5;
const MAX_GENERATED_NAME: usize = 63;

/// The object's metadata, made where it is missing.
pub(crate) fn of(object: &mut Object) -> &mut Map<String, Value> {
    let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Map::new()));
    if !metadata.is_object() {
        *metadata = Value::Object(Map::new());
    }
    metadata.as_object_mut().expect("metadata was just made an object")
}

/// A text field of metadata; empty where it is not set.
pub(crate) fn text<'a>(object: &'a Object, field: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or("")
}

pub(crate) fn name(object: &Object) -> &str {
    text(object, "name")
}

pub(crate) fn namespace(object: &Object) -> &str {
    text(object, "namespace")
}

pub(crate) fn uid(object: &Object) -> &str {
    text(object, "uid")
}

/// The revision the client says it has seen; an empty one or `0` says nothing.
pub(crate) fn resource_version(object: &Object) -> Option<&str> {
    Some(text(object, "resourceVersion")).filter(|version| !version.is_empty() && *version != "0")
}

pub(crate) fn is_deleting(object: &Object) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

pub(crate) fn finalizers(object: &Object) -> impl Iterator<Item = &str> {
    object
        .get("metadata")
        .and_then(|metadata| metadata.get("finalizers"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// A map of texts in metadata (labels, annotations).
pub(crate) fn map<'a>(object: &'a Object, field: &str) -> Option<&'a Map<String, Value>> {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_object)
}

/// Places the object where the request's path says it is to be.
pub(crate) fn settle_namespace(kind: &Kind, object: &mut Object, requested: &str) -> Result<(), ApiError> {
    let metadata = of(object);
    if !kind.is_namespaced() {
        metadata.remove("namespace");
        return Ok(());
    }
    let given = metadata.get("namespace").and_then(Value::as_str).unwrap_or("");
    if !given.is_empty() && given != requested {
        let message = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(ApiError::bad_request(message));
    }
    metadata.insert("namespace".to_owned(), Value::from(requested));
    Ok(())
}

/// Gives a new object what only the server may give, and a name where it asks for one.
pub(crate) fn prepare_create(kind: &Kind, object: &mut Object, ambient: &Ambient) {
    let now = ambient.clock.now_seconds().to_string();
    let metadata = of(object);
    for field in ["resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        metadata.remove(field);
    }
    drop_empty(metadata);
    let generated = match (metadata.get("name").and_then(Value::as_str), metadata.get("generateName")) {
        (None | Some(""), Some(Value::String(base))) if !base.is_empty() => {
            let room = MAX_GENERATED_NAME - SUFFIX_CHARACTERS;
            let end = (0..=room.min(base.len())).rev().find(|&end| base.is_char_boundary(end)).unwrap_or(0);
            Some(format!("{}{}", &base[..end], ambient.random.suffix(SUFFIX_CHARACTERS)))
        }
        _ => None,
    };
    if let Some(name) = generated {
        metadata.insert("name".to_owned(), Value::from(name));
    }
    metadata.insert("uid".to_owned(), Value::from(ambient.random.uuid()));
    metadata.insert("creationTimestamp".to_owned(), Value::from(now));
    if kind.rules.tracks_generation() {
        metadata.insert("generation".to_owned(), Value::from(1));
    } else {
        metadata.remove("generation");
    }
}

/// Keeps what an update cannot change. Other metadata is the client's.
pub(crate) fn prepare_update(object: &mut Object, old: &Object) {
    let metadata = of(object);
    metadata.remove("selfLink");
    metadata.remove("resourceVersion");
    drop_empty(metadata);
    for field in [
        "name",
        "namespace",
        "generateName",
        "uid",
        "creationTimestamp",
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        match old.get("metadata").and_then(|metadata| metadata.get(field)) {
            Some(kept) => metadata.insert(field.to_owned(), kept.clone()),
            None => metadata.remove(field),
        };
    }
}

/// Whether a write would leave everything as it is. What tells of kind and version is not compared: it is written
/// anew each time.
pub(crate) fn is_same(object: &Object, old: &Object) -> bool {
    let significant = |object: &Object| object.keys().filter(|field| !is_type(field)).count();
    significant(object) == significant(old)
        && object.iter().filter(|(field, _)| !is_type(field)).all(|(field, value)| {
            match (field.as_str(), old.get(field)) {
                ("metadata", Some(Value::Object(before))) => {
                    value.as_object().is_some_and(|after| is_same_metadata(after, before))
                }
                (_, before) => before == Some(value),
            }
        })
}

fn is_type(field: &str) -> bool {
    matches!(field, "kind" | "apiVersion")
}

fn is_same_metadata(after: &Map<String, Value>, before: &Map<String, Value>) -> bool {
    let is_kept = |field: &&String| *field != "resourceVersion" && *field != "selfLink";
    after.keys().filter(is_kept).count() == before.keys().filter(is_kept).count()
        && after.iter().filter(|(field, _)| is_kept(field)).all(|(field, value)| before.get(field) == Some(value))
}

pub(crate) fn bump_generation(object: &mut Object) {
    let metadata = of(object);
    let generation = metadata.get("generation").and_then(Value::as_i64).unwrap_or(0);
    metadata.insert("generation".to_owned(), Value::from(generation + 1));
}

/// Refuses an object whose name is not the one in the path; one that has none is given it.
pub(crate) fn settle_name(object: &mut Object, requested: &str) -> Result<(), ApiError> {
    if name(object).is_empty() {
        of(object).insert("name".to_owned(), Value::from(requested));
    }
    check_name(object, requested)
}

/// Refuses an object whose name is not the one in the path.
pub(crate) fn check_name(object: &Object, requested: &str) -> Result<(), ApiError> {
    let given = name(object);
    if given == requested {
        return Ok(());
    }
    if given.is_empty() {
        let message =
            format!("the name of the object ({requested} based on URL) was undeterminable: name must be provided");
        return Err(ApiError::bad_request(message));
    }
    let message = format!("the name of the object ({given}) does not match the name on the URL ({requested})");
    Err(ApiError::bad_request(message))
}

/// Refuses an object that was deleted and made anew since the client read it.
pub(crate) fn check_uid(subject: Subject<'_>, expected: &str, old: &Object) -> Result<(), ApiError> {
    let actual = uid(old);
    if expected.is_empty() || expected == actual {
        return Ok(());
    }
    let why = format!("Precondition failed: UID in precondition: {expected}, UID in object meta: {actual}");
    Err(ApiError::conflict(subject, &why))
}

/// Every fault of the metadata; `old` is given on updates.
pub(crate) fn validate(kind: &Kind, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let rule = kind.rules.name_rule();
    let (name, base) = (name(object), text(object, "generateName"));
    if !base.is_empty() {
        check(&mut faults, "metadata.generateName", base, rule.check(base, true));
    }
    if name.is_empty() {
        faults.push(FieldError::required("metadata.name", "name or generateName is required"));
    } else {
        check(&mut faults, "metadata.name", name, rule.check(name, false));
    }
    if kind.is_namespaced() {
        let namespace = namespace(object);
        check(&mut faults, "metadata.namespace", namespace, NameRule::DnsLabel.check(namespace, false));
    }
    if let Some(labels) = map(object, "labels") {
        registry::metadata::validate_labels(labels, "metadata.labels", &mut faults);
    }
    if let Some(annotations) = map(object, "annotations") {
        registry::metadata::validate_annotations(annotations, "metadata.annotations", &mut faults);
    }
    validate_owners(object, &mut faults);
    validate_finalizers(kind, object, old, &mut faults);
    faults
}

/// Finalizers that may stand without a domain: those of namespaces and of the garbage collector.
const STANDARD_FINALIZERS: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];

fn validate_finalizers(kind: &Kind, object: &Object, old: Option<&Object>, faults: &mut Vec<FieldError>) {
    for finalizer in finalizers(object) {
        check(faults, "metadata.finalizers", finalizer, names::qualified_name(finalizer));
    }
    let has = |name: &str| finalizers(object).any(|finalizer| finalizer == name);
    if has("orphan") && has("foregroundDeletion") {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        let all: Vec<&str> = finalizers(object).collect();
        faults.push(FieldError::invalid("metadata.finalizers", json!(all), detail));
    }
    if let Some(old) = old.filter(|old| is_deleting(old)) {
        let added: Vec<&str> = finalizers(object).filter(|name| !finalizers(old).any(|kept| kept == *name)).collect();
        if !added.is_empty() {
            let quoted: Vec<String> = added.iter().map(|name| format!("{name:?}")).collect();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                quoted.join(", ")
            );
            faults.push(FieldError::forbidden("metadata.finalizers", detail));
        }
    }
    // Upstream checks kinds that grew up outside of its core by the rules for all objects alone.
    let is_core =
        !matches!(kind.group, "admissionregistration.k8s.io" | "apiextensions.k8s.io" | "apiregistration.k8s.io");
    for (at, finalizer) in finalizers(object).enumerate().filter(|_| is_core) {
        if !finalizer.contains('/') && !STANDARD_FINALIZERS.contains(&finalizer) {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            faults.push(FieldError::invalid(format!("metadata.finalizers[{at}]"), finalizer, detail));
        }
    }
}

const OWNERS: &str = "metadata.ownerReferences";

fn validate_owners(object: &Object, faults: &mut Vec<FieldError>) {
    let owners = object.get("metadata").and_then(|metadata| metadata.get("ownerReferences"));
    let mut controller: Option<String> = None;
    for owner in owners.and_then(Value::as_array).into_iter().flatten() {
        let text = |field: &str| owner.get(field).and_then(Value::as_str).unwrap_or("");
        for (field, detail) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if text(field).is_empty() {
                faults.push(FieldError::invalid(format!("{OWNERS}.{field}"), "", detail));
            }
        }
        // Events end by themselves: whatever belonged to one would end with it.
        if (text("apiVersion"), text("kind")) == ("v1", "Event") {
            faults.push(FieldError::invalid(
                OWNERS,
                owner.clone(),
                "/v1, Kind=Event is disallowed from being an owner",
            ));
        }
        if owner.get("controller").and_then(Value::as_bool).unwrap_or(false) {
            let named = format!("{}/{}", text("kind"), text("name"));
            if let Some(first) = &controller {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {named}"
                );
                faults.push(FieldError::invalid(OWNERS, owners.cloned().unwrap_or(Value::Null), detail));
            }
            controller.get_or_insert(named);
        }
    }
}

fn check(faults: &mut Vec<FieldError>, path: &str, value: &str, details: Vec<String>) {
    faults.extend(details.into_iter().map(|detail| FieldError::invalid(path, value, detail)));
}

/// Empty maps and lists say the same as absent ones; one form rests.
fn drop_empty(metadata: &mut Map<String, Value>) {
    for field in ["labels", "annotations", "finalizers", "ownerReferences", "generateName"] {
        let empty = match metadata.get(field) {
            Some(Value::Object(map)) => map.is_empty(),
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::String(text)) => text.is_empty(),
            Some(Value::Null) => true,
            _ => false,
        };
        if empty {
            metadata.remove(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(plural: (&str, &str), metadata: Value, old: Option<Value>) -> Vec<String> {
        let object = |metadata| Object::from_iter([("metadata".to_owned(), metadata)]);
        let kind = crate::kinds::required(plural.0, "v1", plural.1);
        let old = old.map(object);
        validate(kind, &object(metadata), old.as_ref()).iter().map(FieldError::to_string).collect()
    }

    #[test]
    fn a_finalizer_has_a_domain_or_is_a_standard_one() {
        let pods = ("", "pods");
        let named = |finalizers: Value| json!({"name": "a", "namespace": "x", "finalizers": finalizers});
        for good in [json!(["example.com/hold"]), json!(["orphan"]), json!(["foregroundDeletion", "kubernetes"])] {
            assert_eq!(faults(pods, named(good), None), [""; 0]);
        }
        let unqualified = "name is neither a standard finalizer name nor is it fully qualified";
        assert_eq!(
            faults(pods, named(json!(["orphan", "hold"])), None),
            [format!("metadata.finalizers[1]: Invalid value: \"hold\": {unqualified}")]
        );
        let before = named(json!([]));
        assert_eq!(faults(pods, named(json!(["hold"])), Some(before)).len(), 1);
        let outside = ("apiextensions.k8s.io", "customresourcedefinitions");
        assert_eq!(faults(outside, json!({"name": "a", "finalizers": ["hold"]}), None), [""; 0]);
        assert_eq!(
            faults(pods, named(json!(["orphan", "foregroundDeletion"])), None),
            [concat!(
                r#"metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: "#,
                "finalizer orphan and foregroundDeletion cannot be both set"
            )]
        );
        let mut leaving = named(json!(["example.com/a"]));
        leaving["deletionTimestamp"] = json!("2030-01-01T00:00:00Z");
        assert_eq!(
            faults(pods, named(json!(["example.com/a", "example.com/b"])), Some(leaving)),
            [concat!(
                "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, ",
                r#"found new finalizers []string{"example.com/b"}"#
            )]
        );
    }

    #[test]
    fn an_owner_is_named_in_full_and_one_of_them_controls() {
        let owners = |owners: Value| {
            faults(("", "pods"), json!({"name": "a", "namespace": "x", "ownerReferences": owners}), None)
        };
        let owner = |kind: &str, name: &str| json!({"apiVersion": "v1", "kind": kind, "name": name, "uid": "u", "controller": true});
        assert_eq!(owners(json!([owner("Pod", "p")])), [""; 0]);
        assert_eq!(
            owners(json!([{}])),
            [
                "metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty",
                "metadata.ownerReferences.kind: Invalid value: \"\": must not be empty",
                "metadata.ownerReferences.name: Invalid value: \"\": must not be empty",
                "metadata.ownerReferences.uid: Invalid value: \"\": must not be empty",
            ]
        );
        let two = owners(json!([owner("Pod", "p"), owner("Node", "q")]));
        assert_eq!(two.len(), 1);
        let why =
            "Only one reference can have Controller set to true. Found \"true\" in references for Pod/p and Node/q";
        assert!(two[0].ends_with(why), "{two:?}");
        let of_event = owners(json!([owner("Event", "e")]));
        assert!(of_event[0].ends_with("}: /v1, Kind=Event is disallowed from being an owner"), "{of_event:?}");
    }
}
