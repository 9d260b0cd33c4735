//! A connection: many streams over one socket.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::BytesMut;
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadHalf};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Error;
use super::frame::{Control, Decoder, Frame, FrameEncoder, REFUSED_STREAM};
use crate::stream::{Activity, Inbox, Limits, Reader, Tasks, Writer};

const READ_BYTES: usize = 16 * 1024;

/// Which side opens streams with odd numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// A stream, both ways.
#[derive(Debug)]
pub struct Stream {
    pub id: u32,
    /// What the peer opened it with; empty on streams opened here.
    pub headers: HeaderMap,
    pub reader: Reader,
    pub writer: Writer,
}

/// Speaks SPDY/3.1 over any duplex IO. Dropping it drops the socket.
#[derive(Debug)]
pub struct Connection {
    tasks: Tasks,
    opened: mpsc::Receiver<Opened>,
    controls: mpsc::Sender<Control>,
    next_stream: AtomicU32,
    limits: Limits,
}

/// A stream that the peer opened, before it has a writer.
struct Opened {
    id: u32,
    headers: HeaderMap,
    reader: Reader,
}

impl Connection {
    /// Must be called inside a tokio runtime.
    pub fn start<I>(io: I, role: Role, limits: Limits) -> Self
    where
        I: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(io);
        let (opened_sender, opened) = mpsc::channel(limits.streams.max(1));
        let inbox = Inbox::default();
        let (tasks, controls) = Tasks::start(writer, inbox.clone(), FrameEncoder::default(), |controls, activity| {
            let receiver = Receiver { inbox, controls, opened: opened_sender, limits, role, last_peer_stream: 0 };
            receiver.run(reader, activity)
        });
        let next_stream = AtomicU32::new(if role == Role::Client { 1 } else { 2 });
        Connection { tasks, opened, controls, next_stream, limits }
    }

    /// The next stream that the peer opens; None once it has gone.
    pub async fn accept(&mut self) -> Option<Stream> {
        let Opened { id, headers, reader } = self.opened.recv().await?;
        Some(Stream { id, headers, reader, writer: self.tasks.writer(id) })
    }

    /// Opens a stream. Its data may follow at once; a peer that refuses it ends the reader.
    pub async fn open(&self, headers: HeaderMap) -> io::Result<Stream> {
        if self.tasks.inbox.len() >= self.limits.streams {
            return Err(io::Error::other("too many streams are open"));
        }
        let id = self.next_stream.fetch_add(2, Ordering::Relaxed);
        let reader = self.tasks.inbox.open(id);
        self.controls
            .send(Control::Open { stream: id, headers, fin: false })
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(Stream { id, headers: HeaderMap::new(), reader, writer: self.tasks.writer(id) })
    }

    /// Breaks a stream off, in both directions.
    pub async fn reset(&self, id: u32) {
        self.tasks.inbox.abort(id);
        let told = self.controls.send(Control::Reset { stream: id, status: REFUSED_STREAM }).await;
        tracing::trace!(id, told = told.is_ok(), "stream reset");
    }

    /// Cancelled when the peer has gone.
    pub fn disconnected(&self) -> CancellationToken {
        self.tasks.disconnected.clone()
    }

    /// Sends everything queued, says goodbye, and waits a while for the peer to close.
    pub async fn close(self) -> io::Result<()> {
        self.tasks.close().await
    }
}

/// The reading half.
struct Receiver {
    inbox: Inbox,
    controls: mpsc::Sender<Control>,
    opened: mpsc::Sender<Opened>,
    limits: Limits,
    role: Role,
    last_peer_stream: u32,
}

impl Receiver {
    async fn run<R: AsyncRead>(mut self, mut io: ReadHalf<R>, activity: Activity) {
        let mut decoder = Decoder::new();
        let mut buffer = BytesMut::new();
        loop {
            loop {
                match decoder.decode(&mut buffer) {
                    Ok(None) => break,
                    Ok(Some(frame)) => match self.frame(frame).await {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(error) => return tracing::debug!(%error, "closing a SPDY connection"),
                    },
                    Err(error) => return tracing::debug!(%error, "closing a SPDY connection"),
                }
            }
            buffer.reserve(READ_BYTES);
            match activity.within(self.limits.idle, io.read_buf(&mut buffer)).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => return tracing::debug!(%error, "a SPDY connection broke off"),
            }
        }
    }

    /// Acts on one frame; false when the connection is over.
    async fn frame(&mut self, frame: Frame) -> Result<bool, Error> {
        match frame {
            Frame::Open { stream, headers, fin } => return self.open(stream, headers, fin).await,
            Frame::Data { stream, bytes, fin } => {
                if !bytes.is_empty() {
                    self.inbox.deliver(stream, bytes).await;
                }
                if fin {
                    self.inbox.finish(stream);
                }
            }
            Frame::Reply { stream, fin: true } | Frame::Headers { stream, fin: true } => self.inbox.finish(stream),
            Frame::Reset { stream } => self.inbox.abort(stream),
            // Numbers of our own parity answer pings we sent; we send none.
            Frame::Ping(number) if self.is_peers(number) => {
                return Ok(self.controls.send(Control::Ping(number)).await.is_ok());
            }
            // The peer opens nothing more; its open streams go on.
            Frame::GoAway => {}
            Frame::Reply { .. } | Frame::Headers { .. } | Frame::Ping(_) | Frame::Ignored => {}
        }
        Ok(true)
    }

    async fn open(&mut self, stream: u32, headers: HeaderMap, fin: bool) -> Result<bool, Error> {
        if !self.is_peers(stream) || stream <= self.last_peer_stream {
            return Err(Error::StreamOrder);
        }
        self.last_peer_stream = stream;
        // Without room nobody accepts any more, or not as fast as the peer opens.
        let room = self.opened.try_reserve().ok().filter(|_| self.inbox.len() < self.limits.streams);
        let Some(room) = room else {
            let reset = Control::Reset { stream, status: REFUSED_STREAM };
            return Ok(self.controls.send(reset).await.is_ok());
        };
        let reader = self.inbox.open(stream);
        if fin {
            self.inbox.finish(stream);
        }
        let replied = self.controls.send(Control::Reply { stream }).await.is_ok();
        room.send(Opened { id: stream, headers, reader });
        Ok(replied)
    }

    fn is_peers(&self, number: u32) -> bool {
        number % 2 == if self.role == Role::Server { 1 } else { 0 }
    }
}
