//! An API of data: as much of it as a kubelet asks for about one pod.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::k8s::api::core::v1::Pod;
use bytes::Bytes;
use client::{Body, Client};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct FakeApi {
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    pod: Option<Value>,
    revision: u64,
    /// `reason: message` of every event.
    events: Vec<String>,
    /// How often access was asked about.
    reviews: usize,
    /// How often the pod's status was written.
    status_writes: usize,
}

impl FakeApi {
    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        client::in_process(tower::service_fn(move |request: Request<Body>| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        }))
    }

    pub(crate) fn create(&self, pod: &Pod) -> Pod {
        self.change(|_| serde_json::to_value(pod).unwrap())
    }

    pub(crate) fn edit(&self, change: impl FnOnce(&mut Pod)) -> Pod {
        self.change(|current| {
            let mut pod: Pod = serde_json::from_value(current.unwrap()).unwrap();
            change(&mut pod);
            serde_json::to_value(pod).unwrap()
        })
    }

    pub(crate) fn pod(&self) -> Option<Pod> {
        self.lock().pod.clone().map(|pod| serde_json::from_value(pod).unwrap())
    }

    /// Somebody deletes it with no grace at all.
    pub(crate) fn remove(&self) {
        self.lock().pod = None;
    }

    pub(crate) fn take_events(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().events)
    }

    pub(crate) fn status_writes(&self) -> usize {
        self.lock().status_writes
    }

    pub(crate) fn reviews(&self) -> usize {
        self.lock().reviews
    }

    fn change(&self, change: impl FnOnce(Option<Value>) -> Value) -> Pod {
        let mut state = self.lock();
        state.revision += 1;
        let mut pod = change(state.pod.take());
        pod["metadata"]["resourceVersion"] = json!(state.revision.to_string());
        state.pod = Some(pod.clone());
        serde_json::from_value(pod).unwrap()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn answer(&self, request: Request<Body>) -> Response<BoxBody<Bytes, Infallible>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        if parts.uri.query().is_some_and(|query| query.contains("watch=true")) {
            let quiet = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
            return Response::new(StreamBody::new(quiet).boxed());
        }
        let body = body.collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (status, answer) = self.handle(&parts.method, &path, body);
        let mut response = Response::new(Full::new(Bytes::from(answer.to_string())).boxed());
        *response.status_mut() = status;
        response
    }

    fn handle(&self, method: &Method, path: &str, body: Value) -> (StatusCode, Value) {
        let parts: Vec<&str> = path.trim_start_matches("/api/v1/").split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("POST", ["namespaces", _, "events"]) => {
                let text = |field: &str| body[field].as_str().unwrap_or("").to_owned();
                self.lock().events.push(format!("{}: {}", text("reason"), text("message")));
                (StatusCode::CREATED, body)
            }
            ("POST", [.., "tokenreviews"]) => {
                let good = body["spec"]["token"] == "good";
                let status =
                    json!({"authenticated": good, "user": {"username": "admin", "groups": ["system:masters"]}});
                (StatusCode::CREATED, with_status(body, status))
            }
            ("POST", [.., "subjectaccessreviews"]) => {
                self.lock().reviews += 1;
                let attributes = &body["spec"]["resourceAttributes"];
                assert_eq!((&attributes["resource"], &attributes["name"]), (&json!("nodes"), &json!("node")));
                let allowed = body["spec"]["user"] == "admin" && attributes["subresource"] == "proxy";
                (StatusCode::CREATED, with_status(body, json!({"allowed": allowed})))
            }
            ("PATCH", ["namespaces", _, "pods", _, "status"]) => self.patch(&body),
            ("GET", ["namespaces", _, "pods", _]) => match self.lock().pod.clone() {
                Some(pod) => (StatusCode::OK, pod),
                None => refusal(StatusCode::NOT_FOUND, "NotFound"),
            },
            ("DELETE", ["namespaces", _, "pods", _]) => {
                assert_eq!(body["gracePeriodSeconds"], 0);
                match self.lock().pod.take() {
                    Some(pod) => {
                        assert_eq!(body["preconditions"]["uid"], pod["metadata"]["uid"]);
                        (StatusCode::OK, pod)
                    }
                    None => refusal(StatusCode::NOT_FOUND, "NotFound"),
                }
            }
            ("GET", _) => {
                let list =
                    json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []});
                (StatusCode::OK, list)
            }
            _ => refusal(StatusCode::NOT_FOUND, "NotFound"),
        }
    }

    fn patch(&self, body: &Value) -> (StatusCode, Value) {
        let Some(current) = self.lock().pod.clone() else { return refusal(StatusCode::NOT_FOUND, "NotFound") };
        if body["metadata"]["resourceVersion"] != current["metadata"]["resourceVersion"] {
            return refusal(StatusCode::CONFLICT, "Conflict");
        }
        let patched = self.change(|current| {
            let mut current = current.unwrap();
            merge(&mut current, body);
            current
        });
        self.lock().status_writes += 1;
        (StatusCode::OK, serde_json::to_value(patched).unwrap())
    }
}

fn with_status(mut object: Value, status: Value) -> Value {
    object["status"] = status;
    object
}

fn refusal(code: StatusCode, reason: &str) -> (StatusCode, Value) {
    (
        code,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code.as_u16(), "message": reason}),
    )
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}
