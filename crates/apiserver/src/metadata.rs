//! The part that all objects share: names, identity, times, generation.

use registry::{FieldError, Kind, NameRule, Object, names};
use serde_json::{Map, Value};
use stdx::Ambient;

use crate::status::{ApiError, Subject};

/// `generateName` leaves room for this many characters of suffix.
const SUFFIX_CHARACTERS: usize = 5;
const MAX_GENERATED_NAME: usize = 63;

/// All annotations together may hold this much.
const MAX_ANNOTATION_BYTES: usize = 256 * 1024;

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
    for (key, value) in map(object, "labels").into_iter().flatten() {
        check(&mut faults, "metadata.labels", key, names::qualified_name(key));
        let value = value.as_str().unwrap_or("");
        check(&mut faults, "metadata.labels", value, names::label_value(value));
    }
    let mut annotation_bytes = 0;
    for (key, value) in map(object, "annotations").into_iter().flatten() {
        check(&mut faults, "metadata.annotations", key, names::qualified_name(&key.to_lowercase()));
        annotation_bytes += key.len() + value.as_str().map_or(0, str::len);
    }
    if annotation_bytes > MAX_ANNOTATION_BYTES {
        faults.push(FieldError::too_long("metadata.annotations", MAX_ANNOTATION_BYTES));
    }
    validate_finalizers(object, old, &mut faults);
    validate_owners(object, &mut faults);
    faults
}

fn validate_finalizers(object: &Object, old: Option<&Object>, faults: &mut Vec<FieldError>) {
    for finalizer in finalizers(object) {
        check(faults, "metadata.finalizers", finalizer, names::qualified_name(finalizer));
    }
    let (mut orphan, mut foreground) = (false, false);
    for finalizer in finalizers(object) {
        orphan |= finalizer == "orphan";
        foreground |= finalizer == "foregroundDeletion";
    }
    if orphan && foreground {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        faults.push(FieldError::invalid("metadata.finalizers", "orphan", detail));
    }
    let Some(old) = old.filter(|old| is_deleting(old)) else { return };
    let added: Vec<&str> = finalizers(object).filter(|name| !finalizers(old).any(|kept| kept == *name)).collect();
    if !added.is_empty() {
        let detail =
            format!("no new finalizers can be added if the object is being deleted, found new finalizers {:?}", added);
        faults.push(FieldError::forbidden("metadata.finalizers", detail));
    }
}

fn validate_owners(object: &Object, faults: &mut Vec<FieldError>) {
    let owners = object.get("metadata").and_then(|metadata| metadata.get("ownerReferences")).and_then(Value::as_array);
    let mut controllers = 0;
    for (at, owner) in owners.into_iter().flatten().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner.get(field).and_then(Value::as_str).unwrap_or("").is_empty() {
                let path = format!("metadata.ownerReferences[{at}].{field}");
                faults.push(FieldError::invalid(path, "", format!("{} must not be empty", lower_version(field))));
            }
        }
        controllers += usize::from(owner.get("controller").and_then(Value::as_bool).unwrap_or(false));
    }
    if controllers > 1 {
        let detail = "Only one reference can have Controller set to true.";
        faults.push(FieldError::invalid("metadata.ownerReferences", Value::Null, detail));
    }
}

fn lower_version(field: &str) -> &str {
    if field == "apiVersion" { "version" } else { field }
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
