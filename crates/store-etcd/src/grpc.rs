//! How a call to etcd ends other than well. The framing is the room `grpc`'s; the connection is our own ([`channel`]).
//!
//! [`channel`]: crate::channel

pub(crate) use grpc::{Code, encode};
use grpc::{FrameError, Status};
use http::HeaderMap;
use prost::Message;

/// The largest answer that is taken. Pages and fragments stay below.
const MAX_MESSAGE_BYTES: usize = 1 << 30;

/// How a call ended. What matters to a writer is whether the request may have been carried out.
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

impl From<Status> for CallError {
    fn from(Status { code, message }: Status) -> Self {
        if is_refusal(code) { CallError::Refused { code, message } } else { CallError::Interrupted { reason: message } }
    }
}

impl From<FrameError> for CallError {
    fn from(error: FrameError) -> Self {
        CallError::Interrupted { reason: stdx::error::chain(&error) }
    }
}

/// Whether a server gives the code only to requests that it did not carry out.
fn is_refusal(code: Code) -> bool {
    match code {
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => true,
        Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => false,
    }
}

/// Cuts what arrives into messages.
#[derive(Debug)]
pub(crate) struct Decoder(grpc::Decoder);

impl Default for Decoder {
    fn default() -> Self {
        Decoder(grpc::Decoder::new(MAX_MESSAGE_BYTES))
    }
}

impl Decoder {
    pub(crate) fn push(&mut self, data: &[u8]) {
        self.0.push(data);
    }

    /// The next message that is there in full.
    pub(crate) fn next<M: Message + Default>(&mut self) -> Result<Option<M>, CallError> {
        Ok(self.0.next_message()?)
    }
}

/// What the trailers, or the headers of an answer without a body, say of a call's end; `None` while they say nothing.
pub(crate) fn outcome(headers: &HeaderMap) -> Option<Result<(), CallError>> {
    grpc::outcome(headers).map(|outcome| outcome.map_err(CallError::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::CompactionRequest;

    #[test]
    fn what_cannot_be_a_message_ends_the_call_without_an_answer() {
        for bytes in [&[1, 0, 0, 0, 0][..], &[0, 255, 255, 255, 255], &[0, 0, 0, 0, 1, 0xff]] {
            let mut decoder = Decoder::default();
            decoder.push(bytes);
            let ended = decoder.next::<CompactionRequest>();
            assert!(matches!(ended, Err(CallError::Interrupted { .. })), "{ended:?}");
        }
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
        for unclear in ["1", "2", "4", "10", "13", "14", "15", "99"] {
            assert!(matches!(of(unclear, "x"), Err(CallError::Interrupted { .. })), "{unclear}");
        }
    }
}
