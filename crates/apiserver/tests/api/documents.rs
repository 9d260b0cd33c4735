//! OpenAPI and discovery in the forms and under the conditions that clients ask for.

use std::io::Read;

use codec::{cbor, protobuf, schema};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::common::{Caller, Cluster};

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V3_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

async fn get(caller: &Caller, path: &str, headers: &[(&str, &str)]) -> Response<apiserver::Body> {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    caller.send(request.body(Full::default()).unwrap()).await
}

async fn bytes(response: Response<apiserver::Body>) -> Vec<u8> {
    response.into_body().collect().await.unwrap().to_bytes().to_vec()
}

fn header<'a>(response: &'a Response<apiserver::Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The payloads of a message's delimited fields with this number.
fn delimited(message: &[u8], wanted: u64) -> Vec<&[u8]> {
    let varint = |at: &mut usize| {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = message[*at];
            *at += 1;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    };
    let (mut at, mut found) = (0, Vec::new());
    while at < message.len() {
        let tag = varint(&mut at);
        match tag & 7 {
            0 => {
                varint(&mut at);
            }
            1 => at += 8,
            2 => {
                let length = varint(&mut at) as usize;
                if tag >> 3 == wanted {
                    found.push(&message[at..at + length]);
                }
                at += length;
            }
            other => panic!("wire type {other}"),
        }
    }
    found
}

/// The value of the entry with this name, among the entries with this number.
fn entry<'a>(message: &'a [u8], number: u64, name: &str) -> &'a [u8] {
    let entries = delimited(message, number);
    let found = entries.iter().find(|entry| delimited(entry, 1) == [name.as_bytes()]);
    delimited(found.unwrap_or_else(|| panic!("{name} is not told")), 2)[0]
}

/// Field numbers from gnostic's OpenAPIv3.proto.
#[tokio::test]
async fn the_newer_documents_come_in_protobuf() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = "/openapi/v3/apis/apps/v1";
    let text = get(admin, path, &[("accept", "application/json")]).await;
    let etag = header(&text, "etag").to_owned();
    let text: Value = serde_json::from_slice(&bytes(text).await).unwrap();
    for accept in [V3_PROTOBUF, "application/com.github.proto-openapi.spec.v3@v1.0+protobuf"] {
        let packed = get(admin, path, &[("accept", accept)]).await;
        assert_eq!((header(&packed, "content-type"), header(&packed, "etag")), (V3_PROTOBUF, etag.as_str()));
        let document = bytes(packed).await;
        assert_eq!(delimited(&document, 1), [b"3.0.0"]);
        let paths = delimited(&document, 4)[0];
        assert_eq!(delimited(paths, 1).len(), text["paths"].as_object().unwrap().len());
        let path = entry(paths, 1, "/apis/apps/v1/namespaces/{namespace}/deployments/{name}");
        let read = delimited(path, 4)[0];
        assert_eq!(delimited(read, 5), [b"readAppsV1NamespacedDeployment"]);
        let gvk = entry(read, 13, "x-kubernetes-group-version-kind");
        let gvk: Value = serde_json::from_slice(delimited(gvk, 2)[0]).unwrap();
        assert_eq!(gvk, json!({"group": "apps", "version": "v1", "kind": "Deployment"}));
        let components = delimited(&document, 5)[0];
        let schemas = delimited(components, 1)[0];
        assert_eq!(delimited(schemas, 1).len(), text["components"]["schemas"].as_object().unwrap().len());
        let spec = delimited(entry(schemas, 1, "io.k8s.api.apps.v1.DeploymentSpec"), 1)[0];
        assert_eq!(delimited(spec, 23), [&b"selector"[..], b"template"]);
        let template = delimited(entry(delimited(spec, 31)[0], 1, "template"), 1)[0];
        let reference = delimited(delimited(template, 26)[0], 2)[0];
        assert_eq!(delimited(reference, 1), [b"#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec"]);
        let scheme = delimited(entry(delimited(components, 7)[0], 1, "BearerToken"), 1)[0];
        assert_eq!(delimited(scheme, 1), [b"apiKey"]);
    }
    let old = get(admin, "/openapi/v2", &[("accept", V2_PROTOBUF)]).await;
    assert_eq!(header(&old, "content-type"), V2_PROTOBUF);
    let old = bytes(old).await;
    let definitions = delimited(&old, 9)[0];
    let pod = entry(definitions, 1, "io.k8s.api.core.v1.Pod");
    assert!(delimited(pod, 4)[0].starts_with(b"Pod is a collection of containers"));
}

/// Source: kube-openapi pkg/handler3.
#[tokio::test]
async fn a_document_is_kept_under_its_hash_and_sent_as_the_client_can_read_it() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let index = admin.get("/openapi/v3").await;
    let url = index["paths"]["apis/batch/v1"]["serverRelativeURL"].as_str().unwrap();
    let fresh = get(admin, url, &[]).await;
    let (etag, cache) = (header(&fresh, "etag").to_owned(), header(&fresh, "cache-control"));
    // The simulated clock begins with 2030.
    assert!(cache == "public, immutable" && header(&fresh, "expires").starts_with("Wed, 01 Jan 2031 00:"));
    assert!(url.ends_with(&format!("?hash={}", etag.trim_matches('"'))), "{url} {etag}");
    let plain = bytes(fresh).await;

    let stale = get(admin, "/openapi/v3/apis/batch/v1?hash=0", &[]).await;
    assert_eq!((stale.status(), header(&stale, "location")), (StatusCode::MOVED_PERMANENTLY, url));
    let without = get(admin, "/openapi/v3/apis/batch/v1", &[]).await;
    assert_eq!((header(&without, "cache-control"), header(&without, "expires")), ("no-cache, private", ""));
    let known = get(admin, url, &[("if-none-match", &etag)]).await;
    assert_eq!((known.status(), bytes(known).await.len()), (StatusCode::NOT_MODIFIED, 0));

    let packed = get(admin, url, &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&packed, "content-encoding"), "gzip");
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&*bytes(packed).await).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain);

    let refused = get(admin, url, &[("accept", "text/html")]).await;
    assert_eq!((refused.status(), bytes(refused).await.len()), (StatusCode::NOT_ACCEPTABLE, 0));
}

/// Source: apiserver pkg/endpoints/discovery/aggregated and responsewriters, which name the type in every encoding.
#[tokio::test]
async fn discovery_comes_in_every_encoding() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for version in ["v2", "v2beta1"] {
        let said = format!(";g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
        let text = get(admin, "/apis", &[("accept", &format!("application/json{said}"))]).await;
        let etag = header(&text, "etag").to_owned();
        assert_eq!(header(&text, "cache-control"), "public");
        let text: Value = serde_json::from_slice(&bytes(text).await).unwrap();
        for media_type in [protobuf::MEDIA_TYPE, cbor::MEDIA_TYPE] {
            let accept = format!("{media_type}{said},application/json");
            let packed = get(admin, "/apis", &[("accept", &accept)]).await;
            let content_type = header(&packed, "content-type").to_owned();
            assert_eq!((content_type, header(&packed, "etag")), (format!("{media_type}{said}"), etag.as_str()));
            let packed = bytes(packed).await;
            if media_type == cbor::MEDIA_TYPE {
                assert_eq!(codec::decode::parse(&packed, codec::Format::Cbor).unwrap().value, text);
                continue;
            }
            // The list in an envelope, and a group in the list.
            let list = delimited(&packed[4..], 2)[0];
            let groups = delimited(list, 2);
            assert_eq!(groups.len(), text["items"].as_array().unwrap().len());
            assert_eq!(
                delimited(delimited(groups[0], 1)[0], 1)[0],
                text["items"][0]["metadata"]["name"].as_str().unwrap().as_bytes()
            );
            let of_version = delimited(groups[0], 2)[0];
            let resources = text["items"][0]["versions"][0]["resources"].as_array().unwrap();
            assert_eq!(delimited(of_version, 2).len(), resources.len());
            let kind = delimited(delimited(of_version, 2)[0], 2)[0];
            assert_eq!(delimited(kind, 3)[0], resources[0]["responseKind"]["kind"].as_str().unwrap().as_bytes());
        }
    }
    for (path, kind) in [
        ("/api", "APIVersions"),
        ("/apis", "APIGroupList"),
        ("/apis/apps", "APIGroup"),
        ("/api/v1", "APIResourceList"),
        ("/apis/apps/v1", "APIResourceList"),
    ] {
        let packed = get(admin, path, &[("accept", "application/vnd.kubernetes.protobuf,application/json")]).await;
        assert_eq!(header(&packed, "content-type"), protobuf::MEDIA_TYPE, "{path}");
        let decoded = protobuf::decode(&bytes(packed).await, schema::lookup("", "v1", kind).unwrap()).unwrap();
        let plain = admin.get(path).await;
        // Source: apiserver pkg/endpoints/discovery, stripVersionNegotiatedSerializer.
        assert_eq!(plain.get("apiVersion").is_some(), path.starts_with("/apis"), "{path}");
        assert_eq!(without_nothing(Value::Object(decoded)), without_nothing(plain), "{path}");
    }
}

/// What Go leaves out and JSON may have.
fn without_nothing(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null() && *value != json!("") && *value != json!([]));
            fields.values_mut().for_each(|field| *field = without_nothing(field.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = without_nothing(item.take())),
        _ => {}
    }
    value
}
