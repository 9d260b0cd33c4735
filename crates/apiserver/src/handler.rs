//! Where a request goes once it may go anywhere.

use std::sync::Arc;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};

use crate::auth::User;
use crate::call::Call;
use crate::groups::Asker;
use crate::server::ApiServer;
use crate::status::{ApiError, json, text};
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request_info::RequestInfo;
use crate::{components, discovery, groups, health, openapi, respond, reviews, root, subresources, verbs, version};

pub(crate) async fn handle(
    server: Arc<ApiServer>,
    user: Arc<User>,
    info: &RequestInfo,
    query: Query,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let Some(resource) = &info.resource else {
        let (head, _) = request.into_parts();
        return Box::pin(path(&server, &info.path, &query, &head.method, &head.headers)).await;
    };
    let served = info.kind.filter(|kind| !kind.is_legacy() || server.serves_legacy_apis());
    let Some(kind) = served else {
        let asker = Asker { headers: request.headers(), now: server.ambient.clock.now() };
        let answer = groups::answer(&server.groups, info, resource, &query, Some(&asker)).await;
        return Ok(answer.unwrap_or_else(not_found));
    };
    let misplaced = match kind.is_namespaced() {
        // A namespaced kind without a namespace can only be listed or watched.
        true => resource.namespace.is_empty() && !matches!(info.verb, "list" | "watch"),
        false => !resource.namespace.is_empty() && resource.resource != "namespaces",
    };
    if misplaced {
        return Ok(not_found());
    }
    let call = |headers| Call::new(server, user, info.verb, resource.clone(), query, headers, kind).map(Arc::new);
    let (call, outcome) = if resource.subresource.is_empty() {
        let (head, body) = request.into_parts();
        let call = call(head.headers)?;
        let outcome = if reviews::handles(kind) {
            Box::pin(reviews::review(&call, body)).await
        } else if components::handles(kind) {
            Box::pin(components::answer(&call)).await
        } else {
            verbs::dispatch(call.clone(), body).await
        };
        (call, outcome)
    } else {
        let call = call(request.headers().clone())?;
        (call.clone(), subresources::dispatch(call, request).await)
    };
    let mut response = outcome.unwrap_or_else(|error| respond::refusal(&call, error));
    if let Some(warning) = subresources::deprecation_warning(kind, &resource.subresource) {
        call.warn(warning);
    }
    call.attach_warnings(&mut response);
    Ok(response)
}

/// Paths that are no resources.
async fn path(
    server: &ApiServer,
    path: &str,
    query: &Query,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let trimmed = path.trim_end_matches('/');
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Ok(not_found());
    }
    if let Some(response) = discovery::answer(server, trimmed, headers)? {
        return Ok(response);
    }
    if let Some(response) = health::answer(server, trimmed, query).await {
        return Ok(response);
    }
    let now = server.ambient.clock.now();
    if let Some(response) = openapi::answer(trimmed, headers, query, server.serves_legacy_apis(), now)? {
        return Ok(response);
    }
    match trimmed {
        "/version" => Ok(json(StatusCode::OK, &version::version())),
        "/metrics" => {
            let mut response = text(StatusCode::OK, server.metrics_page());
            let content_type = "text/plain; version=0.0.4; charset=utf-8";
            response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(content_type));
            Ok(response)
        }
        "/.well-known/openid-configuration" => Ok(json(StatusCode::OK, &openid(server))),
        "/openid/v1/jwks" => {
            let mut response = json(StatusCode::OK, &server.tokens.key_set());
            let content_type = http::HeaderValue::from_static("application/jwk-set+json");
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
            Ok(response)
        }
        "" | "/index.html" => Ok(root::list(server, StatusCode::OK)),
        path if path.starts_with("/api/") || path.starts_with("/apis/") => Ok(not_found()),
        _ => Ok(root::list(server, StatusCode::NOT_FOUND)),
    }
}

fn openid(server: &ApiServer) -> serde_json::Value {
    serde_json::json!({
        "issuer": server.tokens.issuer(),
        "jwks_uri": format!("https://{}/openid/v1/jwks", server.advertise),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
    })
}

/// What upstream's router says of a path nobody serves.
fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "404 page not found\n")
}
