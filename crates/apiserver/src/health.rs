//! `/healthz`, `/livez`, `/readyz`: alive, and ready to be used.

use std::fmt::Write;

use http::{Response, StatusCode};

use crate::server::ApiServer;
use crate::status::text;
use crate::wire::body::Body;
use crate::wire::query::Query;

const BOOTSTRAP: &str = "poststarthook/rbac/bootstrap-roles";

/// The checks of each endpoint, in the order they are reported.
const ENDPOINTS: [(&str, &[&str]); 3] = [
    ("healthz", &["ping", "log", "etcd", BOOTSTRAP]),
    ("livez", &["ping", "log", "etcd", BOOTSTRAP]),
    ("readyz", &["ping", "log", "etcd", "etcd-readiness", "informer-sync", BOOTSTRAP, "shutdown"]),
];

/// Every path of this kind.
pub(crate) fn paths() -> impl Iterator<Item = String> {
    ENDPOINTS.iter().flat_map(|(endpoint, checks)| {
        let parts = checks.iter().map(move |check| format!("/{endpoint}/{check}"));
        std::iter::once(format!("/{endpoint}")).chain(parts)
    })
}

pub(crate) async fn answer(server: &ApiServer, path: &str, query: &Query) -> Option<Response<Body>> {
    let path = path.strip_prefix('/')?;
    let (endpoint, only) = path.split_once('/').unwrap_or((path, ""));
    let (_, checks) = ENDPOINTS.iter().find(|(name, _)| *name == endpoint)?;
    if only.is_empty() {
        return Some(all(server, endpoint, checks, query).await);
    }
    let check = checks.iter().find(|check| **check == only)?;
    Some(match run(server, check).await {
        Ok(()) => text(StatusCode::OK, "ok"),
        Err(reason) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("internal server error: {reason}\n")),
    })
}

/// Every check of an endpoint; the report is given where something fails, or where it is asked for.
async fn all(server: &ApiServer, endpoint: &str, checks: &[&str], query: &Query) -> Response<Body> {
    let mut report = String::new();
    let mut line = |text: String| writeln!(report, "{text}").expect("a String takes every write");
    let mut failed = Vec::new();
    let mut excluded: Vec<&str> = query.all("exclude").collect();
    for check in checks {
        if excluded.contains(check) {
            excluded.retain(|name| name != check);
            line(format!("[+]{check} excluded: ok"));
            continue;
        }
        match run(server, check).await {
            Ok(()) => line(format!("[+]{check} ok")),
            Err(reason) => {
                // Everybody may read this page, and not every reason is for everybody.
                line(format!("[-]{check} failed: reason withheld"));
                failed.push(format!("{check}: {reason}"));
            }
        }
    }
    if !excluded.is_empty() {
        excluded.sort_unstable();
        excluded.dedup();
        let names: Vec<String> = excluded.iter().map(|name| format!("{name:?}")).collect();
        line(format!("warn: some health checks cannot be excluded: no matches for {}", names.join(",")));
    }
    if !failed.is_empty() {
        tracing::info!(endpoint, failed = failed.join("; "), "health checks failed");
        report.push_str(&format!("{endpoint} check failed\n"));
        text(StatusCode::INTERNAL_SERVER_ERROR, report)
    } else if query.has("verbose") {
        report.push_str(&format!("{endpoint} check passed\n"));
        text(StatusCode::OK, report)
    } else {
        text(StatusCode::OK, "ok")
    }
}

async fn run(server: &ApiServer, check: &str) -> Result<(), String> {
    match check {
        // The store, under the name that monitoring looks for.
        "etcd" | "etcd-readiness" => store(server).await,
        BOOTSTRAP if !server.is_started() => Err("not finished".to_owned()),
        "informer-sync" => server.rbac.catch_up().await.map_err(|error| stdx::error::chain(&error)),
        "shutdown" if server.shutdown.is_cancelled() => Err("process is shutting down".to_owned()),
        _ => Ok(()),
    }
}

/// Whether the store answers.
pub(crate) async fn store(server: &ApiServer) -> Result<(), String> {
    let namespaces = crate::kinds::required("", "v1", "namespaces");
    let read = server.storage.get(namespaces, "", "default").await;
    read.map(|_| ()).map_err(|error| stdx::error::chain(&error))
}
