//! Service account tokens for pods: asked for, kept, and renewed before they expire.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use api::k8s::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use api::k8s::api::core::v1::{Pod, ServiceAccount};
use async_trait::async_trait;
use client::kube::api::PostParams;
use client::{Api, CallError, Client};
use jiff::{SignedDuration, Timestamp};

use crate::pod::spec;

/// However long it lasts, a token is replaced after this.
const MAXIMUM_AGE: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("asking for a token of service account {0:?}")]
    Call(String, #[source] CallError),
    #[error("the answer to the request for a token of service account {0:?} holds none")]
    Empty(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) token: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) refresh_at: Timestamp,
}

/// Who hands out tokens: the API, or a test.
#[async_trait]
pub(crate) trait TokenSource: Send + Sync {
    async fn request(&self, pod: &Pod, audience: Option<&str>, seconds: i64)
    -> Result<(String, Timestamp), TokenError>;
}

/// The tokens of all pods of the node, kept so that a change of one file does not ask for all anew.
#[derive(Clone)]
pub(crate) struct Tokens {
    source: Arc<dyn TokenSource>,
    kept: Arc<std::sync::Mutex<BTreeMap<Key, Token>>>,
}

/// Pod uid, audience, lifetime.
type Key = (String, String, i64);

impl Tokens {
    pub(crate) fn new(source: Arc<dyn TokenSource>) -> Self {
        Tokens { source, kept: Arc::default() }
    }

    /// A token with at least a fifth of its life before it. Where a new one cannot be had, the old
    /// one serves until it expires.
    pub(crate) async fn get(
        &self,
        pod: &Pod,
        audience: Option<&str>,
        seconds: i64,
        now: Timestamp,
    ) -> Result<Token, TokenError> {
        let key = (spec::uid(pod).to_owned(), audience.unwrap_or("").to_owned(), seconds);
        let kept = self.lock().get(&key).cloned();
        if let Some(token) = kept.as_ref().filter(|token| token.refresh_at > now) {
            return Ok(token.clone());
        }
        match (self.source.request(pod, audience, seconds).await, kept) {
            (Ok((token, expires_at)), _) => {
                let token = Token { token, expires_at, refresh_at: refresh_at(now, expires_at) };
                self.lock().insert(key, token.clone());
                Ok(token)
            }
            (Err(error), Some(old)) if old.expires_at > now => {
                tracing::warn!(
                    pod = spec::long_name(pod),
                    error = stdx::error::chain(&error),
                    "a token was not renewed"
                );
                let retry_at = now.saturating_add(SignedDuration::from_secs(30)).unwrap_or(old.expires_at);
                Ok(Token { refresh_at: retry_at, ..old })
            }
            (Err(error), _) => Err(error),
        }
    }

    pub(crate) fn forget(&self, pod_uid: &str) {
        self.lock().retain(|(uid, ..), _| uid != pod_uid);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Token>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// At four fifths of its life.
fn refresh_at(now: Timestamp, expires_at: Timestamp) -> Timestamp {
    let life = expires_at.duration_since(now);
    let wait = (life * 4 / 5).min(MAXIMUM_AGE);
    now.saturating_add(wait).unwrap_or(expires_at)
}

/// The API's TokenRequest, bound to the pod: the token dies with it.
pub(crate) struct ApiTokens {
    client: Client,
}

impl ApiTokens {
    pub(crate) fn new(client: Client) -> Self {
        ApiTokens { client }
    }
}

#[async_trait]
impl TokenSource for ApiTokens {
    async fn request(
        &self,
        pod: &Pod,
        audience: Option<&str>,
        seconds: i64,
    ) -> Result<(String, Timestamp), TokenError> {
        let account = spec::spec(pod).service_account_name.as_deref().unwrap_or("default");
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), spec::namespace(pod));
        let request = TokenRequest {
            spec: Some(TokenRequestSpec {
                audiences: audience.map(|audience| vec![audience.to_owned()]),
                bound_object_ref: Some(BoundObjectReference {
                    api_version: Some("v1".to_owned()),
                    kind: Some("Pod".to_owned()),
                    name: pod.metadata.name.clone(),
                    uid: pod.metadata.uid.clone(),
                }),
                expiration_seconds: Some(seconds),
                ..TokenRequestSpec::default()
            }),
            ..TokenRequest::default()
        };
        let answer = api
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .map_err(|error| TokenError::Call(account.to_owned(), error.into()))?;
        let granted = answer.status.and_then(|status| Some((status.token?, status.expiration_timestamp?.0)));
        granted.ok_or_else(|| TokenError::Empty(account.to_owned()))
    }
}
