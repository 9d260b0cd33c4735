//! Documents that were made once. They follow from the program alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::packed::Packed;
use crate::status::ApiError;

/// By name: two for each version of a group, and a few that tell of all.
static DOCUMENTS: Mutex<BTreeMap<String, Arc<Packed>>> = Mutex::new(BTreeMap::new());

/// The document of that name, made now if nobody asked for it before.
pub(super) fn get(name: &str, make: impl FnOnce() -> Result<Packed, ApiError>) -> Result<Arc<Packed>, ApiError> {
    let kept = || DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(document) = kept().get(name) {
        return Ok(document.clone());
    }
    // Made outside the lock: two who ask at once may make it twice, which is harmless.
    let document = Arc::new(make()?);
    kept().insert(name.to_owned(), document.clone());
    Ok(document)
}

/// What all documents together take.
#[cfg(test)]
pub(super) fn resting_bytes() -> usize {
    let kept = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    kept.iter().map(|(name, document)| name.len() + document.resting_bytes()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_made_once() {
        let first = get("a test's", || Ok(Packed::of(b"text"))).unwrap();
        let again = get("a test's", || Err(ApiError::internal("made twice"))).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        DOCUMENTS.lock().unwrap().remove("a test's");
    }
}
