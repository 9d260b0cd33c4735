//! `/metrics/cadvisor`.

use std::collections::HashMap;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;

use super::exposition::Exposition;
use crate::config::{qos, resources};
use crate::pod::{Context, spec};
use crate::usage::ContainerUsage;

/// One reading of a container, and of its spec where it is known.
type Reading = (&'static str, &'static str, &'static str, fn(&Seen<'_>) -> Option<f64>);

struct Seen<'a> {
    container: &'a ContainerUsage,
    limits: Option<cri::LinuxContainerResources>,
    cgroup: String,
}

const READINGS: [Reading; 12] = [
    ("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds.", "counter", |seen| {
        Some(seen.container.usage.cpu_nanoseconds as f64 / 1e9)
    }),
    (
        "container_fs_usage_bytes",
        "Number of bytes that are consumed by the container on this filesystem.",
        "gauge",
        |seen| seen.container.writable_bytes.map(|bytes| bytes as f64),
    ),
    ("container_last_seen", "Last time a container was seen by the exporter", "gauge", |seen| {
        Some(seen.container.at.as_second() as f64)
    }),
    ("container_memory_rss", "Size of RSS in bytes.", "gauge", |seen| Some(seen.container.usage.rss_bytes as f64)),
    ("container_memory_swap", "Container swap usage in bytes.", "gauge", |seen| {
        seen.container.usage.swap_bytes.map(|bytes| bytes as f64)
    }),
    (
        "container_memory_usage_bytes",
        "Current memory usage in bytes, including all memory regardless of when it was accessed",
        "gauge",
        |seen| Some(seen.container.usage.usage_bytes as f64),
    ),
    ("container_memory_working_set_bytes", "Current working set in bytes.", "gauge", |seen| {
        Some(seen.container.usage.working_set_bytes as f64)
    }),
    ("container_spec_cpu_period", "CPU period of the container.", "gauge", |seen| {
        seen.limits.as_ref().map(|limits| limits.cpu_period).filter(|period| *period > 0).map(|period| period as f64)
    }),
    ("container_spec_cpu_quota", "CPU quota of the container.", "gauge", |seen| {
        seen.limits.as_ref().map(|limits| limits.cpu_quota).filter(|quota| *quota > 0).map(|quota| quota as f64)
    }),
    ("container_spec_cpu_shares", "CPU share of the container.", "gauge", |seen| {
        seen.limits.as_ref().map(|limits| limits.cpu_shares as f64)
    }),
    ("container_spec_memory_limit_bytes", "Memory limit for the container.", "gauge", |seen| {
        seen.limits.as_ref().map(|limits| limits.memory_limit_in_bytes as f64)
    }),
    ("container_start_time_seconds", "Start time of the container since unix epoch in seconds.", "gauge", |seen| {
        Some(seen.container.started_at.as_second() as f64)
    }),
];

pub(super) fn generate(context: &Context, pods: &[Arc<Pod>], containers: &[ContainerUsage]) -> Exposition {
    let by_uid: HashMap<&str, &Arc<Pod>> = pods.iter().map(|pod| (spec::uid(pod), pod)).collect();
    let seen: Vec<Seen<'_>> = containers
        .iter()
        .map(|container| {
            let pod = by_uid.get(container.pod_uid.as_str());
            let found = pod.and_then(|pod| Some((pod, spec::find(pod, &container.container)?.0)));
            let limits = found.map(|(pod, spec)| resources::for_container(pod, &spec, &context.node));
            let parent = pod.map(|pod| qos::cgroup_parent(&context.node.cgroup_root, pod)).unwrap_or_default();
            Seen { container, limits, cgroup: format!("{parent}/{}", container.id) }
        })
        .collect();
    let mut exposition = Exposition::default();
    for (name, help, kind, read) in READINGS {
        let mut family = exposition.family(name, help, kind);
        for seen in &seen {
            let Some(value) = read(seen) else { continue };
            let ContainerUsage { container, id, image, namespace, pod, .. } = seen.container;
            let mut labels: Vec<(&str, &str)> = vec![("container", container), ("id", &seen.cgroup)];
            if name == "container_cpu_usage_seconds_total" {
                labels.insert(1, ("cpu", "total"));
            }
            labels.extend([("image", image.as_str()), ("name", id), ("namespace", namespace), ("pod", pod)]);
            family.sample_at(&labels, value, seen.container.at);
        }
    }
    faults(&mut exposition, &seen);
    exposition.single(
        "machine_cpu_cores",
        "Number of logical CPU cores.",
        "gauge",
        (context.node.cpu_millis / 1000) as f64,
    );
    let memory = context.node.memory_bytes as f64;
    exposition.single("machine_memory_bytes", "Amount of memory installed on the machine.", "gauge", memory);
    exposition
}

fn faults(exposition: &mut Exposition, seen: &[Seen<'_>]) {
    let help = "Cumulative count of memory allocation failures.";
    let mut family = exposition.family("container_memory_failures_total", help, "counter");
    for Seen { container, cgroup, .. } in seen {
        for (kind, count) in
            [("pgfault", container.usage.page_faults), ("pgmajfault", container.usage.major_page_faults)]
        {
            let labels = [
                ("container", container.container.as_str()),
                ("failure_type", kind),
                ("id", cgroup),
                ("image", &container.image),
                ("name", &container.id),
                ("namespace", &container.namespace),
                ("pod", &container.pod),
                ("scope", "container"),
            ];
            family.sample_at(&labels, count as f64, container.at);
        }
    }
}
