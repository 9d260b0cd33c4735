//! The contract of [`store::Store`], held against every engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use proptest::prelude::*;
use stdx::{Ambient, Clock};
use store::{
    Change, Embedded, Event, Expect, HistoryLimits, MAX_VALUE_BYTES, Memory, Options, RangeRequest, ReadAt, Revision,
    Store, StoreError, Watch, WatchItem, WatchRequest,
};

/// One test for each engine from one function that takes a maker of stores.
macro_rules! on_every_engine {
    ($($name:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $name() { super::$name(super::memory_engine).await; })*
        }
        mod embedded {
            $(#[tokio::test] async fn $name() { super::$name(super::embedded_engine).await; })*
        }
        /// A log so short that snapshots are taken all the time.
        mod embedded_rotating {
            $(#[tokio::test] async fn $name() { super::$name(super::rotating_engine).await; })*
        }
    };
}

on_every_engine! {
    revisions_rise_by_one_and_entries_remember_theirs
    a_writer_must_know_the_present_state
    a_range_is_ordered_paged_and_consistent
    an_old_range_is_read_as_it_was
    a_watch_replays_then_follows
    a_watch_sees_its_prefix_only
    compaction_keeps_the_present_and_refuses_the_past
    a_slow_watcher_is_cut_off_and_told_so
    the_future_is_refused
    limits_hold
    concurrent_writers_lose_nothing
    the_newest_revision_can_be_waited_for
    any_watch_sees_exactly_the_events_after_its_revision
}

/// A store, and what must live as long as it does.
struct Subject {
    store: Arc<dyn Store>,
    _folder: Option<tempfile::TempDir>,
}

fn memory_engine(options: Options) -> Subject {
    Subject { store: Memory::with_options(options, Clock::system()), _folder: None }
}

fn embedded_engine(options: Options) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), options, Ambient::system()).unwrap();
    Subject { store, _folder: Some(folder) }
}

fn rotating_engine(options: Options) -> Subject {
    embedded_engine(Options { rotate_log_bytes: 512, ..options })
}

type Make = fn(Options) -> Subject;

fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

async fn create(store: &dyn Store, key: &str, value: &str) -> Revision {
    store.put(key, text(value), Expect::Absent).await.unwrap().modified
}

async fn list(store: &dyn Store, prefix: &str, at: ReadAt) -> Vec<(String, String)> {
    let range = store.range(RangeRequest { prefix: prefix.into(), at, ..RangeRequest::default() }).await.unwrap();
    assert_eq!(range.remaining, 0);
    range.entries.iter().map(|entry| (entry.key.to_string(), string(&entry.value))).collect()
}

fn watch(store: &dyn Store, prefix: &str, after: Revision) -> Result<Watch, StoreError> {
    store.watch(WatchRequest { prefix: prefix.into(), after, progress_every: None })
}

fn string(value: &Bytes) -> String {
    String::from_utf8(value.to_vec()).unwrap()
}

fn describe(event: &Event) -> String {
    let previous = event.previous.as_ref().map_or("-".to_owned(), |entry| string(&entry.value));
    match &event.change {
        Change::Put(entry) => format!("{} put {}={} was {previous}", event.revision.0, entry.key, string(&entry.value)),
        Change::Delete { key } => format!("{} delete {key} was {previous}", event.revision.0),
    }
}

/// Everything the watch holds at this moment.
fn drain(watch: &mut Watch) -> Vec<String> {
    // Unconstrained: the runtime's fairness must not look like the end.
    std::iter::from_fn(|| tokio::task::unconstrained(watch.next()).now_or_never().flatten())
        .map(|item| match item {
            Ok(WatchItem::Event(event)) => describe(&event),
            Ok(WatchItem::Progress(revision)) => format!("progress {}", revision.0),
            Err(error) => error.to_string(),
        })
        .collect()
}

async fn revisions_rise_by_one_and_entries_remember_theirs(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    assert_eq!(store.revision(), Revision(0));
    let first = store.put("a/x", text("1"), Expect::Absent).await.unwrap();
    assert_eq!((first.created, first.modified), (Revision(1), Revision(1)));
    assert_eq!(create(store, "a/y", "2").await, Revision(2));
    let second = store.put("a/x", text("3"), Expect::At(Revision(1))).await.unwrap();
    assert_eq!((second.created, second.modified), (Revision(1), Revision(3)));
    let (revision, removed) = store.delete("a/x", Expect::At(Revision(3))).await.unwrap();
    assert_eq!((revision, removed), (Revision(4), second));
    assert_eq!(store.get("a/x", ReadAt::Newest).await.unwrap(), None);
    let again = store.put("a/x", text("5"), Expect::Absent).await.unwrap();
    assert_eq!((again.created, again.modified), (Revision(5), Revision(5)));
    assert_eq!(store.get("a/x", ReadAt::Newest).await.unwrap(), Some(again));
    assert_eq!(store.revision(), Revision(5));
}

async fn a_writer_must_know_the_present_state(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    let entry = store.put("a", text("1"), Expect::Absent).await.unwrap();
    let conflicts = [
        store.put("a", text("2"), Expect::Absent).await.unwrap_err(),
        store.put("a", text("2"), Expect::At(Revision(7))).await.unwrap_err(),
        store.delete("a", Expect::At(Revision(7))).await.unwrap_err(),
    ];
    for conflict in conflicts {
        assert!(
            matches!(&conflict, StoreError::Conflict { current: Some(current), .. } if *current == entry),
            "{conflict:?}"
        );
    }
    let missing = [
        store.put("b", text("2"), Expect::At(Revision(1))).await.unwrap_err(),
        store.delete("b", Expect::At(Revision(1))).await.unwrap_err(),
    ];
    for conflict in missing {
        assert!(matches!(&conflict, StoreError::Conflict { current: None, .. }), "{conflict:?}");
    }
    assert_eq!(store.revision(), Revision(1), "a refused write takes no revision");
}

async fn a_range_is_ordered_paged_and_consistent(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    for number in [7, 2, 9, 0, 4, 1, 8, 3, 6, 5] {
        create(store, &format!("pods/p{number}"), "x").await;
    }
    create(store, "pod", "x").await;
    create(store, "podsx", "x").await;

    let mut request = RangeRequest { prefix: "pods/".into(), limit: 4, ..RangeRequest::default() };
    let mut seen = Vec::new();
    let mut remaining = Vec::new();
    loop {
        let page = store.range(request.clone()).await.unwrap();
        assert_eq!(page.revision, Revision(12), "every page is of the first page's revision");
        seen.extend(page.entries.iter().map(|entry| entry.key.to_string()));
        remaining.push(page.remaining);
        // Between pages the world goes on.
        let victim = store.get("pods/p9", ReadAt::Newest).await.unwrap();
        match victim {
            Some(entry) => drop(store.delete("pods/p9", Expect::At(entry.modified)).await.unwrap()),
            None => drop(create(store, "pods/p9", "y").await),
        }
        if page.remaining == 0 {
            break;
        }
        request.after = seen.last().cloned();
        request.at = ReadAt::Exactly(page.revision);
    }
    assert_eq!(seen, (0..10).map(|number| format!("pods/p{number}")).collect::<Vec<_>>());
    assert_eq!(remaining, [6, 2, 0]);

    let before = RangeRequest { prefix: "pods/".into(), after: Some("a".into()), limit: 1, at: ReadAt::Newest };
    assert_eq!(&*store.range(before).await.unwrap().entries[0].key, "pods/p0");
    let beyond = RangeRequest { prefix: "pods/".into(), after: Some("z".into()), limit: 1, at: ReadAt::Newest };
    let beyond = store.range(beyond).await.unwrap();
    assert!(beyond.entries.is_empty() && beyond.remaining == 0);
}

async fn an_old_range_is_read_as_it_was(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    let mut model: BTreeMap<String, (String, Revision)> = BTreeMap::new();
    let mut states = vec![Vec::new()];
    for step in 0..200_u64 {
        let key = format!("k/{}", step * 7919 % 23);
        match model.get(&key).cloned() {
            Some((_, revision)) if step % 3 == 0 => {
                store.delete(&key, Expect::At(revision)).await.unwrap();
                model.remove(&key);
            }
            Some((_, revision)) => {
                let entry = store.put(&key, text(&step.to_string()), Expect::At(revision)).await.unwrap();
                model.insert(key, (step.to_string(), entry.modified));
            }
            None => {
                let revision = create(store, &key, &step.to_string()).await;
                model.insert(key, (step.to_string(), revision));
            }
        }
        states.push(model.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect());
    }
    for (revision, state) in states.iter().enumerate() {
        assert_eq!(
            &list(store, "k/", ReadAt::Exactly(Revision(revision as u64))).await,
            state,
            "at revision {revision}"
        );
    }
    assert_eq!(&list(store, "", ReadAt::Newest).await, states.last().unwrap());
}

async fn a_watch_replays_then_follows(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    create(store, "a", "1").await;
    store.put("a", text("2"), Expect::At(Revision(1))).await.unwrap();
    let mut from_start = watch(store, "", Revision(0)).unwrap();
    let mut from_first = watch(store, "", Revision(1)).unwrap();
    let mut from_now = watch(store, "", store.revision()).unwrap();
    store.delete("a", Expect::At(Revision(2))).await.unwrap();

    let (put, change, delete) = ("1 put a=1 was -", "2 put a=2 was 1", "3 delete a was 2");
    assert_eq!(drain(&mut from_start), [put, change, "progress 2", delete]);
    assert_eq!(drain(&mut from_first), [change, "progress 2", delete]);
    assert_eq!(drain(&mut from_now), ["progress 2", delete]);
    assert!(from_now.next().now_or_never().is_none(), "a watch goes on");
}

async fn a_watch_sees_its_prefix_only(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    create(store, "pods/a", "1").await;
    create(store, "nodes/a", "1").await;
    let mut pods = watch(store, "pods/", Revision(0)).unwrap();
    let mut services = watch(store, "services/", Revision(0)).unwrap();
    create(store, "nodes/b", "1").await;
    create(store, "pods/b", "1").await;
    assert_eq!(drain(&mut pods), ["1 put pods/a=1 was -", "progress 2", "4 put pods/b=1 was -"]);
    assert_eq!(drain(&mut services), ["progress 2"]);
}

async fn compaction_keeps_the_present_and_refuses_the_past(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    for number in 1..=6 {
        create(store, &format!("k{number}"), "x").await;
    }
    store.compact(Revision(4)).await.unwrap();
    store.compact(Revision(3)).await.unwrap();
    assert_eq!(list(store, "", ReadAt::Newest).await.len(), 6);
    assert_eq!(list(store, "", ReadAt::Exactly(Revision(4))).await.len(), 4);
    let past = RangeRequest { at: ReadAt::Exactly(Revision(3)), ..RangeRequest::default() };
    let refused = [store.range(past).await.unwrap_err(), watch(store, "", Revision(3)).map(drop).unwrap_err()];
    for error in refused {
        assert!(matches!(error, StoreError::Compacted { requested: 3, oldest: 4 }), "{error:?}");
    }
    assert_eq!(drain(&mut watch(store, "", Revision(4)).unwrap()).len(), 3);

    let bounded = make(Options {
        history: HistoryLimits { ceiling_bytes: 3 * 256, ..HistoryLimits::default() },
        ..Options::default()
    });
    for number in 1..=10 {
        create(&*bounded.store, &format!("k{number}"), "x").await;
    }
    assert!(watch(&*bounded.store, "", Revision(7)).is_ok());
    let error = watch(&*bounded.store, "", Revision(6)).map(drop).unwrap_err();
    assert!(matches!(error, StoreError::Compacted { requested: 6, oldest: 7 }), "{error:?}");
}

async fn a_slow_watcher_is_cut_off_and_told_so(make: Make) {
    let subject = make(Options { watch_queue: 2, ..Options::default() });
    let store = &*subject.store;
    let mut slow = watch(store, "k", Revision(0)).unwrap();
    let mut other = watch(store, "other", Revision(0)).unwrap();
    for number in 1..=4 {
        create(store, &format!("k{number}"), "x").await;
    }
    let compacted = "revision 0 is compacted; the oldest kept is 2";
    assert_eq!(drain(&mut slow), ["progress 0", compacted]);
    assert!(slow.next().await.is_none(), "and that is the end");
    create(store, "other", "x").await;
    assert_eq!(drain(&mut other), ["progress 0", "5 put other=x was -"]);
}

async fn the_future_is_refused(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    create(store, "a", "1").await;
    let ahead = RangeRequest { at: ReadAt::Exactly(Revision(2)), ..RangeRequest::default() };
    let refused = [
        store.range(ahead).await.unwrap_err(),
        watch(store, "", Revision(2)).map(drop).unwrap_err(),
        store.compact(Revision(2)).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(error, StoreError::FutureRevision { requested: 2, newest: 1 }), "{error:?}");
    }
}

async fn limits_hold(make: Make) {
    let subject = make(Options::default());
    let store = &*subject.store;
    let largest = Bytes::from(vec![b'x'; MAX_VALUE_BYTES]);
    store.put("large", largest.clone(), Expect::Absent).await.unwrap();
    assert_eq!(store.get("large", ReadAt::Newest).await.unwrap().unwrap().value, largest);
    let larger = Bytes::from(vec![b'x'; MAX_VALUE_BYTES + 1]);
    let error = store.put("larger", larger, Expect::Absent).await.unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error:?}");
    for key in ["", "a\0", "a/../b", "a//b", "a/"] {
        let errors = [
            store.put(key, Bytes::new(), Expect::Absent).await.map(drop).unwrap_err(),
            store.delete(key, Expect::At(Revision(1))).await.map(drop).unwrap_err(),
            store.get(key, ReadAt::Newest).await.map(drop).unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, StoreError::InvalidKey { .. }), "{key:?}: {error:?}");
        }
    }
    assert_eq!(store.revision(), Revision(1));
}

async fn concurrent_writers_lose_nothing(make: Make) {
    let subject = make(Options::default());
    create(&*subject.store, "counter", "0").await;
    let mut watch = watch(&*subject.store, "", Revision(0)).unwrap();
    let (writers, increments) = (8, 25);
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let store = subject.store.clone();
            tokio::spawn(async move {
                let mut entry = store.get("counter", ReadAt::Newest).await.unwrap().unwrap();
                let mut done = 0;
                while done < increments {
                    let next: u64 = string(&entry.value).parse::<u64>().unwrap() + 1;
                    match store.put("counter", text(&next.to_string()), Expect::At(entry.modified)).await {
                        Ok(written) => {
                            done += 1;
                            entry = written;
                        }
                        Err(StoreError::Conflict { current: Some(current), .. }) => entry = current,
                        Err(other) => panic!("{other}"),
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let total = writers * increments;
    let entry = subject.store.get("counter", ReadAt::Newest).await.unwrap().unwrap();
    assert_eq!((string(&entry.value), entry.modified), (total.to_string(), Revision(total + 1)));
    let mut events = drain(&mut watch);
    assert_eq!(events.remove(1), "progress 1");
    assert_eq!(events.len() as u64, total + 1);
    assert!(events.iter().enumerate().all(|(index, event)| event.starts_with(&format!("{} put", index + 1))));
}

async fn the_newest_revision_can_be_waited_for(make: Make) {
    let subject = make(Options::default());
    let mut revisions = subject.store.revisions();
    let store = subject.store.clone();
    let waiter = tokio::spawn(async move { revisions.wait_for(|newest| *newest >= Revision(2)).await });
    create(&*store, "a", "1").await;
    create(&*store, "b", "1").await;
    assert_eq!(waiter.await.unwrap().unwrap(), Revision(2));
}

/// One step of the property below.
#[derive(Clone, Debug)]
enum Step {
    Put(u8),
    Delete(u8),
    /// Watch `PREFIXES[_]` from a fraction of the present revision.
    Watch(usize, f64),
    Read(usize),
}

const PREFIXES: [&str; 4] = ["", "a/", "a/1", "b/"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0..8u8).prop_map(Step::Put),
        2 => (0..8u8).prop_map(Step::Delete),
        1 => (0..4usize, 0.0..=1.0).prop_map(|(prefix, past)| Step::Watch(prefix, past)),
        1 => any::<prop::sample::Index>().prop_map(|index| Step::Read(index.index(64))),
    ];
    prop::collection::vec(step, 1..120)
}

async fn any_watch_sees_exactly_the_events_after_its_revision(make: Make) {
    let handle = tokio::runtime::Handle::current();
    // The runner is synchronous and the store is not.
    let cases = tokio::task::spawn_blocking(move || {
        let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
        proptest::test_runner::TestRunner::new(config).run(&steps(), |case| {
            handle.block_on(check_watches(make, case));
            Ok(())
        })
    });
    cases.await.unwrap().unwrap();
}

async fn check_watches(make: Make, case: Vec<Step>) {
    let subject = make(Options::default());
    let store = &*subject.store;
    let mut written: Vec<(u64, String, String)> = Vec::new();
    let mut watches: Vec<(&str, u64, Watch, Vec<String>)> = Vec::new();
    for step in case {
        match step {
            Step::Put(number) => {
                let key = format!("{}/{number}", if number % 2 == 0 { "a" } else { "b" });
                let current = store.get(&key, ReadAt::Newest).await.unwrap();
                let expect = current.as_ref().map_or(Expect::Absent, |entry| Expect::At(entry.modified));
                let value = written.len().to_string();
                let entry = store.put(&key, text(&value), expect).await.unwrap();
                let previous = current.map_or("-".to_owned(), |entry| string(&entry.value));
                let event = format!("{} put {key}={value} was {previous}", entry.modified.0);
                written.push((entry.modified.0, key, event));
            }
            Step::Delete(number) => {
                let key = format!("{}/{number}", if number % 2 == 0 { "a" } else { "b" });
                if let Some(entry) = store.get(&key, ReadAt::Newest).await.unwrap() {
                    let (revision, _) = store.delete(&key, Expect::At(entry.modified)).await.unwrap();
                    let event = format!("{} delete {key} was {}", revision.0, string(&entry.value));
                    written.push((revision.0, key, event));
                }
            }
            Step::Watch(prefix, past) => {
                let after = (store.revision().0 as f64 * past) as u64;
                watches.push((
                    PREFIXES[prefix],
                    after,
                    watch(store, PREFIXES[prefix], Revision(after)).unwrap(),
                    Vec::new(),
                ));
            }
            Step::Read(index) => {
                if !watches.is_empty() {
                    let chosen = index % watches.len();
                    let (_, _, watch, seen) = &mut watches[chosen];
                    seen.extend(drain(watch));
                }
            }
        }
    }
    for (prefix, after, mut watch, mut seen) in watches {
        seen.extend(drain(&mut watch));
        assert_eq!(seen.iter().filter(|item| item.starts_with("progress")).count(), 1);
        seen.retain(|item| !item.starts_with("progress"));
        let expected: Vec<String> = written
            .iter()
            .filter(|(revision, key, _)| *revision > after && key.starts_with(prefix))
            .map(|(_, _, event)| event.clone())
            .collect();
        assert_eq!(seen, expected, "watch on {prefix:?} after {after}");
    }
}
