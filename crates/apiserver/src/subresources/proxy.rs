//! `pods/proxy`, `services/proxy` and `nodes/proxy`: requests handed on to what runs in the cluster.
//!
//! The name says where: `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`.

use std::net::IpAddr;
use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, Uri};
use registry::Object;
use registry::fields::{items, number, text};
use remotecommand::tunnel;

use super::forward::{self, Forward, Location};
use super::kubelet;
use crate::authorize;
use crate::call::Call;
use crate::groups;
use crate::kinds;
use crate::status::{ApiError, Subject};
use crate::wire::body::Body;
use crate::wire::query::Query;

pub(super) fn pods(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let location = pod_location(&call).await?;
        forward(&call, request, &location).await
    })
}

pub(super) fn services(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        if let Some(answer) = heapster(&call, request.uri()).await? {
            return Ok(answer);
        }
        let location = service_location(&call).await?;
        forward(&call, request, &location).await
    })
}

/// What Heapster would answer, in a cluster that has none: clients ask for its model behind its Service.
async fn heapster(call: &Call, uri: &Uri) -> Result<Option<Response<Body>>, ApiError> {
    let name = Place::of(call)?.name;
    if name != "heapster" || call.namespace() != "kube-system" {
        return Ok(None);
    }
    if call.server.storage.object(call.stored_kind(), call.namespace(), name).await?.is_some() {
        return Ok(None);
    }
    let path = after(uri.path(), NAMESPACED_SEGMENTS);
    let query = Query::parse(uri.query().unwrap_or_default());
    Ok(groups::answer_path(&call.server.groups, path, &query).await)
}

pub(super) fn nodes(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let location = node_location(&call).await?;
        if tunnel::wants_upgrade(request.headers()) {
            may_enter(&call).await?;
        }
        forward(&call, request, &location).await
    })
}

async fn forward(call: &Call, request: Request<Body>, location: &Location) -> Result<Response<Body>, ApiError> {
    let segments = if call.kind.is_namespaced() { NAMESPACED_SEGMENTS } else { CLUSTER_SEGMENTS };
    let path = after(request.uri().path(), segments).to_owned();
    Forward { call, request, path }.to(location).await
}

/// `/api/v1/namespaces/NAMESPACE/PLURAL/NAME/proxy` and `/api/v1/PLURAL/NAME/proxy`.
const NAMESPACED_SEGMENTS: usize = 7;
const CLUSTER_SEGMENTS: usize = 5;

/// What of a path follows its first segments: nothing, or from a slash on.
fn after(path: &str, segments: usize) -> &str {
    // Several slashes before the first segment are as good as one.
    let path = &path[path.bytes().take_while(|byte| *byte == b'/').count().saturating_sub(1)..];
    let slash = path.match_indices('/').nth(segments).map(|(at, _)| at);
    slash.map_or("", |at| &path[at..])
}

/// Where a name leads.
struct Place<'a> {
    is_https: bool,
    name: &'a str,
    port: &'a str,
}

impl<'a> Place<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (scheme, name, port) = match parts.as_slice() {
            [name] => ("", *name, ""),
            [name, port] => ("", *name, *port),
            [scheme, name, port] => (*scheme, *name, *port),
            _ => return None,
        };
        let is_known = matches!(scheme, "" | "http" | "https");
        (is_known && !name.is_empty()).then_some(Place { is_https: scheme == "https", name, port })
    }

    fn of(call: &'a Call) -> Result<Self, ApiError> {
        let (singular, name) = (call.kind.singular, &call.info.name);
        Place::parse(name).ok_or_else(|| ApiError::bad_request(format!("invalid {singular} request {name:?}")))
    }

    /// The server at an address; what speaks HTTPS may show any certificate.
    fn at(&self, call: &Call, address: IpAddr, port: &str) -> Result<Location, ApiError> {
        if !call.server.may_dial(address) {
            return Err(ApiError::bad_request("address not allowed"));
        }
        let port = match port {
            "" if self.is_https => 443,
            "" => 80,
            number => number
                .parse()
                .map_err(|_| forward::unreachable(&format!("dial tcp: lookup tcp/{number}: unknown port")))?,
        };
        // Nobody vouches for pods, and no secret goes to them.
        let tls = self.is_https.then(client::tls::trusting_any_server);
        Ok(Location { address, port, tls })
    }
}

async fn pod_location(call: &Call) -> Result<Location, ApiError> {
    let place = Place::of(call)?;
    let pod = call.server.storage.object(call.stored_kind(), call.namespace(), place.name).await?;
    let pod = pod.ok_or_else(|| ApiError::not_found(call.subject(place.name)))?;
    let port = match place.port {
        "" => first_port(&pod),
        port => port.to_owned(),
    };
    let address = pod_addresses(&pod).next().and_then(|address| address.parse().ok());
    let address = address.ok_or_else(|| ApiError::bad_request("address not allowed"))?;
    place.at(call, address, &port)
}

/// The first port that any container names.
fn first_port(pod: &Object) -> String {
    let port = items(pod, "spec.containers").find_map(|container| items(container, "ports").next());
    port.map(|port| number(port, "containerPort").to_string()).unwrap_or_default()
}

fn pod_addresses(pod: &Object) -> impl Iterator<Item = &str> {
    let listed = items(pod, "status.podIPs").map(|address| text(address, "ip"));
    let single = std::iter::once(text(pod, "status.podIP"));
    listed.chain(single).filter(|address| !address.is_empty())
}

async fn service_location(call: &Call) -> Result<Location, ApiError> {
    let place = Place::of(call)?;
    let storage = &call.server.storage;
    let mut port_name = place.port.to_owned();
    if let Ok(wanted) = place.port.parse::<i64>() {
        let service = storage.object(call.stored_kind(), call.namespace(), place.name).await?;
        let service = service.ok_or_else(|| ApiError::not_found(call.subject(place.name)))?;
        let port = items(&service, "spec.ports").find(|port| number(port, "port") == wanted);
        let none = || ApiError::unavailable(format!("no service port {wanted} found for service {:?}", place.name));
        port_name = text(port.ok_or_else(none)?, "name").to_owned();
    }
    let endpoints = kinds::required("", "v1", "endpoints");
    let found = storage.object(endpoints, call.namespace(), place.name).await?;
    let found = found.ok_or_else(|| ApiError::not_found(Subject::of(endpoints, place.name)))?;
    let subsets: Vec<&Object> = items(&found, "subsets").collect();
    if subsets.is_empty() {
        return Err(no_endpoints(place.name));
    }
    for subset in from_chance(call, &subsets) {
        for port in items(subset, "ports").filter(|port| text(port, "name") == port_name) {
            let addresses: Vec<&Object> = items(subset, "addresses").collect();
            for address in from_chance(call, &addresses) {
                if let Some(address) = confirmed(call, address).await? {
                    return place.at(call, address, &number(port, "port").to_string());
                }
            }
        }
    }
    Err(no_endpoints(&call.info.name))
}

fn no_endpoints(name: &str) -> ApiError {
    ApiError::unavailable(format!("no endpoints available for service {name:?}"))
}

/// All of them, beginning anywhere.
fn from_chance<'a>(call: &Call, all: &[&'a Object]) -> impl Iterator<Item = &'a Object> + use<'a> {
    let bound = u64::try_from(all.len()).unwrap_or(u64::MAX).max(1);
    let start = usize::try_from(call.server.ambient.random.below(bound)).unwrap_or(0);
    let turned: Vec<&Object> = all[start..].iter().chain(&all[..start]).copied().collect();
    turned.into_iter()
}

/// The address, if a pod of the namespace says that it is its own: whoever may write Endpoints shall
/// not send this server anywhere.
async fn confirmed(call: &Call, address: &Object) -> Result<Option<IpAddr>, ApiError> {
    let ip = text(address, "ip");
    if text(address, "targetRef.kind") != "Pod" || text(address, "targetRef.namespace") != call.namespace() {
        return Ok(None);
    }
    let pods = kinds::required("", "v1", "pods");
    let pod = call.server.storage.object(pods, call.namespace(), text(address, "targetRef.name")).await?;
    Ok(pod.filter(|pod| pod_addresses(pod).any(|own| own == ip)).and_then(|_| ip.parse().ok()))
}

/// The node's kubelet, unless another port was named.
async fn node_location(call: &Call) -> Result<Location, ApiError> {
    let place = Place::of(call)?;
    let kubelet = kubelet::endpoint(call, place.name).await?;
    if place.port.is_empty() || place.port == kubelet.port.to_string() {
        return Ok(Location { tls: Some(kubelet::tls(call)?), ..kubelet });
    }
    place.at(call, kubelet.address, place.port)
}

/// A kubelet runs commands for whoever opens a stream to it with this server's credentials, and a
/// WebSocket can be opened with GET: reading alone must not be enough.
async fn may_enter(call: &Call) -> Result<(), ApiError> {
    if authorize::allows_resource(&call.server, &call.user, "create", &call.info, &call.query).await? {
        return Ok(());
    }
    let why = authorize::denial(&call.user, "create", &call.info);
    Err(ApiError::forbidden(call.subject(&call.info.name), &why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_scheme_and_port() {
        let parse = |text: &'static str| Place::parse(text).map(|place| (place.is_https, place.name, place.port));
        assert_eq!(parse("web"), Some((false, "web", "")));
        assert_eq!(parse("web:http"), Some((false, "web", "http")));
        assert_eq!(parse("https:web:8443"), Some((true, "web", "8443")));
        assert_eq!(parse("https:web:"), Some((true, "web", "")));
        for wrong in ["", ":80", "ftp:web:21", "a:b:c:d"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_other_servers_part_of_a_path_is_kept_as_it_came() {
        let root = "/api/v1/namespaces/a/pods/b/proxy";
        for rest in ["", "/", "/a%20b//c/"] {
            assert_eq!(after(&format!("{root}{rest}"), NAMESPACED_SEGMENTS), rest);
        }
        assert_eq!(after(&format!("//{root}/x"), NAMESPACED_SEGMENTS), "/x");
        assert_eq!(after("/api/v1/nodes/n/proxy/stats/summary", CLUSTER_SEGMENTS), "/stats/summary");
    }
}
