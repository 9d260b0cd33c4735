//! Reading many keys, now and as they were.

use std::collections::BTreeMap;

use store::{Expect, HistoryLimits, Options, RangeRequest, ReadAt, Revision, StoreError};

use crate::{Home, create, list, pairs, prefix, read, remove, set, text};

pub async fn a_range_is_ordered_paged_and_consistent(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    for number in [7, 2, 9, 0, 4, 1, 8, 3, 6, 5] {
        create(store, &format!("pods/p{number}"), "x").await;
    }
    create(store, "pod", "x").await;
    let begin = create(store, "podsx", "x").await;

    let mut request = RangeRequest { limit: 4, ..prefix("pods/") };
    let mut seen = Vec::new();
    let mut remaining = Vec::new();
    loop {
        let page = store.range(request.clone()).await.unwrap();
        assert_eq!(page.revision, begin, "every page is of the first page's revision");
        seen.extend(page.entries.iter().map(|entry| entry.key.to_string()));
        remaining.push(page.remaining);
        // Between pages the world goes on.
        match store.get("pods/p9", ReadAt::Newest).await.unwrap() {
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

    let before = RangeRequest { after: Some("a".into()), limit: 1, ..prefix("pods/") };
    assert_eq!(&*store.range(before).await.unwrap().entries[0].key, "pods/p0");
    let beyond = RangeRequest { after: Some("z".into()), limit: 1, ..prefix("pods/") };
    let beyond = store.range(beyond).await.unwrap();
    assert!(beyond.entries.is_empty() && beyond.remaining == 0);
}

pub async fn an_old_range_is_read_as_it_was(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let mut model: BTreeMap<String, String> = BTreeMap::new();
    let mut states = vec![(store.revision(), Vec::new())];
    for step in 0..200_u64 {
        let key = format!("k/{}", step * 7919 % 23);
        let revision = if model.contains_key(&key) && step % 3 == 0 {
            model.remove(&key);
            remove(store, &key).await
        } else {
            model.insert(key.clone(), step.to_string());
            set(store, &key, &step.to_string()).await
        };
        states.push((revision, model.clone().into_iter().collect()));
    }
    for (revision, state) in &states {
        assert_eq!(&list(store, "k/", ReadAt::Exactly(*revision)).await, state, "at {revision:?}");
        for key in ["k/0", "k/7", "k/22"] {
            let held = state.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone());
            assert_eq!(read(store, key, ReadAt::Exactly(*revision)).await, held, "{key} at {revision:?}");
        }
    }
    assert_eq!(list(store, "", ReadAt::Newest).await, states.last().unwrap().1);
}

/// Some engines know of more than memory has, also of what was before they were opened.
pub async fn what_is_too_old_is_read_as_it_was_or_refused(home: &dyn Home) {
    let history = HistoryLimits { ceiling_bytes: 10_000, ..HistoryLimits::default() };
    let mut store = home.open(Options { history, ..Options::default() }).await;
    let mut model: BTreeMap<String, String> = BTreeMap::new();
    let mut states = Vec::new();
    for step in 0..150_u64 {
        let (key, value) = (format!("k/{}", step % 9), format!("{step}:{}", ".".repeat(200)));
        model.insert(key.clone(), value.clone());
        states.push((set(&*store, &key, &value).await, model.clone().into_iter().collect::<Vec<_>>()));
    }
    if home.is_durable() {
        drop(store);
        store = home.open(Options { history, ..Options::default() }).await;
    }
    let mut readable = None;
    for (revision, state) in &states {
        match store.range(RangeRequest { at: ReadAt::Exactly(*revision), ..prefix("k/") }).await {
            Ok(range) => {
                assert_eq!(&pairs(&range), state, "at {revision:?}");
                readable.get_or_insert(*revision);
            }
            Err(StoreError::Compacted { requested, oldest }) => {
                assert!(requested == revision.0 && oldest > requested, "{requested} and {oldest}");
                assert_eq!(readable, None, "what follows a revision that is known is known");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert!(readable.is_some_and(|first| first <= states[140].0), "the newest are known in any case");
}

pub async fn reads_are_as_fresh_as_they_must_be(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let first = create(store, "a", "1").await;
    let second = set(store, "a", "2").await;
    let value = |value: &str| Some(value.to_owned());
    for at in [ReadAt::Newest, ReadAt::Memory, ReadAt::NotOlderThan(first), ReadAt::NotOlderThan(second)] {
        assert_eq!(read(store, "a", at).await, value("2"), "{at:?}");
        assert_eq!(list(store, "a", at).await, [("a".into(), "2".into())], "{at:?}");
    }
    assert_eq!(read(store, "a", ReadAt::Exactly(first)).await, value("1"));
    let ahead = Revision(1 << 40);
    for at in [ReadAt::NotOlderThan(ahead), ReadAt::Exactly(ahead)] {
        let refused = [
            store.get("a", at).await.map(drop).unwrap_err(),
            store.range(RangeRequest { at, ..prefix("") }).await.map(drop).unwrap_err(),
        ];
        for error in refused {
            assert!(matches!(error, StoreError::FutureRevision { requested, .. } if requested == ahead.0), "{error:?}");
        }
    }
    store.put("a", text("3"), Expect::At(second)).await.unwrap();
    assert_eq!(read(store, "a", ReadAt::NotOlderThan(second)).await, value("3"));
}
