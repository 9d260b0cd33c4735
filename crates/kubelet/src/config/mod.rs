//! From the API's pods to CRI's configurations. All pure: what must be fetched comes in as
//! arguments.

pub(crate) mod container;
pub(crate) mod dns;
pub(crate) mod env_file;
pub(crate) mod environment;
pub(crate) mod expansion;
pub(crate) mod fields;
pub(crate) mod hosts;
pub(crate) mod huge_pages;
pub(crate) mod names;
pub(crate) mod qos;
pub(crate) mod resources;
pub(crate) mod sandbox;
pub(crate) mod security;
pub(crate) mod totals;

use std::path::PathBuf;

/// What the configurations need to know of the node.
#[derive(Clone, Debug)]
pub(crate) struct NodeFacts {
    pub(crate) node_name: String,
    /// As the runtime says it; containers' ids bear it.
    pub(crate) runtime_name: String,
    pub(crate) node_ips: Vec<String>,
    pub(crate) cluster_dns: String,
    pub(crate) cluster_domain: String,
    pub(crate) root_dir: PathBuf,
    pub(crate) pod_log_dir: PathBuf,
    pub(crate) cgroup_root: String,
    /// Where the kernel shows control groups.
    pub(crate) cgroup_mount: PathBuf,
    /// The most processes and threads of one pod.
    pub(crate) pod_pids_limit: u64,
    pub(crate) cpu_millis: i64,
    pub(crate) memory_bytes: i64,
    /// Of the huge pages that the kernel has, in rising order.
    pub(crate) page_sizes: Vec<huge_pages::PageSize>,
    /// Whether the kernel enforces AppArmor profiles.
    pub(crate) has_app_armor: bool,
    pub(crate) ephemeral_storage_bytes: i64,
    /// The node's own resolv.conf, as it reads now.
    pub(crate) resolv_conf: PathBuf,
}
