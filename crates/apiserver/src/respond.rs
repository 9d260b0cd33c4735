//! Objects on their way out, in the form the client can read.

use codec::{cbor, protobuf};
use http::{HeaderValue, Response, StatusCode, header};
use registry::Object;
use serde_json::Value;

use crate::call::Call;
use crate::convert;
use crate::status::{ApiError, answer};
use crate::storage::Encoded;
use crate::table;
use crate::wire::accept::{Encoding, Form};
use crate::wire::body::{self, Body};

/// One object. The plain JSON form shares the stored bytes.
pub(crate) fn object(call: &Call, code: StatusCode, encoded: Encoded) -> Result<Response<Body>, ApiError> {
    if shares_bytes(call) {
        return Ok(answer(code, call.accepted.content_type(), body::pieces(encoded.pieces())));
    }
    value(call, code, transformed(call, &encoded)?)
}

/// Whether stored bytes go out as they are.
pub(crate) fn shares_bytes(call: &Call) -> bool {
    call.accepted.form == Form::Object && call.accepted.encoding == Encoding::Json && call.kind.storage.is_none()
}

/// A JSON value in the negotiated encoding.
pub(crate) fn value(call: &Call, code: StatusCode, value: Value) -> Result<Response<Body>, ApiError> {
    Ok(answer(code, call.accepted.content_type(), body::full(encode(call, &value)?)))
}

pub(crate) fn encode(call: &Call, value: &Value) -> Result<Vec<u8>, ApiError> {
    match call.accepted.encoding {
        Encoding::Json => serde_json::to_vec(value).map_err(|error| ApiError::internal(&error.to_string())),
        Encoding::Yaml => serde_yaml_ng::to_string(value)
            .map(String::into_bytes)
            .map_err(|error| ApiError::internal(&error.to_string())),
        Encoding::Protobuf => protobuf::encode(value).map_err(|error| ApiError::internal(&error.to_string())),
        Encoding::Cbor => Ok(cbor::encode(value)),
    }
}

/// A refusal in the encoding that the client reads.
pub(crate) fn refusal(call: &Call, error: ApiError) -> Response<Body> {
    let encoded = match call.accepted.encoding {
        Encoding::Json => None,
        _ => serde_json::to_value(error.status()).ok().and_then(|status| encode(call, &status).ok()),
    };
    let mut response = error.into_response();
    if let Some(bytes) = encoded {
        let content_type = HeaderValue::from_static(call.accepted.content_type());
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *response.body_mut() = body::full(bytes);
    }
    response
}

/// One event of a watch.
pub(crate) fn frame(call: &Call, event: &str, object: Value) -> Result<Vec<u8>, ApiError> {
    match call.accepted.encoding {
        Encoding::Protobuf => protobuf::frame(event, &object).map_err(|error| ApiError::internal(&error.to_string())),
        Encoding::Cbor => Ok(cbor::frame(event, &object)),
        Encoding::Json | Encoding::Yaml => {
            let mut line = encode(call, &serde_json::json!({ "type": event, "object": object }))?;
            line.push(b'\n');
            Ok(line)
        }
    }
}

/// The object decoded, in the version and form that was asked for.
pub(crate) fn transformed(call: &Call, encoded: &Encoded) -> Result<Value, ApiError> {
    let mut object = encoded.decode()?;
    convert::out_of_storage(call.kind, &mut object);
    Ok(match call.accepted.form {
        Form::Object => Value::Object(object),
        Form::Partial { version } => Value::Object(partial(&object, version)),
        Form::Table { version } => {
            let revision = crate::metadata::text(&object, "resourceVersion").to_owned();
            let rows = vec![table::row(call, &object, version)];
            table::table(call, version, &table::ListMetadata { revision, ..Default::default() }, rows)
        }
    })
}

/// `PartialObjectMetadata`: kind, apiVersion and metadata, nothing else.
pub(crate) fn partial(object: &Object, version: &str) -> Object {
    let mut partial = Object::new();
    partial.insert("kind".to_owned(), Value::from("PartialObjectMetadata"));
    partial.insert("apiVersion".to_owned(), Value::from(format!("meta.k8s.io/{version}")));
    if let Some(metadata) = object.get("metadata") {
        partial.insert("metadata".to_owned(), metadata.clone());
    }
    partial
}
