//! How fresh a read is, how a list goes on, and what a selector finds.

use std::io::Read;
use std::sync::Arc;

use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use stdx::Ambient;
use store::{Memory, Revision, Store};

use crate::common::{CONFIG_MAPS, Caller, Cluster, config, config_map};

/// A cluster, and the store beneath it.
pub(crate) async fn with_store() -> (Cluster, Arc<Memory>) {
    let store = Memory::new();
    let mut config = config(Ambient::simulated(1));
    config.store = store.clone();
    (Cluster::with(config).await, store)
}

fn names(list: &Value) -> String {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("{list}"));
    items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

fn version(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

async fn labelled(admin: &Caller, name: &str, labels: Value) -> Value {
    let mut object = config_map(name);
    object["metadata"]["labels"] = labels;
    admin.create(CONFIG_MAPS, object).await
}

#[tokio::test(start_paused = true)]
async fn a_read_of_the_future_waits_a_moment_and_is_then_refused() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let newest = version(&admin.create(CONFIG_MAPS, config_map("a")).await);
    let path = format!("{CONFIG_MAPS}/a?resourceVersion={}", newest + 1);
    let waiting = tokio::spawn({
        let (admin, path) = (admin.clone(), path.clone());
        async move { admin.get(&path).await }
    });
    tokio::task::yield_now().await;
    admin.create(CONFIG_MAPS, config_map("b")).await;
    assert_eq!(waiting.await.unwrap()["metadata"]["name"], "a");

    let too_large = newest + 100;
    for path in [
        format!("{CONFIG_MAPS}/a?resourceVersion={too_large}"),
        format!("{CONFIG_MAPS}?resourceVersion={too_large}"),
        format!("{CONFIG_MAPS}?resourceVersion={too_large}&resourceVersionMatch=Exact"),
        format!("{CONFIG_MAPS}?resourceVersion={too_large}&labelSelector=a"),
    ] {
        let before = tokio::time::Instant::now();
        let (code, status) = admin.call("GET", &path, None).await;
        assert_eq!((code.as_u16(), &status["reason"]), (504, &json!("Timeout")), "{path}");
        let message = format!("Timeout: Too large resource version: {too_large}, current: {}", newest + 1);
        assert_eq!(status["message"], message);
        let cause = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
        assert_eq!((&status["details"]["causes"], &status["details"]["retryAfterSeconds"]), (&cause, &json!(1)));
        assert_eq!(before.elapsed().as_secs(), 3, "{path}");
    }
}

#[tokio::test]
async fn a_list_at_a_revision_shows_what_was_then() {
    let (cluster, store) = with_store().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let then = version(&labelled(admin, "b", json!({"x": "y"})).await);
    admin.call("DELETE", &format!("{CONFIG_MAPS}/a"), None).await;
    admin.call("PATCH", &format!("{CONFIG_MAPS}/b"), Some(json!({"metadata": {"labels": null}}))).await;
    let list = async |query: &str| admin.get(&format!("{CONFIG_MAPS}?resourceVersion={then}&{query}")).await;
    let exact = list("resourceVersionMatch=Exact").await;
    assert_eq!((names(&exact), version(&exact)), ("a b".to_owned(), then));
    assert_eq!(names(&list("resourceVersionMatch=Exact&labelSelector=x").await), "b");
    assert_eq!(names(&list("limit=1").await), "a", "a page at a revision is of exactly it");
    let newer = list("resourceVersionMatch=NotOlderThan").await;
    assert_eq!((names(&newer), version(&newer) > then), ("b".to_owned(), true));
    assert_eq!(names(&list("").await), "b");
    assert_eq!(names(&admin.get(&format!("{CONFIG_MAPS}?resourceVersion=0&labelSelector=x")).await), "");

    let compacted = version(&admin.create(CONFIG_MAPS, config_map("c")).await);
    store.compact(Revision(compacted)).await.unwrap();
    let path = format!("{CONFIG_MAPS}?resourceVersion={then}&resourceVersionMatch=Exact");
    let refused = admin.refused("GET", &path, None).await;
    let message = "The resourceVersion for the provided list is too old.";
    assert_eq!(refused, (410, "Expired".to_owned(), message.to_owned()));
}

#[tokio::test]
async fn an_expired_page_offers_an_inconsistent_one() {
    let (cluster, store) = with_store().await;
    let admin = &cluster.admin;
    for name in ["a", "b", "c"] {
        admin.create(CONFIG_MAPS, config_map(name)).await;
    }
    let first = admin.get(&format!("{CONFIG_MAPS}?limit=1")).await;
    assert_eq!(first["metadata"]["remainingItemCount"], 2);
    let newest = version(&admin.create(CONFIG_MAPS, config_map("d")).await);
    store.compact(Revision(newest)).await.unwrap();
    let token = first["metadata"]["continue"].as_str().unwrap();
    let (code, status) = admin.call("GET", &format!("{CONFIG_MAPS}?limit=1&continue={token}"), None).await;
    assert_eq!((code.as_u16(), &status["reason"]), (410, &json!("Expired")));
    let message = status["message"].as_str().unwrap();
    assert!(message.ends_with("created, modified, or deleted between the time the first chunk was returned and now may show up in the list."), "{message}");
    let token = status["metadata"]["continue"].as_str().unwrap();
    let rest = admin.get(&format!("{CONFIG_MAPS}?continue={token}")).await;
    assert_eq!((names(&rest), version(&rest)), ("b c d".to_owned(), newest));
}

#[tokio::test]
async fn selectors_find_among_many_what_a_look_at_each_would_find() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    // More than are read object by object.
    for at in 0..700 {
        labelled(admin, &format!("m{at:03}"), json!({"n": (at % 100).to_string(), "parity": (at % 2).to_string()}))
            .await;
    }
    let select = async |query: &str| admin.get(&format!("{CONFIG_MAPS}?{query}")).await;
    let found = select("labelSelector=n%3D7").await;
    assert_eq!(names(&found), "m007 m107 m207 m307 m407 m507 m607");
    assert!(found["metadata"].get("remainingItemCount").is_none());
    assert_eq!(names(&select("labelSelector=n+in+(7,8),parity!%3D0").await), "m007 m107 m207 m307 m407 m507 m607");
    assert_eq!(names(&select("labelSelector=n%3E98,parity").await), "m099 m199 m299 m399 m499 m599 m699");
    assert_eq!(names(&select("labelSelector=!n").await), "");
    // What was acknowledged counts at once.
    let path = format!("{CONFIG_MAPS}/m007");
    admin.call("PATCH", &path, Some(json!({"metadata": {"labels": {"n": "8"}}}))).await;
    admin.call("DELETE", &format!("{CONFIG_MAPS}/m107"), None).await;
    let newest = version(&labelled(admin, "new", json!({"n": "7"})).await);
    let found = select("labelSelector=n%3D7").await;
    assert_eq!(names(&found), "m207 m307 m407 m507 m607 new");
    assert_eq!(version(&found), newest);
    // Pages of a selection are of one revision.
    let first = select("labelSelector=n%3D7&limit=4").await;
    assert_eq!(names(&first), "m207 m307 m407 m507");
    assert!(first["metadata"].get("remainingItemCount").is_none(), "nobody counts what a selector would find");
    admin.call("DELETE", &format!("{CONFIG_MAPS}/new"), None).await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = select(&format!("labelSelector=n%3D7&limit=4&continue={token}")).await;
    assert_eq!((names(&second), version(&second)), ("m607 new".to_owned(), newest));
    assert!(second["metadata"].get("continue").is_none());
    // In another namespace there is nothing of it.
    let elsewhere = admin.get("/api/v1/namespaces/kube-public/configmaps?labelSelector=n%3D7").await;
    assert_eq!(names(&elsewhere), "");
}

#[tokio::test]
async fn a_name_selects_one_object() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let newest = version(&admin.create(CONFIG_MAPS, config_map("ab")).await);
    let found = admin.get(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Da")).await;
    assert_eq!((names(&found), version(&found)), ("a".to_owned(), newest));
    let found = admin.get("/api/v1/configmaps?fieldSelector=metadata.name%3Da,metadata.namespace%3Ddefault").await;
    assert_eq!(names(&found), "a");
    let found = admin.get("/api/v1/configmaps?fieldSelector=metadata.name%3Da,metadata.namespace%3Dkube-system").await;
    assert_eq!(names(&found), "");
    let found = admin.get("/api/v1/namespaces?fieldSelector=metadata.name%3Ddefault").await;
    assert_eq!(names(&found), "default");
}

#[tokio::test]
async fn long_answers_are_compressed_for_those_who_read_it() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for name in ["a", "b", "c"] {
        let mut object = config_map(name);
        object["data"]["long"] = json!(name.repeat(60_000));
        admin.create(CONFIG_MAPS, object).await;
    }
    let get = async |path: &str| {
        let request = Request::get(path).header("accept-encoding", "gzip").body(Full::default()).unwrap();
        admin.send(request).await
    };
    let response = get(CONFIG_MAPS).await;
    assert_eq!(
        (&response.headers()["content-encoding"], &response.headers()["vary"]),
        (&"gzip".parse().unwrap(), &"Accept-Encoding".parse().unwrap(),)
    );
    let compressed = response.into_body().collect().await.unwrap().to_bytes();
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(&*compressed).read_to_end(&mut plain).unwrap();
    assert!(compressed.len() < plain.len() / 10);
    assert_eq!(serde_json::from_slice::<Value>(&plain).unwrap(), admin.get(CONFIG_MAPS).await);
    for short in [format!("{CONFIG_MAPS}?limit=1"), format!("{CONFIG_MAPS}?watch=1")] {
        assert!(get(&short).await.headers().get("content-encoding").is_none(), "{short}");
    }
}

#[tokio::test]
async fn history_knows_who_wrote() {
    let (cluster, store) = with_store().await;
    let request = |method: &str, path: String, agent: &str, body: Value| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", if method == "PATCH" { "application/merge-patch+json" } else { "application/json" })
            .header("user-agent", agent)
            .body(Full::from(body.to_string()))
            .unwrap()
    };
    let admin = &cluster.admin;
    let created = request("POST", CONFIG_MAPS.to_owned(), "kubectl/v1.37.0 (linux/amd64)", config_map("a"));
    assert_eq!(admin.send(created).await.status(), 201);
    let path = format!("{CONFIG_MAPS}/a?fieldManager=tool");
    let patched = request("PATCH", path, "other/1", json!({"data": {"b": "2"}}));
    assert_eq!(cluster.user("jane", &["system:masters"]).send(patched).await.status(), 200);
    assert_eq!(admin.call("DELETE", &format!("{CONFIG_MAPS}/a"), None).await.0, 200);
    let changes = store.changes("/registry/core/configmaps/default/a").await.unwrap();
    let authors: Vec<(&str, &str)> = changes
        .iter()
        .map(|event| event.author.as_ref().unwrap())
        .map(|author| (&*author.user, &*author.manager))
        .collect();
    assert_eq!(authors[..2], [("admin", "kubectl"), ("jane", "tool")]);
    assert_eq!((authors.len(), authors[2].0), (3, "admin"));
}

#[tokio::test(start_paused = true)]
async fn events_go_an_hour_after_their_last_write() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let events = "/api/v1/namespaces/default/events";
    let involved = json!({"kind": "Pod", "namespace": "default", "name": "p"});
    for name in ["a", "b"] {
        admin.create(events, json!({"metadata": {"name": name}, "involvedObject": involved, "reason": "Why"})).await;
    }
    let mut watch = admin.watch(&format!("{events}?watch=1&timeoutSeconds=7200")).await;
    for expected in ["ADDED a", "ADDED b"] {
        assert_eq!(watch.next().await, expected);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1800)).await;
    let (code, _) = admin.call("PATCH", &format!("{events}/b"), Some(json!({"count": 2}))).await;
    assert_eq!((code.as_u16(), watch.next().await.as_str()), (200, "MODIFIED b"));
    assert_eq!(watch.next().await, "DELETED a");
    assert_eq!(names(&admin.get(events).await), "b");
    assert_eq!(watch.next().await, "DELETED b");
}
