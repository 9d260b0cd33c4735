//! Which manager owns which fields: kept with every write, and asked by server-side apply.

use codec::apply::{self, ApplyError, ManagedFields, Resets, Tracking, Versions};
use codec::schema::{self, Type};
use http::{HeaderMap, StatusCode, header};
use registry::{FieldError, Kind, Object};
use serde_json::Value;

use crate::call::Call;
use crate::status::ApiError;
use crate::write::Part;
use crate::{convert, kinds, metadata};

/// The longest name of a manager.
const MAX_MANAGER_CHARACTERS: usize = 128;

/// Who writes: the `fieldManager` parameter, or what the User-Agent begins with.
pub(crate) fn manager(parameter: Option<&str>, headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let program = agent.split('/').next().unwrap_or("");
    let from_agent: String = program.chars().take(MAX_MANAGER_CHARACTERS).filter(|c| is_printable(*c)).collect();
    match parameter {
        Some(name) => name.to_owned(),
        None if from_agent.is_empty() => "unknown".to_owned(),
        None => from_agent,
    }
}

/// The faults of a `fieldManager` parameter.
pub(crate) fn check_manager(name: &str) -> Vec<FieldError> {
    let mut faults = Vec::new();
    if name.len() > MAX_MANAGER_CHARACTERS {
        faults.push(FieldError::too_long("fieldManager", MAX_MANAGER_CHARACTERS));
    }
    for (at, character) in name.char_indices().filter(|(_, character)| !is_printable(*character)) {
        let detail = format!("invalid character U+{:04X} (at position {at})", u32::from(character));
        faults.push(FieldError::invalid("fieldManager", name, detail));
    }
    faults
}

fn is_printable(character: char) -> bool {
    character == ' ' || !(character.is_control() || character.is_whitespace())
}

/// Settles the managed fields of an object about to be written: the writer takes what it changes. `live` is empty on
/// creation; both are in the form the kind rests in.
pub(crate) fn track(call: &Call, part: Part, live: &Object, wanted: &mut Object) {
    let Some(managed) = given_or_live(part, live, wanted) else { return };
    let now = call.server.ambient.clock.now_seconds().to_string();
    let (api_version, manager) = (call.kind.api_version(), call.manager());
    let versions = ServedVersions { kind: call.kind };
    let tracking = tracking(call.kind, part, &versions, (&api_version, &manager, &now));
    let managed = match call.kind.storage {
        None => tracking.update(live, wanted, managed),
        Some(_) => {
            let (mut shown_live, mut shown) = (live.clone(), wanted.clone());
            convert::out_of_storage(call.kind, &mut shown_live);
            convert::out_of_storage(call.kind, &mut shown);
            tracking.update(&shown_live, &shown, managed)
        }
    };
    set(wanted, managed);
}

/// The live object with a configuration applied, its managed fields settled; both in the version that was asked for.
pub(crate) fn apply(call: &Call, part: Part, live: &Object, config: &Object, force: bool) -> Result<Object, ApiError> {
    let now = call.server.ambient.clock.now_seconds().to_string();
    let (api_version, manager) = (call.kind.api_version(), call.manager());
    let versions = ServedVersions { kind: call.kind };
    let tracking = tracking(call.kind, part, &versions, (&api_version, &manager, &now));
    let managed = ManagedFields::stored(of(live).cloned());
    let applied = tracking.apply(live, config, managed, force);
    let applied = applied.map_err(|error| refused(error, &api_version, call.kind.kind, config))?;
    let mut object = applied.object;
    set(&mut object, applied.managed);
    Ok(object)
}

/// Puts the managed fields where they belong, at rest: an object on its way into the store has them in no other form.
pub(crate) fn set(object: &mut Object, managed: ManagedFields) {
    let metadata = metadata::of(object);
    match managed.rest() {
        Some(list) => metadata.insert(FIELD.to_owned(), list),
        None => metadata.shift_remove(FIELD),
    };
}

pub(crate) fn of(object: &Object) -> Option<&Value> {
    object.get("metadata")?.get(FIELD)
}

/// Takes back new times where nothing else is new: a write that changes nothing writes nothing.
pub(crate) fn keep_times(object: &mut Object, old: &Object) {
    let (Some(Value::Array(before)), Some(Value::Array(after))) = (of(old), of(object)) else { return };
    let same = before.len() == after.len() && before.iter().zip(after).all(|(before, after)| is_same(before, after));
    if same {
        let list = Value::Array(before.clone());
        metadata::of(object).insert(FIELD.to_owned(), list);
    }
}

/// Whether two entries are the same but for their times.
fn is_same(before: &Value, after: &Value) -> bool {
    let (Value::Object(before), Value::Object(after)) = (before, after) else { return before == after };
    let lasting = |entry: &Object| entry.len() - usize::from(entry.contains_key("time"));
    lasting(before) == lasting(after)
        && before.iter().all(|(field, value)| field == "time" || after.get(field) == Some(value))
}

pub(crate) fn refused(error: ApplyError, api_version: &str, kind: &str, config: &Object) -> ApiError {
    match error {
        ApplyError::Conflicts(conflicts) => {
            let message = apply::conflict_message(&conflicts);
            let error = ApiError::new(StatusCode::CONFLICT, "Conflict", message);
            conflicts.iter().fold(error, |error, conflict| {
                error.with_cause("FieldManagerConflict", conflict.message(), Some(&conflict.field()))
            })
        }
        // As upstream answers what its typed objects do not take.
        ApplyError::Misfit(misfit) => {
            let (namespace, name) = (metadata::namespace(config), metadata::name(config));
            let message = format!(
                "failed to create typed patch object ({namespace}/{name}; {api_version}, Kind={kind}): {misfit}"
            );
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "", message)
        }
        ApplyError::UnknownVersion(_) => ApiError::internal(&error.to_string()),
    }
}

const FIELD: &str = "managedFields";

/// What the write starts from; none where it does not touch ownership.
fn given_or_live(part: Part, live: &Object, wanted: &mut Object) -> Option<ManagedFields> {
    let given = metadata::of(wanted).shift_remove(FIELD);
    let live = of(live);
    if given.as_ref() == live || part != Part::Object {
        return Some(ManagedFields::stored(given.filter(|given| Some(given) == live).or_else(|| live.cloned())));
    }
    if apply::is_reset(given.as_ref()) {
        return Some(ManagedFields::default());
    }
    // Clients that know nothing of managed fields leave them out; what does not read counts as left out.
    let read = given.as_ref().and_then(|given| ManagedFields::decode(given).ok()).filter(|read| !read.is_empty());
    Some(read.unwrap_or_else(|| ManagedFields::stored(live.cloned())))
}

fn tracking<'a>(
    kind: &Kind,
    part: Part,
    versions: &'a ServedVersions,
    (api_version, manager, now): (&'a str, &'a str, &'a str),
) -> Tracking<'a> {
    Tracking { versions, api_version, manager, subresource: part.subresource(), now, resets: resets(kind, part) }
}

/// What a write through this part of a kind cannot change, as upstream's strategies state it.
fn resets(kind: &Kind, part: Part) -> Resets {
    match part {
        Part::Object if kind.has_status => Resets::Excluding(&[&["status"]]),
        Part::Object | Part::Scale => Resets::Excluding(&[]),
        Part::Status => Resets::Excluding(status_resets(kind)),
        Part::Narrow(name) => match name {
            "approval" => Resets::Excluding(&[&["spec"], &["status", "certificate"]]),
            "ephemeralcontainers" => Resets::AllBut(&[&["spec", "ephemeralContainers"]]),
            "resize" => Resets::AllBut(&[
                &["spec", "containers", "*", "resources"],
                &["spec", "containers", "*", "resizePolicy"],
                &["spec", "initContainers", "*", "resources"],
                &["spec", "initContainers", "*", "resizePolicy"],
            ]),
            "finalize" => Resets::Excluding(&[&["status"]]),
            _ => Resets::Excluding(&[]),
        },
    }
}

/// What a write to `/status` leaves as it is.
pub(crate) fn status_resets(kind: &Kind) -> &'static [&'static [&'static str]] {
    let stored = (kind.group, kind.plural);
    match stored {
        ("apps" | "extensions", "deployments") => &[&["spec"], &["metadata", "labels"]],
        ("", "pods") => &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
        ("certificates.k8s.io", _) => &[&["spec"], &["status", "conditions"]],
        ("apiextensions.k8s.io" | "flowcontrol.apiserver.k8s.io" | "resource.k8s.io", _) => &[&["spec"], &["metadata"]],
        _ => &[&["spec"]],
    }
}

/// The versions that share a kind's storage.
struct ServedVersions {
    kind: &'static Kind,
}

impl ServedVersions {
    fn kind(&self, api_version: &str) -> Option<&'static Kind> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        if (self.kind.group, self.kind.version) == (group, version) {
            return Some(self.kind);
        }
        let other = registry::by_kind(group, version, self.kind.kind)?;
        std::ptr::eq(kinds::stored(other), kinds::stored(self.kind)).then_some(other)
    }
}

impl Versions for ServedVersions {
    fn r#type(&self, api_version: &str) -> Option<&'static Type> {
        let kind = self.kind(api_version)?;
        schema::lookup(kind.group, kind.version, kind.kind)
    }

    fn convert(&self, object: &Object, from: &str, to: &str) -> Option<Object> {
        let (from, to) = (self.kind(from)?, self.kind(to)?);
        let mut object = object.clone();
        convert::to_storage(from, &mut object);
        convert::out_of_storage(to, &mut object);
        Some(object)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_manager_is_named_by_parameter_or_agent() {
        let agent = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            manager(None, &headers)
        };
        assert_eq!(agent("kubectl/v1.33.1 (linux/amd64) kubernetes/8adc0f0"), "kubectl");
        assert_eq!(agent("curl"), "curl");
        assert_eq!(agent(&"a".repeat(200)).len(), MAX_MANAGER_CHARACTERS);
        assert_eq!(manager(None, &HeaderMap::new()), "unknown");
        assert_eq!(manager(Some("mine"), &HeaderMap::new()), "mine");
    }

    #[test]
    fn versions_of_one_kind_are_known_by_their_storage() {
        let event = kinds::find("events.k8s.io", "v1", "events").unwrap();
        let versions = ServedVersions { kind: event };
        assert!(versions.r#type("v1").is_some() && versions.r#type("events.k8s.io/v1").is_some());
        assert!(versions.r#type("apps/v1").is_none());
        let Value::Object(old) = json!({"note": "hello", "regarding": {"kind": "Pod"}}) else { unreachable!() };
        let converted = versions.convert(&old, "events.k8s.io/v1", "v1").unwrap();
        assert_eq!((&converted["message"], &converted["involvedObject"]["kind"]), (&json!("hello"), &json!("Pod")));
    }

    #[test]
    fn times_stay_where_nothing_else_is_new() {
        let with = |time: &str, field: &str| {
            let entry = json!({"manager": "a", "time": time, "fieldsV1": {field: {}}});
            let Value::Object(object) = json!({"metadata": {"managedFields": [entry]}}) else { unreachable!() };
            object
        };
        let (old, mut same, mut other) = (with("1", "f:a"), with("2", "f:a"), with("2", "f:b"));
        keep_times(&mut same, &old);
        keep_times(&mut other, &old);
        assert_eq!((same, other), (with("1", "f:a"), with("2", "f:b")));
    }
}
