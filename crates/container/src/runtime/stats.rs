//! What containers use.

use std::io;

use cri::{
    ContainerAttributes, ContainerStats, ContainerStatsFilter, CpuUsage, FilesystemIdentifier, FilesystemUsage,
    LinuxContainerResources, MemoryUsage, Status, UInt64Value,
};

use super::Runtime;
use super::container::Container;
use super::mounts::UPPER;
use super::status::has_labels;
use super::writable::Tree;
use crate::limits;

impl Runtime {
    pub(super) fn stats_of(&self, container: &Container) -> cri::Result<ContainerStats> {
        let usage = self.cgroups.usage(&container.facts.cgroup);
        let usage =
            usage.map_err(|error| Status::internal(format!("cannot read the usage of {}: {error}", container.id)))?;
        let timestamp = self.now_nanoseconds();
        let number = |value| Some(UInt64Value { value });
        let resources = container.config.linux.as_ref().and_then(|linux| linux.resources.as_ref());
        let limit = resources.and_then(|resources| u64::try_from(resources.memory_limit_in_bytes).ok());
        let limit = limit.filter(|limit| *limit > 0);
        Ok(ContainerStats {
            attributes: Some(ContainerAttributes {
                id: container.id.clone(),
                metadata: container.config.metadata.clone(),
                labels: container.config.labels.clone(),
                annotations: container.config.annotations.clone(),
            }),
            cpu: Some(CpuUsage {
                timestamp,
                usage_core_nano_seconds: number(usage.cpu_nanoseconds),
                usage_nano_cores: None,
                psi: None,
            }),
            memory: Some(MemoryUsage {
                timestamp,
                working_set_bytes: number(usage.working_set_bytes),
                available_bytes: limit.and_then(|limit| number(limit.saturating_sub(usage.working_set_bytes))),
                usage_bytes: number(usage.memory_bytes),
                rss_bytes: number(usage.rss_bytes),
                page_faults: number(usage.page_faults),
                major_page_faults: number(usage.major_page_faults),
                psi: None,
            }),
            writable_layer: self.writable_layers.last(&container.id).map(|tree| self.show_writable(tree)),
            swap: None,
            io: None,
        })
    }

    /// Running containers only: the others use nothing.
    pub(super) async fn list_stats(&self, filter: Option<ContainerStatsFilter>) -> cri::Result<Vec<ContainerStats>> {
        let filter = filter.unwrap_or_default();
        let mut found = Vec::new();
        for container in self.all_containers() {
            let wanted = container.id.starts_with(&filter.id)
                && container.sandbox_id.starts_with(&filter.pod_sandbox_id)
                && has_labels(&container.config.labels, &filter.label_selector);
            if !wanted || !self.is_running(&container)? {
                continue;
            }
            self.count_writable(&container).await;
            match self.stats_of(&container) {
                Ok(stats) => found.push(stats),
                // It has ended between the look and the reading.
                Err(_) if !self.is_running(&container)? => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Sees to it that the container's writings are counted; waits only for the first count.
    pub(super) async fn count_writable(&self, container: &Container) {
        let folder = self.paths.container(&container.id).join(UPPER);
        match self.writable_layers.usage(&container.id, folder).await {
            Ok(_) => {}
            // It was removed meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(container = container.id, %error, "cannot count the writable layer"),
        }
    }

    fn show_writable(&self, tree: Tree) -> FilesystemUsage {
        let number = |value| Some(UInt64Value { value });
        FilesystemUsage {
            timestamp: self.now_nanoseconds(),
            fs_id: Some(FilesystemIdentifier { mountpoint: self.images.folder().display().to_string() }),
            used_bytes: number(tree.bytes),
            inodes_used: number(tree.inodes),
        }
    }

    /// Writes new limits into a running container's groups.
    pub(super) fn limit(&self, container: &Container, wanted: &LinuxContainerResources) -> cri::Result<()> {
        for limit in limits::plan(wanted) {
            self.cgroups.apply(&container.facts.cgroup, &limit).map_err(|error| {
                let file = limit.legacy.as_ref().map(|(_, file, _)| file);
                let file = file.or(limit.unified.as_ref().map(|(file, _)| file)).map_or("", String::as_str);
                Status::internal(format!("failed to update resources: {file}: {error}"))
            })?;
        }
        Ok(())
    }
}
