//! Limits that a pod has set itself on what it keeps on the node's disk.

use std::time::Duration;

use api::Quantity;
use api::k8s::api::core::v1::Pod;

use super::rank::Candidate;
use crate::config::qos::{limits, positive};
use crate::config::totals;
use crate::pod::plan::Eviction;
use crate::pod::spec;

/// As fast as anybody fills a disk.
const FASTEST_BYTES_PER_SECOND: i64 = 200 << 20;
/// A walk of the folders is not free: even close to the limit it is not done more often.
const LOOK_AGAIN_FIRST: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Over { signal: &'static str, eviction: Eviction },
    Within { time_left: Duration },
}

pub(crate) fn has_limits(pod: &Pod) -> bool {
    let of_volumes = spec::spec(pod)
        .volumes
        .iter()
        .flatten()
        .any(|volume| volume.empty_dir.as_ref().is_some_and(|source| source.size_limit.is_some()));
    of_volumes || totals::limit(pod, "ephemeral-storage").is_some()
}

/// Upstream's order: volumes, the pod as a whole, its containers.
pub(super) fn judge(candidate: &Candidate) -> Verdict {
    let pod = &candidate.pod;
    let mut least_spare = i64::MAX;
    let mut exceeds = |used: u64, limit: Quantity| {
        let spare = limit.units().saturating_sub(i64::try_from(used).unwrap_or(i64::MAX));
        least_spare = least_spare.min(spare);
        spare < 0
    };
    for volume in spec::spec(pod).volumes.iter().flatten() {
        let limit = volume.empty_dir.as_ref().and_then(|source| source.size_limit.as_ref());
        let Some((limit, shown)) = limit.and_then(|limit| Some((Quantity::of(limit).ok()?, &limit.0))) else {
            continue;
        };
        let used = candidate.volumes.iter().find(|usage| usage.name == volume.name).map_or(0, |usage| usage.tree.bytes);
        if limit > Quantity::ZERO && exceeds(used, limit) {
            let message = format!("Usage of EmptyDir volume {:?} exceeds the limit {shown:?}. ", volume.name);
            return Verdict::Over { signal: "emptydirfs.limit", eviction: Eviction::new(pod, message) };
        }
    }
    if let Some(limit) = totals::limit(pod, "ephemeral-storage")
        && exceeds(candidate.tree().bytes, limit)
    {
        let shown = totals::binary_si(limit.units());
        let message = format!("Pod ephemeral local storage usage exceeds the total limit of containers {shown}. ");
        return Verdict::Over { signal: "ephemeralpodfs.limit", eviction: Eviction::new(pod, message) };
    }
    for container in &spec::spec(pod).containers {
        let Some(limit) = positive(limits(container), "ephemeral-storage") else { continue };
        if exceeds(candidate.container_tree(&container.name).bytes, limit) {
            let shown = totals::binary_si(limit.units());
            let message =
                format!("Container {} exceeded its local ephemeral storage limit {shown:?}. ", container.name);
            return Verdict::Over { signal: "ephemeralcontainerfs.limit", eviction: Eviction::new(pod, message) };
        }
    }
    let seconds = u64::try_from(least_spare / FASTEST_BYTES_PER_SECOND).unwrap_or(0);
    Verdict::Within { time_left: Duration::from_secs(seconds).max(LOOK_AGAIN_FIRST) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::pod_from;
    use crate::usage::{Disk, Tree};
    use crate::volumes::disk::VolumeUsage;

    fn candidate(spec: &str, volume_bytes: u64, log_bytes: u64) -> Candidate {
        let pod = pod_from(&format!(r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{{spec}}}}}"#));
        let mut candidate = Candidate::new(Arc::new(pod), Vec::new());
        let tree = |bytes| Tree { bytes, inodes: 1 };
        let disk = Disk::default();
        let volume = VolumeUsage { name: "v".into(), is_local: true, claim: None, disk, tree: tree(volume_bytes) };
        candidate.volumes.push(volume);
        candidate.logs.insert("c".to_owned(), tree(log_bytes));
        candidate
    }

    fn check(spec: &str, volume_bytes: u64, log_bytes: u64) -> String {
        let candidate = candidate(spec, volume_bytes, log_bytes);
        assert!(has_limits(&candidate.pod));
        match judge(&candidate) {
            Verdict::Over { signal, eviction } => format!("{signal}: {}", eviction.message),
            Verdict::Within { time_left } => format!("{time_left:?}"),
        }
    }

    #[test]
    fn volumes_pods_and_containers_have_limits() {
        let volume = r#""containers":[{"name":"c"}],"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Mi"}}]"#;
        assert_eq!(check(volume, 1 << 20, 9 << 20), "2s");
        assert_eq!(
            check(volume, (1 << 20) + 1, 0),
            "emptydirfs.limit: Usage of EmptyDir volume \"v\" exceeds the limit \"1Mi\". "
        );
        let storage = r#""containers":[{"name":"c","resources":{"limits":{"ephemeral-storage":"1Gi"}}}]"#;
        assert_eq!(check(storage, 0, 0), "5s");
        assert_eq!(
            check(storage, 1 << 30, 1),
            "ephemeralpodfs.limit: Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. "
        );
        let two = r#""containers":[{"name":"c","resources":{"limits":{"ephemeral-storage":"1Mi"}}},
            {"name":"d","resources":{"limits":{"ephemeral-storage":"10Mi"}}}]"#;
        assert_eq!(
            check(two, 0, 2 << 20),
            "ephemeralcontainerfs.limit: Container c exceeded its local ephemeral storage limit \"1Mi\". "
        );
        assert!(!has_limits(&pod_from(
            r#"{"spec":{"containers":[{"name":"c"}],"volumes":[{"name":"v","emptyDir":{}}]}}"#
        )));
    }
}
