//! gRPC's framing over HTTP/2: a flag, a length, a message; and a status at the end.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::HeaderMap;
use prost::Message;

/// A flag byte and the length in four.
const PREFIX_BYTES: usize = 5;

/// The largest answer that is taken. Pages and fragments stay below.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

/// How a call ended other than well. What matters to a writer is whether the request may have been carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The request did not leave this process: nothing was carried out.
    #[error("cannot reach etcd: {reason}")]
    Unreachable { reason: String },
    /// etcd said no: nothing was carried out.
    #[error("etcd refuses: {message}")]
    Refused { code: Code, message: String },
    /// The request left and no certain answer came: it may have been carried out.
    #[error("etcd did not answer: {reason}")]
    Interrupted { reason: String },
}

/// gRPC's status codes, as far as the engine tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Code(pub(crate) u32);

impl Code {
    pub(crate) const INVALID_ARGUMENT: Code = Code(3);
    pub(crate) const NOT_FOUND: Code = Code(5);
    pub(crate) const RESOURCE_EXHAUSTED: Code = Code(8);
    pub(crate) const OUT_OF_RANGE: Code = Code(11);
    const OK: Code = Code(0);

    /// Codes that a server gives only to requests it did not carry out: invalid argument, not found, already exists,
    /// permission denied, resource exhausted, failed precondition, out of range, unimplemented, unauthenticated.
    fn is_refusal(self) -> bool {
        matches!(self.0, 3 | 5 | 6 | 7 | 8 | 9 | 11 | 12 | 16)
    }
}

/// A message as it goes onto the wire.
pub(crate) fn encode(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(PREFIX_BYTES + length);
    frame.put_u8(0);
    // A request is a value of at most some megabytes and its keys.
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    frame.extend_from_slice(&message.encode_to_vec());
    frame.freeze()
}

/// Cuts what arrives into messages.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    pub(crate) fn push(&mut self, data: &[u8]) {
        self.buffer.extend_from_slice(data);
    }

    /// The next message that is there in full.
    pub(crate) fn next<M: Message + Default>(&mut self) -> Result<Option<M>, CallError> {
        let garbled = |reason: String| CallError::Interrupted { reason };
        let Some(prefix) = self.buffer.get(..PREFIX_BYTES) else { return Ok(None) };
        if prefix[0] != 0 {
            return Err(garbled("the answer is compressed, which was not offered".into()));
        }
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        if length > MAX_MESSAGE_BYTES {
            return Err(garbled(format!("an answer of {length} bytes is over the limit of {MAX_MESSAGE_BYTES}")));
        }
        if self.buffer.len() < PREFIX_BYTES + length {
            self.buffer.reserve(PREFIX_BYTES + length - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(PREFIX_BYTES);
        let message = self.buffer.split_to(length).freeze();
        M::decode(message).map(Some).map_err(|error| garbled(format!("the answer cannot be read: {error}")))
    }
}

/// What the trailers, or the headers of an answer without a body, say of a call's end; `None` while they say nothing.
pub(crate) fn outcome(headers: &HeaderMap) -> Option<Result<(), CallError>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let code = Code(text("grpc-status")?.parse().ok()?);
    if code == Code::OK {
        return Some(Ok(()));
    }
    let message = percent_decoded(text("grpc-message").unwrap_or("no reason given"));
    Some(Err(if code.is_refusal() {
        CallError::Refused { code, message }
    } else {
        CallError::Interrupted { reason: message }
    }))
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = behind.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &behind[2..];
            }
            None => {
                decoded.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::{CompactionRequest, RangeRequest};

    #[test]
    fn messages_survive_any_cutting_of_the_stream() {
        let messages: Vec<RangeRequest> = (0..5)
            .map(|number| RangeRequest {
                key: Bytes::from(vec![b'k'; number * 7]),
                limit: number as i64,
                ..RangeRequest::default()
            })
            .collect();
        let stream: Vec<u8> = messages.iter().flat_map(|message| encode(message).to_vec()).collect();
        for size in 1..stream.len() {
            let mut decoder = Decoder::default();
            let mut received = Vec::new();
            for piece in stream.chunks(size) {
                decoder.push(piece);
                while let Some(message) = decoder.next::<RangeRequest>().unwrap() {
                    received.push(message);
                }
            }
            assert_eq!(received, messages, "cut every {size} bytes");
        }
    }

    #[test]
    fn what_cannot_be_a_message_ends_the_call() {
        let decode = |bytes: &[u8]| {
            let mut decoder = Decoder::default();
            decoder.push(bytes);
            decoder.next::<CompactionRequest>()
        };
        assert!(decode(&[1, 0, 0, 0, 0]).is_err(), "compressed");
        assert!(decode(&[0, 255, 255, 255, 255]).is_err(), "endless");
        assert!(decode(&[0, 0, 0, 0, 1, 0xff]).is_err(), "no protobuf");
        assert!(decode(&[0, 0, 0, 0]).unwrap().is_none());
    }

    #[test]
    fn a_status_tells_whether_the_request_may_have_been_carried_out() {
        let of = |code: &str, message: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", code.parse().unwrap());
            headers.insert("grpc-message", message.parse().unwrap());
            outcome(&headers).unwrap()
        };
        assert!(outcome(&HeaderMap::new()).is_none());
        assert!(of("0", "").is_ok());
        let refused = of("3", "etcdserver: request is too large").unwrap_err();
        assert_eq!(refused.to_string(), "etcd refuses: etcdserver: request is too large");
        for unclear in ["1", "2", "4", "13", "14"] {
            assert!(matches!(of(unclear, "x"), Err(CallError::Interrupted { .. })), "{unclear}");
        }
        let decoded = of("9", "100%25 of %C3%A4, 5% left%").unwrap_err();
        assert_eq!(decoded.to_string(), "etcd refuses: 100% of ä, 5% left%");
    }
}
