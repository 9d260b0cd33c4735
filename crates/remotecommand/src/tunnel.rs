//! Passes an upgraded connection through: client ⇄ this process ⇄ upstream.
//!
//! **Invariant:** a socket whose upgrade failed is never used again, on either side. A client that
//! could go on talking over it would speak to the upstream with this process's credentials.
//!
//! **Invariant:** only the headers listed here cross, in either direction. Credentials and
//! impersonation stay with whoever checked them.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{BoxFuture, FusedFuture, FutureExt};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy};

/// How long upstream may take to answer the upgrade.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// After the client has gone, how long upstream may still take to notice.
const DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// What of a refusal's body is passed on.
const REFUSAL_BODY_BYTES: usize = 64 * 1024;

/// A subprotocol of this prefix carries a bearer token (browsers cannot set headers).
const BEARER_SUBPROTOCOL: &str = "base64url.bearer.authorization.k8s.io.";

const X_STREAM_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("x-stream-protocol-version");
const X_ACCEPTED_STREAM_PROTOCOL_VERSIONS: HeaderName = HeaderName::from_static("x-accepted-stream-protocol-versions");

const REQUEST_HEADERS: [HeaderName; 7] = [
    header::CONNECTION,
    header::UPGRADE,
    header::USER_AGENT,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_PROTOCOL,
    X_STREAM_PROTOCOL_VERSION,
];

const SWITCHING_HEADERS: [HeaderName; 5] = [
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_ACCEPT,
    header::SEC_WEBSOCKET_PROTOCOL,
    X_STREAM_PROTOCOL_VERSION,
];

const REFUSAL_HEADERS: [HeaderName; 3] =
    [header::CONTENT_TYPE, header::RETRY_AFTER, X_ACCEPTED_STREAM_PROTOCOL_VERSIONS];

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The client did not ask for an upgrade, or spoke a protocol that knows none.
    #[error("unable to upgrade: missing upgrade headers in request")]
    NoUpgradeRequested,
    #[error("error dialing backend")]
    Upstream(#[source] hyper::Error),
    #[error("error dialing backend: no answer within {} s", ANSWER_DEADLINE.as_secs())]
    NoAnswer,
    /// Neither a switch of protocols nor an error: redirects are not followed.
    #[error("invalid upgrade response: status code {}", .0.as_u16())]
    NotSwitched(StatusCode),
    #[error("reading the refusal of the upgrade")]
    Refusal(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the client's connection could not be taken over")]
    Client(#[source] hyper::Error),
    #[error("copying between client and upstream")]
    Copy(#[source] io::Error),
}

/// What upstream said, and the copying that is left to do.
#[must_use = "the response goes to the client and the copying runs in a task"]
pub struct Tunnel {
    /// The answer for the client: 101, or upstream's refusal.
    pub response: Response<Full<Bytes>>,
    /// Present when upstream switched protocols. It starts once the response has been sent, ends
    /// when the streams have, and dropping it closes both sides.
    pub copying: Option<BoxFuture<'static, Result<Transferred, Error>>>,
}

/// Bytes that crossed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transferred {
    pub to_upstream: u64,
    pub to_client: u64,
}

/// Whether the request asks for a change of protocol at all.
pub fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) && has_token(headers, &header::CONNECTION, "upgrade")
}

/// The request to send upstream for the client's: same method, only the headers of the upgrade.
///
/// `target` is the absolute URI upstream; its authority becomes the Host header.
pub fn upstream_request<B>(client: &Request<B>, target: &Uri) -> Request<Empty<Bytes>> {
    let path = target.path_and_query().map_or("/", |path| path.as_str());
    let mut request = Request::new(Empty::new());
    *request.method_mut() = client.method().clone();
    *request.uri_mut() = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let headers = request.headers_mut();
    let host = target.authority().map_or("localhost", |authority| authority.as_str());
    headers.insert(header::HOST, HeaderValue::from_str(host).unwrap_or(HeaderValue::from_static("localhost")));
    copy_headers(client.headers(), headers, &REQUEST_HEADERS);
    withhold_bearer_subprotocols(headers);
    request
}

/// Sends `request` over `upstream`, which nothing else uses, and joins it with the client's
/// connection when upstream switches protocols. An upstream that refuses (4xx, 5xx) has its
/// answer passed on; the client's connection is closed behind it.
pub async fn tunnel<B, U>(mut client: Request<B>, upstream: U, request: Request<Empty<Bytes>>) -> Result<Tunnel, Error>
where
    U: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if !wants_upgrade(client.headers()) {
        return Err(Error::NoUpgradeRequested);
    }
    let client_side = hyper::upgrade::on(&mut client);
    let exchange = exchange(upstream, request);
    let answer = tokio::time::timeout(ANSWER_DEADLINE, exchange).await.map_err(|_| Error::NoAnswer)??;
    let mut switched = match answer {
        Answer::Refused(response) => return Ok(Tunnel { response, copying: None }),
        Answer::Switched(response) => response,
    };
    let upstream_side = hyper::upgrade::on(&mut switched);
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    copy_headers(switched.headers(), response.headers_mut(), &SWITCHING_HEADERS);
    let copying = async move {
        let upstream = TokioIo::new(upstream_side.await.map_err(Error::Upstream)?);
        let client = TokioIo::new(client_side.await.map_err(Error::Client)?);
        copy_both_ways(client, upstream).await.map_err(Error::Copy)
    };
    Ok(Tunnel { response, copying: Some(Box::pin(copying)) })
}

/// Copies until upstream has ended, or the client has and upstream took notice.
///
/// These protocols have no half-closed connections: once upstream is done and its last byte
/// passed on, what the client still sends has no reader.
pub async fn copy_both_ways<C, U>(client: C, upstream: U) -> io::Result<Transferred>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let (mut client_reader, mut client_writer) = tokio::io::split(client);
    let (mut upstream_reader, mut upstream_writer) = tokio::io::split(upstream);
    let mut transferred = Transferred::default();
    let mut down = pin!(async {
        let copied = copy(&mut upstream_reader, &mut client_writer).await;
        // The peer may be gone already; what was copied is what counts.
        drop(client_writer.shutdown().await);
        copied
    });
    let mut up = pin!(async {
        let copied = copy(&mut client_reader, &mut upstream_writer).await;
        drop(upstream_writer.shutdown().await);
        copied
    });
    tokio::select! {
        copied = &mut down => transferred.to_client = copied?,
        copied = &mut up => {
            transferred.to_upstream = copied?;
            if let Ok(copied) = tokio::time::timeout(DRAIN_DEADLINE, down).await {
                transferred.to_client = copied?;
            }
        }
    }
    Ok(transferred)
}

enum Answer {
    Switched(Response<Incoming>),
    Refused(Response<Full<Bytes>>),
}

/// One request and its answer over a connection made for it.
async fn exchange<U>(upstream: U, request: Request<Empty<Bytes>>) -> Result<Answer, Error>
where
    U: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(upstream)).await.map_err(Error::Upstream)?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(Error::Upstream)?;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => Ok(Answer::Switched(response)),
            status if status.is_client_error() || status.is_server_error() => {
                refusal(response).await.map(Answer::Refused)
            }
            status => Err(Error::NotSwitched(status)),
        }
    };
    let mut connection = pin!(connection.with_upgrades().fuse());
    let mut talk = pin!(talk);
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut talk => break answer?,
            ended = &mut connection, if !connection.is_terminated() => ended.map_err(Error::Upstream)?,
        }
    };
    // The connection lets go of the socket only after it has handed out the response.
    if matches!(answer, Answer::Switched(_)) && !connection.is_terminated() {
        connection.await.map_err(Error::Upstream)?;
    }
    Ok(answer)
}

async fn refusal(response: Response<Incoming>) -> Result<Response<Full<Bytes>>, Error> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, REFUSAL_BODY_BYTES).collect().await.map_err(Error::Refusal)?.to_bytes();
    let mut refusal = Response::new(Full::new(body));
    *refusal.status_mut() = parts.status;
    copy_headers(&parts.headers, refusal.headers_mut(), &REFUSAL_HEADERS);
    refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(refusal)
}

fn copy_headers(from: &HeaderMap, to: &mut HeaderMap, names: &[HeaderName]) {
    for name in names {
        for value in from.get_all(name) {
            to.append(name, value.clone());
        }
    }
}

fn withhold_bearer_subprotocols(headers: &mut HeaderMap) {
    let offered: Vec<String> = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|protocol| protocol.trim().to_owned())
        .filter(|protocol| !protocol.is_empty() && !protocol.starts_with(BEARER_SUBPROTOCOL))
        .collect();
    headers.remove(header::SEC_WEBSOCKET_PROTOCOL);
    if let Ok(value) = HeaderValue::from_str(&offered.join(", "))
        && !offered.is_empty()
    {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, value);
    }
}

fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use hyper::service::service_fn;
    use tokio::io::{AsyncReadExt, DuplexStream, duplex};

    use super::*;

    /// A server that answers one request with `answer` and, having switched, says back what it hears.
    fn upstream(answer: Response<Full<Bytes>>, seen: tokio::sync::mpsc::Sender<HeaderMap>) -> DuplexStream {
        let (near, far) = duplex(4096);
        tokio::spawn(async move {
            let service = service_fn(move |mut request: Request<Incoming>| {
                let (answer, seen) = (answer.clone(), seen.clone());
                async move {
                    seen.send(request.headers().clone()).await.unwrap();
                    tokio::spawn(async move {
                        if let Ok(upgraded) = hyper::upgrade::on(&mut request).await {
                            let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
                            copy(&mut reader, &mut writer).await.unwrap();
                        }
                    });
                    Ok::<_, std::convert::Infallible>(answer)
                }
            });
            let server = hyper::server::conn::http1::Builder::new();
            drop(server.serve_connection(TokioIo::new(far), service).with_upgrades().await);
        });
        near
    }

    /// A server that tunnels everything it is asked to `upstream`.
    fn proxy(upstream: DuplexStream) -> DuplexStream {
        let (near, far) = duplex(4096);
        tokio::spawn(async move {
            let upstream = std::sync::Mutex::new(Some(upstream));
            let service = service_fn(move |request: Request<Incoming>| {
                let upstream = upstream.lock().unwrap().take();
                async move {
                    let target = "http://node:10250/exec/a/b/c?command=ls".parse().unwrap();
                    let forwarded = upstream_request(&request, &target);
                    match tunnel(request, upstream.unwrap(), forwarded).await {
                        Ok(Tunnel { response, copying }) => {
                            copying.map(tokio::spawn);
                            Ok::<_, std::convert::Infallible>(response)
                        }
                        Err(error) => {
                            let mut response = Response::new(Full::new(error.to_string().into()));
                            *response.status_mut() = StatusCode::BAD_GATEWAY;
                            Ok(response)
                        }
                    }
                }
            });
            let server = hyper::server::conn::http1::Builder::new();
            drop(server.serve_connection(TokioIo::new(far), service).with_upgrades().await);
        });
        near
    }

    fn answer(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response<Full<Bytes>> {
        let mut response = Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    }

    async fn read_head(io: &mut DuplexStream) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(io.read_u8().await.unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    const REQUEST: &str = "POST /exec HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\
        X-Stream-Protocol-Version: v4.channel.k8s.io\r\nAuthorization: Bearer secret\r\nCookie: a=b\r\n\
        Impersonate-User: root\r\nX-Forwarded-For: 1.2.3.4\r\n\
        Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0\r\n\r\n";

    #[tokio::test]
    async fn joins_the_connections_and_withholds_credentials() {
        let (seen, mut headers) = tokio::sync::mpsc::channel(1);
        let switching = [
            ("connection", "Upgrade"),
            ("upgrade", "SPDY/3.1"),
            ("x-stream-protocol-version", "v4.channel.k8s.io"),
            ("set-cookie", "session=1"),
        ];
        let mut client = proxy(upstream(answer(101, &switching, ""), seen));
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await.to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 101 "), "{head}");
        assert!(head.contains("x-stream-protocol-version: v4.channel.k8s.io"), "{head}");
        assert!(!head.contains("set-cookie"), "{head}");

        let headers = headers.recv().await.unwrap();
        let mut names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["connection", "host", "sec-websocket-protocol", "upgrade", "x-stream-protocol-version"]);
        assert_eq!(headers["sec-websocket-protocol"], "v5.channel.k8s.io");
        assert_eq!(headers["host"], "node:10250");

        client.write_all(b"over and back").await.unwrap();
        let mut echoed = [0; 13];
        client.read_exact(&mut echoed).await.unwrap();
        assert_eq!(&echoed, b"over and back");
        client.shutdown().await.unwrap();
        assert_eq!(client.read(&mut echoed).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_refusal_is_passed_on_and_ends_the_connection() {
        let (seen, _headers) = tokio::sync::mpsc::channel(1);
        let refusal = answer(404, &[("content-type", "text/plain"), ("set-cookie", "x=y")], "no such container");
        let mut client = proxy(upstream(refusal, seen));
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        // What follows a failed upgrade must not reach upstream as a second request.
        client.write_all(b"GET /secrets HTTP/1.1\r\nHost: api\r\n\r\n").await.unwrap();
        let mut everything = String::new();
        client.read_to_string(&mut everything).await.unwrap();
        assert!(everything.starts_with("HTTP/1.1 404 "), "{everything}");
        assert!(everything.contains("connection: close\r\n") && !everything.contains("set-cookie"), "{everything}");
        assert!(everything.ends_with("\r\n\r\nno such container"), "{everything}");
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let (seen, _headers) = tokio::sync::mpsc::channel(1);
        let mut client = proxy(upstream(answer(302, &[("location", "http://elsewhere/")], ""), seen));
        client.write_all(REQUEST.as_bytes()).await.unwrap();
        let head = read_head(&mut client).await;
        assert!(head.starts_with("HTTP/1.1 502 ") && !head.contains("elsewhere"), "{head}");
    }

    #[tokio::test]
    async fn a_plain_request_is_no_tunnel() {
        let (near, _far) = duplex(64);
        let request = Request::get("/exec").body(()).unwrap();
        let forwarded = upstream_request(&request, &"http://node/exec".parse().unwrap());
        assert!(matches!(tunnel(request, near, forwarded).await, Err(Error::NoUpgradeRequested)));
    }
}
