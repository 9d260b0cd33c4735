//! An APIService for every group and version this server answers itself, as upstream's registration
//! makes them: aggregation and `kubectl get apiservices` see all there is in one list.

use serde_json::{Value, json};

use crate::kinds;

/// Marks what is made here, so that it can be taken back when the version is served no more.
pub(super) const MANAGED_LABEL: &str = "kube-aggregator.kubernetes.io/automanaged";
pub(super) const MANAGED_VALUE: &str = "onstart";

/// The group that registers others is not registered itself.
const REGISTRATION: &str = "apiregistration.k8s.io";

/// Groups without stored kinds that rooms of the program answer, with the priorities that upstream's add-ons register
/// them with. Whoever installs such an add-on writes its own registration over these.
const ANSWERED_BY_ROOMS: [(&str, &str, i32); 5] = [
    ("metrics.k8s.io", "v1", 110),
    ("metrics.k8s.io", "v1beta1", 100),
    ("custom.metrics.k8s.io", "v1beta2", 200),
    ("custom.metrics.k8s.io", "v1beta1", 100),
    ("external.metrics.k8s.io", "v1beta1", 100),
];
const ANSWERED_BY_ROOMS_PRIORITY: i32 = 100;

pub(super) fn objects(legacy: bool) -> Vec<Value> {
    let mut objects = Vec::new();
    let mut add = |group: &str, version: &str, group_priority: i32, version_priority: i32| {
        objects.push(json!({
            "metadata": {
                "name": format!("{version}.{group}"),
                "labels": { MANAGED_LABEL: MANAGED_VALUE },
            },
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": group_priority,
                "versionPriority": version_priority,
            },
        }));
    };
    for (group, versions) in kinds::group_versions(legacy).into_iter().filter(|(group, _)| *group != REGISTRATION) {
        for version in versions {
            add(group, version, group_priority(group), version_priority(group, version));
        }
    }
    for (group, version, priority) in ANSWERED_BY_ROOMS {
        add(group, version, ANSWERED_BY_ROOMS_PRIORITY, priority);
    }
    objects
}

/// Which group a name means that stands in several: the one of the highest number.
const GROUPS: [(&str, i32); 22] = [
    ("", 18_000),
    ("apps", 17_800),
    ("events.k8s.io", 17_750),
    ("authentication.k8s.io", 17_700),
    ("authorization.k8s.io", 17_600),
    ("autoscaling", 17_500),
    ("batch", 17_400),
    ("certificates.k8s.io", 17_300),
    ("networking.k8s.io", 17_200),
    ("extensions", 17_150),
    ("policy", 17_100),
    ("rbac.authorization.k8s.io", 17_000),
    ("storage.k8s.io", 16_800),
    ("apiextensions.k8s.io", 16_700),
    ("admissionregistration.k8s.io", 16_700),
    ("scheduling.k8s.io", 16_600),
    ("coordination.k8s.io", 16_500),
    ("node.k8s.io", 16_300),
    ("discovery.k8s.io", 16_200),
    ("flowcontrol.apiserver.k8s.io", 16_100),
    ("resource.k8s.io", 15_900),
    ("storagemigration.k8s.io", 15_800),
];

fn group_priority(group: &str) -> i32 {
    /// Behind all that are named.
    const OTHERS: i32 = 15_000;
    GROUPS.iter().find(|(known, _)| *known == group).map_or(OTHERS, |(_, priority)| *priority)
}

/// Groups whose versions upstream numbers otherwise than most.
const VERSIONS: [(&str, &str, i32); 13] = [
    ("", "v1", 1),
    ("apps", "v1beta1", 1),
    ("autoscaling", "v2", 30),
    ("autoscaling", "v2beta2", 1),
    ("extensions", "v1beta1", 1),
    ("flowcontrol.apiserver.k8s.io", "v1", 21),
    ("flowcontrol.apiserver.k8s.io", "v1beta3", 18),
    ("flowcontrol.apiserver.k8s.io", "v1beta2", 15),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", 12),
    ("rbac.authorization.k8s.io", "v1alpha1", 9),
    ("resource.k8s.io", "v1", 25),
    ("resource.k8s.io", "v1beta2", 20),
    ("resource.k8s.io", "v1beta1", 15),
];

/// Groups whose beta stands between others' stable and beta.
const LATE_BETAS: [&str; 5] = [
    "admissionregistration.k8s.io",
    "discovery.k8s.io",
    "networking.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
];

fn version_priority(group: &str, version: &str) -> i32 {
    let special = VERSIONS.iter().find(|(known, of, _)| (*known, *of) == (group, version));
    match special {
        Some((_, _, priority)) => *priority,
        None if version.contains("alpha") => 1,
        None if version.contains("beta") && LATE_BETAS.contains(&group) => 12,
        None if version.contains("beta") => 9,
        None => 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_has_one_and_stable_versions_come_first() {
        let objects = objects(true);
        let named = |name: &str| objects.iter().find(|object| object["metadata"]["name"] == name).unwrap();
        assert_eq!(named("v1.")["spec"]["groupPriorityMinimum"], 18_000);
        assert_eq!(named("v2.autoscaling")["spec"]["versionPriority"], 30);
        assert_eq!(named("v1beta1.custom.metrics.k8s.io")["spec"]["groupPriorityMinimum"], 100);
        assert!(objects.iter().all(|object| object["spec"]["group"] != REGISTRATION));
        for (group, versions) in kinds::group_versions(true) {
            let priorities: Vec<i32> = versions.iter().map(|version| version_priority(group, version)).collect();
            assert!(priorities[1..].iter().all(|priority| *priority <= priorities[0]), "{group} {priorities:?}");
        }
    }
}
