//! OpenAPI documents.

use http::{HeaderMap, Response};

use crate::status::ApiError;
use crate::wire::body::Body;
use crate::wire::query::Query;

pub(crate) fn answer(_path: &str, _headers: &HeaderMap, _query: &Query) -> Result<Option<Response<Body>>, ApiError> {
    Ok(None)
}
