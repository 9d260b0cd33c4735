//! Who is asking.
//!
//! **Invariant:** a credential that is presented and does not hold is 401. It never falls back to
//! anonymous.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use self::certificate::{CertificateError, Identity};
use crate::server::ApiServer;
use crate::status::ApiError;

pub(crate) mod certificate;
pub(crate) mod impersonation;
mod known_tokens;
pub(crate) mod token;

/// An identity, as authorisation and audit see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

pub(crate) const ANONYMOUS: &str = "system:anonymous";
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(crate) const AUTHENTICATED: &str = "system:authenticated";
pub(crate) const MASTERS: &str = "system:masters";

impl User {
    pub(crate) fn anonymous() -> Self {
        User { name: ANONYMOUS.to_owned(), groups: vec![UNAUTHENTICATED.to_owned()], ..User::default() }
    }

    /// An identity that proved itself; it belongs to `system:authenticated`.
    pub(crate) fn authenticated(name: impl Into<String>, groups: impl IntoIterator<Item = String>) -> Self {
        let mut groups: Vec<String> = groups.into_iter().collect();
        if !groups.iter().any(|group| group == AUTHENTICATED) {
            groups.push(AUTHENTICATED.to_owned());
        }
        User { name: name.into(), groups, ..User::default() }
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|candidate| candidate == group)
    }

    /// The node this user is the kubelet of.
    pub(crate) fn node_name(&self) -> Option<&str> {
        self.name.strip_prefix("system:node:").filter(|name| !name.is_empty() && self.is_in("system:nodes"))
    }
}

/// How the request reached the server.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// A component of this process, under the identity it was given.
    Local(Arc<User>),
    /// Over TLS; the certificate was verified against the cluster's CA during the handshake, and read
    /// once for all requests of the connection.
    Remote { address: IpAddr, certificate: Option<Arc<Result<Identity, CertificateError>>> },
}

/// The identity behind a request: client certificate, then bearer token, then nobody.
pub(crate) async fn authenticate(server: &ApiServer, peer: &Peer, headers: &HeaderMap) -> Result<Arc<User>, ApiError> {
    let certificate = match peer {
        Peer::Local(user) => return Ok(user.clone()),
        Peer::Remote { certificate, .. } => certificate,
    };
    if let Some(certificate) = certificate {
        let now = server.ambient.clock.now();
        let refused = |error: &CertificateError| {
            tracing::debug!(error = %stdx::error::chain(error), "a client certificate was refused");
            ApiError::unauthorized()
        };
        let identity = certificate.as_ref().as_ref().map_err(refused)?;
        return identity.at(now).map_err(|error| refused(&error));
    }
    match bearer(headers)? {
        Some(token) => {
            let now = server.ambient.clock.now();
            match Box::pin(token::identify(&server.tokens, &server.storage, token, now)).await {
                Ok(user) => Ok(user),
                Err(token::TokenError::Store(error)) => Err(error.into()),
                Err(error) => {
                    tracing::debug!(error = %stdx::error::chain(&error), "a bearer token was refused");
                    Err(ApiError::unauthorized())
                }
            }
        }
        None => Ok(server.anonymous.clone()),
    }
}

/// The bearer token, or none where no Authorization came at all. Any other scheme is refused: the
/// client meant to prove something.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().map_err(|_| ApiError::unauthorized())?;
    let (scheme, token) = text.trim().split_once(' ').ok_or_else(ApiError::unauthorized)?;
    let token = token.trim();
    if scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() {
        Ok(Some(token))
    } else {
        Err(ApiError::unauthorized())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_token_is_a_credential() {
        let check = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, value.parse().unwrap());
            bearer(&headers).map(|token| token.map(str::to_owned)).map_err(|error| error.code().as_u16())
        };
        assert_eq!(check("Bearer abc"), Ok(Some("abc".to_owned())));
        assert_eq!(check("bearer  abc"), Ok(Some("abc".to_owned())));
        for refused in ["Basic YTpi", "Bearer", "Bearer ", "abc"] {
            assert_eq!(check(refused), Err(401), "{refused}");
        }
        assert_eq!(bearer(&HeaderMap::new()).unwrap(), None);
    }

    #[test]
    fn a_node_is_known_by_name_and_group() {
        let node = User::authenticated("system:node:a", ["system:nodes".to_owned()]);
        assert_eq!(node.node_name(), Some("a"));
        assert_eq!(User::authenticated("system:node:a", []).node_name(), None);
        assert!(node.is_in(AUTHENTICATED));
    }
}
