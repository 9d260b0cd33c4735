//! OpenAPI documents, made from the table of kinds and the schema facts when somebody first asks, and kept packed:
//! clients keep what they fetched and come back rarely.

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use jiff::{Timestamp, ToSpan};
use registry::Kind;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::kinds;
use crate::packed::Packed;
use crate::status::ApiError;
use crate::version;
use crate::wire::accept::media_ranges;
use crate::wire::body::{self, Body};
use crate::wire::query::Query;

mod descriptions;
mod documents;
mod enums;
mod form;
mod parameters;
mod paths;
mod protobuf;
mod schema;

use descriptions::Descriptions;
use form::Form;
use schema::{Definitions, Dialect};

const JSON: &str = "application/json";

/// A protobuf form in its registered spelling, which answers carry, and the one that clients used before.
struct Protobuf {
    current: &'static str,
    deprecated: &'static str,
}

const V2_PROTOBUF: Protobuf = Protobuf {
    current: "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    deprecated: "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
};
const V3_PROTOBUF: Protobuf = Protobuf {
    current: "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
    deprecated: "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
};

/// `legacy` tells whether versions are served that upstream has removed.
pub(crate) fn answer(
    path: &str,
    headers: &HeaderMap,
    query: &Query,
    legacy: bool,
    now: Timestamp,
) -> Result<Option<Response<Body>>, ApiError> {
    let Some(rest) = path.strip_prefix("/openapi/") else { return Ok(None) };
    if rest == "v2" {
        return v2(headers, legacy).map(Some);
    }
    if rest == "v3" {
        let index = documents::get(&named("v3", legacy), || Ok(Packed::of(index(legacy).to_string().as_bytes())))?;
        return Ok(Some(index.answer(headers, JSON, index.digest())));
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
    v3(group_version, headers, query, now).map(Some)
}

/// What there is of the newer form: a place for each version of a group.
fn index(legacy: bool) -> Value {
    let mut paths = Map::new();
    for (group, versions) in kinds::group_versions(legacy) {
        for version in versions {
            paths.insert(place(group, version), json!({ "serverRelativeURL": relative_url(group, version) }));
        }
    }
    json!({ "paths": paths })
}

fn place(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

fn relative_url(group: &str, version: &str) -> String {
    format!("/openapi/v3/{}?hash={}", place(group, version), hash(group, version))
}

fn v3(
    (group, version): (&str, &str),
    headers: &HeaderMap,
    query: &Query,
    now: Timestamp,
) -> Result<Response<Body>, ApiError> {
    let Some(content_type) = accepted(headers, &V3_PROTOBUF) else { return Ok(not_acceptable()) };
    let hash = hash(group, version);
    let asked = query.get("hash").filter(|asked| !asked.is_empty());
    if asked.is_some_and(|asked| asked != hash) {
        return Ok(moved(&relative_url(group, version)));
    }
    let document = documents::get(&format!("v3/{group}/{version} {content_type}"), || {
        let kinds = registry::KINDS.iter().copied();
        let kinds = kinds.filter(|kind| kind.group == group && kind.version == version);
        made(Dialect::V3, kinds, content_type == JSON)
    })?;
    let mut response = document.answer(headers, content_type, &hash);
    if asked.is_some() {
        // The address carries the hash: what it names never changes.
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, immutable"));
        let in_a_year = now.checked_add((365 * 24).hours()).unwrap_or(now);
        if let Ok(expires) = HeaderValue::from_str(&in_a_year.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) {
            headers.insert(header::EXPIRES, expires);
        }
    }
    Ok(response)
}

fn v2(headers: &HeaderMap, legacy: bool) -> Result<Response<Body>, ApiError> {
    let Some(content_type) = accepted(headers, &V2_PROTOBUF) else { return Ok(not_acceptable()) };
    let document = documents::get(&named(&format!("v2 {content_type}"), legacy), || {
        made(Dialect::V2, kinds::served(legacy), content_type == JSON)
    })?;
    Ok(document.answer(headers, content_type, document.digest()))
}

fn made(dialect: Dialect, kinds: impl Iterator<Item = &'static Kind>, is_text: bool) -> Result<Packed, ApiError> {
    let failed = |error| ApiError::internal(&format!("unpacking the descriptions of types: {error}"));
    let descriptions = Descriptions::unpack().map_err(failed)?;
    let mut definitions = Definitions::new(dialect, &descriptions);
    Ok(match (is_text, dialect) {
        (true, _) => {
            let mut text = form::Text::new(dialect);
            tell(kinds, &mut definitions, &mut text);
            text.finish()
        }
        (false, Dialect::V2) => {
            let mut document = protobuf::V2::default();
            tell(kinds, &mut definitions, &mut document);
            document.finish()
        }
        (false, Dialect::V3) => {
            let mut document = protobuf::V3::default();
            tell(kinds, &mut definitions, &mut document);
            document.finish()
        }
    })
}

/// The paths of one kind after the other, and then all types that they and the kinds speak of.
fn tell(kinds: impl Iterator<Item = &'static Kind>, definitions: &mut Definitions<'_>, form: &mut impl Form) {
    for kind in kinds {
        definitions.add_kind(kind);
        let mut paths = Map::new();
        paths::add(&mut paths, definitions, kind);
        paths.iter().for_each(|(path, item)| form.path(path, item));
    }
    while let Some((name, schema)) = definitions.tell() {
        form.schema(&name, &schema);
    }
}

/// A document's name: there are two that tell of all versions.
fn named(name: &str, legacy: bool) -> String {
    if legacy { format!("{name} with legacy versions") } else { name.to_owned() }
}

/// The first of the client's choices that there is.
fn accepted(headers: &HeaderMap, protobuf: &Protobuf) -> Option<&'static str> {
    let ranges = media_ranges(headers);
    if ranges.is_empty() {
        return Some(JSON);
    }
    ranges.iter().find_map(|range| match range.media_type.as_str() {
        JSON | "application/*" | "*/*" => Some(JSON),
        other if other == protobuf.current || other == protobuf.deprecated => Some(protobuf.current),
        _ => None,
    })
}

/// Upstream says no more here.
fn not_acceptable() -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::NOT_ACCEPTABLE;
    response
}

fn moved(to: &str) -> Response<Body> {
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// A document follows from the program's version and the kinds in it.
fn hash(group: &str, version: &str) -> String {
    let kinds = registry::KINDS.iter().filter(|kind| kind.group == group && kind.version == version);
    let plurals: Vec<&str> = kinds.map(|kind| kind.plural).collect();
    let stated = format!("{} {group}/{version} {}", version::GIT_VERSION, plurals.join(","));
    Sha256::digest(stated).iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_AT_REST: usize = 5 << 20;

    /// What stays in memory of all documents in all their forms.
    #[test]
    fn all_documents_together_are_small() {
        let headers = |accept: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(accept))]);
        let get = |path: &str, accept| {
            let query = Query::parse("");
            let response = answer(path, &headers(accept), &query, true, Timestamp::UNIX_EPOCH).unwrap().unwrap();
            assert_eq!(
                (response.status(), &response.headers()[header::CONTENT_TYPE]),
                (StatusCode::OK, &HeaderValue::from_static(accept))
            );
        };
        get("/openapi/v2", JSON);
        get("/openapi/v2", V2_PROTOBUF.current);
        for (group, versions) in kinds::group_versions(true) {
            for version in versions {
                for accept in [JSON, V3_PROTOBUF.current] {
                    get(&format!("/openapi/v3/{}", place(group, version)), accept);
                }
            }
        }
        let resting = documents::resting_bytes();
        assert!((100_000..BYTES_AT_REST).contains(&resting), "{resting}");
    }
}
