//! Tokens whose signatures held before: checking one costs more than all the rest of a request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use registry::Object;
use ring::digest;
use store::ReadAt;

use super::User;
use super::token::{self, Claims, Reference, StoreFailure, TokenError};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::{Encoded, Storage};

/// How many tokens are remembered; the half that was used last outlives the other.
const MAX_TOKENS: usize = 4096;

/// A pod that is ending may use its token until its end is this far behind.
const AFTER_DELETION_SECONDS: i64 = 60;

/// What a token is remembered by, so that the token itself is not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; digest::SHA256_OUTPUT_LEN]);

impl Digest {
    pub(super) fn of(token: &str) -> Self {
        let mut bytes = [0; digest::SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        Digest(bytes)
    }
}

/// Two generations: what is used moves to the young one, and when that is full the old one goes.
#[derive(Default)]
pub(super) struct KnownTokens {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Digest, Arc<KnownToken>>,
    old: HashMap<Digest, Arc<KnownToken>>,
}

/// A token whose signature held. Its time, its audience and the objects it is bound to are looked at
/// again whenever it is presented.
pub(super) struct KnownToken {
    pub(super) claims: Claims,
    pub(super) user: Arc<User>,
    /// For each binding the revision of the object that was found to be the right one, and staying.
    seen: [AtomicU64; 4],
}

impl KnownTokens {
    pub(super) fn find(&self, digest: &Digest) -> Option<Arc<KnownToken>> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = generations.young.get(digest) {
            return Some(known.clone());
        }
        let known = generations.old.remove(digest)?;
        generations.keep(*digest, known.clone());
        Some(known)
    }

    pub(super) fn keep(&self, digest: Digest, claims: Claims) -> Arc<KnownToken> {
        let user = Arc::new(token::user(&claims));
        let known = Arc::new(KnownToken { claims, user, seen: Default::default() });
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).keep(digest, known.clone());
        known
    }
}

impl Generations {
    fn keep(&mut self, digest: Digest, known: Arc<KnownToken>) {
        if self.young.len() >= MAX_TOKENS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(digest, known);
    }
}

impl KnownToken {
    /// Whether everything is still there that the token was made for.
    pub(super) async fn check_bindings(&self, storage: &Storage, now: Timestamp) -> Result<(), TokenError> {
        let binding = &self.claims.kubernetes;
        let namespace = binding.namespace.as_str();
        let subject = self.claims.sub.strip_prefix("system:serviceaccount:");
        let named = subject.and_then(|subject| subject.split_once(':'));
        if named != Some((namespace, binding.serviceaccount.name.as_str())) {
            return Err(TokenError::Malformed);
        }
        // A pod's token names the pod's node too; that one may go before the pod does.
        let node = binding.node.as_ref().filter(|_| binding.pod.is_none());
        let bound = [
            ("serviceaccounts", namespace, Some(&binding.serviceaccount)),
            ("pods", namespace, binding.pod.as_ref()),
            ("secrets", namespace, binding.secret.as_ref()),
            ("nodes", "", node),
        ];
        for ((plural, namespace, reference), seen) in bound.into_iter().zip(&self.seen) {
            if let Some(reference) = reference {
                present(storage, plural, namespace, reference, seen, now).await?;
            }
        }
        Ok(())
    }
}

/// Whether the object is the one the token was made for, and not long past its deletion.
async fn present(
    storage: &Storage,
    plural: &'static str,
    namespace: &str,
    reference: &Reference,
    seen: &AtomicU64,
    now: Timestamp,
) -> Result<(), TokenError> {
    let kind = kinds::required("", "v1", plural);
    // Memory may not have what another server wrote a moment ago.
    for at in [ReadAt::Memory, ReadAt::Newest] {
        let read = storage.get_at(kind, namespace, &reference.name, at).await;
        let stored = read.map_err(|error| TokenError::Store(StoreFailure(error.into())))?;
        let Some(stored) = stored else { continue };
        let revision = stored.revision.0;
        if seen.load(Ordering::Relaxed) == revision {
            return Ok(());
        }
        match standing(&stored, &reference.uid, now).map_err(|error| TokenError::Store(StoreFailure(error)))? {
            Standing::Gone => {}
            Standing::Leaving => return Ok(()),
            Standing::Staying => {
                seen.store(revision, Ordering::Relaxed);
                return Ok(());
            }
        }
    }
    Err(TokenError::Unbound(kind.kind))
}

enum Standing {
    Gone,
    /// Until a time that has to be looked at again.
    Leaving,
    Staying,
}

fn standing(encoded: &Encoded, uid: &str, now: Timestamp) -> Result<Standing, ApiError> {
    let object: Object = encoded.decode()?;
    if metadata::uid(&object) != uid {
        return Ok(Standing::Gone);
    }
    let ends: Option<Timestamp> = metadata::text(&object, "deletionTimestamp").parse().ok();
    Ok(match ends {
        None => Standing::Staying,
        Some(ends) if now.as_second() > ends.as_second() + AFTER_DELETION_SECONDS => Standing::Gone,
        Some(_) => Standing::Leaving,
    })
}
