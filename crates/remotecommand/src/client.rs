//! The client's side of exec and port-forward, over a connection that is made already.

use std::io;

use bytes::Bytes;
use futures::future::FutureExt;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use stdx::Random;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::exec::{ERROR_CHANNEL, Options, RESIZE_CHANNEL, STDERR_CHANNEL, STDIN_CHANNEL, STDOUT_CHANNEL, V4, V5};
use crate::portforward::{PORT_FORWARD, TUNNELED};
use crate::spdy::{Connection, Role};
use crate::stream::{Limits, Reader, Writer};
use crate::websocket::{Framing, Link, accept_key};

/// What of a refusal's body is kept.
const REFUSAL_BODY_BYTES: usize = 64 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("asking for the upgrade")]
    Request(#[source] hyper::Error),
    #[error("unable to upgrade connection: {status}: {message}")]
    Refused { status: StatusCode, message: String },
    #[error("the server's answer to the upgrade is not valid")]
    BadAnswer,
    #[error("opening the streams")]
    Streams(#[source] io::Error),
}

/// Which protocol carries the streams.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// The random source masks what is sent, as the standard asks of clients.
    WebSocket(Random),
    Spdy,
}

/// A process's pipes, seen from outside.
#[derive(Debug)]
pub struct Process {
    pub stdin: Option<Writer>,
    pub stdout: Option<Reader>,
    pub stderr: Option<Reader>,
    /// The process's end, a `Status` as JSON.
    pub status: Reader,
    /// Takes sizes as JSON objects, `{"Width":80,"Height":24}`.
    pub resize: Option<Writer>,
    _unused: Vec<Writer>,
    _connection: Transport,
}

#[derive(Debug)]
enum Transport {
    Spdy { _connection: Connection },
    WebSocket { _link: Link },
}

/// Runs the exec or attach request at `target` (a path with its query) on the server behind `io`.
pub async fn exec<I>(
    io: I,
    target: &str,
    headers: HeaderMap,
    protocol: Protocol,
    options: Options,
) -> Result<Process, Error>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    match protocol {
        Protocol::WebSocket(random) => {
            let (io, _chosen) = websocket(io, target, headers, &[V5, V4], &random).await?;
            let channels = [STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL];
            let (link, [stdout, stderr, status]) =
                Link::start_fixed(io, Framing::Binary, Some(random), Limits::default(), channels);
            Ok(Process {
                stdin: options.stdin.then(|| link.writer(STDIN_CHANNEL)),
                stdout: options.stdout.then_some(stdout),
                stderr: (options.stderr && !options.tty).then_some(stderr),
                status,
                resize: options.tty.then(|| link.writer(RESIZE_CHANNEL)),
                _unused: Vec::new(),
                _connection: Transport::WebSocket { _link: link },
            })
        }
        Protocol::Spdy => {
            let io = spdy(io, target, headers, V4).await?;
            let connection = Connection::start(io, Role::Client, Limits::default());
            let mut unused = Vec::new();
            let status = open(&connection, "error").await?;
            unused.push(status.1);
            let mut stdin = None;
            if options.stdin {
                stdin = Some(open(&connection, "stdin").await?.1);
            }
            let mut outputs = [None, None];
            let wanted = [("stdout", options.stdout), ("stderr", options.stderr && !options.tty)];
            for (output, (kind, _)) in outputs.iter_mut().zip(wanted).filter(|(_, (_, wanted))| *wanted) {
                let (reader, writer) = open(&connection, kind).await?;
                unused.push(writer);
                *output = Some(reader);
            }
            let [stdout, stderr] = outputs;
            let mut resize = None;
            if options.tty {
                resize = Some(open(&connection, "resize").await?.1);
            }
            let connection = Transport::Spdy { _connection: connection };
            Ok(Process { stdin, stdout, stderr, status: status.0, resize, _unused: unused, _connection: connection })
        }
    }
}

/// A port-forward: any number of connections to ports of one pod.
#[derive(Debug)]
pub struct PortForward {
    connection: Connection,
    requests: u64,
    _link: Option<Link>,
}

/// A connection to a port.
#[derive(Debug)]
pub struct PortConnection {
    pub reader: Reader,
    pub writer: Writer,
    /// What went wrong, if anything; empty at the end otherwise.
    pub error: Reader,
}

/// Starts the port-forward at `target` on the server behind `io`.
pub async fn port_forward<I>(io: I, target: &str, headers: HeaderMap, protocol: Protocol) -> Result<PortForward, Error>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let limits = Limits::default();
    match protocol {
        Protocol::WebSocket(random) => {
            let (io, _chosen) = websocket(io, target, headers, &[TUNNELED], &random).await?;
            let (link, [reader]) = Link::start_fixed(io, Framing::Raw, Some(random), limits, [0]);
            let connection = Connection::start(tokio::io::join(reader, link.writer(0)), Role::Client, limits);
            Ok(PortForward { connection, requests: 0, _link: Some(link) })
        }
        Protocol::Spdy => {
            let io = spdy(io, target, headers, PORT_FORWARD).await?;
            Ok(PortForward { connection: Connection::start(io, Role::Client, limits), requests: 0, _link: None })
        }
    }
}

impl PortForward {
    pub async fn connect(&mut self, port: u16) -> Result<PortConnection, Error> {
        let request = self.requests;
        self.requests += 1;
        let headers = |kind| {
            let mut headers = stream_type(kind);
            headers.insert("port", HeaderValue::from(port));
            headers.insert("requestid", HeaderValue::from(request));
            headers
        };
        // The error stream's own direction ends at once: the client has nothing to say there.
        let error = self.connection.open(headers("error")).await.map_err(Error::Streams)?.reader;
        let data = self.connection.open(headers("data")).await.map_err(Error::Streams)?;
        Ok(PortConnection { reader: data.reader, writer: data.writer, error })
    }
}

async fn open(connection: &Connection, kind: &'static str) -> Result<(Reader, Writer), Error> {
    let stream = connection.open(stream_type(kind)).await.map_err(Error::Streams)?;
    Ok((stream.reader, stream.writer))
}

fn stream_type(kind: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("streamtype"), HeaderValue::from_static(kind))])
}

type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

async fn websocket<I>(
    io: I,
    target: &str,
    mut headers: HeaderMap,
    protocols: &[&str],
    random: &Random,
) -> Result<(Upgraded, String), Error>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    use base64::Engine;
    let mut nonce = random.next_u64().to_be_bytes().to_vec();
    nonce.extend(random.next_u64().to_be_bytes());
    let key = base64::engine::general_purpose::STANDARD.encode(nonce);
    let invalid = |_| Error::BadAnswer;
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(header::SEC_WEBSOCKET_KEY, HeaderValue::from_str(&key).map_err(invalid)?);
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_str(&protocols.join(", ")).map_err(invalid)?);
    let (response, io) = upgrade(io, Method::GET, target, headers).await?;
    let chosen = response.get(header::SEC_WEBSOCKET_PROTOCOL).and_then(|chosen| chosen.to_str().ok()).unwrap_or("");
    if response.get(header::SEC_WEBSOCKET_ACCEPT) != Some(&accept_key(key.as_bytes())) || !protocols.contains(&chosen) {
        return Err(Error::BadAnswer);
    }
    Ok((io, chosen.to_owned()))
}

async fn spdy<I>(io: I, target: &str, mut headers: HeaderMap, protocol: &'static str) -> Result<Upgraded, Error>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    headers.insert(header::UPGRADE, HeaderValue::from_static("SPDY/3.1"));
    headers.insert("x-stream-protocol-version", HeaderValue::from_static(protocol));
    let (response, io) = upgrade(io, Method::POST, target, headers).await?;
    match response.get("x-stream-protocol-version") {
        Some(chosen) if chosen == protocol => Ok(io),
        _ => Err(Error::BadAnswer),
    }
}

async fn upgrade<I>(io: I, method: Method, target: &str, mut headers: HeaderMap) -> Result<(HeaderMap, Upgraded), Error>
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.entry(header::HOST).or_insert(HeaderValue::from_static("localhost"));
    let mut request = Request::new(Empty::<Bytes>::new());
    *request.method_mut() = method;
    *request.uri_mut() = target.parse().map_err(|_| Error::BadAnswer)?;
    *request.headers_mut() = headers;
    let (mut sender, connection) = http1::handshake(TokioIo::new(io)).await.map_err(Error::Request)?;
    // The connection task ends by itself: with the switch, or with the sender.
    tokio::spawn(connection.with_upgrades().map(|ended| tracing::trace!(ended = ended.is_ok(), "upgrade request")));
    let response = sender.send_request(request).await.map_err(Error::Request)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response).await);
    }
    let headers = response.headers().clone();
    let upgraded = hyper::upgrade::on(response).await.map_err(Error::Request)?;
    Ok((headers, TokioIo::new(upgraded)))
}

async fn refused(response: Response<Incoming>) -> Error {
    let status = response.status();
    match Limited::new(response.into_body(), REFUSAL_BODY_BYTES).collect().await {
        Ok(body) => {
            let message = String::from_utf8_lossy(&body.to_bytes()).trim().to_owned();
            Error::Refused { status, message }
        }
        Err(error) => Error::Refused { status, message: format!("its reason could not be read: {error}") },
    }
}
