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

/// Group and versions in the table's order, each once.
pub(crate) fn group_versions() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut groups: Vec<(&'static str, Vec<&'static str>)> = Vec::new();
    for kind in registry::KINDS {
        let at = groups.iter().position(|(group, _)| *group == kind.group).unwrap_or_else(|| {
            groups.push((kind.group, Vec::new()));
            groups.len() - 1
        });
        if !groups[at].1.contains(&kind.version) {
            groups[at].1.push(kind.version);
        }
    }
    groups.sort_by_key(|(group, _)| !group.is_empty());
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
    fn the_core_group_comes_first_and_every_group_once() {
        let groups = group_versions();
        assert_eq!(groups[0].0, "");
        let mut names: Vec<&str> = groups.iter().map(|(group, _)| *group).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), groups.len());
    }
}
