//! The Summary API: what node, pods, containers and volumes use.

use std::path::PathBuf;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use cri::{Container, ImageFsInfoRequest, ListContainersRequest};
use jiff::Timestamp;
use reconcile::Informer;
use serde_json::{Value, json};

use super::{Answer, Refusal};
use crate::config::names;
use crate::pod::{Context, spec};
use crate::usage::{self, ContainerUsage, Disk, Rates, Tree, Usage};
use crate::volumes;

/// Rates of processor time need two looks: `rates` remembers the last one.
pub(crate) async fn summary(
    context: &Arc<Context>,
    pods: &Informer<Pod>,
    rates: &Rates,
    only_cpu_and_memory: bool,
) -> Result<Answer, Refusal> {
    let containers = usage::containers(&*context.runtime).await;
    let containers = containers.map_err(|status| Refusal::internal(status.message))?;
    let node = usage::node().map_err(|error| Refusal::internal(error.to_string()))?;
    let now = context.ambient.clock.now_seconds();
    rates.retain(|key| {
        key.is_empty() || containers.iter().any(|container| container.id == key || container.pod_uid == key)
    });
    let mut all = Vec::new();
    for pod in pods.list() {
        let own: Vec<&ContainerUsage> =
            containers.iter().filter(|container| container.pod_uid == spec::uid(&pod)).collect();
        let disk = if only_cpu_and_memory { None } else { Some(pod_disk(context, Arc::clone(&pod)).await?) };
        all.push(pod_summary(&pod, &own, disk.as_ref(), rates, now));
    }
    let mut about_node = json!({
        "nodeName": context.node.node_name,
        "startTime": context.booted_at.to_string(),
        "cpu": cpu("", node, now, rates),
        "memory": memory(node, now),
    });
    if !only_cpu_and_memory {
        let images = context.images.image_fs_info(ImageFsInfoRequest {}).await;
        let images = images.map_err(|status| Refusal::internal(status.message))?.image_filesystems;
        let folder = images.first().and_then(|fs| fs.fs_id.as_ref()).map(|id| PathBuf::from(&id.mountpoint));
        let disk = |path| usage::disk(path).map_err(|error| Refusal::internal(error.to_string()));
        let fs = file_system(disk(&context.node.root_dir)?, now);
        let image_fs = match &folder {
            Some(folder) => file_system(disk(folder)?, now),
            None => fs.clone(),
        };
        about_node["fs"] = fs;
        about_node["runtime"] = json!({ "imageFs": image_fs, "containerFs": image_fs });
        about_node["rlimit"] = rlimit(now);
    }
    super::json(&json!({ "node": about_node, "pods": all }))
}

/// Every container the runtime knows.
pub(crate) async fn listed(context: &Context) -> Result<Vec<Container>, Refusal> {
    let listed = context.runtime.list_containers(ListContainersRequest { filter: None }).await;
    Ok(listed.map_err(|status| Refusal::internal(status.message))?.containers)
}

/// What a pod keeps on disk.
struct PodDisk {
    disk: Disk,
    /// By container.
    logs: Vec<(String, Tree)>,
    volumes: Vec<volumes::disk::VolumeUsage>,
}

/// Walks the pod's folders where it disturbs nobody.
async fn pod_disk(context: &Arc<Context>, pod: Arc<Pod>) -> Result<PodDisk, Refusal> {
    let context = Arc::clone(context);
    let walk = tokio::task::spawn_blocking(move || -> std::io::Result<PodDisk> {
        let logs = names::log_dir(&context.node.pod_log_dir, &pod);
        let containers = spec::init_containers(&pod).iter().chain(&spec::spec(&pod).containers);
        let logs = containers
            .map(|container| Ok((container.name.clone(), usage::tree(&logs.join(&container.name))?)))
            .collect::<std::io::Result<_>>()?;
        let volumes = volumes::disk::of_pod(&context.node.root_dir, &pod, &context.mounted_claims.of(spec::uid(&pod)))?;
        Ok(PodDisk { disk: usage::disk(&context.node.root_dir)?, logs, volumes })
    });
    let walked = walk.await.map_err(|error| Refusal::internal(error.to_string()))?;
    walked.map_err(|error| Refusal::internal(error.to_string()))
}

fn pod_summary(pod: &Pod, own: &[&ContainerUsage], disk: Option<&PodDisk>, rates: &Rates, now: Timestamp) -> Value {
    let containers: Vec<Value> = own
        .iter()
        .map(|container| {
            let at = whole_seconds(container.at);
            let mut summary = json!({
                "name": container.container,
                "startTime": whole_seconds(container.started_at).to_string(),
                "cpu": cpu(&container.id, container.usage, container.at, rates),
                "memory": memory(container.usage, at),
            });
            if let Some(disk) = disk {
                let logs = disk.logs.iter().find(|(name, _)| *name == container.container);
                let logs = logs.map(|(_, tree)| *tree).unwrap_or_default();
                summary["logs"] = part(disk.disk, logs, now);
                let layer = Tree {
                    bytes: container.writable_bytes.unwrap_or(0),
                    inodes: container.writable_inodes.unwrap_or(0),
                };
                summary["rootfs"] = part(disk.disk, layer, now);
            }
            summary
        })
        .collect();
    let start = pod.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|start| start.0.to_string());
    let mut summary = json!({
        "podRef": { "name": spec::name(pod), "namespace": spec::namespace(pod), "uid": spec::uid(pod) },
        "startTime": start,
        "containers": containers,
    });
    if let Some(usage) = Usage::sum(own.iter().map(|container| container.usage)) {
        let at = own.iter().map(|container| container.at).max().unwrap_or(now);
        summary["cpu"] = cpu(spec::uid(pod), usage, at, rates);
        summary["memory"] = memory(usage, whole_seconds(at));
    }
    if let Some(disk) = disk {
        let local = disk.volumes.iter().filter(|volume| volume.is_local).map(|volume| volume.tree);
        let layers = own.iter().map(|container| Tree {
            bytes: container.writable_bytes.unwrap_or(0),
            inodes: container.writable_inodes.unwrap_or(0),
        });
        let all = disk.logs.iter().map(|(_, tree)| *tree).chain(local).chain(layers);
        let sum = all.fold(Tree::default(), |sum, tree| Tree {
            bytes: sum.bytes.saturating_add(tree.bytes),
            inodes: sum.inodes.saturating_add(tree.inodes),
        });
        summary["ephemeral-storage"] = part(disk.disk, sum, now);
        let volumes = disk.volumes.iter().map(|volume| {
            let mut shown = part(volume.disk, volume.tree, now);
            shown["name"] = json!(volume.name);
            if let Some((namespace, name)) = &volume.claim {
                shown["pvcRef"] = json!({ "name": name, "namespace": namespace });
            }
            shown
        });
        summary["volume"] = Value::Array(volumes.collect());
    }
    summary
}

fn cpu(key: &str, usage: Usage, at: Timestamp, rates: &Rates) -> Value {
    let mut shown = json!({ "time": whole_seconds(at).to_string(), "usageCoreNanoSeconds": usage.cpu_nanoseconds });
    if let Some(nanocores) = rates.nanocores(key, at, usage.cpu_nanoseconds) {
        shown["usageNanoCores"] = json!(nanocores);
    }
    shown
}

fn memory(usage: Usage, at: Timestamp) -> Value {
    let mut shown = json!({
        "time": at.to_string(),
        "usageBytes": usage.usage_bytes,
        "workingSetBytes": usage.working_set_bytes,
        "rssBytes": usage.rss_bytes,
        "pageFaults": usage.page_faults,
        "majorPageFaults": usage.major_page_faults,
    });
    if let Some(available) = usage.available_bytes {
        shown["availableBytes"] = json!(available);
    }
    shown
}

fn file_system(disk: Disk, now: Timestamp) -> Value {
    part(disk, Tree { bytes: disk.used_bytes, inodes: disk.inodes.saturating_sub(disk.inodes_free) }, now)
}

/// What one user of a file system takes of it.
fn part(disk: Disk, used: Tree, now: Timestamp) -> Value {
    json!({
        "time": now.to_string(),
        "availableBytes": disk.available_bytes,
        "capacityBytes": disk.capacity_bytes,
        "usedBytes": used.bytes,
        "inodesFree": disk.inodes_free,
        "inodes": disk.inodes,
        "inodesUsed": used.inodes,
    })
}

fn rlimit(now: Timestamp) -> Value {
    let (maximum, current) = usage::process_ids().unzip();
    json!({ "time": now.to_string(), "maxpid": maximum, "curproc": current })
}

fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn a_pod_is_the_sum_of_its_own_containers() {
        let container = |id: &str, bytes, cpu_nanoseconds, millisecond| ContainerUsage {
            id: id.to_owned(),
            at: Timestamp::from_millisecond(millisecond).unwrap(),
            usage: Usage { working_set_bytes: bytes, cpu_nanoseconds, ..Usage::default() },
            writable_bytes: Some(10),
            ..ContainerUsage::default()
        };
        let pod = pod_from(r#"{"metadata":{"name":"p","namespace":"ns","uid":"u"}}"#);
        let (rates, now) = (Rates::default(), Timestamp::UNIX_EPOCH);
        let disk = PodDisk {
            disk: Disk { capacity_bytes: 100, ..Disk::default() },
            logs: vec![("c".to_owned(), Tree { bytes: 5, inodes: 1 })],
            volumes: Vec::new(),
        };
        let (a, b) = (container("a", 1, 0, 0), container("b", 2, 0, 0));
        let first = pod_summary(&pod, &[&a, &b], Some(&disk), &rates, now);
        assert_eq!(first["memory"]["workingSetBytes"], 3);
        assert_eq!(first["ephemeral-storage"]["usedBytes"], 25);
        assert!(first["cpu"]["usageNanoCores"].is_null());
        let (a, b) = (container("a", 1, 500, 1000), container("b", 2, 250, 1000));
        let second = pod_summary(&pod, &[&a, &b], None, &rates, now);
        assert_eq!(second["cpu"]["usageNanoCores"], 750);
        assert_eq!(second["containers"][0]["cpu"]["usageNanoCores"], 500);
        assert!(second["ephemeral-storage"].is_null());
    }
}
