//! Errors as clients see them: `metav1.Status` with upstream's reasons and texts.

use api::k8s::apimachinery::pkg::apis::meta::v1::{ListMeta, Status, StatusCause, StatusDetails};
use http::{HeaderValue, Response, StatusCode, header};
use registry::{FieldError, Kind};
use store::StoreError;

use crate::wire::body::{self, Body};

/// A refusal. Every fallible step of a request ends in one of these.
#[derive(Clone, Debug)]
pub(crate) struct ApiError(Box<Status>);

/// The resource a refusal speaks of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) group: &'a str,
    pub(crate) resource: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(kind: &Kind, name: &'a str) -> Self {
        Subject { group: kind.group, resource: kind.plural, name }
    }

    /// `pods`, or `deployments.apps`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() { self.resource.to_owned() } else { format!("{}.{}", self.resource, self.group) }
    }

    fn details(&self) -> StatusDetails {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        StatusDetails {
            name: some(self.name),
            group: some(self.group),
            kind: some(self.resource),
            ..StatusDetails::default()
        }
    }
}

impl ApiError {
    pub(crate) fn new(code: StatusCode, reason: &str, message: impl Into<String>) -> Self {
        ApiError(Box::new(Status {
            code: Some(i32::from(code.as_u16())),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            message: Some(message.into()),
            metadata: ListMeta::default(),
            status: Some("Failure".to_owned()),
            details: None,
        }))
    }

    fn about(mut self, subject: Subject<'_>) -> Self {
        self.0.details = Some(subject.details());
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn forbidden(subject: Subject<'_>, why: &str) -> Self {
        let message = match (subject.resource, subject.name) {
            ("", _) => format!("forbidden: {why}"),
            (_, "") => format!("{} is forbidden: {why}", subject.qualified()),
            (_, name) => format!("{} {name:?} is forbidden: {why}", subject.qualified()),
        };
        ApiError::new(StatusCode::FORBIDDEN, "Forbidden", message).about(subject)
    }

    pub(crate) fn not_found(subject: Subject<'_>) -> Self {
        let message = format!("{} {:?} not found", subject.qualified(), subject.name);
        ApiError::new(StatusCode::NOT_FOUND, "NotFound", message).about(subject)
    }

    /// The route exists in form, but nothing answers there.
    pub(crate) fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource";
        let mut error = ApiError::new(StatusCode::NOT_FOUND, "NotFound", message);
        error.0.details = Some(StatusDetails::default());
        error
    }

    pub(crate) fn already_exists(subject: Subject<'_>) -> Self {
        let message = format!("{} {:?} already exists", subject.qualified(), subject.name);
        ApiError::new(StatusCode::CONFLICT, "AlreadyExists", message).about(subject)
    }

    /// Every name that was drawn is taken.
    pub(crate) fn generate_name_conflict(subject: Subject<'_>) -> Self {
        let message = format!(
            "{} {:?} already exists, the server was not able to generate a unique name for the object",
            subject.qualified(),
            subject.name
        );
        ApiError::new(StatusCode::CONFLICT, "AlreadyExists", message).about(subject).retry_after(1)
    }

    pub(crate) fn conflict(subject: Subject<'_>, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {:?}: {why}", subject.qualified(), subject.name);
        ApiError::new(StatusCode::CONFLICT, "Conflict", message).about(subject)
    }

    /// Somebody else wrote the object since the client read it.
    pub(crate) fn modified(subject: Subject<'_>) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        ApiError::conflict(subject, why)
    }

    pub(crate) fn invalid(kind: &Kind, name: &str, errors: &[FieldError]) -> Self {
        let summary = registry::error::aggregate(errors);
        let group_kind =
            if kind.group.is_empty() { kind.kind.to_owned() } else { format!("{}.{}", kind.kind, kind.group) };
        let message = format!("{group_kind} {name:?} is invalid: {summary}");
        let mut error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).about(Subject {
            group: kind.group,
            resource: kind.kind,
            name,
        });
        let causes = errors.iter().map(|error| StatusCause {
            reason: Some(error.reason().to_owned()),
            message: Some(error.body()),
            field: Some(error.path.clone()),
        });
        if let Some(details) = &mut error.0.details {
            details.causes = Some(causes.collect());
        }
        error
    }

    pub(crate) fn method_not_allowed(subject: Subject<'_>) -> Self {
        let message = "the server does not allow this method on the requested resource";
        ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message).about(subject)
    }

    pub(crate) fn not_acceptable(media_types: &str) -> Self {
        let message = format!("only the following media types are accepted: {media_types}");
        ApiError::new(StatusCode::NOT_ACCEPTABLE, "NotAcceptable", message)
    }

    pub(crate) fn unsupported_media_type(accepted: &str) -> Self {
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {accepted}");
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    }

    pub(crate) fn expired(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::GONE, "Expired", message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", message)
    }

    pub(crate) fn too_many_requests(message: impl Into<String>, retry_after_seconds: i32) -> Self {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message).retry_after(retry_after_seconds)
    }

    /// The client asks for a revision that is not written yet.
    pub(crate) fn future_revision(requested: u64, newest: u64) -> Self {
        let message = format!("Timeout: Too large resource version: {requested}, current: {newest}");
        let mut error = ApiError::new(StatusCode::GATEWAY_TIMEOUT, "Timeout", message).retry_after(1);
        if let Some(details) = &mut error.0.details {
            details.causes = Some(vec![StatusCause {
                reason: Some("ResourceVersionTooLarge".to_owned()),
                message: Some("Too large resource version".to_owned()),
                field: None,
            }]);
        }
        error
    }

    pub(crate) fn internal(why: &str) -> Self {
        let message = format!("Internal error occurred: {why}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", message)
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)
    }

    fn retry_after(mut self, seconds: i32) -> Self {
        self.0.details.get_or_insert_with(StatusDetails::default).retry_after_seconds = Some(seconds);
        self
    }

    /// Gives the client a token to go on with.
    pub(crate) fn with_continue(mut self, token: String) -> Self {
        self.0.metadata.continue_ = Some(token);
        self
    }

    /// Names the type that was not as it should be.
    pub(crate) fn with_details(mut self, group: &str, kind: &str) -> Self {
        let details = self.0.details.get_or_insert_with(StatusDetails::default);
        details.group = Some(group.to_owned());
        details.kind = Some(kind.to_owned());
        self
    }

    /// Adds one cause, as some refusals carry a machine-readable one.
    pub(crate) fn with_cause(mut self, reason: &str, message: impl Into<String>, field: Option<&str>) -> Self {
        let cause = StatusCause {
            reason: Some(reason.to_owned()),
            message: Some(message.into()),
            field: field.map(str::to_owned),
        };
        let details = self.0.details.get_or_insert_with(StatusDetails::default);
        details.causes.get_or_insert_with(Vec::new).push(cause);
        self
    }

    pub(crate) fn code(&self) -> StatusCode {
        let code = self.0.code.and_then(|code| u16::try_from(code).ok());
        code.and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether this is the reason.
    pub(crate) fn is(&self, reason: &str) -> bool {
        self.0.reason.as_deref() == Some(reason)
    }

    pub(crate) fn message(&self) -> &str {
        self.0.message.as_deref().unwrap_or_default()
    }

    pub(crate) fn status(&self) -> &Status {
        &self.0
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let code = self.code();
        let retry = self.0.details.as_ref().and_then(|details| details.retry_after_seconds);
        let mut response = json(code, &*self.0);
        if let Some(seconds) = retry {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Any serialisable answer as JSON.
pub(crate) fn json(code: StatusCode, value: &impl serde::Serialize) -> Response<Body> {
    let (code, bytes) = match serde_json::to_vec(value) {
        Ok(bytes) => (code, bytes),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string().into_bytes()),
    };
    answer(code, "application/json", body::full(bytes))
}

pub(crate) fn text(code: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = answer(code, "text/plain; charset=utf-8", body::full(text.into()));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

pub(crate) fn answer(code: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, private"));
    response
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Compacted { requested, oldest } => {
                ApiError::expired(format!("too old resource version: {requested} ({oldest})"))
            }
            StoreError::FutureRevision { requested, newest } => ApiError::future_revision(requested, newest),
            StoreError::TooLarge { .. } => ApiError::too_large(error.to_string()),
            StoreError::InvalidKey { .. } | StoreError::InvalidTransaction { .. } => {
                ApiError::bad_request(error.to_string())
            }
            StoreError::ReadOnly { .. } | StoreError::Unavailable { .. } | StoreError::Closed => {
                ApiError::unavailable(error.to_string())
            }
            StoreError::Conflict { .. } => ApiError::internal(&error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_read_as_upstreams() {
        let pod = Subject { group: "", resource: "pods", name: "web" };
        let deployment = Subject { group: "apps", resource: "deployments", name: "web" };
        for (error, code, expected) in [
            (ApiError::not_found(pod), 404, "pods \"web\" not found"),
            (ApiError::not_found(deployment), 404, "deployments.apps \"web\" not found"),
            (ApiError::already_exists(pod), 409, "pods \"web\" already exists"),
            (ApiError::forbidden(pod, "no"), 403, "pods \"web\" is forbidden: no"),
            (ApiError::forbidden(Subject { name: "", ..pod }, "no"), 403, "pods is forbidden: no"),
            (
                ApiError::modified(deployment),
                409,
                "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; please apply \
                 your changes to the latest version and try again",
            ),
        ] {
            assert_eq!(error.message(), expected);
            assert_eq!(error.code().as_u16(), code);
        }
        let expired = ApiError::from(StoreError::Compacted { requested: 3, oldest: 9 });
        assert_eq!((expired.code().as_u16(), expired.message()), (410, "too old resource version: 3 (9)"));
    }
}
