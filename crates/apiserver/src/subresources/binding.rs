//! `pods/binding`: the scheduler gives a pod its node.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::{Kind, Object};
use serde_json::{Value, json};

use crate::call::{Call, WriteOptions};
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::wire::request_info::ResourceInfo;
use crate::write::{self, Part, Wanted};
use crate::{decode, kinds, metadata, respond};

/// Whether a kind is that of bindings themselves, made beside the pods rather than under one.
pub(crate) fn handles(kind: &Kind) -> bool {
    (kind.group, kind.plural) == ("", "bindings")
}

/// `POST …/bindings`: the binding's name is the pod's.
pub(crate) async fn create_beside(call: &Call, body: Body) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let binding = decode::of_type(call, BINDING, &body::read(body).await?, options.validation)?;
    let info = ResourceInfo {
        resource: "pods".to_owned(),
        subresource: "binding".to_owned(),
        name: metadata::name(&binding).to_owned(),
        ..ResourceInfo::clone(&call.info)
    };
    let call = call.about(kinds::required("", "v1", "pods"), info);
    create_binding(&call, binding, options).await
}

pub(super) fn create(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let options = call.write_options()?;
        let body = body::read(request.into_body()).await?;
        let mut binding = decode::of_type(&call, BINDING, &body, options.validation)?;
        metadata::settle_name(&mut binding, &call.info.name)?;
        create_binding(&call, binding, options).await
    })
}

const BINDING: (&str, &str, &str) = ("", "v1", "Binding");

async fn create_binding(call: &Call, binding: Object, options: WriteOptions) -> Result<Response<Body>, ApiError> {
    let now = call.server.ambient.clock.now_seconds().to_string();
    // Upstream binds behind its field managers: nobody comes to own the node's name.
    let change = |pod: &Object| bind(call, pod, &binding, &now).map(Wanted::settled);
    write::update(call, &call.info.name, Part::Narrow("binding"), options, change).await?;
    let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
    respond::value(call, StatusCode::CREATED, status)
}

fn bind(call: &Call, pod: &Object, binding: &Object, now: &str) -> Result<Object, ApiError> {
    let name = &call.info.name;
    let target = binding.get("target").unwrap_or(&Value::Null);
    let field = |field: &str| target.get(field).and_then(Value::as_str).unwrap_or("");
    if !matches!(field("kind"), "" | "Node") {
        let fault = registry::FieldError::not_supported("target.kind", field("kind"), &["Node", "<empty>"]);
        return Err(ApiError::invalid(call.kind, name, &[fault]));
    }
    let node = field("name");
    if node.is_empty() {
        let fault = registry::FieldError::required("target.name", "");
        return Err(ApiError::invalid(call.kind, name, &[fault]));
    }
    metadata::check_uid(call.subject(name), metadata::uid(binding), pod)?;
    let mut pod = pod.clone();
    // The scheduler decided on what it saw; only the checks below make its decision stale.
    metadata::of(&mut pod).remove("resourceVersion");
    if metadata::is_deleting(&pod) {
        let why = format!("pod {name} is being deleted, cannot be assigned to a host");
        return Err(ApiError::conflict(call.subject(name), &why));
    }
    if let Some(annotations) = metadata::map(binding, "annotations").cloned() {
        let place = metadata::of(&mut pod).entry("annotations").or_insert_with(|| json!({}));
        if let Value::Object(place) = place {
            place.extend(annotations);
        }
    }
    let spec = pod.get_mut("spec").and_then(Value::as_object_mut);
    let spec = spec.ok_or_else(|| ApiError::internal("the pod has no spec"))?;
    let assigned = spec.get("nodeName").and_then(Value::as_str).unwrap_or("").to_owned();
    if !assigned.is_empty() {
        let why = format!("pod {name} is already assigned to node {assigned:?}");
        return Err(ApiError::conflict(call.subject(name), &why));
    }
    let gated = spec.get("schedulingGates").and_then(Value::as_array).is_some_and(|gates| !gates.is_empty());
    if gated {
        let why = format!("pod {name} has non-empty .spec.schedulingGates");
        return Err(ApiError::conflict(call.subject(name), &why));
    }
    spec.insert("nodeName".to_owned(), Value::from(node));
    // What was hoped for is settled.
    if let Some(status) = pod.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("nominatedNodeName");
    }
    set_scheduled(&mut pod, now);
    Ok(pod)
}

/// The condition PodScheduled becomes true with the assignment, in the same write.
fn set_scheduled(pod: &mut Object, now: &str) {
    let condition = json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    });
    let status = pod.entry("status").or_insert_with(|| json!({}));
    let Value::Object(status) = status else { return };
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Value::Array(conditions) = conditions else { return };
    let is_ours = |condition: &Value| condition.get("type").and_then(Value::as_str) == Some("PodScheduled");
    match conditions.iter_mut().find(|condition| is_ours(condition)) {
        Some(present) => *present = condition,
        None => conditions.push(condition),
    }
}
