//! Questions: who am I, who is this, may they.

use serde_json::{Value, json};

use crate::common::Cluster;

const AUTHORIZATION: &str = "/apis/authorization.k8s.io/v1";

async fn grant(cluster: &Cluster, name: &str, subject: Value, rules: Value) {
    let group = "/apis/rbac.authorization.k8s.io/v1";
    let role = json!({"metadata": {"name": name}, "rules": rules});
    cluster.admin.create(&format!("{group}/clusterroles"), role).await;
    bind(cluster, name, subject).await;
}

async fn bind(cluster: &Cluster, role: &str, subject: Value) {
    let reference = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role});
    let binding = json!({"metadata": {"name": role}, "roleRef": reference, "subjects": [subject]});
    cluster.admin.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding).await;
}

fn user(name: &str) -> Value {
    json!({"kind": "User", "name": name, "apiGroup": "rbac.authorization.k8s.io"})
}

#[tokio::test]
async fn reviews_say_which_grant_allows_and_what_is_amiss() {
    let cluster = Cluster::start().await;
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]},
        {"verbs": ["get"], "nonResourceURLs": ["/logs/*"]}]);
    grant(&cluster, "reader", user("jane"), rules).await;
    let jane = cluster.user("jane", &[]);
    let own = format!("{AUTHORIZATION}/selfsubjectaccessreviews");
    let ask = |attributes: Value| json!({"spec": {"resourceAttributes": attributes}});
    let get = json!({"verb": "get", "resource": "pods", "namespace": "default"});
    assert_eq!(
        jane.create(&own, ask(get.clone())).await["status"],
        json!({
            "allowed": true,
            "reason": "RBAC: allowed by ClusterRoleBinding \"reader\" of ClusterRole \"reader\" to User \"jane\"",
        })
    );
    let delete = json!({"verb": "delete", "resource": "pods", "namespace": "default"});
    assert_eq!(jane.create(&own, ask(delete.clone())).await["status"], json!({"allowed": false}));
    let path = json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/logs/x"}}});
    assert_eq!(jane.create(&own, path).await["status"]["allowed"], true);
    bind(&cluster, "gone", user("jane")).await;
    let amiss = "RBAC: clusterrole.rbac.authorization.k8s.io \"gone\" not found";
    assert_eq!(jane.create(&own, ask(delete)).await["status"], json!({"allowed": false, "reason": amiss}));
    let refused = jane.refused("DELETE", "/api/v1/namespaces/default/pods/a", None).await.2;
    let why = format!(
        "pods \"a\" is forbidden: User \"jane\" cannot delete resource \"pods\" in API group \"\" in the namespace \
         \"default\": {amiss}"
    );
    assert_eq!(refused, why);
    let about = json!({"spec": {"user": "jane", "resourceAttributes": get}});
    let others = format!("{AUTHORIZATION}/subjectaccessreviews");
    assert_eq!(cluster.admin.create(&others, about.clone()).await["status"]["allowed"], true);
    let local = |namespace: &str| format!("{AUTHORIZATION}/namespaces/{namespace}/localsubjectaccessreviews");
    assert_eq!(cluster.admin.create(&local("default"), about.clone()).await["status"]["allowed"], true);
    let refused = cluster.admin.refused("POST", &local("kube-system"), Some(about)).await;
    let why = "LocalSubjectAccessReview.authorization.k8s.io \"\" is invalid: spec.resourceAttributes.namespace: Invalid \
               value: \"default\": must match metadata.namespace";
    assert_eq!((refused.0, refused.2.as_str()), (422, why));
}

#[tokio::test]
async fn a_kubelet_may_list_the_pods_it_selects_by_node() {
    let cluster = Cluster::start().await;
    let others = format!("{AUTHORIZATION}/subjectaccessreviews");
    let ask = |selector: Value| {
        json!({"spec": {"user": "system:node:n", "groups": ["system:nodes"], "resourceAttributes": {
            "verb": "list", "resource": "pods", "fieldSelector": selector}}})
    };
    for (selector, allowed) in [
        (json!({"rawSelector": "spec.nodeName=n"}), true),
        (json!({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n"]}]}), true),
        (json!({"requirements": [{"key": "spec.nodeName", "operator": "In", "values": ["n", "m"]}]}), false),
        (json!({"rawSelector": "spec.nodeName=m"}), false),
    ] {
        let answer = cluster.admin.create(&others, ask(selector.clone())).await;
        assert_eq!(answer["status"]["allowed"], allowed, "{selector}");
    }
    let both = json!({"rawSelector": "a=b", "requirements": [{"key": "a", "operator": "Exists"}]});
    assert_eq!(cluster.admin.refused("POST", &others, Some(ask(both))).await.0, 422);
}

#[tokio::test]
async fn rules_are_listed_with_paths_and_told_incomplete_for_kubelets() {
    let cluster = Cluster::start().await;
    let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]}]);
    grant(&cluster, "reader", user("jane"), rules).await;
    let path = format!("{AUTHORIZATION}/selfsubjectrulesreviews");
    let ask = json!({"spec": {"namespace": "default"}});
    let jane = cluster.user("jane", &["system:authenticated"]).create(&path, ask.clone()).await;
    let resources = jane["status"]["resourceRules"].as_array().unwrap();
    let own = json!({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"], "resourceNames": ["a"]});
    assert!(resources.contains(&own), "{resources:?}");
    let paths = jane["status"]["nonResourceRules"].as_array().unwrap();
    let covers = |url: &str| paths.iter().any(|rule| rule["nonResourceURLs"].as_array().unwrap().contains(&json!(url)));
    assert!(covers("/version") && covers("/healthz"), "{paths:?}");
    assert_eq!(jane["status"]["incomplete"], false);
    let admin = cluster.admin.create(&path, ask.clone()).await;
    let all = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
    let count = admin["status"]["resourceRules"].as_array().unwrap().iter().filter(|rule| **rule == all).count();
    assert_eq!(count, 1);
    let node = cluster.user("system:node:n", &["system:nodes", "system:authenticated"]).create(&path, ask).await;
    assert_eq!(node["status"]["incomplete"], true);
    assert_eq!(node["status"]["evaluationError"], "node authorizer does not support user rule resolution");
    let refused = cluster.admin.refused("POST", &path, Some(json!({"spec": {}}))).await;
    assert_eq!((refused.0, refused.2.as_str()), (400, "no namespace on request"));
}

#[tokio::test]
async fn tokens_are_reviewed_for_their_audiences() {
    let cluster = Cluster::start().await;
    let admin = &cluster.admin;
    let account =
        admin.create("/api/v1/namespaces/default/serviceaccounts", json!({"metadata": {"name": "bot"}})).await;
    let request = |audiences: Value| json!({"spec": {"audiences": audiences, "expirationSeconds": 3600}});
    let token = async |audiences: Value| {
        let path = "/api/v1/namespaces/default/serviceaccounts/bot/token";
        admin.create(path, request(audiences)).await["status"]["token"].as_str().unwrap().to_owned()
    };
    let path = "/apis/authentication.k8s.io/v1/tokenreviews";
    let review = async |token: &str, audiences: Value| {
        admin.create(path, json!({"spec": {"token": token, "audiences": audiences}})).await["status"].clone()
    };
    let vault = token(json!(["vault", "other"])).await;
    let known = review(&vault, json!(["vault", "unknown"])).await;
    assert_eq!(known["authenticated"], true);
    assert_eq!(known["audiences"], json!(["vault"]));
    assert_eq!(known["user"]["username"], "system:serviceaccount:default:bot");
    assert_eq!(known["user"]["uid"], account["metadata"]["uid"]);
    let groups = json!(["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"]);
    assert_eq!(known["user"]["groups"], groups);
    for (text, audiences) in
        [(vault.as_str(), json!([])), (vault.as_str(), json!(["api"])), ("nonsense", json!(["vault"]))]
    {
        let unknown = review(text, audiences.clone()).await;
        assert_eq!(unknown.get("authenticated"), None, "{text} {audiences}");
        assert!(!unknown["error"].as_str().unwrap().is_empty());
    }
    let refused = admin.refused("POST", path, Some(json!({"spec": {}}))).await;
    assert_eq!((refused.0, refused.2.as_str()), (400, "token is required for TokenReview in authentication"));
}

#[tokio::test]
async fn everybody_may_ask_who_they_are() {
    let cluster = Cluster::start().await;
    let jane = cluster.user("jane", &["developers", "system:authenticated"]);
    let answer = jane.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", json!({})).await;
    assert_eq!(answer["kind"], "SelfSubjectReview");
    assert_eq!(answer["status"]["userInfo"]["username"], "jane");
    assert!(answer["status"]["userInfo"]["groups"].as_array().unwrap().contains(&json!("developers")));
}
