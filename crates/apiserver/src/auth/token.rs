//! Service account tokens: ES256 JWTs (RFC 7519) bound to an account and, where asked, to a pod,
//! secret or node.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;

use super::User;
use super::known_tokens::{Digest, KnownToken, KnownTokens};
use crate::status::ApiError;
use crate::storage::Storage;

/// Tokens are short; what is longer is no token.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// How far clocks may be apart.
const LEEWAY_SECONDS: i64 = 10;

/// Signs and verifies.
pub(crate) struct TokenAuthority {
    key: EcdsaKeyPair,
    key_id: String,
    issuer: String,
    random: SystemRandom,
    known: KnownTokens,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the service account key is no PEM-encoded PKCS#8 key")]
    Pem(#[source] rustls_pki_types::pem::Error),
    #[error("the service account key is no P-256 key: {0}")]
    Key(ring::error::KeyRejected),
}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) aud: Audience,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) iss: String,
    pub(crate) jti: String,
    #[serde(rename = "kubernetes.io")]
    pub(crate) kubernetes: Binding,
    pub(crate) nbf: i64,
    pub(crate) sub: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Audience {
    Many(Vec<String>),
    One(String),
}

/// The objects whose disappearance ends the token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Binding {
    pub(crate) namespace: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) node: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) pod: Option<Reference>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) secret: Option<Reference>,
    pub(crate) serviceaccount: Reference,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) name: String,
    pub(crate) uid: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token's signature does not hold")]
    Signature,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for other audiences")]
    Audience,
    #[error("the token has expired or is not valid yet")]
    Time,
    #[error("the {0} the token is bound to is gone")]
    Unbound(&'static str),
    #[error("the store did not answer")]
    Store(#[source] StoreFailure),
}

/// Carries a refusal of the store through an error chain.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message())]
pub(crate) struct StoreFailure(pub(super) ApiError);

impl From<StoreFailure> for ApiError {
    fn from(failure: StoreFailure) -> Self {
        failure.0
    }
}

/// A token that holds: whose it is, and which of the asked audiences it is for.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) user: Arc<User>,
    pub(crate) audiences: Vec<String>,
}

impl TokenAuthority {
    pub(crate) fn new(key_pem: &str, issuer: &str) -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let der = PrivatePkcs8KeyDer::from_pem_slice(key_pem.as_bytes()).map_err(KeyError::Pem)?;
        let der = der.secret_pkcs8_der();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der, &random).map_err(KeyError::Key)?;
        let key_id =
            URL_SAFE_NO_PAD.encode(<Sha256 as sha2::Digest>::digest(public_key_info(key.public_key().as_ref())));
        Ok(TokenAuthority { key, key_id, issuer: issuer.to_owned(), random, known: KnownTokens::default() })
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String, ApiError> {
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = serde_json::to_value(claims).map_err(|error| ApiError::internal(&error.to_string()))?;
        let message = format!("{}.{}", encode(json!({ "alg": "ES256", "kid": self.key_id })), encode(claims));
        let signature = self.key.sign(&self.random, message.as_bytes());
        let signature = signature.map_err(|_| ApiError::internal("the service account key does not sign"))?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Checks signature, issuer, time and audience; returns the token and the audiences in common.
    fn verify(
        &self,
        token: &str,
        audiences: &[&str],
        now: Timestamp,
    ) -> Result<(Arc<KnownToken>, Vec<String>), TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::Malformed);
        }
        let digest = Digest::of(token);
        let known = match self.known.find(&digest) {
            Some(known) => known,
            None => self.known.keep(digest, self.claims(token)?),
        };
        let claims = &known.claims;
        let seconds = now.as_second();
        if seconds > claims.exp + LEEWAY_SECONDS || seconds < claims.nbf - LEEWAY_SECONDS {
            return Err(TokenError::Time);
        }
        let asked = audiences.iter().map(|asked| (*asked).to_owned());
        let common: Vec<String> = match &claims.aud {
            Audience::One(one) => asked.filter(|asked| asked == one).collect(),
            Audience::Many(many) => asked.filter(|asked| many.contains(asked)).collect(),
        };
        if common.is_empty() { Err(TokenError::Audience) } else { Ok((known, common)) }
    }

    /// What a token of this issuer says, at whatever time.
    fn claims(&self, token: &str) -> Result<Claims, TokenError> {
        let (message, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::Malformed);
        let header: Value = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        if header.get("alg").and_then(Value::as_str) != Some("ES256") {
            return Err(TokenError::Signature);
        }
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.key.public_key().as_ref())
            .verify(message.as_bytes(), &decode(signature)?)
            .map_err(|_| TokenError::Signature)?;
        let claims: Claims = serde_json::from_slice(&decode(payload)?).map_err(|_| TokenError::Malformed)?;
        if claims.iss == self.issuer { Ok(claims) } else { Err(TokenError::Issuer) }
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    pub(crate) fn key_set(&self) -> Value {
        let point = self.key.public_key().as_ref();
        // An uncompressed point: 0x04, then x and y of 32 bytes each.
        let (x, y) = (&point[1..33], &point[33..65]);
        json!({ "keys": [{
            "use": "sig", "kty": "EC", "kid": self.key_id, "crv": "P-256", "alg": "ES256",
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        }] })
    }
}

/// Who presents a token to this server.
pub(crate) async fn identify(
    authority: &TokenAuthority,
    storage: &Storage,
    token: &str,
    now: Timestamp,
) -> Result<Arc<User>, TokenError> {
    let (known, _) = authority.verify(token, &[authority.issuer()], now)?;
    known.check_bindings(storage, now).await?;
    Ok(known.user.clone())
}

/// The identity of a token that holds, and whose objects are still there.
pub(crate) async fn authenticate(
    authority: &TokenAuthority,
    storage: &Storage,
    token: &str,
    audiences: &[String],
    now: Timestamp,
) -> Result<Verified, TokenError> {
    let audiences: Vec<&str> = audiences.iter().map(String::as_str).collect();
    let (known, audiences) = authority.verify(token, &audiences, now)?;
    known.check_bindings(storage, now).await?;
    Ok(Verified { user: known.user.clone(), audiences })
}

pub(super) fn user(claims: &Claims) -> User {
    let binding = &claims.kubernetes;
    let mut user = service_account(&binding.namespace, &binding.serviceaccount.name);
    user.uid.clone_from(&binding.serviceaccount.uid);
    let mut extra = |key: &str, value: String| {
        user.extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
    };
    extra("credential-id", format!("JTI={}", claims.jti));
    if let Some(pod) = &binding.pod {
        extra("pod-name", pod.name.clone());
        extra("pod-uid", pod.uid.clone());
    }
    if let Some(node) = &binding.node {
        extra("node-name", node.name.clone());
        extra("node-uid", node.uid.clone());
    }
    user
}

pub(crate) fn service_account(namespace: &str, name: &str) -> User {
    let groups = ["system:serviceaccounts".to_owned(), format!("system:serviceaccounts:{namespace}")];
    User::authenticated(format!("system:serviceaccount:{namespace}:{name}"), groups)
}

/// SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480).
fn public_key_info(point: &[u8]) -> Vec<u8> {
    const HEAD: [u8; 26] = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    [&HEAD, point].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority() -> TokenAuthority {
        let key = rcgen::KeyPair::generate().unwrap();
        TokenAuthority::new(&key.serialize_pem(), "https://issuer").unwrap()
    }

    fn claims(now: i64) -> Claims {
        Claims {
            aud: Audience::Many(vec!["https://issuer".to_owned(), "vault".to_owned()]),
            exp: now + 600,
            iat: now,
            nbf: now,
            iss: "https://issuer".to_owned(),
            jti: "1".to_owned(),
            kubernetes: Binding {
                namespace: "default".to_owned(),
                node: None,
                pod: None,
                secret: None,
                serviceaccount: Reference { name: "web".to_owned(), uid: "u".to_owned() },
            },
            sub: "system:serviceaccount:default:web".to_owned(),
        }
    }

    #[test]
    fn a_token_holds_for_its_audience_its_time_and_its_key() {
        let now = Timestamp::from_second(1_900_000_000).unwrap();
        let authority = authority();
        let token = authority.sign(&claims(now.as_second())).unwrap();
        let check = |token: &str, audience: &str, seconds: i64| {
            let at = Timestamp::from_second(now.as_second() + seconds).unwrap();
            authority
                .verify(token, &[audience], at)
                .map(|(known, _)| known.claims.sub.clone())
                .map_err(|e| e.to_string())
        };
        // The second time it is known, and held to its time and audience all the same.
        for _ in 0..2 {
            assert_eq!(check(&token, "vault", 0).unwrap(), "system:serviceaccount:default:web");
        }
        assert_eq!(check(&token, "other", 0).unwrap_err(), TokenError::Audience.to_string());
        assert_eq!(check(&token, "vault", 700).unwrap_err(), TokenError::Time.to_string());
        let mut tampered = token.clone().into_bytes();
        let at = token.find('.').unwrap() + 5;
        tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
        let tampered = String::from_utf8(tampered).unwrap();
        assert_eq!(check(&tampered, "vault", 0).unwrap_err(), TokenError::Signature.to_string());
        let none = format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), token.split('.').nth(1).unwrap());
        assert_eq!(check(&none, "vault", 0).unwrap_err(), TokenError::Signature.to_string());
        assert_eq!(authority.key_set()["keys"][0]["kty"], "EC");
    }
}
