//! The `/etc/hosts` of a pod.

use std::fmt::Write;

use api::k8s::api::core::v1::Pod;

use super::names::hostname_and_domain;
use crate::pod::spec;

/// The file for a pod with its own network: its addresses, name and host aliases. A pod on the host's
/// network has the host's file, and its aliases behind it.
pub(crate) fn contents(pod: &Pod, pod_ips: &[String], cluster_domain: &str, host_file: &str) -> String {
    let mut text = String::new();
    if spec::is_host_network(pod) {
        text.push_str("# Kubernetes-managed hosts file (host network).\n");
        text.push_str(host_file);
    } else {
        text.push_str(
            "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n",
        );
        text.push_str(
            "fe00::\tip6-localnet\nfe00::\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n",
        );
        let (hostname, domain) = hostname_and_domain(pod, cluster_domain);
        for ip in pod_ips {
            let names = if domain.is_empty() { hostname.clone() } else { format!("{hostname}.{domain}\t{hostname}") };
            push(&mut text, format_args!("{ip}\t{names}\n"));
        }
    }
    let aliases = spec::spec(pod).host_aliases.as_deref().unwrap_or(&[]);
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
        for alias in aliases {
            let names = alias.hostnames.as_deref().unwrap_or(&[]);
            push(&mut text, format_args!("{}\t{}\n", alias.ip, names.join("\t")));
        }
    }
    text
}

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn names_and_aliases_are_listed() {
        let pod = pod_from(
            r#"{"metadata":{"name":"web","namespace":"ns","uid":"u"},"spec":{"containers":[],"subdomain":"db",
                "hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]}]}}"#,
        );
        let text = contents(&pod, &["10.0.0.5".to_owned()], "cluster.local", "host\n");
        assert!(text.contains("\n10.0.0.5\tweb.db.ns.svc.cluster.local\tweb\n"));
        assert!(text.ends_with("\n# Entries added by HostAliases.\n1.2.3.4\ta\tb\n"));
        let mut host = pod;
        host.spec.as_mut().unwrap().host_network = Some(true);
        let text = contents(&host, &[], "cluster.local", "127.0.0.1\tthis\n");
        assert!(text.starts_with("# Kubernetes-managed hosts file (host network).\n127.0.0.1\tthis\n"));
    }
}
