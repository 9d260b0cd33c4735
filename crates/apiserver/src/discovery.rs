//! Discovery: which groups, versions and resources there are, plain and aggregated.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use registry::Kind;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::groups::Described;
use crate::kinds;
use crate::server::ApiServer;
use crate::status::{ApiError, answer as respond, json as respond_json};
use crate::storage::group_version;
use crate::subresources::{self, Subresource};
use crate::wire::accept::media_ranges;
use crate::wire::body::{self, Body};

/// Answers paths of discovery; `None` for other paths.
pub(crate) fn answer(server: &ApiServer, path: &str, headers: &HeaderMap) -> Result<Option<Response<Body>>, ApiError> {
    let legacy = server.serves_legacy_apis();
    let value = match path {
        "/api" | "/apis" => {
            if let Some(version) = aggregated_version(headers) {
                return Ok(Some(aggregated(server, path == "/api", version, headers)));
            }
            if path == "/api" { core_versions(server) } else { groups(server) }
        }
        _ => match path.strip_prefix("/apis/") {
            Some(rest) => match rest.split_once('/') {
                None => match kinds::group_versions(legacy)
                    .into_iter()
                    .find(|(group, _)| *group == rest && !rest.is_empty())
                {
                    Some((group, versions)) => described_group(group, &versions, true),
                    None => match server.groups.all().iter().find(|group| group.name == rest && !rest.is_empty()) {
                        Some(group) => described_group(group.name, group.versions, true),
                        None => return Ok(None),
                    },
                },
                Some((group, version)) => match resources(group, version, legacy) {
                    Some(list) if !group.is_empty() => list,
                    _ => match server.groups.find(group, version).filter(|_| !group.is_empty()) {
                        Some(group) => group.listed(version),
                        None => return Ok(None),
                    },
                },
            },
            None => match path.strip_prefix("/api/").and_then(|version| resources("", version, legacy)) {
                Some(list) => list,
                None => return Ok(None),
            },
        },
    };
    let mut response = respond_json(StatusCode::OK, &value);
    if matches!(path, "/api" | "/apis") {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    Ok(Some(response))
}

fn core_versions(server: &ApiServer) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [
            { "clientCIDR": "0.0.0.0/0", "serverAddress": server.advertise.to_string() },
        ],
    })
}

fn groups(server: &ApiServer) -> Value {
    let groups = kinds::group_versions(server.serves_legacy_apis()).into_iter();
    let groups = groups.filter(|(group, _)| !group.is_empty());
    let mut groups: Vec<Value> = groups.map(|(group, versions)| described_group(group, &versions, false)).collect();
    let local = server.groups.described();
    groups.extend(local.iter().map(|local| described_group(local.group.name, local.group.versions, false)));
    json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": groups })
}

fn described_group(group: &str, versions: &[&str], alone: bool) -> Value {
    let version = |version: &&str| json!({ "groupVersion": group_version(group, version), "version": version });
    let mut described = json!({
        "name": group,
        "versions": versions.iter().map(version).collect::<Vec<_>>(),
        "preferredVersion": versions.first().map(version),
    });
    if alone {
        described["kind"] = Value::from("APIGroup");
        described["apiVersion"] = Value::from("v1");
    }
    described
}

fn resources(group: &str, version: &str, legacy: bool) -> Option<Value> {
    let mut listed = Vec::new();
    for kind in kinds::served(legacy).filter(|kind| kind.group == group && kind.version == version) {
        listed.push(described_resource(kind));
        listed.extend(subresources::of(kind).map(|subresource| described_subresource(kind, subresource)));
    }
    if listed.is_empty() {
        return None;
    }
    let group_version = group_version(group, version);
    Some(json!({ "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": listed }))
}

fn described_resource(kind: &Kind) -> Value {
    let mut described = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.is_namespaced(),
        "kind": kind.kind,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        described["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        described["categories"] = json!(kind.categories);
    }
    if kind.serves("list") {
        described["storageVersionHash"] = Value::from(storage_hash(kind));
    }
    described
}

/// Tells clients that two versions of a kind rest as one.
fn storage_hash(kind: &Kind) -> String {
    use base64::Engine;
    let stored = kind.storage.unwrap_or(kind);
    let digest = Sha256::digest(format!("{}/{}/{}", stored.group, stored.version, stored.kind));
    base64::engine::general_purpose::STANDARD.encode(&digest[..8])
}

fn described_subresource(kind: &Kind, subresource: &Subresource) -> Value {
    let (group, version, name) = subresource.kind_of(kind);
    let mut described = json!({
        "name": format!("{}/{}", kind.plural, subresource.name),
        "singularName": "",
        "namespaced": kind.is_namespaced(),
        "kind": name,
        "verbs": subresource.verbs,
    });
    if (group, version) != (kind.group, kind.version) {
        described["group"] = Value::from(group);
        described["version"] = Value::from(version);
    }
    described
}

/// The version of aggregated discovery the client would rather have than the plain form.
fn aggregated_version(headers: &HeaderMap) -> Option<&'static str> {
    for range in media_ranges(headers) {
        if range.media_type != "application/json" {
            continue;
        }
        match (range.parameter("g"), range.parameter("v"), range.parameter("as")) {
            (Some("apidiscovery.k8s.io"), Some("v2"), Some("APIGroupDiscoveryList")) => return Some("v2"),
            (Some("apidiscovery.k8s.io"), Some("v2beta1"), Some("APIGroupDiscoveryList")) => return Some("v2beta1"),
            (None, None, None) => return None,
            _ => {}
        }
    }
    None
}

/// The whole of discovery in one answer.
fn aggregated(server: &ApiServer, core: bool, version: &'static str, headers: &HeaderMap) -> Response<Body> {
    let documents = server.discovery.get(server);
    let document = &documents[usize::from(!core) * 2 + usize::from(version != "v2")];
    let matches = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == document.etag.as_bytes());
    let mut response = if matches {
        let mut response = Response::new(body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        respond(StatusCode::OK, document.content_type, body::full(document.bytes.clone()))
    };
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    if let Ok(etag) = HeaderValue::from_str(&document.etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// Discovery's answers: made once, and once more after a group has come or got something new.
#[derive(Default)]
pub(crate) struct Documents(Mutex<Option<Made>>);

struct Made {
    legacy: bool,
    local: Vec<Described>,
    documents: Arc<[Document; 4]>,
}

impl Documents {
    fn get(&self, server: &ApiServer) -> Arc<[Document; 4]> {
        let (legacy, local) = (server.serves_legacy_apis(), server.groups.described());
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| made.legacy == legacy && made.local == local) {
            return Arc::clone(&made.documents);
        }
        let documents = [(true, "v2"), (true, "v2beta1"), (false, "v2"), (false, "v2beta1")]
            .map(|(core, version)| Document::new(core, version, legacy, &local));
        let documents = Arc::new(documents);
        *made = Some(Made { legacy, local, documents: Arc::clone(&documents) });
        documents
    }
}

struct Document {
    bytes: bytes::Bytes,
    etag: String,
    content_type: &'static str,
}

impl Document {
    fn new(core: bool, version: &str, legacy: bool, local: &[Described]) -> Self {
        let groups = kinds::group_versions(legacy).into_iter().filter(|(group, _)| group.is_empty() == core);
        let mut items: Vec<Value> =
            groups.map(|(group, versions)| aggregated_group(group, &versions, legacy)).collect();
        if !core {
            items.extend(local.iter().map(Described::aggregated));
        }
        let document = json!({
            "kind": "APIGroupDiscoveryList",
            "apiVersion": format!("apidiscovery.k8s.io/{version}"),
            "metadata": {},
            "items": items,
        });
        let bytes = bytes::Bytes::from(document.to_string());
        let digest = Sha256::digest(&bytes);
        let hex: String = digest.iter().map(|byte| format!("{byte:02X}")).collect();
        let content_type = if version == "v2" {
            "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
        } else {
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
        };
        Document { bytes, etag: format!("\"{hex}\""), content_type }
    }
}

fn aggregated_group(group: &str, versions: &[&str], legacy: bool) -> Value {
    let versions: Vec<Value> = versions
        .iter()
        .map(|version| {
            let kinds = kinds::served(legacy).filter(|kind| kind.group == group && kind.version == *version);
            json!({
                "version": version,
                "resources": kinds.map(aggregated_resource).collect::<Vec<_>>(),
                "freshness": "Current",
            })
        })
        .collect();
    let metadata = if group.is_empty() {
        json!({ "creationTimestamp": null })
    } else {
        json!({ "name": group, "creationTimestamp": null })
    };
    json!({ "metadata": metadata, "versions": versions })
}

fn aggregated_resource(kind: &Kind) -> Value {
    let response_kind =
        |(group, version, name): (&str, &str, &str)| json!({ "group": group, "version": version, "kind": name });
    let mut described = json!({
        "resource": kind.plural,
        "responseKind": response_kind((kind.group, kind.version, kind.kind)),
        "scope": if kind.is_namespaced() { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    if !kind.short_names.is_empty() {
        described["shortNames"] = json!(kind.short_names);
    }
    if !kind.categories.is_empty() {
        described["categories"] = json!(kind.categories);
    }
    let subresources: Vec<Value> = subresources::of(kind)
        .map(|subresource| {
            json!({
                "subresource": subresource.name,
                "responseKind": response_kind(subresource.kind_of(kind)),
                "verbs": subresource.verbs,
            })
        })
        .collect();
    if !subresources.is_empty() {
        described["subresources"] = Value::from(subresources);
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_are_listed_behind_their_resource() {
        let list = resources("", "v1", true).unwrap();
        let names: Vec<&str> =
            list["resources"].as_array().unwrap().iter().map(|r| r["name"].as_str().unwrap()).collect();
        let at = |name: &str| names.iter().position(|candidate| *candidate == name).unwrap();
        assert!(at("pods") < at("pods/log") && at("pods/status") < at("services"));
        let apps = resources("apps", "v1", true).unwrap();
        let scale = apps["resources"].as_array().unwrap().iter().find(|r| r["name"] == "deployments/scale").unwrap();
        assert_eq!((scale["group"].as_str(), scale["kind"].as_str()), (Some("autoscaling"), Some("Scale")));
        assert!(resources("nope", "v1", true).is_none());
        assert!(
            resources("extensions", "v1beta1", true).is_some() && resources("extensions", "v1beta1", false).is_none()
        );
    }
}
