//! Host names and the places of a pod's files.

use std::path::{Path, PathBuf};

use api::k8s::api::core::v1::Pod;

use crate::pod::spec;

/// The kernel's limit for a host name.
const MAXIMUM_HOSTNAME: usize = 63;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HostnameError {
    #[error(
        "failed to construct FQDN from pod hostname and cluster domain, FQDN {0} is too long (64 characters is the max, {1} characters requested)"
    )]
    TooLong(String, usize),
}

/// What the pod calls itself in `/etc/hosts`, and the domain behind it if it has one.
pub(crate) fn hostname_and_domain(pod: &Pod, cluster_domain: &str) -> (String, String) {
    let spec = spec::spec(pod);
    if let Some(hostname) = spec.hostname_override.as_ref().filter(|name| !name.is_empty()) {
        return (hostname.clone(), String::new());
    }
    let hostname = spec.hostname.as_deref().filter(|name| !name.is_empty()).unwrap_or(spec::name(pod));
    let mut hostname = hostname.to_owned();
    if hostname.len() > MAXIMUM_HOSTNAME {
        hostname.truncate(MAXIMUM_HOSTNAME);
        hostname.truncate(hostname.trim_end_matches(['-', '.']).len());
    }
    let subdomain = spec.subdomain.as_deref().filter(|subdomain| !subdomain.is_empty());
    let domain = subdomain.map(|subdomain| format!("{subdomain}.{}.svc.{cluster_domain}", spec::namespace(pod)));
    (hostname, domain.unwrap_or_default())
}

/// What the kernel says of the pod: the short name, or the full one where the pod asks for it.
pub(crate) fn kernel_hostname(pod: &Pod, cluster_domain: &str) -> Result<String, HostnameError> {
    let (hostname, domain) = hostname_and_domain(pod, cluster_domain);
    let full = spec::spec(pod).set_hostname_as_fqdn == Some(true) && !domain.is_empty();
    if !full {
        return Ok(hostname);
    }
    let name = format!("{hostname}.{domain}");
    if name.len() > 64 { Err(HostnameError::TooLong(name.clone(), name.len())) } else { Ok(name) }
}

pub(crate) fn pod_dir(root_dir: &Path, uid: &str) -> PathBuf {
    root_dir.join("pods").join(uid)
}

/// `<logs>/<namespace>_<name>_<uid>`, where collectors of logs look.
pub(crate) fn log_dir(pod_log_dir: &Path, pod: &Pod) -> PathBuf {
    pod_log_dir.join(format!("{}_{}_{}", spec::namespace(pod), spec::name(pod), spec::uid(pod)))
}

/// The restart count that follows those of the logs `<count>.log`, and of rotated `<count>.log.<time>`.
pub(crate) fn count_after_logs<'a>(files: impl Iterator<Item = &'a str>) -> u32 {
    let count = |file: &str| -> Option<u32> {
        let (count, rest) = file.split_once('.')?;
        let is_log = rest == "log" || rest.starts_with("log.");
        is_log.then(|| count.parse().ok()).flatten()
    };
    files.filter_map(count).max().map_or(0, |highest| highest.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn counts_go_on_from_the_highest_log() {
        let after = |files: &[&str]| count_after_logs(files.iter().copied());
        assert_eq!(after(&[]), 0);
        assert_eq!(after(&["0.log"]), 1);
        assert_eq!(after(&["9.log", "10.log", "2.log"]), 11);
        assert_eq!(after(&["3.log.20300101-000000", "x.log", "7", "8.txt", "-9.log"]), 4);
    }

    #[test]
    fn hostnames_follow_the_spec() {
        let pod = |spec: &str| {
            pod_from(&format!(r#"{{"metadata":{{"name":"web-0","namespace":"ns","uid":"u"}},"spec":{{{spec}}}}}"#))
        };
        let plain = pod(r#""containers":[]"#);
        assert_eq!(hostname_and_domain(&plain, "cluster.local"), ("web-0".into(), String::new()));
        let named = pod(r#""containers":[],"hostname":"h","subdomain":"db","setHostnameAsFQDN":true"#);
        assert_eq!(hostname_and_domain(&named, "cluster.local"), ("h".into(), "db.ns.svc.cluster.local".into()));
        assert_eq!(kernel_hostname(&named, "cluster.local").unwrap(), "h.db.ns.svc.cluster.local");
        let long = pod(&format!(
            r#""containers":[],"hostname":"{}","subdomain":"db","setHostnameAsFQDN":true"#,
            "h".repeat(60)
        ));
        assert!(kernel_hostname(&long, "cluster.local").is_err());
    }
}
