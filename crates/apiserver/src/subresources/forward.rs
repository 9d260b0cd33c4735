//! Carries a request on to somebody else's server, and its answer back.
//!
//! **Invariant:** nothing by which the client proved who it is crosses, nor what speaks of one
//! connection only; redirects are handed back, never followed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use remotecommand::tunnel;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::call::Call;
use crate::filters::ClientAddress;
use crate::status::{ApiError, answer};
use crate::wire::body::{self, Body};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A server to carry requests to.
pub(super) struct Location {
    pub(super) address: IpAddr,
    pub(super) port: u16,
    /// How it is spoken to; none is in the clear.
    pub(super) tls: Option<Arc<ClientConfig>>,
}

/// A request on its way: who asked, what, and which part of its path is the other server's.
pub(super) struct Forward<'a> {
    pub(super) call: &'a Call,
    pub(super) request: Request<Body>,
    /// As it came, still encoded: empty, or from a slash on.
    pub(super) path: String,
}

impl Forward<'_> {
    pub(super) async fn to(self, location: &Location) -> Result<Response<Body>, ApiError> {
        if tunnel::wants_upgrade(self.request.headers()) {
            return self.upgrade(location).await;
        }
        if self.path.is_empty() && matches!(*self.request.method(), Method::GET | Method::HEAD) {
            return Ok(self.redirect_to_slash());
        }
        self.send(location).await
    }

    /// Relative links of a page are relative to a folder: its address must end like one.
    fn redirect_to_slash(&self) -> Response<Body> {
        let uri = self.request.uri();
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut response = answer(StatusCode::MOVED_PERMANENTLY, "text/plain; charset=utf-8", body::empty());
        if let Ok(place) = HeaderValue::from_str(&format!("{}/{query}", uri.path())) {
            response.headers_mut().insert(header::LOCATION, place);
        }
        response
    }

    fn target(&self) -> Result<Uri, ApiError> {
        let path = if self.path.is_empty() { "/" } else { &self.path };
        let query = self.request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{path}{query}").parse().map_err(|_| ApiError::bad_request("the request does not make a valid URL"))
    }

    /// The part of the path that leads to the other server, for links that start at its root.
    fn prefix(&self) -> String {
        let whole = self.request.uri().path();
        whole.strip_suffix(&self.path).unwrap_or(whole).trim_end_matches('/').to_owned()
    }

    async fn send(self, location: &Location) -> Result<Response<Body>, ApiError> {
        let (target, prefix) = (self.target()?, self.prefix());
        let host = host(&self.request);
        let stream = connect(location).await.map_err(|error| unreachable(&dial_error(location, &error)))?;
        let (mut head, body) = self.request.into_parts();
        let forwarded = HeaderValue::from_str(head.uri.path());
        withhold(&mut head.headers);
        add_client(&mut head.headers, head.extensions.get());
        head.headers.extend(forwarded.ok().map(|value| (X_FORWARDED_URI, value)));
        head.headers.extend(host.clone().map(|value| (header::HOST, value)));
        head.uri = target;
        head.version = http::Version::HTTP_11;
        head.extensions = http::Extensions::new();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error.to_string()))?;
        let shutdown = self.call.server.shutdown.clone();
        let ending = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "a forwarded connection ended early");
                    }
                }
                () = ending.cancelled() => {}
            }
        });
        // How long an answer may take is for those two to settle: some wait on purpose.
        let answered = tokio::select! {
            answered = sender.send_request(Request::from_parts(head, body)) => answered,
            () = shutdown.cancelled() => return Err(ApiError::unavailable("the server is shutting down")),
        };
        let response = answered.map_err(|error| match error.is_incomplete_message() {
            true => unreachable("EOF"),
            false => unreachable(&stdx::error::chain(&error)),
        })?;
        let (mut head, body) = response.into_parts();
        strip_hop_by_hop(&mut head.headers);
        for name in CORS {
            head.headers.remove(name);
        }
        if let Some(moved) = head.headers.get(header::LOCATION).and_then(|place| place.to_str().ok()) {
            let hosts =
                [authority(location), host.and_then(|host| host.to_str().ok().map(str::to_owned)).unwrap_or_default()];
            if let Ok(moved) = HeaderValue::from_str(&rewritten(moved, &hosts, &prefix)) {
                head.headers.insert(header::LOCATION, moved);
            }
        }
        let mut response = Response::new(body::wire(body));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        Ok(response)
    }

    async fn upgrade(self, location: &Location) -> Result<Response<Body>, ApiError> {
        let target = self.target()?;
        let host = host(&self.request);
        let stream = connect(location).await.map_err(|error| unreachable(&dial_error(location, &error)))?;
        let mut upstream = tunnel::upstream_request(&self.request, &target);
        let mut more = self.request.headers().clone();
        withhold(&mut more);
        add_client(&mut more, self.request.extensions().get());
        // An extension would have to be agreed on in the answer, of which only the protocol crosses.
        more.remove(header::SEC_WEBSOCKET_EXTENSIONS);
        for (name, value) in &more {
            if !upstream.headers().contains_key(name) {
                upstream.headers_mut().append(name, value.clone());
            }
        }
        upstream.headers_mut().extend(host.map(|value| (header::HOST, value)));
        let tunnel = tunnel::tunnel(self.request, stream, upstream).await;
        let tunnel = tunnel.map_err(|error| unreachable(&stdx::error::chain(&error)))?;
        if let Some(copying) = tunnel.copying {
            let shutdown = self.call.server.shutdown.clone();
            tokio::spawn(async move {
                tokio::select! {
                    copied = copying => {
                        if let Err(error) = copied {
                            tracing::debug!(error = %stdx::error::chain(&error), "a forwarded stream ended early");
                        }
                    }
                    () = shutdown.cancelled() => {}
                }
            });
        }
        Ok(tunnel.response.map(body::boxed))
    }
}

/// What upstream says of every server that cannot be reached.
pub(super) fn unreachable(why: &str) -> ApiError {
    ApiError::unavailable(format!("error trying to reach service: {why}"))
}

/// The host the client named: the other server may answer for several.
fn host(request: &Request<Body>) -> Option<HeaderValue> {
    let named = request.headers().get(header::HOST).cloned();
    named.or_else(|| HeaderValue::from_str(request.uri().authority()?.as_str()).ok())
}

fn authority(location: &Location) -> String {
    SocketAddr::new(location.address, location.port).to_string()
}

const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Adds the client to those whom the request has come from.
fn add_client(headers: &mut HeaderMap, client: Option<&ClientAddress>) {
    let Some(ClientAddress(address)) = client else { return };
    let before = headers.get_all(&X_FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok().map(str::to_owned));
    let mut all: Vec<String> = before.collect();
    all.push(address.to_string());
    if let Ok(value) = HeaderValue::from_str(&all.join(", ")) {
        headers.insert(X_FORWARDED_FOR, value);
    }
}

/// Headers that speak of one connection only.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Which sites may read an answer is for this server to say.
const CORS: [HeaderName; 4] = [
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
];

fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Takes out what is not for the other server.
fn withhold(headers: &mut HeaderMap) {
    strip_hop_by_hop(headers);
    let is_credential = |name: &HeaderName| {
        *name == header::AUTHORIZATION
            || *name == header::EXPECT
            || name.as_str().starts_with("impersonate-")
            || name.as_str().starts_with("x-remote-")
    };
    let credentials: Vec<HeaderName> = headers.keys().filter(|name| is_credential(name)).cloned().collect();
    for name in credentials {
        headers.remove(name);
    }
}

/// Where a redirect of the other server leads through this one. One to elsewhere, or to a place
/// relative to the page, is left alone.
fn rewritten(place: &str, hosts: &[String], prefix: &str) -> String {
    let (address, fragment) = match place.split_once('#') {
        Some((address, fragment)) => (address, format!("#{fragment}")),
        None => (place, String::new()),
    };
    let Ok(uri) = address.parse::<Uri>() else { return place.to_owned() };
    let is_elsewhere = uri.authority().is_some_and(|host| !hosts.iter().any(|own| own == host.as_str()));
    let is_relative = uri.authority().is_none() && !address.starts_with('/');
    if is_elsewhere || is_relative {
        return place.to_owned();
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = uri.path();
    let path = if path.starts_with(prefix) { path.to_owned() } else { format!("{prefix}{path}") };
    format!("{path}{query}{fragment}")
}

pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn connect(location: &Location) -> io::Result<Box<dyn Stream>> {
    let dial = async {
        let stream = TcpStream::connect((location.address, location.port)).await?;
        stream.set_nodelay(true)?;
        Ok(match &location.tls {
            None => Box::new(stream) as Box<dyn Stream>,
            Some(tls) => {
                let name = ServerName::from(location.address);
                Box::new(TlsConnector::from(tls.clone()).connect(name, stream).await?)
            }
        })
    };
    match tokio::time::timeout(CONNECT_TIMEOUT, dial).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The failure in the words that people know from Go programs.
fn dial_error(location: &Location, error: &io::Error) -> String {
    let why = match error.kind() {
        io::ErrorKind::ConnectionRefused => "connect: connection refused".to_owned(),
        io::ErrorKind::HostUnreachable => "connect: no route to host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "connect: network is unreachable".to_owned(),
        io::ErrorKind::ConnectionReset => "read: connection reset by peer".to_owned(),
        io::ErrorKind::TimedOut => "i/o timeout".to_owned(),
        _ => error.to_string(),
    };
    format!("dial tcp {}: {why}", authority(location))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_of_the_other_server_lead_through_this_one() {
        let hosts = ["10.0.0.9:80".to_owned(), "kube:6443".to_owned()];
        let prefix = "/api/v1/namespaces/a/services/b/proxy";
        for (place, expected) in [
            ("/login?next=%2F#top", "/api/v1/namespaces/a/services/b/proxy/login?next=%2F#top"),
            ("http://10.0.0.9:80/x/", "/api/v1/namespaces/a/services/b/proxy/x/"),
            ("https://kube:6443/x", "/api/v1/namespaces/a/services/b/proxy/x"),
            ("/api/v1/namespaces/a/services/b/proxy/x", "/api/v1/namespaces/a/services/b/proxy/x"),
            ("https://example.com/x", "https://example.com/x"),
            ("next/page", "next/page"),
            ("?q=1", "?q=1"),
        ] {
            assert_eq!(rewritten(place, &hosts, prefix), expected, "{place}");
        }
    }

    #[test]
    fn whoever_passes_a_request_on_is_added_to_those_who_did_before() {
        let mut headers = HeaderMap::new();
        add_client(&mut headers, None);
        assert!(headers.is_empty());
        let mut chain = Vec::new();
        for hop in ["10.0.0.7", "fd00::1", "192.0.2.4"] {
            add_client(&mut headers, Some(&ClientAddress(hop.parse().unwrap())));
            chain.push(hop);
            assert_eq!(headers["x-forwarded-for"], chain.join(", "));
        }
    }

    #[test]
    fn what_speaks_of_the_client_or_its_connection_stays_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("connection", "keep-alive, x-mine"),
            ("x-mine", "1"),
            ("impersonate-user", "root"),
            ("x-remote-group", "masters"),
            ("te", "trailers"),
            ("cookie", "of the page"),
            ("accept", "text/html"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        withhold(&mut headers);
        let mut left: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["accept", "cookie"]);
    }
}
