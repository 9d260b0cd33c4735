//! What objects were encoded to, kept for the next reader.
//!
//! Plain JSON is what rests in the store and needs no place here. Every other encoding of an object
//! is made once for each revision, and handed to all who ask in the same way.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use registry::Kind;

use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::accept::{Encoding, Form};

/// The most that all encodings together may take. The newer half outlives the older.
const MAX_BYTES: usize = 32 << 20;

/// A place in a map and a count cost about this, beside the bytes.
const OVERHEAD_BYTES: usize = 160;

/// Two generations: what is used moves to the young one, and when that is full the old one goes.
#[derive(Default)]
pub(crate) struct Encodings {
    generations: Mutex<Generations>,
}

#[derive(Default)]
struct Generations {
    young: HashMap<Key, Kept>,
    young_bytes: usize,
    old: HashMap<Key, Kept>,
}

/// Which bytes, in which version, form and encoding. The address stands for the stored bytes: they
/// are held beside the encoding, so that nothing else can come to lie there.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    address: usize,
    revision: u64,
    kind: (&'static str, &'static str, &'static str),
    form: Form,
    encoding: Encoding,
}

struct Kept {
    source: Bytes,
    encoding: Bytes,
}

impl Kept {
    fn cost_bytes(&self) -> usize {
        self.source.len() + self.encoding.len() + OVERHEAD_BYTES
    }
}

impl Encodings {
    /// The encoding that was made before, or the one that `make` makes now.
    pub(crate) fn get(
        &self,
        encoded: &Encoded,
        kind: &'static Kind,
        form: Form,
        encoding: Encoding,
        make: impl FnOnce() -> Result<Bytes, ApiError>,
    ) -> Result<Bytes, ApiError> {
        // What was never written has no second reader.
        let Some(revision) = encoded.revision else { return make() };
        let address = encoded.bytes.as_ptr() as usize;
        let kind = (kind.group, kind.version, kind.plural);
        let key = Key { address, revision: revision.0, kind, form, encoding };
        if let Some(bytes) = self.find(&key) {
            return Ok(bytes);
        }
        // Made outside the lock: two readers may make it twice, which is harmless.
        let bytes = make()?;
        self.keep(key, Kept { source: encoded.bytes.clone(), encoding: bytes.clone() });
        Ok(bytes)
    }

    fn find(&self, key: &Key) -> Option<Bytes> {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = generations.young.get(key) {
            return Some(kept.encoding.clone());
        }
        let kept = generations.old.remove(key)?;
        let bytes = kept.encoding.clone();
        generations.keep(*key, kept);
        Some(bytes)
    }

    fn keep(&self, key: Key, kept: Kept) {
        self.generations.lock().unwrap_or_else(PoisonError::into_inner).keep(key, kept);
    }
}

impl Generations {
    fn keep(&mut self, key: Key, kept: Kept) {
        let cost_bytes = kept.cost_bytes();
        if cost_bytes > MAX_BYTES / 4 {
            return;
        }
        if self.young_bytes + cost_bytes > MAX_BYTES / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes += cost_bytes;
        if let Some(replaced) = self.young.insert(key, kept) {
            self.young_bytes -= replaced.cost_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use store::Revision;

    use super::*;

    fn encoded(size: usize, revision: u64) -> Encoded {
        Encoded::at(Bytes::from(vec![b'x'; size]), Revision(revision))
    }

    #[test]
    fn an_object_is_encoded_once_for_each_revision_and_form() {
        let encodings = Encodings::default();
        let kind = crate::kinds::required("", "v1", "pods");
        let made = Cell::new(0);
        let get = |encoded: &Encoded, form| {
            let make = || {
                made.set(made.get() + 1);
                Ok(Bytes::from(made.get().to_string()))
            };
            encodings.get(encoded, kind, form, Encoding::Yaml, make).unwrap()
        };
        let (first, second) = (encoded(10, 1), encoded(10, 2));
        let partial = Form::Partial { version: "v1" };
        assert_eq!(get(&first, Form::Object), "1");
        assert_eq!(get(&first, Form::Object), "1", "the same bytes for every reader");
        assert_eq!(get(&second, Form::Object), "2");
        assert_eq!(get(&first, partial), "3");
        let dry_run = Encoded { revision: None, ..first.clone() };
        assert_eq!((get(&dry_run, Form::Object), get(&dry_run, Form::Object)), ("4".into(), "5".into()));
    }

    #[test]
    fn the_cache_has_a_bound_and_forgets_what_nobody_uses() {
        let encodings = Encodings::default();
        let kind = crate::kinds::required("", "v1", "pods");
        let objects: Vec<Encoded> = (1..=100).map(|revision| encoded(1 << 20, revision)).collect();
        let made = Cell::new(0);
        let get = |encoded: &Encoded| {
            let make = || {
                made.set(made.get() + 1);
                Ok(Bytes::from_static(b"made"))
            };
            encodings.get(encoded, kind, Form::Object, Encoding::Yaml, make).unwrap();
        };
        for object in &objects {
            get(object);
            get(&objects[0]);
        }
        assert_eq!(made.get(), 100, "what is used again and again stays");
        get(&objects[1]);
        assert_eq!(made.get(), 101, "what was not used is gone");
        let generations = encodings.generations.lock().unwrap();
        let held: usize = generations.young.values().chain(generations.old.values()).map(Kept::cost_bytes).sum();
        assert!(held <= MAX_BYTES, "{held}");
    }
}
