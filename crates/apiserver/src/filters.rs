//! The filters of a request, in order.

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};

use crate::auth::{self, Peer, User, impersonation};
use crate::authorize;
use crate::server::ApiServer;
use crate::status::ApiError;
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request_info::RequestInfo;
use crate::{audit, handler};

/// A short request that takes longer than this is given up.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

const AUDIT_ID: HeaderName = HeaderName::from_static("audit-id");

/// Every request passes here, from the wire and from within: panic guard, request info,
/// authentication, impersonation, authorisation, limits, handler; audit sees the outcome.
///
/// Boxed here, all of it is compiled here and not again in every crate that polls it.
#[inline(never)]
pub(crate) fn answer(
    server: Arc<ApiServer>,
    peer: Peer,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, Infallible>> {
    Box::pin(async move {
        let guarded = AssertUnwindSafe(audited(&server, &peer, request)).catch_unwind().await;
        Ok(guarded.unwrap_or_else(|_| {
            // The panic hook has printed where; the client learns no more than that it was our fault.
            tracing::error!("a request handler panicked");
            let message = "This request caused apiserver to panic. Look in the logs for details.";
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message).into_response()
        }))
    })
}

async fn audited(server: &Arc<ApiServer>, peer: &Peer, request: Request<Body>) -> Response<Body> {
    let query = Query::parse(request.uri().query().unwrap_or(""));
    let info = match RequestInfo::parse(request.method(), request.uri().path(), &query) {
        Ok(info) => info,
        Err(error) => return ApiError::bad_request(error.to_string()).into_response(),
    };
    let began = server.ambient.clock.instant();
    let audit_id = Bytes::from(server.ambient.random.uuid());
    let mut record = audit::Record { id: &audit_id, info: &info, user: None };
    let outcome = admitted(server, peer, request, &info, query, &mut record.user).await;
    let mut response = outcome.unwrap_or_else(ApiError::into_response);
    if let Ok(value) = HeaderValue::from_maybe_shared(audit_id.clone()) {
        response.headers_mut().insert(AUDIT_ID, value);
    }
    let took = server.ambient.clock.instant().duration_since(began);
    server.metrics.observe(&info, response.status(), took);
    record.finish(response.status(), took);
    response
}

async fn admitted(
    server: &Arc<ApiServer>,
    peer: &Peer,
    mut request: Request<Body>,
    info: &RequestInfo,
    query: Query,
    audited_user: &mut Option<Arc<User>>,
) -> Result<Response<Body>, ApiError> {
    let mut user = auth::authenticate(server, peer, request.headers()).await?;
    *audited_user = Some(user.clone());
    // What was granted by writes acknowledged before this request counts.
    server.rbac.catch_up().await?;
    if impersonation::is_asked_for(request.headers()) {
        user = impersonation::effective(server, user, request.headers_mut())?;
    }
    authorize::authorize(server, &user, info, &query).await?;
    note_client(peer, info, &mut request);
    let place = match info.is_long_running(&query) {
        true => None,
        false => Some(server.limits.enter(info).await?),
    };
    let mut handled = pin!(handler::handle(server.clone(), user, info, query, request));
    // Most reads are answered at once, and need no timer.
    if let Poll::Ready(outcome) = futures::poll!(handled.as_mut()) {
        return outcome;
    }
    if place.is_none() {
        return handled.await;
    }
    match tokio::time::timeout(REQUEST_TIMEOUT, handled).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let message = "Timeout: request did not complete within the allotted timeout";
            Err(ApiError::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message))
        }
    }
}

/// Whom a request came from, as far as the wire tells. Known only to those who pass it on.
#[derive(Clone, Copy)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

fn note_client(peer: &Peer, info: &RequestInfo, request: &mut Request<Body>) {
    let is_passed_on = info.resource.as_ref().is_some_and(|resource| resource.subresource == "proxy");
    if let (Peer::Remote { address, .. }, true) = (peer, is_passed_on) {
        request.extensions_mut().insert(ClientAddress(address.to_canonical()));
    }
}
