//! Objects on their way out, in the form the client can read.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use registry::{Kind, Object};
use serde_json::{Value, json};
use stdx::Clock;
use store::Revision;

use crate::call::Call;
use crate::encodings::Encodings;
use crate::status::{ApiError, answer};
use crate::storage::{self, Encoded};
use crate::table::{self, Include, ListMetadata};
use crate::wire::accept::{Accepted, Encoding, Form};
use crate::wire::body::{self, Body};
use crate::wire::encode;
use crate::{convert, kinds};

/// How a client sees objects: in which version, form and encoding.
#[derive(Clone)]
pub(crate) struct View {
    /// The kind and version the path names.
    pub(crate) kind: &'static Kind,
    pub(crate) form: Form,
    pub(crate) encoding: Encoding,
    pub(crate) include: Include,
    clock: Clock,
    encodings: Arc<Encodings>,
}

/// One object.
pub(crate) fn object(call: &Call, code: StatusCode, encoded: Encoded) -> Result<Response<Body>, ApiError> {
    let bytes = match shares_bytes(call.kind, call.accepted) {
        true => encoded.whole(),
        false => View::of(call).bytes(&encoded)?,
    };
    Ok(answer(code, call.accepted.content_type(), body::full(bytes)))
}

/// A JSON value in the negotiated encoding.
pub(crate) fn value(call: &Call, code: StatusCode, value: Value) -> Result<Response<Body>, ApiError> {
    // What has no form in the encoding that the client likes best goes out as JSON.
    let encoding = encode::for_value(call.accepted.encoding, &value);
    let content_type = Accepted { encoding, ..call.accepted }.content_type();
    Ok(answer(code, content_type, body::full(encode::value(encoding, &value)?)))
}

/// A refusal in the encoding that the client reads.
pub(crate) fn refusal(call: &Call, error: ApiError) -> Response<Body> {
    let encoded = match call.accepted.encoding {
        Encoding::Json => None,
        encoding => {
            let status = serde_json::to_value(error.status()).ok();
            status.and_then(|status| encode::value(encoding, &status).ok())
        }
    };
    let mut response = error.into_response();
    if let Some(bytes) = encoded {
        let content_type = HeaderValue::from_static(call.accepted.content_type());
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        *response.body_mut() = body::full(bytes);
    }
    response
}

/// Whether stored bytes go out as they are.
fn shares_bytes(kind: &Kind, accepted: Accepted) -> bool {
    accepted == Accepted::JSON && kind.storage.is_none()
}

impl View {
    pub(crate) fn of(call: &Call) -> Self {
        View {
            kind: call.kind,
            form: call.accepted.form,
            encoding: call.accepted.encoding,
            include: Include::of(&call.query),
            clock: call.server.ambient.clock,
            encodings: call.server.encodings.clone(),
        }
    }

    /// Whether stored bytes go out as they are.
    pub(crate) fn shares_bytes(&self) -> bool {
        shares_bytes(self.kind, Accepted { form: self.form, encoding: self.encoding })
    }

    /// The object encoded. Shared with everybody who sees it in the same way.
    pub(crate) fn bytes(&self, encoded: &Encoded) -> Result<Bytes, ApiError> {
        match self.form {
            Form::Object if self.shares_bytes() => Ok(encoded.whole()),
            // Ages change with every look.
            Form::Table { .. } => self.encode(encoded),
            form => self.encodings.get(encoded, self.kind, form, self.encoding, || self.encode(encoded)),
        }
    }

    /// The object as a list's item in JSON: without kind and apiVersion, which the list tells.
    pub(crate) fn item(&self, encoded: &Encoded) -> Result<Bytes, ApiError> {
        let bytes = self.bytes(encoded)?;
        match self.form {
            Form::Object => Ok(storage::without_type(bytes)),
            _ => Ok(bytes),
        }
    }

    fn encode(&self, encoded: &Encoded) -> Result<Bytes, ApiError> {
        match self.form {
            Form::Partial { version } if self.encoding == Encoding::Json => encoded.partial(version),
            _ => encode::value(self.encoding, &self.value(encoded)?).map(Bytes::from),
        }
    }

    /// The object decoded, in the version and form that was asked for.
    pub(crate) fn value(&self, encoded: &Encoded) -> Result<Value, ApiError> {
        let object = self.object(encoded)?;
        Ok(match self.form {
            Form::Object => Value::Object(object),
            Form::Partial { version } => Value::Object(partial(&object, version)),
            Form::Table { version } => {
                let revision = crate::metadata::text(&object, "resourceVersion").to_owned();
                let metadata = ListMetadata { revision, ..ListMetadata::default() };
                let rows = vec![self.row(encoded, version)?];
                table::table(self.kind, version, &metadata, rows)
            }
        })
    }

    /// The object decoded, in the version that was asked for.
    pub(crate) fn object(&self, encoded: &Encoded) -> Result<Object, ApiError> {
        encoded.decode().map(|stored| self.shown(stored))
    }

    fn shown(&self, mut object: Object) -> Object {
        convert::out_of_storage(self.kind, &mut object);
        object
    }

    /// One object's cells.
    pub(crate) fn row(&self, encoded: &Encoded, version: &str) -> Result<Value, ApiError> {
        let stored = encoded.decode()?;
        let cells = kinds::stored(self.kind).rules.row(&stored, self.clock.now());
        Ok(table::row(cells, self.include, version, || self.shown(stored)))
    }

    /// An object of the kind that says nothing but how far a watch has come.
    pub(crate) fn bookmark(&self, revision: Revision, initial_events_end: bool) -> Value {
        let revision = revision.0.to_string();
        let mut metadata = json!({ "resourceVersion": revision, "creationTimestamp": null });
        if initial_events_end {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        match self.form {
            Form::Table { version } => {
                let metadata = ListMetadata { revision, ..ListMetadata::default() };
                table::table(self.kind, version, &metadata, Vec::new())
            }
            Form::Partial { version } => json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": format!("meta.k8s.io/{version}"),
                "metadata": metadata,
            }),
            Form::Object => json!({
                "kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata,
            }),
        }
    }
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
