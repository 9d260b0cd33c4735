//! Keys that end by themselves, on virtual time.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::Action;

const HOUR: Duration = Duration::from_secs(3600);

fn lease(key: &str, lifetime: Duration) -> Transaction {
    let action = Action::Put { value: text("1"), lifetime: Some(lifetime) };
    by("ann", vec![Operation { key: key.into(), expect: Expect::Anything, action }])
}

#[tokio::test(start_paused = true)]
async fn a_key_ends_when_its_time_is_over_and_not_before() {
    let store = store(Options::default());
    let start = Instant::now();
    let mut everything = watch(&store, "", 0);
    store.commit(lease("late", 2 * HOUR)).await.unwrap();
    store.commit(lease("early", HOUR)).await.unwrap();
    drain(&mut everything);

    let ended = everything.next().await.unwrap().unwrap();
    assert!(matches!(&ended, WatchItem::Event(event) if describe(event) == "3 nobody deletes early=1"), "{ended:?}");
    let lived = start.elapsed();
    assert!(lived >= HOUR && lived < HOUR + Duration::from_millis(10), "{lived:?}");
    assert!(store.get("late", ReadAt::Newest).await.unwrap().is_some());

    everything.next().await.unwrap().unwrap();
    let lived = start.elapsed();
    assert!(lived >= 2 * HOUR && lived < 2 * HOUR + Duration::from_millis(10), "{lived:?}");
    assert_eq!(store.snapshot().unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_next_put_decides_anew() {
    let store = store(Options::default());
    for key in ["prolonged", "freed", "removed"] {
        store.commit(lease(key, HOUR)).await.unwrap();
    }
    tokio::time::sleep(HOUR / 2).await;
    store.commit(lease("prolonged", HOUR)).await.unwrap();
    store.put("freed", text("2"), Expect::Anything).await.unwrap();
    store.delete("removed", Expect::Anything).await.unwrap();
    let revision = store.revision();

    tokio::time::sleep(HOUR * 3 / 4).await;
    assert_eq!(store.revision(), revision, "the first hours are over and nothing has ended");
    let leases: Vec<_> = store.snapshot().unwrap().leases().map(|(key, _)| key.to_owned()).collect();
    assert_eq!(leases, ["prolonged"]);

    tokio::time::sleep(HOUR).await;
    let left: Vec<_> = store.snapshot().unwrap().entries().map(|entry| entry.key.to_string()).collect();
    assert_eq!(left, ["freed"]);
}

#[tokio::test(start_paused = true)]
async fn many_leases_end_at_once() {
    let store = store(Options::default());
    for number in 0..1000 {
        store.commit(lease(&format!("k{number}"), HOUR)).await.unwrap();
    }
    store.revisions().wait_for(|revision| *revision == Revision(2000)).await.unwrap();
    assert!(store.snapshot().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lifetime_beyond_all_clocks_is_for_ever() {
    let store = store(Options::default());
    store.commit(lease("k", Duration::MAX)).await.unwrap();
    store.commit(lease("l", Duration::from_secs(1 << 45))).await.unwrap();
    assert_eq!(store.snapshot().unwrap().leases().count(), 0);
    store.commit(lease("m", Duration::ZERO)).await.unwrap();
    store.revisions().wait_for(|revision| *revision == Revision(4)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn history_goes_when_its_time_is_over_though_nobody_writes() {
    let store = store(Options::default());
    store.put("a", text("1"), Expect::Absent).await.unwrap();
    assert_eq!(store.changes("a").await.unwrap().len(), 1);
    tokio::time::sleep(Duration::from_secs(4 * 60)).await;
    assert_eq!(store.changes("a").await.unwrap().len(), 1, "younger than five minutes");
    // A fifth of one byte of data is less than any history.
    tokio::time::sleep(Duration::from_secs(2 * 60)).await;
    assert_eq!(store.changes("a").await.unwrap().len(), 0);
    assert!(store.get("a", ReadAt::Newest).await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn the_task_that_tends_a_store_ends_with_it() {
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let store = store(Options::default());
    store.commit(lease("k", HOUR)).await.unwrap();
    assert_eq!(tasks(), 1);
    drop(store);
    tokio::task::yield_now().await;
    assert_eq!(tasks(), 0);
}
