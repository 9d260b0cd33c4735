//! A node that only pretends: it registers, renews its lease, reports its pods as running after a
//! while, and lets them go when asked. Killed, it falls silent.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::coordination::v1::Lease;
use api::k8s::api::core::v1::{Node, Pod};
use client::kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use client::{CallError, Client, ClientError};
use reconcile::{Informer, ListOptions};
use serde_json::{Value, json};
use stdx::{Ambient, Backoff};
use tokio_util::sync::CancellationToken;

use crate::kubelet::{Behaviour, Memory, Step, ended_status, plan, running_status};
use crate::script::NodeSize;
use crate::trace::{Log, Trace};

/// As upstream's kubelet: a lease of 40 seconds, renewed after a quarter of them, and a status
/// report every five minutes when nothing changes.
const LEASE_SECONDS: u64 = 40;
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_SECONDS / 4);
const REPORT_EVERY: Duration = Duration::from_secs(300);
/// After a step that failed.
const RETRY: Duration = Duration::from_secs(1);
const LEASE_NAMESPACE: &str = "kube-node-lease";

pub(crate) struct FakeNode {
    kubelet: Kubelet,
    cancel: CancellationToken,
}

impl FakeNode {
    pub(crate) fn new(
        name: &str,
        host: Ipv4Addr,
        size: NodeSize,
        client: Client,
        behaviour: Arc<Behaviour>,
        ambient: &Ambient,
        trace: &Trace,
    ) -> Self {
        let kubelet =
            Kubelet { name: name.into(), host, size, client, behaviour, ambient: ambient.clone(), log: trace.log() };
        FakeNode { kubelet, cancel: CancellationToken::new() }
    }

    pub(crate) fn start(&mut self) {
        self.kill();
        self.cancel = CancellationToken::new();
        let (kubelet, cancel) = (self.kubelet.clone(), self.cancel.clone());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                () = kubelet.run(&cancel) => {}
            }
        });
    }

    pub(crate) fn kill(&mut self) {
        self.cancel.cancel();
    }
}

#[derive(Clone)]
struct Kubelet {
    name: String,
    host: Ipv4Addr,
    size: NodeSize,
    client: Client,
    behaviour: Arc<Behaviour>,
    ambient: Ambient,
    log: Log,
}

impl Kubelet {
    async fn run(&self, cancel: &CancellationToken) {
        self.persist("register", || self.register()).await;
        let nodes: Api<Node> = Api::all(self.client.clone());
        let own = ListOptions::fields(format!("metadata.name={}", self.name));
        let own = Informer::start(nodes, own, &self.ambient, cancel.clone());
        let range = self.range(&own).await;
        tokio::join!(biased; self.keep_lease(), self.keep_status(), self.keep_pods(range, cancel));
    }

    async fn register(&self) -> Result<(), ClientError> {
        let nodes: Api<Node> = Api::all(self.client.clone());
        match nodes.create(&PostParams::default(), &parse(self.manifest())).await {
            Err(ClientError::Api(status)) if status.reason == "AlreadyExists" => Ok(()),
            other => other.map(drop),
        }
    }

    /// The first address of the range that the cluster gives to this node: until then it has no
    /// network, and is not ready.
    async fn range(&self, own: &Informer<Node>) -> Ipv4Addr {
        let mut changed = own.changed();
        loop {
            let node = own.get(&NamespacedName::new("", &self.name));
            let range = node.and_then(|node| node.spec.as_ref()?.pod_cidr.clone());
            if let Some(range) = range {
                let address = range.split('/').next().and_then(|address| address.parse().ok());
                return address.unwrap_or(Ipv4Addr::UNSPECIFIED);
            }
            if changed.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    async fn keep_lease(&self) {
        let leases: Api<Lease> = Api::namespaced(self.client.clone(), LEASE_NAMESPACE);
        loop {
            self.persist("renew its lease", || async {
                let renewed = json!({"spec": {"renewTime": api::time::micros(self.ambient.clock.now())}});
                let patched = leases.patch(&self.name, &PatchParams::default(), &Patch::Merge(renewed)).await;
                match patched {
                    Err(ClientError::Api(status)) if status.code == 404 => {
                        leases.create(&PostParams::default(), &parse(self.lease())).await.map(drop)
                    }
                    other => other.map(drop),
                }
            })
            .await;
            self.ambient.clock.sleep(RENEW_EVERY).await;
        }
    }

    async fn keep_status(&self) {
        let nodes: Api<Node> = Api::all(self.client.clone());
        let since = api::time::seconds(self.ambient.clock.now());
        loop {
            self.persist("report its status", || async {
                let now = api::time::seconds(self.ambient.clock.now());
                let status = json!({"status": {"conditions": [{
                    "type": "Ready",
                    "status": "True",
                    "reason": "KubeletReady",
                    "message": "kubelet is posting ready status",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": since,
                }]}});
                nodes.patch_status(&self.name, &PatchParams::default(), &Patch::Strategic(status)).await.map(drop)
            })
            .await;
            self.ambient.clock.sleep(REPORT_EVERY).await;
        }
    }

    async fn keep_pods(&self, range: Ipv4Addr, cancel: &CancellationToken) {
        let mine = ListOptions::fields(format!("spec.nodeName={}", self.name));
        let pods = Informer::start(Api::<Pod>::all(self.client.clone()), mine, &self.ambient, cancel.clone());
        let mut memory = Memory::default();
        loop {
            let mut changed = pods.changed();
            let plan = plan(&pods.list(), &mut memory, &self.behaviour, range, self.ambient.clock.instant());
            let mut next = plan.next;
            for step in plan.steps {
                if !self.carry_out(step).await {
                    let again = self.ambient.clock.instant() + RETRY;
                    next = Some(next.map_or(again, |next| next.min(again)));
                }
            }
            tokio::select! {
                biased;
                _ = changed.changed() => {}
                () = sleep_until(next) => {}
            }
        }
    }

    /// False where it has to be tried again.
    async fn carry_out(&self, step: Step) -> bool {
        let (Step::Report { pod, .. } | Step::End { pod, .. } | Step::Remove { pod }) = &step;
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let result = match &step {
            Step::Report { pod, address } => {
                let now = api::time::seconds(self.ambient.clock.now());
                let status = Patch::Strategic(running_status(pod, self.host, *address, &now));
                pods.patch_status(name, &PatchParams::default(), &status).await.map(drop)
            }
            Step::End { pod, exit_code } => {
                let now = api::time::seconds(self.ambient.clock.now());
                let status = Patch::Strategic(ended_status(pod, *exit_code, &now));
                pods.patch_status(name, &PatchParams::default(), &status).await.map(drop)
            }
            Step::Remove { pod } => {
                let preconditions = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
                let parameters = DeleteParams {
                    grace_period_seconds: Some(0),
                    preconditions: Some(preconditions),
                    ..DeleteParams::default()
                };
                pods.delete(name, &parameters).await.map(drop)
            }
        };
        match result.map_err(CallError::from) {
            Err(error) if error.is_not_found() || error.is_conflict() => true,
            Err(error) => {
                self.log.fault(&format!("node {}", self.name), &format!("pod {name}: {error}"));
                false
            }
            Ok(()) => true,
        }
    }

    /// Tries until it succeeds; what goes wrong is in the trace.
    async fn persist<F: Future<Output = Result<(), ClientError>>>(&self, what: &str, mut attempt: impl FnMut() -> F) {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(7));
        while let Err(error) = attempt().await {
            self.log.fault(&format!("node {}", self.name), &format!("cannot {what}: {}", CallError::from(error)));
            self.ambient.clock.sleep(backoff.next_delay()).await;
        }
    }

    fn manifest(&self) -> Value {
        let now = api::time::seconds(self.ambient.clock.now());
        let resources = json!({"cpu": self.size.cpu, "memory": self.size.memory, "pods": self.size.pods});
        json!({
            "metadata": {
                "name": self.name,
                "labels": {
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                    "kubernetes.io/arch": "amd64",
                },
            },
            "status": {
                "capacity": resources,
                "allocatable": resources,
                "addresses": [
                    {"type": "InternalIP", "address": self.host},
                    {"type": "Hostname", "address": self.name},
                ],
                "conditions": [{
                    "type": "Ready",
                    "status": "False",
                    "reason": "KubeletNotReady",
                    "message": "container runtime network not ready",
                    "lastHeartbeatTime": now,
                    "lastTransitionTime": now,
                }],
            },
        })
    }

    fn lease(&self) -> Value {
        json!({
            "metadata": {"name": self.name, "namespace": LEASE_NAMESPACE},
            "spec": {
                "holderIdentity": self.name,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": api::time::micros(self.ambient.clock.now()),
            },
        })
    }
}

async fn sleep_until(moment: Option<tokio::time::Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Manifests of this file's own making.
fn parse<K: serde::de::DeserializeOwned>(manifest: Value) -> K {
    serde_json::from_value(manifest).expect("a manifest made here fits its kind")
}
