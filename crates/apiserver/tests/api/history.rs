//! A watch tells exactly what lies between two lists.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stdx::Random;

use crate::common::{Caller, Cluster, Events};

const ALL: &str = "/api/v1/configmaps";
const NAMESPACES: [&str; 2] = ["default", "kube-public"];
const SELECTORS: [&str; 4] =
    ["", "labelSelector=tier%3Da", "labelSelector=tier%21%3Da", "fieldSelector=metadata.name%3Dm2"];
const CHANGES: u64 = 90;
const CHECKPOINT_EVERY: u64 = 9;

type State = BTreeMap<(String, String), Value>;

/// What a list showed, and a watch that began there.
struct Checkpoint {
    revision: u64,
    state: State,
    live: Events,
}

fn revision(object: &Value) -> u64 {
    object["metadata"]["resourceVersion"].as_str().unwrap().parse().unwrap()
}

fn place(object: &Value) -> (String, String) {
    let text = |field: &str| object["metadata"][field].as_str().unwrap().to_owned();
    (text("namespace"), text("name"))
}

/// A list's items do not say what they are; a watch's objects do.
fn bare(mut object: Value) -> Value {
    let fields = object.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("apiVersion");
    object
}

async fn list(caller: &Caller, query: &str) -> (u64, State) {
    let list = caller.get(&format!("{ALL}?{query}")).await;
    let items = list["items"].as_array().unwrap().iter();
    (revision(&list), items.map(|item| (place(item), bare(item.clone()))).collect())
}

/// One write of any kind, which may also be refused: the object is there already, or not at all.
async fn change(caller: &Caller, random: &Random, at: u64) {
    let namespace = NAMESPACES[random.below(2) as usize];
    let (maps, name) = (format!("/api/v1/namespaces/{namespace}/configmaps"), format!("m{}", random.below(5)));
    let path = format!("{maps}/{name}");
    let tier = ["a", "b"][random.below(2) as usize];
    let whole = || json!({"metadata": {"name": name, "labels": {"tier": tier}}, "data": {"at": at.to_string()}});
    let (method, path, body) = match random.below(6) {
        0 | 1 => ("POST", &maps, Some(whole())),
        2 => ("PUT", &path, Some(whole())),
        3 => ("PATCH", &path, Some(json!({"metadata": {"labels": {"tier": tier}}}))),
        4 => ("PATCH", &path, Some(json!({"data": {"at": null, "other": tier}}))),
        _ => ("DELETE", &path, None),
    };
    let (code, answer) = caller.call(method, path, body).await;
    assert!(matches!(code.as_u16(), 200 | 201 | 404 | 409), "{method} {path}: {code} {answer}");
}

/// Folds one event into the state; it must fit there.
fn fold(state: &mut State, event: &Value) {
    let object = bare(event["object"].clone());
    let place = place(&object);
    match event["type"].as_str().unwrap() {
        "ADDED" => assert!(state.insert(place, object).is_none(), "added twice: {event}"),
        "MODIFIED" => assert!(state.insert(place, object).is_some(), "modified before it was added: {event}"),
        "DELETED" => assert!(state.remove(&place).is_some(), "deleted before it was added: {event}"),
        other => panic!("{other}: {event}"),
    }
}

/// Reads the watch up to the last write, and compares what it tells with every list on the way.
async fn check(mut watch: Events, from: usize, checkpoints: &[(u64, State)], last: &(String, String)) {
    let (mut state, mut passed) = (checkpoints[from].1.clone(), from);
    loop {
        let event = watch.next_value().await.expect("the watch goes on");
        let at = revision(&event["object"]);
        while let Some((revision, expected)) = checkpoints.get(passed).filter(|(revision, _)| *revision < at) {
            assert_eq!(state, *expected, "at {revision}, from {}", checkpoints[from].0);
            passed += 1;
        }
        fold(&mut state, &event);
        if place(&event["object"]) == *last {
            assert_eq!(passed, checkpoints.len());
            return;
        }
    }
}

async fn run(seed: u64) {
    let cluster = Cluster::start().await;
    let (admin, random) = (&cluster.admin, Random::seeded(seed));
    let mut checkpoints: Vec<Vec<Checkpoint>> = SELECTORS.map(|_| Vec::new()).into();
    for at in 0..CHANGES {
        if at % CHECKPOINT_EVERY == 0 {
            for (selector, checkpoints) in SELECTORS.into_iter().zip(&mut checkpoints) {
                let (revision, state) = list(admin, selector).await;
                let live = admin.watch(&format!("{ALL}?watch=1&resourceVersion={revision}&{selector}")).await;
                checkpoints.push(Checkpoint { revision, state, live });
            }
        }
        change(admin, &random, at).await;
    }
    // The last write is one that every selector but one shows; that one gets its own.
    let last = ["kube-system", "kube-node-lease"];
    for (namespace, tier) in last.into_iter().zip(["b", "a"]) {
        let object = json!({"metadata": {"name": "m2", "labels": {"tier": tier}}});
        admin.create(&format!("/api/v1/namespaces/{namespace}/configmaps"), object).await;
    }
    for (selector, checkpoints) in SELECTORS.into_iter().zip(checkpoints) {
        let last = match selector {
            "labelSelector=tier%21%3Da" => ("kube-system".to_owned(), "m2".to_owned()),
            _ => ("kube-node-lease".to_owned(), "m2".to_owned()),
        };
        let (lives, lists): (Vec<Events>, Vec<(u64, State)>) = checkpoints
            .into_iter()
            .map(|checkpoint| (checkpoint.live, (checkpoint.revision, checkpoint.state)))
            .unzip();
        for (from, live) in lives.into_iter().enumerate() {
            let (revision, state) = &lists[from];
            let exactly = format!("resourceVersion={revision}&resourceVersionMatch=Exact&{selector}");
            assert_eq!(list(admin, &exactly).await, (*revision, state.clone()), "the past does not change");
            let replayed = admin.watch(&format!("{ALL}?watch=1&resourceVersion={revision}&{selector}")).await;
            check(live, from, &lists, &last).await;
            check(replayed, from, &lists, &last).await;
        }
    }
}

#[tokio::test]
async fn a_watch_equals_a_list_plus_events() {
    for seed in 1..=4 {
        run(seed).await;
    }
}
