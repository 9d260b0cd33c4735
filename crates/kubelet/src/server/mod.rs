//! The node API: logs, exec, attach, port-forward, statistics. The API server is its client.
//!
//! **Invariant:** every request is authenticated and authorised before its path is looked at.

mod auth;
mod configz;
mod follow;
mod logs;
mod metrics;
mod node_logs;
mod stats;
mod streaming;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::List;
use api::k8s::api::core::v1::Pod;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use reconcile::Informer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::pod::{Context, spec};
use crate::policy::Policy;
use crate::usage::{self, ContainerUsage, Rates};
use auth::{Authenticator, Identity};

/// Connections at once; the API server needs few.
const MAXIMUM_CONNECTIONS: usize = 1000;
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
const HEADER_DEADLINE: Duration = Duration::from_secs(30);

pub(crate) type Body = BoxBody<Bytes, Infallible>;
pub(crate) type Answer = Response<Body>;

/// A refusal: status and one line of plain text, as upstream's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Refusal { status, message: message.into() }
    }

    fn bad_request(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, message)
    }

    fn not_found(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, message)
    }

    fn internal(message: impl Into<String>) -> Self {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    shared: Arc<Shared>,
}

struct Shared {
    context: Arc<Context>,
    pods: Informer<Pod>,
    authenticator: Authenticator,
    rates: Rates,
    policy: Arc<Policy>,
    port: u16,
}

impl Server {
    pub(crate) fn new(context: Arc<Context>, pods: Informer<Pod>, policy: Arc<Policy>, port: u16) -> Self {
        let authenticator =
            Authenticator::new(context.client.clone(), context.node.node_name.clone(), context.ambient.clone());
        Server { shared: Arc::new(Shared { context, pods, authenticator, rates: Rates::default(), policy, port }) }
    }

    /// Serves until cancelled; streams that are open then are cut.
    pub(crate) async fn run(self, listener: TcpListener, tls: Arc<rustls::ServerConfig>, cancel: CancellationToken) {
        let acceptor = TlsAcceptor::from(tls);
        let slots = Arc::new(Semaphore::new(MAXIMUM_CONNECTIONS));
        loop {
            // Room first: what cannot be served yet waits in the kernel's queue.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the node API was not accepted");
                    self.shared.context.ambient.clock.sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let (server, acceptor, cancel) = (self.clone(), acceptor.clone(), cancel.clone());
            tokio::spawn(async move {
                cancel.run_until_cancelled(server.serve(stream, acceptor)).await;
                drop(slot);
            });
        }
    }

    async fn serve(self, stream: TcpStream, acceptor: TlsAcceptor) {
        let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, acceptor.accept(stream)).await;
        let Ok(Ok(stream)) = handshake else { return };
        let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
        let identity = certificate.and_then(|certificate| auth::identity_of(certificate));
        let service = service_fn(move |request| {
            let (server, identity) = (self.clone(), identity.clone());
            async move { Ok::<_, Infallible>(server.answer(request, identity).await) }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_DEADLINE);
        builder.http2().timer(TokioTimer::new());
        if let Err(error) = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await {
            tracing::debug!(error, "a connection to the node API ended");
        }
    }

    async fn answer(&self, request: Request<Incoming>, certificate: Option<Identity>) -> Answer {
        let path = request.uri().path().to_owned();
        let allowed = self.shared.authenticator.check(&request, certificate, subresource(&path)).await;
        let result = match allowed {
            Ok(()) => self.route(&path, request).await,
            Err(refusal) => Err(refusal),
        };
        result.unwrap_or_else(|refusal| {
            let mut answer = text(refusal.message);
            *answer.status_mut() = refusal.status;
            answer
        })
    }

    async fn route(&self, path: &str, request: Request<Incoming>) -> Result<Answer, Refusal> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let get = request.method() == Method::GET;
        match parts.as_slice() {
            ["healthz"] if get => Ok(text("ok")),
            ["pods"] if get => self.pods(),
            ["runningpods"] if get => self.running_pods().await,
            ["configz"] if get => {
                let Shared { context, policy, port, .. } = &*self.shared;
                json(&serde_json::json!({ "kubeletconfig": configz::of(policy, &context.node, *port) }))
            }
            ["metrics"] if get => metrics::own(&self.shared.context, &self.shared.pods.list()).await,
            ["metrics", "resource"] if get => Ok(metrics::resource(&self.shared.context).await),
            ["metrics", "cadvisor"] if get => metrics::cadvisor(&self.shared.context, &self.shared.pods).await,
            ["metrics", "probes"] if get => Ok(metrics::probes(&self.shared.context)),
            ["stats", "summary"] if get => {
                let query = request.uri().query().unwrap_or("");
                let only = query_values(query, "only_cpu_and_memory").any(|value| value == "true");
                stats::summary(&self.shared.context, &self.shared.pods, &self.shared.rates, only).await
            }
            ["logs", ..] if get => {
                // Beside the pods' logs lies this program's.
                let own_log = self.shared.context.node.pod_log_dir.with_file_name("server.log");
                node_logs::answer(path, request.uri().query().unwrap_or(""), &own_log, self.shared.context.booted_at)
            }
            ["containerLogs", namespace, pod, container] if get => {
                let pod = self.pod(namespace, pod, None)?;
                logs::answer(&self.shared.context, &pod, container, request.uri().query().unwrap_or("")).await
            }
            ["exec", namespace, pod, container] => {
                streaming::exec(&self.shared.context, &*self.pod(namespace, pod, None)?, container, request).await
            }
            ["exec", namespace, pod, uid, container] => {
                streaming::exec(&self.shared.context, &*self.pod(namespace, pod, Some(uid))?, container, request).await
            }
            ["attach", namespace, pod, container] => {
                streaming::attach(&self.shared.context, &*self.pod(namespace, pod, None)?, container, request).await
            }
            ["attach", namespace, pod, uid, container] => {
                streaming::attach(&self.shared.context, &*self.pod(namespace, pod, Some(uid))?, container, request)
                    .await
            }
            ["portForward", namespace, pod] => {
                streaming::port_forward(&self.shared.context, &*self.pod(namespace, pod, None)?, request).await
            }
            ["portForward", namespace, pod, uid] => {
                streaming::port_forward(&self.shared.context, &*self.pod(namespace, pod, Some(uid))?, request).await
            }
            _ => Err(Refusal::not_found("404 page not found")),
        }
    }

    fn pods(&self) -> Result<Answer, Refusal> {
        let items: Vec<Pod> = self.shared.pods.list().iter().map(|pod| Pod::clone(pod)).collect();
        let list = List::<Pod> { items, ..List::default() };
        json(&list)
    }

    /// What the runtime runs, whatever the API says.
    async fn running_pods(&self) -> Result<Answer, Refusal> {
        let running = usage::containers(&*self.shared.context.runtime).await;
        let running = running.map_err(|status| Refusal::internal(status.message))?;
        json(&running_list(&running))
    }

    fn pod(&self, namespace: &str, name: &str, uid: Option<&str>) -> Result<Arc<Pod>, Refusal> {
        let pod = self.shared.pods.get(&api::NamespacedName::new(namespace, name));
        let pod = pod.filter(|pod| uid.is_none_or(|uid| spec::uid(pod) == uid));
        pod.ok_or_else(|| Refusal::not_found(format!("pod {name:?} does not exist")))
    }
}

fn running_list(running: &[ContainerUsage]) -> serde_json::Value {
    let mut pods: BTreeMap<&str, (&ContainerUsage, Vec<serde_json::Value>)> = BTreeMap::new();
    for container in running {
        let shown = serde_json::json!({ "name": container.container, "image": container.image, "resources": {} });
        pods.entry(&container.pod_uid).or_insert((container, Vec::new())).1.push(shown);
    }
    let items: Vec<serde_json::Value> = pods
        .into_values()
        .map(|(of, containers)| {
            serde_json::json!({
                "metadata": { "name": of.pod, "namespace": of.namespace, "uid": of.pod_uid, "creationTimestamp": null },
                "spec": { "containers": containers },
                "status": {},
            })
        })
        .collect();
    serde_json::json!({ "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items })
}

/// What a path is a part of, as access is granted: upstream's table.
fn subresource(path: &str) -> &'static str {
    match path.trim_matches('/').split('/').next() {
        Some("stats") => "stats",
        Some("metrics") => "metrics",
        Some("logs") => "log",
        _ => "proxy",
    }
}

pub(crate) fn text(text: impl Into<Bytes>) -> Answer {
    plain(Full::new(text.into()).boxed())
}

/// A body of plain text.
pub(crate) fn plain(body: Body) -> Answer {
    let mut answer = Response::new(body);
    let kind = header::HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<Answer, Refusal> {
    let encoded = serde_json::to_vec(value).map_err(|error| Refusal::internal(error.to_string()))?;
    let mut answer = Response::new(Full::new(Bytes::from(encoded)).boxed());
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// The values of a query parameter, in order.
pub(crate) fn query_values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(query.as_bytes()).filter(move |(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_granted_as_upstream_grants_them() {
        for (path, expected) in [
            ("/stats/summary", "stats"),
            ("/metrics", "metrics"),
            ("/logs/x", "log"),
            ("/exec/ns/p/c", "proxy"),
            ("/healthz", "proxy"),
            ("/", "proxy"),
        ] {
            assert_eq!(subresource(path), expected, "{path}");
        }
    }

    #[test]
    fn running_containers_are_gathered_by_pod() {
        let container = |uid: &str, name: &str| ContainerUsage {
            pod_uid: uid.to_owned(),
            pod: format!("pod-{uid}"),
            container: name.to_owned(),
            ..ContainerUsage::default()
        };
        let list = running_list(&[container("a", "x"), container("b", "y"), container("a", "z")]);
        let names = |index: usize| list["items"][index]["spec"]["containers"].as_array().unwrap().len();
        assert_eq!((list["items"].as_array().unwrap().len(), names(0), names(1)), (2, 2, 1));
        assert_eq!(list["items"][1]["metadata"]["name"], "pod-b");
    }

    #[test]
    fn query_values_are_decoded_in_order() {
        let values: Vec<String> = query_values("command=sh&tty=1&command=echo%20a+b", "command").collect();
        assert_eq!(values, ["sh", "echo a b"]);
    }
}
