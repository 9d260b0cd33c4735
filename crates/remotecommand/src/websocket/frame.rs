//! Frames to bytes and back. Messages of any length are read in pieces.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::Error;

/// Data is handed on in pieces of at most this.
const PIECE_BYTES: usize = 32 * 1024;
/// RFC 6455, section 5.5.
const CONTROL_BYTES: u64 = 125;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Opcode {
    Continuation = 0,
    Text = 1,
    Binary = 2,
    Close = 8,
    Ping = 9,
    Pong = 10,
}

impl Opcode {
    fn from_bits(bits: u8) -> Result<Self, Error> {
        Ok(match bits {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(Error::Frame),
        })
    }

    fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A piece of a message. A message has at least one piece; `starts` and `ends` mark its bounds.
    Message {
        bytes: Bytes,
        starts: bool,
        ends: bool,
    },
    Ping(Bytes),
    Pong,
    Close,
}

/// Reads frames from a growing buffer.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// A server's peer must mask, a client's must not.
    masked: bool,
    frame: Option<DataFrame>,
    /// Between the first and the last frame of a message.
    in_message: bool,
    /// The next piece is the message's first.
    starts: bool,
}

#[derive(Clone, Copy, Debug)]
struct DataFrame {
    remaining: u64,
    mask: [u8; 4],
    last: bool,
}

impl Decoder {
    pub(crate) fn new(masked: bool) -> Self {
        Decoder { masked, frame: None, in_message: false, starts: false }
    }

    /// The next event, or None when more bytes are needed.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Event>, Error> {
        if let Some(frame) = self.frame {
            return Ok(self.piece(frame, buffer));
        }
        let Some(head) = Head::parse(buffer)? else { return Ok(None) };
        if head.mask.is_some() != self.masked {
            return Err(Error::Masking);
        }
        let mask = head.mask.unwrap_or_default();
        if head.opcode.is_control() {
            return control(&head, mask, buffer);
        }
        if (head.opcode == Opcode::Continuation) != self.in_message {
            return Err(Error::Frame);
        }
        buffer.advance(head.length);
        self.starts |= !self.in_message;
        self.in_message = !head.fin;
        Ok(self.piece(DataFrame { remaining: head.payload, mask, last: head.fin }, buffer))
    }

    fn piece(&mut self, mut frame: DataFrame, buffer: &mut BytesMut) -> Option<Event> {
        let available = buffer.len().min(PIECE_BYTES) as u64;
        let count = frame.remaining.min(available) as usize;
        if count == 0 && frame.remaining > 0 {
            self.frame = Some(frame);
            return None;
        }
        let mut bytes = buffer.split_to(count);
        unmask(&mut bytes, frame.mask);
        frame.remaining -= count as u64;
        frame.mask.rotate_left(count % 4);
        let ends = frame.last && frame.remaining == 0;
        self.frame = (frame.remaining > 0).then_some(frame);
        let starts = std::mem::take(&mut self.starts);
        Some(Event::Message { bytes: bytes.freeze(), starts, ends })
    }
}

fn control(head: &Head, mask: [u8; 4], buffer: &mut BytesMut) -> Result<Option<Event>, Error> {
    if !head.fin || head.payload > CONTROL_BYTES {
        return Err(Error::Frame);
    }
    let payload = head.payload as usize;
    if buffer.len() < head.length + payload {
        return Ok(None);
    }
    buffer.advance(head.length);
    let mut bytes = buffer.split_to(payload);
    unmask(&mut bytes, mask);
    Ok(Some(match head.opcode {
        Opcode::Ping => Event::Ping(bytes.freeze()),
        Opcode::Close => Event::Close,
        _ => Event::Pong,
    }))
}

struct Head {
    fin: bool,
    opcode: Opcode,
    mask: Option<[u8; 4]>,
    payload: u64,
    /// Bytes that the head itself takes.
    length: usize,
}

impl Head {
    fn parse(buffer: &[u8]) -> Result<Option<Self>, Error> {
        let &[first, second, ref rest @ ..] = buffer else { return Ok(None) };
        if first & RESERVED != 0 {
            return Err(Error::Frame);
        }
        let opcode = Opcode::from_bits(first & 0x0f)?;
        let (payload, rest) = match second & 0x7f {
            126 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from(u16::from_be_bytes(*length)), rest),
                None => return Ok(None),
            },
            127 => match rest.split_first_chunk() {
                Some((length, rest)) => (u64::from_be_bytes(*length), rest),
                None => return Ok(None),
            },
            short => (u64::from(short), rest),
        };
        if payload > i64::MAX as u64 {
            return Err(Error::Frame);
        }
        let (mask, rest) = match rest.split_first_chunk() {
            Some((mask, rest)) if second & MASKED != 0 => (Some(*mask), rest),
            None if second & MASKED != 0 => return Ok(None),
            _ => (None, rest),
        };
        let length = buffer.len() - rest.len();
        Ok(Some(Head { fin: first & FIN != 0, opcode, mask, payload, length }))
    }
}

/// Appends one whole frame.
pub(crate) fn encode(opcode: Opcode, parts: &[&[u8]], mask: Option<[u8; 4]>, out: &mut BytesMut) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let masked = if mask.is_some() { MASKED } else { 0 };
    out.put_u8(FIN | opcode as u8);
    match length {
        0..=125 => out.put_u8(masked | length as u8),
        126..=0xffff => {
            out.put_u8(masked | 126);
            out.put_u16(length as u16);
        }
        _ => {
            out.put_u8(masked | 127);
            out.put_u64(length as u64);
        }
    }
    out.put_slice(&mask.map_or(Vec::new(), Vec::from));
    let start = out.len();
    for part in parts {
        out.put_slice(part);
    }
    unmask(&mut out[start..], mask.unwrap_or_default());
}

fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    if mask == [0; 4] {
        return;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= mask[at % 4];
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_all(decoder: &mut Decoder, bytes: &[u8], step: usize) -> Result<Vec<Event>, Error> {
        let (mut buffer, mut events) = (BytesMut::new(), Vec::new());
        for part in bytes.chunks(step.max(1)) {
            buffer.put_slice(part);
            while let Some(event) = decoder.decode(&mut buffer)? {
                events.push(event);
            }
        }
        Ok(events)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn messages_survive_however_they_arrive(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70_000), 1..4),
            mask in proptest::option::of(any::<[u8; 4]>()),
            step in 1usize..9000,
        ) {
            let mut bytes = BytesMut::new();
            for message in &messages {
                encode(Opcode::Binary, &[message], mask, &mut bytes);
                encode(Opcode::Ping, &[b"hello"], mask, &mut bytes);
            }
            let mut read: Vec<Vec<u8>> = Vec::new();
            let mut pings = 0;
            for event in decode_all(&mut Decoder::new(mask.is_some()), &bytes, step).unwrap() {
                match event {
                    Event::Message { bytes, starts, .. } => {
                        if starts { read.push(Vec::new()); }
                        read.last_mut().unwrap().extend_from_slice(&bytes);
                    }
                    Event::Ping(payload) => { prop_assert_eq!(&payload[..], b"hello"); pings += 1; }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(pings, messages.len());
            prop_assert_eq!(read, messages);
        }

        #[test]
        fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300), masked: bool) {
            drop(decode_all(&mut Decoder::new(masked), &noise, 9));
        }
    }

    #[test]
    fn a_fragmented_message_is_one_message() {
        let mut bytes = BytesMut::new();
        bytes.put_slice(&[0x02, 0x01, b'a', 0x89, 0x00, 0x00, 0x01, b'b', 0x80, 0x00]);
        let events = decode_all(&mut Decoder::new(false), &bytes, 100).unwrap();
        let message = |bytes: &'static [u8], starts, ends| Event::Message { bytes: bytes.into(), starts, ends };
        assert_eq!(
            events,
            [
                message(b"a", true, false),
                Event::Ping(Bytes::new()),
                message(b"b", false, false),
                message(b"", false, true)
            ]
        );
    }

    #[test]
    fn rules_of_the_protocol_are_held() {
        let decode = |masked, bytes: &[u8]| decode_all(&mut Decoder::new(masked), bytes, 100);
        assert_eq!(decode(true, &[0x82, 0x01, b'a']), Err(Error::Masking));
        assert_eq!(decode(false, &[0x82, 0x81, 0, 0, 0, 0, b'a']), Err(Error::Masking));
        assert_eq!(decode(false, &[0xc2, 0x00]), Err(Error::Frame), "reserved bit");
        assert_eq!(decode(false, &[0x83, 0x00]), Err(Error::Frame), "unknown opcode");
        assert_eq!(decode(false, &[0x80, 0x00]), Err(Error::Frame), "continues nothing");
        assert_eq!(decode(false, &[0x02, 0x00, 0x82, 0x00]), Err(Error::Frame), "message inside a message");
        assert_eq!(decode(false, &[0x09, 0x00]), Err(Error::Frame), "fragmented ping");
        assert_eq!(decode(false, &[0x89, 126, 0, 200]), Err(Error::Frame), "long ping");
        assert_eq!(decode(false, &[0x82, 127, 255, 0, 0, 0, 0, 0, 0, 0]), Err(Error::Frame), "negative length");
    }
}
