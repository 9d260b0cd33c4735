//! The upgrade: SPDY/3.1 as the protocol, and a version of what is spoken in its streams.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::refusal::Refusal;

const X_STREAM_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("x-stream-protocol-version");

/// The answer that switches protocols, and the stream protocol chosen.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) response: Response<Full<Bytes>>,
    pub(crate) protocol: &'static str,
}

/// Chooses the first stream protocol the client offers that is among `supported`.
pub(crate) fn accept(headers: &HeaderMap, supported: &'static [&'static str]) -> Result<Accepted, Refusal> {
    let upgrade = headers.get(header::UPGRADE).map(|value| value.as_bytes().to_ascii_lowercase());
    let asks_for_spdy = upgrade.is_some_and(|value| value.windows(8).any(|part| part == b"spdy/3.1"));
    if !crate::tunnel::wants_upgrade(headers) || !asks_for_spdy {
        let message = "unable to upgrade: missing upgrade headers in request";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    let offered: Vec<&str> = headers
        .get_all(X_STREAM_PROTOCOL_VERSION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|protocol| !protocol.is_empty())
        .collect();
    if offered.is_empty() {
        let message = "unable to upgrade: X-Stream-Protocol-Version is required";
        return Err(Refusal::new(StatusCode::BAD_REQUEST, message));
    }
    let chosen = offered.iter().find_map(|offer| supported.iter().find(|protocol| *protocol == offer));
    let protocol = chosen.copied().ok_or_else(|| {
        let (client, server) = (offered.join(" "), supported.join(" "));
        let message = format!(
            "unable to upgrade: unable to negotiate protocol: client supports [{client}], server accepts [{server}]"
        );
        Refusal::new(StatusCode::FORBIDDEN, message).with_accepted(supported)
    })?;
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    answer.insert(header::UPGRADE, HeaderValue::from_static("SPDY/3.1"));
    answer.insert(X_STREAM_PROTOCOL_VERSION, HeaderValue::from_static(protocol));
    Ok(Accepted { response, protocol })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_clients_order_decides_and_what_nobody_speaks_is_refused() {
        let upgrade = [("connection", "Upgrade"), ("upgrade", "SPDY/3.1")];
        let offer = |protocols: &[&'static str]| {
            let mut pairs = upgrade.to_vec();
            pairs.extend(protocols.iter().map(|protocol| ("x-stream-protocol-version", *protocol)));
            accept(&request(&pairs), &["v4", "v3"])
        };
        assert_eq!(offer(&["v5", "v3", "v4"]).unwrap().protocol, "v3");
        assert_eq!(offer(&["v5, v4"]).unwrap().protocol, "v4");
        assert_eq!(offer(&[]).unwrap_err().status, StatusCode::BAD_REQUEST);
        let refused = offer(&["v9"]).unwrap_err().into_response();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let accepted: Vec<_> = refused.headers().get_all("x-accepted-stream-protocol-versions").iter().collect();
        assert_eq!(accepted, ["v4", "v3"]);
        assert_eq!(accept(&request(&[]), &["v4"]).unwrap_err().status, StatusCode::BAD_REQUEST);
    }
}
