//! The node's lease: the heartbeat by which controllers see that the node lives.

use std::time::Duration;

use api::k8s::api::coordination::v1::{Lease, LeaseSpec};
use api::k8s::api::core::v1::Node;
use api::k8s::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta, OwnerReference};
use client::kube::api::PostParams;
use client::{Api, CallError, Client};
use stdx::{Ambient, Backoff};

const NAMESPACE: &str = "kube-node-lease";
pub(crate) const DURATION_SECONDS: i32 = 40;
/// A quarter of the lease.
const RENEW_EVERY: Duration = Duration::from_secs(10);

/// Renews until dropped.
pub(crate) async fn keep(client: Client, node: Node, ambient: Ambient) {
    let api: Api<Lease> = Api::namespaced(client, NAMESPACE);
    let mut held: Option<Lease> = None;
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(7));
    loop {
        match renew(&api, held.take(), &node, &ambient).await {
            Ok(lease) => {
                held = Some(lease);
                backoff.reset();
                ambient.clock.sleep(RENEW_EVERY).await;
            }
            Err(error) => {
                tracing::debug!(error = stdx::error::chain(&error), "the node's lease was not renewed");
                ambient.clock.sleep(backoff.next_delay()).await;
            }
        }
    }
}

async fn renew(api: &Api<Lease>, held: Option<Lease>, node: &Node, ambient: &Ambient) -> Result<Lease, CallError> {
    let name = node.metadata.name.as_deref().unwrap_or("");
    let current = match held {
        Some(lease) => Some(lease),
        None => api.get_opt(name).await?,
    };
    let spec = LeaseSpec {
        holder_identity: Some(name.to_owned()),
        lease_duration_seconds: Some(DURATION_SECONDS),
        renew_time: Some(MicroTime(ambient.clock.now())),
        ..LeaseSpec::default()
    };
    match current {
        Some(mut lease) => {
            lease.spec = Some(spec);
            Ok(api.replace(name, &PostParams::default(), &lease).await?)
        }
        None => {
            // The lease goes with its node.
            let owner = OwnerReference {
                api_version: "v1".to_owned(),
                kind: "Node".to_owned(),
                name: name.to_owned(),
                uid: node.metadata.uid.clone().unwrap_or_default(),
                ..OwnerReference::default()
            };
            let metadata = ObjectMeta {
                name: Some(name.to_owned()),
                namespace: Some(NAMESPACE.to_owned()),
                owner_references: Some(vec![owner]),
                ..ObjectMeta::default()
            };
            Ok(api.create(&PostParams::default(), &Lease { metadata, spec: Some(spec) }).await?)
        }
    }
}
