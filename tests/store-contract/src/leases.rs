//! Keys that end by themselves.

use std::time::Duration;

use futures::StreamExt;
use stdx::Clock;
use store::{Action, Change, Expect, Operation, Options, ReadAt, Revision, Store, Transaction, WatchItem};

use crate::{Home, patiently, read, set, text, watch};

const LIFETIME: Duration = Duration::from_secs(1);

async fn put_for(store: &dyn Store, key: &str, lifetime: Duration) -> Revision {
    let action = Action::Put { value: text("x"), lifetime: Some(lifetime) };
    let operation = Operation { key: key.into(), expect: Expect::Absent, action };
    store.commit(Transaction { operations: vec![operation], author: None }).await.unwrap().revision
}

/// Waits until the store says by itself that the key is gone.
async fn removal_of(store: &dyn Store, key: &str, since: Revision) {
    let mut events = watch(store, key, since).unwrap();
    patiently("the end of the lifetime", async {
        loop {
            match events.next().await {
                Some(Ok(WatchItem::Event(event))) if matches!(event.change, Change::Delete { .. }) => {
                    assert_eq!(event.author, None);
                    return assert!(event.previous.is_some());
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
}

pub async fn a_lifetime_ends_neither_early_nor_never(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let clock = Clock::system();
    let began = clock.instant();
    let revision = put_for(store, "short", LIFETIME).await;
    put_for(store, "long", Duration::from_secs(3600)).await;
    assert_eq!(read(store, "short", ReadAt::Newest).await, Some("x".into()));
    removal_of(store, "short", revision).await;
    assert!(clock.instant() - began >= LIFETIME, "it ended early");
    assert_eq!(read(store, "short", ReadAt::Newest).await, None);
    assert_eq!(read(store, "long", ReadAt::Newest).await, Some("x".into()));
    assert_eq!(read(store, "short", ReadAt::Exactly(revision)).await, Some("x".into()), "history knows it");
}

pub async fn another_put_ends_the_lifetime(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    put_for(store, "kept", LIFETIME).await;
    set(store, "kept", "for ever").await;
    // Whatever was to end with the first has ended when the second does.
    let marker = put_for(store, "marker", LIFETIME * 2).await;
    removal_of(store, "marker", marker).await;
    assert_eq!(read(store, "kept", ReadAt::Newest).await, Some("for ever".into()));
}

pub async fn lifetimes_outlive_the_store(home: &dyn Home) {
    if !home.is_durable() {
        return;
    }
    let clock = Clock::system();
    let store = home.open(Options::default()).await;
    let began = clock.instant();
    put_for(&*store, "short", LIFETIME).await;
    set(&*store, "kept", "x").await;
    drop(store);
    let store = &*home.open(Options::default()).await;
    let mut revisions = store.revisions();
    patiently("the end of the lifetime", async {
        while read(store, "short", ReadAt::Memory).await.is_some() {
            revisions.changed().await.unwrap();
        }
    })
    .await;
    assert!(clock.instant() - began >= LIFETIME, "it ended early");
    assert_eq!(read(store, "kept", ReadAt::Newest).await, Some("x".into()));
}
