//! The controllers: each watches some kinds and brings the world closer to what their specs say.
//!
//! A controller is a folder here and a line in [`CONTROLLERS`]. It decides in pure functions that return
//! plans, and carries them out under its own identity, so that it can do no more than its role allows.
//! All share one informer per kind.

mod attachdetach;
mod cidr;
mod clusterrole;
mod context;
mod cronjob;
mod csr;
mod csrapproving;
mod csrcleaner;
mod csrsigning;
mod daemonset;
mod deployment;
mod discovery;
mod disruption;
mod endpoints;
mod endpointslice;
mod ephemeralvolume;
mod error;
mod expand;
mod garbage;
mod hash;
mod history;
mod job;
mod metrics;
mod namespace;
mod nodeipam;
mod nodelifecycle;
mod ownership;
mod pace;
mod persistentvolume;
mod podautoscaler;
mod podgc;
mod podowner;
mod pods;
pub mod provisioner;
mod pvcprotection;
mod pvprotection;
mod replicaset;
mod replicationcontroller;
mod resourcequota;
mod rootca;
mod serviceaccount;
mod servicecidr;
mod services;
mod share;
mod statefulset;
mod tainteviction;
mod ttl;
mod ttlafterfinished;
mod written;

use std::sync::Arc;

use client::Client;
use futures::future::BoxFuture;
use reconcile::Informers;
use stdx::Ambient;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use context::Context;
use context::Settings;
pub use metrics::Metrics;

/// What the controllers are given.
#[derive(Clone)]
pub struct Config {
    /// The client of a controller's identity: `system:serviceaccount:kube-system:<name>`.
    pub clients: Arc<dyn Fn(&str) -> Client + Send + Sync>,
    /// Lists and watches for all of them: the identity `system:kube-controller-manager`.
    pub informers: Client,
    pub ambient: Ambient,
    /// Published to every namespace, so that pods can trust the API server.
    pub cluster_ca_pem: String,
    /// The range that nodes' pod ranges are cut from, e.g. `10.244.0.0/16`.
    pub pod_cidr: String,
    /// The prefix length of one node's range, e.g. 24.
    pub node_cidr_bits: u8,
    /// The folder on each node that holds its volumes' folders.
    pub volumes_dir: String,
    /// What certificates are signed with; none are where it is missing.
    pub signing: Option<Signing>,
    pub cancel: CancellationToken,
}

/// The cluster's authority, in PEM.
#[derive(Clone)]
pub struct Signing {
    pub certificate_pem: String,
    pub key_pem: String,
}

impl std::fmt::Debug for Signing {
    /// Without the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Signing").finish_non_exhaustive()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the controller {controller} ended before it was told to")]
    Ended { controller: &'static str },
}

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Entry {
    /// As upstream names it in `--controllers`.
    pub name: &'static str,
    /// The service account it acts as.
    pub identity: &'static str,
    /// What its events name as their source.
    pub component: &'static str,
    /// Works until the context's token is cancelled.
    pub start: fn(Context) -> BoxFuture<'static, ()>,
}

/// Every controller there is.
pub const CONTROLLERS: &[Entry] = &[
    Entry {
        name: "deployment-controller",
        identity: "deployment-controller",
        component: "deployment-controller",
        start: |context| Box::pin(deployment::run(context)),
    },
    Entry {
        name: "replicaset-controller",
        identity: "replicaset-controller",
        component: "replicaset-controller",
        start: |context| Box::pin(replicaset::run(context)),
    },
    Entry {
        name: "replicationcontroller-controller",
        identity: "replication-controller",
        component: "replication-controller",
        start: |context| Box::pin(replicationcontroller::run(context)),
    },
    Entry {
        name: "daemonset-controller",
        identity: "daemon-set-controller",
        component: "daemonset-controller",
        start: |context| Box::pin(daemonset::run(context)),
    },
    Entry {
        name: "statefulset-controller",
        identity: "statefulset-controller",
        component: "statefulset-controller",
        start: |context| Box::pin(statefulset::run(context)),
    },
    Entry {
        name: "job-controller",
        identity: "job-controller",
        component: "job-controller",
        start: |context| Box::pin(job::run(context)),
    },
    Entry {
        name: "cronjob-controller",
        identity: "cronjob-controller",
        component: "cronjob-controller",
        start: |context| Box::pin(cronjob::run(context)),
    },
    Entry {
        name: "ttl-after-finished-controller",
        identity: "ttl-after-finished-controller",
        component: "ttl-after-finished-controller",
        start: |context| Box::pin(ttlafterfinished::run(context)),
    },
    Entry {
        name: "endpoints-controller",
        identity: "endpoint-controller",
        component: "endpoint-controller",
        start: |context| Box::pin(endpoints::run(context)),
    },
    Entry {
        name: "endpointslice-controller",
        identity: "endpointslice-controller",
        component: "endpoint-slice-controller",
        start: |context| Box::pin(endpointslice::run(context)),
    },
    Entry {
        name: "service-cidr-controller",
        identity: "service-cidrs-controller",
        component: "service-cidr-controller",
        start: |context| Box::pin(servicecidr::run(context)),
    },
    Entry {
        name: "serviceaccount-controller",
        identity: "service-account-controller",
        component: "service-account-controller",
        start: |context| Box::pin(serviceaccount::run(context)),
    },
    Entry {
        name: "root-ca-certificate-publisher-controller",
        identity: "root-ca-cert-publisher",
        component: "root-ca-cert-publisher",
        start: |context| Box::pin(rootca::run(context)),
    },
    Entry {
        name: "node-ipam-controller",
        identity: "node-controller",
        component: "cidrAllocator",
        start: |context| Box::pin(nodeipam::run(context)),
    },
    Entry {
        name: "node-lifecycle-controller",
        identity: "node-controller",
        component: "node-controller",
        start: |context| Box::pin(nodelifecycle::run(context)),
    },
    Entry {
        name: "taint-eviction-controller",
        identity: "node-controller",
        component: "taint-eviction-controller",
        start: |context| Box::pin(tainteviction::run(context)),
    },
    Entry {
        name: "namespace-controller",
        identity: "namespace-controller",
        component: "namespace-controller",
        start: |context| Box::pin(namespace::run(context)),
    },
    Entry {
        name: "garbage-collector-controller",
        identity: "generic-garbage-collector",
        component: "garbage-collector-controller",
        start: |context| Box::pin(garbage::run(context)),
    },
    Entry {
        name: "pod-garbage-collector-controller",
        identity: "pod-garbage-collector",
        component: "pod-garbage-collector-controller",
        start: |context| Box::pin(podgc::run(context)),
    },
    Entry {
        name: "clusterrole-aggregation-controller",
        identity: "clusterrole-aggregation-controller",
        component: "clusterrole-aggregation-controller",
        start: |context| Box::pin(clusterrole::run(context)),
    },
    Entry {
        name: "persistentvolume-binder-controller",
        identity: "persistent-volume-binder",
        component: "persistentvolume-controller",
        start: |context| Box::pin(persistentvolume::run(context)),
    },
    Entry {
        name: "local-volume-provisioner",
        identity: "local-volume-provisioner",
        component: "pintle.dev/local",
        start: |context| Box::pin(provisioner::run(context)),
    },
    Entry {
        name: "persistentvolumeclaim-protection-controller",
        identity: "pvc-protection-controller",
        component: "pvc-protection-controller",
        start: |context| Box::pin(pvcprotection::run(context)),
    },
    Entry {
        name: "persistentvolume-protection-controller",
        identity: "pv-protection-controller",
        component: "pv-protection-controller",
        start: |context| Box::pin(pvprotection::run(context)),
    },
    Entry {
        name: "persistentvolume-expander-controller",
        identity: "expand-controller",
        component: "volume_expand",
        start: |context| Box::pin(expand::run(context)),
    },
    Entry {
        name: "persistentvolume-attach-detach-controller",
        identity: "attachdetach-controller",
        component: "attachdetach-controller",
        start: |context| Box::pin(attachdetach::run(context)),
    },
    Entry {
        name: "ephemeral-volume-controller",
        identity: "ephemeral-volume-controller",
        component: "ephemeral_volume",
        start: |context| Box::pin(ephemeralvolume::run(context)),
    },
    Entry {
        name: "resourcequota-controller",
        identity: "resourcequota-controller",
        component: "resourcequota-controller",
        start: |context| Box::pin(resourcequota::run(context)),
    },
    Entry {
        name: "horizontal-pod-autoscaler-controller",
        identity: "horizontal-pod-autoscaler",
        component: "horizontal-pod-autoscaler",
        start: |context| Box::pin(podautoscaler::run(context)),
    },
    Entry {
        name: "certificatesigningrequest-approving-controller",
        identity: "certificate-controller",
        component: "certificate-controller",
        start: |context| Box::pin(csrapproving::run(context)),
    },
    Entry {
        name: "certificatesigningrequest-signing-controller",
        identity: "certificate-controller",
        component: "certificate-controller",
        start: |context| Box::pin(csrsigning::run(context)),
    },
    Entry {
        name: "certificatesigningrequest-cleaner-controller",
        identity: "certificate-controller",
        component: "certificate-controller",
        start: |context| Box::pin(csrcleaner::run(context)),
    },
    Entry {
        name: "ttl-controller",
        identity: "ttl-controller",
        component: "ttl-controller",
        start: |context| Box::pin(ttl::run(context)),
    },
    Entry {
        name: "disruption-controller",
        identity: "disruption-controller",
        component: "controllermanager",
        start: |context| Box::pin(disruption::run(context)),
    },
];

/// Runs all controllers until cancelled.
pub async fn run(config: Config) -> Result<(), Error> {
    run_telling(config, Metrics::default()).await
}

/// The same; meanwhile `metrics` tell how the controllers fare.
pub async fn run_telling(config: Config, metrics: Metrics) -> Result<(), Error> {
    let informers = Informers::new(config.informers.clone(), &config.ambient, config.cancel.clone());
    let settings = Arc::new(Settings {
        cluster_ca_pem: config.cluster_ca_pem.clone(),
        pod_cidr: config.pod_cidr.clone(),
        node_cidr_bits: config.node_cidr_bits,
        volumes_dir: config.volumes_dir.clone(),
        signing: config.signing.clone(),
    });
    let mut running = JoinSet::new();
    for entry in CONTROLLERS {
        let context = Context {
            client: (config.clients)(entry.identity),
            informers: informers.clone(),
            ambient: config.ambient.clone(),
            figures: metrics.figures(),
            settings: Arc::clone(&settings),
            component: entry.component,
            cancel: config.cancel.clone(),
        };
        let work = (entry.start)(context);
        running.spawn(async move {
            work.await;
            entry.name
        });
    }
    while let Some(ended) = running.join_next().await {
        if !config.cancel.is_cancelled() {
            let controller = ended.unwrap_or("that panicked");
            return Err(Error::Ended { controller });
        }
    }
    Ok(())
}
