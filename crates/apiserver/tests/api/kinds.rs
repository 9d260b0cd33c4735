//! What single kinds do beyond the generic path.

use serde_json::json;

use crate::common::Cluster;

const PODS: &str = "/api/v1/namespaces/default/pods";
const SERVICES: &str = "/api/v1/namespaces/default/services";

async fn with_account() -> Cluster {
    let cluster = Cluster::start().await;
    let account = json!({"metadata": {"name": "default"}});
    cluster.admin.create("/api/v1/namespaces/default/serviceaccounts", account).await;
    cluster
}

#[tokio::test]
async fn a_pod_gets_its_account_token_tolerations_and_priority() {
    let cluster = Cluster::start().await;
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let (code, _, message) = cluster.admin.refused("POST", PODS, Some(pod.clone())).await;
    let expected = "pods \"a\" is forbidden: error looking up service account default/default: serviceaccount \"default\" not found";
    assert_eq!((code, message.as_str()), (403, expected));
    let cluster = with_account().await;
    let created = cluster.admin.create(PODS, pod).await;
    let spec = &created["spec"];
    assert_eq!((&spec["serviceAccountName"], &spec["priority"]), (&json!("default"), &json!(0)));
    assert!(spec["volumes"][0]["name"].as_str().unwrap().starts_with("kube-api-access-"));
    assert_eq!(spec["tolerations"].as_array().unwrap().len(), 2);
    assert_eq!(created["status"]["phase"], "Pending");
}

#[tokio::test]
async fn services_get_addresses_and_ports_that_nobody_else_has() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let service = |name: &str, port: u16| {
        json!({"metadata": {"name": name}, "spec": {"type": "NodePort", "selector": {"a": "b"},
            "ports": [{"port": 80, "nodePort": port}]}})
    };
    let first = admin.create(SERVICES, service("a", 31001)).await;
    assert!(first["spec"]["clusterIP"].as_str().unwrap().starts_with("10."), "{first}");
    assert_eq!(first["spec"]["ipFamilies"], json!(["IPv4"]));
    let (code, _, message) = admin.refused("POST", SERVICES, Some(service("b", 31001))).await;
    let expected =
        "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 31001: provided port is already allocated";
    assert_eq!((code, message.as_str()), (422, expected));
    let (_, _, message) = admin.refused("POST", SERVICES, Some(service("b", 80))).await;
    assert!(
        message.ends_with("provided port is not in the valid range. The range of valid ports is 30000-32767"),
        "{message}"
    );
    admin.call("DELETE", &format!("{SERVICES}/a"), None).await;
    admin.create(SERVICES, service("b", 31001)).await;
    let mut taken = service("c", 31002);
    taken["spec"]["clusterIP"] = json!("10.96.0.1");
    let (_, _, message) = admin.refused("POST", SERVICES, Some(taken)).await;
    assert!(message.contains("failed to allocate IP 10.96.0.1: provided IP is already allocated"), "{message}");
    let mut external = service("d", 31003);
    external["spec"]["externalIPs"] = json!(["192.0.2.7"]);
    assert_eq!(admin.refused("POST", SERVICES, Some(external)).await.0, 403);
}

#[tokio::test]
async fn the_scale_of_a_deployment_is_its_replicas() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let created = admin.create(deployments, deployment).await;
    assert_eq!(created["metadata"]["generation"], 1);
    let path = format!("{deployments}/web/scale");
    let scale = admin.get(&path).await;
    assert_eq!(
        (&scale["kind"], &scale["spec"]["replicas"], &scale["status"]["selector"]),
        (&json!("Scale"), &json!(2), &json!("app=web"))
    );
    let (code, scaled) = admin.call("PATCH", &path, Some(json!({"spec": {"replicas": 5}}))).await;
    assert_eq!((code.as_u16(), &scaled["spec"]["replicas"]), (200, &json!(5)));
    let after = admin.get(&format!("{deployments}/web")).await;
    assert_eq!((&after["spec"]["replicas"], &after["metadata"]["generation"]), (&json!(5), &json!(2)));
    let (_, status) = admin
        .call(
            "PATCH",
            &format!("{deployments}/web/status"),
            Some(json!({"spec": {"replicas": 9}, "status": {"replicas": 5}})),
        )
        .await;
    assert_eq!((&status["spec"]["replicas"], &status["status"]["replicas"]), (&json!(5), &json!(5)));
    assert_eq!(status["metadata"]["generation"], 2);
}

#[tokio::test]
async fn a_namespace_ends_when_its_finalizer_is_gone() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let created = admin.create("/api/v1/namespaces", json!({"metadata": {"name": "n"}})).await;
    assert_eq!(
        (&created["spec"]["finalizers"], &created["status"]["phase"]),
        (&json!(["kubernetes"]), &json!("Active"))
    );
    let (_, marked) = admin.call("DELETE", "/api/v1/namespaces/n", None).await;
    assert_eq!(marked["status"]["phase"], "Terminating");
    let (code, _, message) =
        admin.refused("POST", "/api/v1/namespaces/n/configmaps", Some(crate::common::config_map("a"))).await;
    assert_eq!(code, 403);
    assert!(
        message.ends_with("unable to create new content in namespace n because it is being terminated"),
        "{message}"
    );
    let finalized = json!({"metadata": {"name": "n"}, "spec": {"finalizers": []}});
    let (code, _) = admin.call("PUT", "/api/v1/namespaces/n/finalize", Some(finalized)).await;
    assert_eq!(code, 200);
    assert_eq!(admin.refused("GET", "/api/v1/namespaces/n", None).await.0, 404);
    assert_eq!(admin.refused("DELETE", "/api/v1/namespaces/default", None).await.0, 403);
}

#[tokio::test]
async fn events_of_both_groups_are_one() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let event = json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"},
        "reason": "Started", "message": "hello", "type": "Normal"});
    admin.create("/api/v1/namespaces/default/events", event).await;
    let other = admin.get("/apis/events.k8s.io/v1/namespaces/default/events/e").await;
    assert_eq!(
        (&other["apiVersion"], &other["note"], &other["regarding"]["name"]),
        (&json!("events.k8s.io/v1"), &json!("hello"), &json!("p"))
    );
}

#[tokio::test]
async fn events_are_selected_by_the_names_of_their_version() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    for (name, pod) in [("e", "p"), ("f", "q")] {
        let about = json!({"kind": "Pod", "namespace": "default", "name": pod});
        let event = json!({"metadata": {"name": name}, "involvedObject": about, "reason": "Started",
            "reportingComponent": "kubelet", "type": "Normal"});
        admin.create("/api/v1/namespaces/default/events", event).await;
    }
    let (core, new) = ("/api/v1/events", "/apis/events.k8s.io/v1/events");
    for (path, selector, expected) in [
        (core, "involvedObject.name=p", &["e"][..]),
        (core, "source=kubelet", &["e", "f"]),
        (new, "regarding.name=q", &["f"]),
        (new, "regarding.kind=Pod,reportingController=kubelet,regarding.name!=q", &["e"]),
        (new, "type=Warning", &[]),
        (new, "metadata.name=e,reason=Started", &["e"]),
    ] {
        let list = admin.get(&format!("{path}?fieldSelector={selector}")).await;
        let names: Vec<&str> =
            list["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{path} {selector}");
    }
    for (path, field) in [(new, "involvedObject.name"), (new, "source"), (core, "regarding.name")] {
        let refused = admin.refused("GET", &format!("{path}?fieldSelector={field}=p"), None).await;
        assert_eq!(refused, (400, "BadRequest".to_owned(), format!("field label not supported: {field}")));
    }
}

#[tokio::test]
async fn a_signing_request_tells_who_asked() {
    let cluster = Cluster::start().await;
    let rule =
        json!({"apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"], "verbs": ["create"]});
    let role = json!({"metadata": {"name": "ask"}, "rules": [rule]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role).await;
    let binding = json!({"metadata": {"name": "ask"}, "subjects": [{"kind": "User", "name": "jane", "apiGroup": "rbac.authorization.k8s.io"}],
        "roleRef": {"kind": "ClusterRole", "name": "ask", "apiGroup": "rbac.authorization.k8s.io"}});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
    let jane = cluster.user("jane", &["team"]);
    let pem = crate::common::signing_request("anybody");
    let request = json!({"metadata": {"name": "a"}, "spec": {"request": pem, "signerName": "example.com/a",
        "usages": ["client auth"], "username": "root", "groups": ["system:masters"], "uid": "0"}});
    let created = jane.create("/apis/certificates.k8s.io/v1/certificatesigningrequests", request).await;
    let spec = &created["spec"];
    assert_eq!((&spec["username"], spec.get("uid")), (&json!("jane"), None));
    assert_eq!(spec["groups"], json!(["team", "system:authenticated"]));
}

#[tokio::test]
async fn a_daemon_sets_template_is_counted_in_every_version() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    const DAEMON_SETS: &str = "/apis/apps/v1/namespaces/default/daemonsets";
    let container = |image: &str| json!([{"name": "c", "image": image}]);
    let set = json!({"metadata": {"name": "a"}, "spec": {"selector": {"matchLabels": {"app": "a"}},
        "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": container("i:1")}}}});
    let created = admin.create(DAEMON_SETS, set).await;
    let annotations = json!({"deprecated.daemonset.template.generation": "1"});
    assert_eq!(created["metadata"]["annotations"], annotations);
    let path = format!("{DAEMON_SETS}/a");
    let labelled =
        json!({"metadata": {"labels": {"a": "b"}, "annotations": {"deprecated.daemonset.template.generation": "7"}}});
    let (_, same) = admin.call("PATCH", &path, Some(labelled)).await;
    assert_eq!(same["metadata"]["annotations"], annotations);
    let image = json!({"spec": {"template": {"spec": {"containers": container("i:2")}}}});
    let (_, changed) = admin.call("PATCH", &path, Some(image)).await;
    assert_eq!(changed["metadata"]["annotations"]["deprecated.daemonset.template.generation"], "2");
    assert_eq!(changed["metadata"]["generation"], 2);
    let old = admin.get("/apis/extensions/v1beta1/namespaces/default/daemonsets/a").await;
    assert_eq!((&old["spec"]["templateGeneration"], old["metadata"].get("annotations")), (&json!(2), None));
}

#[tokio::test(start_paused = true)]
async fn events_expire_after_an_hour() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let event =
        json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}});
    let created = admin.create("/api/v1/namespaces/default/events", event).await;
    let version = created["metadata"]["resourceVersion"].as_str().unwrap();
    let mut watch = admin
        .watch(&format!("/api/v1/namespaces/default/events?watch=1&resourceVersion={version}&timeoutSeconds=7200"))
        .await;
    assert_eq!(watch.next().await, "DELETED e");
}

#[tokio::test]
async fn documents_tell_clients_what_there_is() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let index = admin.get("/openapi/v3").await;
    let url = index["paths"]["apis/apps/v1"]["serverRelativeURL"].as_str().unwrap();
    let apps = admin.get(url).await;
    let patch = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"];
    assert!(patch["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == "fieldValidation"));
    let schema = &apps["components"]["schemas"]["io.k8s.api.apps.v1.Deployment"];
    assert_eq!(schema["x-kubernetes-group-version-kind"][0]["kind"], "Deployment");
    let spec = &apps["components"]["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"];
    assert_eq!(spec["required"], json!(["selector", "template"]));
    assert!(spec["properties"]["replicas"]["description"].as_str().unwrap().starts_with("Number of desired pods."));
    let template = &spec["properties"]["template"];
    assert_eq!(template["allOf"][0]["$ref"], "#/components/schemas/io.k8s.api.core.v1.PodTemplateSpec");
    assert_eq!(template["default"], json!({}));
    let container = &apps["components"]["schemas"]["io.k8s.api.core.v1.ContainerPort"];
    assert_eq!(container["properties"]["protocol"]["default"], "TCP");
    let old = admin.get("/openapi/v2").await;
    assert_eq!(
        old["definitions"]["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]["x-kubernetes-patch-merge-key"],
        "name"
    );
    assert_eq!(admin.get("/version").await["minor"], "37");
    assert_eq!(admin.get("/readyz").await, "ok");
    let groups = admin.get("/apis").await;
    assert!(groups["groups"].as_array().unwrap().iter().any(|group| group["name"] == "apps"));
}

#[tokio::test]
async fn a_cluster_begins_with_flows_levels_and_a_range_for_services() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let names = |list: serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    let flowcontrol = "/apis/flowcontrol.apiserver.k8s.io/v1";
    let levels = names(admin.get(&format!("{flowcontrol}/prioritylevelconfigurations")).await);
    let expected = [
        "catch-all",
        "exempt",
        "global-default",
        "leader-election",
        "node-high",
        "system",
        "workload-high",
        "workload-low",
    ];
    assert_eq!(levels, expected);
    assert_eq!(names(admin.get(&format!("{flowcontrol}/flowschemas")).await).len(), 13);
    let catch_all = admin.get(&format!("{flowcontrol}/flowschemas/catch-all")).await;
    assert_eq!(catch_all["status"]["conditions"][0]["status"], "False");
    let range = admin.get("/apis/networking.k8s.io/v1/servicecidrs/kubernetes").await;
    assert_eq!(range["spec"]["cidrs"], json!(["10.96.0.0/12"]));
    assert_eq!(range["status"]["conditions"][0]["type"], "Ready");
}

#[tokio::test]
async fn an_autoscaler_of_either_version_is_one() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let spec = json!({"scaleTargetRef": target, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60});
    let created = admin.create(v1, json!({"metadata": {"name": "web"}, "spec": spec})).await;
    assert_eq!((&created["apiVersion"], &created["spec"]["minReplicas"]), (&json!("autoscaling/v1"), &json!(1)));
    let v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web";
    let other = admin.get(v2).await;
    assert_eq!(other["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"], 60);
    let memory = json!({"type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}});
    let (code, _) = admin.call("PATCH", v2, Some(json!({"spec": {"metrics": [memory]}}))).await;
    assert_eq!(code, 200);
    let old = admin.get(&format!("{v1}/web")).await;
    assert_eq!(old["spec"]["targetCPUUtilizationPercentage"], json!(null));
    assert_eq!(
        old["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"],
        r#"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]"#
    );
}

#[tokio::test]
async fn a_definition_of_a_custom_resource_is_kept_and_checked() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let definition = |schema: serde_json::Value| {
        json!({"metadata": {"name": "widgets.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
    };
    let (code, _, message) = admin.refused("POST", path, Some(definition(json!({"type": "string"})))).await;
    let expected = "CustomResourceDefinition.apiextensions.k8s.io \"widgets.example.com\" is invalid: \
                    spec.validation.openAPIV3Schema.type: Invalid value: \"string\": must be object at the root";
    assert_eq!((code, message.as_str()), (422, expected));
    let created = admin.create(path, definition(json!({"type": "object"}))).await;
    assert_eq!(created["spec"]["names"]["listKind"], "WidgetList");
    assert_eq!(created["status"]["storedVersions"], json!(["v1"]));
}

/// Clients made from upstream's types rely on what Go writes of structs that are no pointers.
#[tokio::test]
async fn what_go_always_writes_is_there_in_every_version() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let deployment = json!({"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
    let created = admin.create("/apis/apps/v1/namespaces/default/deployments", deployment).await;
    assert_eq!(created["status"], json!({}));
    let role = json!({"metadata": {"name": "r"}});
    let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
    let created = admin.create(roles, role).await;
    assert_eq!(created.get("rules"), Some(&json!(null)));
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
    let (code, patched) = admin.call("PATCH", &format!("{roles}/r"), Some(json!({"rules": rules}))).await;
    assert_eq!((code.as_u16(), &patched["rules"]), (200, &rules));
    let autoscaler = json!({"metadata": {"name": "web"}, "spec": {"maxReplicas": 2,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}});
    let created = admin.create("/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers", autoscaler).await;
    assert_eq!(created["status"], json!({"currentReplicas": 0, "desiredReplicas": 0}));
    let newer = admin.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web").await;
    assert_eq!(newer["status"], json!({"currentMetrics": null, "desiredReplicas": 0}));
}

/// Every reference below a value that leads nowhere in the document.
fn dangling(document: &serde_json::Value, value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            if let Some(reference) = fields.get("$ref").and_then(serde_json::Value::as_str) {
                let pointer = reference.trim_start_matches('#');
                if document.pointer(pointer).is_none() && !found.iter().any(|known| known == reference) {
                    found.push(reference.to_owned());
                }
            }
            fields.values().for_each(|value| dangling(document, value, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|value| dangling(document, value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_document_is_whole_and_every_operation_has_a_name_of_its_own() {
    let cluster = Cluster::start().await;
    let index = cluster.admin.get("/openapi/v3").await;
    let mut urls: Vec<String> = vec!["/openapi/v2".to_owned()];
    urls.extend(
        index["paths"].as_object().unwrap().values().map(|at| at["serverRelativeURL"].as_str().unwrap().to_owned()),
    );
    for url in urls {
        let document = cluster.admin.get(&url).await;
        let mut found = Vec::new();
        dangling(&document, &document, &mut found);
        assert_eq!(found, [""; 0], "{url}");
        let mut names = std::collections::HashSet::new();
        for (path, on_path) in document["paths"].as_object().unwrap() {
            for (method, operation) in on_path.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters")
            {
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{url}: {method} {path} is called {name}, as another");
            }
        }
    }
    let core = cluster.admin.get("/openapi/v3/api/v1").await;
    let policy = &core["components"]["schemas"]["io.k8s.api.core.v1.Container"]["properties"]["imagePullPolicy"];
    assert_eq!(policy["enum"], json!(["Always", "IfNotPresent", "Never"]));
}

/// Source: pkg/registry/core/pod/storage, BindingREST.setPodNodeAndMetadata, which goes past the pod's strategy.
#[tokio::test]
async fn what_the_scheduler_decides_is_no_change_of_what_is_wanted() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let pods = "/api/v1/namespaces/default/pods";
    admin.create("/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "default"}})).await;
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    assert_eq!(admin.create(pods, pod).await["metadata"]["generation"], 1);
    let hoped = json!({"status": {"nominatedNodeName": "m"}});
    assert_eq!(admin.call("PATCH", &format!("{pods}/p/status"), Some(hoped)).await.0, 200);
    let binding = json!({"metadata": {"name": "p"}, "target": {"kind": "Node", "name": "n"}});
    admin.create(&format!("{pods}/p/binding"), binding).await;
    let bound = admin.get(&format!("{pods}/p")).await;
    assert_eq!(bound["status"].get("nominatedNodeName"), None, "{bound}");
    assert_eq!((&bound["spec"]["nodeName"], &bound["metadata"]["generation"]), (&json!("n"), &json!(1)));
    let image = json!({"spec": {"containers": [{"name": "c", "image": "j"}]}});
    let (_, changed) =
        admin.call_as("PATCH", &format!("{pods}/p"), "application/strategic-merge-patch+json", Some(image)).await;
    assert_eq!(changed["metadata"]["generation"], 2, "{changed}");
}

#[tokio::test]
async fn an_event_is_held_to_the_rules_of_the_version_it_is_told_in() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let event = json!({"metadata": {"name": "e"}, "regarding": {"kind": "Pod", "namespace": "default", "name": "p"}});
    let refused = admin.refused("POST", "/apis/events.k8s.io/v1/namespaces/default/events", Some(event)).await;
    let why = "Event.events.k8s.io \"e\" is invalid: [eventTime: Required value, type: Invalid value: \"\": has invalid value: ]";
    assert_eq!((refused.0, refused.2.as_str()), (422, why));
    let old =
        json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}});
    admin.create("/api/v1/namespaces/default/events", old).await;
}
