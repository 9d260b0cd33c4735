//! What other rooms answer, in the form and encoding that a client reads.

use http::{HeaderMap, Response, StatusCode};
use jiff::Timestamp;
use registry::{Kind, Object};
use serde_json::{Value, json};

use crate::respond::partial;
use crate::status::{ApiError, answer, json as plain};
use crate::table::{self, Include, ListMetadata};
use crate::wire::accept::{Accepted, Form, Offer};
use crate::wire::body::{self, Body};
use crate::wire::encode;
use crate::wire::query::Query;

/// Whoever asks over the API: what they read, and when they ask.
pub(crate) struct Asker<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) now: Timestamp,
}

impl Asker<'_> {
    /// An object or a list of a group, as the asker wants to see it.
    pub(super) fn shown(
        &self,
        group: &str,
        version: &str,
        query: &Query,
        found: Value,
    ) -> Result<Response<Body>, ApiError> {
        let kind = found["kind"].as_str().unwrap_or("");
        let kind = kind.strip_suffix("List").unwrap_or(kind);
        let has_protobuf = || codec::protobuf::encodes(group, version, kind);
        let accepted = Accepted::negotiate(self.headers, Offer { has_protobuf: &has_protobuf, stream: false })?;
        if accepted == Accepted::JSON {
            return Ok(plain(StatusCode::OK, &found));
        }
        let shown = match (accepted.form, registry::metrics::find(group, kind)) {
            (Form::Table { version }, Some(kind)) => tabulated(kind, version, Include::of(query), &found, self.now),
            (Form::Partial { version }, _) => metadata_alone(version, found),
            _ => found,
        };
        let encoding = encode::for_value(accepted.encoding, &shown);
        let content_type = Accepted { encoding, ..accepted }.content_type();
        Ok(answer(StatusCode::OK, content_type, body::full(encode::value(encoding, &shown)?)))
    }
}

/// The items of a list, or the one object there is.
fn objects(found: &Value) -> Vec<&Object> {
    match found.get("items").and_then(Value::as_array) {
        Some(items) => items.iter().filter_map(Value::as_object).collect(),
        None => found.as_object().into_iter().collect(),
    }
}

fn tabulated(kind: &'static Kind, version: &str, include: Include, found: &Value, now: Timestamp) -> Value {
    let row = |object: &Object| table::row(kind.rules.row(object, now), include, version, || object.clone());
    table::table(kind, version, &ListMetadata::default(), objects(found).into_iter().map(row).collect())
}

fn metadata_alone(version: &str, found: Value) -> Value {
    let mut alone: Vec<Value> =
        objects(&found).into_iter().map(|object| Value::Object(partial(object, version))).collect();
    match found.get("items") {
        None => alone.pop().unwrap_or(found),
        Some(_) => json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": format!("meta.k8s.io/{version}"),
            "metadata": found["metadata"],
            "items": alone,
        }),
    }
}
