//! What containers use.

use cri::{
    ContainerAttributes, ContainerStats, ContainerStatsFilter, CpuUsage, LinuxContainerResources, MemoryUsage, Status,
    UInt64Value,
};

use super::Runtime;
use super::container::Container;
use super::status::has_labels;

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
            writable_layer: None,
            swap: None,
            io: None,
        })
    }

    /// Running containers only: the others use nothing.
    pub(super) fn list_stats(&self, filter: Option<ContainerStatsFilter>) -> cri::Result<Vec<ContainerStats>> {
        let filter = filter.unwrap_or_default();
        let mut found = Vec::new();
        for container in self.all_containers() {
            let wanted = container.id.starts_with(&filter.id)
                && container.sandbox_id.starts_with(&filter.pod_sandbox_id)
                && has_labels(&container.config.labels, &filter.label_selector);
            if !wanted || !self.is_running(&container)? {
                continue;
            }
            match self.stats_of(&container) {
                Ok(stats) => found.push(stats),
                // It has ended between the look and the reading.
                Err(_) if !self.is_running(&container)? => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// Writes new limits into a running container's groups.
    pub(super) fn limit(&self, container: &Container, wanted: &LinuxContainerResources) -> cri::Result<()> {
        let path = &container.facts.cgroup;
        let write = |legacy: (&str, &str, String), unified: Option<(&str, String)>| {
            let (controller, file, content) = &legacy;
            let unified = unified.as_ref().map(|(file, content)| (*file, content.as_str()));
            self.cgroups
                .write(path, (controller, file, content), unified)
                .map_err(|error| Status::internal(format!("failed to update resources: {file}: {error}")))
        };
        if wanted.cpu_shares > 0 {
            let weight = 1 + ((wanted.cpu_shares.max(2) - 2) * 9999) / 262_142;
            write(("cpu", "cpu.shares", wanted.cpu_shares.to_string()), Some(("cpu.weight", weight.to_string())))?;
        }
        if wanted.cpu_period > 0 {
            let maximum = match wanted.cpu_quota {
                quota if quota > 0 => format!("{quota} {}", wanted.cpu_period),
                _ => format!("max {}", wanted.cpu_period),
            };
            write(("cpu", "cpu.cfs_period_us", wanted.cpu_period.to_string()), Some(("cpu.max", maximum)))?;
        }
        if wanted.cpu_quota != 0 {
            write(("cpu", "cpu.cfs_quota_us", wanted.cpu_quota.to_string()), None)?;
        }
        if wanted.memory_limit_in_bytes > 0 {
            let limit = wanted.memory_limit_in_bytes.to_string();
            write(("memory", "memory.limit_in_bytes", limit.clone()), Some(("memory.max", limit)))?;
        }
        Ok(())
    }
}
