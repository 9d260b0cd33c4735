//! The way from every component to the API server, and what can go wrong on it.
//!
//! Each component speaks through an end of its own. Ends can be cut off, held back, or die in the middle of a
//! write; while there is [`Weather`], chance refuses, delays and loses what it will.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use apiserver::LocalService;
use bytes::Bytes;
use client::Client;
use client::kube::client::Body as RequestBody;
use futures::future::BoxFuture;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use stdx::{Random, Signal, signal};
use tokio_util::sync::CancellationToken;
use tower::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Body = UnsyncBoxBody<Bytes, BoxError>;

/// How many of a thousand requests fare how, beside those that fare well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather {
    /// Refused, and nothing was done: the server is overloaded, or has a fault.
    pub(crate) refused: u64,
    /// Updates refused as if another had come first.
    pub(crate) conflicts: u64,
    /// Done, but the answer never arrives.
    pub(crate) lost: u64,
    pub(crate) delayed: u64,
    pub(crate) longest_delay: Duration,
}

/// All ends; clones share them.
#[derive(Clone)]
pub(crate) struct Network {
    shared: Arc<Mutex<State>>,
    random: Random,
}

#[derive(Default)]
struct State {
    weather: Weather,
    /// The server is away: nobody gets through.
    is_down: bool,
    ends: BTreeMap<String, Arc<Signal<End>>>,
    fuses: BTreeMap<String, Fuse>,
    calls: BTreeMap<(String, String), u64>,
}

/// What one end is told to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct End {
    /// How often its watches were cut.
    cuts: u64,
    /// Its watches deliver nothing for now.
    is_held: bool,
    /// Nothing gets through.
    is_apart: bool,
    /// The process is no more: nothing that it began comes to an end.
    is_dead: bool,
}

/// Kills its end at a write to come.
struct Fuse {
    writes_left: u64,
    burnt: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
#[error("connection reset by peer")]
struct Reset;

impl Network {
    pub(crate) fn new(random: Random) -> Self {
        Network { shared: Arc::default(), random }
    }

    /// A client that speaks through an end, to the server that there is at the moment.
    pub(crate) fn client(&self, service: impl Fn() -> LocalService + Send + Sync + 'static, end: &str) -> Client {
        let service = Arc::new(service);
        client::in_process(Line { network: self.clone(), signal: self.end(end), end: end.into(), service })
    }

    /// Takes the server away from everybody, or gives one back.
    pub(crate) fn set_down(&self, is_down: bool) {
        let ends: Vec<String> = {
            let mut state = self.lock();
            state.is_down = is_down;
            state.ends.keys().cloned().collect()
        };
        if is_down {
            ends.iter().for_each(|end| self.cut(end));
        }
    }

    pub(crate) fn is_down(&self) -> bool {
        self.lock().is_down
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.lock().weather = weather;
    }

    /// Ends all watches of an end, as if the connection had broken.
    pub(crate) fn cut(&self, end: &str) {
        self.change(end, |end| end.cuts += 1);
    }

    /// Keeps back what the end's watches would deliver, until it is let go.
    pub(crate) fn hold(&self, end: &str, is_held: bool) {
        self.change(end, |end| end.is_held = is_held);
    }

    /// Parts an end from the server, or joins it again.
    pub(crate) fn part(&self, end: &str, is_apart: bool) {
        self.change(end, |end| {
            end.cuts += u64::from(is_apart);
            end.is_apart = is_apart;
        });
    }

    pub(crate) fn kill(&self, end: &str) {
        self.change(end, |end| end.is_dead = true);
    }

    /// Kills an end in place of the write that comes after so many others; tells when that has come.
    pub(crate) fn kill_at_write(&self, end: &str, writes_before: u64) -> CancellationToken {
        let burnt = CancellationToken::new();
        let fuse = Fuse { writes_left: writes_before, burnt: burnt.clone() };
        self.lock().fuses.insert(end.to_owned(), fuse);
        burnt
    }

    /// Takes back what [`Network::kill_at_write`] was told.
    pub(crate) fn clear_fuses(&self) {
        self.lock().fuses.clear();
    }

    /// How often each end made each kind of call: the end, then the verb and the resource.
    pub(crate) fn calls(&self) -> BTreeMap<(String, String), u64> {
        self.lock().calls.clone()
    }

    fn end(&self, end: &str) -> Arc<Signal<End>> {
        Arc::clone(self.lock().ends.entry(end.to_owned()).or_insert_with(|| Arc::new(Signal::new(End::default()))))
    }

    fn change(&self, end: &str, change: impl FnOnce(&mut End)) {
        let signal = self.end(end);
        let mut state = signal.get();
        change(&mut state);
        signal.set(state);
    }

    /// Counts a call; true where the end dies of it.
    fn note(&self, end: &str, call: &Call) -> bool {
        let mut state = self.lock();
        *state.calls.entry((end.to_owned(), call.name())).or_default() += 1;
        if !call.is_write {
            return false;
        }
        match state.fuses.get_mut(end) {
            Some(fuse) if fuse.writes_left == 0 => {
                let fuse = state.fuses.remove(end);
                drop(state);
                self.kill(end);
                if let Some(fuse) = fuse {
                    fuse.burnt.cancel();
                }
                true
            }
            Some(fuse) => {
                fuse.writes_left -= 1;
                false
            }
            None => false,
        }
    }

    fn fate(&self, call: &Call) -> Fate {
        let weather = self.lock().weather;
        if weather == Weather::default() || call.is_watch {
            return Fate::Good;
        }
        let mut lot = self.random.below(1000);
        let mut falls_on = |share: u64| {
            let falls = lot < share;
            lot = lot.saturating_sub(share);
            if falls {
                lot = u64::MAX;
            }
            falls
        };
        if falls_on(weather.refused) {
            Fate::Refused(if self.random.below(2) == 0 { REFUSALS[0] } else { REFUSALS[1] })
        } else if falls_on(weather.conflicts) {
            if call.is_update { Fate::Refused(CONFLICT) } else { Fate::Good }
        } else if falls_on(weather.lost) {
            if call.is_write { Fate::Lost } else { Fate::Good }
        } else if falls_on(weather.delayed) {
            let longest = u64::try_from(weather.longest_delay.as_millis()).unwrap_or(u64::MAX).max(1);
            Fate::Delayed(Duration::from_millis(self.random.below(longest)))
        } else {
            Fate::Good
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
enum Fate {
    Good,
    Refused((StatusCode, &'static str, &'static str)),
    Lost,
    Delayed(Duration),
}

const REFUSALS: [(StatusCode, &str, &str); 2] = [
    (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Internal error occurred: the weather is bad"),
    (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", "Too many requests, please try again later."),
];
const CONFLICT: (StatusCode, &str, &str) = (
    StatusCode::CONFLICT,
    "Conflict",
    "the object has been modified; please apply your changes to the latest version and try again",
);

/// What of a request matters here.
struct Call {
    is_watch: bool,
    is_write: bool,
    /// Of what may have changed meanwhile.
    is_update: bool,
    method: Method,
    path: String,
}

impl Call {
    fn of<B>(request: &Request<B>) -> Call {
        let method = request.method().clone();
        Call {
            is_watch: request.uri().query().is_some_and(|query| query.contains("watch=true")),
            is_write: method != Method::GET,
            is_update: method == Method::PUT,
            path: request.uri().path().to_owned(),
            method,
        }
    }

    /// Such as `list pods`, `patch pods/status`.
    fn name(&self) -> String {
        let mut parts: Vec<&str> = self.path.split('/').filter(|part| !part.is_empty()).collect();
        // Behind `api/v1` or `apis/GROUP/VERSION`.
        parts.drain(..parts.len().min(if parts.first() == Some(&"api") { 2 } else { 3 }));
        if parts.first() == Some(&"namespaces") && parts.len() > 2 {
            parts.drain(..2);
        }
        let resource = parts.first().copied().unwrap_or_default();
        let subresource = parts.get(2).map(|subresource| format!("/{subresource}")).unwrap_or_default();
        if resource.is_empty() {
            return "discover".to_owned();
        }
        let verb = match self.method {
            Method::GET if self.is_watch => "watch",
            Method::GET if parts.len() < 2 => "list",
            Method::GET => "get",
            Method::POST => "create",
            Method::PUT => "update",
            Method::PATCH => "patch",
            _ => "delete",
        };
        format!("{verb} {resource}{subresource}")
    }
}

/// One end's service.
#[derive(Clone)]
struct Line {
    network: Network,
    end: Arc<str>,
    signal: Arc<Signal<End>>,
    service: Arc<dyn Fn() -> LocalService + Send + Sync>,
}

impl Service<Request<RequestBody>> for Line {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response<Body>, BoxError>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let line = self.clone();
        Box::pin(async move { line.carry(request).await })
    }
}

impl Line {
    async fn carry(self, request: Request<RequestBody>) -> Result<Response<Body>, BoxError> {
        let call = Call::of(&request);
        if self.signal.get().is_dead || self.network.note(&self.end, &call) {
            return std::future::pending().await;
        }
        if self.signal.get().is_apart || self.network.is_down() {
            return Err(Reset.into());
        }
        let fate = self.network.fate(&call);
        match fate {
            Fate::Refused((code, reason, message)) => return Ok(refusal(code, reason, message)),
            Fate::Delayed(delay) => tokio::time::sleep(delay).await,
            Fate::Good | Fate::Lost => {}
        }
        let news = self.signal.subscribe();
        let cuts = self.signal.get().cuts;
        let answer = (self.service)().call(request).await?;
        let state = self.signal.get();
        if state.is_dead {
            return std::future::pending().await;
        }
        if matches!(fate, Fate::Lost) || state.is_apart || state.cuts != cuts && self.network.is_down() {
            return Err(Reset.into());
        }
        if !call.is_watch {
            return Ok(answer.map(|body| body.map_err(Into::into).boxed_unsync()));
        }
        Ok(answer.map(|body| {
            let inner = body.map_err(Into::into).boxed_unsync();
            Fragile { inner, news, cuts }.boxed_unsync()
        }))
    }
}

fn refusal(code: StatusCode, reason: &str, message: &str) -> Response<Body> {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "reason": reason, "message": message, "code": code.as_u16(),
    });
    let body = Full::from(status.to_string()).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

/// A watch's stream, which can be held and cut.
struct Fragile {
    inner: Body,
    news: signal::Receiver<End>,
    /// How many cuts there had been when it began.
    cuts: u64,
}

impl http_body::Body for Fragile {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        // Until it has nothing new, and has taken down who waits.
        while matches!(self.news.poll_changed(context), Poll::Ready(Ok(_))) {}
        let state = self.news.get();
        if state.is_dead {
            return Poll::Pending;
        }
        if state.cuts != self.cuts {
            return Poll::Ready(Some(Err(Reset.into())));
        }
        if state.is_held {
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_named_by_verb_and_resource() {
        let named = |method: Method, uri: &str| {
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            Call::of(&request).name()
        };
        assert_eq!(named(Method::GET, "/api/v1/pods?limit=500"), "list pods");
        assert_eq!(named(Method::GET, "/apis/apps/v1/deployments?watch=true"), "watch deployments");
        assert_eq!(
            named(Method::PUT, "/apis/apps/v1/namespaces/a/deployments/web/status"),
            "update deployments/status"
        );
        assert_eq!(named(Method::POST, "/api/v1/namespaces/a/pods"), "create pods");
        assert_eq!(named(Method::GET, "/api/v1/namespaces/a"), "get namespaces");
        assert_eq!(named(Method::PATCH, "/api/v1/nodes/a/status"), "patch nodes/status");
        assert_eq!(named(Method::GET, "/apis/apps/v1"), "discover");
    }
}
