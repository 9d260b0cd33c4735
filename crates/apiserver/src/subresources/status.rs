//! `/status`: the part that belongs to controllers.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};

use crate::call::Call;
use crate::status::ApiError;
use crate::verbs;
use crate::wire::body::Body;

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move { verbs::dispatch_status(&call, request.into_body()).await })
}
