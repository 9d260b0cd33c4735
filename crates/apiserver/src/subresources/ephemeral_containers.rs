//! `pods/ephemeralcontainers`: debugging containers added to a running pod.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::Object;
use serde_json::Value;

use super::finalize::state_version;
use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::write::{self, Part};
use crate::{decode, metadata, patch, respond, verbs};

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        if call.verb == "get" {
            return verbs::get(&call).await;
        }
        let options = call.write_options()?;
        let name = &call.info.name;
        let body = request.into_body();
        let part = Part::Narrow("ephemeralcontainers");
        let encoded = if call.verb == "patch" {
            let patch = patch::Patch::parse(&call.headers, &body::read(body).await?)?;
            write::update(&call, name, part, options, |old| {
                let wanted = decode::patched(&call, patch.apply(call.kind, old.clone())?, options)?;
                only_ephemeral(&call, old, &wanted)
            })
            .await?
        } else {
            let mut wanted = decode::object(&call, &body::read(body).await?, options)?;
            metadata::check_name(&mut wanted, name)?;
            write::update(&call, name, part, options, |old| only_ephemeral(&call, old, &wanted)).await?
        };
        respond::object(&call, StatusCode::OK, encoded)
    })
}

/// The pod with the wanted ephemeral containers and nothing else changed. They can be added, never
/// changed or taken away.
fn only_ephemeral(call: &Call, old: &Object, wanted: &Object) -> Result<Object, ApiError> {
    let containers = |pod: &Object| {
        let list = pod.get("spec").and_then(|spec| spec.get("ephemeralContainers")).and_then(Value::as_array);
        list.cloned().unwrap_or_else(Vec::new)
    };
    let (before, after) = (containers(old), containers(wanted));
    if before.iter().any(|container| !after.contains(container)) {
        let detail = "existing ephemeral containers may not be changed or removed";
        let fault = registry::FieldError::forbidden("spec.ephemeralContainers", detail);
        return Err(ApiError::invalid(call.kind, &call.info.name, &[fault]));
    }
    let mut pod = old.clone();
    if let Some(Value::Object(spec)) = pod.get_mut("spec") {
        spec.insert("ephemeralContainers".to_owned(), Value::from(after));
    }
    state_version(&mut pod, metadata::resource_version(wanted));
    Ok(pod)
}
