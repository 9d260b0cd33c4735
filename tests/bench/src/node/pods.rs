//! Pods of one namespace, made through the API and seen by a watch.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::api::client::{Connection, Target, request, request_with};
use crate::api::wire::Lines;
use crate::machine::now;

const PODS: &str = "/api/v1/namespaces/default/pods";
/// More than the pods of a measurement have events.
const EVENTS_UNREAD: usize = 64 << 10;
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);

pub(super) struct Pods {
    connection: Connection,
    told: mpsc::Receiver<Told>,
    watcher: JoinHandle<()>,
    states: HashMap<String, State>,
    /// When the newest of them was seen.
    last: Instant,
}

/// What the watch tells of a pod.
#[derive(Debug)]
struct Told {
    at: Instant,
    name: String,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Running,
    /// And its probes say that it is ready.
    Ready,
    /// It will not run any more.
    Ended,
    Gone,
}

/// A pod that sleeps.
pub(super) fn sleeping(name: &str) -> Value {
    let container = json!({
        "name": "main", "image": "busybox", "imagePullPolicy": "Never", "command": ["sleep", "1000000"],
    });
    pod(name, &container)
}

/// A pod that answers over HTTP and is asked every ten seconds.
pub(super) fn probed(name: &str) -> Value {
    let probe = json!({"httpGet": {"path": "/", "port": 3000}, "periodSeconds": 10});
    let container = json!({"name": "main", "image": "echo:1", "imagePullPolicy": "Never", "readinessProbe": probe});
    pod(name, &container)
}

fn pod(name: &str, container: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"terminationGracePeriodSeconds": 1, "containers": [container]},
    })
}

impl Pods {
    pub(super) async fn watch(target: &Target) -> anyhow::Result<Pods> {
        let mut watching = target.connect().await?;
        let mut followed = watching.open(&request("GET", &format!("{PODS}?watch=1"))).await?;
        let (tell, told) = mpsc::channel(EVENTS_UNREAD);
        let watcher = tokio::spawn(async move {
            let mut lines = Lines::default();
            let followed = watching.follow(&mut followed, |part| {
                let mut goes_on = true;
                lines.feed(part, |line| goes_on &= parse(line).is_some_and(|told| tell.try_send(told).is_ok()));
                goes_on
            });
            if let Err(error) = followed.await {
                eprintln!("the watch of the pods ended: {error:#}");
            }
        });
        let connection = target.connect().await?;
        Ok(Pods { connection, told, watcher, states: HashMap::new(), last: now() })
    }

    /// Creates a pod; answers when the request was sent.
    pub(super) async fn create(&mut self, pod: &Value) -> anyhow::Result<Instant> {
        let sent = now();
        self.connection.must(&request_with("POST", PODS, &pod.to_string())).await?;
        Ok(sent)
    }

    pub(super) async fn delete(&mut self, name: &str) -> anyhow::Result<()> {
        self.connection.must(&request("DELETE", &format!("{PODS}/{name}"))).await?;
        Ok(())
    }

    /// Deletes every pod; answers when the request was sent.
    pub(super) async fn delete_all(&mut self) -> anyhow::Result<Instant> {
        let sent = now();
        self.connection.must(&request("DELETE", PODS)).await?;
        Ok(sent)
    }

    /// Waits until so many pods are in a state; answers when the last one was seen there.
    pub(super) async fn until(&mut self, count: usize, state: State) -> anyhow::Result<Instant> {
        self.until_states(|states| states.values().filter(|other| other.implies(state)).count() >= count).await
    }

    /// Waits until there are no pods any more.
    pub(super) async fn until_gone(&mut self) -> anyhow::Result<()> {
        self.until_states(HashMap::is_empty).await.map(drop)
    }

    async fn until_states(&mut self, are_wanted: impl Fn(&HashMap<String, State>) -> bool) -> anyhow::Result<Instant> {
        let deadline = tokio::time::Instant::from_std(now() + PATIENCE);
        while !are_wanted(&self.states) {
            let told = tokio::time::timeout_at(deadline, self.told.recv()).await;
            let told =
                told.context("pods are not as they should be after 90 s")?.context("the watch of the pods ended")?;
            ensure!(told.state != State::Ended, "{} ended", told.name);
            self.last = told.at;
            match told.state {
                State::Gone => self.states.remove(&told.name),
                state => self.states.insert(told.name, state),
            };
        }
        Ok(self.last)
    }
}

impl Drop for Pods {
    fn drop(&mut self) {
        self.watcher.abort();
    }
}

impl State {
    fn implies(self, other: State) -> bool {
        self == other || (self, other) == (State::Ready, State::Running)
    }
}

/// `None` when that is not an event of a pod.
fn parse(line: &[u8]) -> Option<Told> {
    let at = now();
    let event: Value = serde_json::from_slice(line).ok()?;
    let pod = &event["object"];
    let is_ready = || {
        let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    };
    let state = match (event["type"].as_str()?, pod["status"]["phase"].as_str()) {
        ("DELETED", _) => State::Gone,
        (_, Some("Running")) if is_ready() => State::Ready,
        (_, Some("Running")) => State::Running,
        (_, Some("Failed" | "Succeeded")) if pod["metadata"]["deletionTimestamp"].is_null() => State::Ended,
        _ => State::Waiting,
    };
    Some(Told { at, name: pod["metadata"]["name"].as_str()?.to_owned(), state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_tell_states() {
        let check = |type_: &str, more: Value, expected: State| {
            let mut pod = sleeping("a");
            pod["status"] = more;
            let line = json!({"type": type_, "object": pod}).to_string();
            let told = parse(line.as_bytes()).unwrap();
            assert_eq!((told.name.as_str(), told.state), ("a", expected), "{line}");
        };
        let ready = |status| json!({"phase": "Running", "conditions": [{"type": "Ready", "status": status}]});
        check("ADDED", json!({"phase": "Pending"}), State::Waiting);
        check("MODIFIED", ready("False"), State::Running);
        check("MODIFIED", ready("True"), State::Ready);
        check("MODIFIED", json!({"phase": "Failed"}), State::Ended);
        check("DELETED", ready("True"), State::Gone);
        assert!(parse(b"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\"}}").is_none());
    }
}
