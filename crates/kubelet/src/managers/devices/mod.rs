//! The device manager: plugins tell of devices, containers that ask for them get some.

mod checkpoint;
pub(crate) mod choose;
pub(crate) mod messages;
mod plugins;
#[cfg(test)]
mod tests;

pub(crate) use checkpoint::CheckpointError;
pub(crate) use plugins::serve;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::core::v1::{Container, Pod};
use grpc::Channel;
use stdx::Clock;
use tokio::sync::Notify;

use super::hints::{Hint, NumaSet, Wish};
use crate::config::qos::{limits, positive};
use crate::pod::spec;
use checkpoint::{Grants, Registered};
use choose::{Places, Supply, Unavailable};
use messages::{
    AllocateRequest, AllocateResponse, ContainerAllocateRequest, ContainerAllocateResponse,
    ContainerPreferredAllocationRequest, DevicePluginOptions, Empty, PreStartContainerRequest,
    PreferredAllocationRequest, PreferredAllocationResponse,
};

/// How long a plugin may take to prepare a container's devices: upstream's bound.
const PRE_START_DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Devices {
    /// With the kubelet's socket and the plugins'.
    folder: PathBuf,
    state: Mutex<State>,
    /// Told when the node has other devices than before.
    changed: Arc<Notify>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct State {
    resources: BTreeMap<String, Resource>,
    grants: Grants,
    /// Of plugins that stayed away too long: the node still says that it has none.
    lost: BTreeSet<String>,
    sessions: u64,
}

/// What one plugin offers.
#[derive(Debug, Default)]
struct Resource {
    devices: BTreeMap<String, Device>,
    options: DevicePluginOptions,
    /// Absent while the plugin is not there.
    plugin: Option<Arc<Channel>>,
    /// Which session with a plugin told of these.
    session: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Device {
    pub(crate) is_healthy: bool,
    /// Empty where its place does not matter.
    pub(crate) nodes: Vec<usize>,
}

/// What one container has of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Grant {
    /// With the NUMA nodes of each.
    pub(crate) devices: BTreeMap<String, Vec<usize>>,
    pub(crate) answer: ContainerAllocateResponse,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DeviceError {
    #[error("no healthy devices present; cannot allocate unhealthy devices {0}")]
    Unhealthy(String),
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("pod {pod:?} container {container:?} changed request for resource {resource:?} from {before} to {now}")]
    Changed { pod: String, container: String, resource: String, before: usize, now: usize },
    #[error("{0}")]
    Plugin(grpc::Status),
    #[error("no containers return in allocation response")]
    NoAnswer,
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error("device plugin PreStartContainer rpc failed with err: {0}")]
    PreStart(grpc::Status),
}

impl Grant {
    fn by_node(&self) -> BTreeMap<String, Vec<String>> {
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, nodes) in &self.devices {
            let nodes: Vec<String> =
                if nodes.is_empty() { vec!["-1".to_owned()] } else { nodes.iter().map(usize::to_string).collect() };
            for node in nodes {
                found.entry(node).or_default().push(id.clone());
            }
        }
        found
    }

    fn from_nodes(by_node: BTreeMap<String, Vec<String>>, answer: ContainerAllocateResponse) -> Grant {
        let mut devices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (node, ids) in by_node {
            for id in ids {
                devices.entry(id).or_default().extend(node.parse::<usize>().ok());
            }
        }
        Grant { devices, answer }
    }
}

impl Devices {
    /// What was given before stands; devices that were there count as unhealthy until their plugin comes again.
    pub(crate) fn open(folder: &Path, changed: Arc<Notify>, clock: Clock) -> Result<Devices, CheckpointError> {
        std::fs::create_dir_all(folder)?;
        let (grants, registered) = checkpoint::load(folder)?;
        let unhealthy = |ids: Vec<String>| ids.into_iter().map(|id| (id, Device::default())).collect();
        let resources = registered
            .into_iter()
            .map(|(name, ids)| (name, Resource { devices: unhealthy(ids), ..Resource::default() }))
            .collect();
        let state = Mutex::new(State { resources, grants, ..State::default() });
        Ok(Devices { folder: folder.to_owned(), state, changed, clock })
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock
    }

    /// How many there are and how many of them are healthy, by resource.
    pub(crate) fn amounts(&self) -> BTreeMap<String, (usize, usize)> {
        let state = self.lock();
        let healthy = |resource: &Resource| resource.devices.values().filter(|device| device.is_healthy).count();
        let lost = state.lost.iter().map(|name| (name.clone(), (0, 0)));
        let there =
            state.resources.iter().map(|(name, resource)| (name.clone(), (resource.devices.len(), healthy(resource))));
        lost.chain(there).collect()
    }

    /// All healthy devices, by resource.
    pub(crate) fn healthy(&self) -> BTreeMap<String, BTreeMap<String, Vec<usize>>> {
        let of = |resource: &Resource| {
            let healthy = resource.devices.iter().filter(|(_, device)| device.is_healthy);
            healthy.map(|(id, device)| (id.clone(), device.nodes.clone())).collect()
        };
        self.lock().resources.iter().map(|(name, resource)| (name.clone(), of(resource))).collect()
    }

    /// What a container was given, by resource.
    pub(crate) fn of(&self, uid: &str, container: &str) -> BTreeMap<String, Grant> {
        let state = self.lock();
        let given = state.grants.get(uid).and_then(|containers| containers.get(container));
        given.cloned().unwrap_or_default()
    }

    pub(crate) fn concerns(&self, pod: &Pod) -> bool {
        let state = self.lock();
        let all = spec::init_containers(pod).iter().chain(&spec::spec(pod).containers);
        all.into_iter().any(|container| asked(&state, container).next().is_some())
    }

    /// Where a container's devices could be had, one wish for each resource.
    pub(crate) fn wishes(&self, pod: &Pod, container: &Container, machine: NumaSet) -> Vec<Wish> {
        let state = self.lock();
        let wish = |(resource, count): (String, usize)| {
            let held = state.grants.get(spec::uid(pod)).and_then(|own| own.get(&container.name)?.get(&resource));
            match held {
                Some(held) => {
                    let nodes: NumaSet = held.devices.values().flatten().copied().collect();
                    if nodes.count() == 0 { Wish::Anywhere } else { Wish::OneOf(vec![Hint::new(nodes, true)]) }
                }
                None => supply(&state, pod, &container.name, &resource).wish(machine, count),
            }
        };
        asked(&state, container).map(wish).collect()
    }

    /// The same for a pod as a whole.
    pub(crate) fn wishes_of_pod(&self, pod: &Pod, machine: NumaSet) -> Vec<Wish> {
        let state = self.lock();
        let mut together: BTreeMap<String, usize> = BTreeMap::new();
        for container in &spec::spec(pod).containers {
            for (resource, count) in asked(&state, container) {
                *together.entry(resource).or_default() += count;
            }
        }
        for container in spec::init_containers(pod) {
            for (resource, count) in asked(&state, container) {
                let most = together.entry(resource).or_default();
                *most = (*most).max(count);
            }
        }
        together.into_iter().map(|(resource, count)| supply(&state, pod, "", &resource).wish(machine, count)).collect()
    }

    /// Gives a container all devices that it asks for. The caller takes care that one pod is served at a time.
    pub(crate) async fn assign(&self, pod: &Pod, container: &Container, hint: Hint) -> Result<(), DeviceError> {
        let asked: Vec<(String, usize)> = asked(&self.lock(), container).collect();
        for (resource, count) in asked {
            self.assign_one(pod, container, &resource, count, hint).await?;
        }
        Ok(())
    }

    async fn assign_one(
        &self,
        pod: &Pod,
        container: &Container,
        resource: &str,
        count: usize,
        hint: Hint,
    ) -> Result<(), DeviceError> {
        let uid = spec::uid(pod);
        if let Some(held) = self.of(uid, &container.name).get(resource) {
            return if held.devices.len() == count {
                Ok(())
            } else {
                Err(DeviceError::Changed {
                    pod: uid.to_owned(),
                    container: container.name.clone(),
                    resource: resource.to_owned(),
                    before: held.devices.len(),
                    now: count,
                })
            };
        }
        let (plugin, options, supply) = {
            let state = self.lock();
            let found = state.resources.get(resource).filter(|found| found.devices.values().any(|one| one.is_healthy));
            let Some(found) = found else { return Err(DeviceError::Unhealthy(resource.to_owned())) };
            let Some(plugin) = found.plugin.clone() else { return Err(DeviceError::Unhealthy(resource.to_owned())) };
            (plugin, found.options, supply(&state, pod, &container.name, resource))
        };
        let candidates = supply.candidates(count, hint)?;
        let preferred = if options.get_preferred_allocation_available && candidates.given.len() < count {
            preferred(&plugin, &candidates, count).await?
        } else {
            Vec::new()
        };
        let chosen = candidates.settle(count, &preferred);
        let request = ContainerAllocateRequest { device_ids: chosen.iter().cloned().collect() };
        let request = AllocateRequest { container_requests: vec![request] };
        let answer = plugin.unary::<AllocateResponse>("v1beta1.DevicePlugin/Allocate", &request, None).await;
        let answer = answer.map_err(DeviceError::Plugin)?.container_responses.into_iter().next();
        let answer = answer.ok_or(DeviceError::NoAnswer)?;
        self.change(|state| {
            let place = |id: &String| {
                let device = state.resources.get(resource).and_then(|found| found.devices.get(id));
                device.map(|device| device.nodes.clone()).unwrap_or_default()
            };
            let devices = chosen.iter().map(|id| (id.clone(), place(id))).collect();
            let containers = state.grants.entry(uid.to_owned()).or_default();
            let own = containers.entry(container.name.clone()).or_default();
            own.insert(resource.to_owned(), Grant { devices, answer });
        })?;
        Ok(())
    }

    /// Lets plugins that want it prepare the container's devices.
    pub(crate) async fn before_start(&self, uid: &str, container: &str) -> Result<(), DeviceError> {
        for (resource, grant) in self.of(uid, container) {
            let plugin = {
                let state = self.lock();
                let wanting = state.resources.get(&resource).filter(|found| found.options.pre_start_required);
                wanting.and_then(|found| found.plugin.clone())
            };
            let Some(plugin) = plugin else { continue };
            let request = PreStartContainerRequest { device_ids: grant.devices.into_keys().collect() };
            let method = "v1beta1.DevicePlugin/PreStartContainer";
            let prepared = plugin.unary::<Empty>(method, &request, Some(PRE_START_DEADLINE)).await;
            prepared.map_err(DeviceError::PreStart)?;
        }
        Ok(())
    }

    /// Takes back what the pod had.
    pub(crate) fn release(&self, uid: &str) -> Result<(), CheckpointError> {
        if !self.lock().grants.contains_key(uid) {
            return Ok(());
        }
        self.change(|state| drop(state.grants.remove(uid)))
    }

    /// What pods have that are no longer there, they give back.
    pub(crate) fn keep_only(&self, known: &BTreeSet<String>) -> Result<(), CheckpointError> {
        if self.lock().grants.keys().all(|uid| known.contains(uid)) {
            return Ok(());
        }
        self.change(|state| state.grants.retain(|uid, _| known.contains(uid)))
    }

    /// On disk before anybody acts on it.
    fn change(&self, change: impl FnOnce(&mut State)) -> Result<(), CheckpointError> {
        let mut state = self.lock();
        change(&mut state);
        let ids = |resource: &Resource| resource.devices.keys().cloned().collect();
        let registered: Registered =
            state.resources.iter().map(|(name, resource)| (name.clone(), ids(resource))).collect();
        checkpoint::save(&self.folder, &state.grants, registered)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a container asks for of what plugins offer.
fn asked<'a>(state: &'a State, container: &'a Container) -> impl Iterator<Item = (String, usize)> + 'a {
    let known = limits(container).into_iter().flatten().filter(|(name, _)| state.resources.contains_key(*name));
    known.filter_map(|(name, _)| {
        let count = positive(limits(container), name)?.units();
        Some((name.clone(), usize::try_from(count).ok()?))
    })
}

fn supply(state: &State, pod: &Pod, container: &str, resource: &str) -> Supply {
    let devices = state.resources.get(resource).map(|found| &found.devices);
    let places: Places = devices
        .into_iter()
        .flatten()
        .map(|(id, device)| (id.clone(), (!device.nodes.is_empty()).then(|| device.nodes.iter().copied().collect())))
        .collect();
    let held = |grants: &BTreeMap<String, BTreeMap<String, Grant>>, name: &str| -> Vec<String> {
        let grant = grants.get(name).and_then(|own| own.get(resource));
        grant.into_iter().flat_map(|grant| grant.devices.keys().cloned()).collect()
    };
    let taken: BTreeSet<String> = state
        .grants
        .values()
        .flat_map(|containers| containers.keys().flat_map(|name| held(containers, name)).collect::<Vec<_>>())
        .collect();
    let healthy = devices.into_iter().flatten().filter(|(_, device)| device.is_healthy).map(|(id, _)| id.clone());
    let free = healthy.filter(|id| !taken.contains(id)).collect();
    let mut reusable = BTreeSet::new();
    if let Some(own) = state.grants.get(spec::uid(pod)) {
        let earlier = spec::init_containers(pod).iter().take_while(|init| init.name != container);
        let ended = earlier.filter(|init| !spec::is_sidecar(init));
        reusable.extend(ended.flat_map(|init| held(own, &init.name)));
        let others = own.keys().filter(|name| {
            let found = spec::find(pod, name);
            found.is_none_or(|(_, role)| role != spec::Role::Init)
        });
        for id in others.flat_map(|name| held(own, name)) {
            reusable.remove(&id);
        }
    }
    Supply { resource: resource.to_owned(), all: places, free, reusable }
}

async fn preferred(
    plugin: &Channel,
    candidates: &choose::Candidates,
    count: usize,
) -> Result<Vec<String>, DeviceError> {
    let request = ContainerPreferredAllocationRequest {
        available_device_ids: candidates.given.iter().chain(&candidates.others).cloned().collect(),
        must_include_device_ids: candidates.given.clone(),
        allocation_size: i32::try_from(count).unwrap_or(i32::MAX),
    };
    let request = PreferredAllocationRequest { container_requests: vec![request] };
    let method = "v1beta1.DevicePlugin/GetPreferredAllocation";
    let answer = plugin.unary::<PreferredAllocationResponse>(method, &request, None).await;
    let answer = answer.map_err(DeviceError::Plugin)?;
    Ok(answer.container_responses.into_iter().next().map(|response| response.device_ids).unwrap_or_default())
}
