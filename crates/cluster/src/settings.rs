//! Where a cluster lives on the machine and which numbers it uses.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::StoreLocation;

/// Everything that tells one cluster on a machine from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Names the kubeconfig context, the bridge, the kernel tables and the cgroups.
    pub name: String,
    pub data_dir: PathBuf,
    pub run_dir: PathBuf,
    pub api_port: u16,
    pub kubelet_port: u16,
    pub pod_cidr: String,
    /// The prefix length of what each node gets of it.
    #[serde(default = "usual_node_bits")]
    pub node_cidr_bits: u8,
    pub service_cidr: String,
    pub cluster_domain: String,
    #[serde(default)]
    pub store: StoreLocation,
    /// Another's container runtime; the built-in one where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_runtime: Option<RemoteRuntime>,
    /// Whether versions are served that upstream has removed.
    #[serde(default = "served")]
    pub legacy_apis: bool,
    /// Where what is used is kept besides memory, as in `prometheus:http://host:9090/api/v1/write`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics_sinks: Vec<String>,
}

/// Where another's container runtime is spoken to, as in `unix:///run/containerd/containerd.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteRuntime {
    pub runtime: String,
    pub images: String,
}

fn served() -> bool {
    true
}

fn usual_node_bits() -> u8 {
    NODE_CIDR_BITS
}

/// Unless told otherwise, node ranges are cut from the pod range in this size: 254 pods a node.
pub const NODE_CIDR_BITS: u8 = 24;
/// Where the DNS server listens on the bridge address. Not 53: the machine may run its own there.
pub const DNS_PORT: u16 = 10053;

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the name {0:?} must be 1 to 12 lower-case letters, digits or '-', and start with a letter")]
    Name(String),
    #[error("{range:?} is not an IPv4 range like 10.244.0.0/16")]
    Range { range: String },
    #[error("no ranges of /{bits} for nodes can be cut from the pod range {range}")]
    NodeRange { range: String, bits: u8 },
    #[error("the service range {0} is smaller than /28: it must hold at least the API and DNS services")]
    ServiceRangeTooSmall(String),
}

impl Settings {
    /// Refuses what would fail later in a less clear way. A link name has 15 bytes, hence the bound on the name.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let name_is_valid = (1..=12).contains(&self.name.len())
            && self.name.starts_with(|c: char| c.is_ascii_lowercase())
            && self.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !name_is_valid {
            return Err(SettingsError::Name(self.name.clone()));
        }
        let (_, bits) = parse_range(&self.pod_cidr)?;
        // Upstream's bounds: two addresses at least, and sixteen bits of nodes at most.
        if !(bits..=30).contains(&self.node_cidr_bits) || self.node_cidr_bits - bits > 16 {
            return Err(SettingsError::NodeRange { range: self.pod_cidr.clone(), bits: self.node_cidr_bits });
        }
        let (_, bits) = parse_range(&self.service_cidr)?;
        if bits > 28 {
            return Err(SettingsError::ServiceRangeTooSmall(self.service_cidr.clone()));
        }
        Ok(())
    }

    pub fn store_dir(&self) -> PathBuf {
        self.data_dir.join("store")
    }

    pub fn pki_dir(&self) -> PathBuf {
        self.data_dir.join("pki")
    }

    pub fn kubelet_dir(&self) -> PathBuf {
        self.data_dir.join("kubelet")
    }

    pub fn pod_log_dir(&self) -> PathBuf {
        self.data_dir.join("logs/pods")
    }

    pub fn server_log(&self) -> PathBuf {
        self.data_dir.join("logs/server.log")
    }

    pub fn images_dir(&self) -> PathBuf {
        self.data_dir.join("images")
    }

    pub fn network_dir(&self) -> PathBuf {
        self.data_dir.join("network")
    }

    /// Where others speak to the built-in runtime.
    pub fn cri_socket(&self) -> PathBuf {
        self.run_dir.join("cri.sock")
    }

    /// The ring of moments that `metrics_sinks` may ask for.
    pub fn history_dir(&self) -> PathBuf {
        self.data_dir.join("metrics")
    }

    pub fn bridge(&self) -> String {
        format!("{}0", self.name)
    }

    pub fn cgroup_root(&self) -> String {
        format!("/{}/pods", self.name)
    }

    /// The first address of the service range: the API server, as pods see it.
    pub fn api_service_ip(&self) -> Result<IpAddr, SettingsError> {
        self.service_ip(1)
    }

    /// The tenth address of the service range: DNS, as upstream's installers place it.
    pub fn dns_service_ip(&self) -> Result<IpAddr, SettingsError> {
        self.service_ip(10)
    }

    /// The address of the bridge on the first node.
    pub fn first_gateway(&self) -> Result<IpAddr, SettingsError> {
        let (network, _) = parse_range(&self.pod_cidr)?;
        Ok(IpAddr::V4(Ipv4Addr::from(u32::from(network) + 1)))
    }

    fn service_ip(&self, offset: u32) -> Result<IpAddr, SettingsError> {
        let (network, _) = parse_range(&self.service_cidr)?;
        Ok(IpAddr::V4(Ipv4Addr::from(u32::from(network) + offset)))
    }
}

/// The network address and prefix length of `10.244.0.0/16`; host bits must be zero.
pub fn parse_range(range: &str) -> Result<(Ipv4Addr, u8), SettingsError> {
    let parse = || {
        let (address, bits) = range.split_once('/')?;
        let (address, bits) = (address.parse::<Ipv4Addr>().ok()?, bits.parse::<u8>().ok()?);
        let host_bits = 32u32.checked_sub(u32::from(bits))?;
        let is_network = u32::from(address).trailing_zeros() >= host_bits;
        (is_network && (8..=30).contains(&bits)).then_some((address, bits))
    };
    parse().ok_or_else(|| SettingsError::Range { range: range.to_owned() })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Settings {
        Settings {
            name: "pintle".into(),
            data_dir: "/var/lib/pintle".into(),
            run_dir: "/run/pintle".into(),
            api_port: 6443,
            kubelet_port: 10250,
            pod_cidr: "10.244.0.0/16".into(),
            node_cidr_bits: NODE_CIDR_BITS,
            service_cidr: "10.96.0.0/12".into(),
            cluster_domain: "cluster.local".into(),
            store: StoreLocation::Folder,
            container_runtime: None,
            legacy_apis: true,
            metrics_sinks: Vec::new(),
        }
    }

    #[test]
    fn addresses_follow_from_the_ranges() {
        let settings = example();
        settings.validate().unwrap();
        assert_eq!(settings.api_service_ip().unwrap().to_string(), "10.96.0.1");
        assert_eq!(settings.dns_service_ip().unwrap().to_string(), "10.96.0.10");
        assert_eq!(settings.first_gateway().unwrap().to_string(), "10.244.0.1");
    }

    #[test]
    fn refuses_names_and_ranges_the_kernel_would_refuse_later() {
        for name in ["", "Pintle", "0pintle", "a-name-too-long", "a/b", "a b"] {
            let settings = Settings { name: name.into(), ..example() };
            assert!(matches!(settings.validate(), Err(SettingsError::Name(_))), "{name}");
        }
        for range in ["", "10.0.0.0", "10.0.0.1/16", "10.0.0.0/33", "10.0.0.0/4", "::/64", "x/16"] {
            let settings = Settings { pod_cidr: range.into(), ..example() };
            assert!(matches!(settings.validate(), Err(SettingsError::Range { .. })), "{range}");
        }
        for (range, bits, fits) in [("10.0.0.0/16", 22, true), ("10.0.0.0/24", 23, false), ("10.0.0.0/8", 25, false)] {
            let settings = Settings { pod_cidr: range.into(), node_cidr_bits: bits, ..example() };
            assert_eq!(settings.validate().is_ok(), fits, "/{bits} from {range}");
        }
    }
}
