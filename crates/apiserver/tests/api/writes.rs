//! Patches, subresources and options of writes, in upstream's words.

use serde_json::{Value, json};

use crate::common::{CONFIG_MAPS, Caller, Cluster, config_map};

const PODS: &str = "/api/v1/namespaces/default/pods";

async fn with_pod() -> Cluster {
    let cluster = Cluster::start().await;
    let account = json!({"metadata": {"name": "default"}});
    cluster.admin.create("/api/v1/namespaces/default/serviceaccounts", account).await;
    let container =
        json!({"name": "c", "image": "i", "resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}});
    cluster.admin.create(PODS, json!({"metadata": {"name": "p"}, "spec": {"containers": [container]}})).await;
    cluster
}

async fn refused_patch(admin: &Caller, path: &str, content_type: &str, patch: Value) -> (u16, String) {
    let (code, answer) = admin.call_as("PATCH", path, content_type, Some(patch)).await;
    (code.as_u16(), answer["message"].as_str().unwrap_or("").to_owned())
}

#[tokio::test]
async fn patches_that_cannot_be_are_refused_in_upstreams_words() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let path = format!("{CONFIG_MAPS}/a");
    let (json_patch, merge, strategic) =
        ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json");
    let error = "the server rejected our request due to an error in our request";
    let many: Vec<Value> = vec![json!({"op": "test", "path": "/data/a", "value": "1"}); 10_001];
    for (content_type, patch, code, expected) in [
        (json_patch, json!([{"op": "test", "path": "/data/a", "value": "2"}]), 422, error),
        (json_patch, json!([{"op": "remove", "path": "/data/none"}]), 422, error),
        (
            json_patch,
            json!({"op": "remove"}),
            400,
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        ),
        (
            json_patch,
            Value::Array(many),
            413,
            "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
        ),
        (
            merge,
            json!([1]),
            400,
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
        (strategic, json!([1]), 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
        (
            strategic,
            json!({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}}),
            400,
            "invalid patch format of primitive list",
        ),
        (
            merge,
            json!({"metadata": {"name": "b"}}),
            400,
            "the name of the object (b) does not match the name on the URL (a)",
        ),
        (
            "text/plain",
            json!({}),
            415,
            "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, \
             application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml, \
             application/apply-patch+cbor",
        ),
    ] {
        assert_eq!(refused_patch(admin, &path, content_type, patch).await, (code, expected.to_owned()));
    }
    let strict = format!("{path}?fieldValidation=Strict");
    let (code, message) = refused_patch(admin, &strict, strategic, json!({"spec": {"x": 1}})).await;
    let expected =
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[x:1]]\": strict decoding error: unknown field \"spec\"";
    assert_eq!((code, message.as_str()), (422, expected));
    let moved = json!([{"op": "copy", "from": "/data/a", "path": "/data/b"}, {"op": "move", "from": "/data/a", "path": "/data/c"}]);
    let (code, patched) = admin.call_as("PATCH", &path, json_patch, Some(moved)).await;
    assert_eq!((code.as_u16(), &patched["data"]), (200, &json!({"b": "1", "c": "1"})));
}

#[tokio::test]
async fn a_pod_is_resized_within_bounds() {
    let cluster = with_pod().await;
    let admin = &cluster.admin;
    let path = format!("{PODS}/p/resize");
    let strategic = "application/strategic-merge-patch+json";
    let resources = |resources: Value| json!({"spec": {"containers": [{"name": "c", "resources": resources}]}});
    let wider = resources(json!({"requests": {"cpu": "200m"}, "limits": {"cpu": "2"}}));
    let (code, resized) = admin.call_as("PATCH", &path, strategic, Some(wider)).await;
    assert_eq!(code, 200, "{resized}");
    assert_eq!(resized["spec"]["containers"][0]["resources"]["limits"]["cpu"], "2");
    assert_eq!(resized["metadata"]["generation"], 2);
    let entry = &resized["metadata"]["managedFields"].as_array().unwrap().iter().find(|e| e["subresource"] == "resize");
    let fields = json!({"f:spec": {"f:containers": {r#"k:{"name":"c"}"#: {"f:resources":
        {"f:limits": {"f:cpu": {}}, "f:requests": {"f:cpu": {}}}}}}});
    assert_eq!(entry.unwrap()["fieldsV1"], fields);
    let (code, message) = refused_patch(admin, &path, strategic, resources(json!({"limits": {"cpu": null}}))).await;
    let expected =
        "Pod \"p\" is invalid: spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed";
    assert_eq!((code, message.as_str()), (422, expected));
    let (code, message) =
        refused_patch(admin, &path, strategic, json!({"spec": {"containers": [{"name": "d", "image": "j"}]}})).await;
    assert_eq!((code, message.contains("containers may not be added or removed on resize")), (422, true), "{message}");
    let image = json!({"spec": {"containers": [{"name": "c", "image": "other"}]}});
    let (code, same) = admin.call_as("PATCH", &path, strategic, Some(image)).await;
    assert_eq!(
        (code.as_u16(), &same["spec"]["containers"][0]["image"]),
        (200, &json!("i")),
        "not this endpoint's to change"
    );
}

#[tokio::test]
async fn debugging_containers_can_only_be_added() {
    let cluster = with_pod().await;
    let admin = &cluster.admin;
    let path = format!("{PODS}/p/ephemeralcontainers");
    let strategic = "application/strategic-merge-patch+json";
    let add = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}});
    let (code, added) = admin.call_as("PATCH", &path, strategic, Some(add)).await;
    assert_eq!((code.as_u16(), &added["spec"]["ephemeralContainers"][0]["name"]), (200, &json!("debug")), "{added}");
    let change = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "other"}]}});
    let (code, message) = refused_patch(admin, &path, strategic, change).await;
    assert_eq!(
        (code, message.contains("existing ephemeral containers \"debug\" may not be changed")),
        (422, true),
        "{message}"
    );
    let remove = json!({"spec": {"ephemeralContainers": null}});
    let (code, message) = refused_patch(admin, &path, "application/merge-patch+json", remove).await;
    assert_eq!(
        (code, message.contains("existing ephemeral containers \"debug\" may not be removed")),
        (422, true),
        "{message}"
    );
}

#[tokio::test]
async fn pods_are_bound_beside_and_beneath_and_once() {
    let cluster = with_pod().await;
    let admin = &cluster.admin;
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}});
    let bindings = "/api/v1/namespaces/default/bindings";
    let (code, answer) = admin.call("POST", &format!("{bindings}?dryRun=All"), Some(binding.clone())).await;
    assert_eq!((code.as_u16(), &answer["status"]), (201, &json!("Success")));
    assert_eq!(admin.get(&format!("{PODS}/p")).await["spec"].get("nodeName"), None);
    let (code, _) = admin.call("POST", bindings, Some(binding.clone())).await;
    assert_eq!(code, 201);
    let bound = admin.get(&format!("{PODS}/p")).await;
    assert_eq!(bound["spec"]["nodeName"], "n");
    let (code, _, message) = admin.refused("POST", &format!("{PODS}/p/binding"), Some(binding)).await;
    let expected = "Operation cannot be fulfilled on pods \"p\": pod p is already assigned to node \"n\"";
    assert_eq!((code, message.as_str()), (409, expected));
}

#[tokio::test]
async fn a_request_is_approved_once_and_only_through_approval() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let pem = crate::common::signing_request("anybody");
    let csr = json!({"metadata": {"name": "r"}, "spec": {"request": pem, "signerName": "example.com/s", "usages": ["client auth"]}});
    let created = admin.create(requests, csr).await;
    let approval = format!("{requests}/r/approval");
    let verdict = |kind: &str| {
        let mut wanted = created.clone();
        wanted["status"] = json!({"conditions": [{"type": kind, "status": "True", "reason": "Test"}]});
        wanted["metadata"].as_object_mut().unwrap().remove("resourceVersion");
        wanted
    };
    let (code, approved) = admin.call("PUT", &approval, Some(verdict("Approved"))).await;
    assert_eq!(code, 200, "{approved}");
    assert!(approved["status"]["conditions"][0]["lastTransitionTime"].is_string());
    let (code, _, message) = admin.refused("PUT", &approval, Some(verdict("Denied"))).await;
    let expected = "status.conditions: Forbidden: updates may not remove a condition of type \"Approved\"";
    assert_eq!((code, message.contains(expected)), (422, true), "{message}");
}

#[tokio::test]
async fn options_of_deletions_are_checked() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let path = format!("{CONFIG_MAPS}/a");
    let options = |more: Value| {
        let mut options = json!({"kind": "DeleteOptions", "apiVersion": "v1"});
        options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(options)
    };
    for (more, expected) in [
        (
            json!({"propagationPolicy": "Maybe"}),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Maybe\": supported values: \
             \"Foreground\", \"Background\", \"Orphan\", \"nil\"",
        ),
        (
            json!({"propagationPolicy": "Orphan", "orphanDependents": true}),
            "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Invalid value: \"Orphan\": orphanDependents and \
             deletionPropagation cannot be both set",
        ),
        (
            json!({"dryRun": ["Some"]}),
            "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: \"Some\": supported values: \"All\"",
        ),
    ] {
        let (code, _, message) = admin.refused("DELETE", &path, options(more)).await;
        assert_eq!((code, message.as_str()), (422, expected));
    }
    let (code, _) = admin.call("DELETE", &path, options(json!({"dryRun": ["All"]}))).await;
    assert_eq!(code, 200);
    let (code, held) = admin.call("DELETE", &path, options(json!({"orphanDependents": true}))).await;
    assert_eq!((code.as_u16(), &held["metadata"]["finalizers"]), (200, &json!(["orphan"])));
}

#[tokio::test]
async fn a_name_that_is_taken_is_told_with_its_base() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let mut both = config_map("a");
    both["metadata"]["generateName"] = json!("a-");
    let (code, reason, message) = admin.refused("POST", CONFIG_MAPS, Some(both)).await;
    let expected = "configmaps \"a\" already exists, the server was not able to generate a unique name for the object";
    assert_eq!((code, reason.as_str(), message.as_str()), (409, "AlreadyExists", expected));
    let nameless = json!({"data": {"a": "2"}});
    let (code, _, message) = admin.refused("PUT", &format!("{CONFIG_MAPS}/a"), Some(nameless)).await;
    let expected = "the name of the object (a based on URL) was undeterminable: name must be provided";
    assert_eq!((code, message.as_str()), (400, expected));
}
