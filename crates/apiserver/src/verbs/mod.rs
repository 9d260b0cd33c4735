//! The verbs: one path for all kinds.

use std::sync::Arc;

use http::{Response, StatusCode};

use crate::call::Call;
use crate::patch::Patch;
use crate::status::ApiError;
use crate::subresources::binding;
use crate::wire::body::{self, Body};
use crate::wire::request_info::{RequestInfo, ResourceInfo};
use crate::write::{self, Part};
use crate::{authorize, decode, metadata, respond};

mod delete;
pub(crate) mod fanout;
mod lens;
mod list;
mod options;
pub(crate) mod selector;
mod watch;

pub(crate) use delete::options as delete_options;
pub(crate) use list::{Page, answer as list_page};

/// Answers a request on a resource itself.
pub(crate) async fn dispatch(call: Arc<Call>, request: Body) -> Result<Response<Body>, ApiError> {
    if !call.kind.serves(call.verb) {
        return Err(ApiError::method_not_allowed(call.subject(&call.info.name)));
    }
    match call.verb {
        "get" => get(&call).await,
        // A get, which is over at once, does not carry the room that the others need.
        _ => Box::pin(dispatch_other(call, request)).await,
    }
}

async fn dispatch_other(call: Arc<Call>, request: Body) -> Result<Response<Body>, ApiError> {
    match call.verb {
        "list" => list::list(&call).await,
        "watch" => watch::watch(call).await,
        "create" if !call.info.name.is_empty() => Err(ApiError::method_not_allowed(call.subject(&call.info.name))),
        "create" if binding::handles(call.kind) => binding::create_beside(&call, request).await,
        "create" => create(&call, request).await,
        "update" => update(&call, request, Part::Object).await,
        "patch" => patch(&call, request, Part::Object).await,
        "delete" => delete::delete(&call, request).await,
        "deletecollection" => delete::delete_collection(&call, request).await,
        _ => Err(ApiError::method_not_allowed(call.subject(&call.info.name))),
    }
}

/// Answers a request on `/status`.
pub(crate) async fn dispatch_status(call: &Call, request: Body) -> Result<Response<Body>, ApiError> {
    match call.verb {
        "get" => get(call).await,
        "update" => update(call, request, Part::Status).await,
        "patch" => patch(call, request, Part::Status).await,
        _ => Err(ApiError::method_not_allowed(call.subject(&call.info.name))),
    }
}

pub(crate) async fn get(call: &Call) -> Result<Response<Body>, ApiError> {
    let version = call.query.get("resourceVersion").map(options::parse_version).transpose()?;
    let at = options::read_at(version);
    match call.server.storage.get_at(call.stored_kind(), call.namespace(), &call.info.name, at).await? {
        Some(stored) => respond::object(call, StatusCode::OK, stored.into()),
        None => Err(ApiError::not_found(call.subject(&call.info.name))),
    }
}

async fn create(call: &Call, request: Body) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let body = body::read(request).await?;
    let object = decode::object(call, &body, options)?;
    let encoded = write::create(call, object, options).await?;
    respond::object(call, StatusCode::CREATED, encoded)
}

async fn update(call: &Call, request: Body, part: Part) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let body = body::read(request).await?;
    let name = &call.info.name;
    let read = || {
        let mut wanted = decode::object(call, &body, options)?;
        metadata::check_name(&wanted, name)?;
        metadata::settle_namespace(call.kind, &mut wanted, call.namespace())?;
        Ok::<_, ApiError>(wanted)
    };
    // Hardly ever is it wanted twice: only when another write comes in between.
    let mut first = Some(read()?);
    match write::update(call, name, part, options, |_| first.take().map_or_else(read, Ok)).await {
        Err(error) if error.code() == StatusCode::NOT_FOUND => {
            let wanted = first.take().map_or_else(read, Ok)?;
            if !creates_on_update(call, part, &wanted) {
                return Err(error);
            }
            let encoded = write::create(call, wanted, options).await?;
            respond::object(call, StatusCode::CREATED, encoded)
        }
        written => respond::object(call, StatusCode::OK, written?),
    }
}

/// A PUT that makes its object: only for kinds that allow it, and never for a client that thinks it
/// has seen the object before. Its right to create is checked like any other.
fn creates_on_update(call: &Call, part: Part, wanted: &registry::Object) -> bool {
    let mut info = ResourceInfo::clone(&call.info);
    info.name = String::new();
    part == Part::Object
        && call.stored_kind().rules.creates_on_update()
        && metadata::resource_version(wanted).is_none()
        && metadata::uid(wanted).is_empty()
        && call.server.rbac.allows_resource(&call.user, "create", &info)
}

/// How often an apply starts over that finds the object there or gone, unlike a moment before.
const APPLY_ATTEMPTS: usize = 5;

async fn patch(call: &Call, request: Body, part: Part) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let patch = Patch::read(call, &body::read(request).await?, options)?;
    for _ in 0..APPLY_ATTEMPTS {
        let name = &call.info.name;
        match write::update(call, name, part, options, |old| patch.change(call, part, old)).await {
            Err(error) if error.code() == StatusCode::NOT_FOUND && patch.creates() && part == Part::Object => {}
            written => return respond::object(call, StatusCode::OK, written?),
        }
        let wanted = patch.create(call)?;
        may_create(call).await?;
        match write::create(call, wanted, options).await {
            Err(error) if error.is("AlreadyExists") => {}
            created => return respond::object(call, StatusCode::CREATED, created?),
        }
    }
    Err(ApiError::modified(call.subject(&call.info.name)))
}

/// An apply that makes its object needs the right to create as well.
async fn may_create(call: &Call) -> Result<(), ApiError> {
    let resource = Some(call.info.clone());
    let info = RequestInfo { path: String::new(), verb: "create", resource, kind: Some(call.kind) };
    authorize::authorize(&call.server, &call.user, &info, &call.query).await
}
