//! What one controller works with.

use std::sync::Arc;

use client::Client;
use reconcile::{Controller, Informer, Informers, Kind, Reconciler, Recorder};
use stdx::Ambient;
use tokio_util::sync::CancellationToken;

use crate::Signing;
use crate::metrics::Figures;

/// A controller's own client and what it shares with the others.
#[derive(Clone)]
pub struct Context {
    /// Of the controller's own identity.
    pub client: Client,
    pub informers: Informers,
    pub ambient: Ambient,
    pub(crate) figures: Arc<Figures>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) component: &'static str,
    pub cancel: CancellationToken,
}

/// The cluster's settings that some controllers need.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) cluster_ca_pem: String,
    pub(crate) pod_cidr: String,
    pub(crate) node_cidr_bits: u8,
    pub(crate) volumes_dir: String,
    pub(crate) signing: Option<Signing>,
}

impl Context {
    pub(crate) fn recorder(&self) -> Recorder {
        Recorder::start(self.client.clone(), self.component, None, &self.ambient, self.cancel.clone())
    }

    /// Works once the caches are filled: before that, a controller would take for missing what it
    /// merely has not seen.
    pub(crate) async fn run<R: Reconciler>(&self, controller: Controller<R>, synced: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => return,
            () = synced => {}
        }
        self.figures.queues.add(controller.name(), &controller.queue());
        controller.run(self.cancel.clone()).await;
    }
}

/// Calls `enqueue` with the new state of every object that changes, or its last where it goes.
pub(crate) fn on_each<K: Kind>(informer: &Informer<K>, enqueue: impl Fn(&Arc<K>) + Send + Sync + 'static) {
    informer.on_change(move |old, new| {
        if let Some(object) = new.or(old) {
            enqueue(object);
        }
    });
}
