//! A node that only pretends: it registers, renews its lease, says of its pods that they run as soon as it meets
//! them, and lets them go when asked.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use client::{CallError, Client};
use futures::StreamExt;
use kinds::NamespacedName;
use kinds::k8s::api::coordination::v1::Lease;
use kinds::k8s::api::core::v1::{Node, Pod};
use reconcile::{Informer, ListOptions};
use serde_json::{Value, json};
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use super::PODS_PER_NODE;

/// As upstream's.
const LEASE_SECONDS: u64 = 40;
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_SECONDS / 4);
/// Pods that one kubelet writes about at once.
const WRITES: usize = 8;

pub(super) struct Kubelet {
    pub(super) index: usize,
    pub(super) client: Client,
    pub(super) ambient: Ambient,
    pub(super) cancel: CancellationToken,
}

pub(super) fn node_name(index: usize) -> String {
    format!("node-{index:03}")
}

impl Kubelet {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        nodes.create(&PostParams::default(), &serde_json::from_value(self.manifest())?).await?;
        tokio::select! {
            () = self.cancel.cancelled() => Ok(()),
            ended = async { tokio::try_join!(self.keep_lease(), self.keep_pods()) } => ended.map(drop),
        }
    }

    async fn keep_lease(&self) -> anyhow::Result<()> {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), "kube-node-lease");
        let name = node_name(self.index);
        let spec = || {
            json!({
                "holderIdentity": name,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": kinds::time::micros(self.ambient.clock.now()),
            })
        };
        let lease = json!({"metadata": {"name": name}, "spec": spec()});
        leases.create(&PostParams::default(), &serde_json::from_value(lease)?).await?;
        loop {
            self.ambient.clock.sleep(RENEW_EVERY).await;
            let renewed = Patch::Merge(json!({"spec": spec()}));
            leases.patch(&name, &PatchParams::default(), &renewed).await?;
        }
    }

    async fn keep_pods(&self) -> anyhow::Result<()> {
        let mine = ListOptions::fields(format!("spec.nodeName={}", node_name(self.index)));
        let api: Api<Pod> = Api::all(self.client.clone());
        let pods = Informer::start(api, mine, &self.ambient, self.cancel.clone());
        let (mut started, mut removed) = (BTreeSet::new(), BTreeSet::new());
        let mut changed = pods.changed();
        loop {
            let mut work = Vec::new();
            for pod in pods.list() {
                let uid = pod.metadata.uid.clone().unwrap_or_default();
                if pod.metadata.deletion_timestamp.is_some() {
                    if removed.insert(uid) {
                        work.push(Step { pod, address: None });
                    }
                } else if started.insert(uid) {
                    work.push(Step { pod, address: Some(self.address(started.len())) });
                }
            }
            let mut outcomes = futures::stream::iter(work).map(|step| self.carry_out(step)).buffer_unordered(WRITES);
            while let Some(outcome) = outcomes.next().await {
                outcome?;
            }
            changed.changed().await.context("the informer went away")?;
        }
    }

    async fn carry_out(&self, Step { pod, address }: Step) -> anyhow::Result<()> {
        let key = NamespacedName::of(&pod.metadata);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &key.namespace);
        let done = match address {
            Some(address) => {
                let status = Patch::Strategic(self.running(&pod, &address));
                pods.patch_status(&key.name, &PatchParams::default(), &status).await.map(drop)
            }
            None => pods.delete(&key.name, &DeleteParams::default().grace_period(0)).await.map(drop),
        };
        match done.map_err(CallError::from) {
            Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Of the range that no other node has; addresses are used once.
    fn address(&self, number: usize) -> String {
        format!("10.{}.{}.{}", 128 + self.index / 16, (self.index % 16) * 16 + number / 250, number % 250 + 1)
    }

    fn running(&self, pod: &Pod, address: &str) -> Value {
        let now = kinds::time::seconds(self.ambient.clock.now());
        let condition = |kind: &str| json!({"type": kind, "status": "True", "lastTransitionTime": now});
        let conditions = ["PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready"].map(condition);
        json!({
            "metadata": {"uid": pod.metadata.uid},
            "status": {
                "phase": "Running",
                "hostIP": "192.0.2.1",
                "podIP": address,
                "podIPs": [{"ip": address}],
                "startTime": now,
                "conditions": conditions,
                "containerStatuses": [{
                    "name": "main", "image": "web:1", "imageID": "web:1", "ready": true, "started": true,
                    "restartCount": 0, "state": {"running": {"startedAt": now}},
                }],
            },
        })
    }

    fn manifest(&self) -> Value {
        let (name, now) = (node_name(self.index), kinds::time::seconds(self.ambient.clock.now()));
        let resources = json!({"cpu": "16", "memory": "64Gi", "pods": PODS_PER_NODE.to_string()});
        json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {
                "capacity": resources,
                "allocatable": resources,
                "conditions": [{
                    "type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }],
            },
        })
    }
}

/// With an address the pod starts, without it goes.
struct Step {
    pod: std::sync::Arc<Pod>,
    address: Option<String>,
}
