//! The room as a whole, on an API server of the test's own.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use client::kube::client::Body;
use futures::stream::Stream;
use http::{Method, Response};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, StreamBody};
use serde_json::{Value, json};
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use crate::{Config, Metrics, Request, run};

/// What a pod answers.
#[derive(Clone)]
enum Told {
    Text(String),
    /// Bytes without an end.
    Endless,
    /// Never a byte.
    Silence,
}

/// An API server with pods that all ask to be read, and the Service `web`, which selects those of `app=web`.
#[derive(Clone, Default)]
struct Cluster {
    pods: BTreeMap<String, Told>,
    /// The messages of the events that were written.
    events: Arc<Mutex<Vec<String>>>,
    reads: Arc<Mutex<BTreeMap<String, usize>>>,
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

impl Cluster {
    fn of(pods: &[(&str, Told)]) -> Cluster {
        let pods = pods.iter().map(|(name, told)| ((*name).to_owned(), told.clone())).collect();
        Cluster { pods, ..Cluster::default() }
    }

    /// Runs the room on it, in time that passes when nothing else does.
    fn start(&self) -> Metrics {
        let cluster = self.clone();
        let client = client::in_process(tower::service_fn(move |request: http::Request<Body>| {
            let cluster = cluster.clone();
            async move { Ok::<_, Infallible>(cluster.answer(request).await) }
        }));
        let config = Config {
            client,
            resolution: Duration::from_secs(15),
            sinks: Vec::new(),
            history_dir: "/nonexistent".into(),
            ambient: Ambient::simulated(1),
            cancel: CancellationToken::new(),
        };
        let metrics = Metrics::new(&config);
        tokio::spawn(run(config, metrics.clone()));
        metrics
    }

    async fn answer(&self, request: http::Request<Body>) -> Answer {
        let (head, body) = request.into_parts();
        let (path, query) = (head.uri.path().to_owned(), head.uri.query().unwrap_or_default().to_owned());
        if head.method != Method::GET {
            let event: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap();
            let message = event["message"].as_str().unwrap_or_default().to_owned();
            self.events.lock().unwrap().push(message);
            return full(201, event.to_string());
        }
        if query.contains("watch=") {
            return answered(200, futures::stream::pending());
        }
        if let Some((name, _)) =
            path.strip_prefix("/api/v1/namespaces/shop/pods/").and_then(|rest| rest.split_once("/proxy"))
        {
            *self.reads.lock().unwrap().entry(name.to_owned()).or_default() += 1;
            return match &self.pods[name] {
                Told::Text(text) => full(200, text.clone()),
                Told::Endless => {
                    let frame = || Ok(Frame::data(Bytes::from_static(&[b'#'; 65536])));
                    answered(200, futures::stream::repeat_with(frame))
                }
                Told::Silence => answered(200, futures::stream::pending()),
            };
        }
        let service = json!({
            "kind": "Service", "apiVersion": "v1",
            "metadata": {"name": "web", "namespace": "shop"}, "spec": {"selector": {"app": "web"}},
        });
        let list = |kind: &str, items: Vec<Value>| json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items});
        let body = match path.as_str() {
            "/api/v1/pods" => list("PodList", self.pods.keys().map(|name| pod(name)).collect()),
            "/api/v1/nodes" => list("NodeList", Vec::new()),
            "/api/v1/namespaces/shop/services" => list("ServiceList", vec![service]),
            "/api/v1/namespaces/shop/services/web" => service,
            _ => {
                let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound",
                                    "message": "not found", "code": 404});
                return full(404, status.to_string());
            }
        };
        full(200, body.to_string())
    }

    fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    fn reads(&self, pod: &str) -> usize {
        self.reads.lock().unwrap().get(pod).copied().unwrap_or(0)
    }
}

fn full(code: u16, body: String) -> Answer {
    answered(code, futures::stream::iter([Ok(Frame::data(Bytes::from(body)))]))
}

fn answered(code: u16, frames: impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + Sync + 'static) -> Answer {
    let mut answer = Response::new(StreamBody::new(frames).boxed());
    *answer.status_mut() = code.try_into().unwrap();
    answer
}

/// `web-1` has the label `app=web`.
fn pod(name: &str) -> Value {
    let app = name.split('-').next();
    json!({
        "metadata": {
            "name": name, "namespace": "shop", "uid": name, "resourceVersion": "1", "labels": {"app": app},
            "annotations": {"prometheus.io/scrape": "true"},
        },
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    })
}

fn text(text: &str) -> Told {
    Told::Text(text.to_owned())
}

/// Lets time pass until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..10_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not come to be so");
}

fn asked(version: &str, path: &str) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut words = path.split('/').map(str::to_owned);
    let mut next = || words.next().unwrap_or_default();
    let (namespace, resource, name, subresource) = (next(), next(), next(), next());
    Request { version: version.to_owned(), resource, namespace, name, subresource, query: query.to_owned() }
}

async fn custom(metrics: &Metrics, version: &str, path: &str) -> (u16, Value) {
    metrics.answer("custom.metrics.k8s.io", &asked(version, path)).await.expect("such a resource")
}

async fn shop() -> Metrics {
    let visits = "visits{page=\"a\"} 3\nvisits{page=\"b\",ingress=\"main\"} 4\n";
    let cluster =
        Cluster::of(&[("web-1", text(visits)), ("web-2", text("visits 5\n")), ("db-1", text("visits 100\n"))]);
    let metrics = cluster.start();
    until(async || {
        let (_, list) = custom(&metrics, "v1beta2", "shop/pods/*/visits").await;
        list["items"].as_array().is_some_and(|items| items.len() == 3)
    })
    .await;
    metrics
}

#[tokio::test(start_paused = true)]
async fn metrics_are_told_of_all_that_series_are_about() {
    let metrics = shop().await;
    for (path, expected) in [
        ("shop/pods/web-1/visits", vec![("web-1", "7")]),
        ("shop/pods/*/visits", vec![("db-1", "100"), ("web-1", "7"), ("web-2", "5")]),
        ("shop/pods/*/visits?labelSelector=app%3Dweb", vec![("web-1", "7"), ("web-2", "5")]),
        ("shop/pods/*/visits?metricLabelSelector=page%3Da", vec![("web-1", "3")]),
        ("shop/services/web/visits", vec![("web", "12")]),
        ("shop/services/*/visits", vec![("web", "12")]),
        ("shop/metrics/visits", vec![("shop", "112")]),
        ("shop/ingresses.networking.k8s.io/main/visits", vec![("main", "4")]),
    ] {
        let (code, list) = custom(&metrics, "v1beta2", path).await;
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list}"));
        let told: Vec<(&str, &str)> = items
            .iter()
            .map(|item| (item["describedObject"]["name"].as_str().unwrap(), item["value"].as_str().unwrap()))
            .collect();
        assert_eq!((code, told), (200, expected), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn both_versions_and_what_is_missing_look_as_upstreams() {
    let metrics = shop().await;
    let shown = async |version| {
        let mut item = custom(&metrics, version, "shop/pods/web-2/visits").await.1["items"][0].clone();
        assert!(item["timestamp"].take().as_str().is_some());
        item
    };
    let object = json!({"kind": "Pod", "namespace": "shop", "name": "web-2", "apiVersion": "/v1"});
    let (first, second) = (shown("v1beta1").await, shown("v1beta2").await);
    let expected =
        json!({"describedObject": object, "metricName": "visits", "timestamp": null, "value": "5", "selector": null});
    assert_eq!(first, expected);
    let metric = json!({"name": "visits", "selector": null});
    assert_eq!(second, json!({"describedObject": object, "metric": metric, "timestamp": null, "value": "5"}));

    for (path, message) in [
        ("shop/pods/*/none", "the server could not find the metric none for pods"),
        ("shop/pods/web-9/visits", "the server could not find the metric visits for pods web-9"),
        ("shop/deployments.apps/web/visits", "the server could not find the metric visits for deployments.apps web"),
    ] {
        let (code, status) = custom(&metrics, "v1beta1", path).await;
        assert_eq!((code, &status["reason"], &status["message"]), (404, &"NotFound".into(), &message.into()));
    }
    let none = custom(&metrics, "v1beta1", "shop/pods/*/visits?labelSelector=app%3Dnone").await;
    assert_eq!((none.0, &none.1["items"]), (200, &json!([])));
    assert_eq!(custom(&metrics, "v1beta1", "shop/pods/*/visits?labelSelector=%3D%3D").await.0, 400);
    for path in ["shop/things/a/visits", "shop/pods/web-1", "/pods/web-1/visits", "shop/nodes/one/visits"] {
        assert_eq!(metrics.answer("custom.metrics.k8s.io", &asked("v1beta1", path)).await, None, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn external_series_are_chosen_by_their_labels_within_a_namespace() {
    let metrics = shop().await;
    let external = async |path| metrics.answer("external.metrics.k8s.io", &asked("v1beta1", path)).await.unwrap();
    let (code, list) = external("shop/visits?labelSelector=page+in+(a,b)").await;
    assert_eq!((code, &list["kind"]), (200, &"ExternalMetricValueList".into()));
    let items = list["items"].as_array().unwrap();
    let values: Vec<&str> = items.iter().map(|item| item["value"].as_str().unwrap()).collect();
    assert_eq!(values, ["4", "3"]);
    let labels = json!({"ingress": "main", "namespace": "shop", "page": "b", "pod": "web-1"});
    assert_eq!((&items[0]["metricName"], &items[0]["metricLabels"]), (&"visits".into(), &labels));
    assert_eq!(external("shop/visits?labelSelector=page%3Dz").await.1["items"], json!([]));
    assert_eq!(external("bank/visits").await.0, 404, "what another namespace tells");
}

#[tokio::test(start_paused = true)]
async fn discovery_tells_what_there_is() {
    let metrics = shop().await;
    let custom = metrics.resources("custom.metrics.k8s.io");
    let names: Vec<(&str, bool)> = custom.iter().map(|one| (&*one.name, one.is_namespaced)).collect();
    let expected = [
        ("ingresses.networking.k8s.io/visits", true),
        ("namespaces/visits", false),
        ("pods/visits", true),
        ("services/visits", true),
    ];
    assert_eq!(names, expected);
    let external = metrics.resources("external.metrics.k8s.io");
    assert_eq!((external.len(), &*external[0].name), (1, "visits"));
    assert!(Cluster::default().start().resources("custom.metrics.k8s.io").is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_is_hostile_is_named_and_costs_the_others_nothing() {
    let million: String = (0..100_000).map(|index| format!("m{{i=\"{index}\"}} 1\n")).collect();
    let cluster = Cluster::of(&[
        ("broken-1", text("visits 1\nvisits{ 1\n")),
        ("endless-1", Told::Endless),
        ("many-1", text(&million)),
        ("silent-1", Told::Silence),
        ("web-1", text("visits 3\n")),
    ]);
    let metrics = cluster.start();
    until(async || cluster.events().len() == 4).await;
    let mut events = cluster.events();
    events.sort();
    assert_eq!(
        events,
        [
            "metrics cannot be read: it tells more than 5000 series",
            "metrics cannot be read: line 2 is not of Prometheus' text format",
            "metrics cannot be read: no answer within 10 seconds",
            "metrics cannot be read: the answer is longer than 4194304 bytes",
        ]
    );
    let (_, list) = custom(&metrics, "v1beta2", "shop/pods/*/visits").await;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    // Much later nothing more was said, and who fails was asked far less often.
    until(async || cluster.reads("web-1") > 40).await;
    assert_eq!(cluster.events().len(), 4);
    assert!(cluster.reads("broken-1") < 15, "{}", cluster.reads("broken-1"));
}
