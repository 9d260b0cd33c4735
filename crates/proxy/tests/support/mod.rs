//! An API server with the few verbs that informers and publishers use, and no rules at all.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use client::{Body, Client};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Holds objects by resource (`services`), and tells every change.
#[derive(Clone)]
pub(crate) struct FakeApi {
    state: Arc<Mutex<State>>,
    version: Arc<watch::Sender<usize>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, BTreeMap<(String, String), Value>>,
    /// Resource and event; an event's version is its place, counted from one.
    events: Vec<(String, Value)>,
}

type ResponseBody = StreamBody<BoxStream<'static, Result<http_body::Frame<Bytes>, Infallible>>>;

impl FakeApi {
    pub(crate) fn new() -> Self {
        FakeApi { state: Arc::default(), version: Arc::new(watch::Sender::new(0)) }
    }

    pub(crate) fn client(&self) -> Client {
        let api = self.clone();
        client::in_process(tower::service_fn(move |request| {
            let api = api.clone();
            async move { Ok::<_, Infallible>(api.answer(request).await) }
        }))
    }

    /// Makes or replaces an object.
    pub(crate) fn put(&self, resource: &str, object: Value) {
        let mut state = self.lock();
        let kind = if state.objects(resource).contains_key(&key(&object)) { "MODIFIED" } else { "ADDED" };
        let object = state.record(resource, kind, object);
        state.objects(resource).insert(key(&object), object);
        self.version.send_replace(state.events.len());
    }

    pub(crate) fn delete(&self, resource: &str, namespace: &str, name: &str) {
        let mut state = self.lock();
        let object = state.objects(resource).remove(&(namespace.to_owned(), name.to_owned())).unwrap();
        state.record(resource, "DELETED", object);
        self.version.send_replace(state.events.len());
    }

    pub(crate) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.lock().objects(resource).get(&(namespace.to_owned(), name.to_owned())).cloned()
    }

    async fn answer(&self, request: Request<Body>) -> Response<ResponseBody> {
        let path: Vec<String> = request.uri().path().split('/').map(str::to_owned).collect();
        let query = request.uri().query().unwrap_or_default().to_owned();
        let resources = ["services", "endpointslices", "namespaces"];
        let resource = path.iter().rev().find(|part| resources.contains(&part.as_str())).unwrap().clone();
        match *request.method() {
            Method::GET if query.contains("watch=true") => {
                let since = query.split('&').find_map(|part| part.strip_prefix("resourceVersion=")).unwrap();
                let events = self.events(resource, since.parse().unwrap());
                respond(StatusCode::OK, events.boxed())
            }
            Method::GET => {
                let mut state = self.lock();
                let items: Vec<Value> = state.objects(&resource).values().cloned().collect();
                let version = state.events.len().to_string();
                whole(StatusCode::OK, &json!({"metadata": {"resourceVersion": version}, "items": items}))
            }
            _ => {
                let create = request.method() == Method::POST;
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let object: Value = serde_json::from_slice(&body).unwrap();
                let (namespace, name) = key(&object);
                if create && self.get(&resource, &namespace, &name).is_some() {
                    let status = json!({"kind": "Status", "status": "Failure", "message": "exists",
                        "reason": "AlreadyExists", "code": 409});
                    return whole(StatusCode::CONFLICT, &status);
                }
                self.put(&resource, object);
                whole(StatusCode::OK, &self.get(&resource, &namespace, &name).unwrap())
            }
        }
    }

    /// Everything that happens after `since`, for ever.
    fn events(&self, resource: String, since: usize) -> impl futures::Stream<Item = String> + Send + 'static {
        let api = self.clone();
        let version = self.version.subscribe();
        stream::unfold((since, version), move |(mut next, mut version)| {
            let (api, resource) = (api.clone(), resource.clone());
            async move {
                loop {
                    let event = api.lock().events.get(next).cloned();
                    match event {
                        Some((of, event)) => {
                            next += 1;
                            if of == resource {
                                return Some((format!("{event}\n"), (next, version)));
                            }
                        }
                        None => version.changed().await.ok()?,
                    }
                }
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl State {
    fn objects(&mut self, resource: &str) -> &mut BTreeMap<(String, String), Value> {
        self.objects.entry(resource.to_owned()).or_default()
    }

    fn record(&mut self, resource: &str, kind: &str, mut object: Value) -> Value {
        object["metadata"]["resourceVersion"] = json!((self.events.len() + 1).to_string());
        self.events.push((resource.to_owned(), json!({"type": kind, "object": object})));
        object
    }
}

fn key(object: &Value) -> (String, String) {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (part("namespace"), part("name"))
}

fn whole(status: StatusCode, body: &Value) -> Response<ResponseBody> {
    respond(status, stream::iter([body.to_string()]).boxed())
}

fn respond(status: StatusCode, lines: BoxStream<'static, String>) -> Response<ResponseBody> {
    let frames = lines.map(|line| Ok(http_body::Frame::data(Bytes::from(line)))).boxed();
    let mut response = Response::new(StreamBody::new(frames));
    *response.status_mut() = status;
    response
}
