//! A store's life on a disk that may fail, beside a model of what it must hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use stdx::Ambient;
use store::{
    Action, Author, Embedded, Entry, Event, Expect, OpenError, Operation, Options, RangeRequest, ReadAt, Revision,
    Store, StoreError, Transaction, WatchItem, WatchRequest,
};

use crate::faulty_disk::FaultyDisk;

const KEYS: u8 = 10;

/// What happens to a store.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Transactions under way at once.
    Round(Vec<Vec<Wish>>),
    Reopen,
    /// Drops the older half of history.
    Compact,
}

/// A part of a transaction, of which the present state makes an operation.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    key: u8,
    /// `None` to delete.
    put_bytes: Option<usize>,
    demand: Demand,
}

#[derive(Clone, Copy, Debug)]
enum Demand {
    /// That the key is as it was last seen.
    Unchanged,
    Nothing,
    /// What is never so.
    Impossible,
}

/// Most lives are full of writes.
pub(crate) fn steps(count: usize) -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![6 => 0..100_usize, 3 => 400..3000_usize, 1 => 9000..20_000_usize];
    let put = prop_oneof![3 => size.prop_map(Some), 1 => Just(None)];
    let demand = prop_oneof![4 => Just(Demand::Unchanged), 4 => Just(Demand::Nothing), 1 => Just(Demand::Impossible)];
    let wish = (0..KEYS, put, demand).prop_map(|(key, put_bytes, demand)| Wish { key, put_bytes, demand });
    let transaction = prop::collection::vec(wish, 1..5);
    let step = prop_oneof![
        12 => prop::collection::vec(transaction, 1..5).prop_map(Step::Round),
        1 => Just(Step::Reopen),
        1 => Just(Step::Compact),
    ];
    prop::collection::vec(step, 1..count)
}

impl Step {
    /// One put, whatever the key held.
    pub(crate) fn put(key: u8, bytes: usize) -> Step {
        Step::Round(vec![vec![Wish { key, put_bytes: Some(bytes), demand: Demand::Nothing }]])
    }
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What the keys hold at a revision.
pub(crate) type Contents = BTreeMap<Arc<str>, Entry>;

/// What the store has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// The contents after each acknowledged transaction, as far back as history reaches.
    pub(crate) states: BTreeMap<Revision, Contents>,
    /// What may have been written or not: it was answered with an error.
    unknown: Vec<Transaction>,
    /// Makes every value another one.
    values: u64,
}

impl Model {
    pub(crate) fn new() -> Model {
        Model { states: [(Revision(0), Contents::new())].into(), ..Model::default() }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.states.last_key_value().map_or(Revision(0), |(&revision, _)| revision)
    }

    pub(crate) fn contents(&self) -> &Contents {
        self.states.last_key_value().expect("the first state is never dropped").1
    }

    fn transaction(&mut self, wishes: &[Wish]) -> Transaction {
        let mut operations: BTreeMap<u8, Operation> = BTreeMap::new();
        for wish in wishes {
            let key: Arc<str> = format!("things/{}", wish.key).into();
            let expect = match (wish.demand, self.contents().get(&key)) {
                (Demand::Nothing, _) => Expect::Anything,
                (Demand::Impossible, _) => Expect::At(Revision(u64::MAX)),
                (Demand::Unchanged, Some(entry)) => Expect::At(entry.modified),
                (Demand::Unchanged, None) => Expect::Absent,
            };
            self.values += 1;
            let operation = match wish.put_bytes {
                Some(bytes) => {
                    let value = format!("{}:{}", self.values, "x".repeat(bytes));
                    Operation::put(key, Bytes::from(value), expect)
                }
                None => Operation::delete(key, expect),
            };
            operations.insert(wish.key, operation);
        }
        let author = self
            .values
            .is_multiple_of(3)
            .then(|| Arc::new(Author { user: format!("user-{}", self.values).into(), manager: "test".into() }));
        Transaction { operations: operations.into_values().collect(), author }
    }

    /// Takes in what was acknowledged, which must fit.
    fn acknowledge(&mut self, transaction: &Transaction, revision: Revision, entries: &[Option<Entry>]) {
        let mut contents = self.contents().clone();
        for (operation, answered) in transaction.operations.iter().zip(entries) {
            let current = contents.get(&operation.key).cloned();
            match operation.expect {
                Expect::Absent => assert_eq!(current, None),
                Expect::At(revision) => assert_eq!(current.as_ref().map(|entry| entry.modified), Some(revision)),
                Expect::Anything => {}
            }
            let expected = match &operation.action {
                Action::Put { value, .. } => {
                    let created = current.map_or(revision, |current| current.created);
                    let entry = Entry { key: operation.key.clone(), value: value.clone(), created, modified: revision };
                    contents.insert(operation.key.clone(), entry.clone());
                    Some(entry)
                }
                Action::Delete => contents.remove(&operation.key),
                Action::Check => current,
            };
            assert_eq!(*answered, expected);
        }
        if revision > self.revision() {
            self.states.insert(revision, contents);
        } else {
            assert_eq!(contents, *self.contents(), "only what changes nothing takes no revision");
        }
    }

    /// Takes in what is found beyond the last acknowledgement: whole transactions out of those that
    /// were refused or cut off, and nothing else.
    fn admit_unknown(&mut self, events: &[Arc<Event>]) {
        for group in events.chunk_by(|one, other| one.revision == other.revision) {
            let revision = group[0].revision;
            let mut contents = self.contents().clone();
            for event in group {
                let before = match event.current() {
                    Some(entry) => contents.insert(entry.key.clone(), entry.clone()),
                    None => contents.remove(event.key()),
                };
                assert_eq!(before, event.previous);
            }
            let known = self.unknown.iter().position(|transaction| {
                let author = group.iter().all(|event| event.author == transaction.author);
                let changes = transaction.operations.iter().filter(|operation| {
                    !matches!(operation.action, Action::Delete) || self.contents().contains_key(&operation.key)
                });
                author
                    && changes.clone().count() == group.len()
                    && changes.zip(group).all(|(operation, event)| {
                        operation.key == *event.key()
                            && match (&operation.action, event.current()) {
                                (Action::Put { value, .. }, Some(entry)) => *value == entry.value,
                                (Action::Delete, None) => true,
                                _ => false,
                            }
                    })
            });
            let known = known.unwrap_or_else(|| panic!("nobody wrote what is there at {revision:?}: {group:?}"));
            self.unknown.remove(known);
            self.states.insert(revision, contents);
        }
    }
}

/// A store, its disk and its model.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) disk: FaultyDisk,
    pub(crate) store: Option<Arc<Embedded>>,
    pub(crate) model: Model,
    /// The newest revision before the last round that wrote anything.
    pub(crate) before_last_write: Revision,
}

pub(crate) fn options() -> Options {
    // Several logs and snapshots within a life.
    Options { rotate_log_bytes: 20_000, ..Options::default() }
}

pub(crate) fn open(disk: &FaultyDisk) -> Result<Arc<Embedded>, OpenError> {
    Embedded::open_on(Arc::new(disk.clone()), options(), Ambient::system())
}

impl Life {
    /// A life that begins on an empty disk; it ends before it begins if that fails.
    pub(crate) fn begin(disk: FaultyDisk) -> Life {
        let store = open(&disk).ok();
        Life { disk, store, model: Model::new(), before_last_write: Revision(0) }
    }

    /// Goes through the steps, or as many of them as the store survives.
    pub(crate) async fn live(&mut self, steps: &[Step]) {
        for step in steps {
            let Some(store) = self.store.clone() else { return };
            match step {
                Step::Round(round) => self.round(&store, round).await,
                Step::Compact => {
                    let middle = Revision(self.model.revision().0 / 2);
                    store.compact(middle).await.unwrap();
                    self.model.states = self.model.states.split_off(
                        &self.model.states.range(..=middle).next_back().map_or(Revision(0), |(&revision, _)| revision),
                    );
                }
                Step::Reopen => {
                    self.store = None;
                    drop(store);
                    self.store = open(&self.disk).ok();
                    if let Some(store) = self.store.clone() {
                        verify(&*store, &mut self.model).await;
                    }
                }
            }
        }
    }

    async fn round(&mut self, store: &Embedded, round: &[Vec<Wish>]) {
        let before = self.model.revision();
        let transactions: Vec<Transaction> = round.iter().map(|wishes| self.model.transaction(wishes)).collect();
        let results = join_all(transactions.iter().map(|transaction| store.commit(transaction.clone()))).await;
        let mut acknowledged = Vec::new();
        for (transaction, result) in transactions.into_iter().zip(results) {
            match result {
                Ok(committed) => acknowledged.push((committed, transaction)),
                Err(StoreError::Conflict { .. }) => {
                    let demands = transaction.operations.iter().any(|operation| operation.expect != Expect::Anything);
                    assert!(demands, "a conflict about nothing");
                }
                Err(StoreError::ReadOnly { .. } | StoreError::Unavailable { .. }) => {
                    self.model.unknown.push(transaction);
                }
                Err(error) => panic!("{error}"),
            }
        }
        // What changes nothing stands at the revision it found, so behind what made that.
        acknowledged.sort_by_key(|(committed, _)| committed.revision);
        let mut effectless = Vec::new();
        for (committed, transaction) in acknowledged {
            if committed.entries.iter().any(Option::is_some) {
                self.model.acknowledge(&transaction, committed.revision, &committed.entries);
            } else {
                effectless.push((committed, transaction));
            }
        }
        for (committed, _) in effectless {
            assert!(committed.entries.iter().all(Option::is_none), "only a delete of nothing changes nothing");
        }
        if self.model.revision() > before {
            self.before_last_write = before;
        }
        assert_eq!(store.revision(), self.model.revision(), "what is not safe is not seen");
        let range = store.range(RangeRequest::default()).await.unwrap();
        assert!(range.entries.iter().eq(self.model.contents().values()), "what is not safe is not seen");
    }
}

/// The store holds what was acknowledged, and of what was not, transactions wholly or not at all.
pub(crate) async fn verify(store: &dyn Store, model: &mut Model) {
    assert!(store.revision() >= model.revision(), "{:?} of {:?}", store.revision(), model.revision());
    let events = events_after(store, model.revision());
    model.admit_unknown(&events);
    assert_eq!(store.revision(), model.revision());
    for (&revision, contents) in model.states.iter().rev().take(20) {
        let request = RangeRequest { at: ReadAt::Exactly(revision), ..RangeRequest::default() };
        let range = store.range(request).await.unwrap_or_else(|error| panic!("at {revision:?}: {error}"));
        assert!(range.entries.iter().eq(contents.values()), "the state at {revision:?}");
    }
    // Whatever is not there now never will be.
    model.unknown.clear();
}

/// What the store holds is what it held at its revision, which may be an older one.
pub(crate) async fn serves_a_state_of(store: &dyn Store, model: &Model) {
    let range = store.range(RangeRequest::default()).await.unwrap();
    let contents = model.states.get(&range.revision).unwrap_or_else(|| panic!("nothing was at {:?}", range.revision));
    assert!(range.entries.iter().eq(contents.values()), "the state at {:?}", range.revision);
}

/// What history holds after a revision.
fn events_after(store: &dyn Store, after: Revision) -> Vec<Arc<Event>> {
    let mut watch = store.watch(WatchRequest { after, ..WatchRequest::default() }).unwrap();
    let mut events = Vec::new();
    while let Some(Some(Ok(WatchItem::Event(event)))) = tokio::task::unconstrained(watch.next()).now_or_never() {
        events.push(event);
    }
    events
}
