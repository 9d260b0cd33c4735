//! Serving calls at a unix socket.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use stdx::Clock;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::frame::{Decoder, FrameError, encode};
use crate::status::{Code, Status, trailers};

/// The largest request that is taken, as upstream's servers for the container runtime interface.
const MAX_REQUEST_BYTES: usize = 16 << 20;

/// Clients keep one connection each. More than so many wait in the kernel's queue.
const MAXIMUM_CONNECTIONS: usize = 64;

/// When no connection can be accepted, as for want of file descriptors, it is tried again after so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What answers calls.
pub trait Service: Send + Sync + 'static {
    /// Carries out one call. `path` is `/package.Service/Method`, `message` the request's bytes. The future is dropped
    /// when the client goes away or its deadline passes: what must not be left half done runs in a task of its own.
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>>;
}

/// Answers, as frames.
pub struct Answer(BoxStream<'static, Result<Bytes, Status>>);

impl Answer {
    pub fn one(message: &impl Message) -> Self {
        let frame = encode(message);
        Answer(stream::once(async { Ok(frame) }).boxed())
    }

    pub fn many<M: Message>(messages: impl futures::Stream<Item = Result<M, Status>> + Send + 'static) -> Self {
        Answer(messages.map(|message| message.map(|message| encode(&message))).boxed())
    }
}

/// Makes a socket that only its owner may speak to. It stands in its place at once with that mode, and in the place of
/// one that a killed process left.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let unfinished = path.with_extension("new");
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&unfinished)?;
    fs::set_permissions(&unfinished, Permissions::from_mode(0o600))?;
    fs::rename(&unfinished, path)?;
    Ok(listener)
}

/// Serves until cancelled; calls that are open then are cut.
pub async fn serve(listener: UnixListener, service: Arc<dyn Service>, clock: Clock, cancel: CancellationToken) {
    let slots = Arc::new(Semaphore::new(MAXIMUM_CONNECTIONS));
    let accept = async {
        loop {
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to a unix socket was not accepted");
                    clock.sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let (service, cancel) = (Arc::clone(&service), cancel.clone());
            tokio::spawn(async move {
                cancel.run_until_cancelled(serve_connection(stream, service)).await;
                drop(slot);
            });
        }
    };
    cancel.run_until_cancelled(accept).await;
}

async fn serve_connection(stream: UnixStream, service: Arc<dyn Service>) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(answer(service, request).await) }
    });
    if let Err(error) = http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), answer).await {
        tracing::debug!("a connection of a unix socket ended: {}", stdx::error::chain(&error));
    }
}

async fn answer(service: Arc<dyn Service>, request: Request<Incoming>) -> Response<AnswerBody> {
    let is_grpc = request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| is_grpc(kind.as_bytes()));
    if request.method() != Method::POST || !is_grpc {
        let mut refusal = Response::new(AnswerBody::Trailers(None));
        *refusal.status_mut() = match request.method() {
            &Method::POST => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::METHOD_NOT_ALLOWED,
        };
        return refusal;
    }
    let timeout = request.headers().get("grpc-timeout").and_then(|value| value.to_str().ok()).map(parse_timeout);
    let path = request.uri().path().to_owned();
    let call = async { service.call(path, read_single(request.into_body()).await?).await };
    let answered = match timeout {
        None => call.await,
        Some(None) => Err(Status::internal("malformed grpc-timeout")),
        Some(Some(timeout)) => {
            tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| Err(Status::deadline_exceeded()))
        }
    };
    let mut response = match answered {
        Ok(Answer(frames)) => Response::new(AnswerBody::Frames(frames)),
        // Without a body the end stands in the headers.
        Err(status) => {
            let mut response = Response::new(AnswerBody::Trailers(None));
            *response.headers_mut() = trailers(&Err(status));
            response
        }
    };
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static("application/grpc"));
    response
}

/// `application/grpc`, also with a codec's name or parameters behind it.
fn is_grpc(content_type: &[u8]) -> bool {
    content_type.strip_prefix(b"application/grpc").is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

/// Like `1500m`: at most eight digits, and a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    let (unit, digits) = (text.chars().last()?, text.get(..text.len().checked_sub(1)?)?);
    let number: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        'H' => Duration::from_secs(number * 3600),
        'M' => Duration::from_secs(number * 60),
        'S' => Duration::from_secs(number),
        'm' => Duration::from_millis(number),
        'u' => Duration::from_micros(number),
        'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

/// The one message of a request.
async fn read_single(mut body: Incoming) -> Result<Bytes, Status> {
    let mut decoder = Decoder::new(MAX_REQUEST_BYTES);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Status::new(Code::Cancelled, stdx::error::chain(&error)))?;
        let Ok(data) = frame.into_data() else { continue };
        decoder.push(&data);
        let message = decoder.next_bytes().map_err(|error| {
            let code = match error {
                FrameError::TooLarge { .. } => Code::ResourceExhausted,
                FrameError::Compressed => Code::Unimplemented,
                FrameError::Garbled(_) => Code::Internal,
            };
            Status::new(code, format!("grpc: {error}"))
        })?;
        if let Some(message) = message {
            return Ok(message);
        }
    }
    Err(Status::internal("the request ended before its message"))
}

/// The frames, and then the end.
enum AnswerBody {
    Frames(BoxStream<'static, Result<Bytes, Status>>),
    Trailers(Option<HeaderMap>),
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let end = match &mut *self {
            AnswerBody::Trailers(trailers) => return Poll::Ready(trailers.take().map(Frame::trailers).map(Ok)),
            AnswerBody::Frames(frames) => match std::task::ready!(frames.poll_next_unpin(context)) {
                Some(Ok(frame)) => return Poll::Ready(Some(Ok(Frame::data(frame)))),
                Some(Err(status)) => Err(status),
                None => Ok(()),
            },
        };
        *self = AnswerBody::Trailers(None);
        Poll::Ready(Some(Ok(Frame::trailers(trailers(&end)))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, AnswerBody::Trailers(None))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use tokio::sync::Notify;

    use super::*;
    use crate::Channel;
    use crate::frame::tests::Note;

    /// Answers by what the path asks for.
    #[derive(Default)]
    struct Echo {
        begun: Notify,
        dropped: Arc<Notify>,
    }

    struct Guard(Arc<Notify>);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    impl Service for Echo {
        fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>> {
            Box::pin(async move {
                let note = Note::decode(message).map_err(|error| Status::invalid(error.to_string()))?;
                match path.as_str() {
                    "/test.Echo/Once" => Ok(Answer::one(&note)),
                    "/test.Echo/Count" => {
                        Ok(Answer::many(stream::iter((0..note.number).map(|number| Ok(Note::new("", number))))))
                    }
                    "/test.Echo/Break" => {
                        let first = stream::once(async { Ok(Note::new("", 0)) });
                        let rest = stream::once(async { Err(Status::new(Code::DataLoss, "50% went\nastray")) });
                        Ok(Answer::many(first.chain(rest)))
                    }
                    "/test.Echo/Never" => {
                        let _guard = Guard(self.dropped.clone());
                        self.begun.notify_one();
                        std::future::pending().await
                    }
                    _ => Err(Status::unimplemented(format!("unknown method {path}"))),
                }
            })
        }
    }

    struct Bench {
        folder: tempfile::TempDir,
        cancel: CancellationToken,
        echo: Arc<Echo>,
    }

    impl Bench {
        fn new() -> Self {
            let bench = Bench {
                folder: tempfile::tempdir().unwrap(),
                cancel: CancellationToken::new(),
                echo: Arc::new(Echo::default()),
            };
            bench.serve(bench.cancel.clone());
            bench
        }

        fn path(&self) -> std::path::PathBuf {
            self.folder.path().join("test.sock")
        }

        fn serve(&self, cancel: CancellationToken) -> tokio::task::JoinHandle<()> {
            let listener = bind(&self.path()).unwrap();
            tokio::spawn(serve(listener, self.echo.clone(), Clock::system(), cancel))
        }
    }

    #[tokio::test]
    async fn calls_are_answered_once_often_or_with_an_error() {
        let bench = Bench::new();
        let channel = Channel::unix(&bench.path());
        let large = Note::new(&"x".repeat(3_000_000), 7);
        let answer: Note = channel.unary("test.Echo/Once", &large, Some(Duration::from_secs(60))).await.unwrap();
        assert_eq!(answer, large);

        let mut counted = channel.stream::<Note>("test.Echo/Count", &Note::new("", 1000)).await.unwrap();
        for number in 0..1000 {
            assert_eq!(counted.next().await.unwrap().unwrap().number, number);
        }
        assert!(counted.next().await.is_none() && counted.next().await.is_none());

        let mut broken = channel.stream::<Note>("test.Echo/Break", &Note::default()).await.unwrap();
        assert!(broken.next().await.unwrap().is_ok());
        assert_eq!(broken.next().await, Some(Err(Status::new(Code::DataLoss, "50% went\nastray"))));
        assert!(broken.next().await.is_none());

        let unknown = channel.unary::<Note>("test.Echo/Other", &Note::default(), None).await.unwrap_err();
        assert_eq!(unknown, Status::unimplemented("unknown method /test.Echo/Other"));
        let too_large = Note::new(&"x".repeat(MAX_REQUEST_BYTES), 0);
        let refused = channel.unary::<Note>("test.Echo/Once", &too_large, None).await.unwrap_err();
        assert_eq!(refused.code, Code::ResourceExhausted, "{refused}");
        assert!(refused.message.starts_with("grpc: received message larger than max (16777"), "{refused}");
    }

    #[tokio::test]
    async fn a_deadline_ends_the_call_on_both_sides() {
        let bench = Bench::new();
        let channel = Channel::unix(&bench.path());
        let timeout = Some(Duration::from_millis(50));
        let late = channel.unary::<Note>("test.Echo/Never", &Note::default(), timeout).await.unwrap_err();
        assert_eq!(late, Status::new(Code::DeadlineExceeded, "context deadline exceeded"));
        // The server holds to the deadline itself, whether or not the client says that it has gone.
        let request = |timeout: &str| {
            let body = http_body_util::Full::new(encode(&Note::default()));
            let request = Request::post("http://localhost/test.Echo/Never").header("grpc-timeout", timeout);
            request.header(header::CONTENT_TYPE, "application/grpc").body(body).unwrap()
        };
        let stream = UnixStream::connect(bench.path()).await.unwrap();
        let (mut sender, driver) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
            .handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(driver);
        for (timeout, code) in [("10m", Code::DeadlineExceeded), ("soon", Code::Internal)] {
            let response = sender.send_request(request(timeout)).await.unwrap();
            assert_eq!(crate::outcome(response.headers()).unwrap().unwrap_err().code, code, "{timeout}");
        }
    }

    #[tokio::test]
    async fn a_client_that_goes_away_takes_its_call_with_it() {
        let bench = Bench::new();
        let channel = Channel::unix(&bench.path());
        let note = Note::default();
        tokio::select! {
            _ = channel.unary::<Note>("test.Echo/Never", &note, None) => unreachable!("it never answers"),
            () = bench.echo.begun.notified() => {}
        }
        bench.echo.dropped.notified().await;
        // The connection is none the worse for it.
        channel.unary::<Note>("test.Echo/Once", &note, None).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_comes_back_is_found() {
        let bench = Bench::new();
        let channel = Channel::unix(&bench.path());
        channel.unary::<Note>("test.Echo/Once", &Note::default(), None).await.unwrap();
        bench.cancel.cancel();
        let again = CancellationToken::new();
        bench.serve(again.clone());
        // The first may fail: it can have left before the connection was seen to be dead.
        let mut answered = channel.unary::<Note>("test.Echo/Once", &Note::default(), None).await;
        if answered.is_err() {
            answered = channel.unary("test.Echo/Once", &Note::default(), None).await;
        }
        answered.unwrap();
        again.cancel();
    }

    #[tokio::test]
    async fn only_the_owner_may_speak_to_the_socket() {
        let bench = Bench::new();
        let metadata = fs::metadata(bench.path()).unwrap();
        assert!(metadata.file_type().is_socket());
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn timeouts_are_read_in_every_unit() {
        for (text, expected) in [
            ("1H", Some(3_600_000)),
            ("2M", Some(120_000)),
            ("3S", Some(3_000)),
            ("99999999m", Some(99_999_999)),
            ("5000u", Some(5)),
            ("6000000n", Some(6)),
            ("", None),
            ("m", None),
            ("5", None),
            ("123456789m", None),
            ("-1m", None),
            ("1ä", None),
        ] {
            assert_eq!(parse_timeout(text), expected.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn a_content_type_may_name_a_codec() {
        assert!(is_grpc(b"application/grpc") && is_grpc(b"application/grpc+proto") && is_grpc(b"application/grpc;a=b"));
        assert!(!is_grpc(b"application/grpcweb") && !is_grpc(b"text/plain"));
    }
}
