//! Who may do what: members of `system:masters` everything, kubelets what their pods need, everybody
//! else what RBAC grants.

use crate::auth::{MASTERS, User};
use crate::call::Call;
use crate::server::ApiServer;
use crate::status::{ApiError, Subject};
use crate::wire::query::Query;
use crate::wire::request_info::{RequestInfo, ResourceInfo};

mod node;
pub(crate) mod rbac;
pub(crate) mod rules;

/// Refuses what the user may not do, as far as the grants are known: see [`rbac::Rbac::catch_up`].
pub(crate) async fn authorize(
    server: &ApiServer,
    user: &User,
    info: &RequestInfo,
    query: &Query,
) -> Result<(), ApiError> {
    match &info.resource {
        None if allows_path(server, user, info.verb, &info.path) => Ok(()),
        None => {
            let why = format!("User {:?} cannot {} path {:?}", user.name, info.verb, info.path);
            Err(ApiError::forbidden(Subject { group: "", resource: "", name: "" }, &why))
        }
        Some(resource) => {
            for verb in verbs_needed(info, resource) {
                if !allows_resource(server, user, verb, resource, query).await? {
                    let subject =
                        Subject { group: &resource.group, resource: &resource.resource, name: &resource.name };
                    return Err(ApiError::forbidden(subject, &denial(user, verb, resource)));
                }
            }
            Ok(())
        }
    }
}

/// Whether the user may do this to the resource; the one answer for requests and reviews alike.
pub(crate) async fn allows_resource(
    server: &ApiServer,
    user: &User,
    verb: &str,
    resource: &ResourceInfo,
    query: &Query,
) -> Result<bool, ApiError> {
    if user.is_in(MASTERS) || server.rbac.allows_resource(user, verb, resource) {
        return Ok(true);
    }
    match user.node_name() {
        Some(node) => node::allows(&server.storage, node, verb, resource, query).await,
        None => Ok(false),
    }
}

/// Whether the caller may do this to a signer of certificates, by its name or by its whole domain.
pub(crate) async fn allows_signer(call: &Call, verb: &str, signer: &str) -> Result<bool, ApiError> {
    let domain = signer.split('/').next().unwrap_or("");
    for name in [signer.to_owned(), format!("{domain}/*")] {
        let resource = ResourceInfo {
            group: "certificates.k8s.io".to_owned(),
            version: "*".to_owned(),
            resource: "signers".to_owned(),
            name,
            ..ResourceInfo::default()
        };
        if allows_resource(&call.server, &call.user, verb, &resource, &call.query).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(crate) fn allows_path(server: &ApiServer, user: &User, verb: &str, path: &str) -> bool {
    user.is_in(MASTERS) || server.rbac.allows_path(user, verb, path)
}

/// Why a request was refused, in upstream's words.
pub(crate) fn denial(user: &User, verb: &str, resource: &ResourceInfo) -> String {
    let place = match resource.namespace.as_str() {
        "" => "at the cluster scope".to_owned(),
        namespace => format!("in the namespace {namespace:?}"),
    };
    let resource_name = resource.with_subresource();
    let group = &resource.group;
    format!("User {:?} cannot {verb} resource {resource_name:?} in API group {group:?} {place}", user.name)
}

/// Entering a container counts as creating something in it, whatever the method: a WebSocket can
/// only be opened with GET.
fn verbs_needed(info: &RequestInfo, resource: &ResourceInfo) -> impl Iterator<Item = &'static str> + Send + use<> {
    let enters =
        resource.resource == "pods" && matches!(resource.subresource.as_str(), "exec" | "attach" | "portforward");
    let create = (enters && info.verb == "get").then_some("create");
    std::iter::once(info.verb).chain(create)
}
