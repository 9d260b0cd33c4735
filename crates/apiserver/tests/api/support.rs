//! Health and metrics, as monitoring reads them.

use http::Request;
use http_body_util::{BodyExt, Full};

use crate::common::{CONFIG_MAPS, Cluster, config_map};

async fn text(cluster: &Cluster, path: &str) -> (u16, String) {
    let response = cluster.admin.send(Request::get(path).body(Full::default()).unwrap()).await;
    let code = response.status().as_u16();
    (code, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn health_is_told_in_upstreams_words() {
    let cluster = Cluster::start().await;
    for endpoint in
        ["/livez", "/readyz", "/healthz", "/readyz/ping", "/livez/etcd", "/readyz/poststarthook/rbac/bootstrap-roles"]
    {
        assert_eq!(text(&cluster, endpoint).await, (200, "ok".to_owned()), "{endpoint}");
    }
    let hook = "poststarthook/rbac/bootstrap-roles";
    let live = format!("[+]ping ok\n[+]log ok\n[+]etcd ok\n[+]{hook} ok\nlivez check passed\n");
    assert_eq!(text(&cluster, "/livez?verbose").await, (200, live));
    let excluded = format!(
        "[+]ping ok\n[+]log ok\n[+]etcd excluded: ok\n[+]{hook} ok\n\
         warn: some health checks cannot be excluded: no matches for \"nonsense\"\nlivez check passed\n"
    );
    assert_eq!(text(&cluster, "/livez?verbose&exclude=etcd&exclude=nonsense").await, (200, excluded));
    assert_eq!(text(&cluster, "/livez/nonsense").await.0, 404);
}

#[tokio::test]
async fn metrics_count_requests_and_watches() {
    let cluster = Cluster::start().await;
    cluster.admin.create(CONFIG_MAPS, config_map("a")).await;
    let mut watch = cluster.admin.watch(&format!("{CONFIG_MAPS}?watch=1")).await;
    assert_eq!(watch.next().await, "ADDED a");
    let metric = async |start: &str| {
        let (_, page) = text(&cluster, "/metrics").await;
        let line = page.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{start}\n{page}"));
        line.rsplit(' ').next().unwrap().to_owned()
    };
    let resource = "group=\"\",resource=\"configmaps\",version=\"v1\"";
    assert_eq!(metric(&format!("apiserver_watch_events_total{{{resource}}}")).await, "1");
    let open = format!("apiserver_longrunning_requests{{component=\"apiserver\",{resource},verb=\"WATCH\"}}");
    assert_eq!(metric(&open).await, "1");
    drop(watch);
    assert_eq!(metric(&open).await, "0");
    let created = format!(
        "apiserver_request_total{{code=\"201\",component=\"apiserver\",dry_run=\"\",{resource},scope=\"resource\",\
         subresource=\"\",verb=\"POST\"}}"
    );
    assert_eq!(metric(&created).await, "1");
    assert_eq!(metric("apiserver_current_inflight_requests{request_kind=\"readOnly\"}").await, "1");
}

#[tokio::test]
async fn the_root_lists_the_paths_there_are_and_so_does_a_wrong_turn() {
    let cluster = Cluster::start().await;
    let (code, root) = text(&cluster, "/").await;
    let root: serde_json::Value = serde_json::from_str(&root).unwrap();
    let paths: Vec<&str> = root["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    assert_eq!(code, 200);
    assert!(paths.is_sorted());
    for path in ["/api/v1", "/apis/apps/v1", "/healthz/ping", "/openapi/v3", "/version"] {
        assert!(paths.contains(&path), "{path}");
        assert_eq!(text(&cluster, path).await.0, 200, "{path}");
    }
    for path in ["/nowhere", "/logs", "/debug/pprof"] {
        let (code, listed) = text(&cluster, path).await;
        assert_eq!((code, serde_json::from_str::<serde_json::Value>(&listed).unwrap()), (404, root.clone()), "{path}");
    }
    assert_eq!(text(&cluster, "/apis/nowhere/v1").await, (404, "404 page not found\n".to_owned()));
    let (code, version) = text(&cluster, "/version").await;
    let version: serde_json::Value = serde_json::from_str(&version).unwrap();
    assert_eq!((code, &version["major"], &version["minor"]), (200, &"1".into(), &"37".into()));
}

#[tokio::test]
async fn tokens_can_be_verified_by_whoever_fetches_the_keys() {
    let cluster = Cluster::start().await;
    let (_, configuration) = text(&cluster, "/.well-known/openid-configuration").await;
    let configuration: serde_json::Value = serde_json::from_str(&configuration).unwrap();
    assert_eq!(configuration["issuer"], "https://kubernetes.default.svc.cluster.local");
    assert_eq!(configuration["id_token_signing_alg_values_supported"], serde_json::json!(["ES256"]));
    assert!(configuration["jwks_uri"].as_str().unwrap().ends_with("/openid/v1/jwks"));
    let (_, keys) = text(&cluster, "/openid/v1/jwks").await;
    let keys: serde_json::Value = serde_json::from_str(&keys).unwrap();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["use"]), (&"EC".into(), &"P-256".into(), &"sig".into()));
}

#[tokio::test]
async fn every_group_of_this_server_is_registered_and_available() {
    let cluster = Cluster::start().await;
    let listed = cluster.admin.get("/apis/apiregistration.k8s.io/v1/apiservices").await;
    let names: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
    let groups = cluster.admin.get("/apis").await;
    for group in groups["groups"].as_array().unwrap() {
        for version in group["versions"].as_array().unwrap() {
            let name = format!("{}.{}", version["version"].as_str().unwrap(), group["name"].as_str().unwrap());
            assert_eq!(names.contains(&name.as_str()), group["name"] != "apiregistration.k8s.io", "{name}");
        }
    }
    let core = cluster.admin.get("/apis/apiregistration.k8s.io/v1/apiservices/v1.").await;
    let condition = &core["status"]["conditions"][0];
    assert_eq!((&condition["type"], &condition["status"]), (&"Available".into(), &"True".into()));
    assert_eq!((&condition["reason"], core["spec"].get("service")), (&"Local".into(), None));
}

#[tokio::test]
async fn the_parts_of_the_control_plane_tell_how_they_are() {
    const COMPONENTS: &str = "/api/v1/componentstatuses";
    let cluster = Cluster::start().await;
    let request = Request::get(COMPONENTS).body(Full::default()).unwrap();
    let response = cluster.admin.send(request).await;
    assert_eq!(response.headers()["warning"], "299 - \"v1 ComponentStatus is deprecated in v1.19+\"");
    let list = crate::common::read(response).await;
    assert_eq!((&list["kind"], list["metadata"].get("resourceVersion")), (&"ComponentStatusList".into(), None));
    let told = |item: &serde_json::Value| {
        let condition = &item["conditions"][0];
        assert_eq!((&condition["type"], &condition["status"]), (&"Healthy".into(), &"True".into()));
        format!("{} {}", item["metadata"]["name"].as_str().unwrap(), condition["message"].as_str().unwrap())
    };
    let all: Vec<String> = list["items"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(all, ["scheduler ok", "controller-manager ok", "etcd-0 ok"]);
    let request = Request::get(COMPONENTS).header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let table = crate::common::read(cluster.admin.send(request.body(Full::default()).unwrap()).await).await;
    let cells: Vec<String> = table["rows"].as_array().unwrap().iter().map(|row| row["cells"].to_string()).collect();
    assert_eq!(cells[2], r#"["etcd-0","Healthy","ok",""]"#);
    let one = cluster.admin.get(&format!("{COMPONENTS}/scheduler")).await;
    assert_eq!((&one["kind"], told(&one)), (&"ComponentStatus".into(), "scheduler ok".to_owned()));
    let list = cluster.admin.get(&format!("{COMPONENTS}?fieldSelector=metadata.name=etcd-0")).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let unknown = cluster.admin.refused("GET", &format!("{COMPONENTS}/kubelet"), None).await;
    assert_eq!(unknown, (500, String::new(), "Component not found: kubelet".to_owned()));
    let written = cluster.admin.refused("POST", COMPONENTS, Some(serde_json::json!({}))).await;
    assert_eq!((written.0, written.1.as_str()), (405, "MethodNotAllowed"));
}

#[tokio::test]
async fn whoever_reads_endpoints_is_told_of_slices() {
    let cluster = Cluster::start().await;
    let request = Request::get("/api/v1/namespaces/default/endpoints/kubernetes").body(Full::default()).unwrap();
    let response = cluster.admin.send(request).await;
    let warning = "299 - \"v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\"";
    assert_eq!(response.headers()["warning"], warning);
}

#[tokio::test]
async fn what_other_rooms_answer_comes_in_the_form_that_is_asked_for() {
    use std::sync::Arc;
    let cluster = Cluster::start().await;
    let item = serde_json::json!({"metadata": {"name": "n"}, "window": "10s", "usage": {"cpu": "5m", "memory": "1Mi"}});
    let list = serde_json::json!({"kind": "NodeMetricsList", "apiVersion": "metrics.k8s.io/v1beta1", "metadata": {}, "items": [item]});
    cluster.server.add_group(apiserver::LocalGroup {
        name: "metrics.k8s.io",
        versions: &["v1beta1"],
        resources: Arc::new(Vec::new),
        answer: Arc::new(move |_| {
            let list = list.clone();
            Box::pin(async move { Some((200, list)) })
        }),
    });
    let get = async |accept: &str| {
        let request = Request::get("/apis/metrics.k8s.io/v1beta1/nodes").header("accept", accept);
        cluster.admin.send(request.body(Full::default()).unwrap()).await
    };
    let plain = crate::common::read(get("application/json").await).await;
    assert_eq!(plain["items"][0]["usage"]["cpu"], "5m");
    let table = crate::common::read(get("application/json;as=Table;v=v1;g=meta.k8s.io,application/json").await).await;
    let columns: Vec<&str> =
        table["columnDefinitions"].as_array().unwrap().iter().map(|column| column["name"].as_str().unwrap()).collect();
    assert_eq!((&table["kind"], columns), (&"Table".into(), vec!["Name", "cpu", "memory", "Window"]));
    assert_eq!(table["rows"][0]["cells"], serde_json::json!(["n", "5m", "1Mi", "10s"]));
    assert_eq!(table["rows"][0]["object"]["kind"], "PartialObjectMetadata");
    let partial =
        crate::common::read(get("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io").await).await;
    assert_eq!(
        partial["items"][0],
        serde_json::json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "n"}})
    );
    let packed = get("application/vnd.kubernetes.protobuf,application/json").await;
    // `kubectl top` asks so.
    assert_eq!(packed.headers()["content-type"], "application/vnd.kubernetes.protobuf");
    let packed = packed.into_body().collect().await.unwrap().to_bytes();
    // The window is a message of nanoseconds, as generated.proto of metrics has it.
    let window = [0x1a, 6, 0x08, 0x80, 0xc8, 0xaf, 0xa0, 0x25];
    assert!(packed.windows(window.len()).any(|bytes| bytes == window), "{packed:?}");
    let yaml = get("application/yaml").await;
    assert_eq!(yaml.headers()["content-type"], "application/yaml");
    assert_eq!(get("text/html").await.status(), 406);
}
