//! Random transactions, reads of the past, and watches, against a model of a few lines.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use store::{Entry, Expect, Operation, Options, ReadAt, Revision, Store, StoreError, Transaction, Watch};

use crate::{Home, drain, list, string, text, watch};

/// What one step of a case does. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Part>),
    Watch { prefix: usize, past: f64 },
    Drain(prop::sample::Index),
    ReadPast(f64),
}

#[derive(Clone, Debug)]
struct Part {
    key: usize,
    /// Whether the expectation is right, wrong, or none.
    expectation: usize,
    action: usize,
}

const KEYS: [&str; 6] = ["a/0", "a/1", "a/10", "b", "b/0", "c"];
const PREFIXES: [&str; 5] = ["", "a/", "a/1", "b", "nothing"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = (0..KEYS.len(), 0..6_usize, 0..5_usize).prop_map(|(key, expectation, action)| Part {
        key,
        expectation,
        action,
    });
    let step = prop_oneof![
        6 => prop::collection::vec(part, 1..4).prop_map(Step::Commit),
        1 => (0..PREFIXES.len(), 0.0..=1.0).prop_map(|(prefix, past)| Step::Watch { prefix, past }),
        1 => any::<prop::sample::Index>().prop_map(Step::Drain),
        1 => (0.0..=1.0).prop_map(Step::ReadPast),
    ];
    prop::collection::vec(step, 1..60)
}

pub async fn behaves_as_its_model(home: &dyn Home) {
    let store = home.open(Options::default()).await;
    let handle = tokio::runtime::Handle::current();
    // The runner is synchronous and the store is not. A case has its own part of the keys.
    let cases = tokio::task::spawn_blocking(move || {
        let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
        let number = AtomicU64::new(0);
        proptest::test_runner::TestRunner::new(config).run(&steps(), |case| {
            let root = format!("case{}/", number.fetch_add(1, Ordering::Relaxed));
            handle.block_on(check_case(store.clone(), root, case));
            Ok(())
        })
    });
    cases.await.unwrap().unwrap();
}

struct Model {
    root: String,
    state: BTreeMap<String, Entry>,
    /// After each revision, what there was.
    states: Vec<(Revision, Vec<(String, String)>)>,
    /// Events as a watch shows them, with the key and revision each is about.
    events: Vec<(Revision, String, String)>,
}

struct Watched {
    prefix: String,
    after: Revision,
    stream: Watch,
    seen: Vec<String>,
}

async fn check_case(store: Arc<dyn Store>, root: String, case: Vec<Step>) {
    let store = &*store;
    let begin = store.revision();
    let mut model = Model { root, state: BTreeMap::new(), states: vec![(begin, Vec::new())], events: Vec::new() };
    let mut watches: Vec<Watched> = Vec::new();
    for (number, step) in case.into_iter().enumerate() {
        match step {
            Step::Commit(parts) => model.commit(store, number, parts).await,
            Step::Watch { prefix, past } => {
                let prefix = format!("{}{}", model.root, PREFIXES[prefix]);
                let after = model.past(past).0;
                let stream = watch(store, &prefix, after).unwrap();
                watches.push(Watched { prefix, after, stream, seen: Vec::new() });
            }
            Step::Drain(index) if !watches.is_empty() => {
                let chosen = index.index(watches.len());
                let watched = &mut watches[chosen];
                watched.seen.extend(drain(&mut watched.stream));
            }
            Step::Drain(_) => {}
            Step::ReadPast(past) => {
                let (revision, expected) = model.past(past);
                assert_eq!(list(store, &model.root, ReadAt::Exactly(revision)).await, expected);
            }
        }
    }
    assert_eq!(list(store, &model.root, ReadAt::Newest).await, model.past(1.0).1);
    for mut watched in watches {
        watched.seen.extend(drain(&mut watched.stream));
        let is_progress = |item: &String| item.starts_with("progress");
        assert_eq!(watched.seen.iter().filter(|item| is_progress(item)).count(), 1);
        watched.seen.retain(|item| !is_progress(item));
        let Watched { prefix, after, mut seen, .. } = watched;
        let selected = model.events.iter().filter(|(revision, key, _)| *revision > after && key.starts_with(&prefix));
        let mut expected: Vec<String> = selected.map(|(_, _, event)| event.clone()).collect();
        let revision = |item: &String| item.split(' ').next().map(|number| number.parse::<u64>().unwrap());
        assert!(seen.is_sorted_by_key(revision), "{seen:?}");
        // The events of one revision have no order among them.
        seen.sort();
        expected.sort();
        assert_eq!(seen, expected, "watch on {prefix:?} after {after:?}");
    }
}

impl Model {
    fn past(&self, past: f64) -> (Revision, Vec<(String, String)>) {
        let index = (past * (self.states.len() - 1) as f64).round() as usize;
        self.states[index].clone()
    }

    async fn commit(&mut self, store: &dyn Store, step: usize, parts: Vec<Part>) {
        let mut operations: Vec<Operation> = Vec::new();
        for (part, Part { key, expectation, action }) in parts.into_iter().enumerate() {
            let key = format!("{}{}", self.root, KEYS[key]);
            if operations.iter().any(|operation| *operation.key == *key) {
                continue;
            }
            let right = self.state.get(&key).map_or(Expect::Absent, |entry| Expect::At(entry.modified));
            let expect = match expectation {
                0 => Expect::Anything,
                1 => self.state.get(&key).map_or(Expect::At(Revision(1)), |_| Expect::Absent),
                _ => right,
            };
            operations.push(match action {
                0 => Operation::delete(key, expect),
                1 => Operation::check(key, expect),
                _ => Operation::put(key, text(&format!("{step}.{part}")), expect),
            });
        }
        let before = store.revision();
        let answer = store.commit(Transaction { operations: operations.clone(), author: None }).await;
        let unexpected: Vec<&Operation> = operations.iter().filter(|operation| !self.holds(operation)).collect();
        if !unexpected.is_empty() {
            let Err(StoreError::Conflict { key, current }) = answer else { panic!("{answer:?} to {operations:?}") };
            assert!(unexpected.iter().any(|operation| operation.key == key), "{key} is as expected");
            assert_eq!(current.as_ref(), self.state.get(&*key));
            assert_eq!(store.revision(), before);
            return;
        }
        let committed = answer.unwrap();
        let mut is_changed = false;
        for (operation, entry) in operations.iter().zip(&committed.entries) {
            is_changed |= self.apply(operation, entry.as_ref(), committed.revision);
        }
        if is_changed {
            assert!(committed.revision > before);
            let state = self.state.iter().map(|(key, entry)| (key.clone(), string(&entry.value)));
            self.states.push((committed.revision, state.collect()));
        } else {
            assert_eq!(store.revision(), before);
        }
    }

    fn holds(&self, operation: &Operation) -> bool {
        match (operation.expect, self.state.get(&*operation.key)) {
            (Expect::Anything, _) | (Expect::Absent, None) => true,
            (Expect::At(revision), Some(entry)) => entry.modified == revision,
            _ => false,
        }
    }

    /// Whether it changed anything; `answered` is what the store said of it.
    fn apply(&mut self, operation: &Operation, answered: Option<&Entry>, revision: Revision) -> bool {
        let key = operation.key.to_string();
        let previous = self.state.get(&key).cloned();
        let was = previous.as_ref().map_or("-".to_owned(), |entry| string(&entry.value));
        match &operation.action {
            store::Action::Put { value, .. } => {
                let created = previous.map_or(revision, |entry| entry.created);
                let entry = Entry { key: operation.key.clone(), value: value.clone(), created, modified: revision };
                assert_eq!(answered, Some(&entry));
                self.events.push((
                    revision,
                    key.clone(),
                    format!("{} put {key}={} was {was}", revision.0, string(value)),
                ));
                self.state.insert(key, entry);
                true
            }
            store::Action::Delete => {
                assert_eq!(answered, previous.as_ref());
                if previous.is_some() {
                    self.events.push((revision, key.clone(), format!("{} delete {key} was {was}", revision.0)));
                    self.state.remove(&key);
                }
                previous.is_some()
            }
            store::Action::Check => {
                assert_eq!(answered, previous.as_ref());
                false
            }
        }
    }
}
