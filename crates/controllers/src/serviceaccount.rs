//! Every namespace has a service account `default`.

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, ServiceAccount};
use client::Client;
use client::kube::Api;
use client::kube::api::{ObjectMeta, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler};

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};

const DEFAULT: &str = "default";

pub(crate) async fn run(context: Context) {
    let namespaces = context.informers.of::<Namespace>();
    let accounts = context.informers.of::<ServiceAccount>();
    let keeper = Keeper { client: context.client.clone(), namespaces: namespaces.clone(), accounts: accounts.clone() };
    let controller = Controller::new("serviceaccount-controller", keeper, context.ambient.clock);
    on_each(&namespaces, {
        let queue = controller.queue();
        move |namespace| queue.add(NamespacedName::of(&namespace.metadata))
    });
    accounts.on_change({
        let queue = controller.queue();
        move |old, new| {
            if let Some(gone) = old.filter(|_| new.is_none())
                && gone.metadata.name.as_deref() == Some(DEFAULT)
            {
                queue.add(NamespacedName::new("", gone.metadata.namespace.clone().unwrap_or_default()));
            }
        }
    });
    let synced = async {
        namespaces.synced().await;
        accounts.synced().await;
    };
    context.run(controller, synced).await;
}

struct Keeper {
    client: Client,
    namespaces: Informer<Namespace>,
    accounts: Informer<ServiceAccount>,
}

impl Reconciler for Keeper {
    /// The namespace's name.
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(namespace) = self.namespaces.get(key) else { return Ok(Outcome::Done) };
        let is_there = self.accounts.get(&NamespacedName::new(&key.name, DEFAULT)).is_some();
        if is_there || namespace.metadata.deletion_timestamp.is_some() {
            return Ok(Outcome::Done);
        }
        let account = ServiceAccount {
            metadata: ObjectMeta {
                name: Some(DEFAULT.to_owned()),
                namespace: Some(key.name.clone()),
                ..ObjectMeta::default()
            },
            ..ServiceAccount::default()
        };
        let api: Api<ServiceAccount> = Api::namespaced(self.client.clone(), &key.name);
        let created = api.create(&PostParams::default(), &account).await;
        match created.during("create default service account of", key) {
            Err(error)
                if error.call().is_some_and(|call| call.is_already_exists() || call.is_namespace_terminating()) =>
            {
                Ok(Outcome::Done)
            }
            other => other.map(|_| Outcome::Done),
        }
    }
}
