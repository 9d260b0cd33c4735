//! Server-side apply and the managers it keeps, as kubectl meets them.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::common::{CONFIG_MAPS, Caller, Cluster, config_map};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";
const APPLY: &str = "application/apply-patch+yaml";

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})
}

fn whole() -> Value {
    deployment(json!({
        "replicas": 1,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}]}]}},
    }))
}

impl Caller {
    async fn apply(&self, path: &str, query: &str, config: Value) -> (u16, Value) {
        let (code, answer) = self.call_as("PATCH", &format!("{path}?{query}"), APPLY, Some(config)).await;
        (code.as_u16(), answer)
    }

    async fn as_agent(&self, agent: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
        let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        let request = request.header("user-agent", agent).body(Full::new(Bytes::from(body.to_string()))).unwrap();
        let response = self.send(request).await;
        (response.status().as_u16(), crate::common::read(response).await)
    }
}

/// `manager operation[/subresource]` of every entry, in order.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().map_or(&[][..], Vec::as_slice);
    let name = |entry: &Value| {
        let subresource = entry["subresource"].as_str().map_or(String::new(), |name| format!("/{name}"));
        format!("{} {}{subresource}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
    };
    entries.iter().map(name).collect()
}

fn fields<'a>(object: &'a Value, manager: &str) -> &'a Value {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    &entries.iter().find(|entry| entry["manager"] == manager).unwrap_or_else(|| panic!("{manager}: {object}"))["fieldsV1"]
}

#[tokio::test]
async fn a_created_object_names_its_creator_with_every_field_it_set() {
    let cluster = Cluster::start().await;
    let (code, created) = cluster.admin.as_agent("kubectl/v1.33.1 (linux/amd64)", "POST", DEPLOYMENTS, whole()).await;
    assert_eq!(code, 201);
    let entry = &created["metadata"]["managedFields"][0];
    assert_eq!(
        (&entry["manager"], &entry["operation"], &entry["apiVersion"], &entry["fieldsType"], entry.get("subresource")),
        (&json!("kubectl"), &json!("Update"), &json!("apps/v1"), &json!("FieldsV1"), None)
    );
    assert!(entry["time"].as_str().unwrap().ends_with('Z') && !entry["time"].as_str().unwrap().contains('.'));
    // As upstream shows what `kubectl create` of this Deployment owns.
    assert_eq!(
        entry["fieldsV1"],
        json!({"f:spec": {
            "f:progressDeadlineSeconds": {}, "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {r#"k:{"name":"c"}"#: {
                        ".": {}, "f:image": {}, "f:imagePullPolicy": {}, "f:name": {},
                        "f:ports": {".": {}, r#"k:{"containerPort":80,"protocol":"TCP"}"#:
                            {".": {}, "f:containerPort": {}, "f:protocol": {}}},
                        "f:resources": {}, "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {},
                    }},
                    "f:dnsPolicy": {}, "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
                    "f:terminationGracePeriodSeconds": {},
                },
            },
        }})
    );
}

#[tokio::test]
async fn every_writer_owns_what_it_changes_through_the_endpoint_it_used() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.as_agent("creator/1", "POST", DEPLOYMENTS, whole()).await;
    let path = format!("{DEPLOYMENTS}/web");
    let status = json!({"status": {"replicas": 1, "observedGeneration": 1}, "spec": {"replicas": 9}});
    let (_, after) = admin.as_agent("controller/1", "PATCH", &format!("{path}/status"), status).await;
    assert_eq!(
        (managers(&after), &after["spec"]["replicas"]),
        (vec!["controller Update/status".to_owned(), "creator Update".to_owned()], &json!(1))
    );
    assert_eq!(fields(&after, "controller"), &json!({"f:status": {"f:observedGeneration": {}, "f:replicas": {}}}));
    let (_, after) = admin.as_agent("hpa/1", "PATCH", &format!("{path}/scale"), json!({"spec": {"replicas": 3}})).await;
    assert_eq!((&after["kind"], &after["spec"]["replicas"]), (&json!("Scale"), &json!(3)));
    let after = admin.get(&path).await;
    assert_eq!(fields(&after, "hpa"), &json!({"f:spec": {"f:replicas": {}}}));
    assert!(fields(&after, "creator")["f:spec"].get("f:replicas").is_none());
    assert!(managers(&after).contains(&"hpa Update/scale".to_owned()), "{:?}", managers(&after));

    // A client that read and writes back unchanged changes nothing; one that omits managers does not lose them.
    let version = after["metadata"]["resourceVersion"].clone();
    let (_, same) = admin.as_agent("other/1", "PUT", &path, after.clone()).await;
    assert_eq!((&same["metadata"]["resourceVersion"], managers(&same)), (&version, managers(&after)));
    let mut bare = after.clone();
    bare["metadata"].as_object_mut().unwrap().remove("managedFields");
    bare["spec"]["paused"] = json!(true);
    let (_, paused) = admin.as_agent("other/1", "PUT", &path, bare).await;
    assert_eq!(fields(&paused, "other"), &json!({"f:spec": {"f:paused": {}}}));
    assert_eq!(managers(&paused).len(), managers(&after).len() + 1);

    // An explicit empty list forgets all managers, and they stay forgotten.
    let (_, reset) = admin.as_agent("other/1", "PATCH", &path, json!({"metadata": {"managedFields": []}})).await;
    assert_eq!(managers(&reset), [""; 0]);
    let (_, reset) = admin.as_agent("other/1", "PATCH", &path, json!({"spec": {"paused": null}})).await;
    assert_eq!(managers(&reset), [""; 0]);
}

#[tokio::test]
async fn an_apply_creates_changes_and_removes() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = format!("{DEPLOYMENTS}/web");
    let mut config = whole();
    config["metadata"]["labels"] = json!({"a": "1", "b": "2"});
    let (code, created) = admin.apply(&path, "fieldManager=kubectl", config.clone()).await;
    assert_eq!((code, managers(&created)), (201, vec!["kubectl Apply".to_owned()]), "{created}");
    assert_eq!(created["spec"]["strategy"]["type"], "RollingUpdate", "defaults are not owned but there");
    assert_eq!(fields(&created, "kubectl")["f:spec"].get("f:strategy"), None);
    let (code, same) = admin.apply(&path, "fieldManager=kubectl", config.clone()).await;
    assert_eq!((code, &same["metadata"]), (200, &created["metadata"]), "applied twice is applied once");
    config["metadata"]["labels"] = json!({"b": "2"});
    config["spec"].as_object_mut().unwrap().remove("replicas");
    let (code, fewer) = admin.apply(&path, "fieldManager=kubectl", config.clone()).await;
    assert_eq!((code, &fewer["metadata"]["labels"]), (200, &json!({"b": "2"})));
    assert_eq!(fewer["spec"]["replicas"], 1, "what nobody says any more gets its default");
    let (code, dry) = admin.apply(&path, "fieldManager=kubectl&dryRun=All", whole()).await;
    assert_eq!((code, dry["metadata"].get("labels")), (200, None), "{dry}");
    assert_eq!(admin.get(&path).await["metadata"]["labels"], json!({"b": "2"}));
}

#[tokio::test]
async fn a_conflict_is_told_as_kubectl_prints_it() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = format!("{DEPLOYMENTS}/web");
    admin.apply(&path, "fieldManager=one", whole()).await;
    admin.as_agent("kubectl/v1.33.1", "PATCH", &path, json!({"spec": {"replicas": 5}})).await;
    let (code, refused) = admin.apply(&path, "fieldManager=two", deployment(json!({"replicas": 7}))).await;
    assert_eq!((code, &refused["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        refused["message"],
        "Apply failed with 1 conflict: conflict with \"kubectl\" using apps/v1: .spec.replicas"
    );
    assert_eq!(
        refused["details"]["causes"],
        json!([{"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.replicas"}])
    );
    let (code, forced) = admin.apply(&path, "fieldManager=two&force=true", deployment(json!({"replicas": 7}))).await;
    assert_eq!((code, &forced["spec"]["replicas"]), (200, &json!(7)));
    assert!(!managers(&forced).contains(&"kubectl Update".to_owned()));
    let (code, shared) = admin.apply(&path, "fieldManager=three", deployment(json!({"replicas": 7}))).await;
    assert_eq!((code, managers(&shared).len()), (200, 3), "equal values are shared");
}

#[tokio::test]
async fn what_an_apply_must_say_and_must_not() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = format!("{CONFIG_MAPS}/a");
    let mine = "fieldManager=mine";
    let with = |change: fn(&mut Value)| {
        let mut config = config_map("a");
        change(&mut config);
        config
    };
    for (query, config, code, expected) in [
        (
            "",
            config_map("a"),
            422,
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ),
        (
            mine,
            with(|c| c["metadata"]["name"] = json!("b")),
            400,
            "the name of the object (b) does not match the name on the URL (a)",
        ),
        (mine, with(|c| c["metadata"]["managedFields"] = json!([])), 400, "metadata.managedFields must be nil"),
        (mine, with(|c| c["kind"] = json!("Secret")), 400, "invalid object type: /v1, Kind=Secret"),
        (
            mine,
            with(|c| c["spec"] = json!({"x": 1})),
            500,
            "failed to create typed patch object (/a; v1, Kind=ConfigMap): .spec: field not declared in schema",
        ),
        (
            mine,
            with(|c| c["metadata"]["uid"] = json!("u")),
            409,
            "Operation cannot be fulfilled on configmaps \"a\": uid mismatch: the provided object specified uid u, and no \
             existing object was found",
        ),
        (
            mine,
            json!([]),
            400,
            "error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ] {
        let (answered, refused) = admin.apply(&path, query, config).await;
        assert_eq!((answered, refused["message"].as_str().unwrap()), (code, expected));
    }
    let (code, refused) = admin.call("PATCH", &format!("{path}?force=true"), Some(json!({}))).await;
    let expected =
        "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch";
    assert_eq!((code.as_u16(), refused["message"].as_str().unwrap()), (422, expected));
    let (code, refused) =
        admin.call("POST", &format!("{CONFIG_MAPS}?fieldManager={}", "x".repeat(129)), Some(config_map("a"))).await;
    assert_eq!(
        (code.as_u16(), refused["message"].as_str().unwrap()),
        (422, "CreateOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes")
    );

    let (code, created) = admin.apply(&path, mine, config_map("a")).await;
    assert_eq!(code, 201);
    let stale = with(|c| c["metadata"]["resourceVersion"] = json!("1"));
    assert_eq!(admin.apply(&path, mine, stale).await.0, 409);
    let other = with(|c| c["metadata"]["uid"] = json!("another"));
    let (code, refused) = admin.apply(&path, mine, other).await;
    let expected = "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"another\": field is immutable";
    assert_eq!((code, refused["message"].as_str().unwrap()), (422, expected));
    let mut same = config_map("a");
    same["metadata"]["resourceVersion"] = created["metadata"]["resourceVersion"].clone();
    same["data"]["a"] = json!("2");
    assert_eq!(admin.apply(&path, mine, same).await.0, 200);
    let duplicate = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: '1'}\ndata: {a: '3'}\n";
    for (validation, code) in [("Strict", 400), ("Ignore", 200)] {
        let uri = format!("{path}?{mine}&fieldValidation={validation}");
        let request = Request::patch(uri).header("content-type", APPLY).body(Full::from(duplicate)).unwrap();
        assert_eq!(admin.send(request).await.status(), code);
    }
}

#[tokio::test]
async fn to_create_by_apply_takes_the_right_to_create() {
    let cluster = Cluster::start().await;
    let role = json!({"metadata": {"name": "patcher"}, "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role).await;
    let binding = json!({"metadata": {"name": "patcher"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
        "name": "patcher"}, "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "jane"}]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
    let jane = cluster.user("jane", &["system:authenticated"]);
    let path = format!("{CONFIG_MAPS}/a");
    let (code, refused) = jane.apply(&path, "fieldManager=jane", config_map("a")).await;
    let expected = "configmaps \"a\" is forbidden: User \"jane\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"default\"";
    assert_eq!((code, refused["message"].as_str().unwrap()), (403, expected));
    cluster.admin.create(CONFIG_MAPS, config_map("a")).await;
    assert_eq!(jane.apply(&path, "fieldManager=jane", config_map("a")).await.0, 200);
}

#[tokio::test]
async fn status_and_scale_are_applied_apart() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = format!("{DEPLOYMENTS}/web");
    admin.apply(&path, "fieldManager=owner", whole()).await;
    let mut config = deployment(json!({"replicas": 8}));
    config["status"] = json!({"conditions": [{"type": "Available", "status": "True"}]});
    let (code, after) = admin.apply(&format!("{path}/status"), "fieldManager=controller", config).await;
    assert_eq!((code, &after["spec"]["replicas"]), (200, &json!(1)), "{after}");
    assert_eq!(
        fields(&after, "controller"),
        &json!({"f:status": {"f:conditions": {r#"k:{"type":"Available"}"#: {".": {}, "f:status": {}, "f:type": {}}}}})
    );
    let scale =
        json!({"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "web"}, "spec": {"replicas": 4}});
    let (code, refused) = admin.apply(&format!("{path}/scale"), "fieldManager=scaler", scale.clone()).await;
    let expected = "Apply failed with 1 conflict: conflict with \"owner\": .spec.replicas";
    assert_eq!((code, refused["message"].as_str().unwrap()), (409, expected));
    let (code, scaled) = admin.apply(&format!("{path}/scale"), "fieldManager=scaler&force=true", scale).await;
    assert_eq!((code, &scaled["spec"]["replicas"]), (200, &json!(4)));
    let after = admin.get(&path).await;
    assert_eq!(fields(&after, "scaler"), &json!({"f:spec": {"f:replicas": {}}}));
    assert!(fields(&after, "owner")["f:spec"].get("f:replicas").is_none());
}

#[tokio::test]
async fn ownership_follows_an_object_between_its_versions() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let (old, new) = ("/api/v1/namespaces/default/events/e", "/apis/events.k8s.io/v1/namespaces/default/events/e");
    let config = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "e"}, "note": "hello",
        "regarding": {"kind": "Pod", "namespace": "default", "name": "p"}, "reason": "Started", "type": "Normal",
        "action": "Start", "reportingController": "example.com/c", "reportingInstance": "c-1",
        "eventTime": "2030-01-01T00:00:00.000000Z"});
    let (code, created) = admin.apply(new, "fieldManager=one", config).await;
    assert_eq!(code, 201, "{created}");
    assert!(fields(&created, "one").get("f:note").is_some());
    // In the other version the note is called message, and the manager still owns it.
    let other = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e"}, "message": "bye"});
    let (code, refused) = admin.apply(old, "fieldManager=two", other.clone()).await;
    assert_eq!(
        (code, refused["message"].as_str().unwrap()),
        (409, "Apply failed with 1 conflict: conflict with \"one\": .note")
    );
    let (code, taken) = admin.apply(old, "fieldManager=two&force=true", other).await;
    assert_eq!((code, &taken["message"]), (200, &json!("bye")));
    assert!(fields(&taken, "one").get("f:note").is_none());
}

#[tokio::test]
async fn components_of_the_process_are_called_after_their_programs() {
    let cluster = Cluster::start().await;
    for (user, groups, manager) in [
        ("system:serviceaccount:kube-system:deployment-controller", &["system:masters"][..], "kube-controller-manager"),
        ("system:kube-scheduler", &["system:masters"], "kube-scheduler"),
    ] {
        let made = cluster
            .user(user, groups)
            .create(CONFIG_MAPS, json!({"metadata": {"generateName": "a-"}, "data": {"a": "1"}}))
            .await;
        assert_eq!(managers(&made), [format!("{manager} Update")]);
        assert_eq!(fields(&made, manager)["f:metadata"], json!({"f:generateName": {}}));
    }
}

/// Clients send back what they read, in whatever encoding; and they patch it in place.
#[tokio::test]
async fn managed_fields_are_the_same_however_they_are_sent_back() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let made = json!({
        "kind": "ConfigMap", "apiVersion": "v1",
        "metadata": {"name": "a", "finalizers": ["example.com/held"]}, "data": {"a": "1"},
    });
    admin.as_agent("maker/1", "POST", CONFIG_MAPS, made).await;
    let path = format!("{CONFIG_MAPS}/a");
    let first = admin.get(&path).await;
    let made = json!({
        "f:data": {".": {}, "f:a": {}},
        "f:metadata": {"f:finalizers": {".": {}, "v:\"example.com/held\"": {}}},
    });
    assert_eq!(*fields(&first, "maker"), made);
    let encoded = |content_type: &str, object: &Value| match content_type {
        "application/yaml" => codec::yaml::encode(object).into_bytes(),
        codec::cbor::MEDIA_TYPE => codec::cbor::encode(object),
        codec::protobuf::MEDIA_TYPE => codec::protobuf::encode(object).unwrap(),
        "application/json; pretty" => serde_json::to_vec_pretty(object).unwrap(),
        _ => object.to_string().into_bytes(),
    };
    for content_type in [
        "application/json",
        "application/json; pretty",
        "application/yaml",
        codec::cbor::MEDIA_TYPE,
        codec::protobuf::MEDIA_TYPE,
    ] {
        let mut object = admin.get(&path).await;
        object["data"]["by"] = json!(content_type);
        let request = Request::put(&path).header("content-type", content_type).header("user-agent", "writer/1");
        let body = Full::from(encoded(content_type, &object));
        let response = admin.send(request.body(body).unwrap()).await;
        assert_eq!(response.status(), 200, "{content_type}");
        let written = crate::common::read(response).await;
        assert_eq!(written["data"]["by"], content_type);
        assert_eq!(*fields(&written, "maker"), made, "{content_type}");
        assert_eq!(*fields(&written, "writer"), json!({"f:data": {"f:by": {}}}), "{content_type}");
        assert_eq!(written, admin.get(&path).await);
    }
    let patch = |operations: Value| admin.call_as("PATCH", &path, "application/json-patch+json", Some(operations));
    let managers_path = "/metadata/managedFields";
    let (code, patched) = patch(json!([
        {"op": "test", "path": format!("{managers_path}/0/fieldsV1"), "value": made},
        {"op": "remove", "path": format!("{managers_path}/0")},
    ]))
    .await;
    assert_eq!((code.as_u16(), managers(&patched)), (200, vec!["writer Update".to_owned()]));
    let (code, _) =
        patch(json!([{"op": "test", "path": format!("{managers_path}/0/fieldsV1"), "value": "text"}])).await;
    assert_eq!(code.as_u16(), 422);
}
