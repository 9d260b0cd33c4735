//! What admission makes of writes: defaults, bounds, shares, and who may sign.

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

use crate::common::{Caller, Cluster, read};

const PODS: &str = "/api/v1/namespaces/default/pods";
const CLAIMS: &str = "/api/v1/namespaces/default/persistentvolumeclaims";

/// A cluster in whose default namespace pods can be made.
async fn cluster() -> Cluster {
    let cluster = Cluster::start().await;
    let account = json!({"metadata": {"name": "default"}, "automountServiceAccountToken": false});
    cluster.admin.create("/api/v1/namespaces/default/serviceaccounts", account).await;
    cluster
}

fn pod(name: &str, resources: Value) -> Value {
    let container = json!({"name": "c", "image": "i", "resources": resources});
    json!({"metadata": {"name": name}, "spec": {"containers": [container]}})
}

fn claim(name: &str, size: &str) -> Value {
    let resources = json!({"requests": {"storage": size}});
    json!({"metadata": {"name": name}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources}})
}

/// Sends a write and gives the warnings of its answer.
async fn warnings(admin: &Caller, method: &str, path: &str, body: Value) -> Vec<String> {
    let content_type = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
    let request = Request::builder().method(method).uri(path).header("content-type", content_type);
    let response = admin.send(request.body(Full::from(body.to_string())).unwrap()).await;
    let warnings = response.headers().get_all("warning").iter();
    let warnings: Vec<String> = warnings.map(|value| value.to_str().unwrap().replace("\\\"", "'")).collect();
    assert!(response.status().is_success(), "{}", read(response).await);
    warnings
}

#[tokio::test]
async fn limit_ranges_fill_in_and_bound() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let limits = json!([{"type": "Container", "default": {"cpu": "500m"}, "max": {"cpu": "1"}}]);
    let range = json!({"metadata": {"name": "bounds"}, "spec": {"limits": limits}});
    admin.create("/api/v1/namespaces/default/limitranges", range).await;
    let made = admin.create(PODS, pod("a", json!({}))).await;
    assert_eq!(
        made["spec"]["containers"][0]["resources"],
        json!({"limits": {"cpu": "500m"}, "requests": {"cpu": "500m"}})
    );
    assert_eq!(
        made["metadata"]["annotations"]["kubernetes.io/limit-ranger"],
        "LimitRanger plugin set: cpu request for container c; cpu limit for container c"
    );
    let refused = admin.refused("POST", PODS, Some(pod("b", json!({"limits": {"cpu": "2"}})))).await;
    let why = "pods \"b\" is forbidden: maximum cpu usage per Container is 1, but limit is 2";
    assert_eq!(refused, (403, "Forbidden".to_owned(), why.to_owned()));
}

#[tokio::test]
async fn quotas_are_charged_before_the_write_and_hold_against_many_at_once() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let quotas = "/api/v1/namespaces/default/resourcequotas";
    let hard = json!({"configmaps": "7"});
    admin.create(quotas, json!({"metadata": {"name": "share"}, "spec": {"hard": hard}})).await;
    // As the controller does once it has counted.
    let status = json!({"status": {"hard": hard, "used": {"configmaps": "2"}}});
    assert!(admin.call("PATCH", &format!("{quotas}/share/status"), Some(status)).await.0.is_success());
    let path = "/api/v1/namespaces/default/configmaps";
    let (code, _) = admin.call("POST", &format!("{path}?dryRun=All"), Some(json!({"metadata": {"name": "dry"}}))).await;
    assert_eq!(code, 201);
    let writes = (0..12).map(|at| admin.call("POST", path, Some(json!({"metadata": {"name": format!("m{at}")}}))));
    let answers = futures::future::join_all(writes).await;
    let made = answers.iter().filter(|(code, _)| *code == 201).count();
    assert_eq!(made, 5);
    let (_, refusal) = answers.iter().find(|(code, _)| *code == 403).unwrap();
    let message = refusal["message"].as_str().unwrap();
    let why = "is forbidden: exceeded quota: share, requested: configmaps=1, used: configmaps=7, limited: configmaps=7";
    assert!(message.ends_with(why), "{message}");
    assert_eq!(admin.get(&format!("{quotas}/share")).await["status"]["used"], json!({"configmaps": "7"}));
}

#[tokio::test]
async fn claims_and_volumes_are_held_while_in_use_and_get_the_newest_default_class() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let classes = "/apis/storage.k8s.io/v1/storageclasses";
    let made = admin.create(CLAIMS, claim("early", "1Gi")).await;
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/pvc-protection"]));
    assert_eq!(made["spec"].get("storageClassName"), None);
    for (name, is_default) in [("slow", "false"), ("b", "true"), ("a", "true")] {
        let annotations = json!({"storageclass.kubernetes.io/is-default-class": is_default});
        let metadata = json!({"name": name, "annotations": annotations});
        admin.create(classes, json!({"metadata": metadata, "provisioner": "example.com/x"})).await;
    }
    // The clock stands still: of two equally old ones the name decides.
    assert_eq!(admin.create(CLAIMS, claim("late", "1Gi")).await["spec"]["storageClassName"], "a");
    let mut none = claim("none", "1Gi");
    none["spec"]["storageClassName"] = json!("");
    assert_eq!(admin.create(CLAIMS, none).await["spec"]["storageClassName"], "");
    let volume = json!({"metadata": {"name": "v"}, "spec": {"capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/tmp/x"}}});
    let made = admin.create("/api/v1/persistentvolumes", volume).await;
    assert_eq!(made["metadata"]["finalizers"], json!(["kubernetes.io/pv-protection"]));
}

#[tokio::test]
async fn a_claim_grows_where_its_class_lets_it() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    for (name, grows) in [("fixed", false), ("elastic", true)] {
        let class = json!({"metadata": {"name": name}, "provisioner": "x", "allowVolumeExpansion": grows});
        admin.create("/apis/storage.k8s.io/v1/storageclasses", class).await;
        let mut wanted = claim(name, "1Gi");
        wanted["spec"]["storageClassName"] = json!(name);
        admin.create(CLAIMS, wanted).await;
    }
    let grown = json!({"spec": {"resources": {"requests": {"storage": "2Gi"}}}});
    let path = |name: &str| format!("{CLAIMS}/{name}");
    let refused = admin.refused("PATCH", &path("elastic"), Some(grown.clone())).await.2;
    assert!(refused.contains("Only bound persistent volume claims can be expanded"), "{refused}");
    for name in ["fixed", "elastic"] {
        let bound = json!({"status": {"phase": "Bound"}});
        assert!(admin.call("PATCH", &format!("{}/status", path(name)), Some(bound)).await.0.is_success());
    }
    let refused = admin.refused("PATCH", &path("fixed"), Some(grown.clone())).await.2;
    let why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support \
               resize";
    assert!(refused.ends_with(why), "{refused}");
    let (code, answer) = admin.call("PATCH", &path("elastic"), Some(grown)).await;
    assert_eq!(code, 200, "{answer}");
}

#[tokio::test]
async fn pod_security_refuses_warns_and_reads_labels() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let namespace = "/api/v1/namespaces/default";
    let label = |name: &str, value: &str| json!({"metadata": {"labels": {format!("pod-security.kubernetes.io/{name}"): value}}});
    let mut privileged = pod("strong", json!({}));
    privileged["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    admin.create(PODS, privileged.clone()).await;
    let refused = admin.refused("PATCH", namespace, Some(label("enforce", "strict"))).await;
    let why = "Namespace \"default\" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \
               \"strict\": must be one of privileged, baseline, restricted";
    assert_eq!((refused.0, refused.2.as_str()), (422, why));
    assert_eq!(
        warnings(admin, "PATCH", namespace, label("enforce", "baseline")).await,
        [
            "299 - \"existing pods in namespace 'default' violate the new PodSecurity enforce level 'baseline:latest'\"",
            "299 - \"strong: privileged\"",
        ]
    );
    privileged["metadata"]["name"] = json!("again");
    let refused = admin.refused("POST", PODS, Some(privileged.clone())).await;
    let why = "pods \"again\" is forbidden: violates PodSecurity \"baseline:latest\": privileged (container \"c\" must not \
               set securityContext.privileged=true)";
    assert_eq!((refused.0, refused.2.as_str()), (403, why));
    warnings(admin, "PATCH", namespace, label("warn", "baseline")).await;
    let template = json!({"metadata": {"labels": {"a": "b"}}, "spec": privileged["spec"]});
    let deployment = json!({"metadata": {"name": "d"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template}});
    assert_eq!(
        warnings(admin, "POST", "/apis/apps/v1/namespaces/default/deployments", deployment).await,
        ["299 - \"would violate PodSecurity 'baseline:latest': privileged (container 'c' must not set \
             securityContext.privileged=true)\""]
    );
    // What changes nothing that matters is let through.
    let patch = json!({"metadata": {"labels": {"a": "b"}}});
    assert!(admin.call("PATCH", &format!("{PODS}/strong"), Some(patch)).await.0.is_success());
}

#[tokio::test]
async fn runtime_classes_and_nodes_leave_their_mark_on_pods() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let labels = json!({"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r", "other": "x"});
    admin.create("/api/v1/nodes", json!({"metadata": {"name": "n", "labels": labels}})).await;
    let class = json!({"metadata": {"name": "heavy"}, "handler": "h", "overhead": {"podFixed": {"memory": "64Mi"}}});
    admin.create("/apis/node.k8s.io/v1/runtimeclasses", class).await;
    let mut wanted = pod("a", json!({}));
    wanted["spec"]["runtimeClassName"] = json!("heavy");
    assert_eq!(admin.create(PODS, wanted.clone()).await["spec"]["overhead"], json!({"memory": "64Mi"}));
    wanted["metadata"]["name"] = json!("b");
    wanted["spec"]["runtimeClassName"] = json!("none");
    let refused = admin.refused("POST", PODS, Some(wanted)).await.2;
    assert_eq!(refused, "pods \"b\" is forbidden: pod rejected: RuntimeClass \"none\" not found");
    let binding = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n"}});
    admin.create(&format!("{PODS}/a/binding"), binding).await;
    assert_eq!(
        admin.get(&format!("{PODS}/a")).await["metadata"]["labels"],
        json!({"topology.kubernetes.io/zone": "z", "topology.kubernetes.io/region": "r"})
    );
}

#[tokio::test]
async fn signing_and_vouching_need_a_right_and_masters_are_not_made_by_certificate() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let requests = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
    let request = |name: &str, organization: &str| {
        let pem = crate::common::signing_request(organization);
        json!({"metadata": {"name": name}, "spec": {"request": pem, "usages": ["client auth"],
            "signerName": "kubernetes.io/kube-apiserver-client"}})
    };
    let refused = admin.refused("POST", requests, Some(request("no", "system:masters"))).await.2;
    let why = "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed";
    assert!(refused.ends_with(why), "{refused}");
    admin.create(requests, request("yes", "developers")).await;
    let rules = json!([{"verbs": ["*"], "apiGroups": ["certificates.k8s.io"],
        "resources": ["certificatesigningrequests/status", "clustertrustbundles"]}]);
    let role = json!({"metadata": {"name": "signer"}, "rules": rules});
    admin.create("/apis/rbac.authorization.k8s.io/v1/clusterroles", role).await;
    let binding = json!({"metadata": {"name": "signer"}, "roleRef": {"apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole", "name": "signer"}, "subjects": [{"kind": "User", "name": "jane",
        "apiGroup": "rbac.authorization.k8s.io"}]});
    admin.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
    let jane = cluster.user("jane", &[]);
    let failed =
        json!({"status": {"conditions": [{"type": "Failed", "status": "True", "reason": "R", "message": "m"}]}});
    let refused = jane.refused("PATCH", &format!("{requests}/yes/status"), Some(failed.clone())).await;
    let why = "user not permitted to sign requests with signerName \"kubernetes.io/kube-apiserver-client\"";
    assert_eq!(refused.0, 403);
    assert!(refused.2.ends_with(why), "{}", refused.2);
    let (_, signed) = admin.call("PATCH", &format!("{requests}/yes/status"), Some(failed)).await;
    assert_eq!(signed["status"]["conditions"][0]["type"], "Failed");
    let bundles = "/apis/certificates.k8s.io/v1beta1/clustertrustbundles";
    let mut root = rcgen::CertificateParams::new(Vec::new()).unwrap();
    root.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = root.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let spec = json!({"signerName": "example.com/a", "trustBundle": root});
    let bundle = json!({"metadata": {"name": "example.com:a:1"}, "spec": spec});
    let refused = jane.refused("POST", bundles, Some(bundle)).await;
    assert!(refused.2.ends_with("user not permitted to attest for signerName \"example.com/a\""), "{}", refused.2);
}

#[tokio::test]
async fn a_namespace_that_is_missing_or_ending_is_told_before_anything_else() {
    let cluster = cluster().await;
    let admin = &cluster.admin;
    let path = "/api/v1/namespaces/gone/pods";
    let refused = admin.refused("POST", path, Some(pod("a", json!({})))).await;
    assert_eq!(refused, (404, "NotFound".to_owned(), "namespaces \"gone\" not found".to_owned()));
    admin.create("/api/v1/namespaces", json!({"metadata": {"name": "ending"}})).await;
    assert!(admin.call("DELETE", "/api/v1/namespaces/ending", None).await.0.is_success());
    let refused = admin.refused("POST", "/api/v1/namespaces/ending/pods", Some(pod("a", json!({})))).await;
    let why =
        "pods \"a\" is forbidden: unable to create new content in namespace ending because it is being terminated";
    assert_eq!(refused, (403, "Forbidden".to_owned(), why.to_owned()));
}

/// Source: plugin/pkg/admission/priority, which has asked for no namespace since 1.17.
#[tokio::test]
async fn any_namespace_may_have_pods_that_the_cluster_needs() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    admin.create("/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "default"}})).await;
    for (class, value) in [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)] {
        let pod = json!({"metadata": {"name": class}, "spec": {"priorityClassName": class, "containers": [{"name": "c", "image": "i"}]}});
        let created = admin.create("/api/v1/namespaces/default/pods", pod).await;
        assert_eq!(created["spec"]["priority"], value);
    }
}
