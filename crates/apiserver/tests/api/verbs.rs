//! The generic verbs, as any client sees them.

use crate::common::{CONFIG_MAPS, Cluster, config_map};
use serde_json::json;

#[tokio::test]
async fn an_object_is_created_read_replaced_patched_and_deleted() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create(CONFIG_MAPS, config_map("a")).await;
    assert_eq!(created["kind"], "ConfigMap");
    assert!(created["metadata"]["uid"].as_str().unwrap().len() == 36);
    let path = format!("{CONFIG_MAPS}/a");
    assert_eq!(admin.get(&path).await, created);

    let mut wanted = created.clone();
    wanted["data"]["a"] = json!("2");
    let (code, replaced) = admin.call("PUT", &path, Some(wanted.clone())).await;
    assert_eq!(code, 200);
    assert_ne!(replaced["metadata"]["resourceVersion"], created["metadata"]["resourceVersion"]);
    assert_eq!(replaced["metadata"]["uid"], created["metadata"]["uid"]);

    let stale = admin.refused("PUT", &path, Some(wanted)).await;
    assert_eq!(
        stale,
        (
            409,
            "Conflict".to_owned(),
            "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes \
             to the latest version and try again"
                .to_owned()
        )
    );

    let (_, same) = admin.call("PATCH", &path, Some(json!({"data": {"a": "2"}}))).await;
    assert_eq!(same["metadata"]["resourceVersion"], replaced["metadata"]["resourceVersion"], "nothing changed");
    let (code, patched) = admin.call("PATCH", &path, Some(json!({"data": {"a": null, "b": "3"}}))).await;
    assert_eq!((code.as_u16(), &patched["data"]), (200, &json!({"b": "3"})));

    let (code, deleted) = admin.call("DELETE", &path, None).await;
    assert_eq!(
        (code.as_u16(), &deleted["status"], &deleted["details"]["kind"]),
        (200, &json!("Success"), &json!("configmaps"))
    );
    let missing = admin.refused("GET", &path, None).await;
    assert_eq!(missing, (404, "NotFound".to_owned(), "configmaps \"a\" not found".to_owned()));
}

#[tokio::test]
async fn names_are_checked_generated_and_taken_once() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let taken = admin.refused("POST", CONFIG_MAPS, Some(config_map("a"))).await;
    assert_eq!(taken, (409, "AlreadyExists".to_owned(), "configmaps \"a\" already exists".to_owned()));
    let (code, _, message) = admin.refused("POST", CONFIG_MAPS, Some(config_map("A_"))).await;
    assert_eq!(code, 422);
    assert!(message.starts_with(
        "ConfigMap \"A_\" is invalid: metadata.name: Invalid value: \"A_\": a lowercase RFC 1123 subdomain"
    ));
    let generated = admin.create(CONFIG_MAPS, json!({"metadata": {"generateName": "web-"}})).await;
    let name = generated["metadata"]["name"].as_str().unwrap();
    assert!(name.starts_with("web-") && name.len() == 9, "{name}");
    let (code, _, message) =
        admin.refused("POST", "/api/v1/namespaces/nowhere/configmaps", Some(config_map("a"))).await;
    assert_eq!((code, message.as_str()), (404, "namespaces \"nowhere\" not found"));
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let (code, _) = admin.call("POST", &format!("{CONFIG_MAPS}?dryRun=All"), Some(config_map("a"))).await;
    assert_eq!(code, 201);
    assert_eq!(admin.refused("GET", &format!("{CONFIG_MAPS}/a"), None).await.0, 404);
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let (code, _) = admin.call("DELETE", &format!("{CONFIG_MAPS}/a?dryRun=All"), None).await;
    assert_eq!(code, 200);
    admin.get(&format!("{CONFIG_MAPS}/a")).await;
}

#[tokio::test]
async fn unknown_fields_warn_or_refuse() {
    let cluster = Cluster::start().await;
    let mut odd = config_map("a");
    odd["colour"] = json!("red");
    let strict =
        cluster.admin.refused("POST", &format!("{CONFIG_MAPS}?fieldValidation=Strict"), Some(odd.clone())).await;
    assert_eq!(
        (strict.0, strict.2.contains("strict decoding error: unknown field \"colour\"")),
        (400, true),
        "{strict:?}"
    );
    let request = http::Request::post(CONFIG_MAPS).body(http_body_util::Full::from(odd.to_string())).unwrap();
    let response = cluster.admin.send(request).await;
    assert_eq!(response.status(), 201);
    assert_eq!(response.headers()["warning"], "299 - \"unknown field \\\"colour\\\"\"");
    assert!(crate::common::read(response).await.get("colour").is_none());
}

#[tokio::test]
async fn bodies_come_in_protobuf_too() {
    let cluster = Cluster::start().await;
    let send = async |method: &str, path: &str, content_type: &str, body: &'static [u8]| {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content_type);
        let request = request.body(http_body_util::Full::from(body)).unwrap();
        let answer = crate::common::read(cluster.admin.send(request).await).await;
        (answer["code"].as_u64(), answer["message"].as_str().unwrap_or("").to_owned(), answer)
    };
    let protobuf = "application/vnd.kubernetes.protobuf";
    let body = b"k8s\0\n\x0f\n\x02v1\x12\tConfigMap\x12\x0d\n\x03\n\x01a\x12\x06\n\x01k\x12\x01v";
    let (_, _, created) = send("POST", CONFIG_MAPS, protobuf, body).await;
    assert_eq!((&created["metadata"]["name"], &created["data"]), (&json!("a"), &json!({"k": "v"})));
    let (code, message, _) = send("POST", CONFIG_MAPS, protobuf, b"k8s\0\x12\x05").await;
    let explained = r#"ConfigMap in version "v1" cannot be handled as a ConfigMap: proto: unexpected EOF"#;
    assert_eq!((code, message.as_str()), (Some(400), explained));
    let (code, message, _) =
        send("POST", CONFIG_MAPS, protobuf, b"k8s\0\n\x09\n\x02v1\x12\x03Pod\x12\x05\n\x03\n\x01b").await;
    assert_eq!((code, message.as_str()), (Some(400), r#"Pod in version "v1" cannot be handled as a ConfigMap"#));
    let (code, message, _) = send("POST", CONFIG_MAPS, "text/plain", b"").await;
    let accepted = "the body of the request was in an unknown format - accepted media types include: \
                    application/json, application/yaml, application/vnd.kubernetes.protobuf";
    assert_eq!((code, message.as_str()), (Some(415), accepted));
    let path = format!("{CONFIG_MAPS}/a");
    let (code, ..) = send("DELETE", &path, protobuf, b"k8s\0\x12\x05\x12\x03\n\x01x").await;
    assert_eq!(code, Some(409), "the options name another uid");
    let (_, _, deleted) = send("DELETE", &path, protobuf, b"k8s\0\x12\x02\x08\0").await;
    assert_eq!(deleted["status"], json!("Success"));
}

#[tokio::test]
async fn lists_select_and_page_at_one_revision() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for (name, tier) in [("a", "web"), ("b", "db"), ("c", "web"), ("d", "web")] {
        let mut object = config_map(name);
        object["metadata"]["labels"] = json!({"tier": tier});
        admin.create(CONFIG_MAPS, object).await;
    }
    let names = |list: &serde_json::Value| -> Vec<String> {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = admin.get(CONFIG_MAPS).await;
    assert_eq!((all["kind"].as_str(), names(&all).join("")), (Some("ConfigMapList"), "abcd".to_owned()));
    let web = admin.get(&format!("{CONFIG_MAPS}?labelSelector=tier%3Dweb")).await;
    assert_eq!(names(&web).join(""), "acd");
    let one = admin.get(&format!("{CONFIG_MAPS}?fieldSelector=metadata.name%3Db")).await;
    assert_eq!(names(&one).join(""), "b");
    assert_eq!(
        admin.refused("GET", &format!("{CONFIG_MAPS}?fieldSelector=data.a%3D1"), None).await.2,
        "field label not supported: data.a"
    );

    let first = admin.get(&format!("{CONFIG_MAPS}?limit=3")).await;
    assert_eq!((names(&first).join(""), &first["metadata"]["remainingItemCount"]), ("abc".to_owned(), &json!(1)));
    admin.call("DELETE", &format!("{CONFIG_MAPS}/d"), None).await;
    let token = first["metadata"]["continue"].as_str().unwrap();
    let second = admin.get(&format!("{CONFIG_MAPS}?limit=3&continue={token}")).await;
    assert_eq!(names(&second).join(""), "d", "the page is of the revision the list began with");
    assert_eq!(second["metadata"]["resourceVersion"], first["metadata"]["resourceVersion"]);
    assert!(second["metadata"].get("continue").is_none());

    let (code, reason, _) = admin.refused("GET", &format!("{CONFIG_MAPS}?resourceVersion=999999"), None).await;
    assert_eq!((code, reason.as_str()), (504, "Timeout"));
}

#[tokio::test]
async fn a_watch_sees_what_its_selector_selects() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let mut object = config_map("a");
    object["metadata"]["labels"] = json!({"tier": "web"});
    let created = admin.create(CONFIG_MAPS, object).await;
    let version = created["metadata"]["resourceVersion"].as_str().unwrap();
    let mut all = admin.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}")).await;
    let mut web = admin.watch(&format!("{CONFIG_MAPS}?watch=1&labelSelector=tier%3Dweb")).await;
    assert_eq!(web.next().await, "ADDED a");
    let path = format!("{CONFIG_MAPS}/a");
    admin.call("PATCH", &path, Some(json!({"metadata": {"labels": {"tier": "db"}}}))).await;
    admin.call("PATCH", &path, Some(json!({"metadata": {"labels": {"tier": "web"}}}))).await;
    admin.call("DELETE", &path, None).await;
    for expected in ["MODIFIED a", "MODIFIED a", "DELETED a"] {
        assert_eq!(all.next().await, expected);
    }
    for expected in ["DELETED a", "ADDED a", "DELETED a"] {
        assert_eq!(web.next().await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_watch_list_marks_its_end_and_a_timeout_leaves_a_bookmark() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let query =
        "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=5";
    let mut events = admin.watch(&format!("{CONFIG_MAPS}?{query}")).await;
    assert_eq!(events.next().await, "ADDED a");
    let mark = events.next_value().await.unwrap();
    assert_eq!(mark["type"], "BOOKMARK");
    assert_eq!(mark["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"], "true");
    // Written elsewhere: the watch passes over it, and its last bookmark says so.
    let other = admin.create("/api/v1/namespaces/kube-public/configmaps", config_map("b")).await;
    let last = events.next_value().await.unwrap();
    assert_eq!(last["type"], "BOOKMARK");
    assert_eq!(last["object"]["metadata"]["resourceVersion"], other["metadata"]["resourceVersion"]);
    assert_eq!(events.next().await, "end");
}

#[tokio::test]
async fn tables_and_partial_objects_are_served_to_those_who_ask() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(CONFIG_MAPS, config_map("a")).await;
    let accept = |value: &str| {
        http::Request::get(CONFIG_MAPS).header("accept", value).body(http_body_util::Full::default()).unwrap()
    };
    let table = admin.send(accept("application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).await;
    let table = crate::common::read(table).await;
    assert_eq!((&table["kind"], &table["apiVersion"]), (&json!("Table"), &json!("meta.k8s.io/v1")));
    assert_eq!(table["rows"][0]["cells"][0], "a");
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let partial = admin.send(accept("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).await;
    let partial = crate::common::read(partial).await;
    assert_eq!((&partial["kind"], partial["items"][0].get("data")), (&json!("PartialObjectMetadataList"), None));
    assert_eq!(admin.send(accept("text/html")).await.status(), 406);
    let yaml = admin.send(accept("application/yaml")).await;
    assert!(crate::common::read(yaml).await.as_str().unwrap().contains("kind: ConfigMapList"));
}

#[tokio::test]
async fn finalizers_hold_an_object_until_they_are_gone() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let mut object = config_map("a");
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    admin.create(CONFIG_MAPS, object).await;
    let path = format!("{CONFIG_MAPS}/a");
    let (_, marked) = admin.call("DELETE", &path, None).await;
    assert!(marked["metadata"]["deletionTimestamp"].is_string(), "{marked}");
    let more = admin
        .refused("PATCH", &path, Some(json!({"metadata": {"finalizers": ["example.com/hold", "example.com/b"]}})))
        .await;
    assert_eq!(more.0, 422);
    let (code, _) = admin.call("PATCH", &path, Some(json!({"metadata": {"finalizers": null}}))).await;
    assert_eq!(code, 200);
    assert_eq!(admin.refused("GET", &path, None).await.0, 404);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector_and_preconditions_hold() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for name in ["a", "b"] {
        let mut object = config_map(name);
        object["metadata"]["labels"] = json!({"n": name});
        admin.create(CONFIG_MAPS, object).await;
    }
    let (code, list) = admin.call("DELETE", &format!("{CONFIG_MAPS}?labelSelector=n%3Da"), None).await;
    assert_eq!((code.as_u16(), list["items"].as_array().unwrap().len()), (200, 1));
    let options = json!({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}});
    let (code, _, message) = admin.refused("DELETE", &format!("{CONFIG_MAPS}/b"), Some(options)).await;
    assert_eq!(code, 409);
    assert!(message.contains("Precondition failed: UID in precondition: other, UID in object meta: "), "{message}");
}
