//! What several test modules build on.

pub(crate) mod api_server;
pub(crate) mod context;
pub(crate) mod runtime;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use api::k8s::api::core::v1::Pod;

use crate::config::NodeFacts;
use crate::config::huge_pages::PageSize;
use crate::volumes::mounts::Mounter;

pub(crate) fn pod_from(json: &str) -> Pod {
    serde_json::from_str(json).unwrap()
}

pub(crate) fn node_facts() -> NodeFacts {
    NodeFacts {
        runtime_name: "pintle".to_owned(),
        node_name: "node".to_owned(),
        node_ips: vec!["192.0.2.10".to_owned()],
        cluster_dns: "10.96.0.10".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
        root_dir: PathBuf::from("/root"),
        pod_log_dir: PathBuf::from("/logs"),
        cgroup_root: "/pintle/pods".to_owned(),
        cgroup_mount: PathBuf::from("/does/not/exist"),
        pod_pids_limit: 100,
        cpu_millis: 4000,
        memory_bytes: 8 << 30,
        page_sizes: Vec::new(),
        has_app_armor: false,
        ephemeral_storage_bytes: 100 << 30,
        resolv_conf: PathBuf::from("/does/not/exist"),
    }
}

/// Leaves folders as they are, so that tests need no root.
pub(crate) struct NoMounts;

impl Mounter for NoMounts {
    fn is_file_system(&self, _path: &Path) -> io::Result<bool> {
        Ok(false)
    }

    fn mount_tmpfs(&self, _path: &Path, _size_bytes: u64) -> io::Result<()> {
        Ok(())
    }

    fn mount_huge_pages(&self, _path: &Path, _page_size: PageSize) -> io::Result<()> {
        Ok(())
    }

    fn bind_open_file(&self, _source: &File, _target: &Path) -> io::Result<()> {
        Ok(())
    }

    fn unmount(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}
