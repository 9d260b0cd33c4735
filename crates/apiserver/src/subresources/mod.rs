//! Subresources: one line each in [`TABLE`], one file each where there is something to do.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use registry::{Deprecation, Kind};

use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::Body;

pub(crate) mod approval;
pub(crate) mod binding;
mod ephemeral_containers;
mod eviction;
mod finalize;
mod forward;
mod kubelet;
mod narrow;
mod proxy;
mod resize;
mod rollback;
mod scale;
mod status;
mod token;

/// What discovery says of a subresource, and who answers it.
pub(crate) struct Subresource {
    /// Which kinds have it.
    on: On,
    pub(crate) name: &'static str,
    /// Group, version and kind of what it takes and gives; `None` means the parent's.
    kind: Option<(&'static str, &'static str, &'static str)>,
    pub(crate) verbs: &'static [&'static str],
    handler: Handler,
}

enum On {
    /// Group and plural.
    Kind(&'static str, &'static str),
    /// Deployments of the versions that could roll back by themselves.
    OldDeployment,
    Status,
    Scale,
}

type Handler = fn(Arc<Call>, Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>>;

const READ_WRITE: &[&str] = &["get", "patch", "update"];
const ANY: &[&str] = &["create", "delete", "get", "patch", "update"];

#[rustfmt::skip]
static TABLE: &[Subresource] = &[
    Subresource { on: On::Kind("", "pods"), name: "attach", kind: Some(("", "v1", "PodAttachOptions")), verbs: &["create", "get"], handler: kubelet::attach },
    Subresource { on: On::Kind("", "pods"), name: "binding", kind: Some(("", "v1", "Binding")), verbs: &["create"], handler: binding::create },
    Subresource { on: On::Kind("", "pods"), name: "ephemeralcontainers", kind: None, verbs: READ_WRITE, handler: ephemeral_containers::dispatch },
    Subresource { on: On::Kind("", "pods"), name: "eviction", kind: Some(("policy", "v1", "Eviction")), verbs: &["create"], handler: eviction::create },
    Subresource { on: On::Kind("", "pods"), name: "exec", kind: Some(("", "v1", "PodExecOptions")), verbs: &["create", "get"], handler: kubelet::exec },
    Subresource { on: On::Kind("", "pods"), name: "log", kind: None, verbs: &["get"], handler: kubelet::log },
    Subresource { on: On::Kind("", "nodes"), name: "proxy", kind: Some(("", "v1", "NodeProxyOptions")), verbs: ANY, handler: proxy::nodes },
    Subresource { on: On::Kind("", "pods"), name: "portforward", kind: Some(("", "v1", "PodPortForwardOptions")), verbs: &["create", "get"], handler: kubelet::port_forward },
    Subresource { on: On::Kind("", "pods"), name: "proxy", kind: Some(("", "v1", "PodProxyOptions")), verbs: ANY, handler: proxy::pods },
    Subresource { on: On::Kind("", "pods"), name: "resize", kind: None, verbs: READ_WRITE, handler: resize::dispatch },
    Subresource { on: On::Kind("", "services"), name: "proxy", kind: Some(("", "v1", "ServiceProxyOptions")), verbs: ANY, handler: proxy::services },
    Subresource { on: On::Kind("", "serviceaccounts"), name: "token", kind: Some(("authentication.k8s.io", "v1", "TokenRequest")), verbs: &["create"], handler: token::create },
    Subresource { on: On::Kind("", "namespaces"), name: "finalize", kind: None, verbs: &["update"], handler: finalize::update },
    Subresource { on: On::Kind("certificates.k8s.io", "certificatesigningrequests"), name: "approval", kind: None, verbs: READ_WRITE, handler: approval::dispatch },
    Subresource { on: On::OldDeployment, name: "rollback", kind: Some(("extensions", "v1beta1", "DeploymentRollback")), verbs: &["create"], handler: rollback::create },
    Subresource { on: On::Scale, name: "scale", kind: Some(("autoscaling", "v1", "Scale")), verbs: READ_WRITE, handler: scale::dispatch },
    Subresource { on: On::Status, name: "status", kind: None, verbs: READ_WRITE, handler: status::dispatch },
];

impl Subresource {
    fn is_on(&self, kind: &Kind) -> bool {
        match self.on {
            On::Kind(group, plural) => kind.group == group && kind.plural == plural,
            On::OldDeployment => {
                matches!((kind.group, kind.version), ("extensions" | "apps", "v1beta1")) && kind.plural == "deployments"
            }
            On::Status => kind.has_status,
            On::Scale => kind.scale.is_some(),
        }
    }

    /// Group, version and kind of what it takes and gives.
    pub(crate) fn kind_of(&self, parent: &Kind) -> (&'static str, &'static str, &'static str) {
        match self.kind {
            None => (parent.group, parent.version, parent.kind),
            Some((_, _, name)) if self.is_own_of(parent) => (parent.group, parent.version, name),
            Some(kind) => kind,
        }
    }
}

impl Subresource {
    /// Whether the old versions of the workloads have the form in a version of their own.
    fn is_own_of(&self, parent: &Kind) -> bool {
        matches!(self.on, On::Scale | On::OldDeployment)
            && matches!((parent.group, parent.version), ("extensions" | "apps", "v1beta1") | ("apps", "v1beta2"))
    }
}

/// What the `Warning` header says of a request on a kind, or on one of its subresources.
pub(crate) fn deprecation_warning(kind: &Kind, subresource: &str) -> Option<String> {
    let own = |(group, version, name): (&str, &str, &str)| {
        let (_, _, _, deprecation) = FORMS.iter().find(|(g, v, n, _)| (*g, *v, *n) == (group, version, name))?;
        deprecation.warning(&format!("{group}/{version}"), name)
    };
    kind.deprecation?;
    match of(kind).find(|known| known.name == subresource) {
        Some(known) if known.kind.is_some() => own(known.kind_of(kind)),
        _ => kind.deprecation_warning(),
    }
}

/// What is there of subresources of their own in versions of old.
static FORMS: &[(&str, &str, &str, Deprecation)] = &[
    ("extensions", "v1beta1", "Scale", Deprecation { since: 2, removed_in: Some(16), successor: "" }),
    ("apps", "v1beta1", "Scale", Deprecation { since: 8, removed_in: Some(16), successor: "autoscaling/v1 Scale" }),
    ("apps", "v1beta2", "Scale", Deprecation { since: 9, removed_in: Some(16), successor: "autoscaling/v1 Scale" }),
    ("extensions", "v1beta1", "DeploymentRollback", Deprecation { since: 8, removed_in: Some(16), successor: "" }),
    (
        "apps",
        "v1beta1",
        "DeploymentRollback",
        Deprecation { since: 8, removed_in: Some(16), successor: "apps/v1 DeploymentRollback" },
    ),
];

/// The subresources of a kind, in the order discovery lists them.
pub(crate) fn of(kind: &Kind) -> impl Iterator<Item = &'static Subresource> {
    TABLE.iter().filter(move |subresource| subresource.is_on(kind))
}

pub(crate) async fn dispatch(call: Arc<Call>, request: Request<Body>) -> Result<Response<Body>, ApiError> {
    let Some(subresource) = of(call.kind).find(|subresource| subresource.name == call.info.subresource) else {
        return Err(ApiError::no_such_resource());
    };
    // The path goes on for proxies alone.
    let leads_nowhere = !call.info.rest.is_empty() && subresource.name != "proxy";
    if !subresource.verbs.contains(&call.verb) || leads_nowhere {
        return Err(ApiError::method_not_allowed(call.subject(&call.info.name)));
    }
    (subresource.handler)(call, request).await
}
