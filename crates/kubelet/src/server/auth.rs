//! Who asks, and whether they may.
//!
//! A client certificate (checked by TLS against the cluster's authority) or a bearer token (checked by
//! the API, TokenReview) says who; the API says whether (SubjectAccessReview on `nodes/<part>`).
//! Answers are kept for a short while, so that a stream of requests is one question.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use api::k8s::api::authentication::v1::{TokenReview, TokenReviewSpec};
use api::k8s::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use client::kube::api::PostParams;
use client::{Api, CallError, Client};
use http::{Method, Request, StatusCode, header};
use sha2::{Digest, Sha256};
use stdx::Ambient;
use tokio::time::Instant;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::Refusal;

pub(super) const TOKEN_KEPT_FOR: Duration = Duration::from_secs(120);
pub(super) const GRANT_KEPT_FOR: Duration = Duration::from_secs(300);
pub(super) const DENIAL_KEPT_FOR: Duration = Duration::from_secs(30);
const MAXIMUM_KEPT: usize = 1000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    pub(crate) user: String,
    pub(crate) uid: Option<String>,
    pub(crate) groups: Vec<String>,
}

/// The subject of a certificate that TLS found valid: its common name and organisations.
pub(crate) fn identity_of(certificate: &[u8]) -> Option<Identity> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let subject = certificate.subject();
    let user = subject.iter_common_name().next()?.as_str().ok()?.to_owned();
    let groups = subject.iter_organization().filter_map(|name| name.as_str().ok().map(str::to_owned)).collect();
    Some(Identity { user, uid: None, groups })
}

pub(crate) struct Authenticator {
    client: Client,
    node_name: String,
    ambient: Ambient,
    /// By the token's digest: tokens themselves are not kept.
    tokens: Kept<[u8; 32], Option<Identity>>,
    grants: Kept<(Identity, &'static str, &'static str), bool>,
}

impl Authenticator {
    pub(crate) fn new(client: Client, node_name: String, ambient: Ambient) -> Self {
        Authenticator { client, node_name, ambient, tokens: Kept::default(), grants: Kept::default() }
    }

    pub(crate) async fn check<B>(
        &self,
        request: &Request<B>,
        certificate: Option<Identity>,
        subresource: &'static str,
    ) -> Result<(), Refusal> {
        let unauthorized = || Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized");
        let identity = match (certificate, bearer(request)) {
            (Some(identity), _) => identity,
            (None, Some(token)) => self.review_token(token).await?.ok_or_else(unauthorized)?,
            (None, None) => return Err(unauthorized()),
        };
        let verb = verb(request.method());
        if self.may(&identity, verb, subresource).await? {
            return Ok(());
        }
        let user = &identity.user;
        let message = format!("Forbidden (user={user}, verb={verb}, resource=nodes, subresource(s)=[{subresource}])\n");
        Err(Refusal::new(StatusCode::FORBIDDEN, message))
    }

    async fn review_token(&self, token: &str) -> Result<Option<Identity>, Refusal> {
        let key: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = self.ambient.clock.instant();
        if let Some(kept) = self.tokens.get(&key, now) {
            return Ok(kept);
        }
        let review = TokenReview {
            spec: TokenReviewSpec { token: token.to_owned(), ..TokenReviewSpec::default() },
            ..TokenReview::default()
        };
        let api: Api<TokenReview> = Api::all(self.client.clone());
        let answer = api.create(&PostParams::default(), &review).await.map_err(unavailable)?;
        let status = answer.status.unwrap_or_default();
        let user = status.user.filter(|_| status.authenticated == Some(true));
        let identity = user.map(|user| Identity {
            user: user.username.unwrap_or_default(),
            uid: user.uid,
            groups: user.groups.unwrap_or_default(),
        });
        self.tokens.put(key, identity.clone(), now + TOKEN_KEPT_FOR, now);
        Ok(identity)
    }

    async fn may(&self, identity: &Identity, verb: &'static str, subresource: &'static str) -> Result<bool, Refusal> {
        let key = (identity.clone(), verb, subresource);
        let now = self.ambient.clock.instant();
        if let Some(kept) = self.grants.get(&key, now) {
            return Ok(kept);
        }
        let review = SubjectAccessReview {
            spec: SubjectAccessReviewSpec {
                user: Some(identity.user.clone()),
                uid: identity.uid.clone(),
                groups: Some(identity.groups.clone()),
                resource_attributes: Some(ResourceAttributes {
                    verb: Some(verb.to_owned()),
                    version: Some("v1".to_owned()),
                    resource: Some("nodes".to_owned()),
                    subresource: Some(subresource.to_owned()),
                    name: Some(self.node_name.clone()),
                    ..ResourceAttributes::default()
                }),
                ..SubjectAccessReviewSpec::default()
            },
            ..SubjectAccessReview::default()
        };
        let api: Api<SubjectAccessReview> = Api::all(self.client.clone());
        let answer = api.create(&PostParams::default(), &review).await.map_err(unavailable)?;
        let allowed = answer.status.is_some_and(|status| status.allowed);
        let kept_for = if allowed { GRANT_KEPT_FOR } else { DENIAL_KEPT_FOR };
        self.grants.put(key, allowed, now + kept_for, now);
        Ok(allowed)
    }
}

/// Without the API's answer nobody gets in.
fn unavailable(error: client::ClientError) -> Refusal {
    let error = CallError::from(error);
    tracing::warn!(error = stdx::error::chain(&error), "the API did not say whether a request is allowed");
    Refusal::internal("Authorization error (the API server did not answer)")
}

fn bearer<B>(request: &Request<B>) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

/// Answers with an end, and a bound on their number.
struct Kept<K, V> {
    entries: Mutex<BTreeMap<K, (Instant, V)>>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Kept { entries: Mutex::new(BTreeMap::new()) }
    }
}

impl<K: Ord, V: Clone> Kept<K, V> {
    fn get(&self, key: &K, now: Instant) -> Option<V> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|(until, _)| *until > now).map(|(_, value)| value.clone())
    }

    fn put(&self, key: K, value: V, until: Instant, now: Instant) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAXIMUM_KEPT {
            entries.retain(|_, (until, _)| *until > now);
        }
        if entries.len() < MAXIMUM_KEPT {
            entries.insert(key, (until, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_subject_is_an_identity() {
        let mut parameters = rcgen::CertificateParams::default();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "kube-apiserver-kubelet-client");
        parameters.distinguished_name.push(rcgen::DnType::OrganizationName, "system:masters");
        let certificate = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        let identity = identity_of(certificate.der()).unwrap();
        assert_eq!(identity.user, "kube-apiserver-kubelet-client");
        assert_eq!(identity.groups, ["system:masters"]);
        assert_eq!(identity_of(b"not a certificate"), None);
    }

    #[tokio::test]
    async fn kept_answers_end() {
        let kept: Kept<u8, bool> = Kept::default();
        let now = Instant::now();
        kept.put(1, true, now + Duration::from_secs(5), now);
        assert_eq!(kept.get(&1, now), Some(true));
        assert_eq!(kept.get(&1, now + Duration::from_secs(5)), None);
        assert_eq!(kept.get(&2, now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_passes_without_a_name_and_a_grant() {
        let api = crate::testing::api_server::FakeApi::default();
        let authenticator = Authenticator::new(api.client(), "node".to_owned(), Ambient::simulated(1));
        let check = async |token: &str, certificate: Option<&str>, subresource| {
            let mut request = Request::builder();
            if !token.is_empty() {
                request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
            }
            let named = |user: &str| Identity { user: user.to_owned(), uid: None, groups: Vec::new() };
            let checked = authenticator.check(&request.body(()).unwrap(), certificate.map(named), subresource).await;
            checked.map_err(|refusal| (refusal.status.as_u16(), refusal.message))
        };
        let unauthorized = Err((401, "Unauthorized".to_owned()));
        assert_eq!(check("", None, "proxy").await, unauthorized);
        assert_eq!(check("bad", None, "proxy").await, unauthorized);
        assert_eq!(check("good", None, "proxy").await, Ok(()));
        assert_eq!(check("", Some("admin"), "proxy").await, Ok(()));
        let forbidden = "Forbidden (user=other, verb=get, resource=nodes, subresource(s)=[proxy])\n";
        assert_eq!(check("", Some("other"), "proxy").await, Err((403, forbidden.to_owned())));
        let asked = api.reviews();
        assert_eq!(check("good", None, "proxy").await, Ok(()));
        assert_eq!(api.reviews(), asked, "a grant is kept for a while");
        tokio::time::advance(GRANT_KEPT_FOR).await;
        assert_eq!(check("good", None, "proxy").await, Ok(()));
        assert_eq!(api.reviews(), asked + 1);
        assert_eq!(check("good", None, "stats").await.unwrap_err().0, 403);
    }

    #[test]
    fn only_bearer_tokens_count() {
        let request = |value: &str| Request::builder().header(header::AUTHORIZATION, value).body(()).unwrap();
        assert_eq!(bearer(&request("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&request("Basic abc")), None);
        assert_eq!(bearer(&request("Bearer ")), None);
    }
}
