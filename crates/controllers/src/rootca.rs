//! Every namespace has a ConfigMap with the cluster's CA, so that its pods can trust the API server.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{ConfigMap, Namespace};
use client::Client;
use client::kube::Api;
use client::kube::api::{ObjectMeta, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler};

use crate::context::{Context, Settings, on_each};
use crate::error::{During, ReconcileError};

const NAME: &str = "kube-root-ca.crt";
const FILE: &str = "ca.crt";
const DESCRIPTION: &str = "kubernetes.io/description";
const DESCRIPTION_TEXT: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
                                endpoints such as the internal service IP or kubernetes.default.svc. No other usage \
                                is guaranteed across distributions of Kubernetes clusters.";

pub(crate) async fn run(context: Context) {
    let namespaces = context.informers.of::<Namespace>();
    let config_maps = context.informers.of::<ConfigMap>();
    let publisher = Publisher {
        client: context.client.clone(),
        settings: Arc::clone(&context.settings),
        namespaces: namespaces.clone(),
        config_maps: config_maps.clone(),
    };
    let controller = Controller::new("root-ca-certificate-publisher-controller", publisher, context.ambient.clock);
    on_each(&namespaces, {
        let queue = controller.queue();
        move |namespace| queue.add(NamespacedName::of(&namespace.metadata))
    });
    on_each(&config_maps, {
        let queue = controller.queue();
        move |config_map| {
            if config_map.metadata.name.as_deref() == Some(NAME) {
                queue.add(NamespacedName::new("", config_map.metadata.namespace.clone().unwrap_or_default()));
            }
        }
    });
    let synced = async {
        namespaces.synced().await;
        config_maps.synced().await;
    };
    context.run(controller, synced).await;
}

struct Publisher {
    client: Client,
    settings: Arc<Settings>,
    namespaces: Informer<Namespace>,
    config_maps: Informer<ConfigMap>,
}

impl Reconciler for Publisher {
    /// The namespace's name.
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(namespace) = self.namespaces.get(key) else { return Ok(Outcome::Done) };
        let phase = namespace.status.as_ref().and_then(|status| status.phase.as_deref());
        if namespace.metadata.deletion_timestamp.is_some() || phase == Some("Terminating") {
            return Ok(Outcome::Done);
        }
        let present = self.config_maps.get(&NamespacedName::new(&key.name, NAME));
        let Some(wanted) = plan(&key.name, present.as_deref(), &self.settings.cluster_ca_pem) else {
            return Ok(Outcome::Done);
        };
        let api: Api<ConfigMap> = Api::namespaced(self.client.clone(), &key.name);
        let written = if present.is_some() {
            api.replace(NAME, &PostParams::default(), &wanted).await
        } else {
            api.create(&PostParams::default(), &wanted).await
        };
        match written.during("publish the cluster CA to", key) {
            Err(error)
                if error.call().is_some_and(|call| call.is_already_exists() || call.is_namespace_terminating()) =>
            {
                Ok(Outcome::Done)
            }
            other => other.map(|_| Outcome::Done),
        }
    }
}

/// `None` where what is there is right.
fn plan(namespace: &str, present: Option<&ConfigMap>, ca_pem: &str) -> Option<ConfigMap> {
    let data = BTreeMap::from([(FILE.to_owned(), ca_pem.to_owned())]);
    let described = |config_map: &ConfigMap| {
        config_map.metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(DESCRIPTION))
    };
    if present.is_some_and(|present| present.data.as_ref() == Some(&data) && described(present)) {
        return None;
    }
    let mut wanted = present.cloned().unwrap_or_else(|| ConfigMap {
        metadata: ObjectMeta {
            name: Some(NAME.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    });
    wanted.metadata.annotations.get_or_insert_default().insert(DESCRIPTION.to_owned(), DESCRIPTION_TEXT.to_owned());
    wanted.data = Some(data);
    Some(wanted)
}
