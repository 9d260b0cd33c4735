//! Documents that were made once. They are large and rarely asked for, so they are kept packed.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::hex_digest;
use crate::status::ApiError;

/// A document as it rests.
pub(super) struct Document {
    packed: Vec<u8>,
    size_bytes: usize,
    /// Of its bytes.
    pub(super) digest: String,
}

/// By name: one for each version of a group, and two of the older form. They follow from the program alone.
static DOCUMENTS: Mutex<BTreeMap<String, Arc<Document>>> = Mutex::new(BTreeMap::new());

/// The document of that name, made now if nobody asked for it before.
pub(super) fn get(name: &str, make: impl FnOnce() -> Result<Vec<u8>, ApiError>) -> Result<Arc<Document>, ApiError> {
    let kept = || DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(document) = kept().get(name) {
        return Ok(document.clone());
    }
    // Made outside the lock: two who ask at once may make it twice, which is harmless.
    let document = Arc::new(Document::pack(&make()?).map_err(unreadable)?);
    kept().insert(name.to_owned(), document.clone());
    Ok(document)
}

impl Document {
    fn pack(bytes: &[u8]) -> std::io::Result<Self> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes)?;
        let mut packed = encoder.finish()?;
        packed.shrink_to_fit();
        Ok(Document { packed, size_bytes: bytes.len(), digest: hex_digest(bytes) })
    }

    pub(super) fn bytes(&self) -> Result<Vec<u8>, ApiError> {
        let mut bytes = Vec::with_capacity(self.size_bytes);
        ZlibDecoder::new(self.packed.as_slice()).read_to_end(&mut bytes).map_err(unreadable)?;
        Ok(bytes)
    }
}

pub(super) fn unreadable(error: std::io::Error) -> ApiError {
    ApiError::internal(&format!("packing an OpenAPI document: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_made_once_and_comes_back_as_it_was() {
        let first = get("a test's", || Ok(b"text ".repeat(1000))).unwrap();
        let again = get("a test's", || Err(ApiError::internal("made twice"))).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(again.bytes().unwrap(), b"text ".repeat(1000));
        assert!(again.packed.len() < 200);
        DOCUMENTS.lock().unwrap().remove("a test's");
    }
}
