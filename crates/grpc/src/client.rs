//! Calling a server at a unix socket: one HTTP/2 connection, made when it is needed and again when it was lost.

use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::frame::{Decoder, FrameError, encode};
use crate::status::{Code, Status, outcome};

/// The most that one answer may have: the output of a command, twice what runtimes cut a stream at, and some.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// What a server may send ahead: for one call and for all together.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// A connection found dead before a request has left is made again so often.
const ATTEMPTS: usize = 3;

/// Where calls go.
#[derive(Debug)]
pub struct Channel {
    path: PathBuf,
    connection: Mutex<Option<SendRequest<Full<Bytes>>>>,
}

impl Channel {
    /// Calls the server at a unix socket; nothing is connected before the first call.
    pub fn unix(path: &Path) -> Self {
        Channel { path: path.to_owned(), connection: Mutex::new(None) }
    }

    /// One request, one answer. The server is told of `timeout` and the call ends with it; without one it takes as
    /// long as it takes. `method` is `package.Service/Method`.
    pub async fn unary<A: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
        timeout: Option<Duration>,
    ) -> Result<A, Status> {
        let call = async { read_single(self.send(method, request, timeout).await?).await };
        match timeout {
            None => call.await,
            Some(timeout) => {
                tokio::time::timeout(timeout, call).await.unwrap_or_else(|_| Err(Status::deadline_exceeded()))
            }
        }
    }

    /// One request, and answers until the server has no more or [`Streaming`] is dropped.
    pub async fn stream<A: Message + Default>(
        &self,
        method: &str,
        request: &impl Message,
    ) -> Result<Streaming<A>, Status> {
        let response = checked(self.send(method, request, None).await?)?;
        let decoder = Decoder::new(MAX_ANSWER_BYTES);
        Ok(Streaming { body: response.into_body(), decoder, is_done: false, kind: PhantomData })
    }

    /// Sends a request. One that a dying connection gave back is sent again; one that may have left is not.
    async fn send(
        &self,
        method: &str,
        message: &impl Message,
        timeout: Option<Duration>,
    ) -> Result<Response<Incoming>, Status> {
        let frame = encode(message);
        let mut attempt = 1;
        loop {
            let request = request(method, &frame, timeout).map_err(|error| Status::internal(error.to_string()))?;
            let mut sender = self.connection().await?;
            match sender.try_send_request(request).await {
                Ok(response) => return Ok(response),
                Err(mut failed) => {
                    let never_left = failed.take_message().is_some();
                    if !never_left || attempt == ATTEMPTS {
                        return Err(interrupted(&failed.into_error()));
                    }
                    attempt += 1;
                }
            }
        }
    }

    async fn connection(&self) -> Result<SendRequest<Full<Bytes>>, Status> {
        let mut connection = self.connection.lock().await;
        if let Some(sender) = connection.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let stream = UnixStream::connect(&self.path).await.map_err(|error| unreachable(&self.path, &error))?;
        let (sender, driver) = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| interrupted(&error))?;
        // Ends with the connection, or with the last sender and stream that hang on it.
        tokio::spawn(async move {
            if let Err(error) = driver.await {
                tracing::debug!("a connection to a unix socket ended: {}", stdx::error::chain(&error));
            }
        });
        *connection = Some(sender.clone());
        Ok(sender)
    }
}

/// The answers of a call.
#[derive(Debug)]
pub struct Streaming<A> {
    body: Incoming,
    decoder: Decoder,
    is_done: bool,
    kind: PhantomData<fn() -> A>,
}

impl<A: Message + Default> Streaming<A> {
    /// The next answer; nothing after the server's last one. An error is the end.
    pub async fn next(&mut self) -> Option<Result<A, Status>> {
        if self.is_done {
            return None;
        }
        let next = self.advance().await.transpose();
        self.is_done = !matches!(next, Some(Ok(_)));
        next
    }

    async fn advance(&mut self) -> Result<Option<A>, Status> {
        loop {
            if let Some(message) = self.decoder.next_message().map_err(|error| unreadable(&error))? {
                return Ok(Some(message));
            }
            let Some(frame) = self.body.frame().await else {
                return Err(Status::internal("server closed the stream without sending trailers"));
            };
            match frame.map_err(|error| interrupted(&error))?.into_data() {
                Ok(data) => self.decoder.push(&data),
                Err(frame) => {
                    if let Some(outcome) = frame.trailers_ref().and_then(outcome) {
                        return outcome.map(|()| None);
                    }
                }
            }
        }
    }
}

async fn read_single<A: Message + Default>(response: Response<Incoming>) -> Result<A, Status> {
    let mut body = checked(response)?.into_body();
    let mut decoder = Decoder::new(MAX_ANSWER_BYTES);
    let (mut answer, mut end) = (None, None);
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| interrupted(&error))?.into_data() {
            Ok(data) => {
                decoder.push(&data);
                // Read at once, so that what is too large is refused before it has been gathered.
                if answer.is_none() {
                    answer = decoder.next_message().map_err(|error| unreadable(&error))?;
                }
            }
            Err(frame) => end = frame.trailers_ref().and_then(outcome),
        }
    }
    end.ok_or_else(|| Status::internal("server closed the stream without sending trailers"))??;
    answer.ok_or_else(|| Status::internal("the answer is empty"))
}

/// The response, unless it says at once that the call has failed.
fn checked(response: Response<Incoming>) -> Result<Response<Incoming>, Status> {
    match outcome(response.headers()) {
        Some(Err(status)) => return Err(status),
        Some(Ok(())) => return Err(Status::internal("the answer is empty")),
        None => {}
    }
    // The protocol's own table for servers that are none.
    let code = match response.status() {
        StatusCode::OK => return Ok(response),
        StatusCode::BAD_REQUEST => Code::Internal,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::Unimplemented,
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => Code::Unavailable,
        _ => Code::Unknown,
    };
    let text = format!("unexpected HTTP status code received from server: {}", response.status());
    Err(Status::new(code, text))
}

fn request(method: &str, frame: &Bytes, timeout: Option<Duration>) -> Result<Request<Full<Bytes>>, http::Error> {
    // The name that upstream's clients give to a socket.
    let mut request = Request::post(format!("http://localhost/{method}"));
    if let Some(timeout) = timeout {
        request = request.header("grpc-timeout", timeout_text(timeout));
    }
    request
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        .body(Full::new(frame.clone()))
}

/// At most eight digits, and a unit.
fn timeout_text(timeout: Duration) -> String {
    match timeout.as_millis() {
        milliseconds if milliseconds <= 99_999_999 => format!("{milliseconds}m"),
        _ => format!("{}S", timeout.as_secs().min(99_999_999)),
    }
}

/// In the words of upstream's client, which end up in the node's condition.
fn unreachable(path: &Path, error: &io::Error) -> Status {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default().to_lowercase();
    let text = format!("transport: Error while dialing: dial unix {}: connect: {reason}", path.display());
    Status::new(Code::Unavailable, format!("connection error: desc = {text:?}"))
}

fn interrupted(error: &hyper::Error) -> Status {
    Status::new(Code::Unavailable, format!("error reading from server: {}", stdx::error::chain(error)))
}

fn unreadable(error: &FrameError) -> Status {
    let code = match error {
        FrameError::TooLarge { .. } => Code::ResourceExhausted,
        FrameError::Compressed | FrameError::Garbled(_) => Code::Internal,
    };
    Status::new(code, format!("grpc: {}", stdx::error::chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_fits_the_header() {
        assert_eq!(timeout_text(Duration::from_secs(120)), "120000m");
        assert_eq!(timeout_text(Duration::from_secs(200_000)), "200000S");
        assert_eq!(timeout_text(Duration::MAX), "99999999S");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.sock");
        let channel = Channel::unix(&path);
        let failed = channel.unary::<crate::frame::tests::Note>("a.B/C", &(), None).await.unwrap_err();
        let reason = format!("dial unix {}: connect: no such file or directory", path.display());
        assert_eq!(failed.code, Code::Unavailable);
        assert_eq!(failed.message, format!("connection error: desc = \"transport: Error while dialing: {reason}\""));
    }
}
