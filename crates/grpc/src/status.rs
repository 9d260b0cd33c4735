//! How a call ends.

use http::{HeaderMap, HeaderValue};

/// A failed call: a code and one line of text. It reads as Go's gRPC prints it, which people search for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rpc error: code = {} desc = {message}", code.name())]
pub struct Status {
    pub code: Code,
    pub message: String,
}

/// Why a call failed. Numbers are gRPC's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
}

impl Code {
    /// All of them, in the order of their numbers.
    const ALL: [Code; 16] = [
        Code::Cancelled,
        Code::Unknown,
        Code::InvalidArgument,
        Code::DeadlineExceeded,
        Code::NotFound,
        Code::AlreadyExists,
        Code::PermissionDenied,
        Code::ResourceExhausted,
        Code::FailedPrecondition,
        Code::Aborted,
        Code::OutOfRange,
        Code::Unimplemented,
        Code::Internal,
        Code::Unavailable,
        Code::DataLoss,
        Code::Unauthenticated,
    ];

    /// As Go spells it.
    fn name(self) -> String {
        match self {
            Code::Cancelled => "Canceled".to_owned(),
            code => format!("{code:?}"),
        }
    }

    /// A number that gRPC does not know is as good as "unknown".
    fn from_number(number: i32) -> Self {
        Code::ALL.into_iter().find(|code| *code as i32 == number).unwrap_or(Code::Unknown)
    }
}

impl Status {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Status { code, message: message.into() }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Status::new(Code::NotFound, message)
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Status::new(Code::InvalidArgument, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Status::new(Code::Internal, message)
    }

    pub fn unimplemented(message: impl Into<String>) -> Self {
        Status::new(Code::Unimplemented, message)
    }

    pub(crate) fn deadline_exceeded() -> Self {
        // Go's words, which every client of the ecosystem shows.
        Status::new(Code::DeadlineExceeded, "context deadline exceeded")
    }
}

/// What trailers, or the headers of an answer without a body, say of a call's end; `None` while they say nothing.
pub fn outcome(headers: &HeaderMap) -> Option<Result<(), Status>> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let number: i32 = text("grpc-status")?.parse().ok()?;
    if number == 0 {
        return Some(Ok(()));
    }
    let message = percent_decoded(text("grpc-message").unwrap_or("no reason given"));
    Some(Err(Status::new(Code::from_number(number), message)))
}

/// The trailers that say so.
pub(crate) fn trailers(outcome: &Result<(), Status>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(2);
    match outcome {
        Ok(()) => drop(headers.insert("grpc-status", HeaderValue::from_static("0"))),
        Err(status) => {
            headers.insert("grpc-status", HeaderValue::from(status.code as i32));
            // What is percent-encoded is printable ASCII, which a header always takes.
            if let Ok(message) = HeaderValue::from_str(&percent_encoded(&status.message)) {
                headers.insert("grpc-message", message);
            }
        }
    }
    headers
}

/// Printable ASCII stays, but for the percent sign.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
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

    #[test]
    fn an_end_is_read_as_servers_write_it() {
        let of = |code: &str, message: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", code.parse().unwrap());
            headers.insert("grpc-message", message.parse().unwrap());
            outcome(&headers).unwrap()
        };
        assert_eq!(outcome(&HeaderMap::new()), None);
        assert_eq!(of("0", ""), Ok(()));
        assert_eq!(of("5", "no such pod"), Err(Status::not_found("no such pod")));
        assert_eq!(of("16", "who?"), Err(Status::new(Code::Unauthenticated, "who?")));
        assert_eq!(of("77", "new"), Err(Status::new(Code::Unknown, "new")));
        assert_eq!(of("9", "100%25 of %C3%A4, 5% left%").unwrap_err().message, "100% of ä, 5% left%");
    }

    #[test]
    fn codes_have_the_numbers_of_the_protocol() {
        let numbers: Vec<i32> = Code::ALL.into_iter().map(|code| code as i32).collect();
        assert_eq!(numbers, (1..=16).collect::<Vec<_>>());
    }

    proptest::proptest! {
        #[test]
        fn every_message_survives_the_trailers(message: String, number in 1..=16) {
            let failed = Err(Status::new(Code::from_number(number), message));
            proptest::prop_assert_eq!(outcome(&trailers(&failed)), Some(failed));
        }
    }
}
