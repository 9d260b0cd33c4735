//! Kinds by the names that people give them, and where their objects are.

use crate::condition::NAMESPACE;

/// The kinds that scripts speak of: as kubectl names them, the group and version, whether they have namespaces.
const KINDS: &[(&str, &str, bool)] = &[
    ("deployment", "apis/apps/v1", true),
    ("replicaset", "apis/apps/v1", true),
    ("statefulset", "apis/apps/v1", true),
    ("daemonset", "apis/apps/v1", true),
    ("job", "apis/batch/v1", true),
    ("cronjob", "apis/batch/v1", true),
    ("poddisruptionbudget", "apis/policy/v1", true),
    ("horizontalpodautoscaler", "apis/autoscaling/v2", true),
    ("pod", "api/v1", true),
    ("service", "api/v1", true),
    ("configmap", "api/v1", true),
    ("resourcequota", "api/v1", true),
    ("replicationcontroller", "api/v1", true),
    ("persistentvolumeclaim", "api/v1", true),
    ("persistentvolume", "api/v1", false),
    ("namespace", "api/v1", false),
    ("node", "api/v1", false),
];

/// The folder of a kind's objects in a namespace; scripts act in one where they name none.
pub(crate) fn folder(kind: &str, namespace: Option<&str>) -> Result<String, String> {
    let known = KINDS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(kind));
    let (name, group_version, has_namespace) = known.ok_or_else(|| format!("{kind:?} is no kind known here"))?;
    let namespace = namespace.unwrap_or(NAMESPACE);
    let inner = if *has_namespace { format!("namespaces/{namespace}/") } else { String::new() };
    Ok(format!("/{group_version}/{inner}{name}s"))
}

/// The path of `NAME` or `NAMESPACE/NAME`.
pub(crate) fn path(kind: &str, name: &str) -> Result<String, String> {
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    Ok(format!("{}/{name}", folder(kind, namespace)?))
}

/// The folder that an object belongs in, by the lines of its YAML.
pub(crate) fn folder_of(yaml: &str) -> Result<String, String> {
    let value = |key: &str| yaml.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let kind = value("kind:").ok_or("a manifest names its kind")?;
    folder(kind, value("  namespace:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_their_places() {
        assert_eq!(path("pod", "web").unwrap(), "/api/v1/namespaces/default/pods/web");
        assert_eq!(path("job", "shop/sum").unwrap(), "/apis/batch/v1/namespaces/shop/jobs/sum");
        assert_eq!(path("node", "a").unwrap(), "/api/v1/nodes/a");
        assert_eq!(folder_of("kind: Namespace\nmetadata:\n  name: shop").unwrap(), "/api/v1/namespaces");
        assert!(path("unicorn", "a").is_err());
    }
}
