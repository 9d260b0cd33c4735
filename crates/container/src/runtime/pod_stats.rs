//! What pods use: their cgroup, their network, their containers; and the same as metrics.

use std::fs;

use cri::{
    ContainerMetrics, ContainerStats, CpuUsage, LinuxPodSandboxStats, MemoryUsage, Metric, MetricDescriptor,
    MetricType, NetworkInterfaceUsage, NetworkUsage, PodSandboxAttributes, PodSandboxMetrics, PodSandboxStats,
    PodSandboxStatsFilter, ProcessUsage, Status, UInt64Value,
};

use super::Runtime;
use super::sandbox::Sandbox;
use super::status::has_labels;

/// The interface that every pod network gives its pods.
const DEFAULT_INTERFACE: &str = "eth0";

impl Runtime {
    pub(super) fn stats_of_sandbox(&self, sandbox: &Sandbox) -> cri::Result<PodSandboxStats> {
        let containers = self.stats_within(sandbox)?;
        let linux = sandbox.config.linux.as_ref();
        let group = linux.map_or("", |linux| linux.cgroup_parent.as_str());
        let timestamp = self.now_nanoseconds();
        let (cpu, memory) = match group {
            // Somebody who names no parent has no group of the pod's own: its containers are all there is.
            "" => (sum_cpu(&containers, timestamp), sum_memory(&containers, timestamp)),
            group => {
                let usage = self.cgroups.usage(group);
                let usage =
                    usage.map_err(|error| Status::internal(format!("cannot read the usage of {group}: {error}")))?;
                let cpu = CpuUsage {
                    timestamp,
                    usage_core_nano_seconds: number(usage.cpu_nanoseconds),
                    ..CpuUsage::default()
                };
                let memory = MemoryUsage {
                    timestamp,
                    working_set_bytes: number(usage.working_set_bytes),
                    usage_bytes: number(usage.memory_bytes),
                    rss_bytes: number(usage.rss_bytes),
                    page_faults: number(usage.page_faults),
                    major_page_faults: number(usage.major_page_faults),
                    ..MemoryUsage::default()
                };
                (cpu, memory)
            }
        };
        Ok(PodSandboxStats {
            attributes: Some(PodSandboxAttributes {
                id: sandbox.id.clone(),
                metadata: sandbox.config.metadata.clone(),
                labels: sandbox.config.labels.clone(),
                annotations: sandbox.config.annotations.clone(),
            }),
            linux: Some(LinuxPodSandboxStats {
                cpu: Some(cpu),
                memory: Some(memory),
                network: self.network_of(sandbox, timestamp)?,
                process: self
                    .processes_of(sandbox)?
                    .map(|count| ProcessUsage { timestamp, process_count: number(count) }),
                containers,
                io: None,
            }),
            windows: None,
        })
    }

    /// Of sandboxes that are ready: the others use nothing.
    pub(super) fn list_sandbox_stats(
        &self,
        filter: Option<PodSandboxStatsFilter>,
    ) -> cri::Result<Vec<PodSandboxStats>> {
        let filter = filter.unwrap_or_default();
        let mut found = Vec::new();
        for sandbox in self.all_sandboxes() {
            let wanted = sandbox.id.starts_with(&filter.id)
                && has_labels(&sandbox.config.labels, &filter.label_selector)
                && sandbox.is_ready();
            if !wanted {
                continue;
            }
            match self.stats_of_sandbox(&sandbox) {
                Ok(stats) => found.push(stats),
                // It has ended between the look and the reading.
                Err(_) if !sandbox.is_ready() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    pub(super) fn list_metrics(&self) -> cri::Result<Vec<PodSandboxMetrics>> {
        Ok(self.list_sandbox_stats(None)?.iter().map(metrics_of_pod).collect())
    }

    /// Of the containers that run.
    fn stats_within(&self, sandbox: &Sandbox) -> cri::Result<Vec<ContainerStats>> {
        let mut found = Vec::new();
        for container in self.containers_of(&sandbox.id) {
            if !self.is_running(&container)? {
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

    /// Read through any process of the pod, since they share their network; without one there is nothing to tell, and
    /// the host's network is not the pod's.
    fn network_of(&self, sandbox: &Sandbox, timestamp: i64) -> cri::Result<Option<NetworkUsage>> {
        if sandbox.sharing().host_network {
            return Ok(None);
        }
        for pid in self.pids_of(sandbox)? {
            // A process may end between the look and the reading.
            if let Ok(table) = fs::read_to_string(format!("/proc/{pid}/net/dev")) {
                return Ok(Some(network_usage(&table, timestamp)));
            }
        }
        Ok(None)
    }

    fn processes_of(&self, sandbox: &Sandbox) -> cri::Result<Option<u64>> {
        let mut count = None;
        for container in self.containers_of(&sandbox.id) {
            if !self.is_running(&container)? {
                continue;
            }
            let processes = self.cgroups.process_count(&container.facts.cgroup);
            let processes = processes.map_err(|error| {
                Status::internal(format!("cannot count the processes of {}: {error}", container.id))
            })?;
            count = Some(count.unwrap_or(0) + processes);
        }
        Ok(count)
    }

    fn pids_of(&self, sandbox: &Sandbox) -> cri::Result<Vec<i32>> {
        let mut pids = Vec::new();
        for container in self.containers_of(&sandbox.id) {
            pids.extend(self.state(&container)?.and_then(|state| state.pid));
        }
        Ok(pids)
    }
}

fn number(value: u64) -> Option<UInt64Value> {
    Some(UInt64Value { value })
}

fn value(number: Option<&UInt64Value>) -> u64 {
    number.map_or(0, |number| number.value)
}

fn sum_cpu(containers: &[ContainerStats], timestamp: i64) -> CpuUsage {
    let used = containers.iter().filter_map(|stats| stats.cpu.as_ref());
    let used = used.map(|cpu| value(cpu.usage_core_nano_seconds.as_ref())).sum();
    CpuUsage { timestamp, usage_core_nano_seconds: number(used), ..CpuUsage::default() }
}

fn sum_memory(containers: &[ContainerStats], timestamp: i64) -> MemoryUsage {
    let sum = |of: fn(&MemoryUsage) -> Option<&UInt64Value>| {
        number(containers.iter().filter_map(|stats| stats.memory.as_ref()).map(|memory| value(of(memory))).sum())
    };
    MemoryUsage {
        timestamp,
        working_set_bytes: sum(|memory| memory.working_set_bytes.as_ref()),
        usage_bytes: sum(|memory| memory.usage_bytes.as_ref()),
        rss_bytes: sum(|memory| memory.rss_bytes.as_ref()),
        page_faults: sum(|memory| memory.page_faults.as_ref()),
        major_page_faults: sum(|memory| memory.major_page_faults.as_ref()),
        ..MemoryUsage::default()
    }
}

/// Reads `/proc/<pid>/net/dev`: two lines of head, then a name and sixteen numbers each. Loopback is nobody's traffic.
fn network_usage(table: &str, timestamp: i64) -> NetworkUsage {
    let interface = |line: &str| {
        let (name, numbers) = line.split_once(':')?;
        let numbers: Vec<u64> = numbers.split_whitespace().filter_map(|text| text.parse().ok()).collect();
        let column = |place: usize| numbers.get(place).copied().and_then(number);
        Some(NetworkInterfaceUsage {
            name: name.trim().to_owned(),
            rx_bytes: column(0),
            rx_errors: column(2),
            tx_bytes: column(8),
            tx_errors: column(10),
        })
    };
    let found = table.lines().skip(2).filter_map(interface).filter(|interface| interface.name != "lo");
    let (default, interfaces): (Vec<_>, Vec<_>) = found.partition(|interface| interface.name == DEFAULT_INTERFACE);
    NetworkUsage { timestamp, default_interface: default.into_iter().next(), interfaces }
}

/// A metric of containers: its name and help, what it is, and how it is read from what is known of one.
struct Shown {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    of: fn(&ContainerStats) -> Option<u64>,
}

/// Those of cAdvisor's metrics that are known of a container.
const OF_CONTAINERS: [Shown; 4] = [
    Shown {
        name: "container_cpu_usage_seconds_total",
        help: "Cumulative cpu time consumed in seconds.",
        kind: MetricType::Counter,
        of: |stats| Some(value(stats.cpu.as_ref()?.usage_core_nano_seconds.as_ref()) / 1_000_000_000),
    },
    Shown {
        name: "container_memory_usage_bytes",
        help: "Current memory usage in bytes, including all memory regardless of when it was accessed.",
        kind: MetricType::Gauge,
        of: |stats| Some(value(stats.memory.as_ref()?.usage_bytes.as_ref())),
    },
    Shown {
        name: "container_memory_working_set_bytes",
        help: "Current working set in bytes.",
        kind: MetricType::Gauge,
        of: |stats| Some(value(stats.memory.as_ref()?.working_set_bytes.as_ref())),
    },
    Shown {
        name: "container_memory_rss",
        help: "Size of RSS in bytes.",
        kind: MetricType::Gauge,
        of: |stats| Some(value(stats.memory.as_ref()?.rss_bytes.as_ref())),
    },
];

/// Name, help, and the interface's figure.
type OfNetwork = (&'static str, &'static str, fn(&NetworkInterfaceUsage) -> Option<&UInt64Value>);

const OF_NETWORKS: [OfNetwork; 4] = [
    ("container_network_receive_bytes_total", "Cumulative count of bytes received", |usage| usage.rx_bytes.as_ref()),
    ("container_network_receive_errors_total", "Cumulative count of errors encountered while receiving", |usage| {
        usage.rx_errors.as_ref()
    }),
    ("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted", |usage| {
        usage.tx_bytes.as_ref()
    }),
    ("container_network_transmit_errors_total", "Cumulative count of errors encountered while transmitting", |usage| {
        usage.tx_errors.as_ref()
    }),
];

const CONTAINER_LABELS: [&str; 2] = ["id", "name"];
const NETWORK_LABELS: [&str; 3] = ["id", "name", "interface"];

pub(super) fn metric_descriptors() -> Vec<MetricDescriptor> {
    let describe = |name: &str, help: &str, labels: &[&str]| MetricDescriptor {
        name: name.to_owned(),
        help: help.to_owned(),
        label_keys: labels.iter().map(|label| (*label).to_owned()).collect(),
    };
    let of_containers = OF_CONTAINERS.iter().map(|shown| describe(shown.name, shown.help, &CONTAINER_LABELS));
    of_containers.chain(OF_NETWORKS.iter().map(|(name, help, _)| describe(name, help, &NETWORK_LABELS))).collect()
}

fn metrics_of_pod(pod: &PodSandboxStats) -> PodSandboxMetrics {
    let attributes = pod.attributes.clone().unwrap_or_default();
    let name = attributes.metadata.map(|metadata| metadata.name).unwrap_or_default();
    let linux = pod.linux.clone().unwrap_or_default();
    let network = linux.network.unwrap_or_default();
    let interfaces = network.default_interface.iter().chain(&network.interfaces);
    let metrics = interfaces.flat_map(|interface| {
        let labels = [&attributes.id, &name, &interface.name].map(String::clone);
        OF_NETWORKS
            .iter()
            .map(move |(metric, _, of)| measured(metric, MetricType::Counter, &labels, value(of(interface))))
    });
    PodSandboxMetrics {
        pod_sandbox_id: attributes.id.clone(),
        metrics: metrics.collect(),
        container_metrics: linux.containers.iter().map(metrics_of_container).collect(),
    }
}

fn metrics_of_container(stats: &ContainerStats) -> ContainerMetrics {
    let attributes = stats.attributes.clone().unwrap_or_default();
    let name = attributes.metadata.map(|metadata| metadata.name).unwrap_or_default();
    let labels = [attributes.id.clone(), name];
    let measure = |shown: &Shown| Some(measured(shown.name, shown.kind, &labels, (shown.of)(stats)?));
    ContainerMetrics { container_id: attributes.id, metrics: OF_CONTAINERS.iter().filter_map(measure).collect() }
}

/// Read at this moment, which a time of zero says.
fn measured(name: &str, kind: MetricType, labels: &[String], value: u64) -> Metric {
    Metric {
        name: name.to_owned(),
        timestamp: 0,
        metric_type: kind as i32,
        label_values: labels.to_vec(),
        value: number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:   10       1    0    0    0     0          0         0       10       1    0    0    0     0       0          0
  eth0: 1500      11    2    0    0     0          0         0      700       7    3    0    0     0       0          0
  eth1:    5       1    0    0    0     0          0         0        6       1    0    0    0     0       0          0
";

    #[test]
    fn traffic_is_read_from_the_kernels_table() {
        let usage = network_usage(TABLE, 9);
        let default = usage.default_interface.unwrap();
        let figures = [&default.rx_bytes, &default.rx_errors, &default.tx_bytes, &default.tx_errors];
        assert_eq!(figures.map(|figure| value(figure.as_ref())), [1500, 2, 700, 3]);
        assert_eq!(usage.interfaces.iter().map(|interface| interface.name.as_str()).collect::<Vec<_>>(), ["eth1"]);
        assert_eq!(usage.timestamp, 9);
    }

    #[test]
    fn every_metric_was_described_with_as_many_labels() {
        let container = ContainerStats {
            cpu: Some(CpuUsage { usage_core_nano_seconds: number(3_500_000_000), ..CpuUsage::default() }),
            memory: Some(MemoryUsage { rss_bytes: number(7), ..MemoryUsage::default() }),
            ..ContainerStats::default()
        };
        let pod = PodSandboxStats {
            linux: Some(LinuxPodSandboxStats {
                network: Some(network_usage(TABLE, 9)),
                containers: vec![container],
                ..LinuxPodSandboxStats::default()
            }),
            ..PodSandboxStats::default()
        };
        let described = metric_descriptors();
        let shown = metrics_of_pod(&pod);
        let of_container = &shown.container_metrics[0].metrics;
        assert_eq!((shown.metrics.len(), of_container.len()), (2 * OF_NETWORKS.len(), OF_CONTAINERS.len()));
        for metric in shown.metrics.iter().chain(of_container) {
            let descriptor = described.iter().find(|descriptor| descriptor.name == metric.name).unwrap();
            assert_eq!(descriptor.label_keys.len(), metric.label_values.len(), "{}", metric.name);
        }
        assert_eq!(value(of_container[0].value.as_ref()), 3, "seconds");
    }
}
