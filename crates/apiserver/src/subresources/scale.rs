//! `/scale`: the number of replicas, in one form for all kinds that have one.

use std::sync::Arc;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use codec::apply::{self, ManagedFields, PathElement, Resets, Tracking, Versions};
use codec::schema::{self, Type};
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::{FieldError, Object, Scale};
use serde_json::{Value, json};

use super::narrow::state_version;
use crate::call::Call;
use crate::patch::Patch;
use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::body::{self, Body};
use crate::write::{self, Part, Wanted};
use crate::{decode, metadata, ownership, respond, verbs};

const SCALE: (&str, &str, &str) = ("autoscaling", "v1", "Scale");
const SCALE_VERSION: &str = "autoscaling/v1";

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
    let scale = decode::of_type(call, form(call), &body::read(body).await?, options.validation)?;
    metadata::check_name(&scale, &call.info.name)?;
    let change = |old: &Object| {
        let owners = Owners::of(call, paths, old);
        let wanted = owners.updated(&scale);
        scaled(call, paths, old, &wanted, &owners)
    };
    let encoded = write::update(call, &call.info.name, Part::Scale, options, change).await?;
    shown(call, paths, &encoded)
}

async fn patch(call: &Call, paths: &Scale, body: Body) -> Result<Response<Body>, ApiError> {
    let options = call.write_options()?;
    let patch = Patch::read(call, &body::read(body).await?, options)?;
    let change = |old: &Object| {
        let owners = Owners::of(call, paths, old);
        let wanted = if patch.creates() {
            patch.change_type(SCALE, owners.live.clone(), |config, force| owners.applied(config, force))?
        } else {
            owners.updated(&patch.change_type(SCALE, owners.live.clone(), |config, _| Ok(config.clone()))?)
        };
        metadata::check_name(&wanted, &call.info.name)?;
        scaled(call, paths, old, &wanted, &owners)
    };
    let encoded = write::update(call, &call.info.name, Part::Scale, options, change).await?;
    shown(call, paths, &encoded)
}

/// The object with the replicas the scale asks for.
fn scaled(call: &Call, paths: &Scale, old: &Object, scale: &Object, owners: &Owners<'_>) -> Result<Wanted, ApiError> {
    let name = &call.info.name;
    let replicas = scale.get("spec").and_then(|spec| spec.get("replicas"));
    let replicas = match replicas {
        None | Some(Value::Null) => 0,
        Some(given) => given.as_i64().and_then(|number| i32::try_from(number).ok()).ok_or_else(|| {
            let message = format!("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas is {given}");
            ApiError::bad_request(message)
        })?,
    };
    if replicas < 0 {
        let fault = FieldError::invalid("spec.replicas", replicas, "must be greater than or equal to 0");
        let message = format!("Scale.autoscaling {name:?} is invalid: {fault}");
        let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
        return Err(error.with_cause(fault.reason(), fault.body(), Some(&fault.path)));
    }
    let mut object = old.clone();
    set(&mut object, paths.spec_replicas, Value::from(replicas));
    state_version(&mut object, metadata::resource_version(scale));
    if !metadata::uid(scale).is_empty() {
        metadata::of(&mut object).insert("uid".to_owned(), Value::from(metadata::uid(scale)));
    }
    ownership::set(&mut object, owners.of_parent(scale));
    Ok(Wanted::settled(object))
}

/// Who owns the replicas: the managers of the object, as its Scale shows them.
struct Owners<'a> {
    call: &'a Call,
    /// Of the object.
    parent: ManagedFields,
    /// The present Scale, with the managers of its replicas.
    live: Object,
    replicas: Vec<PathElement>,
    api_version: String,
}

impl<'a> Owners<'a> {
    fn of(call: &'a Call, paths: &Scale, old: &Object) -> Self {
        let parent = ManagedFields::stored(ownership::of(old).cloned());
        let replicas: Vec<PathElement> =
            paths.spec_replicas.trim_start_matches('.').split('.').map(PathElement::field).collect();
        let mut live = scale_object(paths, old);
        ownership::set(&mut live, apply::to_scale(&parent, &replicas));
        Owners { call, parent, live, replicas, api_version: call.kind.api_version() }
    }

    fn tracked<T>(&self, run: impl FnOnce(&Tracking<'_>) -> T) -> T {
        let (manager, now) = (self.call.manager(), self.call.server.ambient.clock.now_seconds().to_string());
        run(&Tracking {
            versions: &OneVersion,
            api_version: SCALE_VERSION,
            manager: &manager,
            subresource: Part::Scale.subresource(),
            now: &now,
            resets: Resets::Excluding(&[&["status"]]),
        })
    }

    fn managed(&self) -> ManagedFields {
        ManagedFields::stored(ownership::of(&self.live).cloned())
    }

    /// A wanted Scale, its writer owning what it changes.
    fn updated(&self, scale: &Object) -> Object {
        let managed = self.tracked(|tracking| tracking.update(&self.live, scale, self.managed()));
        let mut scale = scale.clone();
        ownership::set(&mut scale, managed);
        scale
    }

    fn applied(&self, config: &Object, force: bool) -> Result<Object, ApiError> {
        let applied = self.tracked(|tracking| tracking.apply(&self.live, config, self.managed(), force));
        let applied = applied.map_err(|error| ownership::refused(error, SCALE_VERSION, SCALE.2, config))?;
        let mut scale = applied.object;
        ownership::set(&mut scale, applied.managed);
        Ok(scale)
    }

    fn of_parent(&self, scale: &Object) -> ManagedFields {
        let scale = ManagedFields::stored(ownership::of(scale).cloned());
        apply::scale_to_parent(&self.parent, &scale, &self.api_version, &self.replicas)
    }
}

/// Scale is served in one version alone.
struct OneVersion;

impl Versions for OneVersion {
    fn r#type(&self, api_version: &str) -> Option<&'static Type> {
        let (group, version, kind) = SCALE;
        (api_version == SCALE_VERSION).then(|| schema::lookup(group, version, kind)).flatten()
    }

    fn convert(&self, object: &Object, _from: &str, to: &str) -> Option<Object> {
        (to == SCALE_VERSION).then(|| object.clone())
    }
}

/// The Scale that the client speaks of: versions before apps/v1 had their own.
fn form(call: &Call) -> (&'static str, &'static str, &'static str) {
    super::of(call.kind).find(|known| known.name == "scale").map_or(SCALE, |known| known.kind_of(call.kind))
}

fn shown(call: &Call, paths: &Scale, encoded: &Encoded) -> Result<Response<Body>, ApiError> {
    let object = encoded.decode()?;
    let mut scale = scale_object(paths, &object);
    let (group, version, _) = form(call);
    if (group, version) != (SCALE.0, SCALE.1) {
        make_old(&mut scale, get_path(&object, paths.selector));
        scale.insert("apiVersion".to_owned(), Value::from(format!("{group}/{version}")));
    }
    respond::value(call, StatusCode::OK, Value::Object(scale))
}

/// Before autoscaling/v1 a Scale's selector was a map, and the text beside it for what a map cannot say.
fn make_old(scale: &mut Object, selector: Option<&Value>) {
    let Some(Value::Object(status)) = scale.get_mut("status") else { return };
    let Some(text) = status.remove("selector") else { return };
    let has_expressions = selector
        .and_then(|selector| selector.get("matchExpressions"))
        .and_then(Value::as_array)
        .is_some_and(|expressions| !expressions.is_empty());
    if let Some(labels) = selector.and_then(|selector| selector.get("matchLabels")).filter(|_| !has_expressions) {
        status.insert("selector".to_owned(), labels.clone());
    }
    status.insert("targetSelector".to_owned(), text);
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
