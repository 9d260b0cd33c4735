//! Reading, listing and putting back what was.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::put_back;

type State = BTreeMap<String, (String, u64)>;

/// What the store ought to know: the state at each revision, and every change.
#[derive(Default)]
struct Model {
    states: Vec<State>,
    changes: Vec<(u64, String, String)>,
}

impl Model {
    async fn run(store: &Memory, transactions: &[Vec<(u8, bool)>]) -> Model {
        let mut model = Model { states: vec![State::new()], changes: Vec::new() };
        for operations in transactions {
            let mut state = model.states.last().unwrap().clone();
            let revision = model.states.len() as u64;
            let mut operations: BTreeMap<u8, bool> = operations.iter().copied().collect();
            operations.retain(|number, is_put| *is_put || state.contains_key(&key(*number)));
            if operations.is_empty() {
                continue;
            }
            let mut told = Vec::new();
            for (&number, &is_put) in &operations {
                let key = key(number);
                let old = state.get(&key).map_or("-".to_owned(), |(value, _)| value.clone());
                if is_put {
                    told.push(put(&key, &revision.to_string()));
                    state.insert(key.clone(), (revision.to_string(), revision));
                    model.changes.push((
                        revision,
                        key.clone(),
                        format!("{revision} ann puts {key}={revision} over {old}"),
                    ));
                } else {
                    told.push(Operation::delete(&*key, Expect::Anything));
                    state.remove(&key);
                    model.changes.push((revision, key.clone(), format!("{revision} ann deletes {key}={old}")));
                }
            }
            assert_eq!(store.commit(by("ann", told)).await.unwrap().revision, Revision(revision));
            model.states.push(state);
        }
        model
    }

    async fn check(&self, store: &Memory, oldest: u64, revision: u64, prefix: &str, limit: usize) {
        let newest = self.states.len() as u64 - 1;
        let mut request = RangeRequest {
            prefix: prefix.into(),
            limit,
            at: ReadAt::Exactly(Revision(revision)),
            ..RangeRequest::default()
        };
        let mut read = State::new();
        loop {
            let range = match store.range(request.clone()).await {
                Ok(range) => range,
                Err(StoreError::Compacted { .. }) => return assert!(revision < oldest, "{revision} from {oldest}"),
                Err(StoreError::FutureRevision { .. }) => return assert!(revision > newest),
                Err(other) => panic!("{other}"),
            };
            assert!((oldest..=newest).contains(&revision));
            read.extend(range.entries.iter().map(|entry| (entry.key.to_string(), (string(entry), entry.modified.0))));
            if range.remaining == 0 {
                break;
            }
            request.after = read.keys().last().cloned();
        }
        let state = &self.states[revision as usize];
        let expected: State = state.clone().into_iter().filter(|(key, _)| key.starts_with(prefix)).collect();
        assert_eq!(read, expected, "{prefix:?} at {revision}, {limit} at a time");
        for number in 0..KEYS {
            let key = key(number);
            let entry = store.get(&key, ReadAt::Exactly(Revision(revision))).await.unwrap();
            assert_eq!(entry.map(|entry| (string(&entry), entry.modified.0)), state.get(&key).cloned());
        }
    }
}

const KEYS: u8 = 12;

fn key(number: u8) -> String {
    format!("{}/{number}", if number.is_multiple_of(3) { "a" } else { "b" })
}

fn transactions() -> impl Strategy<Value = Vec<Vec<(u8, bool)>>> {
    prop::collection::vec(prop::collection::vec((0..KEYS, prop::bool::weighted(0.7)), 1..6), 1..250)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_kept_state_is_read_as_it_was(
        transactions in transactions(),
        compacted in 0u64..250,
        reads in prop::collection::vec((0u64..260, prop::sample::select(vec!["", "a/", "b/", "b/1", "c"]), 0usize..5), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let store = store(Options::default());
            let model = Model::run(&store, &transactions).await;
            let oldest = compacted.min(store.revision().0);
            store.compact(Revision(oldest)).await.unwrap();
            for (revision, prefix, limit) in reads {
                model.check(&store, oldest, revision, prefix, limit).await;
            }
            for number in 0..KEYS {
                let changes: Vec<_> = store.changes(&key(number)).await.unwrap().iter().map(|event| describe(event)).collect();
                let known = model.changes.iter().filter(|(revision, changed, _)| *revision > oldest && *changed == key(number));
                assert_eq!(changes, known.map(|(_, _, change)| change.clone()).collect::<Vec<_>>());
            }
            let snapshot = store.snapshot().unwrap();
            let base: Vec<_> = snapshot.base().iter_from(0).map(|entry| entry.key.to_string()).collect();
            assert_eq!(base, model.states[oldest as usize].keys().cloned().collect::<Vec<_>>());
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_finds_its_revision() {
    let clock = Clock::simulated();
    let store = Memory::with_options(Options::default(), clock);
    let now = || SystemTime::from(clock.now());
    let before = now();
    let mut times = Vec::new();
    for revision in 1..=4 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        times.push(now());
        assert_eq!(
            store.commit(by("ann", vec![put("a", "x"), put("b", "x")])).await.unwrap().revision,
            Revision(revision)
        );
    }
    let half = Duration::from_millis(500);
    let at = |time| store.revision_at(time).map(|revision| revision.0);
    assert_eq!(at(before).unwrap(), 0);
    for (index, time) in times.iter().enumerate() {
        assert_eq!((at(*time - half).unwrap(), at(*time).unwrap()), (index as u64, index as u64 + 1));
    }
    assert_eq!(at(now() + Duration::from_secs(3600)).unwrap(), 4);
    store.compact(Revision(2)).await.unwrap();
    assert_eq!(at(times[1]).unwrap(), 2);
    let error = at(times[1] - half).unwrap_err();
    assert!(matches!(error, StoreError::Compacted { oldest: 2, .. }), "{error:?}");
    let events = store.changes("a").await.unwrap();
    assert_eq!(events.iter().map(|event| event.time).collect::<Vec<_>>(), times[2..]);
}

#[tokio::test]
async fn what_was_is_put_back() {
    let store = store(Options::default());
    let author = |user: &str| Some(Arc::new(Author { user: user.into(), manager: "undo".into() }));
    store.commit(by("ann", vec![put("a", "first")])).await.unwrap();
    store.commit(by("ben", vec![put("a", "second")])).await.unwrap();
    store.commit(by("ben", vec![Operation::delete("a", Expect::Anything)])).await.unwrap();

    let back = put_back(&*store, "a", Revision(1), Expect::Absent, author("cat")).await.unwrap().unwrap();
    assert_eq!((string(&back), back.created, back.modified), ("first".to_owned(), Revision(4), Revision(4)));
    let changed = put_back(&*store, "a", Revision(2), Expect::At(Revision(2)), author("cat")).await.unwrap_err();
    assert!(matches!(&changed, StoreError::Conflict { current: Some(current), .. } if *current == back), "{changed:?}");
    let back = put_back(&*store, "a", Revision(2), Expect::At(Revision(4)), author("dan")).await.unwrap().unwrap();
    assert_eq!(string(&back), "second");
    // At revision 3 it was not there.
    assert_eq!(put_back(&*store, "a", Revision(3), Expect::Anything, author("dan")).await.unwrap(), None);
    assert_eq!(store.get("a", ReadAt::Newest).await.unwrap(), None);

    let told: Vec<_> = store.changes("a").await.unwrap().iter().map(|event| describe(event)).collect();
    assert_eq!(told[3..], ["4 cat puts a=first over -", "5 dan puts a=second over first", "6 dan deletes a=second"]);
    store.compact(Revision(2)).await.unwrap();
    let gone = put_back(&*store, "a", Revision(1), Expect::Anything, None).await.unwrap_err();
    assert!(matches!(gone, StoreError::Compacted { requested: 1, oldest: 2 }), "{gone:?}");
}

#[tokio::test]
async fn how_fresh_a_read_is_can_be_said() {
    let store = store(Options::default());
    store.commit(by("ann", vec![put("a", "1")])).await.unwrap();
    store.commit(by("ann", vec![put("a", "2")])).await.unwrap();
    for (at, expected) in [
        (ReadAt::Newest, Some("2")),
        (ReadAt::Memory, Some("2")),
        (ReadAt::NotOlderThan(Revision(1)), Some("2")),
        (ReadAt::NotOlderThan(Revision(2)), Some("2")),
        (ReadAt::NotOlderThan(Revision(3)), None),
        (ReadAt::Exactly(Revision(1)), Some("1")),
        (ReadAt::Exactly(Revision(2)), Some("2")),
        (ReadAt::Exactly(Revision(3)), None),
    ] {
        let one = store.get("a", at).await;
        let range = store.range(RangeRequest { prefix: "a".into(), at, ..RangeRequest::default() }).await;
        match expected {
            Some(value) => {
                assert_eq!(string(&one.unwrap().unwrap()), value, "{at:?}");
                assert_eq!(string(&range.unwrap().entries[0]), value, "{at:?}");
            }
            None => {
                for error in [one.unwrap_err(), range.unwrap_err()] {
                    let is_future = matches!(error, StoreError::FutureRevision { requested: 3, newest: 2 });
                    assert!(is_future, "{at:?}: {error:?}");
                }
            }
        }
    }
    assert_eq!(store.refresh().await.unwrap(), Revision(2));
}

#[tokio::test]
async fn a_snapshot_stands_still() {
    let store = store(Options::default());
    store.commit(by("ann", vec![put("a", "1"), put("b", "1")])).await.unwrap();
    let snapshot = store.snapshot().unwrap();
    store
        .commit(by("ann", vec![put("a", "2"), Operation::delete("b", Expect::Anything), put("c", "2")]))
        .await
        .unwrap();
    let contents: Vec<_> = snapshot.entries().map(|entry| format!("{}={}", entry.key, string(entry))).collect();
    assert_eq!((contents, snapshot.len(), snapshot.revision()), (vec!["a=1".into(), "b=1".into()], 2, Revision(1)));
    assert_eq!(snapshot.history().count(), 2);
    assert_eq!(snapshot.get("c"), None);
}
