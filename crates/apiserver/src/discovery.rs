//! Discovery: which groups, versions and resources there are, plain and aggregated.

use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use registry::Kind;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::groups::Described;
use crate::kinds;
use crate::packed::Packed;
use crate::server::ApiServer;
use crate::status::{ApiError, answer as respond};
use crate::storage::group_version;
use crate::subresources::{self, Subresource};
use crate::wire::accept::{Accepted, Encoding, Form, Offer, media_ranges};
use crate::wire::body::{self, Body};
use crate::wire::encode;

/// Answers paths of discovery; `None` for other paths.
pub(crate) fn answer(server: &ApiServer, path: &str, headers: &HeaderMap) -> Result<Option<Response<Body>>, ApiError> {
    let legacy = server.serves_legacy_apis();
    let value = match path {
        "/api" | "/apis" => {
            if let Some(wanted) = Aggregated::wanted(headers) {
                return aggregated(server, path == "/api", wanted, headers).map(Some);
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
    let accepted = Accepted::negotiate(headers, Offer { has_protobuf: &|| true, stream: false })?;
    let content_type = Accepted { form: Form::Object, ..accepted }.content_type();
    let mut response = respond(StatusCode::OK, content_type, body::full(encode::value(accepted.encoding, &value)?));
    if matches!(path, "/api" | "/apis") {
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    Ok(Some(response))
}

/// Says no version of its own, as in release 1.1.
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
    let mut list = json!({ "kind": "APIResourceList" });
    // As in release 1.1, whose clients knew these groups alone.
    if !matches!(group, "" | "extensions") {
        list["apiVersion"] = Value::from("v1");
    }
    list["groupVersion"] = Value::from(group_version(group, version));
    list["resources"] = Value::from(listed);
    Some(list)
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

/// A form of aggregated discovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Aggregated {
    version: &'static str,
    encoding: Encoding,
}

impl Aggregated {
    /// What the client would rather have than the plain form.
    fn wanted(headers: &HeaderMap) -> Option<Self> {
        for range in media_ranges(headers) {
            let Some(encoding) = range.encoding() else { continue };
            match (range.parameter("g"), range.parameter("v"), range.parameter("as")) {
                (Some("apidiscovery.k8s.io"), Some("v2"), Some("APIGroupDiscoveryList")) => {
                    return Some(Aggregated { version: "v2", encoding });
                }
                (Some("apidiscovery.k8s.io"), Some("v2beta1"), Some("APIGroupDiscoveryList")) => {
                    return Some(Aggregated { version: "v2beta1", encoding });
                }
                (None, None, None) => return None,
                _ => {}
            }
        }
        None
    }

    fn content_type(self) -> String {
        let of_encoding = Accepted { form: Form::Object, encoding: self.encoding }.content_type();
        format!("{of_encoding};g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList", self.version)
    }
}

/// The whole of discovery in one answer.
fn aggregated(
    server: &ApiServer,
    core: bool,
    wanted: Aggregated,
    headers: &HeaderMap,
) -> Result<Response<Body>, ApiError> {
    let document = server.discovery.get(server, core, wanted)?;
    let content_type = HeaderValue::from_str(&wanted.content_type())
        .map_err(|error| ApiError::internal(&format!("a content type: {error}")))?;
    let mut response = document.packed.answer(headers, "", &document.etag);
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public"));
    Ok(response)
}

/// Discovery's answers: made when somebody first asks, and once more after a group has come or got something new.
#[derive(Default)]
pub(crate) struct Documents(Mutex<Made>);

#[derive(Default)]
struct Made {
    legacy: bool,
    local: Vec<Described>,
    documents: Vec<(bool, Aggregated, Arc<Document>)>,
}

struct Document {
    packed: Packed,
    /// The same in every encoding.
    etag: String,
}

impl Documents {
    fn get(&self, server: &ApiServer, core: bool, wanted: Aggregated) -> Result<Arc<Document>, ApiError> {
        let (legacy, local) = (server.serves_legacy_apis(), server.groups.described());
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if made.legacy != legacy || made.local != local {
            *made = Made { legacy, local, documents: Vec::new() };
        }
        let known = made.documents.iter().find(|(of_core, form, _)| (*of_core, *form) == (core, wanted));
        if let Some((_, _, document)) = known {
            return Ok(Arc::clone(document));
        }
        let document = Arc::new(Document::new(core, wanted, legacy, &made.local)?);
        made.documents.push((core, wanted, Arc::clone(&document)));
        Ok(document)
    }
}

impl Document {
    fn new(core: bool, wanted: Aggregated, legacy: bool, local: &[Described]) -> Result<Self, ApiError> {
        let groups = kinds::group_versions(legacy).into_iter().filter(|(group, _)| group.is_empty() == core);
        let mut items: Vec<Value> =
            groups.map(|(group, versions)| aggregated_group(group, &versions, legacy)).collect();
        if !core {
            items.extend(local.iter().map(Described::aggregated));
        }
        let document = json!({
            "kind": "APIGroupDiscoveryList",
            "apiVersion": format!("apidiscovery.k8s.io/{}", wanted.version),
            "metadata": {},
            "items": items,
        });
        let text = Packed::of(document.to_string().as_bytes());
        let etag = text.digest().to_owned();
        let packed = match wanted.encoding {
            Encoding::Json => text,
            other => Packed::of(&encode::value(other, &document)?),
        };
        Ok(Document { packed, etag })
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
