//! A pod as the scheduler looks at it: everything worth computing once.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::k8s::api::core::v1::{Affinity, Pod, PodAffinityTerm, PodSpec, WeightedPodAffinityTerm};
use api::quantity::ParseQuantityError;
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use reconcile::controller_of;

use crate::resources::{Resources, assumed_requests, requests};

#[derive(Debug, thiserror::Error)]
pub(crate) enum PodError {
    #[error("a resource amount cannot be read")]
    Quantity(#[from] ParseQuantityError),
    #[error("a label selector cannot be read")]
    Selector(#[from] SelectorError),
}

#[derive(Debug)]
pub(crate) struct PodInfo {
    pub(crate) pod: Arc<Pod>,
    pub(crate) requests: Resources,
    pub(crate) assumed_requests: Resources,
    pub(crate) host_ports: Vec<HostPort>,
    pub(crate) affinity: Vec<AffinityTerm>,
    pub(crate) anti_affinity: Vec<AffinityTerm>,
    pub(crate) preferred_affinity: Vec<(i64, AffinityTerm)>,
    pub(crate) preferred_anti_affinity: Vec<(i64, AffinityTerm)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    ip: String,
    protocol: String,
    port: i32,
}

/// Whose the pods of a workload are: a namespace, and the UID of what controls them there.
pub(crate) type PodController = (String, String);

/// A term of inter-pod affinity, its selectors read.
#[derive(Debug)]
pub(crate) struct AffinityTerm {
    pub(crate) topology_key: String,
    selector: Option<Selector>,
    namespaces: Vec<String>,
    namespace_selector: Option<Selector>,
}

/// Labels by namespace.
pub(crate) type NamespaceLabels = BTreeMap<String, BTreeMap<String, String>>;

impl PodInfo {
    pub(crate) fn new(pod: Arc<Pod>) -> Result<Self, PodError> {
        let empty = PodSpec::default();
        let spec = pod.spec.as_ref().unwrap_or(&empty);
        let affinity = spec.affinity.clone().unwrap_or_default();
        let Affinity { pod_affinity, pod_anti_affinity, .. } = affinity;
        let (pod_affinity, pod_anti_affinity) =
            (pod_affinity.unwrap_or_default(), pod_anti_affinity.unwrap_or_default());
        Ok(PodInfo {
            requests: requests(spec)?,
            assumed_requests: assumed_requests(spec)?,
            host_ports: host_ports(spec),
            affinity: terms(&pod, pod_affinity.required_during_scheduling_ignored_during_execution)?,
            anti_affinity: terms(&pod, pod_anti_affinity.required_during_scheduling_ignored_during_execution)?,
            preferred_affinity: weighted(&pod, pod_affinity.preferred_during_scheduling_ignored_during_execution)?,
            preferred_anti_affinity: weighted(
                &pod,
                pod_anti_affinity.preferred_during_scheduling_ignored_during_execution,
            )?,
            pod,
        })
    }

    pub(crate) fn key(&self) -> NamespacedName {
        NamespacedName::of(&self.pod.metadata)
    }

    pub(crate) fn uid(&self) -> &str {
        self.pod.metadata.uid.as_deref().unwrap_or_default()
    }

    pub(crate) fn namespace(&self) -> &str {
        self.pod.metadata.namespace.as_deref().unwrap_or_default()
    }

    pub(crate) fn labels(&self) -> Option<&BTreeMap<String, String>> {
        self.pod.metadata.labels.as_ref()
    }

    pub(crate) fn spec(&self) -> Option<&PodSpec> {
        self.pod.spec.as_ref()
    }

    pub(crate) fn priority(&self) -> i32 {
        self.spec().and_then(|spec| spec.priority).unwrap_or(0)
    }

    pub(crate) fn is_going(&self) -> bool {
        self.pod.metadata.deletion_timestamp.is_some()
    }

    pub(crate) fn controller(&self) -> Option<PodController> {
        let reference = controller_of(&self.pod.metadata)?;
        Some((self.namespace().to_owned(), reference.uid.clone()))
    }

    pub(crate) fn has_affinity(&self) -> bool {
        !(self.affinity.is_empty()
            && self.anti_affinity.is_empty()
            && self.preferred_affinity.is_empty()
            && self.preferred_anti_affinity.is_empty())
    }
}

impl HostPort {
    /// The same port and protocol, on the same address or on all.
    pub(crate) fn conflicts(&self, other: &HostPort) -> bool {
        let any = |ip: &str| ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || any(&self.ip) || any(&other.ip))
    }
}

impl AffinityTerm {
    pub(crate) fn matches(&self, pod: &PodInfo, namespaces: &NamespaceLabels) -> bool {
        let namespace = pod.namespace();
        let in_namespace = self.namespaces.iter().any(|name| name == namespace)
            || self
                .namespace_selector
                .as_ref()
                .is_some_and(|selector| selector.matches_optional(namespaces.get(namespace)));
        // No selector selects nothing; an empty one everything.
        in_namespace && self.selector.as_ref().is_some_and(|selector| selector.matches_optional(pod.labels()))
    }
}

fn terms(pod: &Pod, terms: Option<Vec<PodAffinityTerm>>) -> Result<Vec<AffinityTerm>, SelectorError> {
    terms.into_iter().flatten().map(|given| term(pod, given)).collect()
}

fn weighted(pod: &Pod, terms: Option<Vec<WeightedPodAffinityTerm>>) -> Result<Vec<(i64, AffinityTerm)>, SelectorError> {
    let weighted = terms.into_iter().flatten();
    weighted.map(|given| Ok((i64::from(given.weight), term(pod, given.pod_affinity_term)?))).collect()
}

fn term(pod: &Pod, term: PodAffinityTerm) -> Result<AffinityTerm, SelectorError> {
    let mut selector = term.label_selector.as_ref().map(Selector::from_label_selector).transpose()?;
    if let Some(selector) = &mut selector {
        let labels = pod.metadata.labels.as_ref();
        let value = |key: &String| labels.and_then(|labels| labels.get(key)).map(|value| vec![value.clone()]);
        for key in term.match_label_keys.iter().flatten() {
            if let Some(values) = value(key) {
                selector.requirements.push(api::selector::Requirement::from_parts(key, "In", values)?);
            }
        }
        for key in term.mismatch_label_keys.iter().flatten() {
            if let Some(values) = value(key) {
                selector.requirements.push(api::selector::Requirement::from_parts(key, "NotIn", values)?);
            }
        }
    }
    let mut namespaces = term.namespaces.unwrap_or_default();
    if namespaces.is_empty() && term.namespace_selector.is_none() {
        namespaces.extend(pod.metadata.namespace.clone());
    }
    Ok(AffinityTerm {
        topology_key: term.topology_key,
        selector,
        namespaces,
        namespace_selector: term.namespace_selector.as_ref().map(Selector::from_label_selector).transpose()?,
    })
}

fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    let ports = spec.containers.iter().chain(sidecars).flat_map(|container| container.ports.iter().flatten());
    ports
        .filter_map(|port| {
            let number = port.host_port.filter(|number| *number > 0)?;
            Some(HostPort {
                ip: port.host_ip.clone().filter(|ip| !ip.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned()),
                protocol: port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()),
                port: number,
            })
        })
        .collect()
}
