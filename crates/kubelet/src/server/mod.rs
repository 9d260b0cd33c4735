//! The node API.

use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use reconcile::Informer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::pod::Context;

pub(crate) struct Server {
    context: Arc<Context>,
    pods: Informer<Pod>,
}

impl Server {
    pub(crate) fn new(context: Arc<Context>, pods: Informer<Pod>) -> Self {
        Server { context, pods }
    }

    pub(crate) async fn run(self, listener: TcpListener, tls: Arc<rustls::ServerConfig>, cancel: CancellationToken) {
        drop((listener, tls, self.context, self.pods));
        cancel.cancelled().await;
    }
}
