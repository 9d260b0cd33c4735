//! TLS connections: accept, handshake, HTTP/1.1 or HTTP/2, and a graceful end.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::Peer;
use crate::auth::certificate::Identity;
use crate::filters;
use crate::server::ApiServer;
use crate::wire::body;

/// Connections held at the same time; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// A client that does not finish the handshake, or its request's head, by then is let go.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Short requests under way when the server ends have this long.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_HEADER_BYTES: u32 = 64 * 1024;
const MAX_STREAMS: u32 = 250;
/// HTTP/1.1 reads into a buffer of at most this size.
const MAX_BUFFER_BYTES: usize = 128 * 1024;
/// After a failed accept (no descriptors left, say) the next try waits this long.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

pub(crate) async fn serve(
    server: Arc<ApiServer>,
    listener: TcpListener,
    tls: Arc<rustls::ServerConfig>,
    cancel: CancellationToken,
) {
    let acceptor = TlsAcceptor::from(tls);
    let connections = TaskTracker::new();
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            () = cancel.cancelled() => break,
            accepted = accepted => accepted,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                server.ambient.clock.sleep(ACCEPT_BACKOFF).await;
                continue;
            }
        };
        let (server, acceptor, cancel) = (server.clone(), acceptor.clone(), cancel.clone());
        connections.spawn(boxed_connection(server, acceptor, stream, address.ip(), cancel).map(|()| drop(place)));
    }
    drop(listener);
    server.shutdown.cancel();
    connections.close();
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        tracing::info!(left = connections.len(), "connections did not end in time");
    }
}

/// Boxed here, it is compiled here, with the whole library, and not again by whoever serves.
#[inline(never)]
fn boxed_connection(
    server: Arc<ApiServer>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    address: IpAddr,
    cancel: CancellationToken,
) -> BoxFuture<'static, ()> {
    Box::pin(connection(server, acceptor, stream, address, cancel))
}

async fn connection(
    server: Arc<ApiServer>,
    acceptor: TlsAcceptor,
    stream: TcpStream,
    address: IpAddr,
    cancel: CancellationToken,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection ended before it began");
        return;
    }
    let stream = match tokio::time::timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            return;
        }
        Err(_) => return,
    };
    let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
    let certificate = certificate.map(|certificate| Arc::new(Identity::of(certificate)));
    let peer = Peer::Remote { address, certificate };
    let service = service_fn(move |request: Request<Incoming>| {
        filters::answer(server.clone(), peer.clone(), request.map(body::wire))
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    // The library's own bound of 100 headers is left alone: any other costs an allocation a request.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_BUFFER_BYTES);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEADER_BYTES).max_concurrent_streams(MAX_STREAMS);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = cancel.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}
