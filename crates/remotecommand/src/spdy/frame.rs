//! Frames to bytes and back.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;

use super::Error;
use super::headers::{Compressor, Decompressor};
use crate::stream::{Encoder, Piece};

/// Largest control frame accepted. Data frames may have any length: they are read in pieces.
const CONTROL_BYTES: usize = 32 * 1024;
const FRAME_HEADER_BYTES: usize = 8;
/// Data is handed on in pieces of at most this.
const DATA_PIECE_BYTES: usize = 32 * 1024;

const VERSION: u16 = 3;
const CONTROL_BIT: u16 = 0x8000;
const STREAM_ID_MASK: u32 = 0x7fff_ffff;
const FLAG_FIN: u8 = 0x01;

const SYN_STREAM: u16 = 1;
const SYN_REPLY: u16 = 2;
const RST_STREAM: u16 = 3;
const SETTINGS: u16 = 4;
const PING: u16 = 6;
const GOAWAY: u16 = 7;
const HEADERS: u16 = 8;
const WINDOW_UPDATE: u16 = 9;

/// Status of a reset: the receiver does not know the stream.
pub(crate) const REFUSED_STREAM: u32 = 3;

/// What a peer can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Open {
        stream: u32,
        headers: HeaderMap,
        fin: bool,
    },
    Reply {
        stream: u32,
        fin: bool,
    },
    Reset {
        stream: u32,
    },
    Ping(u32),
    GoAway,
    /// A piece of a data frame; `fin` only on the last piece.
    Data {
        stream: u32,
        bytes: Bytes,
        fin: bool,
    },
    /// More headers on a stream. No client of these protocols uses them.
    Headers {
        stream: u32,
        fin: bool,
    },
    /// Settings and windows, which do not bind us.
    Ignored,
}

/// Reads frames from a growing buffer.
pub(crate) struct Decoder {
    decompressor: Option<Decompressor>,
    data: Option<DataFrame>,
}

#[derive(Clone, Copy)]
struct DataFrame {
    stream: u32,
    remaining: usize,
    fin: bool,
}

impl Decoder {
    pub(crate) fn new() -> Self {
        Decoder { decompressor: None, data: None }
    }

    /// The next frame, or None when more bytes are needed.
    pub(crate) fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, Error> {
        if let Some(data) = self.data {
            return Ok(self.data_piece(data, buffer));
        }
        let Some(head) = buffer.first_chunk::<FRAME_HEADER_BYTES>() else { return Ok(None) };
        let first = u16::from_be_bytes([head[0], head[1]]);
        let flags = head[4];
        let length = usize::from(head[5]) << 16 | usize::from(head[6]) << 8 | usize::from(head[7]);
        if first & CONTROL_BIT == 0 {
            let stream = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            buffer.advance(FRAME_HEADER_BYTES);
            return Ok(self.data_piece(DataFrame { stream, remaining: length, fin: flags & FLAG_FIN != 0 }, buffer));
        }
        if first & !CONTROL_BIT != VERSION {
            return Err(Error::Version);
        }
        if length > CONTROL_BYTES {
            return Err(Error::FrameTooLarge);
        }
        if buffer.len() < FRAME_HEADER_BYTES + length {
            return Ok(None);
        }
        let kind = u16::from_be_bytes([head[2], head[3]]);
        buffer.advance(FRAME_HEADER_BYTES);
        let payload = buffer.split_to(length).freeze();
        self.control(kind, flags, payload).map(Some)
    }

    fn data_piece(&mut self, frame: DataFrame, buffer: &mut BytesMut) -> Option<Frame> {
        let count = frame.remaining.min(buffer.len()).min(DATA_PIECE_BYTES);
        let remaining = frame.remaining - count;
        self.data = (remaining > 0).then_some(DataFrame { remaining, ..frame });
        if count == 0 && remaining > 0 {
            return None;
        }
        let bytes = buffer.split_to(count).freeze();
        Some(Frame::Data { stream: frame.stream, bytes, fin: frame.fin && remaining == 0 })
    }

    fn control(&mut self, kind: u16, flags: u8, mut payload: Bytes) -> Result<Frame, Error> {
        let fin = flags & FLAG_FIN != 0;
        match kind {
            SYN_STREAM => {
                let stream = take_u32(&mut payload)? & STREAM_ID_MASK;
                // The associated stream, the priority and the slot say nothing here.
                payload = skip(payload, 6)?;
                let headers = self.headers(&payload)?;
                Ok(Frame::Open { stream, headers, fin })
            }
            SYN_REPLY => {
                let stream = take_u32(&mut payload)? & STREAM_ID_MASK;
                self.headers(&payload)?;
                Ok(Frame::Reply { stream, fin })
            }
            HEADERS => {
                let stream = take_u32(&mut payload)? & STREAM_ID_MASK;
                // Read, though unused: the blocks are one compressed stream.
                self.headers(&payload)?;
                Ok(Frame::Headers { stream, fin })
            }
            RST_STREAM => Ok(Frame::Reset { stream: take_u32(&mut payload)? & STREAM_ID_MASK }),
            PING => Ok(Frame::Ping(take_u32(&mut payload)?)),
            GOAWAY => Ok(Frame::GoAway),
            SETTINGS | WINDOW_UPDATE => Ok(Frame::Ignored),
            // The draft: a receiver ignores control frames that it does not know.
            _ => Ok(Frame::Ignored),
        }
    }

    fn headers(&mut self, block: &[u8]) -> Result<HeaderMap, Error> {
        self.decompressor.get_or_insert_with(Decompressor::new).headers(block)
    }
}

fn take_u32(payload: &mut Bytes) -> Result<u32, Error> {
    payload.try_get_u32().map_err(|_| Error::Frame)
}

fn skip(mut payload: Bytes, count: usize) -> Result<Bytes, Error> {
    if payload.len() < count {
        return Err(Error::Frame);
    }
    payload.advance(count);
    Ok(payload)
}

/// Frames that carry no stream's data.
#[derive(Clone, Debug)]
pub(crate) enum Control {
    Open { stream: u32, headers: HeaderMap, fin: bool },
    Reply { stream: u32 },
    Reset { stream: u32, status: u32 },
    Ping(u32),
}

/// Writes frames.
#[derive(Debug, Default)]
pub(crate) struct FrameEncoder {
    compressor: Compressor,
    /// The last stream the peer opened, as GOAWAY tells it.
    last_stream: u32,
}

impl Encoder for FrameEncoder {
    type Control = Control;

    fn piece(&mut self, piece: Piece, out: &mut BytesMut) {
        match piece {
            Piece::Data { channel, bytes } => put_data(channel, &bytes, 0, out),
            Piece::End { channel } => put_data(channel, &[], FLAG_FIN, out),
            Piece::Close => {
                put_control(GOAWAY, 0, 8, out);
                out.put_u32(self.last_stream);
                out.put_u32(0);
            }
        }
    }

    fn control(&mut self, control: Control, out: &mut BytesMut) {
        match control {
            Control::Open { stream, headers, fin } => {
                let block = self.compressor.block(&headers);
                put_control(SYN_STREAM, if fin { FLAG_FIN } else { 0 }, 10 + block.len(), out);
                out.put_u32(stream);
                out.put_u32(0);
                out.put_u16(0);
                out.put_slice(&block);
            }
            Control::Reply { stream } => {
                self.last_stream = stream;
                let block = self.compressor.block(&HeaderMap::new());
                put_control(SYN_REPLY, 0, 4 + block.len(), out);
                out.put_u32(stream);
                out.put_slice(&block);
            }
            Control::Reset { stream, status } => {
                put_control(RST_STREAM, 0, 8, out);
                out.put_u32(stream);
                out.put_u32(status);
            }
            Control::Ping(number) => {
                put_control(PING, 0, 4, out);
                out.put_u32(number);
            }
        }
    }
}

fn put_control(kind: u16, flags: u8, length: usize, out: &mut BytesMut) {
    out.put_u16(CONTROL_BIT | VERSION);
    out.put_u16(kind);
    put_flags_and_length(flags, length, out);
}

fn put_data(stream: u32, bytes: &[u8], flags: u8, out: &mut BytesMut) {
    out.put_u32(stream & STREAM_ID_MASK);
    put_flags_and_length(flags, bytes.len(), out);
    out.put_slice(bytes);
}

fn put_flags_and_length(flags: u8, length: usize, out: &mut BytesMut) {
    // Lengths are 24 bits wide; the largest frame written is a 32 KiB chunk or a header block.
    out.put_u32(u32::from(flags) << 24 | (length as u32 & 0x00ff_ffff));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode_all(bytes: &[u8], step: usize) -> Result<Vec<Frame>, Error> {
        let (mut decoder, mut buffer, mut frames) = (Decoder::new(), BytesMut::new(), Vec::new());
        for part in bytes.chunks(step.max(1)) {
            buffer.put_slice(part);
            while let Some(frame) = decoder.decode(&mut buffer)? {
                frames.push(frame);
            }
        }
        Ok(frames)
    }

    fn opened(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), (*value).parse().unwrap())).collect()
    }

    /// The data of each stream, glued together, and whether it ended.
    fn data(frames: &[Frame]) -> Vec<(u32, Vec<u8>, bool)> {
        let mut glued: Vec<(u32, Vec<u8>, bool)> = Vec::new();
        for frame in frames {
            let Frame::Data { stream, bytes, fin } = frame else { continue };
            match glued.last_mut() {
                Some((last, content, ended)) if last == stream && !*ended => {
                    content.extend_from_slice(bytes);
                    *ended |= fin;
                }
                _ => glued.push((*stream, bytes.to_vec(), *fin)),
            }
        }
        glued
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_written_is_read_however_it_arrives(
            content in proptest::collection::vec(any::<u8>(), 0..70_000),
            step in 1usize..5000,
        ) {
            let (mut encoder, mut bytes) = (FrameEncoder::default(), BytesMut::new());
            let headers = opened(&[("streamtype", "data"), ("port", "80")]);
            encoder.control(Control::Open { stream: 1, headers: headers.clone(), fin: false }, &mut bytes);
            encoder.control(Control::Reply { stream: 2 }, &mut bytes);
            encoder.piece(Piece::Data { channel: 1, bytes: content.clone().into() }, &mut bytes);
            encoder.piece(Piece::End { channel: 1 }, &mut bytes);
            encoder.control(Control::Ping(7), &mut bytes);
            let frames = decode_all(&bytes, step).unwrap();
            prop_assert_eq!(&frames[0], &Frame::Open { stream: 1, headers, fin: false });
            prop_assert_eq!(&frames[1], &Frame::Reply { stream: 2, fin: false });
            prop_assert_eq!(data(&frames), vec![(1, content, true)]);
            prop_assert_eq!(frames.last(), Some(&Frame::Ping(7)));
        }

        #[test]
        fn noise_is_an_error_or_frames_and_never_a_panic(
            noise in proptest::collection::vec(any::<u8>(), 0..400),
            kind in 0u16..12,
            flags in any::<u8>(),
        ) {
            drop(decode_all(&noise, 7));
            let mut framed = BytesMut::new();
            put_control(kind, flags, noise.len(), &mut framed);
            framed.put_slice(&noise);
            drop(decode_all(&framed, 50));
        }

        #[test]
        fn a_damaged_header_block_never_panics(at in 10usize..60, bit in 0u8..8) {
            let (mut encoder, mut bytes) = (FrameEncoder::default(), BytesMut::new());
            let headers = opened(&[("streamtype", "stdin"), ("requestid", "4")]);
            encoder.control(Control::Open { stream: 1, headers, fin: false }, &mut bytes);
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1 << bit;
            drop(decode_all(&bytes, 1000));
        }
    }

    #[test]
    fn limits_and_versions_are_held() {
        let mut large = BytesMut::new();
        put_control(SYN_STREAM, 0, CONTROL_BYTES + 1, &mut large);
        assert_eq!(decode_all(&large, 100), Err(Error::FrameTooLarge));
        assert_eq!(decode_all(&[0x80, 2, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1], 100), Err(Error::Version));
        assert_eq!(decode_all(&[0x80, 3, 0, 6, 0, 0, 0, 2, 0, 0], 100), Err(Error::Frame));
        assert_eq!(decode_all(&[0x80, 3, 0, 200, 0, 0, 0, 0], 100), Ok(vec![Frame::Ignored]));
    }
}
