//! Empties namespaces that are being deleted, then lets them go.

mod order;
mod status;

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, Pod};
use client::kube::Api;
use client::kube::api::{DeleteParams, ListParams, PostParams};
use client::kube::core::{DynamicObject, Request};
use client::{Client, ClientError};
use http::{HeaderValue, header};
use reconcile::{Controller, Informer, Outcome, Reconciler};
use serde::de::IgnoredAny;
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::discovery::{Discovered, discover};
use crate::error::{During, ReconcileError};
use order::waves;
use status::{Findings, plan_status};

const FINALIZER: &str = "kubernetes";
const METADATA_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

pub(crate) async fn run(context: Context) {
    let namespaces = context.informers.of::<Namespace>();
    let pods = context.informers.of::<Pod>();
    let emptier =
        Emptier { client: context.client.clone(), namespaces: namespaces.clone(), ambient: context.ambient.clone() };
    let controller = Controller::new("namespace-controller", emptier, context.ambient.clock);
    let queue = controller.queue();
    on_each(&namespaces, {
        let queue = queue.clone();
        move |namespace| {
            if namespace.metadata.deletion_timestamp.is_some() {
                queue.add(NamespacedName::of(&namespace.metadata));
            }
        }
    });
    // Pods take their time to end; when one has, its namespace is looked at again.
    pods.on_change({
        let namespaces = namespaces.clone();
        move |old, new| {
            let Some(gone) = old.filter(|_| new.is_none()) else { return };
            let key = NamespacedName::new("", gone.metadata.namespace.clone().unwrap_or_default());
            if namespaces.get(&key).is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some()) {
                queue.add(key);
            }
        }
    });
    let synced = async {
        namespaces.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

struct Emptier {
    client: Client,
    namespaces: Informer<Namespace>,
    ambient: Ambient,
}

impl Reconciler for Emptier {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(known) = self.namespaces.get(key) else { return Ok(Outcome::Done) };
        let api: Api<Namespace> = Api::all(self.client.clone());
        let Some(namespace) = api.get_opt(&key.name).await.during("read namespace", key)? else {
            return Ok(Outcome::Done);
        };
        let has_finalizer = finalizers(&namespace).iter().any(|finalizer| finalizer == FINALIZER);
        if namespace.metadata.uid != known.metadata.uid
            || namespace.metadata.deletion_timestamp.is_none()
            || !has_finalizer
        {
            return Ok(Outcome::Done);
        }
        let findings = self.empty(key).await;
        let status = plan_status(&namespace, &findings, self.ambient.clock.now_seconds());
        let namespace = if namespace.status.as_ref() == Some(&status) {
            namespace
        } else {
            let updated = Namespace { status: Some(status), ..namespace };
            api.replace_status(&key.name, &PostParams::default(), &updated)
                .await
                .during("update status of namespace", key)?
        };
        if findings.is_clear() {
            return self.finalize(key, namespace).await;
        }
        if findings.waits_for_pods_alone() {
            return Ok(Outcome::Done);
        }
        Err(findings.into_error(key))
    }
}

impl Emptier {
    /// Deletes what is in the namespace, as far as its turn has come.
    async fn empty(&self, key: &NamespacedName) -> Findings {
        let mut findings = Findings::default();
        let resources = match discover(&self.client).await.during("discover the contents of", key) {
            Ok(resources) => resources,
            Err(error) => {
                findings.discovery_failure = Some(error);
                return findings;
            }
        };
        for wave in waves(&resources) {
            if !findings.is_clear() {
                break;
            }
            for resource in wave {
                self.delete_all(key, resource, &mut findings).await;
            }
        }
        findings
    }

    async fn delete_all(&self, key: &NamespacedName, resource: &Discovered, findings: &mut Findings) {
        if let Err(error) = self.try_delete_all(key, resource, findings).await {
            findings.content_failures.push(error);
        }
    }

    async fn try_delete_all(
        &self,
        key: &NamespacedName,
        resource: &Discovered,
        findings: &mut Findings,
    ) -> Result<(), ReconcileError> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), &key.name, &resource.resource);
        let at_once = resource.supports("deletecollection");
        let enough = if at_once { ListParams::default().limit(1) } else { ListParams::default() };
        let present = api.list_metadata(&enough).await.during("list the contents of", key)?;
        if present.items.is_empty() {
            return Ok(());
        }
        let parameters = DeleteParams::background();
        if at_once {
            self.delete_collection(&api, &parameters).await.during("delete the contents of", key)?;
        } else {
            for object in &present.items {
                let name = object.metadata.name.as_deref().unwrap_or_default();
                crate::error::unless_gone(api.delete(name, &parameters).await).during("delete", name)?;
            }
        }
        let rest = api.list_metadata(&ListParams::default()).await.during("list the contents of", key)?;
        let metadata = rest.items.iter().map(|object| &object.metadata);
        findings.remains(&resource.resource, metadata);
        Ok(())
    }

    /// The answer tells of everything that was deleted, of which nothing is wanted.
    async fn delete_collection(&self, api: &Api<DynamicObject>, parameters: &DeleteParams) -> Result<(), ClientError> {
        let request = Request::new(api.resource_url()).delete_collection(parameters, &ListParams::default());
        let mut request = request.map_err(ClientError::BuildRequest)?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(METADATA_LIST));
        self.client.request::<IgnoredAny>(request).await.map(drop)
    }

    async fn finalize(&self, key: &NamespacedName, mut namespace: Namespace) -> Result<Outcome, ReconcileError> {
        let rest: Vec<String> =
            finalizers(&namespace).iter().filter(|finalizer| *finalizer != FINALIZER).cloned().collect();
        namespace.spec.get_or_insert_default().finalizers = Some(rest);
        let api: Api<Namespace> = Api::all(self.client.clone());
        let finalized = api.replace_subresource("finalize", &key.name, &PostParams::default(), &namespace).await;
        crate::error::unless_gone(finalized).during("finalize namespace", key)?;
        Ok(Outcome::Done)
    }
}

fn finalizers(namespace: &Namespace) -> &[String] {
    namespace.spec.as_ref().and_then(|spec| spec.finalizers.as_deref()).unwrap_or_default()
}
