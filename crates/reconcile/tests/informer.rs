//! Informers against a scripted server: what they ask for, and what they make of the answers.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::ConfigMap;
use bytes::Bytes;
use client::Body;
use client::kube::Api;
use http::{Request, Response};
use http_body_util::StreamBody;
use reconcile::{Informer, ListOptions};
use serde_json::{Value, json};
use stdx::Ambient;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One answer of the script: a status and lines, and whether the answer stays open after them.
struct Answer {
    status: u16,
    lines: Vec<Value>,
    stays_open: bool,
}

fn ends(lines: Vec<Value>) -> Answer {
    Answer { status: 200, lines, stays_open: false }
}

fn stays(lines: Vec<Value>) -> Answer {
    Answer { status: 200, lines, stays_open: true }
}

fn fails(status: u16, reason: &str) -> Answer {
    let body = json!({"kind": "Status", "status": "Failure", "code": status, "reason": reason, "message": reason});
    Answer { status, lines: vec![body], stays_open: false }
}

fn config_map(name: &str, version: u64) -> Value {
    json!({"metadata": {"namespace": "default", "name": name, "uid": name, "resourceVersion": version.to_string()}})
}

fn list(version: u64, items: Vec<Value>) -> Answer {
    ends(vec![json!({"metadata": {"resourceVersion": version.to_string()}, "items": items})])
}

fn event(r#type: &str, object: Value) -> Value {
    json!({"type": r#type, "object": object})
}

fn bookmark(version: u64) -> Value {
    let metadata = json!({"resourceVersion": version.to_string()});
    event("BOOKMARK", json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}))
}

/// Runs an informer through the script. Gives what its handler was told and what the server was asked.
async fn run(script: Vec<Answer>) -> (Informer<ConfigMap>, Vec<String>, Vec<String>) {
    let answers = script.len();
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let (asked, mut questions) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |request: Request<Body>| {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let answer = script.lock().unwrap().pop_front();
        asked.send(query).unwrap();
        async move {
            let answer = answer.unwrap_or_else(|| stays(Vec::new()));
            let (sender, receiver) = futures::channel::mpsc::unbounded();
            for line in &answer.lines {
                let frame = http_body::Frame::data(Bytes::from(format!("{line}\n")));
                sender.unbounded_send(Ok::<_, Infallible>(frame)).unwrap();
            }
            if answer.stays_open {
                // A watch that says nothing more.
                tokio::spawn(async move {
                    std::future::pending::<()>().await;
                    drop(sender);
                });
            }
            Response::builder().status(answer.status).body(StreamBody::new(receiver))
        }
    });
    let client = client::in_process(service);
    let ambient = Ambient::simulated(1);
    let api: Api<ConfigMap> = Api::all(client);
    let informer = Informer::start(api, ListOptions::labels("app=web"), &ambient, CancellationToken::new());
    let (tell, mut told) = mpsc::unbounded_channel();
    informer.on_change(move |old, new| {
        let version = |object: Option<&Arc<ConfigMap>>| {
            object.map_or_else(|| "-".to_owned(), |object| object.metadata.resource_version.clone().unwrap())
        };
        let name = new.or(old).unwrap().metadata.name.clone().unwrap();
        tell.send(format!("{name} {}>{}", version(old), version(new))).unwrap();
    });
    informer.synced().await;
    let mut queries = Vec::new();
    for _ in 0..=answers {
        queries.push(tokio::time::timeout(Duration::from_secs(600), questions.recv()).await.unwrap().unwrap());
    }
    let mut changes = Vec::new();
    while let Ok(change) = told.try_recv() {
        changes.push(change);
    }
    (informer, changes, queries)
}

fn position(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix("resourceVersion="))
}

#[tokio::test(start_paused = true)]
async fn a_watch_resumes_where_it_ended() {
    let (informer, changes, queries) = run(vec![
        list(10, vec![config_map("a", 3), config_map("b", 7)]),
        ends(vec![
            event("ADDED", config_map("c", 11)),
            event("MODIFIED", config_map("a", 12)),
            event("DELETED", config_map("b", 13)),
        ]),
        ends(vec![bookmark(40)]),
    ])
    .await;
    assert_eq!(changes, ["a ->3", "b ->7", "c ->11", "a 3>12", "b 13>-"]);
    let positions: Vec<_> = queries.iter().map(|query| position(query)).collect();
    assert_eq!(positions, [None, Some("10"), Some("13"), Some("40")]);
    assert!(queries.iter().all(|query| query.contains("labelSelector=app%3Dweb")));
    assert!(queries[1].contains("allowWatchBookmarks=true"));
    let names: Vec<_> = informer.list().iter().map(|object| object.metadata.name.clone().unwrap()).collect();
    assert_eq!(names, ["a", "c"]);
    assert!(informer.get(&NamespacedName::new("default", "b")).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_position_leads_to_a_new_list() {
    let gone = json!({"kind": "Status", "status": "Failure", "code": 410, "reason": "Expired", "message": "too old"});
    let (_, changes, queries) = run(vec![
        list(10, vec![config_map("a", 3), config_map("b", 7)]),
        ends(vec![event("ERROR", gone)]),
        list(50, vec![config_map("b", 7), config_map("c", 45)]),
        fails(410, "Expired"),
        list(60, vec![config_map("b", 7)]),
    ])
    .await;
    assert_eq!(changes, ["a ->3", "b ->7", "a 3>-", "c ->45", "c 45>-"]);
    let positions: Vec<_> = queries.iter().map(|query| position(query)).collect();
    assert_eq!(positions, [None, Some("10"), None, Some("50"), None, Some("60")]);
}

#[tokio::test(start_paused = true)]
async fn failures_are_retried_ever_more_slowly() {
    let start = tokio::time::Instant::now();
    let mut script: Vec<Answer> = (0..12).map(|_| fails(503, "ServiceUnavailable")).collect();
    script.push(list(5, vec![config_map("a", 3)]));
    let (informer, changes, _) = run(script).await;
    assert_eq!(changes, ["a ->3"]);
    assert!(informer.is_synced());
    // 50 ms doubled ten times, then the cap of half a minute, each stretched by up to its own length.
    let waited = start.elapsed().as_secs();
    assert!((111..=223).contains(&waited), "{waited} s");
}

#[tokio::test(start_paused = true)]
async fn a_long_list_comes_in_pages() {
    let page = |token: &str, name: &str| {
        let metadata = json!({"resourceVersion": "9", "continue": token});
        ends(vec![json!({"metadata": metadata, "items": [config_map(name, 1)]})])
    };
    let (_, changes, queries) = run(vec![page("next", "a"), page("", "b")]).await;
    assert_eq!(changes, ["a ->1", "b ->1"]);
    assert!(queries[1].contains("continue=next"));
}
