//! The Service that pods know the server by, and the slice that leads it here.

use std::collections::BTreeMap;
use std::net::IpAddr;

use api::k8s::api::core::v1::{Service, ServicePort, ServiceSpec};
use api::k8s::api::discovery::v1::{Endpoint, EndpointConditions, EndpointPort, EndpointSlice};
use api::k8s::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use client::kube::api::PostParams;
use client::{Api, CallError, Client};

pub(crate) const NAMESPACE: &str = "kube-system";
pub(crate) const SERVICE: &str = "kube-dns";
/// Keeps controllers that write slices of their own away from ours.
const MANAGER: &str = "dns.pintle";
const DNS_PORT: i32 = 53;
const PORTS: [(&str, &str); 2] = [("dns", "UDP"), ("dns-tcp", "TCP")];

/// Where the server is.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) cluster_address: IpAddr,
    pub(crate) listen: IpAddr,
    pub(crate) port: u16,
    pub(crate) node_name: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("cannot {step} {name}")]
    Call {
        step: &'static str,
        name: String,
        #[source]
        source: CallError,
    },
}

impl Published {
    pub(crate) fn slice_name(&self) -> String {
        format!("{SERVICE}-{}", self.node_name)
    }

    /// Whether both are as they shall be. A Service with a selector belongs to another DNS server
    /// that was put in this one's place, and is left alone.
    pub(crate) fn is_current(&self, service: Option<&Service>, slice: Option<&EndpointSlice>) -> bool {
        let Some(service) = service else { return false };
        belongs_to_another(service) || slice.is_some_and(|slice| same_slice(slice, &self.slice()))
    }

    /// Makes what is missing, and mends the slice.
    pub(crate) async fn publish(
        &self,
        client: &Client,
        service: Option<&Service>,
        slice: Option<&EndpointSlice>,
    ) -> Result<(), PublishError> {
        match service {
            None => create(client, SERVICE, self.service()).await?,
            Some(service) if belongs_to_another(service) => return Ok(()),
            Some(_) => {}
        }
        let (name, wanted) = (self.slice_name(), self.slice());
        match slice {
            None => create(client, &name, wanted).await,
            Some(present) if same_slice(present, &wanted) => Ok(()),
            Some(present) => {
                let mut mended = wanted;
                mended.metadata.resource_version.clone_from(&present.metadata.resource_version);
                let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), NAMESPACE);
                let replaced = slices.replace(&name, &PostParams::default(), &mended).await;
                replaced.map(drop).map_err(|error| call_failed("update", &name, error.into()))
            }
        }
    }

    fn service(&self) -> Service {
        let labels = [
            ("k8s-app", "kube-dns"),
            ("kubernetes.io/cluster-service", "true"),
            ("kubernetes.io/name", "CoreDNS"),
            ("app.kubernetes.io/managed-by", MANAGER),
        ];
        let port = |(name, protocol): (&str, &str)| ServicePort {
            name: Some(name.to_owned()),
            protocol: Some(protocol.to_owned()),
            port: DNS_PORT,
            target_port: Some(IntOrString::Int(i32::from(self.port))),
            ..ServicePort::default()
        };
        let spec = ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            cluster_ip: Some(self.cluster_address.to_string()),
            ports: Some(PORTS.map(port).into()),
            ..ServiceSpec::default()
        };
        Service { metadata: metadata(SERVICE, &labels), spec: Some(spec), ..Service::default() }
    }

    fn slice(&self) -> EndpointSlice {
        let labels = [("kubernetes.io/service-name", SERVICE), ("endpointslice.kubernetes.io/managed-by", MANAGER)];
        let port = |(name, protocol): (&str, &str)| EndpointPort {
            name: Some(name.to_owned()),
            protocol: Some(protocol.to_owned()),
            port: Some(i32::from(self.port)),
            ..EndpointPort::default()
        };
        let conditions = EndpointConditions { ready: Some(true), serving: Some(true), terminating: Some(false) };
        let endpoint = Endpoint {
            addresses: vec![self.listen.to_string()],
            conditions: Some(conditions),
            node_name: Some(self.node_name.clone()),
            ..Endpoint::default()
        };
        EndpointSlice {
            address_type: if self.listen.is_ipv4() { "IPv4" } else { "IPv6" }.to_owned(),
            endpoints: Some(vec![endpoint]),
            metadata: metadata(&self.slice_name(), &labels),
            ports: Some(PORTS.map(port).into()),
        }
    }
}

fn metadata(name: &str, labels: &[(&str, &str)]) -> ObjectMeta {
    let labels: BTreeMap<String, String> =
        labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    ObjectMeta {
        namespace: Some(NAMESPACE.to_owned()),
        name: Some(name.to_owned()),
        labels: Some(labels),
        ..ObjectMeta::default()
    }
}

fn belongs_to_another(service: &Service) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|selector| !selector.is_empty())
}

/// Compares what this room writes; the API server adds the rest.
fn same_slice(one: &EndpointSlice, two: &EndpointSlice) -> bool {
    one.address_type == two.address_type
        && one.endpoints == two.endpoints
        && one.ports == two.ports
        && one.metadata.labels == two.metadata.labels
}

/// Another process of this room may have been faster.
async fn create<K>(client: &Client, name: &str, object: K) -> Result<(), PublishError>
where
    K: client::kube::Resource<DynamicType = (), Scope = client::kube::core::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + serde::Serialize
        + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(client.clone(), NAMESPACE);
    match api.create(&PostParams::default(), &object).await.map_err(CallError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.is_already_exists() => Ok(()),
        Err(error) => Err(call_failed("create", name, error)),
    }
}

fn call_failed(step: &'static str, name: &str, source: CallError) -> PublishError {
    PublishError::Call { step, name: format!("{NAMESPACE}/{name}"), source }
}
