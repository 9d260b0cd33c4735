//! The same objects in every encoding that clients ask for.

use bytes::Bytes;
use codec::{Format, cbor, protobuf, schema};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::common::{Caller, Cluster};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";

async fn get(caller: &Caller, path: &str, accept: &str) -> (u16, String, Bytes) {
    let request = Request::get(path).header("accept", accept).body(Full::default()).unwrap();
    taken(caller.send(request).await).await
}

async fn taken(response: Response<apiserver::Body>) -> (u16, String, Bytes) {
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    let code = response.status().as_u16();
    (code, content_type, response.into_body().collect().await.unwrap().to_bytes())
}

fn from_protobuf(bytes: &[u8], kind: &str) -> Value {
    Value::Object(protobuf::decode(bytes, schema::lookup("", "v1", kind).unwrap()).unwrap())
}

fn from_cbor(bytes: &[u8]) -> Value {
    codec::decode::parse(bytes, Format::Cbor).unwrap().value
}

#[tokio::test]
async fn an_object_is_one_thing_in_every_encoding() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let object = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": "a"}, "data": {"k": "v"}, "binaryData": {"b": "AQL/"}
    });
    let request =
        Request::post(CONFIG_MAPS).header("content-type", cbor::MEDIA_TYPE).header("accept", cbor::MEDIA_TYPE);
    let request = request.body(Full::from(cbor::encode(&object))).unwrap();
    let (code, content_type, created) = taken(admin.send(request).await).await;
    assert_eq!((code, content_type.as_str()), (201, cbor::MEDIA_TYPE));
    let path = format!("{CONFIG_MAPS}/a");
    let plain = admin.get(&path).await;
    assert_eq!(plain["binaryData"], json!({"b": "AQL/"}));
    assert_eq!(from_cbor(&created), plain);
    let (code, content_type, bytes) = get(admin, &path, "application/vnd.kubernetes.protobuf,application/json").await;
    assert_eq!((code, content_type.as_str()), (200, protobuf::MEDIA_TYPE));
    assert_eq!(from_protobuf(&bytes, "ConfigMap"), plain);
    let (_, content_type, text) = get(admin, &path, "application/yaml").await;
    assert_eq!(content_type, "application/yaml");
    assert_eq!(codec::decode::parse(&text, Format::Yaml).unwrap().value, plain);
}

#[tokio::test]
async fn lists_metadata_and_refusals_come_in_protobuf() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for name in ["a", "b"] {
        admin.create(CONFIG_MAPS, json!({"metadata": {"name": name}, "data": {"k": name}})).await;
    }
    let both = "application/vnd.kubernetes.protobuf,application/json";
    let (_, content_type, list) = get(admin, CONFIG_MAPS, both).await;
    assert_eq!(content_type, protobuf::MEDIA_TYPE);
    let expected = protobuf::encode(&admin.get(CONFIG_MAPS).await).unwrap();
    assert_eq!(list, expected);
    let partial = "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    let (_, _, list) = get(admin, CONFIG_MAPS, partial).await;
    let said = b"k8s\0\n+\n\x0emeta.k8s.io/v1\x12\x19PartialObjectMetadataList";
    assert_eq!(list[..said.len()], said[..]);
    let (code, content_type, status) = get(admin, &format!("{CONFIG_MAPS}/none"), both).await;
    assert_eq!((code, content_type.as_str()), (404, protobuf::MEDIA_TYPE));
    assert_eq!(from_protobuf(&status, "Status")["message"], "configmaps \"none\" not found");
    let table = format!("application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1,{both}");
    let (_, content_type, _) = get(admin, CONFIG_MAPS, &table).await;
    assert_eq!(content_type, protobuf::MEDIA_TYPE, "the list itself: tables have no messages");
}

#[tokio::test]
async fn a_watch_is_framed_as_its_encoding_asks() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create(CONFIG_MAPS, json!({"metadata": {"name": "a"}})).await;
    let path = format!("{CONFIG_MAPS}?watch=true&timeoutSeconds=1");
    for (accept, content_type, frame) in [
        (protobuf::MEDIA_TYPE, protobuf::STREAM_MEDIA_TYPE, protobuf::frame("ADDED", &created).unwrap()),
        (protobuf::STREAM_MEDIA_TYPE, protobuf::STREAM_MEDIA_TYPE, protobuf::frame("ADDED", &created).unwrap()),
        (cbor::MEDIA_TYPE, cbor::SEQUENCE_MEDIA_TYPE, cbor::frame("ADDED", &created)),
    ] {
        let request = Request::get(&path).header("accept", accept).body(Full::default()).unwrap();
        let response = admin.send(request).await;
        assert_eq!(response.headers()["content-type"], content_type);
        let mut body = response.into_body();
        let mut read = Vec::new();
        while read.len() < frame.len() {
            read.extend_from_slice(&body.frame().await.unwrap().unwrap().into_data().unwrap());
        }
        if accept == cbor::MEDIA_TYPE {
            // Maps have no order.
            assert_eq!(from_cbor(&read), json!({"type": "ADDED", "object": created}));
        } else {
            assert_eq!(read, frame, "{accept}");
        }
    }
}
