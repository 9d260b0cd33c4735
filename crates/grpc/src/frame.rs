//! Framing: a flag, a length, a message.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use prost::Message;

/// A flag byte and the length in four.
const PREFIX_BYTES: usize = 5;

/// Why what arrived is no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("the message is compressed, which was not offered")]
    Compressed,
    #[error("received message larger than max ({length} vs. {limit})")]
    TooLarge { length: usize, limit: usize },
    #[error("the message cannot be read")]
    Garbled(#[source] prost::DecodeError),
}

/// A message as it goes onto the wire.
pub fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + length);
    frame.put_u8(0);
    // Whoever reads takes far less than four gigabytes.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    frame.extend_from_slice(&message.encode_to_vec());
    frame.freeze()
}

/// Cuts what arrives into messages.
#[derive(Debug)]
pub struct Decoder {
    buffer: BytesMut,
    limit: usize,
}

impl Decoder {
    /// No message may be larger than `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Decoder { buffer: BytesMut::new(), limit }
    }

    pub fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next message that is there in full.
    pub fn next_message<M: Message + Default>(&mut self) -> Result<Option<M>, FrameError> {
        let Some(message) = self.next_bytes()? else { return Ok(None) };
        M::decode(message).map(Some).map_err(FrameError::Garbled)
    }

    /// The same, undecoded.
    pub fn next_bytes(&mut self) -> Result<Option<Bytes>, FrameError> {
        let Some(prefix) = self.buffer.get(..PREFIX_BYTES) else { return Ok(None) };
        if prefix[0] != 0 {
            return Err(FrameError::Compressed);
        }
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if length > self.limit {
            return Err(FrameError::TooLarge { length, limit: self.limit });
        }
        if self.buffer.len() < PREFIX_BYTES + length {
            self.buffer.reserve(PREFIX_BYTES + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(PREFIX_BYTES);
        Ok(Some(self.buffer.split_to(length).freeze()))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message to try things with.
    #[derive(Clone, PartialEq, Message)]
    pub(crate) struct Note {
        #[prost(bytes = "bytes", tag = "1")]
        pub(crate) text: Bytes,
        #[prost(int64, tag = "2")]
        pub(crate) number: i64,
    }

    impl Note {
        pub(crate) fn new(text: &str, number: i64) -> Self {
            Note { text: Bytes::copy_from_slice(text.as_bytes()), number }
        }
    }

    #[test]
    fn messages_survive_any_cutting_of_the_stream() {
        let messages: Vec<Note> = (0..5).map(|number| Note::new(&"k".repeat(number * 7), number as i64)).collect();
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode(message).to_vec()).collect();
        for size in 1..stream.len() {
            let mut decoder = Decoder::new(1 << 20);
            let mut received = Vec::new();
            for piece in stream.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next_message::<Note>().unwrap() {
                    received.push(message);
                }
            }
            assert_eq!(received, messages, "cut every {size} bytes");
        }
    }

    #[test]
    fn what_cannot_be_a_message_is_refused() {
        let decode = |bytes: &[u8]| {
            let mut decoder = Decoder::new(100);
            decoder.push(bytes);
            decoder.next_message::<Note>()
        };
        assert_eq!(decode(&[1, 0, 0, 0, 0]), Err(FrameError::Compressed));
        assert_eq!(decode(&[0, 0, 0, 0, 101]), Err(FrameError::TooLarge { length: 101, limit: 100 }));
        assert!(matches!(decode(&[0, 0, 0, 0, 1, 0xff]), Err(FrameError::Garbled(_))));
        assert_eq!(decode(&[0, 0, 0, 0]), Ok(None));
    }

    proptest::proptest! {
        #[test]
        fn nothing_that_arrives_takes_a_reader_down(pieces: Vec<Vec<u8>>) {
            let mut decoder = Decoder::new(1 << 10);
            for piece in pieces {
                decoder.push(&piece);
                while let Ok(Some(message)) = decoder.next_bytes() {
                    proptest::prop_assert!(message.len() <= 1 << 10);
                }
            }
        }
    }
}
