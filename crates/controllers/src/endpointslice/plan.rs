//! Which slices a Service should have, and the fewest writes that lead there.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use api::k8s::api::core::v1::{Pod, Service};
use api::k8s::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use client::kube::api::ObjectMeta;
use reconcile::controller_reference;

use crate::pods;
use crate::services;

pub(super) const SERVICE_NAME: &str = "kubernetes.io/service-name";
pub(super) const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
pub(super) const MANAGER: &str = "endpointslice-controller.k8s.io";
const HEADLESS: &str = "service.kubernetes.io/headless";
/// Endpoints per slice.
const CAPACITY: usize = 100;

#[derive(Debug, Default, PartialEq)]
pub(super) struct SlicePlan {
    pub(super) create: Vec<EndpointSlice>,
    pub(super) update: Vec<EndpointSlice>,
    pub(super) delete: Vec<String>,
}

/// What endpoints of one slice share: the kind of their addresses and their ports. A port's name may
/// lead to different numbers in different pods, and then they stand in different slices.
type Group = (String, Vec<PortKey>);

/// Name, protocol, number and application protocol, in an order.
type PortKey = (String, String, Option<i32>, Option<String>);

pub(super) fn plan_slices(
    service: &Service,
    pods: &[Arc<Pod>],
    present: &[Arc<EndpointSlice>],
    zone_of: &dyn Fn(&str) -> Option<String>,
) -> SlicePlan {
    let mut wanted: BTreeMap<Group, Vec<Endpoint>> = BTreeMap::new();
    for family in families(service) {
        for pod in pods {
            let addresses = services::addresses(pod);
            let Some(address) = addresses.into_iter().find(|address| family_of(address) == family) else { continue };
            let group = (family.to_owned(), ports_of(service, pod));
            wanted.entry(group).or_default().push(endpoint(service, pod, address, zone_of));
        }
        // A Service nobody stands behind has one empty slice, so that readers can tell it from an unknown one.
        if !wanted.keys().any(|(known, _)| known == family) {
            wanted.insert((family.to_owned(), Vec::new()), Vec::new());
        }
    }
    let mut plan = SlicePlan::default();
    let mut unused: BTreeMap<Group, VecDeque<Arc<EndpointSlice>>> = BTreeMap::new();
    for slice in present.iter().filter(|slice| slice.metadata.deletion_timestamp.is_none()) {
        unused.entry(group_of(slice)).or_default().push_back(Arc::clone(slice));
    }
    let mut unplaced = Vec::new();
    for (group, endpoints) in wanted {
        let slices: Vec<_> = unused.remove(&group).into_iter().flatten().collect();
        let (kept, rest) = keep_places(&slices, endpoints);
        unplaced.push((group, slices.into_iter().zip(kept).collect::<Vec<_>>(), rest));
    }
    let mut spare: VecDeque<Arc<EndpointSlice>> = unused.into_values().flatten().collect();
    for (group, slices, rest) in unplaced {
        place(service, &group, slices, rest, &mut spare, &mut plan);
    }
    plan.delete.extend(spare.iter().filter_map(|slice| slice.metadata.name.clone()));
    plan
}

/// Leaves every endpoint in the slice it stands in, and there in its place, so that few slices change. Gives the
/// endpoints by slice, and those that stand in none.
fn keep_places(slices: &[Arc<EndpointSlice>], endpoints: Vec<Endpoint>) -> (Vec<Vec<Endpoint>>, VecDeque<Endpoint>) {
    // Pods in their node's network share its address.
    let mut positions: BTreeMap<&[String], VecDeque<usize>> = BTreeMap::new();
    for (position, endpoint) in endpoints.iter().enumerate() {
        positions.entry(&endpoint.addresses).or_default().push_back(position);
    }
    let mut stay = |known: &Endpoint| positions.get_mut(known.addresses.as_slice())?.pop_front();
    let stays: Vec<Vec<usize>> = slices
        .iter()
        .map(|slice| slice.endpoints.iter().flatten().take(CAPACITY).filter_map(&mut stay).collect())
        .collect();
    let mut endpoints: Vec<Option<Endpoint>> = endpoints.into_iter().map(Some).collect();
    let mut take = |position: usize| endpoints.get_mut(position)?.take();
    let kept = stays.into_iter().map(|positions| positions.into_iter().filter_map(&mut take).collect()).collect();
    (kept, endpoints.into_iter().flatten().collect())
}

fn place(
    service: &Service,
    group: &Group,
    slices: Vec<(Arc<EndpointSlice>, Vec<Endpoint>)>,
    mut rest: VecDeque<Endpoint>,
    spare: &mut VecDeque<Arc<EndpointSlice>>,
    plan: &mut SlicePlan,
) {
    let mut has_slice = false;
    for (slice, mut endpoints) in slices {
        while endpoints.len() < CAPACITY
            && let Some(endpoint) = rest.pop_front()
        {
            endpoints.push(endpoint);
        }
        if endpoints.is_empty() && (has_slice || !group.1.is_empty()) {
            spare.push_front(slice);
            continue;
        }
        has_slice = true;
        let updated = slice_of(service, group, endpoints, Some(&slice));
        if updated != *slice {
            plan.update.push(updated);
        }
    }
    while !rest.is_empty() || !has_slice {
        has_slice = true;
        let endpoints: Vec<Endpoint> = rest.drain(..rest.len().min(CAPACITY)).collect();
        // A slice that is no longer needed is written over sooner than deleted, where the kind of address allows it.
        match spare.iter().position(|slice| slice.address_type == group.0).and_then(|index| spare.remove(index)) {
            Some(old) => plan.update.push(slice_of(service, group, endpoints, Some(&old))),
            None => plan.create.push(slice_of(service, group, endpoints, None)),
        }
    }
}

fn slice_of(
    service: &Service,
    group: &Group,
    endpoints: Vec<Endpoint>,
    present: Option<&EndpointSlice>,
) -> EndpointSlice {
    let name = service.metadata.name.clone().unwrap_or_default();
    let mut metadata = present.map(|slice| slice.metadata.clone()).unwrap_or_else(|| ObjectMeta {
        generate_name: Some(format!("{name}-")),
        namespace: service.metadata.namespace.clone(),
        owner_references: Some(vec![controller_reference(service)]),
        ..ObjectMeta::default()
    });
    metadata.labels = Some(labels(service, name));
    let ports = group.1.iter().map(|(name, protocol, port, app_protocol)| EndpointPort {
        name: Some(name.clone()),
        protocol: Some(protocol.clone()),
        port: *port,
        app_protocol: app_protocol.clone(),
    });
    EndpointSlice { metadata, address_type: group.0.clone(), endpoints: Some(endpoints), ports: Some(ports.collect()) }
}

/// The Service's own labels, but for the reserved ones, and what marks a slice.
fn labels(service: &Service, name: String) -> BTreeMap<String, String> {
    let own = service.metadata.labels.iter().flatten();
    let mut labels: BTreeMap<String, String> =
        own.filter(|(key, _)| !is_reserved(key)).map(|(key, value)| (key.clone(), value.clone())).collect();
    labels.insert(SERVICE_NAME.to_owned(), name);
    labels.insert(MANAGED_BY.to_owned(), MANAGER.to_owned());
    if services::is_headless(service) {
        labels.insert(HEADLESS.to_owned(), String::new());
    }
    labels
}

fn is_reserved(key: &str) -> bool {
    [HEADLESS, MANAGED_BY, SERVICE_NAME].contains(&key)
}

fn families(service: &Service) -> Vec<&'static str> {
    let given = service.spec.as_ref().and_then(|spec| spec.ip_families.as_deref()).unwrap_or_default();
    let family = |name: &String| if name == "IPv6" { "IPv6" } else { "IPv4" };
    if given.is_empty() { vec!["IPv4"] } else { given.iter().map(family).collect() }
}

fn family_of(address: &str) -> &'static str {
    if address.contains(':') { "IPv6" } else { "IPv4" }
}

fn ports_of(service: &Service, pod: &Pod) -> Vec<PortKey> {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let mut resolved: Vec<PortKey> = ports
        .filter_map(|port| {
            let number = services::target_port(pod, port)?;
            let protocol = services::protocol(port.protocol.as_deref()).to_owned();
            Some((port.name.clone().unwrap_or_default(), protocol, Some(number), port.app_protocol.clone()))
        })
        .collect();
    resolved.sort();
    resolved
}

fn group_of(slice: &EndpointSlice) -> Group {
    let mut ports: Vec<PortKey> = slice
        .ports
        .iter()
        .flatten()
        .map(|port| {
            let protocol = services::protocol(port.protocol.as_deref()).to_owned();
            (port.name.clone().unwrap_or_default(), protocol, port.port, port.app_protocol.clone())
        })
        .collect();
    ports.sort();
    (slice.address_type.clone(), ports)
}

fn endpoint(service: &Service, pod: &Pod, address: &str, zone_of: &dyn Fn(&str) -> Option<String>) -> Endpoint {
    let serving = pods::is_ready(pod);
    let terminating = pods::is_terminating(pod);
    let node = pods::node_name(pod);
    Endpoint {
        addresses: vec![address.to_owned()],
        conditions: Some(EndpointConditions {
            ready: Some(services::publishes_not_ready(service) || (serving && !terminating)),
            serving: Some(serving),
            terminating: Some(terminating),
        }),
        hostname: services::hostname(service, pod),
        node_name: node.map(str::to_owned),
        target_ref: Some(services::target_reference(pod)),
        zone: node.and_then(zone_of),
        ..Endpoint::default()
    }
}

#[cfg(test)]
mod tests {
    mod properties;

    use api::k8s::api::core::v1::{
        Container, ContainerPort, PodCondition, PodSpec, PodStatus, ServicePort, ServiceSpec,
    };
    use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
    use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
    use api::k8s::jiff::Timestamp;

    use super::*;

    fn service() -> Service {
        let port = ServicePort {
            name: Some("web".into()),
            port: 80,
            target_port: Some(IntOrString::String("http".into())),
            ..ServicePort::default()
        };
        Service {
            metadata: ObjectMeta {
                name: Some("shop".into()),
                namespace: Some("default".into()),
                uid: Some("uid".into()),
                labels: Some([("app".to_owned(), "shop".to_owned())].into()),
                ..ObjectMeta::default()
            },
            spec: Some(ServiceSpec { ports: Some(vec![port]), ..ServiceSpec::default() }),
            ..Service::default()
        }
    }

    fn pod(number: usize, port: i32, ready: bool) -> Arc<Pod> {
        let port = ContainerPort { name: Some("http".into()), container_port: port, ..ContainerPort::default() };
        Arc::new(Pod {
            metadata: ObjectMeta { name: Some(format!("pod-{number:03}")), ..ObjectMeta::default() },
            spec: Some(PodSpec {
                node_name: Some("one".into()),
                containers: vec![Container { ports: Some(vec![port]), ..Container::default() }],
                ..PodSpec::default()
            }),
            status: Some(PodStatus {
                pod_ip: Some(format!("10.0.{}.{}", number / 250, number % 250 + 1)),
                conditions: Some(vec![PodCondition {
                    type_: "Ready".into(),
                    status: if ready { "True" } else { "False" }.into(),
                    ..PodCondition::default()
                }]),
                ..PodStatus::default()
            }),
        })
    }

    fn plan(pods: &[Arc<Pod>], present: &[Arc<EndpointSlice>]) -> SlicePlan {
        plan_slices(&service(), pods, present, &|_| Some("left".into()))
    }

    /// As if the API had stored them.
    fn stored(slices: Vec<EndpointSlice>) -> Vec<Arc<EndpointSlice>> {
        let named = slices.into_iter().enumerate().map(|(number, mut slice)| {
            slice.metadata.name = Some(format!("shop-{number}"));
            Arc::new(slice)
        });
        named.collect()
    }

    fn sizes(slices: &[EndpointSlice]) -> Vec<usize> {
        slices.iter().map(|slice| slice.endpoints.as_ref().map_or(0, Vec::len)).collect()
    }

    #[test]
    fn an_endpoint_tells_all_that_readers_ask_for() {
        let plan = plan(&[pod(0, 8080, true)], &[]);
        let slice = &plan.create[0];
        let labels = slice.metadata.labels.as_ref().unwrap();
        assert_eq!((labels[SERVICE_NAME].as_str(), labels[MANAGED_BY].as_str()), ("shop", MANAGER));
        assert_eq!(labels["app"], "shop");
        let endpoint = &slice.endpoints.as_ref().unwrap()[0];
        assert_eq!((endpoint.addresses[0].as_str(), endpoint.zone.as_deref()), ("10.0.0.1", Some("left")));
        assert_eq!(endpoint.target_ref.as_ref().unwrap().name.as_deref(), Some("pod-000"));
        let port = &slice.ports.as_ref().unwrap()[0];
        assert_eq!((port.name.as_deref(), port.port), (Some("web"), Some(8080)));
    }

    #[test]
    fn readiness_termination_and_publication() {
        let mut going = Pod::clone(&pod(1, 80, true));
        going.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
        let pods = [pod(0, 80, false), Arc::new(going)];
        let conditions = |plan: &SlicePlan| -> Vec<_> {
            let endpoints = plan.create[0].endpoints.clone().unwrap();
            let told = endpoints.into_iter().filter_map(|endpoint| endpoint.conditions);
            told.map(|told| (told.ready.unwrap(), told.serving.unwrap(), told.terminating.unwrap())).collect()
        };
        assert_eq!(conditions(&plan(&pods, &[])), [(false, false, false), (false, true, true)]);
        let mut open = service();
        open.spec.as_mut().unwrap().publish_not_ready_addresses = Some(true);
        let open = plan_slices(&open, &pods, &[], &|_| None);
        assert_eq!(conditions(&open), [(true, false, false), (true, true, true)]);
    }

    #[test]
    fn slices_hold_a_hundred_and_little_changes() {
        let pods: Vec<_> = (0..250).map(|number| pod(number, 80, true)).collect();
        let first = plan(&pods, &[]);
        assert_eq!(sizes(&first.create), [100, 100, 50]);
        let present = stored(first.create);
        assert_eq!(plan(&pods, &present), SlicePlan::default(), "nothing to do twice");
        let fewer: Vec<_> = pods.iter().skip(1).cloned().collect();
        let change = plan(&fewer, &present);
        assert_eq!((change.update.len(), change.create.len(), change.delete.len()), (1, 0, 0));
        let mut other = pods.clone();
        other[120] = pod(120, 80, false);
        let change = plan(&other, &present);
        assert_eq!((change.update.len(), change.create.len(), change.delete.len()), (1, 0, 0));
        let none = plan(&[], &present);
        assert_eq!((sizes(&none.update), none.delete.len()), (vec![0], 2));
    }

    #[test]
    fn who_comes_later_stays_where_there_was_room() {
        let late: Vec<_> = (50..110).map(|number| pod(number, 80, true)).collect();
        let mut present = stored(plan(&late, &[]).create);
        // Its name is before all others'.
        let mut pods: Vec<_> = vec![pod(7, 80, true)];
        pods.extend_from_slice(&late);
        let change = plan(&pods, &present);
        assert_eq!(sizes(&change.update), [61]);
        present = stored(change.update);
        assert_eq!(plan(&pods, &present), SlicePlan::default(), "the order of names is not worth a write");
    }

    #[test]
    fn pods_that_share_an_address_all_stay() {
        let shared = |name: &str, ready| {
            let mut pod = Pod::clone(&pod(1, 80, ready));
            pod.metadata.name = Some(name.into());
            Arc::new(pod)
        };
        let both = [shared("a", true), shared("b", true)];
        let present = stored(plan(&both, &[]).create);
        assert_eq!(plan(&both, &present), SlicePlan::default());
        let change = plan(&[shared("a", true), shared("b", false)], &present);
        assert_eq!((sizes(&change.update), change.create.len()), (vec![2], 0));
    }

    #[test]
    fn different_numbers_of_one_name_stand_apart() {
        let plan = plan(&[pod(0, 8080, true), pod(1, 9090, true)], &[]);
        let ports: Vec<_> = plan.create.iter().map(|slice| slice.ports.as_ref().unwrap()[0].port.unwrap()).collect();
        assert_eq!(ports, [8080, 9090]);
    }
}
