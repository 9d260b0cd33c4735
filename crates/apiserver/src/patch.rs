//! PATCH bodies: JSON patch, merge patch and strategic merge patch.

use codec::decode::parse;
use codec::patch::{self, PatchError, PatchKind};
use codec::schema::{self, Type};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use registry::{Kind, Object};
use serde_json::Value;

use crate::status::ApiError;

const ACCEPTED: &str =
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json";

/// A parsed patch, ready to be applied again whenever another write came first.
pub(crate) struct Patch {
    kind: PatchKind,
    value: Value,
}

impl Patch {
    pub(crate) fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, ApiError> {
        let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind =
            PatchKind::from_media_type(content_type).ok_or_else(|| ApiError::unsupported_media_type(ACCEPTED))?;
        let tree = parse(body, codec::Format::Json).map_err(|error| ApiError::bad_request(error.to_string()))?;
        Ok(Patch { kind, value: tree.value })
    }

    /// The object of the kind as the patch would have it.
    pub(crate) fn apply(&self, kind: &Kind, object: Object) -> Result<Object, ApiError> {
        self.apply_to(schema::lookup(kind.group, kind.version, kind.kind), object)
    }

    /// As [`Patch::apply`], for a type that is no kind of its own (Scale).
    pub(crate) fn apply_to_type(
        &self,
        (group, version, kind): (&str, &str, &str),
        object: Object,
    ) -> Result<Object, ApiError> {
        self.apply_to(schema::lookup(group, version, kind), object)
    }

    fn apply_to(&self, r#type: Option<&'static Type>, object: Object) -> Result<Object, ApiError> {
        let patched = match (self.kind, &self.value, r#type) {
            (PatchKind::Json, operations, _) => patch::apply_json_patch(&object, operations),
            (PatchKind::Merge, Value::Object(changes), _) => {
                let mut object = object;
                patch::apply_merge_patch(&mut object, changes);
                Ok(object)
            }
            (PatchKind::Strategic, Value::Object(changes), Some(r#type)) => {
                patch::apply_strategic_patch(&object, changes, r#type)
            }
            (PatchKind::Strategic, _, None) => return Err(ApiError::unsupported_media_type(ACCEPTED)),
            (PatchKind::Merge | PatchKind::Strategic, _, _) => {
                return Err(ApiError::bad_request("the patch is not a JSON object"));
            }
        };
        patched.map_err(|error| refused(&error))
    }
}

fn refused(error: &PatchError) -> ApiError {
    match error {
        PatchError::Malformed(_) => ApiError::bad_request(error.to_string()),
        PatchError::Inapplicable(_) => {
            let message = format!("the server rejected our request due to an error in our request: {error}");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message)
        }
        PatchError::TooManyOperations { .. } => ApiError::too_large(error.to_string()),
    }
}
