//! Which resources the API serves.

use std::collections::BTreeSet;

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
    pub(crate) fn supports(&self, verb: &str) -> bool {
        self.verbs.iter().any(|supported| supported == verb)
    }
}

/// Every resource of every group, each once, in the order of discovery. Subresources are left out.
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

fn add(
    found: &mut Vec<Discovered>,
    seen: &mut BTreeSet<(String, String)>,
    group: &str,
    version: &str,
    list: api::k8s::apimachinery::pkg::apis::meta::v1::APIResourceList,
) {
    for resource in list.resources.into_iter().filter(|resource| !resource.name.contains('/')) {
        if !seen.insert((group.to_owned(), resource.name.clone())) {
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
