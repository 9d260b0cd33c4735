//! `/scale`: the number of replicas, in one form for all kinds that have one.

use std::sync::Arc;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use codec::FieldValidation;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::{FieldError, Object, Scale};
use serde_json::{Value, json};

use super::finalize::state_version;
use crate::call::Call;
use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::body::{self, Body};
use crate::write::{self, Part};
use crate::{decode, metadata, patch, respond, verbs};

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let Some(paths) = call.stored_kind().scale else { return Err(ApiError::no_such_resource()) };
        let body = request.into_body();
        match call.verb {
            "get" => get(&call, &paths).await,
            "update" => update(&call, &paths, body).await,
            _ => patch(&call, &paths, body).await,
        }
    })
}

async fn get(call: &Call, paths: &Scale) -> Result<Response<Body>, ApiError> {
    let encoded = call.server.storage.get(call.stored_kind(), call.namespace(), &call.info.name).await?;
    let encoded = encoded.ok_or_else(|| ApiError::not_found(call.subject(&call.info.name)))?;
    shown(call, paths, &encoded)
}

async fn update(call: &Call, paths: &Scale, body: Body) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let scale = scale_of(call, &body::read(body).await?, options.validation)?;
    let encoded =
        write::update(call, &call.info.name, Part::Scale, options, |old| apply(call, paths, old, &scale)).await?;
    shown(call, paths, &encoded)
}

async fn patch(call: &Call, paths: &Scale, body: Body) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let patch = patch::Patch::parse(&call.headers, &body::read(body).await?)?;
    let encoded = write::update(call, &call.info.name, Part::Scale, options, |old| {
        let before = scale_object(paths, old);
        let version = metadata::text(&before, "resourceVersion").to_owned();
        let mut after = patch.apply_to_type(("autoscaling", "v1", "Scale"), before)?;
        if metadata::text(&after, "resourceVersion") == version {
            // The patch says nothing of versions: it may be applied again after another write.
            state_version(&mut after, None);
        }
        apply(call, paths, old, &after)
    })
    .await?;
    shown(call, paths, &encoded)
}

fn scale_of(call: &Call, body: &[u8], validation: FieldValidation) -> Result<Object, ApiError> {
    let mut scale = decode::of_type(call, ("autoscaling", "v1", "Scale"), body, validation)?;
    metadata::check_name(&mut scale, &call.info.name)?;
    Ok(scale)
}

/// The object with the replicas the scale asks for.
fn apply(call: &Call, paths: &Scale, old: &Object, scale: &Object) -> Result<Object, ApiError> {
    let replicas = scale.get("spec").and_then(|spec| spec.get("replicas")).and_then(Value::as_i64).unwrap_or(0);
    if replicas < 0 {
        let fault = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        return Err(ApiError::invalid(call.kind, &call.info.name, &[fault]));
    }
    let mut object = old.clone();
    set(&mut object, paths.spec_replicas, Value::from(replicas));
    state_version(&mut object, metadata::resource_version(scale));
    if !metadata::uid(scale).is_empty() {
        metadata::of(&mut object).insert("uid".to_owned(), Value::from(metadata::uid(scale)));
    }
    Ok(object)
}

fn shown(call: &Call, paths: &Scale, encoded: &Encoded) -> Result<Response<Body>, ApiError> {
    let scale = scale_object(paths, &encoded.decode()?);
    respond::value(call, StatusCode::OK, Value::Object(scale))
}

fn scale_object(paths: &Scale, object: &Object) -> Object {
    let number = |path| get_path(object, path).and_then(Value::as_i64).unwrap_or(0);
    let mut metadata = serde_json::Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        if let Some(value) = object.get("metadata").and_then(|metadata| metadata.get(field)) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    let mut status = json!({ "replicas": number(paths.status_replicas) });
    if let Some(selector) = get_path(object, paths.selector).and_then(selector_text) {
        status["selector"] = Value::from(selector);
    }
    let scale = json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": { "replicas": number(paths.spec_replicas) },
        "status": status,
    });
    match scale {
        Value::Object(scale) => scale,
        _ => Object::new(),
    }
}

/// A selector in its query form: from a structured one, or from a plain map.
fn selector_text(selector: &Value) -> Option<String> {
    let structured = selector.get("matchLabels").is_some() || selector.get("matchExpressions").is_some();
    let parsed = if structured {
        let selector: LabelSelector = serde_json::from_value(selector.clone()).ok()?;
        Selector::from_label_selector(&selector).ok()?
    } else {
        let labels: std::collections::BTreeMap<String, String> = serde_json::from_value(selector.clone()).ok()?;
        Selector::from_map(&labels)
    };
    Some(verbs::selector::query_form(&parsed))
}

fn get_path<'a>(object: &'a Object, path: &str) -> Option<&'a Value> {
    let mut parts = path.trim_start_matches('.').split('.');
    let first = object.get(parts.next()?)?;
    parts.try_fold(first, |value, part| value.get(part))
}

fn set(object: &mut Object, path: &str, value: Value) {
    let mut parts: Vec<&str> = path.trim_start_matches('.').split('.').collect();
    let Some(last) = parts.pop() else { return };
    let mut place = object;
    for part in parts {
        let next = place.entry(part).or_insert_with(|| Value::Object(Object::new()));
        if !next.is_object() {
            *next = Value::Object(Object::new());
        }
        let Value::Object(next) = next else { return };
        place = next;
    }
    place.insert(last.to_owned(), value);
}
