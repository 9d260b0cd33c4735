//! `/`: the paths there are. Whoever asks for one that is not there is told them too.

use http::{Response, StatusCode};
use serde_json::json;

use crate::server::ApiServer;
use crate::status::json as respond;
use crate::storage::group_version;
use crate::wire::body::Body;
use crate::{health, kinds};

const PATHS: [&str; 10] = [
    "/.well-known/openid-configuration",
    "/api",
    "/api/v1",
    "/apis",
    "/apis/",
    "/metrics",
    "/openapi/v2",
    "/openapi/v3",
    "/openid/v1/jwks",
    "/version",
];

/// The list, for the root and for paths outside of the API that nobody serves.
pub(crate) fn list(server: &ApiServer, code: StatusCode) -> Response<Body> {
    let mut paths: Vec<String> = PATHS.iter().map(|path| (*path).to_owned()).collect();
    paths.extend(health::paths());
    let groups = kinds::group_versions(server.serves_legacy_apis());
    for (group, versions) in groups.into_iter().filter(|(group, _)| !group.is_empty()) {
        paths.push(format!("/apis/{group}"));
        paths.extend(versions.into_iter().map(|version| format!("/apis/{}", group_version(group, version))));
    }
    for group in server.groups.all().into_iter().filter(|group| !group.name.is_empty()) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|version| format!("/apis/{}", group_version(group.name, version))));
    }
    paths.sort();
    paths.dedup();
    respond(code, &json!({ "paths": paths }))
}
