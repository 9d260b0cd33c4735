//! Subresources that show the whole object and let through one change of it.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use registry::Object;
use serde_json::Value;

use crate::call::Call;
use crate::patch::Patch;
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::write::{self, Part, Wanted};
use crate::{decode, metadata, ownership, respond, verbs};

/// The old object with the one change that the wanted one may bring, or why it may not.
pub(super) type Narrowing = fn(&Call, old: &Object, wanted: &Object) -> Result<Object, ApiError>;

/// Answers GET, PUT and PATCH.
pub(super) async fn read_write(
    call: Arc<Call>,
    request: Request<Body>,
    name: &'static str,
    narrow: Narrowing,
) -> Result<Response<Body>, ApiError> {
    if call.verb == "get" {
        return verbs::get(&call).await;
    }
    let part = Part::Narrow(name);
    let options = call.write_options()?;
    let body = body::read(request.into_body()).await?;
    let object = &call.info.name;
    let encoded = if call.verb == "patch" {
        let patch = Patch::read(&call, &body, options)?;
        let change = |old: &Object| {
            let wanted = patch.change(&call, part, old)?;
            let narrowed = narrowed(&call, old, &wanted.object, narrow)?;
            Ok(Wanted { object: narrowed, ..wanted })
        };
        write::update(&call, object, part, options, change).await?
    } else {
        let wanted = decode::object(&call, &body, options)?;
        metadata::check_name(&wanted, object)?;
        let change = |old: &Object| narrowed(&call, old, &wanted, narrow);
        write::update(&call, object, part, options, change).await?
    };
    respond::object(&call, StatusCode::OK, encoded)
}

fn narrowed(call: &Call, old: &Object, wanted: &Object, narrow: Narrowing) -> Result<Object, ApiError> {
    let mut object = narrow(call, old, wanted)?;
    state_version(&mut object, metadata::resource_version(wanted));
    if let Some(managed) = ownership::of(wanted) {
        metadata::of(&mut object).insert("managedFields".to_owned(), managed.clone());
    }
    Ok(object)
}

/// Makes the write depend on the version the client named, or on none.
pub(super) fn state_version(object: &mut Object, version: Option<&str>) {
    let metadata = metadata::of(object);
    match version {
        Some(version) => metadata.insert("resourceVersion".to_owned(), Value::from(version)),
        None => metadata.remove("resourceVersion"),
    };
}
