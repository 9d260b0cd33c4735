//! OpenAPI documents, made from the table of kinds and the schema facts whenever somebody asks:
//! clients keep what they fetched, so nothing is held in memory for them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::kinds;
use crate::status::{ApiError, answer as respond};
use crate::version;
use crate::wire::accept::media_ranges;
use crate::wire::body::{self, Body};
use crate::wire::query::Query;

mod paths;
mod protobuf;
mod schema;

use schema::{Definitions, Dialect};

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/// The same in its later, registered spelling.
const V2_PROTOBUF_AS: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

pub(crate) fn answer(path: &str, headers: &HeaderMap, query: &Query) -> Result<Option<Response<Body>>, ApiError> {
    let Some(rest) = path.strip_prefix("/openapi/") else { return Ok(None) };
    if rest == "v2" {
        return v2(headers).map(Some);
    }
    if rest == "v3" {
        require_json(headers)?;
        return Ok(Some(document(headers, &index(), "application/json", None)));
    }
    let group_version = match rest.strip_prefix("v3/") {
        Some(rest) => match rest.strip_prefix("apis/").and_then(|rest| rest.split_once('/')) {
            Some(pair) => pair,
            None => match rest.strip_prefix("api/") {
                Some(version) => ("", version),
                None => return Ok(None),
            },
        },
        None => return Ok(None),
    };
    if !registry::KINDS.iter().any(|kind| (kind.group, kind.version) == group_version) {
        return Ok(None);
    }
    require_json(headers)?;
    let (group, version) = group_version;
    let hash = hash(group, version);
    let fresh = query.get("hash") == Some(hash.as_str());
    let mut response = document(headers, &v3(group, version), "application/json", Some(&hash));
    if fresh {
        // The address carries the hash: what it names never changes.
        let forever = HeaderValue::from_static("public, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    Ok(Some(response))
}

fn index() -> Value {
    let mut paths = Map::new();
    for (group, versions) in kinds::group_versions() {
        for version in versions {
            let place = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
            let url = format!("/openapi/v3/{place}?hash={}", hash(group, version));
            paths.insert(place, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

fn v3(group: &str, version: &str) -> Value {
    let mut definitions = Definitions::new(Dialect::V3);
    let mut all = Map::new();
    for kind in registry::KINDS.iter().filter(|kind| kind.group == group && kind.version == version) {
        definitions.add_kind(kind);
        paths::add(&mut all, kind, Dialect::V3);
    }
    json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": version::GIT_VERSION },
        "paths": all,
        "components": { "schemas": definitions.into_schemas() },
    })
}

fn v2(headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let mut definitions = Definitions::new(Dialect::V2);
    for kind in registry::KINDS {
        definitions.add_kind(kind);
    }
    let definitions = definitions.into_schemas();
    let ranges = media_ranges(headers);
    let wants_json = |media_type: &str| matches!(media_type, "application/json" | "application/*" | "*/*");
    for range in &ranges {
        if wants_json(&range.media_type) {
            break;
        }
        if range.media_type == V2_PROTOBUF || range.media_type == V2_PROTOBUF_AS {
            let bytes = protobuf::document(version::GIT_VERSION, &definitions);
            return Ok(respond(StatusCode::OK, V2_PROTOBUF_AS, body::full(bytes)));
        }
    }
    if !ranges.is_empty() && !ranges.iter().any(|range| wants_json(&range.media_type)) {
        return Err(ApiError::not_acceptable(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    let mut all = Map::new();
    for kind in registry::KINDS {
        paths::add(&mut all, kind, Dialect::V2);
    }
    let value = json!({
        "swagger": "2.0",
        "info": { "title": "Kubernetes", "version": version::GIT_VERSION },
        "paths": all,
        "definitions": definitions,
    });
    Ok(document(headers, &value, "application/json", None))
}

fn document(headers: &HeaderMap, value: &Value, content_type: &'static str, hash: Option<&str>) -> Response<Body> {
    let bytes = Bytes::from(value.to_string());
    let hash = hash.map_or_else(|| hex_digest(&bytes), str::to_owned);
    let etag = format!("\"{hash}\"");
    let matches = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let mut response = respond(StatusCode::OK, content_type, body::full(bytes));
    if matches {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = body::empty();
    }
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Clients that know only protobuf here fall back by themselves.
fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    let ranges = media_ranges(headers);
    let json = |media_type: &str| matches!(media_type, "application/json" | "application/*" | "*/*");
    if ranges.is_empty() || ranges.iter().any(|range| json(&range.media_type)) {
        Ok(())
    } else {
        Err(ApiError::not_acceptable("application/json, application/yaml, application/vnd.kubernetes.protobuf"))
    }
}

/// A document follows from the program's version and the kinds in it.
fn hash(group: &str, version: &str) -> String {
    let kinds = registry::KINDS.iter().filter(|kind| kind.group == group && kind.version == version);
    let plurals: Vec<&str> = kinds.map(|kind| kind.plural).collect();
    hex_digest(format!("{} {group}/{version} {}", version::GIT_VERSION, plurals.join(",")).as_bytes())
}

fn hex_digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02X}")).collect()
}
