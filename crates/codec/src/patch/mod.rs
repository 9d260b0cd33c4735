//! Patches: the three forms clients send, each a function from the present object to the new one.

mod json;
mod merge;
mod order;
mod strategic;

use serde_json::Value;

use crate::Format;

pub use json::apply_json_patch;
pub use merge::apply_merge_patch;
pub use strategic::apply_strategic_patch;

/// The most operations one JSON patch may hold.
pub const MAX_OPERATIONS: usize = 10_000;

/// A patch by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Merging by the schema's keys.
    Strategic,
    /// Server-side apply: a configuration in this format.
    Apply(Format),
}

impl PatchKind {
    /// From a `Content-Type`, parameters and all.
    pub fn from_media_type(text: &str) -> Option<Self> {
        match text.split(';').next().unwrap_or(text).trim() {
            "application/json-patch+json" => Some(PatchKind::Json),
            "application/merge-patch+json" => Some(PatchKind::Merge),
            "application/strategic-merge-patch+json" => Some(PatchKind::Strategic),
            "application/apply-patch+yaml" => Some(PatchKind::Apply(Format::Yaml)),
            "application/apply-patch+cbor" => Some(PatchKind::Apply(Format::Cbor)),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch itself makes no sense.
    #[error("{0}")]
    Malformed(String),
    /// The patch makes sense, but not for this object: a failed `test`, a path that is not there.
    #[error("{0}")]
    Inapplicable(String),
    #[error(
        "Request entity too large: The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}"
    )]
    TooManyOperations { count: usize },
}

/// How JSON calls a value's type.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn malformed(why: String) -> PatchError {
    PatchError::Malformed(why)
}
