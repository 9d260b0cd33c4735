//! The PodResources API, `v1`: what devices, processors and memory each container has, for monitors on the node.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use bytes::Bytes;
use futures::future::BoxFuture;
use grpc::{Answer, Service, Status};
use prost::Message;
use tokio_util::sync::CancellationToken;

use super::devices::messages::{NumaNode, TopologyInfo};
use super::memory::Block;
use super::{Managers, cpu};
use crate::pod::manager::Mailboxes;
use crate::pod::spec;

const SOCKET: &str = "kubelet.sock";

#[derive(Clone, PartialEq, Message)]
struct ListResponse {
    #[prost(message, repeated, tag = "1")]
    pod_resources: Vec<PodResources>,
}

#[derive(Clone, PartialEq, Message)]
struct GetRequest {
    #[prost(string, tag = "1")]
    pod_name: String,
    #[prost(string, tag = "2")]
    pod_namespace: String,
}

#[derive(Clone, PartialEq, Message)]
struct GetResponse {
    #[prost(message, optional, tag = "1")]
    pod_resources: Option<PodResources>,
}

#[derive(Clone, PartialEq, Message)]
struct AllocatableResponse {
    #[prost(message, repeated, tag = "1")]
    devices: Vec<ContainerDevices>,
    #[prost(int64, repeated, tag = "2")]
    cpu_ids: Vec<i64>,
    #[prost(message, repeated, tag = "3")]
    memory: Vec<ContainerMemory>,
}

#[derive(Clone, PartialEq, Message)]
struct PodResources {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    namespace: String,
    #[prost(message, repeated, tag = "3")]
    containers: Vec<ContainerResources>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerResources {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    devices: Vec<ContainerDevices>,
    #[prost(int64, repeated, tag = "3")]
    cpu_ids: Vec<i64>,
    #[prost(message, repeated, tag = "4")]
    memory: Vec<ContainerMemory>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerDevices {
    #[prost(string, tag = "1")]
    resource_name: String,
    #[prost(string, repeated, tag = "2")]
    device_ids: Vec<String>,
    #[prost(message, optional, tag = "3")]
    topology: Option<TopologyInfo>,
}

#[derive(Clone, PartialEq, Message)]
struct ContainerMemory {
    #[prost(string, tag = "1")]
    memory_type: String,
    #[prost(uint64, tag = "2")]
    size: u64,
    #[prost(message, optional, tag = "3")]
    topology: Option<TopologyInfo>,
}

/// Serves at `<folder>/kubelet.sock` until cancelled.
pub(crate) async fn serve(
    folder: &Path,
    managers: Arc<Managers>,
    mailboxes: Arc<Mailboxes>,
    cancel: CancellationToken,
) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let listener = grpc::bind(&folder.join(SOCKET))?;
    let clock = managers.devices.clock();
    grpc::serve(listener, Arc::new(Lister { managers, mailboxes }), clock, cancel).await;
    Ok(())
}

struct Lister {
    managers: Arc<Managers>,
    mailboxes: Arc<Mailboxes>,
}

impl Service for Lister {
    fn call(self: Arc<Self>, path: String, message: Bytes) -> BoxFuture<'static, Result<Answer, Status>> {
        Box::pin(async move {
            match path.as_str() {
                "/v1.PodResourcesLister/List" => {
                    let pods = self.mailboxes.active();
                    let pod_resources = pods.iter().map(|pod| of_pod(&self.managers, pod)).collect();
                    Ok(Answer::one(&ListResponse { pod_resources }))
                }
                "/v1.PodResourcesLister/Get" => {
                    let request = GetRequest::decode(message).map_err(|error| Status::invalid(error.to_string()))?;
                    Ok(Answer::one(&self.get(&request)?))
                }
                "/v1.PodResourcesLister/GetAllocatableResources" => Ok(Answer::one(&allocatable(&self.managers))),
                _ => Err(Status::unimplemented(format!("unknown method {path}"))),
            }
        })
    }
}

impl Lister {
    fn get(&self, request: &GetRequest) -> Result<GetResponse, Status> {
        let GetRequest { pod_name, pod_namespace } = request;
        let pods = self.mailboxes.active();
        let wanted = |pod: &&Arc<Pod>| spec::name(pod) == pod_name && spec::namespace(pod) == pod_namespace;
        let found = pods.iter().find(wanted).map(|pod| of_pod(&self.managers, pod));
        let missing = || format!("pod {pod_name} in namespace {pod_namespace} not found");
        Ok(GetResponse { pod_resources: Some(found.ok_or_else(|| Status::new(grpc::Code::Unknown, missing()))?) })
    }
}

fn of_pod(managers: &Managers, pod: &Pod) -> PodResources {
    let sidecars = spec::init_containers(pod).iter().filter(|container| spec::is_sidecar(container));
    let containers = sidecars.chain(&spec::spec(pod).containers);
    let containers = containers.map(|container| {
        let (uid, name) = (spec::uid(pod), container.name.as_str());
        let allotment = managers.allotment(uid, name);
        let devices = allotment.devices.iter().flat_map(|(resource, grant)| by_node(resource, &grant.devices));
        let own = allotment.is_exclusive.then_some(&allotment.cpus);
        ContainerResources {
            name: name.to_owned(),
            devices: devices.collect(),
            cpu_ids: own.into_iter().flat_map(|cpus| cpus.iter()).map(|cpu| cpu as i64).collect(),
            memory: managers.lock().memory.of(uid, name).iter().map(of_block).collect(),
        }
    });
    PodResources {
        name: spec::name(pod).to_owned(),
        namespace: spec::namespace(pod).to_owned(),
        containers: containers.collect(),
    }
}

fn allocatable(managers: &Managers) -> AllocatableResponse {
    let healthy = managers.devices.healthy();
    let cpus = match managers.settings.cpu {
        cpu::Policy::None => Vec::new(),
        cpu::Policy::Static => {
            let all = managers.topology.all_cpus().difference(&managers.reserved_cpus);
            all.iter().map(|cpu| cpu as i64).collect()
        }
    };
    let machine = managers.machine();
    let mut memory = Vec::new();
    if managers.settings.memory == super::memory::Policy::Static {
        for (node, amounts) in &managers.topology.memory {
            let of_node: super::hints::NumaSet = std::iter::once(*node).collect();
            memory.extend(amounts.keys().map(|resource| ContainerMemory {
                memory_type: resource.clone(),
                size: machine.allocatable(of_node, resource),
                topology: Some(topology(&[*node])),
            }));
        }
    }
    let devices = healthy.iter().flat_map(|(resource, devices)| by_node(resource, devices)).collect();
    AllocatableResponse { devices, cpu_ids: cpus, memory }
}

/// One entry for each NUMA node, and one for devices without.
fn by_node(resource: &str, devices: &BTreeMap<String, Vec<usize>>) -> Vec<ContainerDevices> {
    let mut grouped: BTreeMap<&[usize], Vec<String>> = BTreeMap::new();
    for (id, nodes) in devices {
        grouped.entry(nodes.as_slice()).or_default().push(id.clone());
    }
    let entry = |(nodes, device_ids): (&[usize], Vec<String>)| ContainerDevices {
        resource_name: resource.to_owned(),
        device_ids,
        topology: (!nodes.is_empty()).then(|| topology(nodes)),
    };
    grouped.into_iter().map(entry).collect()
}

fn of_block(block: &Block) -> ContainerMemory {
    let topology = Some(topology(&block.numa_affinity));
    ContainerMemory { memory_type: block.resource.clone(), size: block.size, topology }
}

fn topology(nodes: &[usize]) -> TopologyInfo {
    TopologyInfo { nodes: nodes.iter().map(|node| NumaNode { id: *node as i64 }).collect() }
}

#[cfg(test)]
mod tests {
    use super::super::hints;
    use super::super::tests::{World, pod};
    use super::*;

    fn memory(of: &[ContainerMemory]) -> Vec<(&str, u64, Vec<i64>)> {
        let nodes =
            |memory: &ContainerMemory| memory.topology.iter().flat_map(|all| &all.nodes).map(|node| node.id).collect();
        of.iter().map(|memory| (memory.memory_type.as_str(), memory.size >> 20, nodes(memory))).collect()
    }

    fn world() -> World {
        World::new(hints::Policy::None, hints::Scope::Container)
    }

    #[tokio::test]
    async fn what_can_be_given_is_told_whether_it_was_given_or_not() {
        let world = world();
        let managers = world.open().unwrap();
        let told = allocatable(&managers);
        assert_eq!(told.cpu_ids, [1, 2, 3, 4, 5, 6, 7], "processor 0 is reserved");
        assert_eq!(memory(&told.memory), [("memory", 3072, vec![0]), ("memory", 4096, vec![1])]);
        assert!(told.devices.is_empty());
        let pod = pod("a", &[("2", "1Gi"), ("500m", "1Gi")]);
        managers.admit(&pod).await.unwrap();
        assert_eq!(allocatable(&managers), told);
        let given = of_pod(&managers, &pod);
        let cpus: Vec<_> = given.containers.iter().map(|one| (one.name.as_str(), one.cpu_ids.as_slice())).collect();
        assert_eq!(cpus, [("c0", &[1, 2][..]), ("c1", &[])], "shared ones are nobody's");
        assert_eq!(memory(&given.containers[0].memory), [("memory", 1024, vec![0])]);
    }

    #[tokio::test]
    async fn a_pod_that_is_not_there_is_named() {
        let lister = Arc::new(Lister { managers: Arc::new(world().open().unwrap()), mailboxes: Arc::default() });
        let request = GetRequest { pod_name: "p".to_owned(), pod_namespace: "ns".to_owned() };
        let status = lister.get(&request).unwrap_err();
        assert_eq!(status.message, "pod p in namespace ns not found");
        let unknown = lister.call("/v1.PodResourcesLister/Other".to_owned(), Bytes::new()).await;
        assert!(unknown.is_err_and(|status| status.code == grpc::Code::Unimplemented));
    }
}
