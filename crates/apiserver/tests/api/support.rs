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
