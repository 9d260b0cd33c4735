//! Which resources the API serves.

use std::collections::BTreeSet;

use api::k8s::apimachinery::pkg::apis::meta::v1::APIResourceList;
use client::kube::core::ApiResource;
use client::{CallError, Client};

/// One resource in the version that its group prefers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Discovered {
    pub(crate) resource: ApiResource,
    pub(crate) is_namespaced: bool,
    verbs: Vec<String>,
}

impl Discovered {
    #[cfg(test)]
    pub(crate) fn for_test(group: &str, plural: &str, is_namespaced: bool, verbs: &[&str]) -> Self {
        let resource = ApiResource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            api_version: "v1".to_owned(),
            kind: plural.to_owned(),
            plural: plural.to_owned(),
        };
        Discovered { resource, is_namespaced, verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect() }
    }

    pub(crate) fn supports(&self, verb: &str) -> bool {
        self.verbs.iter().any(|supported| supported == verb)
    }
}

/// Every resource of every group, each once, in the order of discovery: what rests as one is one, whatever groups and
/// versions show it. Subresources are left out.
pub(crate) async fn discover(client: &Client) -> Result<Vec<Discovered>, CallError> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let core = client.list_core_api_resources("v1").await?;
    add(&mut found, &mut seen, "", "v1", core);
    for group in client.list_api_groups().await?.groups {
        let preferred = group.preferred_version.as_ref().map(|version| version.version.as_str());
        let mut versions: Vec<_> = group.versions.iter().collect();
        versions.sort_by_key(|version| Some(version.version.as_str()) != preferred);
        for version in versions {
            let resources = client.list_api_group_resources(&version.group_version).await?;
            add(&mut found, &mut seen, &group.name, &version.version, resources);
        }
    }
    Ok(found)
}

fn add(found: &mut Vec<Discovered>, seen: &mut BTreeSet<String>, group: &str, version: &str, list: APIResourceList) {
    for resource in list.resources.into_iter().filter(|resource| !resource.name.contains('/')) {
        let is_new = seen.insert(format!("{group}/{}", resource.name));
        // Objects in several groups (extensions, events.k8s.io) have the hash of the one they rest as.
        let hash = resource.storage_version_hash.as_deref().filter(|hash| !hash.is_empty());
        if !hash.map_or(is_new, |hash| seen.insert(hash.to_owned()) && is_new) {
            continue;
        }
        let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
        found.push(Discovered {
            resource: ApiResource {
                group: group.to_owned(),
                version: version.to_owned(),
                api_version,
                kind: resource.kind,
                plural: resource.name,
            },
            is_namespaced: resource.namespaced,
            verbs: resource.verbs,
        });
    }
}

#[cfg(test)]
mod tests {
    use api::k8s::apimachinery::pkg::apis::meta::v1::APIResource;

    use super::*;

    #[test]
    fn what_rests_as_one_is_one() {
        let list = |resources: &[(&str, &str)]| APIResourceList {
            resources: resources
                .iter()
                .map(|(name, hash)| APIResource {
                    name: (*name).to_owned(),
                    storage_version_hash: Some((*hash).to_owned()),
                    ..APIResource::default()
                })
                .collect(),
            ..APIResourceList::default()
        };
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        add(&mut found, &mut seen, "apps", "v1", list(&[("deployments", "d"), ("deployments/scale", "")]));
        add(&mut found, &mut seen, "apps", "v1beta2", list(&[("deployments", "d")]));
        add(&mut found, &mut seen, "metrics.k8s.io", "v1beta1", list(&[("pods", ""), ("nodes", "")]));
        add(&mut found, &mut seen, "extensions", "v1beta1", list(&[("deployments", "d"), ("ingresses", "i")]));
        let found: Vec<_> =
            found.iter().map(|one| (one.resource.group.as_str(), one.resource.plural.as_str())).collect();
        assert_eq!(
            found,
            [
                ("apps", "deployments"),
                ("metrics.k8s.io", "pods"),
                ("metrics.k8s.io", "nodes"),
                ("extensions", "ingresses")
            ]
        );
    }
}
