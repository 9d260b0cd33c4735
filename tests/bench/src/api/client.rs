//! A client that costs little: one connection, one request at a time, nothing parsed that is not needed.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::server::authority;
use super::wire::{self, Chunks, Framing};

const FIRST_BUFFER_BYTES: usize = 16 << 10;
const READ_BYTES: usize = 256 << 10;

/// Where a server is, and as whom to speak to it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    tls: Arc<rustls::ClientConfig>,
}

impl Target {
    /// The administrator at this server.
    pub(crate) fn new(folder: &Path, address: &str) -> anyhow::Result<Target> {
        let authority = authority(folder)?;
        let tls = authority.client_tls(&authority.issue_administrator()?)?;
        Ok(Target { address: address.parse()?, tls })
    }

    /// A TLS connection that speaks the protocol named, `h2` or `http/1.1`.
    pub(crate) async fn tls(&self, protocol: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let mut tls = (*self.tls).clone();
        tls.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        let stream = TcpStream::connect(self.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await.context("no TLS connection")
    }

    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        Ok(Connection { stream: self.tls("http/1.1").await?, received: Vec::with_capacity(FIRST_BUFFER_BYTES) })
    }
}

pub(crate) struct Connection {
    stream: TlsStream<TcpStream>,
    received: Vec<u8>,
}

/// An answer, its body where it was kept.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// How far an answer without end has come.
pub(crate) struct Followed {
    begin: usize,
    chunks: Chunks,
}

impl Connection {
    /// Sends a request and keeps the answer's body, which has a length.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let head = self.send(request).await?;
        let length = match head.body {
            Framing::Length(length) => length,
            Framing::Chunked => return self.rest_of_chunks(head).await,
        };
        let end = head.bytes + length;
        while self.received.len() < end {
            self.read().await?;
        }
        ensure!(self.received.len() == end, "something follows an answer");
        Ok(Answer { status: head.status, body: &self.received[head.bytes..] })
    }

    /// The same, for what must succeed.
    pub(crate) async fn must(&mut self, request: &[u8]) -> anyhow::Result<&[u8]> {
        let answer = self.ask(request).await?;
        if !(200..300).contains(&answer.status) {
            bail!("{}: {}", answer.status, String::from_utf8_lossy(&answer.body[..answer.body.len().min(500)]));
        }
        Ok(answer.body)
    }

    /// Sends a request that must succeed and counts the bytes of the answer's body, which may be large.
    pub(crate) async fn drain(&mut self, request: &[u8]) -> anyhow::Result<usize> {
        let head = self.send(request).await?;
        ensure!(head.status == 200, "{}: {}", head.status, String::from_utf8_lossy(&self.received));
        let mut counted = 0;
        match head.body {
            Framing::Length(length) => {
                counted = self.received.len() - head.bytes;
                while counted < length {
                    self.received.clear();
                    counted += self.read().await?;
                }
                ensure!(counted == length, "something follows an answer");
            }
            Framing::Chunked => {
                let mut chunks = Chunks::default();
                chunks.feed(&self.received[head.bytes..], |part| counted += part.len())?;
                while !chunks.is_done() {
                    self.received.clear();
                    self.read().await?;
                    chunks.feed(&self.received, |part| counted += part.len())?;
                }
            }
        }
        Ok(counted)
    }

    /// Begins an answer without end.
    pub(crate) async fn open(&mut self, request: &[u8]) -> anyhow::Result<Followed> {
        let head = self.send(request).await?;
        ensure!(head.status == 200 && head.body == Framing::Chunked, "{}", String::from_utf8_lossy(&self.received));
        Ok(Followed { begin: head.bytes, chunks: Chunks::default() })
    }

    /// Gives what arrives of it to `take`, without the framing, until that says false or it ends.
    pub(crate) async fn follow(
        &mut self,
        followed: &mut Followed,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> anyhow::Result<()> {
        loop {
            let mut goes_on = true;
            followed.chunks.feed(&self.received[followed.begin..], |part| goes_on &= take(part))?;
            if !goes_on || followed.chunks.is_done() {
                return Ok(());
            }
            followed.begin = 0;
            self.received.clear();
            self.read().await?;
        }
    }

    /// Sends a request and reads the answer's head, and whatever came with it.
    async fn send(&mut self, request: &[u8]) -> anyhow::Result<wire::Head> {
        self.stream.write_all(request).await?;
        self.stream.flush().await?;
        self.received.clear();
        loop {
            self.read().await?;
            if let Some(head) = wire::head(&self.received)? {
                return Ok(head);
            }
        }
    }

    async fn rest_of_chunks(&mut self, head: wire::Head) -> anyhow::Result<Answer<'_>> {
        let mut chunks = Chunks::default();
        let mut body = Vec::new();
        chunks.feed(&self.received[head.bytes..], |part| body.extend_from_slice(part))?;
        while !chunks.is_done() {
            self.received.clear();
            self.read().await?;
            chunks.feed(&self.received, |part| body.extend_from_slice(part))?;
        }
        self.received = body;
        Ok(Answer { status: head.status, body: &self.received })
    }

    async fn read(&mut self) -> anyhow::Result<usize> {
        // An answer that filled the buffer is a long one.
        if self.received.capacity() - self.received.len() < FIRST_BUFFER_BYTES / 2 {
            self.received.reserve(READ_BYTES);
        }
        let count = self.stream.read_buf(&mut self.received).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(count)
    }
}

/// A request without a body.
pub(crate) fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\r\n").into_bytes()
}

/// A request with a JSON body.
pub(crate) fn request_with(method: &str, path: &str, body: &str) -> Vec<u8> {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// The resourceVersion that an object carries; it stands near the front.
pub(crate) fn resource_version(object: &[u8]) -> anyhow::Result<&str> {
    const FIELD: &[u8] = b"\"resourceVersion\":\"";
    let start = memchr::memmem::find(object, FIELD).context("an object has a resourceVersion")? + FIELD.len();
    let end = memchr::memchr(b'"', &object[start..]).context("a resourceVersion ends")?;
    Ok(std::str::from_utf8(&object[start..start + end])?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_version_is_found() {
        assert_eq!(resource_version(br#"{"metadata":{"resourceVersion":"42","name":"a"}}"#).unwrap(), "42");
        assert!(resource_version(br#"{"metadata":{}}"#).is_err());
    }

    #[test]
    fn requests_tell_their_length() {
        let request = String::from_utf8(request_with("PUT", "/a", "{\"x\":1}")).unwrap();
        assert!(request.starts_with("PUT /a HTTP/1.1\r\n"), "{request}");
        assert!(request.ends_with("content-length: 7\r\n\r\n{\"x\":1}"), "{request}");
    }
}
