//! Who may do what, through every filter.

use serde_json::json;

use crate::common::{CONFIG_MAPS, Cluster, config_map};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";

#[tokio::test]
async fn a_grant_holds_from_the_moment_it_is_acknowledged() {
    let cluster = Cluster::start().await;
    let jane = cluster.user("jane", &[]);
    cluster.admin.create(CONFIG_MAPS, config_map("a")).await;
    let path = format!("{CONFIG_MAPS}/a");
    assert_eq!(jane.refused("GET", &path, None).await.0, 403);
    let binding = json!({
        "metadata": {"name": "jane"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "jane"}],
    });
    cluster.admin.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding).await;
    jane.get(&path).await;
    assert_eq!(jane.refused("DELETE", &path, None).await.0, 403);
    assert_eq!(jane.refused("GET", "/api/v1/namespaces/kube-system/configmaps", None).await.0, 403);
    let review =
        json!({"spec": {"resourceAttributes": {"verb": "get", "resource": "configmaps", "namespace": "default"}}});
    let answer = jane.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review).await;
    assert_eq!(answer["status"]["allowed"], true);
    cluster.admin.call("DELETE", &format!("{RBAC}/namespaces/default/rolebindings/jane"), None).await;
    assert_eq!(jane.refused("GET", &path, None).await.0, 403);
}

#[tokio::test]
async fn nobody_grants_what_they_do_not_hold() {
    let cluster = Cluster::start().await;
    let binding = json!({
        "metadata": {"name": "bob"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"}],
    });
    cluster.admin.create(&format!("{RBAC}/namespaces/default/rolebindings"), binding).await;
    let bob = cluster.user("bob", &[]);
    let role = |resource: &str| {
        let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": [resource]}]);
        json!({"metadata": {"name": resource}, "rules": rules})
    };
    let roles = format!("{RBAC}/namespaces/default/roles");
    bob.create(&roles, role("pods")).await;
    let (code, _, message) = bob.refused("POST", &roles, Some(role("nodes"))).await;
    assert_eq!(code, 403);
    assert!(message.contains("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\"]}"), "{message}");
    let all = json!({
        "metadata": {"name": "bob-all"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "bob"}],
    });
    assert_eq!(bob.refused("POST", &format!("{RBAC}/namespaces/default/rolebindings"), Some(all)).await.0, 403);
}

#[tokio::test]
async fn impersonation_needs_the_right_and_gives_no_more_than_the_other_has() {
    let cluster = Cluster::start().await;
    let get = |name: &str| {
        http::Request::get(CONFIG_MAPS).header("impersonate-user", name).body(http_body_util::Full::default()).unwrap()
    };
    assert_eq!(cluster.admin.send(get("jane")).await.status(), 403);
    assert_eq!(cluster.user("bob", &[]).send(get("admin")).await.status(), 403);
}

#[tokio::test]
async fn a_node_reaches_its_own_pods_secrets_and_nothing_else() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let node = cluster.user("system:node:n1", &["system:nodes"]);
    let object = |name: &str| json!({"metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}}});
    node.create("/api/v1/nodes", object("n1")).await;
    assert_eq!(node.refused("POST", "/api/v1/nodes", Some(object("n2"))).await.0, 403);
    admin.create("/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "default"}})).await;
    for name in ["mine", "other"] {
        admin.create("/api/v1/namespaces/default/secrets", json!({"metadata": {"name": name}})).await;
    }
    let pod = json!({"metadata": {"name": "a"}, "spec": {
        "containers": [{"name": "c", "image": "i"}],
        "volumes": [{"name": "v", "secret": {"secretName": "mine"}}],
    }});
    let pods = "/api/v1/namespaces/default/pods";
    admin.create(pods, pod).await;
    let secret = |name: &str| format!("/api/v1/namespaces/default/secrets/{name}");
    assert_eq!(node.refused("GET", &secret("mine"), None).await.0, 403, "not bound yet");
    let binding = json!({"metadata": {"name": "a"}, "target": {"kind": "Node", "name": "n1"}});
    admin.create(&format!("{pods}/a/binding"), binding.clone()).await;
    node.get(&secret("mine")).await;
    assert_eq!(node.refused("GET", &secret("other"), None).await.0, 403);
    assert_eq!(node.refused("GET", "/api/v1/namespaces/default/secrets", None).await.0, 403);
    node.get(&format!("{pods}/a")).await;
    node.get("/api/v1/pods?fieldSelector=spec.nodeName%3Dn1").await;
    assert_eq!(node.refused("GET", "/api/v1/pods", None).await.0, 403);
    let status = json!({"status": {"phase": "Running"}});
    let (code, _) = node.call("PATCH", &format!("{pods}/a/status"), Some(status)).await;
    assert_eq!(code, 200);
    let taints = json!({"spec": {"taints": []}});
    assert_eq!(node.refused("PATCH", "/api/v1/nodes/n1", Some(taints)).await.0, 403);
    let again = admin.refused("POST", &format!("{pods}/a/binding"), Some(binding)).await;
    assert_eq!(again.2, "Operation cannot be fulfilled on pods \"a\": pod a is already assigned to node \"n1\"");
}

#[tokio::test]
async fn a_token_lives_as_long_as_what_it_is_bound_to() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let accounts = "/api/v1/namespaces/default/serviceaccounts";
    admin.create(accounts, json!({"metadata": {"name": "bot"}})).await;
    let request = json!({"spec": {"expirationSeconds": 600}});
    let answer = admin.create(&format!("{accounts}/bot/token"), request).await;
    let token = answer["status"]["token"].as_str().unwrap().to_owned();
    let review = || json!({"spec": {"token": token}});
    let reviews = "/apis/authentication.k8s.io/v1/tokenreviews";
    let verdict = admin.create(reviews, review()).await;
    assert_eq!(verdict["status"]["authenticated"], true, "{verdict}");
    assert_eq!(verdict["status"]["user"]["username"], "system:serviceaccount:default:bot");
    admin.call("DELETE", &format!("{accounts}/bot"), None).await;
    admin.create(accounts, json!({"metadata": {"name": "bot"}})).await;
    let verdict = admin.create(reviews, review()).await;
    assert_eq!(verdict["status"].get("authenticated"), None, "another account of the same name");
    let short =
        admin.refused("POST", &format!("{accounts}/bot/token"), Some(json!({"spec": {"expirationSeconds": 60}}))).await;
    assert!(short.2.contains("may not specify a duration less than 10 minutes"), "{short:?}");
}
