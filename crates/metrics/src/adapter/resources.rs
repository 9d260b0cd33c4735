//! Which kinds of objects series are about: those that a label names, as in `ingress="main"`.

use registry::{KINDS, Kind, Scope};

/// As the path of a question names it: `services`, `service` or `deployments.apps`.
pub(crate) fn of_path(resource: &str) -> Option<&'static Kind> {
    let (name, group) = resource.split_once('.').unwrap_or((resource, ""));
    stable().find(|kind| (kind.plural == name || kind.singular == name) && (group.is_empty() || kind.group == group))
}

/// What a label of a series names. Labels that were renamed, or are words of no kind, name nothing.
pub(crate) fn of_label(label: &str) -> Option<&'static Kind> {
    stable().find(|kind| kind.singular == label)
}

/// `pods`, `deployments.apps`.
pub(crate) fn name(kind: &Kind) -> String {
    match kind.group {
        "" => kind.plural.to_owned(),
        group => format!("{}.{group}", kind.plural),
    }
}

pub(crate) fn is_namespaced(kind: &Kind) -> bool {
    kind.scope == Scope::Namespaced
}

/// Kinds that rest somewhere, in a version that stays.
fn stable() -> impl Iterator<Item = &'static Kind> {
    KINDS.iter().copied().filter(|kind| kind.deprecation.is_none() && kind.verbs.contains(&"list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_labels_name_kinds() {
        let named = |kind: Option<&'static Kind>| kind.map(name);
        for (path, expected) in [
            ("services", Some("services")),
            ("service", Some("services")),
            ("deployments.apps", Some("deployments.apps")),
            ("ingresses", Some("ingresses.networking.k8s.io")),
            ("deployments.batch", None),
            ("things", None),
        ] {
            assert_eq!(named(of_path(path)).as_deref(), expected, "{path}");
        }
        assert_eq!(named(of_label("job")).as_deref(), Some("jobs.batch"));
        assert_eq!(named(of_label("exported_pod")), None);
        assert!(is_namespaced(of_path("pods").unwrap()) && !is_namespaced(of_path("nodes").unwrap()));
    }
}
