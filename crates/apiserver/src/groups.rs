//! Groups that other rooms of this process answer: read-only resources that rest nowhere.
//!
//! A request for them passes the same filters as any other, and is answered here instead of by a verb.

mod forms;

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock};

use futures::future::BoxFuture;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

pub(crate) use self::forms::Asker;
use crate::status::{ApiError, json as respond};
use crate::storage::group_version;
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request_info::{RequestInfo, ResourceInfo};

/// A group, and who answers for it. The core group's paths that are of no kind can be answered too: its name is empty,
/// and discovery does not tell of it.
#[derive(Clone)]
pub struct LocalGroup {
    pub name: &'static str,
    /// The preferred one first.
    pub versions: &'static [&'static str],
    /// What discovery tells of it now. A group that has nothing is not named there: older clients take an empty list
    /// for a failure.
    pub resources: Arc<dyn Fn() -> Vec<LocalResource> + Send + Sync>,
    pub answer: Answerer,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalResource {
    /// `pods`, or with a subresource `pods/http_requests`.
    pub name: Cow<'static, str>,
    pub kind: &'static str,
    pub is_namespaced: bool,
    pub verbs: &'static [&'static str],
}

/// A get, or a list where there is no name.
#[derive(Clone, Debug)]
pub struct LocalRequest {
    pub version: String,
    pub resource: String,
    pub namespace: String,
    pub name: String,
    /// What follows the name.
    pub subresource: String,
    pub path: String,
    pub query: String,
}

/// Gives an HTTP status and a body: the object or the list, or a `Status`; nothing where there is no such resource.
pub type Answerer = Arc<dyn Fn(LocalRequest) -> BoxFuture<'static, Option<(u16, Value)>> + Send + Sync>;

#[derive(Default)]
pub(crate) struct LocalGroups(RwLock<Vec<Arc<LocalGroup>>>);

impl LocalGroups {
    pub(crate) fn add(&self, group: LocalGroup) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(group));
    }

    pub(crate) fn all(&self) -> Vec<Arc<LocalGroup>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What discovery tells of.
    pub(crate) fn described(&self) -> Vec<Described> {
        let all = self.all().into_iter().filter(|group| !group.name.is_empty());
        let described = all.map(|group| Described { resources: (group.resources)(), group });
        described.filter(|described| !described.resources.is_empty()).collect()
    }

    pub(crate) fn find(&self, group: &str, version: &str) -> Option<Arc<LocalGroup>> {
        let groups = self.0.read().unwrap_or_else(PoisonError::into_inner);
        groups.iter().find(|one| one.name == group && one.versions.contains(&version)).cloned()
    }
}

/// Answers a request for one of the groups' resources, if it is for one: in plain JSON, unless somebody asks who may
/// want it otherwise.
pub(crate) async fn answer(
    groups: &LocalGroups,
    info: &RequestInfo,
    resource: &ResourceInfo,
    query: &Query,
    asker: Option<&Asker<'_>>,
) -> Option<Response<Body>> {
    let group = groups.find(&resource.group, &resource.version)?;
    if !matches!(info.verb, "get" | "list") {
        return None;
    }
    let request = LocalRequest {
        version: resource.version.clone(),
        resource: resource.resource.clone(),
        namespace: resource.namespace.clone(),
        // A list narrowed to one name bears it for the authoriser's sake.
        name: if info.verb == "get" { resource.name.clone() } else { String::new() },
        subresource: resource.subresource.clone(),
        path: info.path.clone(),
        query: query.raw().to_owned(),
    };
    let (code, body) = (group.answer)(request).await?;
    let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Some(match asker {
        Some(asker) if code == StatusCode::OK => {
            asker.shown(group.name, &resource.version, query, body).unwrap_or_else(ApiError::into_response)
        }
        _ => respond(code, &body),
    })
}

/// Answers what a Service would be asked that stands for a path of the core group.
pub(crate) async fn answer_path(groups: &LocalGroups, path: &str, query: &Query) -> Option<Response<Body>> {
    let info = RequestInfo::parse(&Method::GET, path, query).ok()?;
    let resource = info.resource.as_ref().filter(|resource| resource.group.is_empty() && info.kind.is_none())?;
    answer(groups, &info, resource, query, None).await
}

impl LocalGroup {
    /// As an APIResourceList.
    pub(crate) fn listed(&self, version: &str) -> Value {
        let resources = (self.resources)();
        let resources = resources.iter().map(|resource| {
            json!({
                "name": resource.name,
                "singularName": "",
                "namespaced": resource.is_namespaced,
                "kind": resource.kind,
                "verbs": resource.verbs,
            })
        });
        json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": group_version(self.name, version),
            "resources": resources.collect::<Vec<_>>(),
        })
    }
}

/// A group with what it has at a moment.
#[derive(Clone)]
pub(crate) struct Described {
    pub(crate) group: Arc<LocalGroup>,
    resources: Vec<LocalResource>,
}

impl PartialEq for Described {
    fn eq(&self, other: &Self) -> bool {
        self.group.name == other.group.name && self.resources == other.resources
    }
}

impl Described {
    /// As an item of aggregated discovery.
    pub(crate) fn aggregated(&self) -> Value {
        let versions = self.group.versions.iter().map(|version| {
            json!({"version": version, "resources": self.aggregated_resources(version), "freshness": "Current"})
        });
        json!({
            "metadata": {"name": self.group.name, "creationTimestamp": null},
            "versions": versions.collect::<Vec<_>>(),
        })
    }

    /// Subresources stand below their resource, which is there for their sake where nobody can ask for it alone.
    fn aggregated_resources(&self, version: &str) -> Vec<Value> {
        let scope = |resource: &LocalResource| if resource.is_namespaced { "Namespaced" } else { "Cluster" };
        let kind = |kind: &str| json!({"group": self.group.name, "version": version, "kind": kind});
        let mut parents: Vec<(&str, Value)> = Vec::new();
        for resource in &self.resources {
            let (name, subresource) = resource.name.split_once('/').unwrap_or((&resource.name, ""));
            let at = parents.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
                let parent = json!({
                    "resource": name,
                    "responseKind": if subresource.is_empty() { kind(resource.kind) } else { json!({}) },
                    "scope": scope(resource),
                    "singularResource": "",
                    "verbs": if subresource.is_empty() { json!(resource.verbs) } else { Value::Null },
                });
                parents.push((name, parent));
                parents.len() - 1
            });
            if subresource.is_empty() {
                continue;
            }
            let described =
                json!({"subresource": subresource, "responseKind": kind(resource.kind), "verbs": resource.verbs});
            match parents[at].1.get_mut("subresources").and_then(Value::as_array_mut) {
                Some(known) => known.push(described),
                None => parents[at].1["subresources"] = json!([described]),
            }
        }
        parents.into_iter().map(|(_, parent)| parent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_are_told_below_a_resource_that_only_holds_them() {
        let resource = |name: &'static str| LocalResource {
            name: name.into(),
            kind: "MetricValueList",
            is_namespaced: true,
            verbs: &["get"],
        };
        let groups = LocalGroups::default();
        let group = |name, resources: Vec<LocalResource>| LocalGroup {
            name,
            versions: &["v1beta1"],
            resources: Arc::new(move || resources.clone()),
            answer: Arc::new(|_| Box::pin(async { None })),
        };
        groups.add(group("empty.example", Vec::new()));
        groups.add(group("", vec![resource("model")]));
        groups.add(group("custom.example", ["pods/a", "services/a", "pods/b"].map(resource).into()));
        let described = groups.described();
        assert_eq!(described.len(), 1, "neither the empty one nor the core group's paths");
        let kind = json!({"group": "custom.example", "version": "v1beta1", "kind": "MetricValueList"});
        let below = |name: &str| json!({"subresource": name, "responseKind": kind, "verbs": ["get"]});
        let resources = &described[0].aggregated()["versions"][0]["resources"];
        assert_eq!(resources[0]["subresources"], json!([below("a"), below("b")]));
        assert_eq!(resources[1]["subresources"], json!([below("a")]));
        assert_eq!((&resources[0]["responseKind"], &resources[0]["verbs"]), (&json!({}), &Value::Null));
        assert_eq!(described[0].group.listed("v1beta1")["resources"][2]["name"], "pods/b");
    }
}
