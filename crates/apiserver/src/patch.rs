//! PATCH: three forms that say how an object changes, and the configurations of server-side apply.

use codec::apply::{self, go_value};
use codec::decode::parse;
use codec::patch::{self, PatchError, PatchKind};
use codec::schema::{self, Type};
use codec::{DecodeError, FieldValidation, Format};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use registry::{FieldError, Kind, Object};
use serde_json::Value;

use crate::call::{Call, WriteOptions};
use crate::status::ApiError;
use crate::write::{Part, Wanted};
use crate::{convert, decode, metadata, ownership, storage};

const ACCEPTED: &str = "application/json-patch+json, application/merge-patch+json, \
                        application/strategic-merge-patch+json, application/apply-patch+yaml, \
                        application/apply-patch+cbor";

/// A parsed patch, ready to be applied again whenever another write came first.
pub(crate) struct Patch {
    kind: PatchKind,
    value: Value,
    /// What strict reading found in the patch itself.
    complaints: Vec<String>,
    validation: FieldValidation,
    /// Whether an apply takes what others own.
    force: bool,
}

impl Patch {
    /// The body as the patch its media type says it is; the request's options are checked with it.
    pub(crate) fn read(call: &Call, body: &[u8], options: WriteOptions) -> Result<Self, ApiError> {
        let content_type = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let kind =
            PatchKind::from_media_type(content_type).ok_or_else(|| ApiError::unsupported_media_type(ACCEPTED))?;
        check_options(call, kind)?;
        let format = if let PatchKind::Apply(format) = kind { format } else { Format::Json };
        let tree = parse(body, format).map_err(|error| unreadable(&error, kind, options.validation))?;
        let mut patch = Patch {
            kind,
            value: tree.value,
            complaints: tree.complaints,
            validation: options.validation,
            force: call.query.flag("force"),
        };
        patch.check_form()?;
        Ok(patch)
    }

    /// Whether the patch makes an object that is not there.
    pub(crate) fn creates(&self) -> bool {
        matches!(self.kind, PatchKind::Apply(_))
    }

    /// What the patch makes of a stored object.
    pub(crate) fn change(&self, call: &Call, part: Part, old: &Object) -> Result<Wanted, ApiError> {
        let mut shown = old.clone();
        convert::out_of_storage(call.kind, &mut shown);
        let wanted = match (self.kind, &self.value) {
            (PatchKind::Apply(_), Value::Object(config)) => self.applied(call, part, &shown, config)?,
            _ => {
                let patched = self.patched(call.kind, shown)?;
                Wanted::from(self.settled(call, patched)?)
            }
        };
        self.check_identity(call, &wanted.object, old)?;
        Ok(wanted)
    }

    /// The object that an apply makes where there is none.
    pub(crate) fn create(&self, call: &Call) -> Result<Wanted, ApiError> {
        let Value::Object(config) = &self.value else { return Err(ApiError::not_found(call.subject(&call.info.name))) };
        let uid = metadata::uid(config);
        if !uid.is_empty() {
            let why =
                format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
            return Err(ApiError::conflict(call.subject(&call.info.name), &why));
        }
        let wanted = self.applied(call, Part::Object, &Object::new(), config)?;
        metadata::check_name(&wanted.object, &call.info.name)?;
        Ok(wanted)
    }

    /// As [`Patch::change`], of an object of a type that rests nowhere itself (Scale). `live` carries the managers of
    /// the fields that show there.
    pub(crate) fn change_type(
        &self,
        (group, version, kind): (&str, &str, &str),
        live: Object,
        apply: impl FnOnce(&Object, bool) -> Result<Object, ApiError>,
    ) -> Result<Object, ApiError> {
        match (self.kind, &self.value) {
            (PatchKind::Apply(_), Value::Object(config)) => {
                check_config(config, &storage::group_version(group, version), kind)?;
                apply(config, self.force)
            }
            _ => self.patched_as(schema::lookup(group, version, kind), live),
        }
    }

    fn applied(&self, call: &Call, part: Part, live: &Object, config: &Object) -> Result<Wanted, ApiError> {
        let kind = call.kind;
        check_config(config, &kind.api_version(), kind.kind)?;
        let applied = ownership::apply(call, part, live, config, self.force)?;
        if !self.complaints.is_empty() {
            let found = self.complaints.join(", ");
            match self.validation {
                FieldValidation::Strict => {
                    return Err(ApiError::bad_request(format!("error strict decoding YAML: {found}")));
                }
                FieldValidation::Warn => call.warn(found),
                FieldValidation::Ignore => {}
            }
        }
        decode::settled(call, applied).map(Wanted::settled)
    }

    /// The patched object fitted to its type, defaulted, in the form it rests in.
    fn settled(&self, call: &Call, mut patched: Object) -> Result<Object, ApiError> {
        let shown = match self.kind {
            PatchKind::Strategic => go_value(&self.value),
            _ => String::new(),
        };
        let whole = patched.clone();
        let complaints = decode::conform(call.kind, &mut patched).map(|mut found| {
            found.splice(0..0, self.complaints.iter().cloned());
            found
        });
        let judged = complaints.map_err(DecodeError::from).and_then(|found| self.validation.judge(found));
        let warnings = judged.map_err(|error| {
            let value = if shown.is_empty() { unfolded(whole).to_string() } else { shown };
            let fault = FieldError::invalid("patch", value, error.to_string());
            let message = format!(" \"\" is invalid: {fault}");
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_cause(
                fault.reason(),
                fault.body(),
                Some(&fault.path),
            )
        })?;
        for warning in warnings {
            call.warn(warning);
        }
        decode::rested(call, patched)
    }

    fn patched(&self, kind: &Kind, object: Object) -> Result<Object, ApiError> {
        self.patched_as(schema::lookup(kind.group, kind.version, kind.kind), object)
    }

    /// The patched object; its managed fields are at rest before and after.
    fn patched_as(&self, r#type: Option<&'static Type>, mut object: Object) -> Result<Object, ApiError> {
        if !self.touches_managers() {
            return self.patched_plain(r#type, object);
        }
        apply::unfold(&mut object)
            .map_err(|error| ApiError::internal(&format!("stored managed fields do not parse: {error}")))?;
        let mut patched = self.patched_plain(r#type, object)?;
        apply::rest(&mut patched);
        Ok(patched)
    }

    /// Whether the patch may look into managed fields, or set them.
    fn touches_managers(&self) -> bool {
        match &self.value {
            Value::Array(operations) => operations.iter().any(|operation| {
                let paths = ["path", "from"].into_iter().filter_map(|field| operation.get(field)?.as_str());
                paths.into_iter().any(|path| matches!(path, "" | "/metadata") || path.starts_with(MANAGERS_POINTER))
            }),
            changes => changes.get("metadata").is_some_and(|metadata| metadata.get("managedFields").is_some()),
        }
    }

    fn patched_plain(&self, r#type: Option<&'static Type>, object: Object) -> Result<Object, ApiError> {
        let patched = match (self.kind, &self.value, r#type) {
            (PatchKind::Json, operations, _) => patch::apply_json_patch(&object, operations),
            (PatchKind::Merge, Value::Object(changes), _) => {
                let mut object = object;
                patch::apply_merge_patch(&mut object, changes);
                Ok(object)
            }
            (PatchKind::Strategic, Value::Object(changes), Some(r#type)) => {
                patch::apply_strategic_patch(&object, changes, r#type)
            }
            _ => return Err(ApiError::unsupported_media_type(ACCEPTED)),
        };
        patched.map_err(|error| refused(&error))
    }

    /// Neither name nor place nor identity of an object can be patched.
    fn check_identity(&self, call: &Call, wanted: &Object, old: &Object) -> Result<(), ApiError> {
        metadata::check_name(wanted, &call.info.name)?;
        let namespace = metadata::namespace(wanted);
        if call.kind.is_namespaced() && !namespace.is_empty() && namespace != call.namespace() {
            let message = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(ApiError::bad_request(message));
        }
        let uid = metadata::uid(wanted);
        if uid != metadata::uid(old) {
            let fault = FieldError::invalid("metadata.uid", uid, "field is immutable");
            return Err(ApiError::invalid(call.kind, &call.info.name, &[fault]));
        }
        Ok(())
    }

    /// What the body's outermost value must be, and what strict reading finds in it.
    fn check_form(&mut self) -> Result<(), ApiError> {
        let found = match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let is_lenient = self.validation == FieldValidation::Ignore;
        match (self.kind, &self.value) {
            (PatchKind::Json, Value::Array(operations)) => {
                let known = ["op", "path", "from", "value"];
                for (at, operation) in operations.iter().enumerate() {
                    let unknown = operation.as_object().into_iter().flat_map(|operation| operation.keys());
                    for name in unknown.filter(|name| !known.contains(&name.as_str())).take(MAX_COMPLAINTS) {
                        self.complaints.push(format!("unknown field \"[{at}].{name}\""));
                    }
                    if self.complaints.len() >= MAX_COMPLAINTS {
                        break;
                    }
                }
                self.complaints = self.complaints.iter().map(|complaint| format!("json patch {complaint}")).collect();
                Ok(())
            }
            (PatchKind::Json, _) if is_lenient => Err(ApiError::bad_request(format!(
                "json: cannot unmarshal {found} into Go value of type jsonpatch.Patch"
            ))),
            (PatchKind::Json, _) => Err(ApiError::bad_request(format!(
                "error decoding patch: json: cannot unmarshal {found} into Go value of type []handlers.jsonPatchOp"
            ))),
            (_, Value::Object(_)) => Ok(()),
            (PatchKind::Merge, _) if is_lenient => Err(ApiError::bad_request("Invalid JSON Patch")),
            (PatchKind::Merge, _) => Err(ApiError::bad_request(format!(
                "error decoding patch: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            ))),
            (PatchKind::Strategic, _) => Err(ApiError::bad_request(format!(
                "json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
            ))),
            (PatchKind::Apply(_), _) => Err(ApiError::bad_request(format!(
                "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into \
                 Go value of type map[string]interface {{}}"
            ))),
        }
    }
}

/// How much strict reading tells.
const MAX_COMPLAINTS: usize = 100;

/// Where managed fields stand, for JSON patches.
const MANAGERS_POINTER: &str = "/metadata/managedFields";

/// An object for a message.
fn unfolded(mut object: Object) -> Value {
    if let Err(error) = apply::unfold(&mut object) {
        tracing::warn!(%error, "stored managed fields do not parse");
    }
    Value::Object(object)
}

/// A configuration states what it is, and says nothing of managers.
fn check_config(config: &Object, api_version: &str, kind: &str) -> Result<(), ApiError> {
    let stated = |field| config.get(field).and_then(Value::as_str).unwrap_or("");
    if (stated("apiVersion"), stated("kind")) != (api_version, kind) {
        let (group, version) = stated("apiVersion").split_once('/').unwrap_or(("", stated("apiVersion")));
        let message = format!("invalid object type: {group}/{version}, Kind={}", stated("kind"));
        return Err(ApiError::bad_request(message));
    }
    if ownership::of(config).is_some_and(|managed| !managed.is_null()) {
        return Err(ApiError::bad_request("metadata.managedFields must be nil"));
    }
    Ok(())
}

/// The options that depend on what kind of patch it is.
fn check_options(call: &Call, kind: PatchKind) -> Result<(), ApiError> {
    let is_apply = matches!(kind, PatchKind::Apply(_));
    let mut faults = Vec::new();
    if !is_apply && call.query.has("force") {
        faults.push(FieldError::forbidden("force", "may not be specified for non-apply patch"));
    }
    if is_apply && call.query.get("fieldManager").is_none() {
        faults.push(FieldError::required("fieldManager", "is required for apply patch"));
    }
    if faults.is_empty() { Ok(()) } else { Err(crate::call::invalid_options(call, &faults)) }
}

fn unreadable(error: &DecodeError, kind: PatchKind, validation: FieldValidation) -> ApiError {
    match (error, kind) {
        (DecodeError::TooLarge { .. }, _) => ApiError::too_large(error.to_string()),
        (_, PatchKind::Apply(_)) => ApiError::bad_request(format!("error decoding YAML: {error}")),
        (_, PatchKind::Json | PatchKind::Merge) if validation != FieldValidation::Ignore => {
            ApiError::bad_request(format!("error decoding patch: {error}"))
        }
        _ => ApiError::bad_request(error.to_string()),
    }
}

fn refused(error: &PatchError) -> ApiError {
    match error {
        PatchError::Malformed(_) => ApiError::bad_request(error.to_string()),
        // Upstream's message says no more; the cause says what did not apply.
        PatchError::Inapplicable(why) => {
            let message = "the server rejected our request due to an error in our request";
            ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_cause("", why, None)
        }
        PatchError::TooManyOperations { .. } => ApiError::too_large(error.to_string()),
    }
}
