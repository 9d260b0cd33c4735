//! Every kind beside what upstream makes of it: a small object and what is stored of it, a full one that has nothing
//! left to fill in, what tables show of it, and what is said of objects that are refused.
//!
//! `golden/<group>/<kind>.yaml` holds the version listed first; `golden/<group>/<version>/<kind>.yaml` may hold another one.
//! A file has these parts:
//!
//! - `small`: an object as people write it, `given`, and what rests of it, `stored`, without what the server draws.
//! - `full`: an object with every default spelled out, as controllers leave it, and the cells of `get` and of `-o wide`.
//! - `refused`: changes (`set`: JSON pointers to values, null to take away) of the `small` or, with `of: full`, the full
//!   object, and what is said of each. With `update: true` the object was without the change before; with
//!   `status: true` the change comes through `/status`.
//!
//! What is expected is upstream's: its documentation, defaulting functions, validation tests and printers.

mod typed;

use std::path::{Path, PathBuf};

use codec::schema::{self, Type};
use codec::{FieldValidation, Format};
use registry::{FieldError, Kind, Object, WriteContext, Writer};
use serde_json::Value;

/// When the objects were made, and when tables are asked for.
const BORN: &str = "2030-01-01T00:00:00Z";
const NOW: &str = "2030-01-01T00:10:00Z";

#[test]
fn every_kind_has_a_golden_file() {
    // Other versions rest as one of these; those that were removed are told of beside their conversions.
    let resting = registry::KINDS.iter().filter(|kind| kind.storage.is_none() && !kind.is_legacy());
    let missing: Vec<PathBuf> = resting.map(|kind| path_of(kind)).filter(|path| !path.exists()).collect();
    assert!(missing.is_empty(), "without a golden file: {missing:#?}");
}

/// Kinds of which upstream refuses nothing but what is said of every object's metadata.
const NEVER_REFUSED: &[(&str, &str)] = &[
    ("Binding", "is checked against its pod"),
    ("ComponentStatus", "can only be read"),
    ("Namespace", "has names of finalizers alone, which its finalize subresource takes"),
    ("SelfSubjectReview", "has nothing but what the server answers"),
    ("SelfSubjectRulesReview", "is refused as a whole, without a field, where it names no namespace"),
    ("ServiceAccount", "refers to others by names that need not be there"),
    ("TokenReview", "is refused as a whole, without a field, where it has no token"),
];

/// A kind is told of whole: small, full, refused, and as it is printed.
#[test]
fn every_golden_file_has_all_its_parts() {
    let mut lacking = Vec::new();
    for kind in registry::KINDS.iter().filter(|kind| path_of(kind).exists()) {
        let file = Golden::of(kind).unwrap_or_else(|error| panic!("{kind:?}: {error}")).file;
        let has = |pointer: &str| Value::Object(file.clone()).pointer(pointer).is_some_and(|part| !part.is_null());
        let refuses = file.get("refused").and_then(Value::as_array).is_some_and(|variants| !variants.is_empty());
        let may_refuse = !NEVER_REFUSED.iter().any(|(known, _)| *known == kind.kind);
        if refuses != may_refuse {
            lacking.push(format!("{kind:?}: refuses something: {refuses}"));
        }
        for part in ["/small/given", "/small/stored", "/full/given", "/full/get"] {
            // What is asked and answered is never listed, so that no table shows it.
            let is_shown = kind.serves("get") || !part.ends_with("get");
            if is_shown && !has(part) {
                lacking.push(format!("{kind:?} has no {part}"));
            }
        }
    }
    assert!(lacking.is_empty(), "{lacking:#?}");
}

#[test]
fn every_golden_file_is_of_a_kind() {
    let known: Vec<PathBuf> = registry::KINDS.iter().map(|kind| path_of(kind)).collect();
    let strangers: Vec<PathBuf> = files(&root()).into_iter().filter(|path| !known.contains(path)).collect();
    assert!(strangers.is_empty(), "of no kind that is served: {strangers:#?}");
}

#[test]
fn small_objects_rest_as_upstream_stores_them() {
    check_all(|golden| {
        let mut stored = golden.created("small")?;
        strip(&mut stored);
        golden.same("stored", &stored, golden.part("small")?.get("stored").unwrap_or(&Value::Null))
    });
}

#[test]
fn full_objects_are_left_as_they_are() {
    check_all(|golden| {
        let given = golden.read("full")?;
        let mut whole = given.clone();
        schema::complete(&mut whole, golden.r#type);
        let mut settled = given;
        golden.settle(&mut settled);
        strip(&mut settled);
        strip(&mut whole);
        golden.same("full", &settled, &Value::Object(whole))?;
        let faults = golden.faults(&golden.rested("full")?, None);
        if faults.is_empty() { Ok(()) } else { Err(format!("the full object is refused: {faults:#?}")) }
    });
}

/// Names that are misspelt here or in the table of types do not survive upstream's types.
#[test]
fn objects_survive_the_published_types() {
    check_all(|golden| {
        for part in ["small", "full"] {
            let given = golden.stating_kind(golden.read(part)?);
            let Some(back) = typed::through(golden.kind, &given) else { continue };
            let back = back.map_err(|error| format!("{part}: {error}"))?;
            let mut differences = Vec::new();
            find_lost(&without_empty(&given), &without_empty(&back), "", &mut differences);
            if !differences.is_empty() {
                return Err(format!("{part} loses in its type:\n  {}", differences.join("\n  ")));
            }
        }
        Ok(())
    });
}

#[test]
fn tables_show_what_kubectl_prints() {
    check_all(|golden| {
        let full = golden.part("full")?;
        let rules = golden.stored_kind().rules;
        let cells = rules.row(&golden.rested("full")?, NOW.parse().expect("a moment"));
        let columns = rules.columns();
        for (priority, part) in [(0, "get"), (1, "wide")] {
            let shown = columns.iter().zip(&cells).filter(|(column, _)| column.priority == priority);
            let shown: Vec<String> = shown.map(|(column, cell)| format!("{}: {cell}", column.name)).collect();
            let wanted = full.get(part).and_then(Value::as_object).cloned().unwrap_or_default();
            let wanted: Vec<String> = wanted.iter().map(|(name, cell)| format!("{name}: {cell}")).collect();
            if shown != wanted {
                return Err(format!("{part} shows\n  {}\nnot\n  {}", shown.join("\n  "), wanted.join("\n  ")));
            }
        }
        Ok(())
    });
}

#[test]
fn invalid_variants_are_refused_in_upstreams_words() {
    check_all(|golden| {
        let empty = Vec::new();
        let variants = golden.file.get("refused").and_then(Value::as_array).unwrap_or(&empty);
        let complaints: Vec<String> = variants.iter().filter_map(|variant| golden.refuse(variant).err()).collect();
        if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
    });
}

/// One file.
struct Golden {
    kind: &'static Kind,
    r#type: &'static Type,
    file: Object,
}

impl Golden {
    fn of(kind: &'static Kind) -> Result<Golden, String> {
        let path = path_of(kind);
        let text = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let file = codec::decode::decode_untyped(&text, Format::Yaml, FieldValidation::Strict);
        let file = file.map_err(|error| error.to_string())?.object;
        if let Some(part) = file.keys().find(|part| !["small", "full", "refused"].contains(&part.as_str())) {
            return Err(format!("what is {part:?}?"));
        }
        let r#type = schema::lookup(kind.group, kind.version, kind.kind).ok_or("it has no type")?;
        Ok(Golden { kind, r#type, file })
    }

    fn part(&self, part: &str) -> Result<&Object, String> {
        self.file.get(part).and_then(Value::as_object).ok_or_else(|| format!("there is no {part} object"))
    }

    /// An object as a client sends it, read as strictly as can be.
    fn read(&self, part: &str) -> Result<Object, String> {
        let given = self.part(part)?.get("given").ok_or_else(|| format!("{part} is not given"))?;
        self.decode(given)
    }

    fn decode(&self, given: &Value) -> Result<Object, String> {
        let decoded = codec::decode(given.to_string().as_bytes(), Format::Json, self.r#type, FieldValidation::Strict);
        decoded.map(|decoded| decoded.object).map_err(|error| error.to_string())
    }

    fn stating_kind(&self, mut object: Object) -> Value {
        object.insert("apiVersion".to_owned(), Value::from(self.kind.api_version()));
        object.insert("kind".to_owned(), Value::from(self.kind.kind));
        Value::Object(object)
    }

    fn stored_kind(&self) -> &'static Kind {
        self.kind.storage.unwrap_or(self.kind)
    }

    /// Defaults the object, as this version serves it.
    fn settle(&self, object: &mut Object) {
        self.kind.rules.default(object);
        schema::complete(object, self.r#type);
    }

    /// The object as it rests: in the stored version.
    fn to_rest(&self, object: &mut Object) {
        // Requests are never born: nothing is kept of them.
        if self.kind.serves("list") {
            bear(object);
        }
        self.kind.rules.default(object);
        if self.kind.storage.is_some() {
            self.kind.rules.to_storage(object);
        }
        self.complete_at_rest(object);
    }

    fn complete_at_rest(&self, object: &mut Object) {
        let stored = self.stored_kind();
        if let Some(r#type) = schema::lookup(stored.group, stored.version, stored.kind) {
            schema::complete(object, r#type);
        }
    }

    fn rested(&self, part: &str) -> Result<Object, String> {
        let mut object = self.read(part)?;
        self.to_rest(&mut object);
        Ok(object)
    }

    fn created(&self, part: &str) -> Result<Object, String> {
        let mut object = self.rested(part)?;
        let context = WriteContext { now: NOW.parse().expect("a moment"), writer: Writer::named("jane") };
        self.stored_kind().rules.prepare_create(&mut object, &context);
        self.complete_at_rest(&mut object);
        Ok(object)
    }

    fn faults(&self, object: &Object, old: Option<&Object>) -> Vec<String> {
        let as_served = self.kind.rules.validate_as_served(object, old);
        let faults = as_served.unwrap_or_else(|| self.stored_kind().rules.validate(object, old));
        faults.iter().map(FieldError::to_string).collect()
    }

    fn refuse(&self, variant: &Value) -> Result<(), String> {
        let part = variant.get("of").and_then(Value::as_str).unwrap_or("small");
        let changes = variant.get("set").and_then(Value::as_object).ok_or("a variant sets nothing")?;
        let is = |flag: &str| variant.get(flag).and_then(Value::as_bool).unwrap_or(false);
        let mut given = Value::Object(self.read(part)?);
        for (pointer, value) in changes {
            change(&mut given, pointer, value)?;
        }
        let name = || Value::Object(changes.clone());
        let mut object = self.decode(&given).map_err(|error| format!("{}: {error}", name()))?;
        self.to_rest(&mut object);
        let old = self.rested(part)?;
        let said = match (is("status"), is("update")) {
            (true, _) => {
                let faults = self.stored_kind().rules.validate_status(&object, &old);
                faults.iter().map(FieldError::to_string).collect()
            }
            (false, true) => {
                let context = WriteContext { now: NOW.parse().expect("a moment"), writer: Writer::named("jane") };
                self.stored_kind().rules.prepare_update(&mut object, &old, &context);
                self.complete_at_rest(&mut object);
                self.faults(&object, Some(&old))
            }
            (false, false) => {
                let context = WriteContext { now: NOW.parse().expect("a moment"), writer: Writer::named("jane") };
                self.stored_kind().rules.prepare_create(&mut object, &context);
                self.complete_at_rest(&mut object);
                self.faults(&object, None)
            }
        };
        let wanted: Vec<&str> =
            variant.get("says").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        if said == wanted {
            return Ok(());
        }
        Err(format!("{} says\n  {}\nnot\n  {}", name(), said.join("\n  "), wanted.join("\n  ")))
    }

    fn same(&self, what: &str, found: &(impl serde::Serialize + ?Sized), wanted: &Value) -> Result<(), String> {
        let found = serde_json::to_value(found).map_err(|error| error.to_string())?;
        let mut differences = Vec::new();
        differ(&found, wanted, "", &mut differences);
        match differences.is_empty() {
            true => Ok(()),
            false => Err(format!("{what} differs:\n  {}", differences.join("\n  "))),
        }
    }
}

/// Runs a check on every kind that has a file, and tells all that is wrong at once.
fn check_all(check: impl Fn(&Golden) -> Result<(), String>) {
    let mut complaints = Vec::new();
    for kind in registry::KINDS.iter().filter(|kind| path_of(kind).exists()) {
        if let Err(complaint) = Golden::of(kind).and_then(|golden| check(&golden)) {
            complaints.push(format!("{} {}: {complaint}", kind.api_version(), kind.kind));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Gives a new object what the server draws.
fn bear(object: &mut Object) {
    let metadata = api_metadata(object);
    for (field, value) in [("uid", "uid"), ("creationTimestamp", BORN)] {
        metadata.entry(field).or_insert_with(|| Value::from(value));
    }
}

/// Takes away what the server draws, and what every golden object would have to say.
fn strip(object: &mut Object) {
    for field in ["kind", "apiVersion"] {
        object.shift_remove(field);
    }
    let metadata = api_metadata(object);
    for field in ["uid", "creationTimestamp"] {
        metadata.shift_remove(field);
    }
}

fn api_metadata(object: &mut Object) -> &mut Object {
    let metadata = object.entry("metadata").or_insert_with(|| Value::Object(Object::new()));
    metadata.as_object_mut().expect("metadata is an object")
}

fn change(object: &mut Value, pointer: &str, value: &Value) -> Result<(), String> {
    let (parent, last) = pointer.rsplit_once('/').ok_or_else(|| format!("{pointer:?} is no pointer"))?;
    let last = last.replace("~1", "/").replace("~0", "~");
    let place = object.pointer_mut(parent).ok_or_else(|| format!("{pointer:?} leads nowhere"))?;
    match place {
        Value::Object(fields) if value.is_null() => drop(fields.shift_remove(&last)),
        Value::Object(fields) => drop(fields.insert(last, value.clone())),
        Value::Array(items) => match last.parse::<usize>() {
            Ok(at) if at < items.len() && value.is_null() => drop(items.remove(at)),
            Ok(at) if at < items.len() => items[at] = value.clone(),
            _ => items.push(value.clone()),
        },
        _ => return Err(format!("{pointer:?} leads into a scalar")),
    }
    Ok(())
}

fn differ(found: &Value, wanted: &Value, place: &str, differences: &mut Vec<String>) {
    match (found, wanted) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                match right.get(name) {
                    Some(other) => differ(value, other, &format!("{place}.{name}"), differences),
                    None => differences.push(format!("{place}.{name} is {value}, not wanted")),
                }
            }
            let lacking = right.iter().filter(|(name, _)| !left.contains_key(*name));
            differences.extend(lacking.map(|(name, value)| format!("{place}.{name} is not there, should be {value}")));
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                differ(left, right, &format!("{place}[{at}]"), differences);
            }
        }
        _ if found == wanted => {}
        _ => differences.push(format!("{place} is {found}, should be {wanted}")),
    }
}

/// What is given and does not come back as it was.
fn find_lost(given: &Value, back: &Value, place: &str, differences: &mut Vec<String>) {
    match (given, back) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                find_lost(value, right.get(name).unwrap_or(&Value::Null), &format!("{place}.{name}"), differences);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                find_lost(left, right, &format!("{place}[{at}]"), differences);
            }
        }
        _ if given == back => {}
        _ => differences.push(format!("{place}: {given} comes back as {back}")),
    }
}

/// Without what types may write or leave out alike: what is null or holds nothing.
fn without_empty(value: &Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(truth) => !truth,
    };
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(name, value)| (name.clone(), without_empty(value)));
            Value::Object(kept.filter(|(_, value)| !is_empty(value)).collect())
        }
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn path_of(kind: &Kind) -> PathBuf {
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    let folder = root().join(group);
    // The version listed first is the usual one.
    let usual = registry::KINDS.iter().find(|other| other.group == kind.group && other.kind == kind.kind);
    let folder = match usual.is_some_and(|usual| usual.version == kind.version) {
        true => folder,
        false => folder.join(kind.version),
    };
    folder.join(format!("{}.yaml", kind.singular))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] }).collect()
}
