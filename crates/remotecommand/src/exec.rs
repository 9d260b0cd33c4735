//! Exec and attach, the server's side: one request becomes a process's pipes.

use std::io;

use bytes::{Bytes, BytesMut};
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::refusal::Refusal;
use crate::spdy::{self, Connection, Role};
use crate::status::ExitStatus;
use crate::stream::{Limits, Reader, Writer};
use crate::websocket::{self, Framing, Link};

pub(crate) const V1: &str = "channel.k8s.io";
pub(crate) const V2: &str = "v2.channel.k8s.io";
pub(crate) const V3: &str = "v3.channel.k8s.io";
pub(crate) const V4: &str = "v4.channel.k8s.io";
pub(crate) const V5: &str = "v5.channel.k8s.io";
pub(crate) const V1_BASE64: &str = "base64.channel.k8s.io";
pub(crate) const V4_BASE64: &str = "v4.base64.channel.k8s.io";

const SPDY_PROTOCOLS: &[&str] = &[V4, V3, V2, V1];
const WEBSOCKET_PROTOCOLS: &[&str] = &["", V1, V1_BASE64, V4, V4_BASE64, V5];

pub(crate) const STDIN_CHANNEL: u32 = 0;
pub(crate) const STDOUT_CHANNEL: u32 = 1;
pub(crate) const STDERR_CHANNEL: u32 = 2;
pub(crate) const ERROR_CHANNEL: u32 = 3;
pub(crate) const RESIZE_CHANNEL: u32 = 4;

/// A size is a short JSON object; what does not become one within this is dropped.
const RESIZE_BUFFER_BYTES: usize = 4096;

/// The pipes the caller wants. With a terminal, standard error arrives on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
    pub tty: bool,
}

/// Why an accepted request did not become a session.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the client's connection could not be taken over")]
    Upgrade(#[source] hyper::Error),
    #[error("timed out waiting for client to create streams")]
    StreamsTimedOut,
    #[error("the client went away before it had created its streams")]
    ClientGone,
    #[error("greeting the client")]
    Greeting(#[source] io::Error),
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    pub width: u16,
    pub height: u16,
}

/// A client's end of a process. Dropping it without [`finish`](Session::finish) breaks the
/// connection off.
#[derive(Debug)]
pub struct Session {
    pub stdin: Option<Reader>,
    pub stdout: Option<Writer>,
    pub stderr: Option<Writer>,
    /// The newest sizes of the client's terminal; empty and closed without a terminal.
    pub resize: mpsc::Receiver<TerminalSize>,
    error: Writer,
    /// The directions that carry nothing. The client takes the end of one for the end of its pipe.
    unused: Vec<Writer>,
    link: Transport,
    status_is_json: bool,
}

/// What comes after the 101 response has gone out.
pub type Pending<T> = BoxFuture<'static, Result<T, Error>>;

/// Answers an exec or attach request: the response to send at once, and the session to wait for.
pub fn accept<B>(
    mut request: Request<B>,
    options: Options,
    limits: Limits,
) -> Result<(Response<Full<Bytes>>, Pending<Session>), Refusal> {
    let options = Options { stderr: options.stderr && !options.tty, ..options };
    if !options.stdin && !options.stdout && !options.stderr {
        let message = "you must specify at least 1 of stdin, stdout, stderr";
        return Err(Refusal::new(http::StatusCode::BAD_REQUEST, message));
    }
    let over_websocket = websocket::is_requested(request.headers());
    let (response, protocol) = if over_websocket {
        let accepted = websocket::accept(request.headers(), WEBSOCKET_PROTOCOLS)?;
        (accepted.response, accepted.protocol)
    } else {
        let accepted = spdy::accept(request.headers(), SPDY_PROTOCOLS)?;
        (accepted.response, accepted.protocol)
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let session = async move {
        let io = TokioIo::new(upgrade.await.map_err(Error::Upgrade)?);
        match over_websocket {
            true => over_channels(io, protocol, options, limits).await,
            false => over_streams(io, protocol, options, limits).await,
        }
    };
    Ok((response, Box::pin(session)))
}

impl Session {
    /// Cancelled when the client has gone.
    pub fn disconnected(&self) -> CancellationToken {
        match &self.link {
            Transport::Spdy(connection) => connection.disconnected(),
            Transport::WebSocket(link) => link.tasks.disconnected.clone(),
        }
    }

    /// Tells the client how the process ended, after all output that was written before, and
    /// closes the connection once the client has it.
    pub async fn finish(self, status: ExitStatus) -> io::Result<()> {
        let Session { stdin, stdout, stderr, resize, mut error, unused, link, status_is_json } = self;
        drop((stdin, resize));
        let text = if status_is_json { status.to_json() } else { status.to_text() };
        error.write_all(text.as_bytes()).await?;
        for mut writer in [stdout, stderr, Some(error)].into_iter().flatten().chain(unused) {
            writer.shutdown().await?;
        }
        match link {
            Transport::Spdy(connection) => connection.close().await,
            Transport::WebSocket(link) => link.tasks.close().await,
        }
    }
}

#[derive(Debug)]
enum Transport {
    Spdy(Connection),
    WebSocket(Link),
}

/// Over a WebSocket the channels exist from the start.
pub(crate) async fn over_channels<I>(io: I, protocol: &str, options: Options, limits: Limits) -> Result<Session, Error>
where
    I: AsyncRead + AsyncWrite + Send + 'static,
{
    let framing = if [V1_BASE64, V4_BASE64].contains(&protocol) { Framing::Base64 } else { Framing::Binary };
    let (link, [stdin, resize]) = Link::start_fixed(io, framing, None, limits, [STDIN_CHANNEL, RESIZE_CHANNEL]);
    let writer = |wanted: bool, channel| wanted.then(|| link.writer(channel));
    let mut session = Session {
        stdin: options.stdin.then_some(stdin),
        stdout: writer(options.stdout, STDOUT_CHANNEL),
        stderr: writer(options.stderr, STDERR_CHANNEL),
        resize: sizes(options.tty.then_some(resize)),
        error: link.writer(ERROR_CHANNEL),
        unused: Vec::new(),
        link: Transport::WebSocket(link),
        status_is_json: [V4, V4_BASE64, V5].contains(&protocol),
    };
    // An empty message on the lowest channel tells the client that the connection stands.
    let Session { stdout, stderr, error, .. } = &mut session;
    let lowest = stdout.as_mut().or(stderr.as_mut()).unwrap_or(error);
    lowest.write(&[]).await.map_err(Error::Greeting)?;
    Ok(session)
}

/// Over SPDY the client opens a stream for each pipe; all must be there before the process starts.
pub(crate) async fn over_streams<I>(io: I, protocol: &str, options: Options, limits: Limits) -> Result<Session, Error>
where
    I: AsyncRead + AsyncWrite + Send + 'static,
{
    let mut connection = Connection::start(io, Role::Server, limits);
    let wanted = options.tty && ![V1, V2].contains(&protocol);
    let waiting = streams(&mut connection, options, wanted);
    let streams = tokio::time::timeout(limits.stream_creation, waiting).await.map_err(|_| Error::StreamsTimedOut)??;
    Ok(Session {
        stdin: streams.stdin,
        stdout: streams.stdout,
        stderr: streams.stderr,
        resize: sizes(streams.resize),
        error: streams.error,
        unused: streams.unused,
        link: Transport::Spdy(connection),
        status_is_json: protocol == V4,
    })
}

struct Streams {
    stdin: Option<Reader>,
    stdout: Option<Writer>,
    stderr: Option<Writer>,
    error: Writer,
    resize: Option<Reader>,
    unused: Vec<Writer>,
}

async fn streams(connection: &mut Connection, options: Options, resizes: bool) -> Result<Streams, Error> {
    let (mut stdin, mut stdout, mut stderr, mut error, mut resize) = (None, None, None, None, None);
    loop {
        let stream = connection.accept().await.ok_or(Error::ClientGone)?;
        let kind = stream.headers.get("streamtype").map_or(&b""[..], |kind| kind.as_bytes());
        match kind {
            b"stdin" if options.stdin => stdin = Some(stream),
            b"stdout" if options.stdout => stdout = Some(stream),
            b"stderr" if options.stderr => stderr = Some(stream),
            b"error" => error = Some(stream),
            b"resize" if resizes => resize = Some(stream),
            unexpected => {
                tracing::debug!(kind = %String::from_utf8_lossy(unexpected), "unexpected stream type");
                connection.reset(stream.id).await;
            }
        }
        let complete = stdin.is_some() == options.stdin
            && stdout.is_some() == options.stdout
            && stderr.is_some() == options.stderr
            && resize.is_some() == resizes;
        if complete && let Some(error) = error.take() {
            let (stdin, stdin_back) = stdin.map(|stream| (stream.reader, stream.writer)).unzip();
            let (resize, resize_back) = resize.map(|stream| (stream.reader, stream.writer)).unzip();
            return Ok(Streams {
                stdin,
                stdout: stdout.map(|stream| stream.writer),
                stderr: stderr.map(|stream| stream.writer),
                error: error.writer,
                resize,
                unused: [stdin_back, resize_back].into_iter().flatten().collect(),
            });
        }
    }
}

/// Decodes sizes as they come. A receiver that is slow misses old sizes, never the newest.
fn sizes(resize: Option<Reader>) -> mpsc::Receiver<TerminalSize> {
    let (sender, receiver) = mpsc::channel(1);
    if let Some(mut reader) = resize {
        tokio::spawn(async move {
            let mut buffer = BytesMut::new();
            let mut newest = None;
            loop {
                tokio::select! {
                    permit = sender.reserve(), if newest.is_some() => match (permit, newest.take()) {
                        (Ok(permit), Some(size)) => permit.send(size),
                        _ => return,
                    },
                    read = reader.read_buf(&mut buffer) => match read {
                        Ok(count) if count > 0 => newest = take_sizes(&mut buffer).or(newest),
                        _ => break,
                    },
                }
            }
            if let Some(size) = newest
                && sender.send(size).await.is_err()
            {
                tracing::trace!("nobody waits for the terminal's size");
            }
        });
    }
    receiver
}

/// Takes the complete objects out of the buffer; the last valid one is the size.
fn take_sizes(buffer: &mut BytesMut) -> Option<TerminalSize> {
    let mut newest = None;
    let mut objects = serde_json::Deserializer::from_slice(buffer).into_iter::<Value>();
    let mut malformed = false;
    for object in objects.by_ref() {
        match object {
            Ok(object) => newest = size(&object).or(newest),
            Err(error) => {
                malformed = !error.is_eof();
                break;
            }
        }
    }
    let consumed = objects.byte_offset();
    if malformed || buffer.len() - consumed > RESIZE_BUFFER_BYTES {
        buffer.clear();
    } else {
        drop(buffer.split_to(consumed));
    }
    newest
}

fn size(object: &Value) -> Option<TerminalSize> {
    let side = |name: &str| u16::try_from(object.get(name)?.as_u64()?).ok();
    Some(TerminalSize { width: side("Width")?, height: side("Height")? })
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};
    use stdx::Random;
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const ALL: Options = Options { stdin: true, stdout: true, stderr: true, tty: false };

    fn kind(name: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static("streamtype"), HeaderValue::from_static(name))])
    }

    /// A SPDY client that has opened `streams`.
    async fn client(io: DuplexStream, streams: &[&'static str]) -> (Connection, Vec<spdy::Stream>) {
        let connection = Connection::start(io, Role::Client, Limits::default());
        let mut opened = Vec::new();
        for name in streams {
            opened.push(connection.open(kind(name)).await.unwrap());
        }
        (connection, opened)
    }

    #[tokio::test]
    async fn older_protocols_get_their_errors_as_text() {
        for (protocol, expected) in [(V3, "Internal error occurred: no"), (V4, "\"reason\":\"InternalError\"")] {
            let (near, far) = duplex(1024);
            let serving = tokio::spawn(async move {
                let session = over_streams(far, protocol, ALL, Limits::default()).await.unwrap();
                session.finish(ExitStatus::Failed("no".to_owned())).await.unwrap();
            });
            let (connection, mut streams) = client(near, &["error", "stdin", "stdout", "stderr"]).await;
            let mut told = String::new();
            streams[0].reader.read_to_string(&mut told).await.unwrap();
            assert!(told.contains(expected), "{protocol}: {told}");
            drop(connection);
            serving.await.unwrap();
        }
    }

    #[tokio::test]
    async fn base64_channels_carry_the_same_bytes() {
        let (near, far) = duplex(1024);
        let serving = tokio::spawn(async move {
            let mut session = over_channels(far, V4_BASE64, ALL, Limits::default()).await.unwrap();
            let mut heard = [0; 3];
            session.stdin.as_mut().unwrap().read_exact(&mut heard).await.unwrap();
            session.stdout.as_mut().unwrap().write_all(&heard).await.unwrap();
            session.finish(ExitStatus::Success).await.unwrap();
        });
        let channels = [STDOUT_CHANNEL, ERROR_CHANNEL];
        let (link, [mut stdout, mut error]) =
            Link::start_fixed(near, Framing::Base64, Some(Random::seeded(3)), Limits::default(), channels);
        link.writer(STDIN_CHANNEL).write_all(&[0, 255, 7]).await.unwrap();
        let mut heard = [0; 3];
        stdout.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, [0, 255, 7]);
        let mut told = [0; 34];
        error.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, br#"{"metadata":{},"status":"Success"}"#);
        drop(link);
        serving.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_opens_too_few_streams_times_out() {
        let (near, far) = duplex(1024);
        let (_connection, _streams) = client(near, &["error", "stdin", "stdout"]).await;
        let refused = over_streams(far, V4, ALL, Limits::default()).await.unwrap_err();
        assert!(matches!(refused, Error::StreamsTimedOut), "{refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed() {
        let (near, far) = duplex(1024);
        let limits = Limits { idle: std::time::Duration::from_secs(60), ..Limits::default() };
        let (_connection, _streams) = client(near, &["error", "stdout"]).await;
        let options = Options { stdout: true, ..Options::default() };
        let session = over_streams(far, V4, options, limits).await.unwrap();
        let began = tokio::time::Instant::now();
        session.disconnected().cancelled().await;
        let waited = began.elapsed().as_secs();
        assert!((60..=120).contains(&waited), "{waited} s");
    }

    #[tokio::test]
    async fn more_streams_than_allowed_are_reset() {
        let (near, far) = duplex(4096);
        let mut server = Connection::start(far, Role::Server, Limits { streams: 2, ..Limits::default() });
        let (connection, mut streams) = client(near, &["data", "data", "data"]).await;
        let broken = streams[2].reader.read(&mut [0; 1]).await.unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(server.accept().await.unwrap().id, 1);
        assert_eq!(server.accept().await.unwrap().id, 3);
        drop(connection);
        assert!(server.accept().await.is_none());
    }

    #[test]
    fn sizes_are_read_as_they_come() {
        let size = |width, height| Some(TerminalSize { width, height });
        for (input, expected, left) in [
            (r#"{"Width":80,"Height":24}"#, size(80, 24), ""),
            ("{\"Width\":1,\"Height\":2}\n{\"Width\":3,\"Height\":4}\n", size(3, 4), ""),
            (r#"{"Width":1,"Height":2}{"Wid"#, size(1, 2), r#"{"Wid"#),
            (r#"{"Wid"#, None, r#"{"Wid"#),
            (r#"{"Width":-1,"Height":2}"#, None, ""),
            (r#"{"Width":70000,"Height":2}"#, None, ""),
            ("nonsense", None, ""),
        ] {
            let mut buffer = BytesMut::from(input);
            assert_eq!(take_sizes(&mut buffer), expected, "{input}");
            assert_eq!(&buffer[..], left.as_bytes(), "{input}");
        }
        let mut endless = BytesMut::from(&[b'['; RESIZE_BUFFER_BYTES + 1][..]);
        assert_eq!((take_sizes(&mut endless), endless.len()), (None, 0));
    }
}
