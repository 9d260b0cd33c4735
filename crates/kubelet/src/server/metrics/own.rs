//! `/metrics`: the kubelet itself.

use std::fs;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use cri::{Container, ContainerState};

use super::exposition::Exposition;
use crate::pod::{Context, spec};
use crate::usage::{self, meminfo_bytes};

pub(super) fn generate(context: &Context, pods: &[Arc<Pod>], containers: &[Container]) -> Exposition {
    let mut exposition = Exposition::default();
    let node = context.node.node_name.as_str();
    exposition
        .family("kubelet_node_name", "[ALPHA] The node's name. The count is always 1.", "gauge")
        .sample(&[("node", node)], 1.0);
    let with_sandbox: std::collections::BTreeSet<&str> = containers
        .iter()
        .filter(|container| container.state == ContainerState::Running as i32)
        .map(|container| container.pod_sandbox_id.as_str())
        .collect();
    exposition.single(
        "kubelet_running_pods",
        "[BETA] Number of pods that have a running pod sandbox",
        "gauge",
        with_sandbox.len() as f64,
    );
    let mut family =
        exposition.family("kubelet_running_containers", "[BETA] Number of containers currently running", "gauge");
    for (state, name) in [
        (ContainerState::Created, "created"),
        (ContainerState::Exited, "exited"),
        (ContainerState::Running, "running"),
        (ContainerState::Unknown, "unknown"),
    ] {
        let count = containers.iter().filter(|container| container.state == state as i32).count();
        if count > 0 {
            family.sample(&[("container_state", name)], count as f64);
        }
    }
    pods_by_origin(&mut exposition, pods);
    let mut family = exposition.family(
        "kubelet_evictions",
        "[STABLE] Cumulative number of pod evictions by eviction signal",
        "counter",
    );
    for (signal, count) in context.eviction_counts.all() {
        family.sample(&[("eviction_signal", signal)], count as f64);
    }
    claims(&mut exposition, context, pods);
    process(&mut exposition);
    exposition
}

fn pods_by_origin(exposition: &mut Exposition, pods: &[Arc<Pod>]) {
    let counted = |is_static: bool, active: bool| {
        let over = |pod: &Pod| {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            matches!(phase, Some("Succeeded" | "Failed"))
        };
        let counted = |pod: &&Arc<Pod>| spec::is_mirror(pod) == is_static && !(active && over(pod));
        pods.iter().filter(counted).count() as f64
    };
    for (name, help, active) in [
        ("kubelet_active_pods", "[ALPHA] The number of pods the kubelet considers active.", true),
        ("kubelet_desired_pods", "[ALPHA] The number of pods the kubelet is being instructed to run.", false),
    ] {
        let mut family = exposition.family(name, help, "gauge");
        family.sample(&[("static", "")], counted(false, active));
        family.sample(&[("static", "true")], counted(true, active));
    }
}

/// One reading of a volume's file system.
type Reading = (&'static str, &'static str, fn(&usage::Disk) -> u64);

/// The file systems behind claims.
fn claims(exposition: &mut Exposition, context: &Context, pods: &[Arc<Pod>]) {
    let mounted: Vec<(String, String, usage::Disk)> = pods
        .iter()
        .flat_map(|pod| context.mounted_claims.of(spec::uid(pod)))
        .filter_map(|mounted| Some((mounted.namespace, mounted.claim, usage::disk(&mounted.path).ok()?)))
        .collect();
    let readings: [Reading; 6] = [
        ("kubelet_volume_stats_available_bytes", "[ALPHA] Number of available bytes in the volume", |disk| {
            disk.available_bytes
        }),
        ("kubelet_volume_stats_capacity_bytes", "[ALPHA] Capacity in bytes of the volume", |disk| disk.capacity_bytes),
        ("kubelet_volume_stats_inodes", "[ALPHA] Maximum number of inodes in the volume", |disk| disk.inodes),
        ("kubelet_volume_stats_inodes_free", "[ALPHA] Number of free inodes in the volume", |disk| disk.inodes_free),
        ("kubelet_volume_stats_inodes_used", "[ALPHA] Number of used inodes in the volume", |disk| {
            disk.inodes.saturating_sub(disk.inodes_free)
        }),
        ("kubelet_volume_stats_used_bytes", "[ALPHA] Number of used bytes in the volume", |disk| disk.used_bytes),
    ];
    for (name, help, read) in readings {
        let mut family = exposition.family(name, help, "gauge");
        for (namespace, claim, disk) in &mounted {
            family.sample(&[("namespace", namespace), ("persistentvolumeclaim", claim)], read(disk) as f64);
        }
    }
}

/// What Prometheus' own clients say of their process.
fn process(exposition: &mut Exposition) {
    if let Some(bytes) = fs::read_to_string("/proc/self/status").ok().and_then(|text| meminfo_bytes(&text, "VmRSS")) {
        let help = "Resident memory size in bytes.";
        exposition.single("process_resident_memory_bytes", help, "gauge", bytes as f64);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        let help = "Number of open file descriptors.";
        exposition.single("process_open_fds", help, "gauge", open.count() as f64);
    }
    // The fields behind the command's name, which may hold spaces: the 14th and 15th of all are ticks.
    let stat = fs::read_to_string("/proc/self/stat").ok();
    let fields = stat.as_deref().and_then(|stat| stat.rsplit_once(") ")).map(|(_, rest)| rest);
    let ticks = fields.map(|fields| {
        fields.split(' ').skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).fold(0, u64::saturating_add)
    });
    if let Some(ticks) = ticks {
        let help = "Total user and system CPU time spent in seconds.";
        exposition.single("process_cpu_seconds_total", help, "counter", ticks as f64 / 100.0);
    }
}
