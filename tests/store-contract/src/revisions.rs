//! Revisions, and what a writer must know.

use std::sync::Arc;

use store::{Expect, Options, ReadAt, Revision, StoreError};

use crate::{Home, create, list, patiently, remove, set, string, text, watch};

pub async fn revisions_rise_and_entries_remember_theirs(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let first = store.put("a/x", text("1"), Expect::Absent).await.unwrap();
    assert_eq!(first.created, first.modified);
    assert_eq!(store.revision(), first.modified);
    let other = create(store, "a/y", "2").await;
    assert!(other > first.modified);
    let second = store.put("a/x", text("3"), Expect::At(first.modified)).await.unwrap();
    assert!(second.modified > other);
    assert_eq!(second.created, first.created);
    assert_eq!(store.get("a/x", ReadAt::Newest).await.unwrap().as_ref(), Some(&second));
    let (revision, removed) = store.delete("a/x", Expect::At(second.modified)).await.unwrap();
    assert!(revision > second.modified);
    assert_eq!(removed, second);
    assert_eq!(store.get("a/x", ReadAt::Newest).await.unwrap(), None);
    let again = store.put("a/x", text("5"), Expect::Absent).await.unwrap();
    assert!(again.created > revision && again.created == again.modified);
    assert_eq!(store.revision(), again.modified);
}

pub async fn a_writer_must_know_the_present_state(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let entry = store.put("a", text("1"), Expect::Absent).await.unwrap();
    let newest = store.revision();
    let wrong = Expect::At(Revision(entry.modified.0 + 6));
    let conflicts = [
        store.put("a", text("2"), Expect::Absent).await.unwrap_err(),
        store.put("a", text("2"), wrong).await.unwrap_err(),
        store.delete("a", wrong).await.unwrap_err(),
    ];
    for conflict in conflicts {
        assert!(
            matches!(&conflict, StoreError::Conflict { key, current: Some(current) } if **key == *"a" && *current == entry),
            "{conflict:?}"
        );
    }
    let missing = [
        store.put("b", text("2"), Expect::At(entry.modified)).await.unwrap_err(),
        store.delete("b", Expect::At(entry.modified)).await.unwrap_err(),
        store.delete("b", Expect::Anything).await.unwrap_err(),
    ];
    for conflict in missing {
        assert!(matches!(&conflict, StoreError::Conflict { key, current: None } if **key == *"b"), "{conflict:?}");
    }
    assert_eq!(store.revision(), newest, "a refused write takes no revision");
}

pub async fn whoever_expects_anything_writes_anyway(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let first = store.put("a", text("1"), Expect::Anything).await.unwrap();
    let second = store.put("a", text("2"), Expect::Anything).await.unwrap();
    assert_eq!((second.created, string(&second.value)), (first.created, "2".to_owned()));
    let (revision, removed) = store.delete("a", Expect::Anything).await.unwrap();
    assert_eq!(removed, second);
    let third = store.put("a", text("3"), Expect::Anything).await.unwrap();
    assert!(third.created > revision);
}

pub async fn the_newest_revision_can_be_waited_for(home: &dyn Home) {
    let store = home.open(Options::default()).await;
    let mut events = watch(&*store, "", store.revision()).unwrap();
    let mut revisions = store.revisions();
    let before = revisions.get();
    let waiting = tokio::spawn(async move { revisions.wait_for(|newest| *newest > before).await });
    let written = create(&*store, "a", "1").await;
    let seen = patiently("the revision", waiting).await.unwrap().unwrap();
    assert!(seen >= written);
    assert!(crate::drain(&mut events).len() >= 2, "its event was there before the revision moved");
    assert_eq!(store.refresh().await.unwrap(), store.revision());
}

pub async fn concurrent_writers_lose_nothing(home: &dyn Home) {
    let store = home.open(Options::default()).await;
    let begin = create(&*store, "counter", "0").await;
    let mut events = watch(&*store, "", begin).unwrap();
    let (writers, increments) = (8, 25);
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut entry = store.get("counter", ReadAt::Memory).await.unwrap().unwrap();
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
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let total = writers * increments;
    let counter = store.get("counter", ReadAt::Newest).await.unwrap().unwrap();
    assert_eq!(string(&counter.value), total.to_string());
    let seen: Vec<String> = crate::drain(&mut events).into_iter().filter(|item| item.contains(" put ")).collect();
    let expected = (1..=total).map(|count| format!("put counter={count} was {}", count - 1));
    assert!(seen.iter().map(|item| item.split_once(' ').unwrap().1).eq(expected), "{seen:?}");
}

pub async fn a_new_store_goes_on_where_the_last_one_ended(home: &dyn Home) {
    let store = home.open(Options::default()).await;
    create(&*store, "a", "1").await;
    set(&*store, "a", "2").await;
    create(&*store, "b", "3").await;
    remove(&*store, "b").await;
    let newest = store.revision();
    let before = store.range(crate::prefix("")).await.unwrap();
    drop(store);
    let store: Arc<_> = home.open(Options::default()).await;
    if !home.is_durable() {
        assert_eq!(list(&*store, "", ReadAt::Newest).await, []);
        return;
    }
    let after = store.range(crate::prefix("")).await.unwrap();
    assert_eq!(after.entries, before.entries);
    assert!(store.revision() >= newest, "revisions never go back");
    assert!(create(&*store, "c", "4").await > newest);
}
