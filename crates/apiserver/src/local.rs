//! The road for components of this process: the same filters, no wire.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};

use crate::auth::{Peer, User};
use crate::filters;
use crate::server::ApiServer;
use crate::wire::body::{self, Body, BoxError};

/// Answers requests under one fixed identity. Cloning is cheap.
#[derive(Clone)]
pub struct LocalService {
    server: Arc<ApiServer>,
    peer: Peer,
}

impl LocalService {
    pub(crate) fn new(server: Arc<ApiServer>, user: User) -> Self {
        LocalService { server, peer: Peer::Local(Arc::new(user)) }
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
        let (server, peer) = (self.server.clone(), self.peer.clone());
        Box::pin(async move { Ok(filters::answer(server, peer, request.map(body::boxed)).await) })
    }
}
