//! Events in order, without gap or duplicate.

use std::time::Duration;

use futures::{FutureExt, StreamExt};
use store::{Options, StoreError, WatchItem, WatchRequest};

use crate::{Home, create, drain, patiently, remove, set, watch};

pub async fn a_watch_replays_then_follows(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let start = store.revision();
    let first = create(store, "a", "1").await;
    let second = set(store, "a", "2").await;
    let mut from_start = watch(store, "", start).unwrap();
    let mut from_first = watch(store, "", first).unwrap();
    let mut from_now = watch(store, "", store.revision()).unwrap();
    let third = remove(store, "a").await;

    let put = format!("{} put a=1 was -", first.0);
    let change = format!("{} put a=2 was 1", second.0);
    let progress = format!("progress {}", second.0);
    let delete = format!("{} delete a was 2", third.0);
    assert_eq!(drain(&mut from_start), [&put, &change, &progress, &delete].map(String::as_str));
    assert_eq!(drain(&mut from_first), [&change, &progress, &delete].map(String::as_str));
    assert_eq!(drain(&mut from_now), [&progress, &delete].map(String::as_str));
    assert!(from_now.next().now_or_never().is_none(), "a watch goes on");
}

pub async fn a_watch_sees_its_prefix_only(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let start = store.revision();
    let pod = create(store, "pods/a", "1").await;
    let node = create(store, "nodes/a", "1").await;
    let mut pods = watch(store, "pods/", start).unwrap();
    let mut services = watch(store, "services/", start).unwrap();
    create(store, "nodes/b", "1").await;
    create(store, "podsx", "1").await;
    let last = create(store, "pods/b", "1").await;
    let progress = format!("progress {}", node.0);
    let expected =
        [format!("{} put pods/a=1 was -", pod.0), progress.clone(), format!("{} put pods/b=1 was -", last.0)];
    assert_eq!(drain(&mut pods), expected);
    assert_eq!(drain(&mut services), [progress]);
}

pub async fn a_watch_tells_of_its_progress(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let start = store.revision();
    let progress_every = Some(Duration::from_millis(20));
    let mut quiet = store.watch(WatchRequest { prefix: "quiet/".into(), after: start, progress_every }).unwrap();
    let written = create(store, "loud/a", "1").await;
    // What it did not have to be told of counts as delivered.
    patiently("the progress", async {
        loop {
            match quiet.next().await {
                Some(Ok(WatchItem::Progress(revision))) if revision >= written => return,
                Some(Ok(WatchItem::Progress(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    let event = create(store, "quiet/a", "1").await;
    patiently("the event", async {
        loop {
            match quiet.next().await {
                Some(Ok(WatchItem::Event(seen))) => return assert_eq!(seen.revision, event),
                Some(Ok(WatchItem::Progress(revision))) => assert!(revision < event, "progress overtook an event"),
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
}

pub async fn a_slow_watcher_is_cut_off_and_told_so(home: &dyn Home) {
    let store = &*home.open(Options { watch_queue: 2, ..Options::default() }).await;
    let start = store.revision();
    let mut slow = watch(store, "k", start).unwrap();
    let mut other = watch(store, "other", start).unwrap();
    for number in 1..=6 {
        create(store, &format!("k{number}"), "x").await;
    }
    let mut seen = 0;
    let end = loop {
        match patiently("the end", slow.next()).await {
            Some(Ok(WatchItem::Event(event))) => {
                seen += 1;
                assert_eq!(event.key().as_ref(), format!("k{seen}"), "what is delivered has no gap");
            }
            Some(Ok(WatchItem::Progress(_))) => {}
            Some(Err(error)) => break error,
            None => panic!("it ended without a word"),
        }
    };
    assert!(seen < 6 && matches!(end, StoreError::Compacted { .. }), "{seen} events, then {end:?}");
    assert!(slow.next().await.is_none(), "and that is the end");
    let last = create(store, "other", "x").await;
    let expected = [format!("progress {}", start.0), format!("{} put other=x was -", last.0)];
    assert_eq!(drain(&mut other), expected, "a slow watcher holds up nobody");
}

pub async fn a_watcher_may_leave_at_any_time(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let start = store.revision();
    let mut stays = watch(store, "k", start).unwrap();
    for number in 0..20 {
        let mut leaves = watch(store, "k", start).unwrap();
        create(store, &format!("k{number:02}"), "x").await;
        assert!(drain(&mut leaves).len() > number);
        drop(leaves);
    }
    assert_eq!(drain(&mut stays).len(), 21);
}
