//! The index itself: rows of objects, and for every value of a label or field the rows that have it.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use registry::Kind;
use store::Entry;

use crate::attributes;
use crate::status::ApiError;
use crate::storage;
use crate::verbs::selector::{self, Filter};

pub(super) struct Table {
    kind: &'static Kind,
    with_fields: bool,
    rows: Slab<Row>,
    by_key: HashMap<Arc<str>, u32>,
    /// Names are few and stay; their values come and go.
    names: Vec<HashMap<Arc<str>, u32>>,
    name_ids: HashMap<Name, u32>,
    terms: Slab<Term>,
}

/// What a value may be the value of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Name {
    Namespace,
    Label(String),
    Field(String),
}

struct Row {
    entry: Entry,
    /// In no order; one for each name at most.
    terms: Box<[u32]>,
}

/// One value of one name.
struct Term {
    name: u32,
    value: Arc<str>,
    rows: BTreeSet<u32>,
}

/// One condition of a selector, with its name looked up.
struct Test<'a> {
    name: Option<u32>,
    condition: Condition<'a>,
}

enum Condition<'a> {
    Namespace(&'a str),
    Label(&'a api::selector::Requirement),
    Field(&'a selector::FieldTerm),
}

impl Table {
    pub(super) fn new(kind: &'static Kind, with_fields: bool) -> Self {
        let with_fields = with_fields && !kind.rules.selectable_fields().is_empty();
        Table {
            kind,
            with_fields,
            rows: Slab::default(),
            by_key: HashMap::new(),
            names: Vec::new(),
            name_ids: HashMap::new(),
            terms: Slab::default(),
        }
    }

    pub(super) fn has_fields(&self) -> bool {
        self.with_fields
    }

    /// Whether everything that the filter asks for is indexed.
    pub(super) fn serves(&self, filter: &Filter) -> bool {
        self.with_fields || filter.fields.is_empty()
    }

    pub(super) fn put(&mut self, entry: Entry) -> Result<(), ApiError> {
        self.remove(&entry.key);
        let mut pairs = Vec::new();
        if let Some(namespace) = namespace(self.kind, &entry.key) {
            pairs.push((Name::Namespace, namespace.to_owned()));
        }
        let labels = attributes::labels(&entry.value)?;
        pairs.extend(labels.into_iter().map(|(name, value)| (Name::Label(name), value)));
        if self.with_fields {
            let object = attributes::selectable(self.kind, &entry.value)?;
            for path in self.kind.rules.selectable_fields() {
                let value = selector::field(self.kind, &object, path).into_owned();
                pairs.push((Name::Field((*path).to_owned()), value));
            }
        }
        let terms: Box<[u32]> = pairs.into_iter().map(|(name, value)| self.term(name, value)).collect();
        let key = entry.key.clone();
        let row = self.rows.insert(Row { entry, terms: terms.clone() });
        for &term in &terms {
            if let Some(term) = self.terms.get_mut(term) {
                term.rows.insert(row);
            }
        }
        self.by_key.insert(key, row);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str) {
        let Some(at) = self.by_key.remove(key) else { return };
        let Some(row) = self.rows.remove(at) else { return };
        for &id in &row.terms {
            let Some(term) = self.terms.get_mut(id) else { continue };
            term.rows.remove(&at);
            if term.rows.is_empty()
                && let Some(term) = self.terms.remove(id)
            {
                self.names[term.name as usize].remove(&term.value);
            }
        }
    }

    /// The first matches in the order of keys, all of them where `limit` is 0, and whether there are more.
    pub(super) fn select(&self, namespace: &str, filter: &Filter, limit: usize) -> (Vec<Entry>, bool) {
        let tests = self.tests(namespace, filter);
        let mut found: Vec<&Entry> = match self.fewest(&tests) {
            Some(rows) => rows.into_iter().filter_map(|row| self.rows.get(row)).collect::<Vec<_>>(),
            None => self.rows.iter().collect(),
        }
        .into_iter()
        .filter(|row| tests.iter().all(|test| test.holds(self.value(row, test.name))))
        .map(|row| &row.entry)
        .filter(|entry| filter.matches_place(self.kind, &entry.key))
        .collect();
        let more = limit > 0 && found.len() > limit;
        if more {
            found.select_nth_unstable_by(limit, |a, b| a.key.cmp(&b.key));
            found.truncate(limit);
        }
        found.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        (found.into_iter().cloned().collect(), more)
    }

    fn tests<'a>(&self, namespace: &'a str, filter: &'a Filter) -> Vec<Test<'a>> {
        let mut tests = Vec::new();
        let mut add = |name: Name, condition| tests.push(Test { name: self.name_ids.get(&name).copied(), condition });
        if !namespace.is_empty() {
            add(Name::Namespace, Condition::Namespace(namespace));
        }
        if let Some(namespace) = filter.namespace().filter(|_| self.kind.is_namespaced()) {
            add(Name::Namespace, Condition::Namespace(namespace));
        }
        for requirement in &filter.labels.requirements {
            add(Name::Label(requirement.key.clone()), Condition::Label(requirement));
        }
        for term in &filter.fields {
            add(Name::Field(term.path.clone()), Condition::Field(term));
        }
        tests
    }

    /// The rows of the condition that the fewest rows meet, of those that a row meets only by having
    /// some value; `None` where there is no such condition.
    fn fewest(&self, tests: &[Test<'_>]) -> Option<Vec<u32>> {
        let terms = tests.iter().filter(|test| test.needs_a_value()).map(|test| self.terms_of(test));
        let count = |terms: &Vec<&Term>| terms.iter().map(|term| term.rows.len()).sum::<usize>();
        let terms = terms.min_by_key(count)?;
        Some(terms.into_iter().flat_map(|term| term.rows.iter().copied()).collect())
    }

    /// The values that meet a condition.
    fn terms_of(&self, test: &Test<'_>) -> Vec<&Term> {
        let Some(values) = test.name.and_then(|name| self.names.get(name as usize)) else { return Vec::new() };
        let ids: Vec<u32> = match test.values() {
            Some(wanted) => wanted.iter().filter_map(|value| values.get(*value).copied()).collect(),
            None => values.iter().filter(|(value, _)| test.holds(Some(value))).map(|(_, id)| *id).collect(),
        };
        let mut terms: Vec<&Term> = ids.into_iter().filter_map(|id| self.terms.get(id)).collect();
        terms.dedup_by(|a, b| a.value == b.value);
        terms
    }

    fn value(&self, row: &Row, name: Option<u32>) -> Option<&str> {
        let name = name?;
        let terms = row.terms.iter().filter_map(|id| self.terms.get(*id));
        terms.into_iter().find(|term| term.name == name).map(|term| &*term.value)
    }

    fn term(&mut self, name: Name, value: String) -> u32 {
        let next = self.names.len() as u32;
        let name = *self.name_ids.entry(name).or_insert(next);
        if name == next {
            self.names.push(HashMap::new());
        }
        let values = &mut self.names[name as usize];
        if let Some(id) = values.get(value.as_str()) {
            return *id;
        }
        let value: Arc<str> = value.into();
        let id = self.terms.insert(Term { name, value: value.clone(), rows: BTreeSet::new() });
        values.insert(value, id);
        id
    }
}

impl Test<'_> {
    fn holds(&self, value: Option<&str>) -> bool {
        match self.condition {
            Condition::Namespace(namespace) => value == Some(namespace),
            Condition::Label(requirement) => requirement.matches_value(value),
            Condition::Field(term) => term.matches_value(value),
        }
    }

    /// Whether a row without any value under the name fails. A field that is absent counts as empty,
    /// and every row has one.
    fn needs_a_value(&self) -> bool {
        matches!(self.condition, Condition::Field(_)) || !self.holds(None)
    }

    /// The values, where the condition spells them out.
    fn values(&self) -> Option<Vec<&str>> {
        match self.condition {
            Condition::Namespace(namespace) => Some(vec![namespace]),
            Condition::Label(api::selector::Requirement { operator: api::selector::Operator::In(values), .. }) => {
                let mut values: Vec<&str> = values.iter().map(String::as_str).collect();
                values.sort_unstable();
                values.dedup();
                Some(values)
            }
            Condition::Field(term) if term.equal => Some(vec![&term.value]),
            _ => None,
        }
    }
}

/// The namespace in an object's key.
fn namespace<'a>(kind: &'static Kind, key: &'a str) -> Option<&'a str> {
    kind.is_namespaced().then(|| key.strip_prefix(storage::prefix(kind, "").as_str())?.split('/').next()).flatten()
}

/// Things with numbers that are used again.
struct Slab<T> {
    places: Vec<Option<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { places: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    fn insert(&mut self, thing: T) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.places[at as usize] = Some(thing);
                at
            }
            None => {
                self.places.push(Some(thing));
                (self.places.len() - 1) as u32
            }
        }
    }

    fn remove(&mut self, at: u32) -> Option<T> {
        let thing = self.places.get_mut(at as usize)?.take()?;
        self.free.push(at);
        Some(thing)
    }

    fn get(&self, at: u32) -> Option<&T> {
        self.places.get(at as usize)?.as_ref()
    }

    fn get_mut(&mut self, at: u32) -> Option<&mut T> {
        self.places.get_mut(at as usize)?.as_mut()
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        self.places.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registry::Object;
    use serde_json::{Value, json};
    use store::Revision;

    use super::*;
    use crate::storage::Encoded;
    use crate::wire::query::Query;

    fn entry(kind: &Kind, namespace: &str, name: &str, labels: &Value, node: &str) -> Entry {
        let Value::Object(object) = json!({
            "metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": {"nodeName": node},
        }) else {
            unreachable!()
        };
        let object: Object = object;
        let key = storage::key(kind, namespace, name).into();
        Entry { key, value: storage::encode(kind, &object), created: Revision(1), modified: Revision(1) }
    }

    fn filter(kind: &'static Kind, labels: &str, fields: &str) -> Filter {
        let encode = crate::wire::query::encode_segment;
        let query = format!("labelSelector={}&fieldSelector={}", encode(labels), encode(fields));
        Filter::parse(kind, &Query::parse(&query)).unwrap()
    }

    const LABELS: [&str; 12] = [
        "",
        "app=a",
        "app!=a",
        "app",
        "!app",
        "app in (a,b)",
        "app notin (a,b)",
        "n>1",
        "n<2",
        "app=a,n=2",
        "app in (a,a),!n",
        "none=x",
    ];
    const FIELDS: [&str; 6] =
        ["", "spec.nodeName=x", "spec.nodeName!=x", "spec.nodeName=", "metadata.namespace=one", "metadata.name!=p1"];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        /// The index finds what reading every object finds, after any sequence of writes.
        #[test]
        fn an_index_answers_as_a_scan_does(
            writes in prop::collection::vec((0..2usize, 0..8usize, 0..4usize, 0..4usize, 0..3usize, any::<bool>()), 1..60),
            limit in 0..4usize,
        ) {
            let kind = crate::kinds::required("", "v1", "pods");
            let mut table = Table::new(kind, true);
            let mut model = std::collections::BTreeMap::new();
            for (namespace, name, app, n, node, remove) in writes {
                let namespace = ["one", "two"][namespace];
                let name = format!("p{name}");
                let mut labels = serde_json::Map::new();
                if app > 0 {
                    labels.insert("app".to_owned(), json!(["", "a", "b", "c"][app]));
                }
                if n > 0 {
                    labels.insert("n".to_owned(), json!(n.to_string()));
                }
                let entry = entry(kind, namespace, &name, &Value::Object(labels), ["", "x", "y"][node]);
                if remove {
                    table.remove(&entry.key);
                    model.remove(&entry.key);
                } else {
                    table.put(entry.clone()).unwrap();
                    model.insert(entry.key.clone(), entry);
                }
            }
            for labels in LABELS {
                for fields in FIELDS {
                    let filter = filter(kind, labels, fields);
                    for namespace in ["", "one"] {
                        let prefix = storage::prefix(kind, namespace);
                        let expected: Vec<Entry> = model
                            .values()
                            .filter(|entry| entry.key.starts_with(&prefix))
                            .filter(|entry| filter.matches(kind, &entry.key, &Encoded::from((*entry).clone())).unwrap())
                            .cloned()
                            .collect();
                        let (found, more) = table.select(namespace, &filter, limit);
                        let kept = if limit == 0 { expected.len() } else { limit.min(expected.len()) };
                        prop_assert_eq!(more, expected.len() > kept);
                        prop_assert_eq!(&found, &expected[..kept], "{} {} {}", labels, fields, namespace);
                    }
                }
            }
        }
    }

    #[test]
    fn values_that_no_object_has_any_more_are_forgotten() {
        let kind = crate::kinds::required("", "v1", "pods");
        let mut table = Table::new(kind, true);
        for round in 0..100 {
            table.put(entry(kind, "one", "a", &json!({"hash": round.to_string()}), "x")).unwrap();
        }
        assert!(table.terms.places.len() < 64, "{}", table.terms.places.len());
        table.remove(&storage::key(kind, "one", "a"));
        assert!(table.names.iter().all(HashMap::is_empty) && table.by_key.is_empty());
    }
}
