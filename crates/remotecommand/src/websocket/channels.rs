//! Several byte streams in one WebSocket: each message starts with its channel's number.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use stdx::Random;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::mpsc;

use super::Error;
use super::frame::{self, Decoder, Event, Opcode};
use crate::stream::{Activity, Encoder, Inbox, Limits, Piece, Reader, Tasks, Writer};

const READ_BYTES: usize = 16 * 1024;
/// A base64 message is decoded as a whole, so it has a limit.
const BASE64_MESSAGE_BYTES: usize = 1024 * 1024;
/// The channel of v5 that ends another: its one byte is the other's number.
const CLOSE_CHANNEL: u8 = 255;
/// RFC 6455, section 7.4.1.
const NORMAL_CLOSURE: u16 = 1000;

/// What a message holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// The channel as a byte, then the data.
    Binary,
    /// The channel as a digit, then the data in base64.
    Base64,
    /// Data only: the one channel is 0.
    Raw,
}

/// A WebSocket that carries channels.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) tasks: Tasks,
}

impl Link {
    /// `mask` is the client's source of masks; servers send none. `channels` are those read.
    pub(crate) fn start<I>(
        io: I,
        framing: Framing,
        mask: Option<Random>,
        limits: Limits,
        channels: &[u32],
    ) -> (Self, Vec<Reader>)
    where
        I: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (reader, writer) = tokio::io::split(io);
        let decoder = Decoder::new(mask.is_none());
        let encoder = MessageEncoder { framing, mask, closed: false };
        let inbox = Inbox::default();
        let readers = channels.iter().map(|channel| inbox.open(*channel)).collect();
        let (tasks, _controls) = Tasks::start(writer, inbox.clone(), encoder, |controls, activity| {
            Receiver { inbox, controls, framing, message: Message::default() }.run(reader, decoder, limits, activity)
        });
        (Link { tasks }, readers)
    }

    /// Like [`start`](Link::start), for a number of channels that is known when compiling.
    pub(crate) fn start_fixed<I, const N: usize>(
        io: I,
        framing: Framing,
        mask: Option<Random>,
        limits: Limits,
        channels: [u32; N],
    ) -> (Self, [Reader; N])
    where
        I: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (link, readers) = Link::start(io, framing, mask, limits, &channels);
        let readers = readers.try_into().expect("there is one reader for each channel");
        (link, readers)
    }

    pub(crate) fn writer(&self, channel: u32) -> Writer {
        self.tasks.writer(channel)
    }
}

enum Control {
    Pong(Bytes),
    Close,
}

struct MessageEncoder {
    framing: Framing,
    mask: Option<Random>,
    closed: bool,
}

impl MessageEncoder {
    fn frame(&mut self, opcode: Opcode, parts: &[&[u8]], out: &mut BytesMut) {
        if self.closed {
            return;
        }
        let mask = self.mask.as_ref().map(|random| (random.next_u64() as u32).to_be_bytes());
        frame::encode(opcode, parts, mask, out);
        self.closed = opcode == Opcode::Close;
    }

    fn close(&mut self, out: &mut BytesMut) {
        self.frame(Opcode::Close, &[&NORMAL_CLOSURE.to_be_bytes()], out);
    }
}

impl Encoder for MessageEncoder {
    type Control = Control;

    fn piece(&mut self, piece: Piece, out: &mut BytesMut) {
        match (piece, self.framing) {
            (Piece::Data { channel, bytes }, Framing::Binary) => {
                self.frame(Opcode::Binary, &[&[channel as u8], &bytes], out);
            }
            (Piece::Data { channel, bytes }, Framing::Base64) => {
                let text = STANDARD.encode(&bytes);
                self.frame(Opcode::Text, &[&[b'0' + channel as u8], text.as_bytes()], out);
            }
            (Piece::Data { bytes, .. }, Framing::Raw) => self.frame(Opcode::Binary, &[&bytes], out),
            (Piece::End { .. }, Framing::Raw) | (Piece::Close, _) => self.close(out),
            // Only clients end single channels. A server's end with the connection.
            (Piece::End { channel }, Framing::Binary) if self.mask.is_some() => {
                self.frame(Opcode::Binary, &[&[CLOSE_CHANNEL, channel as u8]], out);
            }
            (Piece::End { .. }, Framing::Binary | Framing::Base64) => {}
        }
    }

    fn control(&mut self, control: Control, out: &mut BytesMut) {
        match control {
            Control::Pong(payload) => self.frame(Opcode::Pong, &[&payload], out),
            Control::Close => self.close(out),
        }
    }
}

/// The reading half.
struct Receiver {
    inbox: Inbox,
    controls: mpsc::Sender<Control>,
    framing: Framing,
    message: Message,
}

/// The message being read.
#[derive(Default)]
struct Message {
    channel: Option<u8>,
    /// What has to be complete before it can be understood.
    collected: BytesMut,
}

impl Receiver {
    async fn run<R>(mut self, mut io: R, mut decoder: Decoder, limits: Limits, activity: Activity)
    where
        R: AsyncRead + Unpin,
    {
        let mut buffer = BytesMut::new();
        loop {
            loop {
                match decoder.decode(&mut buffer) {
                    Ok(None) => break,
                    Ok(Some(event)) => match self.event(event).await {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(error) => return tracing::debug!(%error, "closing a WebSocket"),
                    },
                    Err(error) => return tracing::debug!(%error, "closing a WebSocket"),
                }
            }
            buffer.reserve(READ_BYTES);
            match activity.within(limits.idle, io.read_buf(&mut buffer)).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => return tracing::debug!(%error, "a WebSocket broke off"),
            }
        }
    }

    /// Acts on one event; false when the connection is over.
    async fn event(&mut self, event: Event) -> Result<bool, Error> {
        match event {
            Event::Message { bytes, starts, ends } => {
                if starts {
                    self.message = Message::default();
                }
                self.piece(bytes, ends).await?;
            }
            Event::Ping(payload) => return Ok(self.controls.send(Control::Pong(payload)).await.is_ok()),
            Event::Pong => {}
            Event::Close => {
                let answered = self.controls.send(Control::Close).await.is_ok();
                tracing::trace!(answered, "the peer closed the WebSocket");
                if self.framing == Framing::Raw {
                    self.inbox.finish(0);
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn piece(&mut self, mut bytes: Bytes, ends: bool) -> Result<(), Error> {
        match self.framing {
            Framing::Raw => self.deliver(0, bytes).await,
            Framing::Base64 => {
                self.collect(&bytes, BASE64_MESSAGE_BYTES)?;
                if ends && let [digit, text @ ..] = &*self.message.collected.split() {
                    let data = STANDARD.decode(text).map_err(|_| Error::Base64)?;
                    self.deliver(digit.wrapping_sub(b'0'), data.into()).await;
                }
            }
            Framing::Binary => {
                if self.message.channel.is_none() && !bytes.is_empty() {
                    self.message.channel = Some(bytes.split_to(1)[0]);
                }
                match self.message.channel {
                    None => {}
                    Some(CLOSE_CHANNEL) => {
                        self.collect(&bytes, 1)?;
                        if ends && let [ended] = *self.message.collected {
                            self.inbox.finish(u32::from(ended));
                        }
                    }
                    Some(channel) => self.deliver(channel, bytes).await,
                }
            }
        }
        Ok(())
    }

    fn collect(&mut self, bytes: &[u8], limit: usize) -> Result<(), Error> {
        if self.message.collected.len() + bytes.len() > limit {
            return Err(Error::MessageTooLarge);
        }
        self.message.collected.extend_from_slice(bytes);
        Ok(())
    }

    /// Data for a channel that nobody reads is dropped, as upstream does.
    async fn deliver(&self, channel: u8, bytes: Bytes) {
        if !bytes.is_empty() {
            self.inbox.deliver(u32::from(channel), bytes).await;
        }
    }
}
