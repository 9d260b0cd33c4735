//! Versions that upstream served once, beside those that came after them.

use apiserver::Body;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use registry::Kind;
use serde_json::{Value, json};

use crate::common::{Caller, Cluster, read};

const OLD_DEPLOYMENTS: &str = "/apis/extensions/v1beta1/namespaces/default/deployments";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// As manifests were before 1.16: no selector.
fn old_deployment(name: &str) -> Value {
    json!({"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}})
}

impl Caller {
    async fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Response<Body> {
        let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send(request.body(Full::new(body)).unwrap()).await
    }
}

/// The sentences of the `Warning` headers.
fn warnings(response: &Response<Body>) -> Vec<String> {
    let texts = response.headers().get_all("warning").iter().map(|value| value.to_str().unwrap());
    texts.map(|text| text.strip_prefix("299 - \"").unwrap().trim_end_matches('"').to_owned()).collect()
}

#[tokio::test]
async fn an_old_manifest_makes_what_every_version_shows() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let mut watch = admin.watch("/apis/apps/v1beta2/namespaces/default/deployments?watch=1").await;
    let created = admin.create(OLD_DEPLOYMENTS, old_deployment("web")).await;
    assert_eq!((&created["apiVersion"], &created["kind"]), (&json!("extensions/v1beta1"), &json!("Deployment")));
    assert_eq!(created["spec"]["strategy"]["rollingUpdate"], json!({"maxUnavailable": 1, "maxSurge": 1}));
    let stored = admin.get(&format!("{DEPLOYMENTS}/web")).await;
    assert_eq!(stored["apiVersion"], "apps/v1");
    assert_eq!(stored["spec"]["selector"], json!({"matchLabels": {"app": "web"}}));
    assert_eq!(stored["spec"]["revisionHistoryLimit"], 2_147_483_647);
    for field in ["uid", "resourceVersion", "generation"] {
        assert_eq!(stored["metadata"][field], created["metadata"][field], "{field}");
    }
    let event = watch.next_value().await.unwrap();
    assert_eq!(
        (&event["type"], &event["object"]["apiVersion"], &event["object"]["metadata"]["name"]),
        (&json!("ADDED"), &json!("apps/v1beta2"), &json!("web"))
    );
    let list = admin.get("/apis/apps/v1beta1/namespaces/default/deployments").await;
    assert_eq!((&list["apiVersion"], &list["items"][0]["metadata"]["name"]), (&json!("apps/v1beta1"), &json!("web")));
    let (code, _) = admin.call("DELETE", &format!("{OLD_DEPLOYMENTS}/web"), None).await;
    assert_eq!(code, StatusCode::OK);
    assert_eq!(admin.refused("GET", &format!("{DEPLOYMENTS}/web"), None).await.0, 404);
}

/// Each sentence is upstream's: from the lifecycle of its types, and as its servers answered.
#[tokio::test]
async fn a_warning_names_what_to_use_instead() {
    let cluster = Cluster::start().await;
    for (path, expected) in [
        (
            "/apis/extensions/v1beta1/ingresses",
            "extensions/v1beta1 Ingress is deprecated in v1.14+, unavailable in v1.22+; use networking.k8s.io/v1 Ingress",
        ),
        (
            "/apis/networking.k8s.io/v1beta1/ingressclasses",
            "networking.k8s.io/v1beta1 IngressClass is deprecated in v1.19+, unavailable in v1.22+; use networking.k8s.io/v1 IngressClassList",
        ),
        (
            "/apis/apps/v1beta2/deployments",
            "apps/v1beta2 Deployment is deprecated in v1.9+, unavailable in v1.16+; use apps/v1 Deployment",
        ),
        (
            "/apis/batch/v1beta1/cronjobs",
            "batch/v1beta1 CronJob is deprecated in v1.21+, unavailable in v1.25+; use batch/v1 CronJob",
        ),
        (
            "/apis/policy/v1beta1/podsecuritypolicies",
            "policy/v1beta1 PodSecurityPolicy is deprecated in v1.21+, unavailable in v1.25+",
        ),
        (
            "/apis/autoscaling/v2beta2/horizontalpodautoscalers",
            "autoscaling/v2beta2 HorizontalPodAutoscaler is deprecated in v1.23+, unavailable in v1.26+; use autoscaling/v2 HorizontalPodAutoscaler",
        ),
        (
            "/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas",
            "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema is deprecated in v1.29+, unavailable in v1.32+; use flowcontrol.apiserver.k8s.io/v1 FlowSchema",
        ),
        (
            "/apis/resource.k8s.io/v1beta1/resourceclaims",
            "resource.k8s.io/v1beta1 ResourceClaim is deprecated in v1.35+, unavailable in v1.38+",
        ),
    ] {
        let response = cluster.admin.raw("GET", path, &[], None).await;
        assert_eq!((response.status(), warnings(&response)), (StatusCode::OK, vec![expected.to_owned()]), "{path}");
    }
    for path in ["/apis/apps/v1/deployments", "/apis/certificates.k8s.io/v1beta1/podcertificaterequests"] {
        assert_eq!(warnings(&cluster.admin.raw("GET", path, &[], None).await), [""; 0], "{path}");
    }
    let response = cluster.admin.raw("GET", "/metrics", &[], None).await;
    let page = read(response).await;
    let line = "apiserver_requested_deprecated_apis{group=\"extensions\",removed_release=\"1.22\",resource=\"ingresses\",subresource=\"\",version=\"v1beta1\"} 1";
    assert!(page.as_str().unwrap().lines().any(|candidate| candidate == line), "{page}");
}

#[tokio::test]
async fn stable_versions_and_their_groups_come_first() {
    let cluster = Cluster::start().await;
    let groups = cluster.admin.get("/apis").await["groups"].as_array().unwrap().clone();
    let names: Vec<&str> = groups.iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(
        names[..12],
        [
            "apiregistration.k8s.io",
            "apps",
            "events.k8s.io",
            "authentication.k8s.io",
            "authorization.k8s.io",
            "autoscaling",
            "batch",
            "certificates.k8s.io",
            "networking.k8s.io",
            "policy",
            "rbac.authorization.k8s.io",
            "storage.k8s.io",
        ]
    );
    assert_eq!(names.last(), Some(&"extensions"));
    for group in &groups {
        let first = &group["versions"][0]["groupVersion"];
        assert_eq!(first, &group["preferredVersion"]["groupVersion"]);
        let is_old = ["extensions", "settings.k8s.io"].contains(&group["name"].as_str().unwrap());
        let has_alpha = first.as_str().unwrap().contains("alpha") || first.as_str().unwrap().contains("beta");
        assert!(is_old || !has_alpha || group["versions"].as_array().unwrap().len() == 1, "{group}");
    }
    let apps: Vec<&str> =
        groups[1]["versions"].as_array().unwrap().iter().map(|v| v["version"].as_str().unwrap()).collect();
    assert_eq!(apps, ["v1", "v1beta2", "v1beta1"]);
    let listed = cluster.admin.get("/apis/extensions/v1beta1").await;
    let resources: Vec<&str> =
        listed["resources"].as_array().unwrap().iter().map(|resource| resource["name"].as_str().unwrap()).collect();
    for expected in [
        "daemonsets",
        "deployments/rollback",
        "deployments/scale",
        "deployments/status",
        "ingresses/status",
        "networkpolicies",
        "podsecuritypolicies",
        "replicasets/scale",
    ] {
        assert!(resources.contains(&expected), "{expected}: {resources:?}");
    }
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let aggregated = read(cluster.admin.raw("GET", "/apis", &[("accept", accept)], None).await).await;
    let groups: Vec<&str> = aggregated["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["metadata"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(groups, names);
}

#[tokio::test]
async fn old_versions_can_be_hidden() {
    let cluster = Cluster::start().await;
    cluster.server.hide_legacy_apis();
    let admin = &cluster.admin;
    for path in [
        OLD_DEPLOYMENTS,
        "/apis/extensions/v1beta1",
        "/apis/extensions",
        "/apis/apps/v1beta2",
        "/openapi/v3/apis/extensions/v1beta1",
        "/apis/policy/v1beta1/podsecuritypolicies",
    ] {
        assert_eq!(admin.call("GET", path, None).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    // What upstream still serves stays.
    for path in [DEPLOYMENTS, "/apis/resource.k8s.io/v1beta1/resourceclaims"] {
        admin.get(path).await;
    }
    let groups = admin.get("/apis").await.to_string();
    assert!(!groups.contains("extensions\"") && !groups.contains("apps/v1beta") && groups.contains("apps/v1"));
    let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    let aggregated = read(admin.raw("GET", "/apis", &[("accept", accept)], None).await).await.to_string();
    assert!(!aggregated.contains("podsecuritypolicies") && aggregated.contains("deployments"));
}

#[tokio::test]
async fn owners_keep_what_they_wrote_in_the_version_they_wrote_it_in() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let ingress = json!({"apiVersion": "networking.k8s.io/v1beta1", "kind": "Ingress", "metadata": {"name": "i"},
        "spec": {"backend": {"serviceName": "s", "servicePort": 80}}});
    let old = "/apis/networking.k8s.io/v1beta1/namespaces/default/ingresses/i";
    let apply = "application/apply-patch+yaml";
    let (code, answer) =
        admin.call_as("PATCH", &format!("{old}?fieldManager=first"), apply, Some(ingress.clone())).await;
    assert_eq!(code, StatusCode::CREATED, "{answer}");
    let entry = &answer["metadata"]["managedFields"][0];
    assert_eq!((&entry["apiVersion"], &entry["manager"]), (&json!("networking.k8s.io/v1beta1"), &json!("first")));
    assert!(entry["fieldsV1"]["f:spec"]["f:backend"]["f:serviceName"].is_object(), "{entry}");
    // Another manager in another version runs into the same field.
    let new = "/apis/networking.k8s.io/v1/namespaces/default/ingresses/i";
    let config = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"},
        "spec": {"defaultBackend": {"service": {"name": "t", "port": {"number": 80}}}}});
    let (code, answer) =
        admin.call_as("PATCH", &format!("{new}?fieldManager=second"), apply, Some(config.clone())).await;
    assert_eq!(code, StatusCode::CONFLICT, "{answer}");
    // Named as its owner wrote it.
    assert_eq!(answer["details"]["causes"][0]["field"], ".spec.backend.serviceName", "{answer}");
    // The first applies again in the new version: what it owns moves along.
    let (code, answer) = admin.call_as("PATCH", &format!("{new}?fieldManager=first"), apply, Some(config)).await;
    assert_eq!(code, StatusCode::OK, "{answer}");
    assert_eq!(answer["spec"]["defaultBackend"]["service"]["name"], "t");
    let entries = answer["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["apiVersion"]), (1, &json!("networking.k8s.io/v1")), "{answer}");
    // A plain update in an old version owns in that version.
    let (_, mut shown) = admin.call("GET", old, None).await;
    shown["spec"]["backend"]["servicePort"] = json!("http");
    let (code, answer) = admin.call("PUT", &format!("{old}?fieldManager=third"), Some(shown)).await;
    assert_eq!(code, StatusCode::OK, "{answer}");
    let entries = answer["metadata"]["managedFields"].as_array().unwrap();
    let third = entries.iter().find(|entry| entry["manager"] == "third").unwrap();
    assert_eq!(third["apiVersion"], "networking.k8s.io/v1beta1");
    let stored = admin.get(new).await;
    assert_eq!(stored["spec"]["defaultBackend"]["service"], json!({"name": "t", "port": {"name": "http"}}));
}

#[tokio::test]
async fn a_scale_has_the_form_of_its_version() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(OLD_DEPLOYMENTS, old_deployment("web")).await;
    let path = format!("{OLD_DEPLOYMENTS}/web/scale");
    let response = admin.raw("GET", &path, &[], None).await;
    assert_eq!(warnings(&response), ["extensions/v1beta1 Scale is deprecated in v1.2+, unavailable in v1.16+"]);
    let mut scale = read(response).await;
    assert_eq!((&scale["apiVersion"], &scale["kind"]), (&json!("extensions/v1beta1"), &json!("Scale")));
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": {"app": "web"}, "targetSelector": "app=web"}));
    scale["spec"]["replicas"] = json!(4);
    let (code, scaled) = admin.call("PUT", &path, Some(scale)).await;
    assert_eq!((code, &scaled["spec"]["replicas"]), (StatusCode::OK, &json!(4)), "{scaled}");
    assert_eq!(admin.get(&format!("{DEPLOYMENTS}/web")).await["spec"]["replicas"], 4);
    let newer = admin.get("/apis/apps/v1beta2/namespaces/default/deployments/web/scale").await;
    assert_eq!(newer["apiVersion"], "apps/v1beta2");
    assert_eq!(admin.get(&format!("{DEPLOYMENTS}/web/scale")).await["apiVersion"], "autoscaling/v1");
}

#[tokio::test]
async fn a_rollback_is_asked_of_the_controller() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create(OLD_DEPLOYMENTS, old_deployment("web")).await;
    let rollback = json!({"apiVersion": "extensions/v1beta1", "kind": "DeploymentRollback", "name": "web",
        "updatedAnnotations": {"why": "broken"}, "rollbackTo": {"revision": 2}});
    let (code, status) = admin.call("POST", &format!("{OLD_DEPLOYMENTS}/web/rollback"), Some(rollback)).await;
    assert_eq!(
        (code, &status["message"], &status["code"]),
        (StatusCode::CREATED, &json!("rollback request for deployment \"web\" succeeded"), &json!(200))
    );
    let stored = admin.get(&format!("{DEPLOYMENTS}/web")).await;
    let asked = json!({"why": "broken", "deprecated.deployment.rollback.to": "2"});
    assert_eq!(stored["metadata"]["annotations"], asked);
    let shown = admin.get(&format!("{OLD_DEPLOYMENTS}/web")).await;
    assert_eq!(
        (&shown["spec"]["rollbackTo"], &shown["metadata"]["annotations"]),
        (&json!({"revision": 2}), &json!({"why": "broken"}))
    );
    assert_eq!(
        admin.call("POST", &format!("{DEPLOYMENTS}/web/rollback"), Some(json!({}))).await.0,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn old_reviews_ask_about_a_group() {
    let cluster = Cluster::start().await;
    let review = json!({"apiVersion": "authorization.k8s.io/v1beta1", "kind": "SubjectAccessReview", "spec": {
        "group": ["system:masters"], "user": "x", "resourceAttributes": {"verb": "get", "resource": "pods"}}});
    let answer = cluster.admin.create("/apis/authorization.k8s.io/v1beta1/subjectaccessreviews", review).await;
    assert_eq!(answer["apiVersion"], "authorization.k8s.io/v1beta1");
    assert_eq!((&answer["status"]["allowed"], &answer["spec"]["group"]), (&json!(true), &json!(["system:masters"])));
}

#[tokio::test]
async fn rights_are_of_the_group_that_is_asked() {
    let cluster = Cluster::start().await;
    let role = json!({"metadata": {"name": "r"}, "rules": [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]}]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1beta1/clusterroles", role).await;
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "r"},
        "subjects": [{"kind": "User", "name": "jane"}]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1alpha1/clusterrolebindings", binding).await;
    let jane = cluster.user("jane", &["system:authenticated"]);
    jane.get(DEPLOYMENTS).await;
    jane.get("/apis/apps/v1beta2/namespaces/default/deployments").await;
    let (code, _, message) = jane.refused("GET", OLD_DEPLOYMENTS, None).await;
    assert_eq!(code, 403);
    assert!(message.contains("cannot list resource \"deployments\" in API group \"extensions\""), "{message}");
}

/// What v1 refuses and old versions took, as upstream's validation knew the version of the request.
#[tokio::test]
async fn old_versions_take_what_they_always_took() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let hook = json!({"metadata": {"name": "h"}, "webhooks": [{"name": "a.example.com", "clientConfig": {"url": "https://example.com"}}]});
    let made =
        admin.create("/apis/admissionregistration.k8s.io/v1beta1/mutatingwebhookconfigurations", hook.clone()).await;
    assert_eq!(made["webhooks"][0]["sideEffects"], "Unknown");
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    assert_eq!(admin.refused("POST", path, Some(hook)).await.0, 422);
    let definition = json!({"metadata": {"name": "foos.example.com"}, "spec": {"group": "example.com", "version": "v1",
        "names": {"plural": "foos", "kind": "Foo"}, "scope": "Namespaced"}});
    let made = admin.create("/apis/apiextensions.k8s.io/v1beta1/customresourcedefinitions", definition).await;
    assert_eq!((&made["spec"]["version"], &made["spec"]["preserveUnknownFields"]), (&json!("v1"), &json!(true)));
    let policy = json!({"metadata": {"name": "p"}, "spec": {"runAsUser": {"rule": "RunAsAny"}, "seLinux": {"rule": "RunAsAny"},
        "supplementalGroups": {"rule": "RunAsAny"}, "fsGroup": {"rule": "RunAsAny"}}});
    let response = admin.raw("POST", "/apis/policy/v1beta1/podsecuritypolicies", &[], Some(&policy)).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let told = warnings(&response);
    assert!(told.iter().any(|text| text.starts_with("this PodSecurityPolicy has no effect")), "{told:?}");
    let preset = json!({"metadata": {"name": "p"}, "spec": {"env": [{"name": "a", "value": "b"}]}});
    let made = admin.create("/apis/settings.k8s.io/v1alpha1/namespaces/default/podpresets", preset).await;
    assert_eq!(made["spec"]["env"][0]["name"], "a");
    let eviction = json!({"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "nobody"}});
    let (code, _, message) =
        admin.refused("POST", "/api/v1/namespaces/default/pods/nobody/eviction", Some(eviction)).await;
    assert_eq!((code, message.as_str()), (404, "pods \"nobody\" not found"));
}

#[tokio::test]
async fn tables_show_the_same_in_every_version() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let ingress = json!({"metadata": {"name": "i"}, "spec": {"rules": [{"host": "a.example.com", "http": {"paths": [
        {"path": "/", "backend": {"serviceName": "s", "servicePort": 80}}]}}]}});
    admin.create("/apis/extensions/v1beta1/namespaces/default/ingresses", ingress).await;
    let accept = [("accept", "application/json;as=Table;v=v1;g=meta.k8s.io")];
    let mut rows = Vec::new();
    for version in ["extensions/v1beta1", "networking.k8s.io/v1beta1", "networking.k8s.io/v1"] {
        let path = format!("/apis/{version}/namespaces/default/ingresses");
        let table = read(admin.raw("GET", &path, &accept, None).await).await;
        assert_eq!(table["rows"][0]["cells"][2], "a.example.com", "{table}");
        rows.push(table["rows"][0]["cells"].clone());
    }
    assert!(rows.windows(2).all(|pair| pair[0] == pair[1]), "{rows:?}");
    let event = json!({"metadata": {"name": "e"}, "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        "note": "hello", "reason": "Why", "type": "Normal", "eventTime": "2030-01-01T00:00:00.000000Z",
        "reportingController": "c", "reportingInstance": "i", "action": "a"});
    admin.create("/apis/events.k8s.io/v1beta1/namespaces/default/events", event).await;
    let table = read(admin.raw("GET", "/apis/events.k8s.io/v1/namespaces/default/events", &accept, None).await).await;
    let cells = table["rows"][0]["cells"].to_string();
    assert!(cells.contains("pod/p") && cells.contains("hello"), "{cells}");
}

#[tokio::test]
async fn openapi_describes_old_versions_to_their_validators() {
    let cluster = Cluster::start().await;
    let document = cluster.admin.get("/openapi/v3/apis/extensions/v1beta1").await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in ["Deployment", "DeploymentRollback", "DeploymentSpec", "IngressBackend", "NetworkPolicy", "Scale"] {
        assert!(schemas.contains_key(&format!("io.k8s.api.extensions.v1beta1.{name}")), "{name}");
    }
    let kinds = &schemas["io.k8s.api.extensions.v1beta1.Ingress"]["x-kubernetes-group-version-kind"];
    assert_eq!(kinds, &json!([{"group": "extensions", "kind": "Ingress", "version": "v1beta1"}]));
    let paths = document["paths"].as_object().unwrap();
    for path in ["deployments/{name}/scale", "deployments/{name}/rollback", "ingresses/{name}/status"] {
        assert!(paths.contains_key(&format!("/apis/extensions/v1beta1/namespaces/{{namespace}}/{path}")), "{path}");
    }
}

#[tokio::test]
async fn a_preset_is_merged_into_the_pods_it_selects() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create("/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "default"}})).await;
    let preset = json!({"metadata": {"name": "database"}, "spec": {"selector": {"matchLabels": {"role": "frontend"}},
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "volumeMounts": [{"name": "cache", "mountPath": "/cache"}], "volumes": [{"name": "cache", "emptyDir": {}}]}});
    let preset = admin.create("/apis/settings.k8s.io/v1alpha1/namespaces/default/podpresets", preset).await;
    let pod = |name: &str, role: &str, excluded: &str| {
        json!({"metadata": {"name": name, "labels": {"role": role},
                "annotations": {"podpreset.admission.kubernetes.io/exclude": excluded}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}})
    };
    let pods = "/api/v1/namespaces/default/pods";
    let made = admin.create(pods, pod("a", "frontend", "")).await;
    let container = &made["spec"]["containers"][0];
    // As a pod that had said so itself: with all defaults.
    let source = json!({"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}});
    assert_eq!(container["env"], json!([{"name": "NODE", "valueFrom": source}]));
    assert_eq!(container["volumeMounts"][0], json!({"name": "cache", "mountPath": "/cache"}));
    let applied = &made["metadata"]["annotations"]["podpreset.admission.kubernetes.io/podpreset-database"];
    assert_eq!(applied, &preset["metadata"]["resourceVersion"]);
    for other in [pod("b", "backend", ""), pod("c", "frontend", "true")] {
        let made = admin.create(pods, other).await;
        assert_eq!(made["spec"]["containers"][0].get("env"), None, "{made}");
    }
}

/// Reading an object in a version and writing it back changes nothing in any other.
#[tokio::test]
async fn what_was_read_in_any_version_may_be_written_back() {
    let cluster = Cluster::start().await;
    let (mut walked, mut changes) = (0, Vec::new());
    for kind in registry::KINDS.iter().filter(|kind| kind.serves("update")) {
        // autoscaling/v1 has a field for processor time, which comes back behind the other metrics.
        let Some(stored) = kind.storage.filter(|_| kind.api_version() != "autoscaling/v1") else { continue };
        let Some(object) = golden(stored) else { continue };
        let place = |kind: &Kind, name: &str| {
            let root = if kind.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", kind.group) };
            let namespace = if kind.is_namespaced() { "/namespaces/default" } else { "" };
            format!("{root}/{}{namespace}/{}{name}", kind.version, kind.plural)
        };
        let (code, made) = cluster.admin.call("POST", &place(stored, ""), Some(object)).await;
        if code != StatusCode::CREATED {
            continue;
        }
        let name = format!("/{}", made["metadata"]["name"].as_str().unwrap());
        let before = cluster.admin.get(&place(stored, &name)).await;
        let shown = cluster.admin.get(&place(kind, &name)).await;
        assert_eq!(shown["apiVersion"], kind.api_version());
        let (code, answer) = cluster.admin.call("PUT", &place(kind, &name), Some(shown)).await;
        if code != StatusCode::OK {
            changes.push(format!("{kind:?}: {answer}"));
        }
        let after = cluster.admin.get(&place(stored, &name)).await;
        for part in ["spec", "status", "data", "endpoints", "webhooks", "rules", "subjects"] {
            let (before, after) = (without_new(&before[part]), without_new(&after[part]));
            if before != after {
                changes.push(format!("{kind:?} {part}: {before} became {after}"));
            }
        }
        if before["metadata"]["generation"] != after["metadata"]["generation"] && before["spec"] == after["spec"] {
            changes.push(format!("{kind:?} got a new generation"));
        }
        cluster.admin.call("DELETE", &place(stored, &name), None).await;
        walked += 1;
    }
    assert!(changes.is_empty() && walked > 40, "{walked} walked\n{}", changes.join("\n"));
}

/// A whole object of the kind, as it was given to be stored.
fn golden(kind: &Kind) -> Option<Value> {
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../registry/tests/golden");
    let text = std::fs::read(root.join(group).join(format!("{}.yaml", kind.singular))).ok()?;
    let tree = codec::decode::parse(&text, codec::Format::Yaml).unwrap();
    Some(tree.value["full"]["given"].clone())
}

/// Without what came when the old versions were there no more, which they take away.
fn without_new(value: &Value) -> Value {
    const NEW: [&str; 2] = ["timeZone", "tolerance"];
    match value {
        Value::Object(object) => {
            let kept = object.iter().filter(|(name, _)| !NEW.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), without_new(value))).collect())
        }
        Value::Array(items) => items.iter().map(without_new).collect(),
        other => other.clone(),
    }
}
