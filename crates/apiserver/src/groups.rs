//! Groups that other rooms of this process answer: read-only resources that rest nowhere.
//!
//! A request for them passes the same filters as any other, and is answered here instead of by a verb.

use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use crate::status::{ApiError, json as respond};
use crate::storage::group_version;
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request_info::ResourceInfo;

/// A group, and who answers for it.
#[derive(Clone)]
pub struct LocalGroup {
    pub name: &'static str,
    /// The preferred one first.
    pub versions: &'static [&'static str],
    pub resources: Vec<LocalResource>,
    pub answer: Answerer,
}

#[derive(Clone, Copy, Debug)]
pub struct LocalResource {
    pub plural: &'static str,
    pub kind: &'static str,
    pub is_namespaced: bool,
}

/// A get, or a list where there is no name.
#[derive(Clone, Debug)]
pub struct LocalRequest {
    pub version: String,
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub label_selector: String,
    pub field_selector: String,
}

/// Gives an HTTP status and a body: the object or the list, or a `Status`.
pub type Answerer = Arc<dyn Fn(LocalRequest) -> BoxFuture<'static, (u16, Value)> + Send + Sync>;

#[derive(Default)]
pub(crate) struct LocalGroups(RwLock<Vec<Arc<LocalGroup>>>);

impl LocalGroups {
    pub(crate) fn add(&self, group: LocalGroup) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(group));
    }

    pub(crate) fn all(&self) -> Vec<Arc<LocalGroup>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn find(&self, group: &str, version: &str) -> Option<Arc<LocalGroup>> {
        let groups = self.0.read().unwrap_or_else(PoisonError::into_inner);
        groups.iter().find(|one| one.name == group && one.versions.contains(&version)).cloned()
    }
}

/// Answers a request for one of the group's resources.
pub(crate) async fn answer(
    group: &LocalGroup,
    verb: &str,
    resource: &ResourceInfo,
    query: &Query,
) -> Result<Response<Body>, ApiError> {
    let known = group.resources.iter().find(|one| one.plural == resource.resource);
    let Some(known) = known.filter(|_| resource.subresource.is_empty()) else {
        return Err(ApiError::no_such_resource());
    };
    if !matches!(verb, "get" | "list") || (!known.is_namespaced && !resource.namespace.is_empty()) {
        return Err(ApiError::no_such_resource());
    }
    let text = |name| query.get(name).map(str::to_owned).unwrap_or_default();
    let request = LocalRequest {
        version: resource.version.clone(),
        resource: resource.resource.clone(),
        namespace: resource.namespace.clone(),
        // A list narrowed to one name bears it for the authoriser's sake.
        name: if verb == "get" { resource.name.clone() } else { String::new() },
        label_selector: text("labelSelector"),
        field_selector: text("fieldSelector"),
    };
    let (code, body) = (group.answer)(request).await;
    Ok(respond(StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body))
}

impl LocalGroup {
    /// As an APIResourceList.
    pub(crate) fn listed(&self, version: &str) -> Value {
        let resources: Vec<Value> = self
            .resources
            .iter()
            .map(|resource| {
                json!({
                    "name": resource.plural,
                    "singularName": "",
                    "namespaced": resource.is_namespaced,
                    "kind": resource.kind,
                    "verbs": ["get", "list"],
                })
            })
            .collect();
        json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version(self.name, version),
            "resources": resources,
        })
    }

    /// As an item of aggregated discovery.
    pub(crate) fn aggregated(&self) -> Value {
        let resources = |version: &str| -> Vec<Value> {
            let described = self.resources.iter().map(|resource| {
                json!({
                    "resource": resource.plural,
                    "responseKind": {"group": self.name, "version": version, "kind": resource.kind},
                    "scope": if resource.is_namespaced { "Namespaced" } else { "Cluster" },
                    "singularResource": "",
                    "verbs": ["get", "list"],
                })
            });
            described.collect()
        };
        let versions = self
            .versions
            .iter()
            .map(|version| json!({"version": version, "resources": resources(version), "freshness": "Current"}));
        json!({
            "metadata": {"name": self.name, "creationTimestamp": null},
            "versions": versions.collect::<Vec<_>>(),
        })
    }
}
