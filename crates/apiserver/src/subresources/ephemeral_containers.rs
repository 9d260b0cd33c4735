//! `pods/ephemeralcontainers`: debugging containers added to a running pod.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use registry::{FieldError, Object};
use serde_json::Value;

use super::narrow;
use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::Body;

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(narrow::read_write(call, request, "ephemeralcontainers", only_ephemeral))
}

/// The pod with the wanted ephemeral containers and nothing else changed. They can be added, never changed or taken
/// away.
fn only_ephemeral(call: &Call, old: &Object, wanted: &Object) -> Result<Object, ApiError> {
    let (before, after) = (containers(old), containers(wanted));
    let name = |container: &Value| container.get("name").and_then(Value::as_str).unwrap_or("").to_owned();
    let mut faults = Vec::new();
    for container in &before {
        let detail = match after.iter().find(|other| name(other) == name(container)) {
            None => format!("existing ephemeral containers {:?} may not be removed\n", name(container)),
            Some(other) if other != container => {
                format!("existing ephemeral containers {:?} may not be changed\n", name(container))
            }
            Some(_) => continue,
        };
        faults.push(FieldError::forbidden("spec.ephemeralContainers", detail));
    }
    let mut pod = old.clone();
    if let Some(Value::Object(spec)) = pod.get_mut("spec") {
        match after.is_empty() {
            true => spec.shift_remove("ephemeralContainers"),
            false => spec.insert("ephemeralContainers".to_owned(), Value::from(after)),
        };
    }
    faults.extend(registry::core::pod::validate(&pod));
    if faults.is_empty() { Ok(pod) } else { Err(ApiError::invalid(call.kind, &call.info.name, &faults)) }
}

fn containers(pod: &Object) -> Vec<Value> {
    let list = pod.get("spec").and_then(|spec| spec.get("ephemeralContainers")).and_then(Value::as_array);
    list.cloned().unwrap_or_default()
}
