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
            let why = with_reason(why, &server.rbac.amiss(user, ""));
            Err(ApiError::forbidden(Subject { group: "", resource: "", name: "" }, &why))
        }
        Some(resource) => {
            for verb in verbs_needed(info, resource) {
                if !allows_resource(server, user, verb, resource, query).await? {
                    let subject =
                        Subject { group: &resource.group, resource: &resource.resource, name: &resource.name };
                    let why = with_reason(denial(user, verb, resource), &server.rbac.amiss(user, &resource.namespace));
                    return Err(ApiError::forbidden(subject, &why));
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
        Some(node) => Box::pin(node::allows(&server.storage, node, verb, resource, query)).await,
        None => Ok(false),
    }
}

/// What a review answers.
pub(crate) struct Verdict {
    pub(crate) allowed: bool,
    /// Which grant allows it, or what is amiss with the user's grants; mostly empty.
    pub(crate) reason: String,
}

/// As [`allows_resource`], with the reason.
pub(crate) async fn judge_resource(
    server: &ApiServer,
    user: &User,
    verb: &str,
    resource: &ResourceInfo,
    query: &Query,
) -> Result<Verdict, ApiError> {
    server.rbac.catch_up().await?;
    let allowed = allows_resource(server, user, verb, resource, query).await?;
    let granted = || server.rbac.grant(user, &resource.namespace, |rule| rule.allows_resource(verb, resource));
    Ok(Verdict { allowed, reason: reason(server, user, &resource.namespace, allowed, granted) })
}

/// As [`allows_path`], with the reason.
pub(crate) fn judge_path(server: &ApiServer, user: &User, verb: &str, path: &str) -> Verdict {
    let allowed = allows_path(server, user, verb, path);
    let granted = || server.rbac.grant(user, "", |rule| rule.allows_path(verb, path));
    Verdict { allowed, reason: reason(server, user, "", allowed, granted) }
}

fn reason(
    server: &ApiServer,
    user: &User,
    namespace: &str,
    allowed: bool,
    granted: impl Fn() -> Option<String>,
) -> String {
    match allowed {
        // Masters are asked about no grant.
        true if user.is_in(MASTERS) => String::new(),
        true => granted().unwrap_or_default(),
        false => server.rbac.amiss(user, namespace),
    }
}

fn with_reason(why: String, reason: &str) -> String {
    if reason.is_empty() { why } else { format!("{why}: {reason}") }
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
