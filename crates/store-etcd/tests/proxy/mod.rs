//! A way to etcd that fails as told.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What a request holds that is to be lost.
pub(crate) const LOST: &str = "to be lost on the way";

/// Ends with its drop, as its connections do.
pub(crate) struct Proxy {
    port: u16,
    state: watch::Sender<State>,
    _tasks: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    manner: Manner,
    /// Moves when all connections are to be cut.
    cuts: usize,
    lost_requests: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Manner {
    #[default]
    Pass,
    /// What etcd says goes nowhere.
    LoseAnswers,
    /// What clients say goes nowhere, from [`LOST`] on.
    LoseRequests,
    /// Nobody gets in.
    Refuse,
}

impl Proxy {
    pub(crate) async fn start(upstream: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = watch::Sender::new(State::default());
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, upstream, state.clone()));
        Proxy { port, state, _tasks: tasks }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn address(&self) -> String {
        format!("etcd://127.0.0.1:{}", self.port)
    }

    /// Cuts all connections; new ones pass.
    pub(crate) fn cut(&self) {
        self.change(Manner::Pass, true);
    }

    pub(crate) fn refuse(&self) {
        self.change(Manner::Refuse, true);
    }

    pub(crate) fn pass(&self) {
        self.change(Manner::Pass, false);
    }

    pub(crate) fn lose_answers(&self) {
        self.change(Manner::LoseAnswers, false);
    }

    pub(crate) fn lose_requests(&self) {
        self.change(Manner::LoseRequests, false);
    }

    /// Waits until something that a client said got lost since the manner was set.
    pub(crate) async fn lost_a_request(&self) {
        self.state.subscribe().wait_for(|state| state.lost_requests > 0).await.unwrap();
    }

    fn change(&self, manner: Manner, cut: bool) {
        self.state.send_modify(|state| {
            let cuts = state.cuts + usize::from(cut);
            *state = State { manner, cuts, lost_requests: 0 };
        });
    }
}

async fn accept(listener: TcpListener, upstream: u16, state: watch::Sender<State>) {
    let state = Arc::new(state);
    let mut connections = JoinSet::new();
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        if state.borrow().manner != Manner::Refuse {
            connections.spawn(carry(client, upstream, state.clone()));
        }
    }
}

async fn carry(client: TcpStream, upstream: u16, state: Arc<watch::Sender<State>>) {
    let mut changes = state.subscribe();
    let cuts = changes.borrow().cuts;
    let Ok(server) = TcpStream::connect(("127.0.0.1", upstream)).await else { return };
    // Small frames wait for nobody.
    if client.set_nodelay(true).and_then(|()| server.set_nodelay(true)).is_err() {
        return;
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        _ = changes.wait_for(|state| state.cuts > cuts) => {}
        () = pump(from_client, to_server, &state, Manner::LoseRequests) => {}
        () = pump(from_server, to_client, &state, Manner::LoseAnswers) => {}
    }
}

/// Carries bytes one way, unless they are to be lost.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: &watch::Sender<State>, loses: Manner) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let State { manner, lost_requests, .. } = *state.borrow();
        let is_meant = || buffer[..count].windows(LOST.len()).any(|window| window == LOST.as_bytes());
        if manner == loses && (loses == Manner::LoseAnswers || lost_requests > 0 || is_meant()) {
            state.send_modify(|state| state.lost_requests += usize::from(loses == Manner::LoseRequests));
        } else if to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
