//! The limit of the stack: hyper over rustls with the API server's settings, answering as many bytes as it is
//! asked for, and nothing else.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::server::{runtime, server_tls};
use crate::child;

type Answers = Arc<Mutex<HashMap<usize, Bytes>>>;

pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let runtime = runtime()?;
    runtime.block_on(async {
        let acceptor = TlsAcceptor::from(server_tls(folder)?);
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            let answers = Answers::default();
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(acceptor.clone(), stream, answers.clone()));
            }
        });
        child::tell(&address.to_string())
    })?;
    while child::next_order()?.is_some() {}
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, answers: Answers) {
    // A client that goes away while it connects is its own matter.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let service = service_fn(move |request| answer(request, answers.clone()));
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(30)).max_buf_size(128 * 1024);
    builder.http2().timer(TokioTimer::new());
    drop(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await);
}

/// `/N` is answered with N bytes.
async fn answer(request: Request<Incoming>, answers: Answers) -> Result<Response<Full<Bytes>>, Infallible> {
    let length = request.uri().path().trim_start_matches('/').parse().unwrap_or(0);
    let body = {
        let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(length).or_insert_with(|| Bytes::from(vec![b'x'; length])).clone()
    };
    drop(request.into_body().collect().await);
    let response = Response::builder()
        .header("content-type", "application/json")
        .header("cache-control", "no-cache, private")
        .header("audit-id", "00000000-0000-0000-0000-000000000000");
    Ok(response.body(Full::new(body)).unwrap_or_default())
}
