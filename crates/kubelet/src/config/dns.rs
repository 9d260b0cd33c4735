//! Which name servers a pod asks.

use api::k8s::api::core::v1::Pod;
use cri::DNSConfig;

use super::NodeFacts;
use crate::pod::spec;

/// The C library reads no more than these.
const MAXIMUM_SERVERS: usize = 3;
const MAXIMUM_SEARCHES: usize = 32;
const MAXIMUM_SEARCH_BYTES: usize = 2048;

/// `host` is the text of the node's resolv.conf.
pub(crate) fn for_pod(pod: &Pod, node: &NodeFacts, host: &str) -> DNSConfig {
    let spec = spec::spec(pod);
    let policy = spec.dns_policy.as_deref().unwrap_or("ClusterFirst");
    let in_cluster = match policy {
        "ClusterFirst" => !spec::is_host_network(pod),
        "ClusterFirstWithHostNet" => true,
        _ => false,
    };
    let mut config = if policy == "None" {
        DNSConfig::default()
    } else if in_cluster {
        let (domain, host) = (&node.cluster_domain, parse(host));
        let mut searches =
            vec![format!("{}.svc.{domain}", spec::namespace(pod)), format!("svc.{domain}"), domain.clone()];
        searches.extend(host.searches);
        DNSConfig { servers: vec![node.cluster_dns.clone()], searches, options: vec!["ndots:5".to_owned()] }
    } else {
        parse(host)
    };
    if let Some(custom) = &spec.dns_config {
        config.servers.extend(custom.nameservers.iter().flatten().cloned());
        config.searches.extend(custom.searches.iter().flatten().cloned());
        for option in custom.options.iter().flatten() {
            let name = option.name.clone().unwrap_or_default();
            config.options.retain(|existing| existing.split(':').next() != Some(name.as_str()));
            config.options.push(match &option.value {
                Some(value) => format!("{name}:{value}"),
                None => name,
            });
        }
    }
    bound(config)
}

fn parse(resolv_conf: &str) -> DNSConfig {
    let mut config = DNSConfig::default();
    for line in resolv_conf.lines() {
        let mut words = line.split(['#', ';']).next().unwrap_or("").split_whitespace();
        match words.next() {
            Some("nameserver") => config.servers.extend(words.next().map(str::to_owned)),
            // The last of several search lines counts.
            Some("search") => config.searches = words.map(str::to_owned).collect(),
            Some("options") => config.options = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    config
}

fn bound(mut config: DNSConfig) -> DNSConfig {
    dedup(&mut config.servers);
    dedup(&mut config.searches);
    config.servers.truncate(MAXIMUM_SERVERS);
    config.searches.truncate(MAXIMUM_SEARCHES);
    while config.searches.iter().map(|search| search.len() + 1).sum::<usize>() > MAXIMUM_SEARCH_BYTES {
        config.searches.pop();
    }
    config
}

fn dedup(list: &mut Vec<String>) {
    let mut seen = std::collections::BTreeSet::new();
    list.retain(|item| seen.insert(item.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{node_facts, pod_from};

    const HOST: &str = "# host\nnameserver 192.0.2.1\nsearch example.org\noptions timeout:1\n";

    fn check(spec: &str) -> String {
        let pod = pod_from(&format!(
            r#"{{"metadata":{{"name":"p","namespace":"ns","uid":"u"}},"spec":{{"containers":[]{spec}}}}}"#
        ));
        let config = for_pod(&pod, &node_facts(), HOST);
        format!("{} | {} | {}", config.servers.join(" "), config.searches.join(" "), config.options.join(" "))
    }

    #[test]
    fn policies_choose_servers_and_searches() {
        let cluster = "10.96.0.10 | ns.svc.cluster.local svc.cluster.local cluster.local example.org | ndots:5";
        let host = "192.0.2.1 | example.org | timeout:1";
        assert_eq!(check(""), cluster);
        assert_eq!(check(r#","dnsPolicy":"Default""#), host);
        assert_eq!(check(r#","hostNetwork":true"#), host);
        assert_eq!(check(r#","hostNetwork":true,"dnsPolicy":"ClusterFirstWithHostNet""#), cluster);
        let custom = r#","dnsPolicy":"None","dnsConfig":{"nameservers":["1.2.3.4"],"searches":["a.b"],"options":[{"name":"ndots","value":"2"},{"name":"edns0"}]}"#;
        assert_eq!(check(custom), "1.2.3.4 | a.b | ndots:2 edns0");
        let merged = r#","dnsConfig":{"options":[{"name":"ndots","value":"1"}]}"#;
        assert!(check(merged).ends_with("| ndots:1"));
    }
}
