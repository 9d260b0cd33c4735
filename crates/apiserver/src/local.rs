//! The road for components of this process: the same filters, no wire.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};

use crate::auth::{Peer, User};
use crate::filters;
use crate::server::ApiServer;
use crate::wire::body::{self, Body, BoxError};

/// Answers requests under one fixed identity. Cloning is cheap.
#[derive(Clone)]
pub struct LocalService {
    server: Arc<ApiServer>,
    peer: Peer,
    /// What requests that name no User-Agent are sent by.
    agent: HeaderValue,
}

impl LocalService {
    pub(crate) fn new(server: Arc<ApiServer>, user: User) -> Self {
        let agent = HeaderValue::from_static(program(&user.name));
        LocalService { server, peer: Peer::Local(Arc::new(user)), agent }
    }
}

/// The program that upstream runs under a user's name: field managers are called after it.
fn program(user: &str) -> &'static str {
    if user.starts_with("system:node:") {
        "kubelet"
    } else if user.starts_with("system:serviceaccount:kube-system:") || user == "system:kube-controller-manager" {
        "kube-controller-manager"
    } else if user == "system:kube-scheduler" {
        "kube-scheduler"
    } else if user == "system:kube-proxy" {
        "kube-proxy"
    } else {
        "pintle"
    }
}

impl<B> tower::Service<Request<B>> for LocalService
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut request = request.map(body::boxed);
        request.headers_mut().entry(header::USER_AGENT).or_insert_with(|| self.agent.clone());
        filters::answer(self.server.clone(), self.peer.clone(), request)
    }
}
