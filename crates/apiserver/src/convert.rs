//! Between the form an object rests in and the version a client asked for.

use registry::{Kind, Object};
use serde_json::Value;

use crate::decode;

/// Turns a decoded stored object into the served version.
pub(crate) fn out_of_storage(served: &Kind, object: &mut Object) {
    // Of an object that is not there, no version shows anything.
    if served.storage.is_some() && !object.is_empty() {
        served.rules.out_of_storage(object);
        name_version(served, object);
        if served.is_legacy() {
            drop_unknown(served, object);
        }
        decode::complete(served, object);
    }
}

/// Turns a client's object into the form it rests in.
pub(crate) fn to_storage(served: &Kind, object: &mut Object) {
    if let Some(stored) = served.storage {
        served.rules.to_storage(object);
        name_version(stored, object);
    }
}

fn name_version(kind: &Kind, object: &mut Object) {
    object.insert("kind".to_owned(), Value::from(kind.kind));
    object.insert("apiVersion".to_owned(), Value::from(kind.api_version()));
}

/// Takes away what the version never knew.
fn drop_unknown(kind: &Kind, object: &mut Object) {
    // What else does not fit is the store's fault, and better shown than hidden.
    if let Err(error) = decode::conform(kind, object) {
        tracing::warn!(%error, kind = kind.kind, version = kind.version, "a stored object does not fit a version");
    }
}
