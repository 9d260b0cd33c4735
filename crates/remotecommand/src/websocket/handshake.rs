//! The upgrade: the key, and the choice of a subprotocol.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use sha1::{Digest, Sha1};

use crate::refusal::Refusal;

/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The answer that switches protocols, and the subprotocol chosen; empty when none was offered.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) response: Response<Full<Bytes>>,
    pub(crate) protocol: &'static str,
}

pub(crate) fn is_requested(headers: &HeaderMap) -> bool {
    crate::tunnel::wants_upgrade(headers)
        && headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Chooses the first subprotocol the client offers that is among `supported`; "" stands for
/// a client that offers none.
pub(crate) fn accept(headers: &HeaderMap, supported: &[&'static str]) -> Result<Accepted, Refusal> {
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "missing or bad WebSocket Version"));
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return Err(Refusal::new(StatusCode::BAD_REQUEST, "mismatch challenge/response"));
    };
    let protocol = choose(headers, supported)?;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(header::SEC_WEBSOCKET_ACCEPT, accept_key(key.as_bytes()));
    if !protocol.is_empty() {
        answer.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    Ok(Accepted { response, protocol })
}

/// The proof that the server understood the key.
pub(crate) fn accept_key(key: &[u8]) -> HeaderValue {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    HeaderValue::try_from(STANDARD.encode(digest)).expect("base64 is a valid header value")
}

fn choose(headers: &HeaderMap, supported: &[&'static str]) -> Result<&'static str, Refusal> {
    let offered: Vec<&str> = headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|protocol| !protocol.is_empty())
        .collect();
    if offered.is_empty() && supported.contains(&"") {
        return Ok("");
    }
    let chosen = offered.iter().find_map(|offer| supported.iter().find(|protocol| *protocol == offer));
    chosen.copied().ok_or_else(|| {
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports {offered:?}, server accepts {supported:?}"
        );
        Refusal::new(StatusCode::FORBIDDEN, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(protocols: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("sec-websocket-version", "13".parse().unwrap());
        headers.insert("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap());
        for protocol in protocols {
            headers.append("sec-websocket-protocol", protocol.parse().unwrap());
        }
        headers
    }

    #[test]
    fn the_key_is_that_of_the_standards_example() {
        let accepted = accept(&request(&["v5, v4"]), &["v4", "v5"]).unwrap();
        assert_eq!(accepted.response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(accepted.protocol, "v5", "the client's order decides");
    }

    #[test]
    fn an_unknown_subprotocol_is_refused() {
        assert_eq!(accept(&request(&["v9"]), &["", "v4"]).unwrap_err().status, StatusCode::FORBIDDEN);
        assert_eq!(accept(&request(&[]), &["v4"]).unwrap_err().status, StatusCode::FORBIDDEN);
        assert_eq!(accept(&request(&[]), &["", "v4"]).unwrap().protocol, "");
    }
}
