//! What both protocols share: readers and writers of one stream, and the task that writes them all.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, PollSender};

/// Bounds on what one connection may make this process hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Streams open at one time.
    pub streams: usize,
    /// A connection over which nothing moves for this long is closed.
    pub idle: Duration,
    /// How long a client may take to open the streams it asked for.
    pub stream_creation: Duration,
}

impl Default for Limits {
    /// Four hours idle and thirty seconds to open streams are the kubelet's defaults.
    fn default() -> Self {
        Limits { streams: 256, idle: Duration::from_hours(4), stream_creation: Duration::from_secs(30) }
    }
}

/// One write's share of the queue; larger writes are cut.
const CHUNK_BYTES: usize = 32 * 1024;
/// Chunks that wait for the socket, over all streams of a connection.
const WRITE_QUEUE_CHUNKS: usize = 8;
/// Chunks that wait for one stream's reader.
const READ_QUEUE_CHUNKS: usize = 8;
/// Protocol answers (pings, replies) that wait for the socket.
const CONTROL_QUEUE_FRAMES: usize = 64;
/// The writer gathers about this much before it calls the kernel.
const WRITE_BATCH_BYTES: usize = 64 * 1024;
/// After the last byte went out, how long the peer may take to close its side.
const LINGER: Duration = Duration::from_secs(10);

/// The bytes a peer sends on one stream.
///
/// Ends with end of file when the peer closed the stream, and with `UnexpectedEof` when the
/// connection went away before.
#[derive(Debug)]
pub struct Reader {
    chunks: mpsc::Receiver<Bytes>,
    current: Bytes,
    finished: Arc<AtomicBool>,
}

impl AsyncRead for Reader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.current.is_empty() {
            match ready!(self.chunks.poll_recv(context)) {
                Some(chunk) => self.current = chunk,
                None if self.finished.load(Ordering::Acquire) => return Poll::Ready(Ok(())),
                None => return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the client went away"))),
            }
        }
        let count = buffer.remaining().min(self.current.len());
        buffer.put_slice(&self.current[..count]);
        self.current.advance(count);
        Poll::Ready(Ok(()))
    }
}

/// Sends bytes on one stream. `shutdown`, or dropping it, tells the peer that the stream has ended.
#[derive(Debug)]
pub struct Writer {
    channel: u32,
    queue: PollSender<Piece>,
    ended: bool,
}

impl AsyncWrite for Writer {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        ready!(self.queue.poll_reserve(context)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        let bytes = Bytes::copy_from_slice(&data[..data.len().min(CHUNK_BYTES)]);
        let count = bytes.len();
        let piece = Piece::Data { channel: self.channel, bytes };
        self.queue.send_item(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Poll::Ready(Ok(count))
    }

    /// The queue is written as fast as the socket takes it: there is nothing to push.
    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.ended {
            ready!(self.queue.poll_reserve(context)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            let end = Piece::End { channel: self.channel };
            self.queue.send_item(end).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
            self.ended = true;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let Some(queue) = self.queue.get_ref().filter(|_| !self.ended).cloned() else { return };
        let end = Piece::End { channel: self.channel };
        if let Err(mpsc::error::TrySendError::Full(end)) = queue.try_send(end)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // The queue drains or closes; either way this ends.
            runtime.spawn(async move { queue.send(end).await.is_ok() });
        }
    }
}

/// One item of the write queue.
#[derive(Debug)]
pub(crate) enum Piece {
    Data {
        channel: u32,
        bytes: Bytes,
    },
    End {
        channel: u32,
    },
    /// Nothing follows: say goodbye and shut the socket.
    Close,
}

/// Turns pieces into a protocol's frames.
pub(crate) trait Encoder: Send + 'static {
    /// Frames that are no stream's data: replies, pings, resets.
    type Control: Send + 'static;

    fn piece(&mut self, piece: Piece, out: &mut BytesMut);
    fn control(&mut self, control: Self::Control, out: &mut BytesMut);
}

/// The streams a connection reads for, by channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inbox {
    streams: Arc<Mutex<HashMap<u32, Inbound>>>,
    /// Set when nobody will read any more: data is dropped so that the peer's goodbye is heard.
    pub(crate) discarding: CancellationToken,
}

#[derive(Clone, Debug)]
struct Inbound {
    chunks: mpsc::Sender<Bytes>,
    finished: Arc<AtomicBool>,
}

impl Inbox {
    pub(crate) fn open(&self, channel: u32) -> Reader {
        let (chunks, receiver) = mpsc::channel(READ_QUEUE_CHUNKS);
        let finished = Arc::new(AtomicBool::new(false));
        self.lock().insert(channel, Inbound { chunks, finished: finished.clone() });
        Reader { chunks: receiver, current: Bytes::new(), finished }
    }

    /// Waits for the stream's reader to make room, which holds up the whole connection: the
    /// protocols' clients keep no windows, so the socket is the only brake there is.
    pub(crate) async fn deliver(&self, channel: u32, bytes: Bytes) {
        let Some(inbound) = self.lock().get(&channel).cloned() else { return };
        tokio::select! {
            biased;
            () = self.discarding.cancelled() => {}
            delivered = inbound.chunks.send(bytes) => {
                // A reader that was dropped wants no more; the stream stays until the peer ends it.
                tracing::trace!(channel, delivered = delivered.is_ok());
            }
        }
    }

    /// The peer ended the stream: its reader sees the end of file.
    pub(crate) fn finish(&self, channel: u32) {
        if let Some(inbound) = self.lock().remove(&channel) {
            inbound.finished.store(true, Ordering::Release);
        }
    }

    /// The stream broke off: its reader sees an error.
    pub(crate) fn abort(&self, channel: u32) {
        self.lock().remove(&channel);
    }

    pub(crate) fn abort_all(&self) {
        self.lock().clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Inbound>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The two tasks of a connection. Dropping it drops the connection.
#[derive(Debug)]
pub(crate) struct Tasks {
    pieces: mpsc::Sender<Piece>,
    pub(crate) inbox: Inbox,
    /// Cancelled when the peer has gone.
    pub(crate) disconnected: CancellationToken,
    reader: JoinHandle<()>,
    writer: JoinHandle<io::Result<()>>,
}

impl Tasks {
    /// Starts writing with `encoder`, and reading with the future that `read` makes.
    pub(crate) fn start<W, E, R, F>(io: W, inbox: Inbox, encoder: E, read: R) -> (Self, mpsc::Sender<E::Control>)
    where
        W: AsyncWrite + Send + Unpin + 'static,
        E: Encoder,
        R: FnOnce(mpsc::Sender<E::Control>, Activity) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let (pieces, piece_queue) = mpsc::channel(WRITE_QUEUE_CHUNKS);
        let (controls, control_queue) = mpsc::channel(CONTROL_QUEUE_FRAMES);
        let activity = Activity::default();
        let disconnected = CancellationToken::new();
        let reading = read(controls.clone(), activity.clone());
        let (reader_inbox, reader_disconnected) = (inbox.clone(), disconnected.clone());
        let reader = tokio::spawn(async move {
            reading.await;
            reader_inbox.abort_all();
            reader_disconnected.cancel();
        });
        let writer = tokio::spawn(write_frames(io, encoder, piece_queue, control_queue, activity));
        (Tasks { pieces, inbox, disconnected, reader, writer }, controls)
    }

    pub(crate) fn writer(&self, channel: u32) -> Writer {
        Writer { channel, queue: PollSender::new(self.pieces.clone()), ended: false }
    }

    /// Everything queued goes out, however slow the peer reads; then the peer may close its side.
    /// Closing at once would reset the connection when the peer has sent what nobody read, and the
    /// reset could overtake our last bytes.
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.inbox.discarding.cancel();
        if self.pieces.send(Piece::Close).await.is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let written = match (&mut self.writer).await {
            Ok(written) => written,
            Err(stopped) => Err(io::Error::other(stopped)),
        };
        if written.is_ok() && tokio::time::timeout(LINGER, &mut self.reader).await.is_err() {
            tracing::debug!("the peer did not close its side in time");
        }
        written
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.reader.abort();
        self.writer.abort();
    }
}

/// Whether anything was written lately, so that a quiet reader is not taken for an idle connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Activity(Arc<AtomicBool>);

impl Activity {
    fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Waits for `read`, for at least `idle` and at most twice that without traffic.
    pub(crate) async fn within<T>(&self, idle: Duration, read: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let mut read = std::pin::pin!(read);
        loop {
            match tokio::time::timeout(idle, &mut read).await {
                Ok(done) => return done,
                Err(_) if self.take() => {}
                Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "the connection was idle for too long")),
            }
        }
    }
}

async fn write_frames<W, E>(
    mut io: W,
    mut encoder: E,
    mut pieces: mpsc::Receiver<Piece>,
    mut controls: mpsc::Receiver<E::Control>,
    activity: Activity,
) -> io::Result<()>
where
    W: AsyncWrite + Send + Unpin,
    E: Encoder,
{
    let mut buffer = BytesMut::new();
    let mut closing = false;
    while !closing {
        tokio::select! {
            // A stream's reply is queued before its writer exists, so it also goes out before its data.
            biased;
            Some(control) = controls.recv() => encoder.control(control, &mut buffer),
            piece = pieces.recv() => closing = encode(&mut encoder, piece.unwrap_or(Piece::Close), &mut buffer),
        }
        while buffer.len() < WRITE_BATCH_BYTES && !closing {
            if let Ok(control) = controls.try_recv() {
                encoder.control(control, &mut buffer);
            } else if let Ok(piece) = pieces.try_recv() {
                closing = encode(&mut encoder, piece, &mut buffer);
            } else {
                break;
            }
        }
        io.write_all(&buffer).await?;
        io.flush().await?;
        // A burst's buffer is not kept over the quiet that follows.
        buffer = BytesMut::new();
        activity.note();
    }
    io.shutdown().await
}

fn encode<E: Encoder>(encoder: &mut E, piece: Piece, buffer: &mut BytesMut) -> bool {
    let closing = matches!(piece, Piece::Close);
    encoder.piece(piece, buffer);
    closing
}
