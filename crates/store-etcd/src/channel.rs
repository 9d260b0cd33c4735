//! One HTTP/2 connection to whichever etcd server answers, made again when it is lost.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::{Request, Response, header};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use prost::Message;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use stdx::{Backoff, Clock};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::address::Endpoint;
use crate::grpc::{CallError, Decoder, encode, outcome};

/// How long one server may take to accept a connection before the next is tried.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(2));

/// A silent peer is asked for a sign of life so often, and given up so long after; as upstream's client.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a server may send ahead: for one call and for all together. One page of a large list fits.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Where calls go.
#[derive(Debug)]
pub(crate) struct Channel {
    endpoints: Vec<Endpoint>,
    tls: Option<Arc<ClientConfig>>,
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    connection: Option<Connection>,
    /// The server to try first: behind the one that failed last.
    next_endpoint: usize,
    backoff: Backoff,
    /// Not before this moment, since all servers failed a while ago.
    next_try: Option<Instant>,
    last_failure: String,
    generation: u64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Unary,
    Stream,
}

#[derive(Clone, Debug)]
struct Connection {
    sender: SendRequest<Body>,
    origin: Arc<str>,
    generation: u64,
    /// Cuts everything that goes over the connection.
    cut: CancellationToken,
}

impl Channel {
    pub(crate) fn new(endpoints: Vec<Endpoint>, tls: Option<Arc<ClientConfig>>, clock: Clock) -> Self {
        let state = State {
            connection: None,
            next_endpoint: 0,
            backoff: BACKOFF,
            next_try: None,
            last_failure: String::new(),
            generation: 0,
        };
        Channel { endpoints, tls, clock, state: Mutex::new(state) }
    }

    /// One request, one answer.
    pub(crate) async fn unary<A: Message + Default>(
        &self,
        method: &'static str,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<A, CallError> {
        let message = encode(request);
        let (connection, response) =
            self.send(method, Kind::Unary, deadline, || Full::new(message.clone()).boxed_unsync()).await?;
        let answered = timeout_at(deadline, read_single(response)).await;
        match answered {
            Ok(Err(error @ CallError::Interrupted { .. })) => {
                self.leave(&connection, false).await;
                Err(error)
            }
            Ok(answered) => answered,
            Err(_) => Err(self.late(&connection).await),
        }
    }

    /// One request that may be carried out more than once: it is sent again while there is time.
    pub(crate) async fn repeatable<A: Message + Default>(
        &self,
        method: &'static str,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<A, CallError> {
        let mut backoff = BACKOFF;
        loop {
            let answered = self.unary(method, request, deadline).await;
            let next_try = self.clock.instant() + backoff.next_delay();
            if !matches!(answered, Err(CallError::Interrupted { .. })) || next_try >= deadline {
                return answered;
            }
            sleep_until(next_try).await;
        }
    }

    /// One request, and answers until either side has enough. The request's side stays open.
    pub(crate) async fn stream<A: Message + Default>(
        &self,
        method: &'static str,
        request: &impl Message,
        deadline: Instant,
    ) -> Result<Streaming<A>, CallError> {
        let message = encode(request);
        let body = || {
            let first = Ok::<_, Infallible>(Frame::data(message.clone()));
            StreamBody::new(stream::once(async { first }).chain(stream::pending())).boxed_unsync()
        };
        let (_, response) = self.send(method, Kind::Stream, deadline, body).await?;
        if let Some(outcome) = outcome(response.headers()) {
            outcome?;
        }
        Ok(Streaming { body: response.into_body(), decoder: Decoder::default(), kind: std::marker::PhantomData })
    }

    /// Sends a request over a connection that takes it. A request that a dying connection gave back is sent again;
    /// one that may have left is not.
    async fn send(
        &self,
        method: &'static str,
        kind: Kind,
        deadline: Instant,
        body: impl Fn() -> Body,
    ) -> Result<(Connection, Response<Incoming>), CallError> {
        loop {
            let mut connection = self.connection(deadline).await?;
            let remaining = deadline.saturating_duration_since(self.clock.instant());
            // etcd gives up at the deadline too; a stream has none once it has begun.
            let timeout = matches!(kind, Kind::Unary).then_some(remaining);
            let request = request(&connection.origin, method, timeout, body())
                .map_err(|error| CallError::Unreachable { reason: error.to_string() })?;
            match timeout_at(deadline, connection.sender.try_send_request(request)).await {
                Ok(Ok(response)) => return Ok((connection, response)),
                Ok(Err(mut failed)) => {
                    let never_left = failed.take_message().is_some();
                    self.leave(&connection, false).await;
                    if !never_left {
                        return Err(interrupted(&failed.into_error()));
                    }
                }
                Err(_) => return Err(self.late(&connection).await),
            }
        }
    }

    /// The connection there is, or a new one.
    async fn connection(&self, deadline: Instant) -> Result<Connection, CallError> {
        let late = |reason: &str| CallError::Unreachable { reason: reason.to_owned() };
        let Ok(mut state) = timeout_at(deadline, self.state.lock()).await else {
            return Err(late("no connection could be made in time"));
        };
        if let Some(connection) = state.connection.as_ref().filter(|connection| !connection.sender.is_closed()) {
            return Ok(connection.clone());
        }
        state.connection = None;
        loop {
            let now = self.clock.instant();
            if deadline <= now {
                return Err(late(&state.last_failure));
            }
            if let Some(next_try) = state.next_try.filter(|next_try| *next_try > now) {
                sleep_until(next_try.min(deadline)).await;
                continue;
            }
            if let Some(connection) = self.connect_to_any(&mut state).await {
                return Ok(connection);
            }
            let delay = state.backoff.next_delay();
            state.next_try = Some(self.clock.instant() + delay);
        }
    }

    /// Tries one server after the other.
    async fn connect_to_any(&self, state: &mut State) -> Option<Connection> {
        let mut failures = Vec::new();
        for offset in 0..self.endpoints.len() {
            let index = (state.next_endpoint + offset) % self.endpoints.len();
            let endpoint = &self.endpoints[index];
            match timeout(CONNECT_TIMEOUT, connect(endpoint, self.tls.as_ref())).await {
                Ok(Ok((sender, cut))) => {
                    let scheme = if self.tls.is_some() { "https" } else { "http" };
                    let origin = format!("{scheme}://{endpoint}").into();
                    state.generation += 1;
                    state.next_endpoint = index;
                    state.next_try = None;
                    state.backoff.reset();
                    tracing::debug!(%endpoint, "connected to etcd");
                    let connection = Connection { sender, origin, generation: state.generation, cut };
                    state.connection = Some(connection.clone());
                    return Some(connection);
                }
                Ok(Err(reason)) => failures.push(format!("{endpoint}: {reason}")),
                Err(_) => failures.push(format!("{endpoint}: does not accept connections in time")),
            }
        }
        state.last_failure = failures.join("; ");
        None
    }

    /// No further calls over this connection; the next one goes to the next server first.
    async fn leave(&self, connection: &Connection, cut: bool) {
        if cut {
            connection.cut.cancel();
        }
        let mut state = self.state.lock().await;
        if state.connection.as_ref().is_some_and(|current| current.generation == connection.generation) {
            state.connection = None;
            state.next_endpoint = (state.next_endpoint + 1) % self.endpoints.len();
        }
    }

    /// A call was not answered in time: whatever else hangs on the connection would wait in vain too.
    async fn late(&self, connection: &Connection) -> CallError {
        self.leave(connection, true).await;
        CallError::Interrupted { reason: "the answer did not come in time".into() }
    }
}

/// The answers of a streaming call.
#[derive(Debug)]
pub(crate) struct Streaming<A> {
    body: Incoming,
    decoder: Decoder,
    kind: std::marker::PhantomData<A>,
}

impl<A: Message + Default> Streaming<A> {
    /// The next answer; a stream that ends has failed.
    pub(crate) async fn next(&mut self) -> Result<A, CallError> {
        loop {
            if let Some(message) = self.decoder.next()? {
                return Ok(message);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.decoder.push(&data),
                    Err(frame) => {
                        if let Some(outcome) = frame.trailers_ref().and_then(outcome) {
                            outcome?;
                        }
                    }
                },
                Some(Err(error)) => return Err(interrupted(&error)),
                None => return Err(CallError::Interrupted { reason: "the stream ended".into() }),
            }
        }
    }
}

async fn read_single<A: Message + Default>(response: Response<Incoming>) -> Result<A, CallError> {
    if let Some(outcome) = outcome(response.headers()) {
        outcome?;
    }
    if !response.status().is_success() {
        return Err(CallError::Interrupted { reason: format!("it answered with HTTP status {}", response.status()) });
    }
    let mut body = response.into_body();
    let mut decoder = Decoder::default();
    let mut end = None;
    while let Some(frame) = body.frame().await {
        match frame.map_err(|error| interrupted(&error))?.into_data() {
            Ok(data) => decoder.push(&data),
            Err(frame) => end = frame.trailers_ref().and_then(outcome),
        }
    }
    end.ok_or_else(|| CallError::Interrupted { reason: "the answer ended without a status".into() })??;
    decoder.next()?.ok_or_else(|| CallError::Interrupted { reason: "the answer is empty".into() })
}

fn request(origin: &str, method: &str, timeout: Option<Duration>, body: Body) -> Result<Request<Body>, http::Error> {
    let mut request = Request::post(format!("{origin}/{method}"));
    if let Some(timeout) = timeout {
        // At most eight digits.
        request = request.header("grpc-timeout", format!("{}m", timeout.as_millis().min(99_999_999)));
    }
    request
        .header(header::CONTENT_TYPE, "application/grpc")
        .header(header::TE, "trailers")
        // etcd ends a watch at a server that lost its leader, instead of leaving it without news.
        .header("hasleader", "true")
        .body(body)
}

async fn connect(
    endpoint: &Endpoint,
    tls: Option<&Arc<ClientConfig>>,
) -> Result<(SendRequest<Body>, CancellationToken), String> {
    let stream =
        TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let Some(tls) = tls else { return handshake(stream).await };
    let name = ServerName::try_from(endpoint.host.clone()).map_err(|error| error.to_string())?;
    let connector = tokio_rustls::TlsConnector::from(tls.clone());
    handshake(connector.connect(name, stream).await.map_err(|error| error.to_string())?).await
}

async fn handshake(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<(SendRequest<Body>, CancellationToken), String> {
    let (sender, connection) = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| stdx::error::chain(&error))?;
    let cut = CancellationToken::new();
    let token = cut.clone();
    // Ends with the connection, or with the last sender and stream that hang on it.
    tokio::spawn(async move {
        tokio::select! {
            () = token.cancelled() => {}
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!("the connection to etcd ended: {}", stdx::error::chain(&error));
                }
            }
        }
    });
    Ok((sender, cut))
}

fn interrupted(error: &hyper::Error) -> CallError {
    CallError::Interrupted { reason: stdx::error::chain(error) }
}
