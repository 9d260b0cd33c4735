//! What the controllers of endpoints share: which pods stand behind a Service, and on which ports.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::core::v1::{Container, ObjectReference, Pod, Service, ServicePort};
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use api::{NamespacedName, Selector};
use reconcile::{Informer, WorkQueue};

use crate::context::on_each;
use crate::pods;

/// Adds the key of every Service that a change of Services or pods concerns.
pub(crate) fn enqueue_services(services: &Informer<Service>, pods: &Informer<Pod>, queue: &WorkQueue<NamespacedName>) {
    on_each(services, {
        let queue = queue.clone();
        move |service| queue.add(NamespacedName::of(&service.metadata))
    });
    pods.on_change({
        let (services, queue) = (services.clone(), queue.clone());
        move |old, new| {
            if let (Some(old), Some(new)) = (old, new)
                && !matters(old, new)
            {
                return;
            }
            for pod in old.into_iter().chain(new) {
                for service in services.list_namespace(pod.metadata.namespace.as_deref().unwrap_or_default()) {
                    if selects(&service, pod) {
                        queue.add(NamespacedName::of(&service.metadata));
                    }
                }
            }
        }
    });
}

/// Whether any endpoint can look different for the change.
fn matters(old: &Pod, new: &Pod) -> bool {
    fn view(pod: &Pod) -> impl PartialEq {
        let status = pod.status.as_ref();
        (
            pod.metadata.labels.as_ref(),
            pod.metadata.uid.as_ref(),
            (pods::is_terminating(pod), pods::is_finished(pod), pods::is_ready(pod)),
            pods::node_name(pod),
            status.and_then(|status| status.pod_ips.as_ref()),
            status.and_then(|status| status.pod_ip.as_ref()),
        )
    }
    view(old) != view(new)
}

/// `None` where the Service's endpoints are somebody else's business.
pub(crate) fn selector(service: &Service) -> Option<Selector> {
    selector_labels(service).map(Selector::from_map)
}

/// As [`selector`] tells, without making one: every pod's changes are compared with all Services.
fn selects(service: &Service, pod: &Pod) -> bool {
    let has = |(key, value)| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)) == Some(value);
    selector_labels(service).is_some_and(|wanted| wanted.iter().all(has))
}

fn selector_labels(service: &Service) -> Option<&BTreeMap<String, String>> {
    let spec = service.spec.as_ref()?;
    if spec.type_.as_deref() == Some("ExternalName") {
        return None;
    }
    spec.selector.as_ref().filter(|labels| !labels.is_empty())
}

/// The pods that the Service selects and that have an address, ordered by name.
pub(crate) fn selected_pods(pods: &Informer<Pod>, service: &Service, selector: &Selector) -> Vec<Arc<Pod>> {
    let all = pods.list_namespace(service.metadata.namespace.as_deref().unwrap_or_default());
    let selected = all.into_iter().filter(|pod| selector.matches_optional(pod.metadata.labels.as_ref()));
    selected.filter(|pod| !pods::is_finished(pod) && !addresses(pod).is_empty()).collect()
}

pub(crate) fn addresses(pod: &Pod) -> Vec<&str> {
    let Some(status) = &pod.status else { return Vec::new() };
    let several: Vec<&str> = status.pod_ips.iter().flatten().map(|address| address.ip.as_str()).collect();
    if several.is_empty() {
        status.pod_ip.as_deref().into_iter().filter(|ip| !ip.is_empty()).collect()
    } else {
        several
    }
}

/// The container port that the Service's port leads to; `None` where the pod has none of that name.
pub(crate) fn target_port(pod: &Pod, port: &ServicePort) -> Option<i32> {
    match port.target_port.as_ref() {
        None | Some(IntOrString::Int(0)) => Some(port.port),
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(name)) if name.is_empty() => Some(port.port),
        Some(IntOrString::String(name)) => named_port(pod, name, protocol(port.protocol.as_deref())),
    }
}

fn named_port(pod: &Pod, name: &str, wanted: &str) -> Option<i32> {
    let spec = pod.spec.as_ref()?;
    let is_sidecar = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten().filter(is_sidecar));
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let found = ports.find(|port| port.name.as_deref() == Some(name) && protocol(port.protocol.as_deref()) == wanted);
    found.map(|port| port.container_port)
}

pub(crate) fn protocol(given: Option<&str>) -> &str {
    given.filter(|protocol| !protocol.is_empty()).unwrap_or("TCP")
}

pub(crate) fn publishes_not_ready(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.publish_not_ready_addresses).unwrap_or(false)
}

pub(crate) fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

/// The pod's own name in the Service's domain, where it claims one.
pub(crate) fn hostname(service: &Service, pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let is_in_domain = spec.subdomain.is_some() && spec.subdomain == service.metadata.name;
    spec.hostname.clone().filter(|hostname| is_in_domain && !hostname.is_empty())
}

pub(crate) fn target_reference(pod: &Pod) -> ObjectReference {
    ObjectReference {
        kind: Some("Pod".to_owned()),
        namespace: pod.metadata.namespace.clone(),
        name: pod.metadata.name.clone(),
        uid: pod.metadata.uid.clone(),
        ..ObjectReference::default()
    }
}
