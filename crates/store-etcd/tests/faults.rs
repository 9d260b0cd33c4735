//! What must hold when etcd dies, answers get lost, and history goes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use stdx::{Ambient, signal};
use store::{
    Action, Expect, Operation, Options, ReadAt, Revision, Store, StoreError, Transaction, WatchItem, WatchRequest,
};
use store_contract::etcd::Server;
use store_contract::linearizability::{Outcome, check};
use store_contract::{Load, PATIENCE, Record, run_workload};
use store_etcd::{Address, COMPACT_EVERY, Config, Etcd};
use tokio::task::JoinHandle;
use tokio::time::timeout;

mod proxy;

use proxy::{LOST, Proxy};

/// Long enough for a busy machine, short enough to be waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

async fn open(address: &str) -> Arc<Etcd> {
    open_with(address, TIMEOUT).await
}

async fn open_with(address: &str, timeout: Duration) -> Arc<Etcd> {
    let address = Address::parse(address, "pintle").unwrap();
    let options = Options { watch_queue: 1 << 16, ..Options::default() };
    let ambient = Ambient::system();
    let config =
        Config { address, tls: None, options, timeout, open_timeout: PATIENCE, compact_every: COMPACT_EVERY, ambient };
    Etcd::open(config).await.unwrap()
}

fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

async fn patiently<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it comes in time")
}

async fn value(store: &Etcd, key: &str, at: ReadAt) -> Option<String> {
    let entry = store.get(key, at).await.unwrap();
    entry.map(|entry| String::from_utf8(entry.value.to_vec()).unwrap())
}

/// Writes until it is known to have worked.
async fn insist(store: &Etcd, key: &str, value: &str) -> Revision {
    patiently(async {
        loop {
            match store.put(key, text(value), Expect::Anything).await {
                Ok(entry) => return entry.modified,
                Err(StoreError::Unavailable { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
    })
    .await
}

/// Waits until clients have got on a little.
async fn in_the_midst_of(load: &mut JoinHandle<Record>, revisions: &mut signal::Receiver<Revision>) {
    let target = Revision(revisions.get().0 + 50);
    tokio::select! {
        moved = patiently(revisions.wait_for(|newest| *newest > target)) => drop(moved.unwrap()),
        ended = load => panic!("the load was over too early: {:?}", ended.map(|record| record.newest())),
    }
}

fn verify(record: &Record) -> usize {
    check(&record.calls, &record.events).unwrap_or_else(|violation| panic!("{violation}"));
    record.calls.iter().filter(|call| matches!(call.outcome, Outcome::Unknown { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_servers_on_one_etcd_see_one_order() {
    let server = Server::start();
    let mut stores: Vec<Arc<dyn Store>> = Vec::new();
    for _ in 0..3 {
        stores.push(open_with(&server.address(), PATIENCE).await);
    }
    let record = run_workload(&stores, Load { calls: 15_000, clients: 48, seed: 2 }).await;
    assert_eq!(verify(&record), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_and_started_again_it_loses_nothing() {
    let mut server = Server::start();
    let store: Arc<dyn Store> = open(&server.address()).await;
    let mut revisions = store.revisions();
    let mut load = tokio::spawn({
        let stores = [store.clone()];
        async move { run_workload(&stores, Load { calls: 12_000, clients: 24, seed: 3 }).await }
    });
    for _ in 0..3 {
        in_the_midst_of(&mut load, &mut revisions).await;
        server.kill();
        server.restart();
    }
    let record = patiently(load).await.unwrap();
    let unknown = verify(&record);
    println!("{unknown} of {} calls have an unknown outcome", record.calls.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_cut_amid_transactions_lose_nothing() {
    let server = Server::start();
    let proxy = Proxy::start(server.port()).await;
    let store: Arc<dyn Store> = open(&proxy.address()).await;
    let mut revisions = store.revisions();
    let mut load = tokio::spawn({
        let stores = [store.clone()];
        async move { run_workload(&stores, Load { calls: 12_000, clients: 24, seed: 4 }).await }
    });
    for _ in 0..20 {
        in_the_midst_of(&mut load, &mut revisions).await;
        proxy.cut();
    }
    let record = patiently(load).await.unwrap();
    let unknown = verify(&record);
    println!("{unknown} of {} calls have an unknown outcome", record.calls.len());
}

#[tokio::test]
async fn a_lost_answer_is_found_in_the_watch() {
    let server = Server::start();
    let proxy = Proxy::start(server.port()).await;
    let store = open(&proxy.address()).await;
    let witness = open(&server.address()).await;
    let first = store.put("a", text("1"), Expect::Absent).await.unwrap();
    for number in 0..10 {
        let key = format!("k{number}");
        // etcd gets the request and carries it out; the answer goes nowhere, and neither does the watch.
        proxy.lose_answers();
        let operation = Operation::put(key.as_str(), text("x"), Expect::Absent);
        let commit = tokio::spawn({
            let store = store.clone();
            async move { store.commit(Transaction { operations: vec![operation], author: None }).await }
        });
        let mut revisions = witness.revisions();
        patiently(async {
            while value(&witness, &key, ReadAt::Memory).await.is_none() {
                revisions.changed().await.unwrap();
            }
        })
        .await;
        proxy.cut();
        let committed = patiently(commit).await.unwrap().unwrap();
        let entry = store.get(&key, ReadAt::Memory).await.unwrap();
        assert_eq!(committed.entries, [entry]);
    }
    let changed = store.put("a", text("2"), Expect::At(first.modified)).await.unwrap();
    assert_eq!(changed.created, first.created);
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again_where_that_is_safe() {
    let server = Server::start();
    let proxy = Proxy::start(server.port()).await;
    let store = open(&proxy.address()).await;
    let first = store.put("a", text("1"), Expect::Absent).await.unwrap();
    // Requests leave and get lost on the way.
    let attempt = async |operation: Operation| {
        proxy.lose_requests();
        let commit = tokio::spawn({
            let store = store.clone();
            async move { store.commit(Transaction { operations: vec![operation], author: None }).await }
        });
        patiently(proxy.lost_a_request()).await;
        proxy.cut();
        patiently(commit).await.unwrap()
    };
    let replaced = attempt(Operation::put("a", text(LOST), Expect::At(first.modified))).await.unwrap();
    assert_eq!(value(&store, "a", ReadAt::Newest).await, Some(LOST.into()));
    assert_eq!(store.changes("a").await.unwrap().len(), 2, "once");
    // A second create might come after somebody removed what the first made.
    let unknown = attempt(Operation::put("b", text(LOST), Expect::Absent)).await.unwrap_err();
    assert!(matches!(&unknown, StoreError::Unavailable { reason } if reason.contains("not known")), "{unknown}");
    assert_eq!(value(&store, "b", ReadAt::Newest).await, None);
    assert!(store.revision() >= replaced.revision);
}

#[tokio::test]
async fn while_etcd_is_away_memory_answers_and_the_rest_says_so() {
    let mut server = Server::start();
    let store = open_with(&server.address(), Duration::from_millis(500)).await;
    let written = insist(&store, "a", "1").await;
    let request = WatchRequest { prefix: "a".into(), after: written, progress_every: None };
    let mut watch = store.watch(request).unwrap();
    server.kill();
    assert_eq!(value(&store, "a", ReadAt::Memory).await, Some("1".into()));
    assert_eq!(value(&store, "a", ReadAt::NotOlderThan(written)).await, Some("1".into()));
    assert_eq!(value(&store, "a", ReadAt::Exactly(written)).await, Some("1".into()));
    assert_eq!(store.snapshot().unwrap().len(), 1);
    let refused = timeout(PATIENCE, async {
        [
            store.get("a", ReadAt::Newest).await.map(drop).unwrap_err(),
            store.refresh().await.map(drop).unwrap_err(),
            store.get("a", ReadAt::NotOlderThan(Revision(written.0 + 1))).await.map(drop).unwrap_err(),
            store.put("a", text("2"), Expect::At(written)).await.map(drop).unwrap_err(),
            store.compact(Revision(written.0 + 1)).await.unwrap_err(),
        ]
    });
    for error in refused.await.expect("in bounded time") {
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    }
    server.restart();
    insist(&store, "a", "3").await;
    // The watch goes on over the gap, without having to begin anew.
    let mut last = None;
    while last.as_deref() != Some("3") {
        match patiently(watch.next()).await {
            Some(Ok(WatchItem::Event(event))) => {
                last = event.current().map(|entry| String::from_utf8(entry.value.to_vec()).unwrap());
            }
            Some(Ok(WatchItem::Progress(_))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(value(&store, "a", ReadAt::Newest).await, Some("3".into()));
}

#[tokio::test]
async fn history_compacted_while_away_is_told_to_watchers() {
    let server = Server::start();
    let proxy = Proxy::start(server.port()).await;
    let (behind, other) = (open(&proxy.address()).await, open(&server.address()).await);
    let begin = insist(&behind, "a", "1").await;
    other.refresh().await.unwrap();
    let mut watch = behind.watch(WatchRequest { after: begin, ..WatchRequest::default() }).unwrap();
    proxy.refuse();
    insist(&other, "a", "2").await;
    let last = insist(&other, "b", "3").await;
    other.compact(last).await.unwrap();
    proxy.pass();
    let end = loop {
        match patiently(watch.next()).await {
            Some(Ok(WatchItem::Progress(_))) => {}
            Some(Err(error)) => break error,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(end, StoreError::Compacted { .. }), "{end:?}");
    assert_eq!(value(&behind, "b", ReadAt::Newest).await, Some("3".into()));
    let again = insist(&behind, "a", "4").await;
    assert_eq!(other.get("a", ReadAt::NotOlderThan(again)).await.unwrap().unwrap().modified, again);
}

#[tokio::test]
async fn what_other_programs_do_in_the_same_etcd_does_not_hold_up_anybody() {
    let server = Server::start();
    let ours = open(&server.address()).await;
    let theirs = open(&format!("{}/elsewhere", server.address())).await;
    insist(&ours, "a", "1").await;
    let mut foreign = Revision(0);
    for number in 0..20 {
        foreign = insist(&theirs, &format!("k{number}"), "x").await;
    }
    assert_eq!(value(&ours, "a", ReadAt::Newest).await, Some("1".into()));
    assert_eq!(ours.get("k0", ReadAt::Newest).await.unwrap(), None, "each has a root of its own");
    // A revision that nothing of ours has: etcd is there already, so memory can be, too.
    assert_eq!(value(&ours, "a", ReadAt::NotOlderThan(foreign)).await, Some("1".into()));
    assert_eq!(value(&ours, "a", ReadAt::Exactly(foreign)).await, Some("1".into()));
    assert!(ours.revision() >= foreign);
}

#[tokio::test]
async fn the_end_of_a_lease_is_seen_by_every_server() {
    let server = Server::start();
    let (first, second) = (open(&server.address()).await, open(&server.address()).await);
    let action = Action::Put { value: text("x"), lifetime: Some(Duration::from_secs(1)) };
    let operation = Operation { key: "short".into(), expect: Expect::Absent, action };
    let put = first.commit(Transaction { operations: vec![operation], author: None }).await.unwrap();
    let mut revisions = first.revisions();
    patiently(async {
        while first.get("short", ReadAt::Memory).await.unwrap().is_some() {
            revisions.changed().await.unwrap();
        }
    })
    .await;
    let gone = first.revision();
    assert!(gone > put.revision);
    assert_eq!(second.get("short", ReadAt::NotOlderThan(gone)).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_server_knows_the_history_that_etcd_has() {
    let server = Server::start();
    let store = open(&server.address()).await;
    let first = insist(&store, "a", "1").await;
    let operations = vec![Operation::put("a", text("2"), Expect::At(first))];
    let author = Some(Arc::new(store::Author { user: "jane".into(), manager: "kubectl".into() }));
    let second = store.commit(Transaction { operations, author: author.clone() }).await.unwrap().revision;
    let (gone, _) = store.delete("a", Expect::At(second)).await.unwrap();
    let times: Vec<_> = store.changes("a").await.unwrap().iter().map(|event| event.time).collect();

    let fresh = open(&server.address()).await;
    assert_eq!(value(&fresh, "a", ReadAt::Exactly(first)).await, Some("1".into()));
    let changes = fresh.changes("a").await.unwrap();
    assert_eq!(changes.iter().map(|event| event.revision).collect::<Vec<_>>(), [first, second, gone]);
    assert_eq!(changes[1].author, author);
    assert_eq!(changes.iter().map(|event| event.time).collect::<Vec<_>>(), times);
    assert_eq!(fresh.revision_at(times[1]).unwrap(), second);

    fresh.compact(second).await.unwrap();
    let late = open(&server.address()).await;
    assert_eq!(late.changes("a").await.unwrap().len(), 1);
    assert_eq!(value(&late, "a", ReadAt::Exactly(second)).await, Some("2".into()));
    let refused = late.get("a", ReadAt::Exactly(first)).await.unwrap_err();
    assert!(matches!(refused, StoreError::Compacted { .. }), "{refused:?}");
}

#[tokio::test]
async fn more_than_etcd_takes_is_too_large() {
    let server = Server::start();
    let store = open(&server.address()).await;
    // Over etcd's own limit, and over that of its gRPC.
    for size in [1_600_000, 2_500_000] {
        let error = store.put("large", Bytes::from(vec![b'x'; size]), Expect::Absent).await.unwrap_err();
        assert!(matches!(error, StoreError::TooLarge { limit: 1_572_864, .. }), "{error:?}");
    }
    store.put("large", Bytes::from(vec![b'x'; 1_500_000]), Expect::Absent).await.unwrap();
    assert_eq!(open(&server.address()).await.snapshot().unwrap().len(), 1);
}

#[tokio::test]
async fn one_of_several_servers_is_enough() {
    let server = Server::start();
    let proxy = Proxy::start(server.port()).await;
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let address = format!("etcd://127.0.0.1:{nobody},127.0.0.1:{},127.0.0.1:{}", proxy.port(), server.port());
    let store = open(&address).await;
    insist(&store, "a", "1").await;
    proxy.refuse();
    insist(&store, "a", "2").await;
    assert_eq!(value(&store, "a", ReadAt::Newest).await, Some("2".into()));
}
