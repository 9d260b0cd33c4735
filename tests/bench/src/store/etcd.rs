//! Debian's etcd on loopback, and the least of a gRPC client that puts.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::ours::{Notes, Round, Work};
use crate::machine::{now, processor_seconds};

const START_PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at a port that nothing announces.
const LOOK: Duration = Duration::from_millis(20);
/// Clients share this many connections, as a program with a handful of API servers would.
const CONNECTIONS: usize = 16;
const WINDOW_BYTES: u32 = 16 << 20;

pub(crate) struct Etcd {
    process: Child,
    client_port: u16,
}

/// `etcdserverpb.PutRequest`, as far as it is used.
#[derive(Clone, PartialEq, Message)]
struct PutRequest {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    value: Bytes,
}

impl Etcd {
    /// Starts it with its defaults, so each answer is synced; answers once it takes puts.
    pub(crate) fn start(folder: &Path, runtime: &Runtime) -> anyhow::Result<Etcd> {
        let (client_port, peer_port) = free_ports()?;
        let [client, peer] = [client_port, peer_port].map(|port| format!("http://127.0.0.1:{port}"));
        let process = Command::new("setpriv")
            // It ends with this process, however that ends.
            .args(["--pdeathsig", "KILL", "--", "etcd", "--logger", "zap", "--log-level", "error", "--name", "bench"])
            .arg("--data-dir")
            .arg(folder)
            .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("bench={peer}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot run setpriv (package util-linux) and etcd (package etcd-server)")?;
        let mut etcd = Etcd { process, client_port };
        runtime.block_on(etcd.wait_until_ready())?;
        Ok(etcd)
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let deadline = now() + START_PATIENCE;
        loop {
            let tried = async {
                let mut connection = connect(self.client_port).await?;
                put(&mut connection, Bytes::from_static(b"ready"), Bytes::new()).await
            };
            match tried.await {
                Ok(()) => return Ok(()),
                Err(error) if now() > deadline => return Err(error.context("etcd does not take a put")),
                Err(_) => {}
            }
            if let Some(status) = self.process.try_wait()? {
                bail!("etcd ended ({status}); is the package etcd-server installed?");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// So many clients, each putting one key after the other.
    pub(crate) fn puts(&self, runtime: &Runtime, clients: usize, period: Duration) -> anyhow::Result<Round> {
        runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..clients.min(CONNECTIONS) {
                connections.push(connect(self.client_port).await?);
            }
            let pid = self.process.id();
            let processor = processor_seconds(pid)?;
            let began = now();
            let mut tasks = JoinSet::new();
            for client in 0..clients {
                let connection = connections[client % connections.len()].clone();
                tasks.spawn(client_puts(connection, Work::of(client), Notes::of(clients), began + period));
            }
            let notes = Notes::gather(tasks).await?;
            let took = began.elapsed();
            let processor_seconds = processor_seconds(pid)? - processor;
            Ok(Round { puts: notes.puts, delays: notes.delays, took, processor_seconds })
        })
    }

    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

async fn client_puts(
    mut connection: Connection,
    work: Work,
    mut notes: Notes,
    deadline: Instant,
) -> anyhow::Result<Notes> {
    let mut sent = now();
    for number in 0.. {
        if sent >= deadline {
            break;
        }
        let key = Bytes::copy_from_slice(work.key(number).as_bytes());
        put(&mut connection, key, work.value(number)).await?;
        let answered = now();
        notes.note(answered - sent);
        sent = answered;
    }
    Ok(notes)
}

type Connection = SendRequest<Full<Bytes>>;

async fn connect(port: u16) -> anyhow::Result<Connection> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .handshake(TokioIo::new(stream))
        .await?;
    // It ends when its last sender is gone; a failure shows in the requests.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

async fn put(connection: &mut Connection, key: Bytes, value: Bytes) -> anyhow::Result<()> {
    let request = Request::post("http://127.0.0.1/etcdserverpb.KV/Put")
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Full::new(framed(&PutRequest { key, value })))?;
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    // A call that fails before it begins says so in the head.
    check(answer.headers())?;
    let body = answer.into_body().collect().await?;
    check(body.trailers().context("a gRPC answer ends with trailers")?)
}

fn check(headers: &HeaderMap) -> anyhow::Result<()> {
    if let Some(status) = headers.get("grpc-status") {
        let message = headers.get("grpc-message").and_then(|message| message.to_str().ok()).unwrap_or("");
        ensure!(status == "0", "etcd answers {status:?}: {message}");
    }
    Ok(())
}

/// A message as gRPC sends it: not compressed, behind its length.
fn framed(message: &PutRequest) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(5 + length);
    frame.put_u8(0);
    frame.put_u32(length as u32);
    message.encode_raw(&mut frame);
    frame.freeze()
}

/// Two ports that are free now.
fn free_ports() -> anyhow::Result<(u16, u16)> {
    let [first, second] = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_put_is_framed_as_grpc_wants_it() {
        let request = PutRequest { key: Bytes::from_static(b"k"), value: Bytes::from_static(b"vv") };
        assert_eq!(&framed(&request)[..], b"\x00\x00\x00\x00\x07\x0a\x01k\x12\x02vv");
    }

    #[test]
    fn a_refusal_is_an_error() {
        let mut headers = HeaderMap::new();
        assert!(check(&headers).is_ok());
        headers.insert("grpc-status", "0".parse().unwrap());
        assert!(check(&headers).is_ok());
        headers.insert("grpc-status", "14".parse().unwrap());
        assert!(check(&headers).is_err());
    }
}
