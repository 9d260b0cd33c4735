//! History that memory has dropped and etcd has not, and etcd told to drop it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stdx::Ambient;
use store::{Expect, HistoryLimits, Options, RangeRequest, ReadAt, Revision, Store, StoreError};
use store_contract::PATIENCE;
use store_contract::etcd::Server;
use store_etcd::{Address, COMPACT_EVERY, Config, Etcd};
use tokio::time::timeout;

/// A few dozen values; memory drops what is older.
const CEILING_BYTES: u64 = 20_000;

async fn open(server: &Server, compact_every: Duration) -> Arc<Etcd> {
    let address = Address::parse(&server.address(), "pintle").unwrap();
    let history = HistoryLimits { ceiling_bytes: CEILING_BYTES, ..HistoryLimits::default() };
    let options = Options { history, ..Options::default() };
    let ambient = Ambient::system();
    let config =
        Config { address, tls: None, options, timeout: PATIENCE, open_timeout: PATIENCE, compact_every, ambient };
    Etcd::open(config).await.unwrap()
}

async fn put(store: &Etcd, key: &str, number: usize) -> Revision {
    let value = format!("{number}:{}", ".".repeat(500));
    store.put(key, Bytes::from(value), Expect::Anything).await.unwrap().modified
}

fn number(value: &Bytes) -> usize {
    std::str::from_utf8(value).unwrap().split_once(':').unwrap().0.parse().unwrap()
}

#[tokio::test]
async fn what_memory_has_dropped_is_read_from_etcd() {
    let server = Server::start();
    let store = open(&server, COMPACT_EVERY).await;
    for key in 0..5 {
        put(&store, &format!("k/{key}"), key).await;
    }
    let then = store.revision();
    for step in 0..200 {
        put(&store, &format!("k/{}", step % 7), 1000 + step).await;
    }
    assert!(store.snapshot().unwrap().oldest().0 > then, "memory does not reach back so far");

    let entry = store.get("k/3", ReadAt::Exactly(then)).await.unwrap().unwrap();
    assert_eq!(number(&entry.value), 3);
    assert_eq!(store.get("k/6", ReadAt::Exactly(then)).await.unwrap(), None, "it came later");
    let mut request = RangeRequest { prefix: "k/".into(), limit: 2, at: ReadAt::Exactly(then), after: None };
    let mut pages = Vec::new();
    for remaining in [3, 1, 0] {
        let page = store.range(request.clone()).await.unwrap();
        assert_eq!((page.revision, page.remaining), (then, remaining));
        pages.extend(page.entries.iter().map(|entry| number(&entry.value)));
        request.after = page.entries.last().map(|entry| entry.key.to_string());
    }
    assert_eq!(pages, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn etcd_is_told_to_drop_what_memory_has_dropped() {
    let server = Server::start();
    // Two servers share the work; neither minds that the other was first.
    let stores = [open(&server, Duration::from_millis(20)).await, open(&server, Duration::from_millis(20)).await];
    let first = put(&stores[0], "a", 0).await;
    let refused = timeout(PATIENCE, async {
        for step in 1.. {
            put(&stores[step % 2], "a", step).await;
            // Memory that has dropped it asks etcd, so this ends when etcd has, too.
            if let Err(error) = stores[0].get("a", ReadAt::Exactly(first)).await {
                return Some(error);
            }
        }
        None
    });
    let refused = refused.await.expect("it is dropped in time");
    assert!(matches!(refused, Some(StoreError::Compacted { .. })), "{refused:?}");

    let last = put(&stores[1], "a", 7).await;
    for store in &stores {
        let entry = store.get("a", ReadAt::NotOlderThan(last)).await.unwrap().unwrap();
        assert_eq!(number(&entry.value), 7);
        let oldest = store.snapshot().unwrap().oldest().0;
        store.get("a", ReadAt::Exactly(oldest)).await.unwrap().expect("what memory has is not dropped");
    }
    let late = open(&server, COMPACT_EVERY).await;
    assert!(late.changes("a").await.unwrap()[0].revision > first, "a new server finds no more either");
}
