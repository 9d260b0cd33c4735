//! Messages made by hand, and what becomes of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::facts::KINDS;
use crate::schema::lookup;

/// A message under construction.
#[derive(Clone, Default)]
struct Message(Vec<u8>);

fn message() -> Message {
    Message::default()
}

impl Message {
    fn text(self, number: u64, text: &str) -> Self {
        self.bytes(number, text.as_bytes())
    }

    fn nest(self, number: u64, inner: Message) -> Self {
        self.bytes(number, &inner.0)
    }

    fn bytes(mut self, number: u64, bytes: &[u8]) -> Self {
        self.push(number << 3 | 2);
        self.push(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(mut self, number: u64, value: u64) -> Self {
        self.push(number << 3);
        self.push(value);
        self
    }

    fn entry(self, number: u64, key: &str, value: &str) -> Self {
        self.nest(number, message().text(1, key).text(2, value))
    }

    fn push(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn body(self, api_version: &str, kind: &str) -> Vec<u8> {
        let envelope =
            message().nest(1, message().text(1, api_version).text(2, kind)).bytes(2, &self.0).text(3, "").text(4, "");
        [PREFIX, &envelope.0].concat()
    }
}

fn named(name: &str) -> Message {
    // Go writes fields that are no pointers also when they are empty.
    message().nest(1, message().text(1, name).text(2, "").text(3, "default").nest(8, message()))
}

fn read(api_version: &str, kind: &str, content: Message) -> Value {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let r#type = lookup(group, version, kind).unwrap();
    let object = decode(&content.body(api_version, kind), r#type).unwrap_or_else(|error| panic!("{kind}: {error}"));
    Value::Object(object)
}

fn expected(api_version: &str, kind: &str, rest: Value) -> Value {
    let mut whole = json!({
        "kind": kind, "apiVersion": api_version, "metadata": {"name": "a", "namespace": "default"},
    });
    let (Value::Object(all), Value::Object(rest)) = (&mut whole, rest) else { panic!("objects") };
    all.extend(rest);
    whole
}

#[test]
fn maps_bytes_and_pointers_to_zero_values_arrive() {
    let config = named("a").entry(2, "key", "value").entry(2, "empty", "").entry(3, "blob", "\u{1}hi").number(4, 0);
    assert_eq!(
        read("v1", "ConfigMap", config),
        expected(
            "v1",
            "ConfigMap",
            json!({"data": {"key": "value", "empty": ""}, "binaryData": {"blob": "AWhp"}, "immutable": false}),
        )
    );
    let account = named("a").nest(3, message().text(1, "pull")).number(4, 0);
    assert_eq!(
        read("v1", "ServiceAccount", account),
        expected(
            "v1",
            "ServiceAccount",
            json!({"imagePullSecrets": [{"name": "pull"}], "automountServiceAccountToken": false}),
        )
    );
}

fn container() -> Message {
    let port = message().text(1, "").number(2, 0).number(3, 8080).text(4, "TCP").text(5, "");
    let secret_key = message().nest(1, message().text(1, "secret")).text(2, "key");
    let quantity = |key: &str, text: &str| message().text(1, key).nest(2, message().text(1, text));
    let probe_port = message().number(1, 1).number(2, 0).text(3, "web");
    let handler = message().nest(2, message().text(1, "/").nest(2, probe_port).text(3, "").text(4, "HTTP"));
    let tcp = message().nest(3, message().nest(1, message().number(1, 0).number(2, 80).text(3, "")));
    message()
        .text(1, "web")
        .text(2, "image")
        .text(3, "sh")
        .text(3, "-c")
        .text(5, "")
        .nest(6, port)
        .nest(7, message().text(1, "A").text(2, "1"))
        .nest(7, message().text(1, "B").text(2, "").nest(3, message().nest(4, secret_key)))
        .nest(8, message().nest(1, quantity("cpu", "0.5")).nest(2, quantity("memory", "1024Mi")))
        .nest(10, message().nest(1, handler).number(2, 3).number(3, 0))
        .nest(11, message().nest(1, tcp))
        .number(18, 0)
}

fn container_as_json() -> Value {
    json!({
        "name": "web",
        "image": "image",
        "command": ["sh", "-c"],
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "secret", "key": "key"}}}],
        "resources": {"limits": {"cpu": "500m"}, "requests": {"memory": "1Gi"}},
        "livenessProbe": {"httpGet": {"path": "/", "port": "web", "scheme": "HTTP"}, "initialDelaySeconds": 3},
        "readinessProbe": {"tcpSocket": {"port": 80}},
    })
}

#[test]
fn a_pod_keeps_its_embedded_structs_and_special_types() {
    let group = u64::MAX; // -1
    let security = message().number(2, 0).number(4, 7).bytes(4, &[8, 9]).number(5, group);
    let volume = message().text(1, "scratch").nest(2, message().nest(2, message().text(1, "")));
    let spec = message().nest(1, volume).nest(2, container()).number(4, 0).text(10, "").nest(14, security);
    let started = message().number(1, 1_893_456_000).number(2, 5);
    let pod = named("a").nest(2, spec).nest(3, message().text(1, "Running").nest(7, started)).number(99, 1);
    assert_eq!(
        read("v1", "Pod", pod),
        expected(
            "v1",
            "Pod",
            json!({
                "spec": {
                    "volumes": [{"name": "scratch", "emptyDir": {}}],
                    "containers": [container_as_json()],
                    "terminationGracePeriodSeconds": 0,
                    "securityContext": {"runAsUser": 0, "supplementalGroups": [7, 8, 9], "fsGroup": -1},
                },
                "status": {"phase": "Running", "startTime": "2030-01-01T00:00:00Z"},
            }),
        )
    );
}

#[test]
fn a_deployment_holds_selectors_templates_and_percentages() {
    let template = message().nest(1, message().entry(11, "app", "a")).nest(2, message().nest(2, container()));
    let rolling = message().nest(2, message().number(1, 1).number(2, 0).text(3, "25%"));
    let spec = message()
        .number(1, 0)
        .nest(2, message().entry(1, "app", "a"))
        .nest(3, template)
        .nest(4, message().text(1, "RollingUpdate").nest(2, rolling))
        .number(5, 0);
    assert_eq!(
        read("apps/v1", "Deployment", named("a").nest(2, spec).nest(3, message().number(1, 0))),
        expected(
            "apps/v1",
            "Deployment",
            json!({
                "spec": {
                    "replicas": 0,
                    "selector": {"matchLabels": {"app": "a"}},
                    "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container_as_json()]}},
                    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}},
                },
                "status": {},
            }),
        )
    );
}

#[test]
fn what_subresources_and_deletions_take_is_read() {
    let target = message().text(1, "Node").text(3, "node-1");
    assert_eq!(
        read("v1", "Binding", named("a").nest(2, target)),
        expected("v1", "Binding", json!({"target": {"kind": "Node", "name": "node-1"}}))
    );
    let options = || message().number(1, 0).nest(2, message().text(1, "uid")).text(4, "Background").text(5, "All");
    let options_as_json = json!({
        "gracePeriodSeconds": 0, "preconditions": {"uid": "uid"}, "propagationPolicy": "Background", "dryRun": ["All"],
    });
    assert_eq!(
        read("policy/v1", "Eviction", named("a").nest(2, options())),
        expected("policy/v1", "Eviction", json!({ "deleteOptions": options_as_json }))
    );
    let mut stated = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
    stated.as_object_mut().unwrap().extend(options_as_json.as_object().unwrap().clone());
    assert_eq!(read("v1", "DeleteOptions", options()), stated);
    let scale = named("a").nest(2, message().number(1, 3)).nest(3, message().number(1, 2).text(2, "app=a"));
    assert_eq!(
        read("autoscaling/v1", "Scale", scale),
        expected(
            "autoscaling/v1",
            "Scale",
            json!({"spec": {"replicas": 3}, "status": {"replicas": 2, "selector": "app=a"}}),
        )
    );
}

#[test]
fn a_list_inside_a_map_is_a_message_of_its_own() {
    let extra = message().text(1, "scopes").nest(2, message().text(1, "read").text(1, "write"));
    let review = message().nest(2, message().text(3, "jane").nest(5, extra));
    assert_eq!(
        read("authorization.k8s.io/v1", "SubjectAccessReview", review),
        json!({
            "kind": "SubjectAccessReview",
            "apiVersion": "authorization.k8s.io/v1",
            "spec": {"user": "jane", "extra": {"scopes": ["read", "write"]}},
        })
    );
    let attributes = message().text(1, "default").text(2, "create").text(3, "").text(5, "pods");
    let review = message().nest(1, message()).nest(2, message().nest(1, attributes)).nest(3, message().number(1, 0));
    let read = read("authorization.k8s.io/v1", "SelfSubjectAccessReview", review);
    assert_eq!(
        read["spec"],
        json!({"resourceAttributes": {"namespace": "default", "verb": "create", "resource": "pods"}})
    );
}

#[test]
fn raw_json_and_schemas_of_several_forms_are_read() {
    let managed = message().text(1, "me").text(6, "FieldsV1").nest(7, message().text(1, r#"{"f:data":{}}"#));
    let metadata = message().text(1, "a").nest(17, managed);
    let config = read("v1", "ConfigMap", message().nest(1, metadata));
    assert_eq!(config["metadata"]["managedFields"][0]["fieldsV1"], json!({"f:data": {}}));
    let number_schema = || message().text(5, "number").text(6, "");
    let schema = message()
        .nest(24, message().nest(1, number_schema()))
        .nest(30, message().number(1, 1))
        .nest(29, message().text(1, "a").nest(2, message().nest(8, message().text(1, "7"))));
    let mut read = serde_json::Map::new();
    let Some(crate::schema::Shape::Struct(spec)) = lookup("apiextensions.k8s.io", "v1", "CustomResourceDefinition")
        .unwrap()
        .field("spec")
        .map(|field| field.shape)
    else {
        panic!("a struct")
    };
    let version = message().nest(4, message().nest(1, schema));
    message::read(&message().nest(7, version).0, spec, &mut read).unwrap();
    let schema = &read["versions"][0]["schema"]["openAPIV3Schema"];
    assert_eq!(
        schema,
        &json!({"items": {"type": "number"}, "additionalProperties": true, "properties": {"a": {"default": 7}}})
    );
}

#[test]
fn what_is_malformed_is_refused_in_one_line() {
    let pod = lookup("", "v1", "Pod").unwrap();
    let refused = |body: &[u8]| decode(body, pod).unwrap_err().to_string();
    assert_eq!(refused(b""), "empty data");
    let prefix = "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]";
    assert_eq!(refused(br#"{"kind": "Pod"}"#), prefix);
    assert_eq!(refused(b"k8s\0\x0a\x05a"), "proto: unexpected EOF");
    assert_eq!(refused(b"k8s\0\x00"), "proto: illegal tag 0");
    assert_eq!(refused(b"k8s\0\x0c"), "proto: unexpected end of group");
    let number_for_text = message().nest(1, message().number(1, 7)).body("v1", "Pod");
    assert_eq!(refused(&number_for_text), "proto: field name: wrong wire type");
    let not_text = message().nest(1, message().bytes(1, b"\xff")).body("v1", "Pod");
    assert_eq!(refused(&not_text), "proto: field name: the text is not UTF-8");
    let zipped = [PREFIX, &message().text(3, "gzip").0].concat();
    assert_eq!(refused(&zipped), r#"the content encoding "gzip" is not supported"#);
    let large = message().bytes(2, &vec![0; MAX_BODY_BYTES]).body("v1", "Pod");
    assert_eq!(refused(&large), "the body is larger than 3145728 bytes");
}

#[test]
fn nesting_ends_somewhere() {
    let crd = lookup("apiextensions.k8s.io", "v1", "CustomResourceDefinition").unwrap();
    let nested = |levels: usize| {
        // "not" holds a schema again.
        let schema = (0..levels).fold(message(), |inner, _| message().nest(28, inner));
        let version = message().nest(4, message().nest(1, schema));
        decode(&message().nest(2, message().nest(7, version)).body("v1", "x"), crd).map_err(|error| error.to_string())
    };
    assert!(nested(100).is_ok());
    assert_eq!(nested(1000), Err("nested more than 127 levels deep".to_owned()));
    let raw = format!("{}{}", "[".repeat(126), "]".repeat(126));
    let managed = message().nest(7, message().text(1, &raw));
    let deep = message().nest(1, message().nest(17, managed)).body("v1", "Pod");
    let error = decode(&deep, lookup("", "v1", "Pod").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "nested more than 127 levels deep");
}

/// As Go's generated code writes it: every field that is no pointer, zero or not, by its number.
#[test]
fn what_is_written_is_what_go_writes() {
    let object = json!({
        "kind": "ServiceAccount",
        "apiVersion": "v1",
        "metadata": {
            "name": "a",
            "namespace": "default",
            "generation": 3,
            "creationTimestamp": "2030-01-01T00:00:00Z",
            "labels": {"b": "2", "a": "1"},
            "finalizers": ["x/y"],
        },
        "secrets": [{"name": "token"}],
        "automountServiceAccountToken": false,
    });
    let metadata = message()
        .text(1, "a")
        .text(2, "")
        .text(3, "default")
        .text(4, "")
        .text(5, "")
        .text(6, "")
        .number(7, 3)
        .nest(8, message().number(1, 1_893_456_000).number(2, 0))
        .entry(11, "a", "1")
        .entry(11, "b", "2")
        .text(14, "x/y");
    let secret = message().text(1, "").text(2, "").text(3, "token").text(4, "").text(5, "").text(6, "").text(7, "");
    let account = message().nest(1, metadata).nest(2, secret).number(4, 0);
    assert_eq!(encode(&object).unwrap(), account.body("v1", "ServiceAccount"));
}

#[test]
fn lists_and_events_hold_objects_as_go_writes_them() {
    let config = |name: &str| json!({"metadata": {"name": name}});
    let metadata = |name: &str| {
        let text = |inner: Message, number| inner.text(number, "");
        let head = message().text(1, name);
        (2..=6).fold(head, text).number(7, 0).nest(8, message())
    };
    let list = json!({
        "kind": "ConfigMapList", "apiVersion": "v1", "metadata": {"resourceVersion": "7", "remainingItemCount": 2},
        "items": [config("a"), config("b")],
    });
    let expected = message()
        .nest(1, message().text(1, "").text(2, "7").text(3, "").number(4, 2))
        .nest(2, message().nest(1, metadata("a")))
        .nest(2, message().nest(1, metadata("b")));
    assert_eq!(encode(&list).unwrap(), expected.body("v1", "ConfigMapList"));

    let mut object = config("a");
    object["kind"] = json!("ConfigMap");
    object["apiVersion"] = json!("v1");
    let body = message().nest(1, metadata("a")).body("v1", "ConfigMap");
    let event = message().text(1, "ADDED").nest(2, message().bytes(1, &body)).0;
    let length = (event.len() as u32).to_be_bytes().to_vec();
    assert_eq!(frame("ADDED", &object).unwrap(), [length, event].concat());

    let partial = json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1beta1", "metadata": {}, "items": [config("a")],
    });
    let expected =
        message().nest(1, message().nest(1, metadata("a"))).nest(2, message().text(1, "").text(2, "").text(3, ""));
    assert_eq!(encode(&partial).unwrap(), expected.body("meta.k8s.io/v1beta1", "PartialObjectMetadataList"));
}

#[test]
fn a_refusal_and_what_has_no_form() {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": "NotFound",
        "details": {"name": "a", "kind": "pods"}, "code": 404,
    });
    let details = message().text(1, "a").text(2, "").text(3, "pods").number(5, 0).text(6, "");
    let expected = message()
        .nest(1, message().text(1, "").text(2, "").text(3, ""))
        .text(2, "Failure")
        .text(3, "no")
        .text(4, "NotFound")
        .nest(5, details)
        .number(6, 404);
    assert_eq!(encode(&status).unwrap(), expected.body("v1", "Status"));
    let table = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1"});
    assert_eq!(encode(&table).unwrap_err().to_string(), "Table has no protobuf form");
    let pod = json!({"kind": "Pod", "apiVersion": "v1", "spec": {"hostNetwork": "yes"}});
    assert_eq!(encode(&pod).unwrap_err().to_string(), "proto: field hostNetwork: \"yes\" has no place here");
}

#[test]
fn every_kind_is_readable_unless_its_numbers_are_not_published() {
    let unnumbered: Vec<String> = KINDS
        .iter()
        .filter(|(.., r#type)| !r#type.has_numbers())
        .map(|(group, version, kind, _)| format!("{group}/{version} {kind}"))
        .collect();
    assert_eq!(unnumbered, ["scheduling.k8s.io/v1beta1 PodGroup", "scheduling.k8s.io/v1beta1 Workload"]);
    let r#type = lookup("scheduling.k8s.io", "v1beta1", "Workload").unwrap();
    let error = decode(&named("a").body("v1", "x"), r#type).unwrap_err();
    assert_eq!(error.to_string(), "Workload has no protobuf form");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0..KINDS.len()) {
        let r#type = KINDS[at].3;
        let enveloped = message().bytes(2, &bytes).body("v1", "Any");
        for body in [&bytes, &[PREFIX, &bytes].concat(), &enveloped] {
            if let Ok(object) = decode(body, r#type) {
                let text = serde_json::to_string(&object).unwrap();
                prop_assert_eq!(serde_json::from_str::<Object>(&text).unwrap(), object);
            }
        }
    }

    #[test]
    fn no_tagged_payloads_make_it_panic(
        parts in proptest::collection::vec((1_u64..30, any::<Option<u64>>(), any::<Vec<u8>>(), 0..4_u8), 0..12),
        at in 0..KINDS.len(),
    ) {
        let content = parts.into_iter().fold(message(), |inner, (number, varint, bytes, wraps)| {
            let field = match varint {
                Some(value) => message().number(number, value),
                None => message().bytes(number, &bytes),
            };
            let wrapped = (0..wraps).fold(field, |field, wrap| message().nest(u64::from(wrap) + 1, field));
            Message([inner.0, wrapped.0].concat())
        });
        if let Ok(object) = decode(&content.body("v1", "Any"), KINDS[at].3) {
            let text = serde_json::to_string(&object).unwrap();
            prop_assert_eq!(serde_json::from_str::<Object>(&text).unwrap(), object);
        }
    }
}
