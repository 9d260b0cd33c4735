//! Watches that begin long ago, lag, or hear nothing.

use std::time::Duration;

use tokio::time::Instant;

use super::*;

async fn write(store: &Memory, count: u64) {
    for number in 0..count {
        store.put(&format!("k/{}", number % 7), text("x"), Expect::Anything).await.unwrap();
    }
}

#[tokio::test]
async fn a_long_past_is_replayed_to_its_end_and_goes_on() {
    let store = store(Options::default());
    write(&store, 3000).await;
    let mut everything = watch(&store, "", 0);
    let mut some = watch(&store, "k/3", 1500);
    // While they are still replaying, the world goes on.
    write(&store, 7).await;
    let items = drain(&mut everything);
    assert_eq!(items.len(), 3008);
    assert_eq!(items[3007], "progress 3007");
    for (number, item) in (1..).zip(&items[..3007]) {
        assert!(item.starts_with(&format!("{number} nobody puts")), "{item}");
    }
    let items = drain(&mut some);
    assert_eq!(
        items.iter().filter(|item| item.contains("puts k/3=")).count(),
        (1501..=3007).filter(|n| n % 7 == 4).count()
    );
    write(&store, 7).await;
    assert_eq!((drain(&mut everything).len(), drain(&mut some).len()), (7, 1));
}

#[tokio::test]
async fn compaction_overtakes_whoever_is_still_in_the_past() {
    let store = store(Options::default());
    write(&store, 3000).await;
    let mut slow = watch(&store, "", 0);
    let mut first = drain_some(&mut slow, 100);
    assert_eq!(first.pop().unwrap(), "100 nobody puts k/1=x over x");
    store.compact(Revision(2000)).await.unwrap();
    // What was taken already is delivered; then there is a gap, which is told.
    let rest = drain(&mut slow);
    let (last, before) = rest.split_last().unwrap();
    assert!(before.last().unwrap().starts_with("256 "), "{before:?}");
    assert_eq!(last, "revision 256 is compacted; the oldest kept is 2000");
    assert!(slow.next().await.is_none());
}

fn drain_some(watch: &mut Watch, count: usize) -> Vec<String> {
    (0..count)
        .map(|_| match watch.next().now_or_never() {
            Some(Some(Ok(WatchItem::Event(event)))) => describe(&event),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_while_nothing_happens() {
    let store = store(Options::default());
    let every = Duration::from_secs(60);
    let request = WatchRequest { prefix: "a/".into(), progress_every: Some(every), ..WatchRequest::default() };
    let mut watch = store.watch(request).unwrap();
    let start = Instant::now();
    let mut told = Vec::new();
    for step in 0..4 {
        // What happens elsewhere moves the revision.
        store.put(&format!("b/{step}"), text("x"), Expect::Anything).await.unwrap();
        match watch.next().await {
            Some(Ok(WatchItem::Progress(revision))) => told.push((revision.0, start.elapsed().as_secs() / 60)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, [(0, 0), (2, 1), (3, 2), (4, 3)]);
    store.put("a/x", text("x"), Expect::Anything).await.unwrap();
    assert_eq!(drain(&mut watch), ["5 nobody puts a/x=x over -"]);
}

#[tokio::test(start_paused = true)]
async fn progress_without_pause_is_not_to_be_had() {
    let store = store(Options::default());
    let request = WatchRequest { progress_every: Some(Duration::ZERO), ..WatchRequest::default() };
    let mut watch = store.watch(request).unwrap();
    assert_eq!(drain(&mut watch), ["progress 0"]);
    let start = Instant::now();
    watch.next().await.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(10));
}

#[tokio::test]
async fn watches_end_with_their_store() {
    let store = store(Options::default());
    write(&store, 1000).await;
    let mut live = watch(&store, "", 1000);
    let mut replaying = watch(&store, "", 0);
    drop(store);
    assert_eq!(drain(&mut live), ["progress 1000", "the store is shutting down"]);
    assert_eq!(drain(&mut replaying).last().unwrap(), "the store is shutting down");
}

#[tokio::test]
async fn watchers_are_woken_in_the_order_in_which_they_came() {
    let store = store(Options::default());
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let mut watch = watch(&store, if number % 2 == 0 { "k/" } else { "k/1" }, 0);
            let order = order.clone();
            tokio::spawn(async move {
                watch.next().await.unwrap().unwrap();
                watch.next().await.unwrap().unwrap();
                order.lock().unwrap().push(number);
            })
        })
        .collect();
    tokio::task::yield_now().await;
    store.put("k/1", text("x"), Expect::Anything).await.unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let (even, odd): (Vec<_>, Vec<_>) = order.lock().unwrap().iter().copied().partition(|number| *number % 2 == 0);
    assert!(even.is_sorted() && odd.is_sorted() && even.len() == 10, "{even:?} {odd:?}");
}
