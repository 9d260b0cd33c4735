//! Why a request was not upgraded, as the client sees it.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// An upgrade that was turned down: a status, one line of text, and the protocols that would do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub status: StatusCode,
    pub message: String,
    accepted: &'static [&'static str],
}

impl Refusal {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Refusal { status, message: message.into(), accepted: &[] }
    }

    pub(crate) fn with_accepted(mut self, accepted: &'static [&'static str]) -> Self {
        self.accepted = accepted;
        self
    }

    /// The response for the client. It ends the connection.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::from(format!("{}\n", self.message)));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        for protocol in self.accepted {
            headers.append("x-accepted-stream-protocol-versions", HeaderValue::from_static(protocol));
        }
        response
    }
}
