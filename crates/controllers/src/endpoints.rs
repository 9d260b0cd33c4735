//! Endpoints: the older, single list of the addresses behind a Service.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{EndpointAddress, EndpointPort, EndpointSubset, Endpoints, Pod, Service};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, ObjectMeta, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, WorkQueue};
use stdx::Clock;

use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};
use crate::pace::rest_after;
use crate::pods;
use crate::services::{self, enqueue_services, selected_pods, selector};

const MANAGED_BY: &str = "endpoints.kubernetes.io/managed-by";
const MANAGER: &str = "endpoint-controller";
const HEADLESS: &str = "service.kubernetes.io/headless";
const OVER_CAPACITY: &str = "endpoints.kubernetes.io/over-capacity";
/// A longer list is cut, and says so.
const CAPACITY: usize = 1000;

pub(crate) async fn run(context: Context) {
    let services = context.informers.of::<Service>();
    let pods = context.informers.of::<Pod>();
    let endpoints = context.informers.of::<Endpoints>();
    let queue = WorkQueue::new(context.ambient.clock);
    let lister = Lister {
        client: context.client.clone(),
        queue: queue.clone(),
        clock: context.ambient.clock,
        services: services.clone(),
        pods: pods.clone(),
        endpoints: endpoints.clone(),
    };
    let controller = Controller::with_queue("endpoints-controller", lister, queue.clone());
    enqueue_services(&services, &pods, &queue);
    let synced = async {
        services.synced().await;
        pods.synced().await;
        endpoints.synced().await;
    };
    context.run(controller, synced).await;
}

struct Lister {
    client: Client,
    queue: WorkQueue<NamespacedName>,
    clock: Clock,
    services: Informer<Service>,
    pods: Informer<Pod>,
    endpoints: Informer<Endpoints>,
}

impl Reconciler for Lister {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let api: Api<Endpoints> = Api::namespaced(self.client.clone(), &key.namespace);
        let Some(service) = self.services.get(key) else {
            if self.endpoints.get(key).is_some() {
                unless_gone(api.delete(&key.name, &DeleteParams::default()).await).during("delete endpoints", key)?;
            }
            return Ok(Outcome::Done);
        };
        let Some(selector) = selector(&service) else { return Ok(Outcome::Done) };
        let began = self.clock.instant();
        let pods = selected_pods(&self.pods, &service, &selector);
        let present = self.endpoints.get(key);
        let plan = plan_endpoints(&service, &pods, present.as_deref());
        self.queue.rest(key, rest_after(began.elapsed()));
        let Some(wanted) = plan else { return Ok(Outcome::Done) };
        let written = if present.is_some() {
            api.replace(&key.name, &PostParams::default(), &wanted).await.during("update endpoints", key)
        } else {
            api.create(&PostParams::default(), &wanted).await.during("create endpoints", key)
        };
        match written {
            Err(error) if error.call().is_some_and(client::CallError::is_namespace_terminating) => Ok(Outcome::Done),
            other => other.map(|_| Outcome::Done),
        }
    }
}

/// `None` where what is there is right.
fn plan_endpoints(service: &Service, pods: &[Arc<Pod>], present: Option<&Endpoints>) -> Option<Endpoints> {
    let (subsets, was_cut) = plan_subsets(service, pods);
    let mut metadata = present.map(|present| present.metadata.clone()).unwrap_or_else(|| ObjectMeta {
        name: service.metadata.name.clone(),
        namespace: service.metadata.namespace.clone(),
        ..ObjectMeta::default()
    });
    let mut labels = service.metadata.labels.clone().unwrap_or_default();
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if services::is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    } else {
        labels.remove(HEADLESS);
    }
    metadata.labels = Some(labels);
    if was_cut {
        metadata.annotations.get_or_insert_default().insert(OVER_CAPACITY.to_owned(), "truncated".to_owned());
    } else if let Some(annotations) = &mut metadata.annotations {
        annotations.remove(OVER_CAPACITY);
    }
    let wanted = Endpoints { metadata, subsets: (!subsets.is_empty()).then_some(subsets) };
    (present != Some(&wanted)).then_some(wanted)
}

/// One subset per set of ports; addresses in the order of their numbers.
fn plan_subsets(service: &Service, pods: &[Arc<Pod>]) -> (Vec<EndpointSubset>, bool) {
    type Ports = Vec<(String, i32, String, Option<String>)>;
    let mut groups: BTreeMap<Ports, (Vec<EndpointAddress>, Vec<EndpointAddress>)> = BTreeMap::new();
    let mut room = CAPACITY;
    let mut was_cut = false;
    for pod in pods.iter().filter(|pod| !pods::is_terminating(pod)) {
        let Some(address) = services::addresses(pod).into_iter().find(|address| !address.contains(':')) else {
            continue;
        };
        if room == 0 {
            was_cut = true;
            break;
        }
        room -= 1;
        let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten()).filter_map(|port| {
            let number = services::target_port(pod, port)?;
            let protocol = services::protocol(port.protocol.as_deref()).to_owned();
            Some((port.name.clone().unwrap_or_default(), number, protocol, port.app_protocol.clone()))
        });
        let ports: Ports = ports.collect();
        let has_ports =
            service.spec.as_ref().and_then(|spec| spec.ports.as_ref()).is_some_and(|ports| !ports.is_empty());
        if ports.is_empty() && has_ports {
            continue;
        }
        let (ready, not_ready) = groups.entry(ports).or_default();
        let address = EndpointAddress {
            ip: address.to_owned(),
            hostname: services::hostname(service, pod),
            node_name: pods::node_name(pod).map(str::to_owned),
            target_ref: Some(services::target_reference(pod)),
        };
        let is_ready = services::publishes_not_ready(service) || pods::is_ready(pod);
        if is_ready { ready.push(address) } else { not_ready.push(address) }
    }
    let sorted = |mut addresses: Vec<EndpointAddress>| {
        addresses.sort_by(|a, b| a.ip.cmp(&b.ip));
        (!addresses.is_empty()).then_some(addresses)
    };
    let subsets = groups.into_iter().map(|(ports, (ready, not_ready))| EndpointSubset {
        addresses: sorted(ready),
        not_ready_addresses: sorted(not_ready),
        ports: (!ports.is_empty()).then(|| ports.into_iter().map(endpoint_port).collect()),
    });
    (subsets.collect(), was_cut)
}

fn endpoint_port((name, port, protocol, app_protocol): (String, i32, String, Option<String>)) -> EndpointPort {
    EndpointPort { name: Some(name).filter(|name| !name.is_empty()), port, protocol: Some(protocol), app_protocol }
}
