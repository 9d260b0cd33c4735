//! OpenAPI documents, made from the table of kinds and the schema facts when somebody first asks, and kept packed:
//! clients keep what they fetched and come back rarely.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::kinds;
use crate::status::{ApiError, answer as respond};
use crate::version;
use crate::wire::accept::media_ranges;
use crate::wire::body::{self, Body};
use crate::wire::query::Query;

mod descriptions;
mod documents;
mod enums;
mod parameters;
mod paths;
mod protobuf;
mod schema;

use descriptions::Descriptions;
use documents::Document;
use schema::{Definitions, Dialect};

const JSON: &str = "application/json";

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
/// The same in its later, registered spelling.
const V2_PROTOBUF_AS: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// `legacy` tells whether versions are served that upstream has removed.
pub(crate) fn answer(
    path: &str,
    headers: &HeaderMap,
    query: &Query,
    legacy: bool,
) -> Result<Option<Response<Body>>, ApiError> {
    let Some(rest) = path.strip_prefix("/openapi/") else { return Ok(None) };
    if rest == "v2" {
        return v2(headers, legacy).map(Some);
    }
    if rest == "v3" {
        require_json(headers)?;
        let index = documents::get(&named("v3", legacy), || Ok(index(legacy).to_string().into_bytes()))?;
        return served(headers, &index, JSON, &index.digest).map(Some);
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
    if !kinds::served(legacy).any(|kind| (kind.group, kind.version) == group_version) {
        return Ok(None);
    }
    require_json(headers)?;
    let (group, version) = group_version;
    let hash = hash(group, version);
    let fresh = query.get("hash") == Some(hash.as_str());
    let document =
        documents::get(&format!("v3/{group}/{version}"), || Ok(v3(group, version)?.to_string().into_bytes()))?;
    let mut response = served(headers, &document, JSON, &hash)?;
    if fresh {
        // The address carries the hash: what it names never changes.
        let forever = HeaderValue::from_static("public, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    Ok(Some(response))
}

fn index(legacy: bool) -> Value {
    let mut paths = Map::new();
    for (group, versions) in kinds::group_versions(legacy) {
        for version in versions {
            let place = if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") };
            let url = format!("/openapi/v3/{place}?hash={}", hash(group, version));
            paths.insert(place, json!({ "serverRelativeURL": url }));
        }
    }
    json!({ "paths": paths })
}

fn v3(group: &str, version: &str) -> Result<Value, ApiError> {
    let descriptions = Descriptions::unpack().map_err(documents::unreadable)?;
    let mut definitions = Definitions::new(Dialect::V3, &descriptions);
    let mut all = Map::new();
    for kind in registry::KINDS.iter().filter(|kind| kind.group == group && kind.version == version) {
        definitions.add_kind(kind);
        paths::add(&mut all, &mut definitions, kind);
    }
    Ok(json!({
        "openapi": "3.0.0",
        "info": { "title": "Kubernetes", "version": version::GIT_VERSION },
        "paths": all,
        "components": { "schemas": definitions.into_schemas(), "securitySchemes": { SCHEME: scheme() } },
        "security": [{ SCHEME: [] }],
    }))
}

fn v2(headers: &HeaderMap, legacy: bool) -> Result<Response<Body>, ApiError> {
    let ranges = media_ranges(headers);
    let wants_json = |media_type: &str| matches!(media_type, "application/json" | "application/*" | "*/*");
    for range in &ranges {
        if wants_json(&range.media_type) {
            break;
        }
        if range.media_type == V2_PROTOBUF || range.media_type == V2_PROTOBUF_AS {
            let make = || {
                let mut paths = protobuf::Paths::default();
                let definitions = v2_parts(legacy, |of_kind| paths.add(&of_kind))?;
                Ok(protobuf::document(version::GIT_VERSION, &paths, &definitions))
            };
            let document = documents::get(&named("v2 protobuf", legacy), make)?;
            return served(headers, &document, V2_PROTOBUF_AS, &document.digest);
        }
    }
    if !ranges.is_empty() && !ranges.iter().any(|range| wants_json(&range.media_type)) {
        return Err(ApiError::not_acceptable(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf",
        ));
    }
    let document = documents::get(&named("v2", legacy), || Ok(v2_document(legacy)?.into_bytes()))?;
    served(headers, &document, JSON, &document.digest)
}

/// Put together from texts: all operations as values would take many times the room.
fn v2_document(legacy: bool) -> Result<String, ApiError> {
    let mut paths = String::new();
    let definitions = v2_parts(legacy, |of_kind| {
        for (path, described) in of_kind {
            let separator = if paths.is_empty() { "" } else { "," };
            paths.push_str(&format!("{separator}{}:{described}", Value::from(path)));
        }
    })?;
    let document = json!({
        "swagger": "2.0",
        "info": { "title": "Kubernetes", "version": version::GIT_VERSION },
        "definitions": definitions,
        "securityDefinitions": { SCHEME: scheme() },
        "security": [{ SCHEME: [] }],
    });
    Ok(format!("{{\"paths\":{{{paths}}},{}", &document.to_string()[1..]))
}

/// Gives away the paths of one kind after the other; what is left are the definitions of all.
fn v2_parts(legacy: bool, mut take_paths: impl FnMut(Map<String, Value>)) -> Result<Map<String, Value>, ApiError> {
    let descriptions = Descriptions::unpack().map_err(documents::unreadable)?;
    let mut definitions = Definitions::new(Dialect::V2, &descriptions);
    for kind in kinds::served(legacy) {
        definitions.add_kind(kind);
        let mut paths = Map::new();
        paths::add(&mut paths, &mut definitions, kind);
        take_paths(paths);
    }
    Ok(definitions.into_schemas())
}

/// How clients say who they are.
const SCHEME: &str = "BearerToken";

fn scheme() -> Value {
    json!({ "description": "Bearer Token authentication", "type": "apiKey", "name": "authorization", "in": "header" })
}

/// A document's name: there are two that tell of all versions.
fn named(name: &str, legacy: bool) -> String {
    if legacy { format!("{name} with legacy versions") } else { name.to_owned() }
}

/// The document, or word that the client's copy of it is still right.
fn served(
    headers: &HeaderMap,
    document: &Document,
    content_type: &'static str,
    hash: &str,
) -> Result<Response<Body>, ApiError> {
    let etag = format!("\"{hash}\"");
    let matches = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let (code, body) = match matches {
        true => (StatusCode::NOT_MODIFIED, body::empty()),
        false => (StatusCode::OK, body::full(document.bytes()?)),
    };
    let mut response = respond(code, content_type, body);
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(response)
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
