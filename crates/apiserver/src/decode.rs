//! Request bodies to objects of the kind the path names.

use codec::decode::Decoded;
use codec::schema::TypeError;
use codec::{DecodeError, FieldValidation, Format, cbor, protobuf};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use registry::{Kind, Object};
use serde_json::Value;

use crate::call::{Call, WriteOptions};
use crate::convert;
use crate::status::ApiError;

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// What a body is written in.
enum Media {
    Text(Format),
    Protobuf,
}

/// The body as a defaulted object in its stored form, its managed fields at rest.
pub(crate) fn object(call: &Call, body: &[u8], options: WriteOptions) -> Result<Object, ApiError> {
    let kind = call.kind;
    rested(call, read(call, (kind.group, kind.version, kind.kind), body, options.validation, Managed::Resting)?)
}

/// The body as an object of `kind`, which need not be the one of the path (Scale, Eviction, Binding …).
pub(crate) fn typed(call: &Call, kind: &Kind, body: &[u8], validation: FieldValidation) -> Result<Object, ApiError> {
    of_type(call, (kind.group, kind.version, kind.kind), body, validation)
}

/// The body as an object of a type known by name alone.
pub(crate) fn of_type(
    call: &Call,
    r#type: (&str, &str, &str),
    body: &[u8],
    validation: FieldValidation,
) -> Result<Object, ApiError> {
    read(call, r#type, body, validation, Managed::Unfolded)
}

/// The form that managed fields are read in: see [`codec::apply::rest`].
#[derive(Clone, Copy, PartialEq)]
enum Managed {
    Unfolded,
    Resting,
}

fn read(
    call: &Call,
    (group, version, kind): (&str, &str, &str),
    body: &[u8],
    validation: FieldValidation,
    managed: Managed,
) -> Result<Object, ApiError> {
    let decoded = match (media(&call.headers)?, codec::schema::lookup(group, version, kind)) {
        (Media::Text(format), Some(r#type)) => match managed {
            Managed::Resting => codec::decode_resting(body, format, r#type, validation),
            Managed::Unfolded => codec::decode(body, format, r#type, validation),
        },
        (Media::Text(format), None) => codec::decode_untyped(body, format, validation),
        (Media::Protobuf, Some(r#type)) => protobuf::decode(body, r#type).map(|mut object| {
            if managed == Managed::Resting {
                codec::apply::rest(&mut object);
            }
            Decoded { object, warnings: Vec::new() }
        }),
        (Media::Protobuf, None) => return Err(ApiError::unsupported_media_type("application/json, application/yaml")),
    };
    let decoded = decoded.map_err(|error| refused(&error, version, kind))?;
    for warning in decoded.warnings {
        call.warn(warning);
    }
    Ok(decoded.object)
}

/// The body as the options of a deletion.
pub(crate) fn delete_options(call: &Call, body: &[u8]) -> Result<Value, ApiError> {
    if let Media::Text(format) = media(&call.headers)? {
        // Kinds other than DeleteOptions are let through, as upstream does; what does not fit is not read.
        let decoded = codec::decode_untyped(body, format, FieldValidation::Ignore);
        return decoded
            .map(|decoded| Value::Object(decoded.object))
            .map_err(|error| ApiError::bad_request(error.to_string()));
    }
    of_type(call, ("", "v1", "DeleteOptions"), body, FieldValidation::Ignore).map(Value::Object)
}

/// Fits a patched object to its kind's type; what does not belong there is told.
pub(crate) fn conform(kind: &Kind, object: &mut Object) -> Result<Vec<String>, TypeError> {
    let mut complaints = Vec::new();
    codec::apply::keep_reset(object);
    if let Some(r#type) = codec::schema::lookup(kind.group, kind.version, kind.kind) {
        codec::schema::conform(object, r#type, &mut complaints)?;
    }
    Ok(complaints)
}

/// An object that a configuration was applied to, in the form it rests in. The configuration itself was checked.
pub(crate) fn settled(call: &Call, mut object: Object) -> Result<Object, ApiError> {
    let kind = call.kind;
    conform(kind, &mut object).map_err(|error| refused(&error.into(), kind.version, kind.kind))?;
    rested(call, object)
}

/// A whole object, defaulted and turned into the form it rests in.
pub(crate) fn rested(call: &Call, mut object: Object) -> Result<Object, ApiError> {
    check_stated(call.kind, &object)?;
    settle(call.kind, &mut object);
    Ok(object)
}

/// Defaults the object and turns it into the form it rests in.
fn settle(kind: &Kind, object: &mut Object) {
    kind.rules.default(object);
    convert::to_storage(kind, object);
    complete(kind.storage.unwrap_or(kind), object);
}

/// Adds the fields that are written whether they were given or not: clients of upstream rely on them.
pub(crate) fn complete(kind: &Kind, object: &mut Object) {
    if let Some(r#type) = codec::schema::lookup(kind.group, kind.version, kind.kind) {
        codec::schema::complete(object, r#type);
    }
}

/// The object must be of the kind the path names; one that does not say is taken to be.
fn check_stated(kind: &Kind, object: &Object) -> Result<(), ApiError> {
    let stated = |field| object.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
    let expected = kind.api_version();
    if let Some(version) = stated("apiVersion").filter(|version| *version != expected) {
        let message =
            format!("the API version in the data ({version}) does not match the expected API version ({expected})");
        return Err(ApiError::bad_request(message));
    }
    if let Some(given) = stated("kind").filter(|given| *given != kind.kind) {
        let message = format!("{given} in version {:?} cannot be handled as a {}", kind.version, kind.kind);
        return Err(ApiError::bad_request(message));
    }
    Ok(())
}

fn refused(error: &DecodeError, version: &str, kind: &str) -> ApiError {
    match error {
        DecodeError::TooLarge { .. } => ApiError::too_large(error.to_string()),
        DecodeError::Strict { .. } => ApiError::bad_request(error.to_string()),
        _ => ApiError::bad_request(error.explain(version, kind)),
    }
}

fn media(headers: &HeaderMap) -> Result<Media, ApiError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    match media_type.as_str() {
        "" | "application/json" => Ok(Media::Text(Format::Json)),
        "application/yaml" | "application/x-yaml" | "text/yaml" => Ok(Media::Text(Format::Yaml)),
        cbor::MEDIA_TYPE => Ok(Media::Text(Format::Cbor)),
        protobuf::MEDIA_TYPE => Ok(Media::Protobuf),
        _ => Err(ApiError::unsupported_media_type(ACCEPTED)),
    }
}
