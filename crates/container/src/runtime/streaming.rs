//! The loopback server behind exec, attach and port-forward.
//!
//! It is started at first use. Each call hands out a URL with a token that works once, within a
//! minute; whoever presents it gets the stream that the call described, and nothing else.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use cri::{AttachRequest, Code, ExecRequest, PortForwardRequest, Status};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use remotecommand::{Limits, Refusal, exec, portforward};
use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::{Runtime, internal, streams};

const TOKEN_LIFETIME: Duration = Duration::from_secs(60);
/// Offers that nobody has taken up yet.
const OFFER_LIMIT: usize = 1000;

/// What a token stands for.
#[derive(Debug)]
enum Offer {
    Exec(ExecRequest),
    Attach(AttachRequest),
    PortForward(PortForwardRequest),
}

impl Offer {
    fn kind(&self) -> &'static str {
        match self {
            Offer::Exec(_) => "exec",
            Offer::Attach(_) => "attach",
            Offer::PortForward(_) => "portforward",
        }
    }
}

#[derive(Debug)]
pub(super) struct StreamingServer {
    address: SocketAddr,
    offers: Arc<Offers>,
}

#[derive(Debug, Default)]
struct Offers {
    by_token: Mutex<HashMap<String, (Offer, Instant)>>,
}

impl Offers {
    fn add(&self, offer: Offer, now: Instant) -> cri::Result<String> {
        let mut secret = [0; 16];
        SystemRandom::new().fill(&mut secret).map_err(|_| Status::internal("the system gives no randomness"))?;
        let token = hex::encode(secret);
        let mut offers = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        offers.retain(|_, (_, deadline)| *deadline > now);
        if offers.len() >= OFFER_LIMIT {
            return Err(Status::new(Code::ResourceExhausted, "maximum number of in-flight requests exceeded"));
        }
        offers.insert(token.clone(), (offer, now + TOKEN_LIFETIME));
        Ok(token)
    }

    fn take(&self, kind: &str, token: &str, now: Instant) -> Option<Offer> {
        let mut offers = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let (offer, deadline) = offers.remove(token)?;
        (deadline > now && offer.kind() == kind).then_some(offer)
    }
}

impl Runtime {
    pub(super) async fn offer_exec(&self, request: ExecRequest) -> cri::Result<String> {
        let container = self.expect_container(&request.container_id)?;
        if !self.is_running(&container)? {
            return Err(not_running(&container.id));
        }
        if request.tty && request.stderr {
            return Err(Status::invalid("tty and stderr cannot both be true"));
        }
        self.offer(Offer::Exec(request)).await
    }

    pub(super) async fn offer_attach(&self, request: AttachRequest) -> cri::Result<String> {
        let container = self.expect_container(&request.container_id)?;
        if !self.is_running(&container)? {
            return Err(not_running(&container.id));
        }
        self.offer(Offer::Attach(request)).await
    }

    pub(super) async fn offer_port_forward(&self, request: PortForwardRequest) -> cri::Result<String> {
        let sandbox = self.expect_sandbox(&request.pod_sandbox_id)?;
        if !sandbox.is_ready() {
            return Err(not_running(&sandbox.id));
        }
        if let Some(port) = request.port.iter().find(|port| !(1..=i32::from(u16::MAX)).contains(*port)) {
            return Err(Status::invalid(format!("invalid port {port}")));
        }
        self.offer(Offer::PortForward(request)).await
    }

    async fn offer(&self, offer: Offer) -> cri::Result<String> {
        let server = self.streaming.get_or_try_init(|| self.start_streaming()).await?;
        let kind = offer.kind();
        let token = server.offers.add(offer, self.ambient.clock.instant())?;
        Ok(format!("http://{}/{kind}/{token}", server.address))
    }

    async fn start_streaming(&self) -> cri::Result<StreamingServer> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(internal("listen for streams"))?;
        let address = listener.local_addr().map_err(internal("listen for streams"))?;
        let offers = Arc::new(Offers::default());
        let cancelled = self.cancel.clone().cancelled_owned();
        let (runtime, known) = (self.own.clone(), offers.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = cancelled => {}
                () = accept_all(listener, runtime, known) => {}
            }
        });
        Ok(StreamingServer { address, offers })
    }
}

fn not_running(id: &str) -> Status {
    Status::new(Code::FailedPrecondition, format!("container {id:?} is not running"))
}

async fn accept_all(listener: TcpListener, runtime: Weak<Runtime>, offers: Arc<Offers>) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::spawn(serve(connection, runtime.clone(), offers.clone()));
            }
            // Out of descriptors: the next connection tells whether it has passed.
            Err(error) => tracing::warn!(%error, "cannot accept a stream"),
        }
    }
}

async fn serve(connection: TcpStream, runtime: Weak<Runtime>, offers: Arc<Offers>) {
    let answer = service_fn(move |request| {
        let response = respond(request, runtime.upgrade(), &offers);
        async move { Ok::<_, Infallible>(response) }
    });
    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), answer);
    if let Err(error) = connection.with_upgrades().await {
        tracing::debug!(%error, "a stream's connection ended early");
    }
}

fn respond(request: Request<Incoming>, runtime: Option<Arc<Runtime>>, offers: &Offers) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let offer = runtime.as_ref().and_then(|runtime| {
        let (kind, token) = path.strip_prefix('/')?.split_once('/')?;
        offers.take(kind, token, runtime.ambient.clock.instant())
    });
    let (Some(runtime), Some(offer)) = (runtime, offer) else {
        return Refusal::new(StatusCode::NOT_FOUND, "404 page not found").into_response();
    };
    let limits = Limits::default();
    let answered = match offer {
        Offer::Exec(ask) => {
            let options = exec::Options { stdin: ask.stdin, stdout: ask.stdout, stderr: ask.stderr, tty: ask.tty };
            exec::accept(request, options, limits).map(|(response, session)| {
                tokio::spawn(streams::exec(runtime, ask, session));
                response
            })
        }
        Offer::Attach(ask) => {
            let options = exec::Options { stdin: ask.stdin, stdout: ask.stdout, stderr: ask.stderr, tty: ask.tty };
            exec::accept(request, options, limits).map(|(response, session)| {
                tokio::spawn(streams::attach(runtime, ask, session));
                response
            })
        }
        // The request that was offered says the ports; the client's own query stayed with the kubelet.
        Offer::PortForward(ask) => {
            let ports = ask.port.iter().filter_map(|port| u16::try_from(*port).ok()).collect();
            portforward::accept(request, ports, limits).map(|(response, session)| {
                tokio::spawn(streams::forward(runtime, ask, session));
                response
            })
        }
    };
    answered.unwrap_or_else(Refusal::into_response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_token_works_once_for_its_kind_and_for_a_minute() {
        let offers = Offers::default();
        let now = Instant::now();
        let add = || offers.add(Offer::Exec(ExecRequest::default()), now).unwrap();
        let token = add();
        assert!(offers.take("exec", &token, now).is_some());
        assert!(offers.take("exec", &token, now).is_none());
        let token = add();
        assert!(offers.take("attach", &token, now).is_none());
        assert!(offers.take("exec", &token, now).is_none(), "a wrong try spends the token");
        let token = add();
        assert!(offers.take("exec", &token, now + TOKEN_LIFETIME).is_none());
        assert!(offers.take("exec", "guess", now).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn untaken_offers_are_bounded() {
        let offers = Offers::default();
        let now = Instant::now();
        for _ in 0..OFFER_LIMIT {
            offers.add(Offer::Exec(ExecRequest::default()), now).unwrap();
        }
        let refused = offers.add(Offer::Exec(ExecRequest::default()), now).unwrap_err();
        assert_eq!(refused.code, Code::ResourceExhausted);
        offers.add(Offer::Exec(ExecRequest::default()), now + TOKEN_LIFETIME).unwrap();
    }
}
