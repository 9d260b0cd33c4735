//! What a runtime asks of the pod network. The shape is CNI's ADD, DEL and STATUS.

use std::net::IpAddr;
use std::path::PathBuf;

use async_trait::async_trait;

use crate::PortMapping;

/// One pod to connect.
#[derive(Clone, Debug)]
pub struct PodNetworkRequest {
    pub sandbox_id: String,
    pub pod_namespace: String,
    pub pod_name: String,
    pub pod_uid: String,
    /// Where the pod's network namespace is to be opened, e.g. `/proc/<pid>/ns/net`.
    pub netns: PathBuf,
    /// Host ports to publish.
    pub port_mappings: Vec<PortMapping>,
}

/// The pod's addresses, the primary one first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodAddresses {
    pub ips: Vec<IpAddr>,
}

#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    #[error("the pod network is not ready: {0}")]
    NotReady(String),
    #[error("{0:?} is not an address range")]
    InvalidRange(String),
    #[error("no free address is left in {range}")]
    Exhausted { range: String },
    #[error("cannot {step}")]
    Kernel {
        step: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Connects pods. Both calls are idempotent, and survive a restart of the program: an attached
/// sandbox that is attached again keeps its addresses.
#[async_trait]
pub trait PodNetwork: Send + Sync + 'static {
    /// Sets the node's pod ranges, e.g. `10.244.0.0/24`; until then the network is not ready. The
    /// same ranges again change nothing.
    async fn configure(&self, pod_cidrs: &[String]) -> Result<(), NetworkError>;
    /// Whether pods can be attached now; the text of an error becomes the node's condition.
    async fn status(&self) -> Result<(), NetworkError>;
    async fn attach(&self, request: &PodNetworkRequest) -> Result<PodAddresses, NetworkError>;
    /// The namespace may be gone already.
    async fn detach(&self, sandbox_id: &str) -> Result<(), NetworkError>;
}
