//! Watches: where they begin, what they tell, and how they end.

use std::time::Duration;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use store::{Revision, Store};
use tokio::time::Instant;

use crate::common::{CONFIG_MAPS, Caller, Cluster, Events, config_map};
use crate::reads::with_store;

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

async fn watch_as(caller: &Caller, path: &str, accept: &str) -> Events {
    let request = Request::get(path).header("accept", accept).body(Full::default()).unwrap();
    Events::of(caller.send(request).await)
}

#[tokio::test]
async fn a_revision_that_is_gone_is_an_event_of_the_stream() {
    let (cluster, store) = with_store().await;
    let admin = &cluster.admin;
    let first = version(&admin.create(CONFIG_MAPS, config_map("a")).await);
    let newest = version(&admin.create(CONFIG_MAPS, config_map("b")).await);
    store.compact(Revision(newest)).await.unwrap();
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={first}")).await;
    let event = watch.next_value().await.unwrap();
    assert_eq!((&event["type"], &event["object"]["kind"]), (&json!("ERROR"), &json!("Status")));
    assert_eq!((&event["object"]["code"], &event["object"]["reason"]), (&json!(410), &json!("Expired")));
    assert_eq!(event["object"]["message"], format!("too old resource version: {first} ({newest})"));
    assert_eq!(watch.next().await, "end");
}

#[tokio::test]
async fn a_watch_from_the_future_waits_for_it() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let newest = version(&admin.create(CONFIG_MAPS, config_map("a")).await);
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", newest + 1)).await;
    for name in ["b", "c"] {
        admin.create(CONFIG_MAPS, config_map(name)).await;
    }
    assert_eq!(watch.next().await, "ADDED c");
}

#[tokio::test]
async fn what_is_deleted_is_told_as_it_last_was_at_the_revision_of_its_end() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create(CONFIG_MAPS, config_map("a")).await;
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", version(&created))).await;
    admin.call("DELETE", &format!("{CONFIG_MAPS}/a"), None).await;
    let event = watch.next_value().await.unwrap();
    assert_eq!((&event["type"], &event["object"]["data"]), (&json!("DELETED"), &created["data"]));
    assert!(version(&event["object"]) > version(&created));
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_every_minute_and_before_the_end() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create(CONFIG_MAPS, config_map("a")).await;
    let from = version(&created);
    let query = format!("watch=1&resourceVersion={from}&allowWatchBookmarks=true&timeoutSeconds=90");
    let began = Instant::now();
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?{query}")).await;
    let other = version(&admin.create("/api/v1/namespaces/kube-public/configmaps", config_map("b")).await);
    for seconds in [60, 88] {
        let event = watch.next_value().await.unwrap();
        let object = json!({
            "kind": "ConfigMap", "apiVersion": "v1",
            "metadata": {"resourceVersion": other.to_string(), "creationTimestamp": null},
        });
        assert_eq!((&event["type"], &event["object"]), (&json!("BOOKMARK"), &object));
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
    assert_eq!(watch.next().await, "end");
    assert_eq!(began.elapsed().as_secs(), 90);

    let began = Instant::now();
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}&timeoutSeconds=90")).await;
    assert_eq!(watch.next().await, "end", "nobody asked for bookmarks");
    assert_eq!(began.elapsed().as_secs(), 90);
}

#[tokio::test(start_paused = true)]
async fn a_busy_watch_ends_in_time_too() {
    let cluster = Cluster::start().await;
    let admin = cluster.admin.clone();
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?watch=1&timeoutSeconds=5")).await;
    let began = Instant::now();
    let reader = tokio::spawn(async move {
        let mut count = 0;
        while watch.next_value().await.is_some() {
            count += 1;
        }
        (count, began.elapsed())
    });
    let mut written = 0;
    while !reader.is_finished() && written < 1000 {
        admin.create(CONFIG_MAPS, config_map(&format!("m{written}"))).await;
        written += 1;
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    let (count, took) = reader.await.unwrap();
    assert!(took.as_millis() >= 5000 && took.as_millis() < 5100, "{took:?}");
    assert!(count >= 490 && count <= written, "{count} of {written}");
}

#[tokio::test]
async fn a_streaming_list_comes_in_order_and_says_where_it_ends() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let mut newest = 0;
    for name in ["c", "a", "b"] {
        newest = version(&admin.create(CONFIG_MAPS, config_map(name)).await);
    }
    let streaming = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?{streaming}&resourceVersion={newest}")).await;
    for expected in ["ADDED a", "ADDED b", "ADDED c"] {
        assert_eq!(watch.next().await, expected);
    }
    let end = watch.next_value().await.unwrap();
    assert_eq!(end["object"]["metadata"]["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    assert_eq!(version(&end["object"]), newest);
    admin.create(CONFIG_MAPS, config_map("d")).await;
    assert_eq!(watch.next().await, "ADDED d");

    let without = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
    let mut watch = admin.watch(&format!("{CONFIG_MAPS}?{without}")).await;
    admin.create(CONFIG_MAPS, config_map("e")).await;
    assert_eq!(watch.next().await, "ADDED e");
    let refused = admin.refused("GET", &format!("{CONFIG_MAPS}?watch=1&sendInitialEvents=true"), None).await;
    assert_eq!((refused.0, refused.1.as_str()), (422, "Invalid"));
}

#[tokio::test]
async fn tables_name_their_columns_once_and_partial_objects_are_small() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for name in ["a", "b"] {
        admin.create(CONFIG_MAPS, config_map(name)).await;
    }
    let path = format!("{CONFIG_MAPS}?watch=1");
    let mut table = watch_as(admin, &path, "application/json;as=Table;v=v1;g=meta.k8s.io").await;
    let (first, second) = (table.next_value().await.unwrap(), table.next_value().await.unwrap());
    assert_eq!((&first["object"]["kind"], &first["object"]["rows"][0]["cells"][0]), (&json!("Table"), &json!("a")));
    assert!(first["object"]["columnDefinitions"].is_array());
    assert_eq!(
        (&second["object"]["columnDefinitions"], &second["object"]["rows"][0]["cells"][0]),
        (&Value::Null, &json!("b"))
    );
    let mut other = watch_as(admin, &path, "application/json;as=Table;v=v1;g=meta.k8s.io").await;
    assert!(other.next_value().await.unwrap()["object"]["columnDefinitions"].is_array(), "to each watcher");

    let mut partial = watch_as(admin, &path, "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io").await;
    let event = partial.next_value().await.unwrap();
    let whole = admin.get(&format!("{CONFIG_MAPS}/a")).await;
    let expected = json!({
        "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": whole["metadata"],
    });
    assert_eq!((&event["type"], &event["object"]), (&json!("ADDED"), &expected));
    let request = Request::get(path).header("accept", "application/yaml").body(Full::default()).unwrap();
    assert_eq!(admin.send(request).await.status(), 406, "documents have no order of their own");
}

#[tokio::test]
async fn one_object_is_watched_by_path_or_selector() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for name in ["a", "ab", "b"] {
        admin.create(CONFIG_MAPS, config_map(name)).await;
    }
    let by_selector = format!("{CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Da");
    let by_path = "/api/v1/watch/namespaces/default/configmaps/a".to_owned();
    let both = format!("{by_path}?fieldSelector=metadata.name%3Da");
    let all_by_path = "/api/v1/watch/namespaces/default/configmaps".to_owned();
    let mut watches = Vec::new();
    for path in [&by_selector, &by_path, &both] {
        let mut watch = admin.watch(path).await;
        assert_eq!(watch.next().await, "ADDED a", "{path}");
        watches.push(watch);
    }
    let mut all = admin.watch(&all_by_path).await;
    for name in ["ab", "a"] {
        admin.call("PATCH", &format!("{CONFIG_MAPS}/{name}"), Some(json!({"data": {"x": "y"}}))).await;
    }
    for watch in &mut watches {
        assert_eq!(watch.next().await, "MODIFIED a");
    }
    for expected in ["ADDED a", "ADDED ab", "ADDED b", "MODIFIED ab", "MODIFIED a"] {
        assert_eq!(all.next().await, expected);
    }
    let refused = admin.refused("GET", &format!("{by_path}?fieldSelector=metadata.name%3Db"), None).await;
    assert_eq!((refused.0, refused.2.as_str()), (400, "fieldSelector metadata.name doesn't match requested name"));
}

/// Watchers that come at different times, from now and from the past, see the same changes: each
/// once, and in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_watcher_sees_every_change_once_and_in_order() {
    const CHANGES: u64 = 300;
    let cluster = Cluster::start().await;
    let admin = cluster.admin.clone();
    let from = version(&admin.create(CONFIG_MAPS, config_map("first")).await);
    let writer = tokio::spawn({
        let admin = admin.clone();
        async move {
            for at in 0..CHANGES {
                admin.create(CONFIG_MAPS, config_map(&format!("m{at:03}"))).await;
            }
        }
    });
    let mut readers = Vec::new();
    for at in 0..40 {
        let admin = admin.clone();
        readers.push(tokio::spawn(async move {
            let path = match at % 2 {
                0 => format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}"),
                _ => format!("{CONFIG_MAPS}?watch=1&resourceVersion={from}&labelSelector=!none"),
            };
            let mut watch = admin.watch(&path).await;
            let mut seen = Vec::new();
            while (seen.len() as u64) < CHANGES {
                seen.push(watch.next().await);
            }
            seen
        }));
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
    let expected: Vec<String> = (0..CHANGES).map(|at| format!("ADDED m{at:03}")).collect();
    for reader in readers {
        assert_eq!(reader.await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_watcher_that_does_not_read_is_cut_off() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create(CONFIG_MAPS, config_map("a")).await;
    let mut slow = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={}", version(&created))).await;
    for at in 0..40 {
        let (code, _) = admin
            .call("PATCH", &format!("{CONFIG_MAPS}/a"), Some(json!({"data": {"x": at.to_string().repeat(400_000)}})))
            .await;
        assert_eq!(code, 200);
    }
    let mut last = Value::Null;
    while let Some(event) = slow.next_value().await {
        last = event;
    }
    assert_eq!((&last["type"], &last["object"]["code"]), (&json!("ERROR"), &json!(410)));
}
