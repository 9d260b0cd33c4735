//! Look-ups in the table of kinds.

use std::collections::HashMap;
use std::sync::OnceLock;

use registry::Kind;

/// The kind served at `/api/VERSION/PLURAL` or `/apis/GROUP/VERSION/PLURAL`.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    static BY_PATH: OnceLock<HashMap<(&str, &str, &str), &'static Kind>> = OnceLock::new();
    let by_path = BY_PATH
        .get_or_init(|| registry::KINDS.iter().map(|kind| ((kind.group, kind.version, kind.plural), *kind)).collect());
    by_path.get(&(group, version, plural)).copied()
}

/// A kind this server cannot do without.
pub(crate) fn required(group: &str, version: &str, plural: &str) -> &'static Kind {
    find(group, version, plural).unwrap_or_else(|| panic!("{plural} of {group}/{version} stands in the table of kinds"))
}

/// The form a kind rests in.
pub(crate) fn stored(kind: &'static Kind) -> &'static Kind {
    kind.storage.unwrap_or(kind)
}

/// The kinds of the table, with or without the versions that upstream serves no more.
pub(crate) fn served(legacy: bool) -> impl Iterator<Item = &'static Kind> {
    registry::KINDS.iter().copied().filter(move |kind| legacy || !kind.is_legacy())
}

/// Groups as upstream orders them: where a name means kinds of several groups, clients take the first. Those that
/// are not named come behind, and what all kinds have left comes last.
const GROUP_ORDER: [&str; 21] = [
    "",
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "resource.k8s.io",
];

fn group_rank(group: &str) -> usize {
    match GROUP_ORDER.iter().position(|known| *known == group) {
        Some(at) => at,
        None if group == "extensions" => usize::MAX,
        None => GROUP_ORDER.len(),
    }
}

/// Groups and versions in the order in which clients prefer them, each once.
pub(crate) fn group_versions(legacy: bool) -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for kind in served(legacy) {
        let at = groups.iter().position(|(group, _)| *group == kind.group).unwrap_or_else(|| {
            groups.push((kind.group, Vec::new()));
            groups.len() - 1
        });
        if !groups[at].1.contains(&kind.version) {
            groups[at].1.push(kind.version);
        }
    }
    groups.sort_by_key(|(group, _)| group_rank(group));
    for (_, versions) in &mut groups {
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    }
    groups
}

/// The API's own order of versions: stable before beta before alpha, higher numbers first.
fn rank(version: &str) -> (u8, u32, u32) {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0);
    let rest = version.strip_prefix('v').unwrap_or(version);
    let major: u32 = digits(rest);
    for (stability, word) in [(2, "beta"), (1, "alpha")] {
        if let Some((_, minor)) = rest.split_once(word) {
            return (stability, major, digits(minor));
        }
    }
    (3, major, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_sort_as_upstream_sorts_them() {
        let mut versions = vec!["v1beta1", "v2", "v1alpha1", "v1", "v2beta2", "v2beta1"];
        versions.sort_by_key(|version| std::cmp::Reverse(rank(version)));
        assert_eq!(versions, ["v2", "v1", "v2beta2", "v2beta1", "v1beta1", "v1alpha1"]);
    }

    #[test]
    fn the_stable_version_is_preferred() {
        for (group, versions) in group_versions(true) {
            let current = group_versions(false).into_iter().find(|(other, _)| *other == group);
            if let Some((_, current)) = current {
                assert_eq!(versions[0], current[0], "{group}");
            }
        }
        let hidden = group_versions(false);
        assert!(!hidden.iter().any(|(group, _)| matches!(*group, "extensions" | "settings.k8s.io")));
        assert!(hidden.contains(&("apps", vec!["v1"])));
    }

    #[test]
    fn the_core_group_comes_first_and_every_group_once() {
        let groups = group_versions(true);
        assert_eq!((groups[0].0, groups[1].0, groups[2].0), ("", "apiregistration.k8s.io", "apps"));
        assert_eq!(groups.last().unwrap(), &("extensions", vec!["v1beta1"]));
        let mut names: Vec<&str> = groups.iter().map(|(group, _)| *group).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), groups.len());
    }
}
