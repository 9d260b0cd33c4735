//! `/healthz`, `/livez`, `/readyz`: alive, and ready to be used.

use http::{Response, StatusCode};

use crate::server::ApiServer;
use crate::status::text;
use crate::wire::body::Body;
use crate::wire::query::Query;

/// The checks of each endpoint, in the order they are reported.
const ENDPOINTS: [(&str, &[&str]); 3] = [
    ("healthz", &["ping", "log", "etcd", "poststarthook/rbac/bootstrap-roles"]),
    ("livez", &["ping", "log", "etcd"]),
    ("readyz", &["ping", "log", "etcd", "poststarthook/rbac/bootstrap-roles", "shutdown"]),
];

pub(crate) async fn answer(server: &ApiServer, path: &str, query: &Query) -> Option<Response<Body>> {
    let path = path.strip_prefix('/')?;
    let (endpoint, only) = path.split_once('/').unwrap_or((path, ""));
    let (_, checks) = ENDPOINTS.iter().find(|(name, _)| *name == endpoint)?;
    if !only.is_empty() && !checks.contains(&only) {
        return Some(text(StatusCode::NOT_FOUND, "404 page not found\n"));
    }
    let mut report = String::new();
    let mut failed = false;
    for check in checks.iter().filter(|check| only.is_empty() || **check == only) {
        if query.all("exclude").any(|excluded| excluded == *check) {
            report.push_str(&format!("[+]{check} excluded: ok\n"));
            continue;
        }
        if passes(server, check).await {
            report.push_str(&format!("[+]{check} ok\n"));
        } else {
            failed = true;
            report.push_str(&format!("[-]{check} failed: reason withheld\n"));
        }
    }
    Some(if failed {
        report.push_str(&format!("{endpoint} check failed\n"));
        text(StatusCode::INTERNAL_SERVER_ERROR, report)
    } else if query.has("verbose") {
        report.push_str(&format!("{endpoint} check passed\n"));
        text(StatusCode::OK, report)
    } else {
        text(StatusCode::OK, "ok")
    })
}

async fn passes(server: &ApiServer, check: &str) -> bool {
    match check {
        // The store, under the name that monitoring looks for.
        "etcd" => server.storage.get(crate::kinds::required("", "v1", "namespaces"), "", "default").await.is_ok(),
        "poststarthook/rbac/bootstrap-roles" => server.is_ready() || server.shutdown.is_cancelled(),
        "shutdown" => server.is_ready(),
        _ => true,
    }
}
