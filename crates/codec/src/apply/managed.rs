//! `metadata.managedFields`: who owns what, read and written.

use serde_json::{Map, Value};

use super::element::ElementError;
use super::set::FieldSet;

/// How a manager came by its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

/// Who owns fields. An applier is the same whatever version it applied last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Manager {
    pub name: String,
    pub operation: Operation,
    /// Of updates alone.
    pub api_version: String,
    pub subresource: String,
}

/// One manager's fields.
#[derive(Clone, Debug)]
pub struct Entry {
    pub manager: Manager,
    /// The version the fields are named in.
    pub api_version: String,
    pub time: Option<String>,
    fields: Fields,
}

#[derive(Clone, Debug)]
enum Fields {
    /// The whole entry as it was found: most writes leave most entries alone.
    Found(Value),
    Read(FieldSet),
}

/// Every manager of an object, each once.
#[derive(Clone, Debug, Default)]
pub struct ManagedFields {
    entries: Vec<Entry>,
}

/// Why a client's list of managed fields cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManagedFieldsError {
    #[error("managedFields must be a list of entries")]
    NoList,
    #[error("operation must be `Apply` or `Update`")]
    Operation,
    #[error("apiVersion must not be empty")]
    NoVersion,
    #[error("missing fieldsType in managed fields entry {at}")]
    NoFieldsType { at: usize },
    #[error("invalid fieldsType {found:?} in managed fields entry {at}")]
    FieldsType { found: String, at: usize },
    #[error("error decoding set")]
    Set(#[from] ElementError),
}

/// Entries of updates that are kept apart; the oldest of more become one.
const MAX_UPDATERS: usize = 10;
const OLD_UPDATERS: &str = "ancient-changes";

/// At rest its value is a text: see [`super::rest`].
const FIELDS: &str = "fieldsV1";

impl Operation {
    fn name(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

impl Entry {
    pub(super) fn new(manager: Manager, api_version: &str, set: FieldSet, time: Option<String>) -> Self {
        Entry { manager, api_version: api_version.to_owned(), time, fields: Fields::Read(set) }
    }

    /// The fields. What was stored was read before, so it can be read again.
    pub fn set(&self) -> FieldSet {
        match &self.fields {
            Fields::Read(set) => set.clone(),
            Fields::Found(entry) => read_set(entry).unwrap_or_else(|_| FieldSet::default()),
        }
    }

    pub(super) fn replace_set(&mut self, set: FieldSet) {
        self.fields = Fields::Read(set);
    }

    /// The fields, if any of them is among these.
    pub(super) fn meeting(&self, others: &FieldSet) -> Option<FieldSet> {
        if let Fields::Found(entry) = &self.fields
            && let Some(Value::String(text)) = entry.get(FIELDS)
            && !others.may_meet_text(text)
        {
            return None;
        }
        let own = self.set();
        (!own.intersection(others).is_empty()).then_some(own)
    }

    fn is_empty(&self) -> bool {
        matches!(&self.fields, Fields::Read(set) if set.is_empty())
    }

    fn decode(entry: Value, at: usize) -> Result<Self, ManagedFieldsError> {
        let text = |field: &str| entry.get(field).and_then(Value::as_str).unwrap_or("");
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return Err(ManagedFieldsError::Operation),
        };
        let api_version = text("apiVersion").to_owned();
        if api_version.is_empty() {
            return Err(ManagedFieldsError::NoVersion);
        }
        match text("fieldsType") {
            "FieldsV1" => {}
            "" => return Err(ManagedFieldsError::NoFieldsType { at }),
            found => return Err(ManagedFieldsError::FieldsType { found: found.to_owned(), at }),
        }
        let manager = Manager {
            name: text("manager").to_owned(),
            operation,
            api_version: if operation == Operation::Update { api_version.clone() } else { String::new() },
            subresource: text("subresource").to_owned(),
        };
        let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
        Ok(Entry { manager, api_version, time, fields: Fields::Found(entry) })
    }

    fn rest(self) -> Value {
        let set = match self.fields {
            Fields::Found(mut entry) => {
                if let Some(fields) = entry.get_mut(FIELDS).filter(|fields| !fields.is_string()) {
                    *fields = Value::String(fields.to_string());
                }
                return entry;
            }
            Fields::Read(set) => set,
        };
        let mut entry = Map::new();
        let mut put = |field: &str, value: Value| entry.insert(field.to_owned(), value);
        put("manager", Value::from(self.manager.name));
        put("operation", Value::from(self.manager.operation.name()));
        put("apiVersion", Value::from(self.api_version));
        if let Some(time) = self.time {
            put("time", Value::from(time));
        }
        put("fieldsType", Value::from("FieldsV1"));
        put(FIELDS, Value::String(set.to_text()));
        if !self.manager.subresource.is_empty() {
            put("subresource", Value::from(self.manager.subresource));
        }
        Value::Object(entry)
    }
}

impl ManagedFields {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// From the form the server itself wrote, at rest or not; only what a write touches is read in full.
    pub fn stored(list: Option<Value>) -> Self {
        let Some(Value::Array(list)) = list else { return ManagedFields::default() };
        let entries =
            list.into_iter().enumerate().map(|(at, entry)| Entry::decode(entry, at)).collect::<Result<_, _>>();
        // What does not read owns nothing, as upstream has it.
        entries.map_or_else(|_| ManagedFields::default(), |entries| ManagedFields { entries })
    }

    /// From what a client sent: read in full, and brought into the written form.
    pub fn decode(list: &Value) -> Result<Self, ManagedFieldsError> {
        let Value::Array(list) = list else { return Err(ManagedFieldsError::NoList) };
        let mut managed = ManagedFields::default();
        for (at, entry) in list.iter().enumerate() {
            let mut read = Entry::decode(entry.clone(), at)?;
            read.replace_set(read_set(entry)?);
            managed.put(read);
        }
        Ok(managed)
    }

    /// The written form at rest, ordered as upstream orders it; none where nobody owns anything.
    pub fn rest(mut self) -> Option<Value> {
        self.entries.sort_by(|left, right| {
            let order = left.manager.operation.cmp(&right.manager.operation);
            order
                .then_with(|| seconds(left).cmp(seconds(right)))
                .then_with(|| left.manager.name.cmp(&right.manager.name))
                .then_with(|| left.api_version.cmp(&right.api_version))
                .then_with(|| left.manager.subresource.cmp(&right.manager.subresource))
        });
        let list: Vec<Value> = self.entries.into_iter().map(Entry::rest).collect();
        (!list.is_empty()).then_some(Value::Array(list))
    }

    /// As [`ManagedFields::rest`], unfolded.
    #[cfg(test)]
    pub(super) fn encode(self) -> Option<Value> {
        let mut list = self.rest()?;
        for fields in list.as_array_mut()?.iter_mut().filter_map(|entry| entry.get_mut(FIELDS)) {
            *fields = serde_json::from_str(fields.as_str()?).ok()?;
        }
        Some(list)
    }

    pub(super) fn get(&self, manager: &Manager) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.manager == *manager)
    }

    pub(super) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.entries.iter_mut()
    }

    pub(super) fn take(&mut self, manager: &Manager) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.manager == *manager)?;
        Some(self.entries.remove(at))
    }

    /// Puts an entry in place of the manager's, if it owns anything.
    pub(super) fn put(&mut self, entry: Entry) {
        self.take(&entry.manager);
        if !entry.is_empty() {
            self.entries.push(entry);
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.entries.retain(|entry| !entry.is_empty() && keep(entry));
    }

    /// Makes one of the oldest updates where there are too many, for each version.
    pub(super) fn cap(&mut self) {
        let mut updaters: Vec<Manager> = self
            .entries
            .iter()
            .filter(|entry| entry.manager.operation == Operation::Update)
            .map(|entry| entry.manager.clone())
            .collect();
        let mut count = updaters.len();
        if count <= MAX_UPDATERS {
            return;
        }
        updaters
            .sort_by_cached_key(|manager| (self.get(manager).map(|entry| seconds(entry).to_owned()), manager.clone()));
        let mut first_of_version: Vec<Manager> = Vec::new();
        for manager in updaters {
            if count <= MAX_UPDATERS {
                return;
            }
            let version = manager.api_version.clone();
            let Some(first) = first_of_version.iter().find(|first| first.api_version == version).cloned() else {
                first_of_version.push(manager);
                continue;
            };
            let bucket = Manager {
                name: OLD_UPDATERS.to_owned(),
                operation: Operation::Update,
                api_version: version.clone(),
                subresource: String::new(),
            };
            let collected = self.take(&bucket).or_else(|| self.take(&first));
            let Some(merged) = self.take(&manager) else { continue };
            let set = collected.map_or_else(FieldSet::default, |collected| collected.set()).union(&merged.set());
            // The time is that of the last one that came in.
            self.put(Entry::new(bucket, &version, set, merged.time));
            count -= 1;
        }
    }
}

fn read_set(entry: &Value) -> Result<FieldSet, ElementError> {
    match entry.get(FIELDS) {
        None => Ok(FieldSet::default()),
        Some(Value::String(text)) => FieldSet::from_text(text),
        Some(tree) => FieldSet::decode(tree),
    }
}

/// RFC 3339 in UTC and whole seconds sorts as text; no time is before all.
fn seconds(entry: &Entry) -> &str {
    entry.time.as_deref().unwrap_or("")
}

/// Whether a client asks to forget all managers: an empty list, or one empty entry.
pub fn is_reset(list: Option<&Value>) -> bool {
    match list {
        Some(Value::Array(entries)) => match &entries[..] {
            [] => true,
            [Value::Object(only)] => only.is_empty(),
            _ => false,
        },
        _ => false,
    }
}

/// Keeps the wish to forget all managers through decoding, where empty lists vanish.
pub fn keep_reset(object: &mut Map<String, Value>) {
    let list = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("managedFields"));
    if let Some(Value::Array(entries)) = list.filter(|list| is_reset(Some(list))) {
        *entries = vec![Value::Object(Map::new())];
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, operation: &str, version: &str, time: &str, field: &str) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": version, "time": time,
            "fieldsType": "FieldsV1", "fieldsV1": {field: {}}})
    }

    #[test]
    fn entries_are_ordered_as_upstream_orders_them() {
        let list = json!([
            entry("b", "Update", "v1", "2030-01-01T00:00:02Z", "f:a"),
            entry("a", "Update", "v1", "2030-01-01T00:00:02Z", "f:b"),
            entry("z", "Update", "v1", "2030-01-01T00:00:01Z", "f:c"),
            entry("y", "Apply", "v1", "2030-01-01T00:00:03Z", "f:d"),
        ]);
        let encoded = ManagedFields::decode(&list).unwrap().encode().unwrap();
        let names: Vec<&str> = encoded.as_array().unwrap().iter().map(|e| e["manager"].as_str().unwrap()).collect();
        assert_eq!(names, ["y", "z", "a", "b"]);
        let keys: Vec<&String> = encoded[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1"]);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        for (field, value, expected) in [
            ("operation", json!("Bend"), "operation must be `Apply` or `Update`"),
            ("apiVersion", json!(""), "apiVersion must not be empty"),
            ("fieldsType", json!(""), "missing fieldsType in managed fields entry 0"),
            ("fieldsType", json!("V9"), "invalid fieldsType \"V9\" in managed fields entry 0"),
            ("fieldsV1", json!({"spec": {}}), "error decoding set"),
        ] {
            let mut broken = entry("a", "Update", "v1", "2030-01-01T00:00:02Z", "f:a");
            broken[field] = value;
            assert_eq!(ManagedFields::decode(&json!([broken])).unwrap_err().to_string(), expected);
        }
        assert!(is_reset(Some(&json!([]))) && is_reset(Some(&json!([{}]))));
        assert!(!is_reset(None) && !is_reset(Some(&json!([{"manager": "a"}]))));
    }

    #[test]
    fn of_more_than_ten_updaters_the_oldest_become_one() {
        let many: Vec<Value> = (0..13)
            .map(|n| {
                entry(&format!("m{n:02}"), "Update", "v1", &format!("2030-01-01T00:00:{n:02}Z"), &format!("f:{n}"))
            })
            .collect();
        let mut managed = ManagedFields::decode(&Value::Array(many)).unwrap();
        managed.cap();
        let encoded = managed.encode().unwrap();
        let list = encoded.as_array().unwrap();
        assert_eq!(
            (list.len(), &list[0]["manager"], &list[0]["time"]),
            (10, &json!("ancient-changes"), &json!("2030-01-01T00:00:03Z"))
        );
        assert_eq!(list[0]["fieldsV1"], json!({"f:0": {}, "f:1": {}, "f:2": {}, "f:3": {}}));
        assert_eq!(list[1]["manager"], "m04");
    }
}
