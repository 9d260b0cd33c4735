//! Port-forward, the server's side: one request becomes many pairs of streams to ports of a pod.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::refusal::Refusal;
use crate::spdy::{self, Connection, Role, Stream};
use crate::stream::{Limits, Reader, Writer};
use crate::websocket::{self, Framing, Link};

pub(crate) const PORT_FORWARD: &str = "portforward.k8s.io";
/// SPDY inside a WebSocket: what newer clients prefer.
pub(crate) const TUNNELED: &str = "SPDY/3.1+portforward.k8s.io";
const CHANNELS: &str = "v4.channel.k8s.io";
const CHANNELS_BASE64: &str = "v4.base64.channel.k8s.io";

const WEBSOCKET_PROTOCOLS: &[&str] = &[TUNNELED, CHANNELS, CHANNELS_BASE64, ""];

/// Ports of one request over plain channels.
const CHANNEL_PORTS: usize = 32;

/// Why an accepted request did not become a session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the client's connection could not be taken over")]
    Upgrade(#[source] hyper::Error),
    #[error("telling the client its ports")]
    Greeting(#[source] io::Error),
}

/// One connection that the client wants to a port.
#[derive(Debug)]
pub struct Forward {
    pub port: u16,
    pub reader: Reader,
    pub writer: Writer,
    /// One line here tells the client why its connection failed. Dropping it says that all is well.
    pub error: Writer,
}

/// A client's port-forward. Dropping it breaks all its connections off.
#[derive(Debug)]
pub struct Session {
    source: Source,
    limits: Limits,
    half: HashMap<String, Half>,
}

#[derive(Debug)]
enum Source {
    Spdy(Connection),
    Tunneled { connection: Connection, link: Link },
    Channels { forwards: Vec<Forward>, link: Link },
}

/// A stream whose partner has not come yet.
#[derive(Debug)]
struct Half {
    stream: Stream,
    is_error: bool,
    deadline: Instant,
}

/// What comes after the 101 response has gone out.
pub type Pending = BoxFuture<'static, Result<Session, Error>>;

/// Answers a port-forward request: the response to send at once, and the session to wait for.
///
/// `ports` are what plain WebSocket channels lead to; over SPDY every stream names its own.
pub fn accept<B>(
    mut request: Request<B>,
    ports: Vec<u16>,
    limits: Limits,
) -> Result<(Response<Full<Bytes>>, Pending), Refusal> {
    if !websocket::is_requested(request.headers()) {
        let accepted = spdy::accept(request.headers(), &[PORT_FORWARD])?;
        let upgrade = hyper::upgrade::on(&mut request);
        let session = async move {
            let io = TokioIo::new(upgrade.await.map_err(Error::Upgrade)?);
            Ok(over_spdy(io, limits))
        };
        return Ok((accepted.response, Box::pin(session)));
    }
    let accepted = websocket::accept(request.headers(), WEBSOCKET_PROTOCOLS)?;
    let protocol = accepted.protocol;
    if protocol != TUNNELED {
        check_channels(&ports)?;
    }
    let upgrade = hyper::upgrade::on(&mut request);
    let session = async move {
        let io = TokioIo::new(upgrade.await.map_err(Error::Upgrade)?);
        match protocol {
            TUNNELED => Ok(tunneled(io, limits)),
            CHANNELS_BASE64 => over_channels(io, Framing::Base64, ports, limits).await,
            _ => over_channels(io, Framing::Binary, ports, limits).await,
        }
    };
    Ok((accepted.response, Box::pin(session)))
}

impl Session {
    /// The next connection that the client wants; None when the client has gone.
    pub async fn next(&mut self) -> Option<Forward> {
        loop {
            let connection = match &mut self.source {
                Source::Spdy(connection) | Source::Tunneled { connection, .. } => connection,
                Source::Channels { forwards, link } => match forwards.pop() {
                    Some(forward) => return Some(forward),
                    None => {
                        link.tasks.disconnected.cancelled().await;
                        return None;
                    }
                },
            };
            let stream = match self.half.values().map(|half| half.deadline).min() {
                None => connection.accept().await?,
                Some(deadline) => match tokio::time::timeout_at(deadline, connection.accept()).await {
                    Ok(stream) => stream?,
                    Err(_) => {
                        give_up(connection, &mut self.half).await;
                        continue;
                    }
                },
            };
            if let Some(forward) = pair(connection, &mut self.half, self.limits, stream).await {
                return Some(forward);
            }
        }
    }

    /// Cancelled when the client has gone.
    pub fn disconnected(&self) -> CancellationToken {
        match &self.source {
            Source::Spdy(connection) | Source::Tunneled { connection, .. } => connection.disconnected(),
            Source::Channels { link, .. } => link.tasks.disconnected.clone(),
        }
    }

    /// Sends what is queued and closes the connection.
    pub async fn close(self) -> io::Result<()> {
        match self.source {
            Source::Spdy(connection) => connection.close().await,
            Source::Tunneled { connection, link } => {
                connection.close().await?;
                link.tasks.close().await
            }
            Source::Channels { link, .. } => link.tasks.close().await,
        }
    }
}

pub(crate) fn over_spdy<I>(io: I, limits: Limits) -> Session
where
    I: AsyncRead + AsyncWrite + Send + 'static,
{
    Session { source: Source::Spdy(Connection::start(io, Role::Server, limits)), limits, half: HashMap::new() }
}

pub(crate) fn tunneled<I>(io: I, limits: Limits) -> Session
where
    I: AsyncRead + AsyncWrite + Send + 'static,
{
    let (link, [reader]) = Link::start_fixed(io, Framing::Raw, None, limits, [0]);
    let connection = Connection::start(tokio::io::join(reader, link.writer(0)), Role::Server, limits);
    Session { source: Source::Tunneled { connection, link }, limits, half: HashMap::new() }
}

/// Channels 2n and 2n+1 are the data and the error of the n-th port; each starts with the port.
async fn over_channels<I>(io: I, framing: Framing, ports: Vec<u16>, limits: Limits) -> Result<Session, Error>
where
    I: AsyncRead + AsyncWrite + Send + 'static,
{
    let channels: Vec<u32> = (0..ports.len() as u32).map(|index| 2 * index).collect();
    let (link, readers) = Link::start(io, framing, None, limits, &channels);
    let mut forwards = Vec::with_capacity(ports.len());
    for (index, (port, reader)) in (0u32..).zip(ports.into_iter().zip(readers)) {
        let (mut writer, mut error) = (link.writer(2 * index), link.writer(2 * index + 1));
        for channel in [&mut writer, &mut error] {
            channel.write_all(&port.to_le_bytes()).await.map_err(Error::Greeting)?;
        }
        forwards.push(Forward { port, reader, writer, error });
    }
    Ok(Session { source: Source::Channels { forwards, link }, limits, half: HashMap::new() })
}

/// Joins a stream with its partner of the same request, or keeps it until the partner comes.
async fn pair(
    connection: &Connection,
    half: &mut HashMap<String, Half>,
    limits: Limits,
    stream: Stream,
) -> Option<Forward> {
    let is_error = match header(&stream.headers, "streamtype") {
        "error" => true,
        "data" => false,
        _ => return reset(connection, stream).await,
    };
    if port(&stream.headers).is_none() {
        return reset(connection, stream).await;
    }
    let request = request_id(&stream, is_error);
    match half.remove(&request) {
        Some(partner) if partner.is_error != is_error && port(&partner.stream.headers) == port(&stream.headers) => {
            let (data, error) = if is_error { (partner.stream, stream) } else { (stream, partner.stream) };
            let port = port(&data.headers)?;
            Some(Forward { port, reader: data.reader, writer: data.writer, error: error.writer })
        }
        Some(partner) => {
            connection.reset(partner.stream.id).await;
            reset(connection, stream).await
        }
        None => {
            let deadline = Instant::now() + limits.stream_creation;
            half.insert(request, Half { stream, is_error, deadline });
            None
        }
    }
}

async fn reset(connection: &Connection, stream: Stream) -> Option<Forward> {
    connection.reset(stream.id).await;
    None
}

/// Breaks off the streams that have waited too long for their partner.
async fn give_up(connection: &Connection, half: &mut HashMap<String, Half>) {
    let now = Instant::now();
    let late: Vec<String> =
        half.iter().filter(|(_, half)| half.deadline <= now).map(|(request, _)| request.clone()).collect();
    for request in late {
        if let Some(half) = half.remove(&request) {
            tracing::debug!(request, "timed out waiting for streams");
            connection.reset(half.stream.id).await;
        }
    }
}

/// Old clients number no requests: their data stream follows their error stream directly.
fn request_id(stream: &Stream, is_error: bool) -> String {
    match header(&stream.headers, "requestid") {
        "" => format!("stream {}", if is_error { stream.id } else { stream.id.wrapping_sub(2) }),
        request => request.to_owned(),
    }
}

fn port(headers: &HeaderMap) -> Option<u16> {
    header(headers, "port").parse().ok().filter(|port| *port > 0)
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

/// Whether plain channels can carry these ports: each has two channels from the start.
fn check_channels(ports: &[u16]) -> Result<(), Refusal> {
    let bad = |message: String| Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    match ports.len() {
        0 => bad("query parameter \"ports\" is required".to_owned()),
        count if count > CHANNEL_PORTS => bad(format!("at most {CHANNEL_PORTS} ports")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use stdx::Random;
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    fn headers(kind: &'static str, port: &'static str, request: &'static str) -> HeaderMap {
        let pairs = [("streamtype", kind), ("port", port), ("requestid", request)];
        let given = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[tokio::test]
    async fn streams_are_paired_by_request_and_without_one_by_their_order() {
        let (near, far) = duplex(4096);
        let mut session = over_spdy(far, Limits::default());
        let client = Connection::start(near, Role::Client, Limits::default());
        let mut streams = Vec::new();
        for (kind, port, request) in [
            ("error", "80", "7"),
            ("error", "81", "8"),
            ("data", "81", "8"),
            ("data", "80", "7"),
            ("error", "82", ""),
            ("data", "82", ""),
            ("data", "no port", "9"),
            ("other", "80", "9"),
        ] {
            streams.push(client.open(headers(kind, port, request)).await.unwrap());
        }
        let mut ports = Vec::new();
        for _ in 0..3 {
            ports.push(session.next().await.unwrap().port);
        }
        assert_eq!(ports, [81, 80, 82]);
        // What makes no sense is reset, and the connection goes on.
        let next = tokio::spawn(async move { session.next().await.map(|forward| forward.port) });
        for stream in &mut streams[6..] {
            assert!(stream.reader.read_u8().await.is_err());
        }
        drop(client);
        assert_eq!(next.await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_a_partner_is_given_up() {
        let (near, far) = duplex(4096);
        let mut session = over_spdy(far, Limits::default());
        let client = Connection::start(near, Role::Client, Limits::default());
        let mut lonely = client.open(headers("error", "80", "1")).await.unwrap();
        let serving = tokio::spawn(async move { session.next().await.is_none() });
        let broken = lonely.reader.read_u8().await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::UnexpectedEof);
        drop(client);
        assert!(serving.await.unwrap());
    }

    #[tokio::test]
    async fn plain_channels_start_with_their_port() {
        let (near, far) = duplex(4096);
        let (link, readers) =
            Link::start(near, Framing::Binary, Some(Random::seeded(5)), Limits::default(), &[0, 1, 2, 3]);
        let mut session = over_channels(far, Framing::Binary, vec![80, 443], Limits::default()).await.unwrap();
        for (reader, port) in readers.into_iter().zip([80, 80, 443, 443]) {
            let mut reader = reader;
            assert_eq!(reader.read_u16_le().await.unwrap(), port);
        }
        link.writer(2).write_all(b"hi").await.unwrap();
        let mut forward = session.next().await.unwrap();
        let mut heard = [0; 2];
        forward.reader.read_exact(&mut heard).await.unwrap();
        assert_eq!((forward.port, &heard), (443, b"hi"));
    }

    #[test]
    fn plain_channels_need_to_know_their_ports() {
        assert!(check_channels(&[80, 443]).is_ok());
        for bad in [vec![], vec![80; CHANNEL_PORTS + 1]] {
            assert_eq!(check_channels(&bad).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad:?}");
        }
    }
}
