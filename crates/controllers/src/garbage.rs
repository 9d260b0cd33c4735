//! Deletes what lost its owners, and lets owners wait for, or let go of, what they own.

mod graph;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::NamespacedName;
use api::k8s::api::core::v1::ObjectReference;
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, Preconditions, PropagationPolicy};
use client::kube::core::{ApiResource, DynamicObject, PartialObjectMeta};
use reconcile::{Controller, EventType, Informer, ListOptions, Outcome, Reconciler, Recorder, WorkQueue};
use serde_json::json;

use crate::context::Context;
use crate::discovery::{Discovered, discover};
use crate::error::{During, ReconcileError, unless_gone};
use graph::{Graph, Item, Work};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

type Metadata = PartialObjectMeta<DynamicObject>;

pub(crate) async fn run(context: Context) {
    let queue = WorkQueue::new(context.ambient.clock);
    let Some(resources) = discover_until_answered(&context).await else { return };
    let resources: Vec<Discovered> = resources.into_iter().filter(is_collected).collect();
    let graph: Arc<Mutex<Graph>> = Arc::default();
    let informers: Vec<_> = resources.iter().map(|resource| watch(&context, resource, &graph, &queue)).collect();
    let collector = Collector {
        client: context.client.clone(),
        recorder: context.recorder(),
        graph,
        queue: queue.clone(),
        resources: resources.iter().map(|found| (kind_of(&found.resource), found.clone())).collect(),
    };
    let controller = Controller::with_queue("garbage-collector-controller", collector, queue).workers(20);
    // An owner that is merely not listed yet must not look gone.
    let synced = async {
        for informer in &informers {
            informer.synced().await;
        }
    };
    context.run(controller, synced).await;
}

async fn discover_until_answered(context: &Context) -> Option<Vec<Discovered>> {
    let mut backoff = stdx::Backoff::new(std::time::Duration::from_millis(50), std::time::Duration::from_secs(30));
    loop {
        let discovered = tokio::select! {
            biased;
            () = context.cancel.cancelled() => return None,
            discovered = discover(&context.client) => discovered,
        };
        match discovered {
            Ok(resources) => return Some(resources),
            Err(error) => {
                tracing::debug!(error = stdx::error::chain(&error), "cannot discover what to collect");
                context.ambient.clock.sleep(backoff.next_delay()).await;
            }
        }
    }
}

/// Events own nothing and come by the thousand.
fn is_collected(found: &Discovered) -> bool {
    let is_event = found.resource.plural == "events" && matches!(found.resource.group.as_str(), "" | "events.k8s.io");
    !is_event && ["list", "watch", "delete"].iter().all(|verb| found.supports(verb))
}

fn kind_of(resource: &ApiResource) -> (String, String) {
    (resource.group.clone(), resource.kind.clone())
}

fn watch(
    context: &Context,
    found: &Discovered,
    graph: &Arc<Mutex<Graph>>,
    queue: &WorkQueue<Work>,
) -> Informer<Metadata> {
    let api: Api<Metadata> = Api::all_with(context.client.clone(), &found.resource);
    let options = ListOptions { trim: Some(trim), ..ListOptions::default() };
    let informer = Informer::start(api, options, &context.ambient, context.cancel.clone());
    let (graph, queue, kind) = (Arc::clone(graph), queue.clone(), kind_of(&found.resource));
    informer.on_change(move |old, new| {
        let mut graph = graph.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = Vec::new();
        let was_replaced = old.zip(new).is_some_and(|(old, new)| old.metadata.uid != new.metadata.uid);
        if let Some(old) = old.filter(|_| new.is_none() || was_replaced) {
            work.extend(graph.remove(old.metadata.uid.as_deref().unwrap_or_default()));
        }
        if let Some(new) = new {
            work.extend(graph.set(item_of(&kind, &new.metadata)));
        }
        drop(graph);
        for item in work {
            queue.add(item);
        }
    });
    informer
}

/// The graph is about who owns whom.
fn trim(object: &mut Metadata) {
    object.metadata.labels = None;
    object.metadata.annotations = None;
}

fn item_of(kind: &(String, String), metadata: &ObjectMeta) -> Item {
    let has = |name: &str| metadata.finalizers.iter().flatten().any(|finalizer| finalizer == name);
    Item {
        uid: metadata.uid.clone().unwrap_or_default(),
        kind: kind.clone(),
        key: NamespacedName::of(metadata),
        owners: metadata.owner_references.clone().unwrap_or_default(),
        is_going: metadata.deletion_timestamp.is_some(),
        waits_for_dependents: metadata.deletion_timestamp.is_some() && has(FOREGROUND),
        orphans_dependents: metadata.deletion_timestamp.is_some() && has(ORPHAN),
    }
}

fn kind_of_owner(reference: &OwnerReference) -> (String, String) {
    let group = reference.api_version.split_once('/').map_or("", |(group, _)| group);
    (group.to_owned(), reference.kind.clone())
}

struct Collector {
    client: Client,
    recorder: Recorder,
    graph: Arc<Mutex<Graph>>,
    queue: WorkQueue<Work>,
    resources: BTreeMap<(String, String), Discovered>,
}

impl Reconciler for Collector {
    type Key = Work;
    type Error = ReconcileError;

    async fn reconcile(&self, work: &Work) -> Result<Outcome, ReconcileError> {
        let Some(item) = self.graph().get(work.uid()).cloned() else { return Ok(Outcome::Done) };
        match work {
            Work::Orphan(_) if item.orphans_dependents => self.orphan_dependents(&item).await?,
            Work::Orphan(_) => {}
            Work::Delete(_) if item.waits_for_dependents => self.wait_for_dependents(&item).await?,
            Work::Delete(_) if item.is_going => {}
            Work::Delete(_) => self.collect(&item).await?,
        }
        Ok(Outcome::Done)
    }
}

/// An object's owners, by what they are worth to it.
#[derive(Debug, Default)]
struct Owners {
    solid: usize,
    /// Gone: references that lead nowhere.
    dangling: Vec<String>,
    /// Being deleted in the foreground: they wait for this object to go first.
    waiting: Vec<String>,
    /// An object of no namespace names an owner that is in one, and does not say in which. It is left alone.
    is_unresolvable: bool,
}

impl Collector {
    /// Deletes the object if nobody owns it any more; else drops references that lead nowhere.
    async fn collect(&self, item: &Item) -> Result<(), ReconcileError> {
        let api = self.api(&item.kind, &item.key)?;
        // The graph may be behind: an owner may just have been put in.
        let Some(live) = api.get_metadata_opt(&item.key.name).await.during("read", &item.key)? else { return Ok(()) };
        if live.metadata.uid.as_deref() != Some(&item.uid) || live.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let references = live.metadata.owner_references.clone().unwrap_or_default();
        if references.is_empty() {
            return Ok(());
        }
        let owners = self.classify(item, &references).await?;
        if owners.is_unresolvable {
            return Ok(());
        }
        if owners.solid > 0 {
            let useless: Vec<String> = owners.dangling.into_iter().chain(owners.waiting).collect();
            return self.drop_references(&api, &live.metadata, &useless).await;
        }
        let has_dependents = self.graph().has_dependents(&item.uid);
        let policy = if !owners.waiting.is_empty() && has_dependents {
            PropagationPolicy::Foreground
        } else if live.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == ORPHAN) {
            PropagationPolicy::Orphan
        } else if live.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FOREGROUND) {
            PropagationPolicy::Foreground
        } else {
            PropagationPolicy::Background
        };
        let parameters = DeleteParams {
            propagation_policy: Some(policy),
            preconditions: Some(Preconditions {
                uid: Some(item.uid.clone()),
                resource_version: live.metadata.resource_version.clone(),
            }),
            ..DeleteParams::default()
        };
        unless_gone(api.delete(&item.key.name, &parameters).await).during("collect", &item.key)
    }

    async fn classify(&self, item: &Item, references: &[OwnerReference]) -> Result<Owners, ReconcileError> {
        let mut owners = Owners::default();
        for reference in references {
            let known = self.graph().get(&reference.uid).cloned();
            match known {
                Some(owner) if !item.may_be_owned_by(&owner) => {
                    self.refuse_owner(item, reference);
                    owners.is_unresolvable |= item.key.namespace.is_empty();
                    owners.dangling.push(reference.uid.clone());
                }
                Some(owner) if owner.waits_for_dependents => owners.waiting.push(reference.uid.clone()),
                Some(_) => owners.solid += 1,
                None if item.key.namespace.is_empty() && self.is_of_namespaces(reference) => {
                    owners.is_unresolvable = true
                }
                None if self.exists(item, reference).await? => owners.solid += 1,
                None => owners.dangling.push(reference.uid.clone()),
            }
        }
        Ok(owners)
    }

    /// Says of a reference that its object is not in the item's namespace.
    fn refuse_owner(&self, item: &Item, reference: &OwnerReference) {
        let OwnerReference { api_version, kind, name, uid, .. } = reference;
        let namespace = &item.key.namespace;
        let about = ObjectReference {
            api_version: self.resources.get(&item.kind).map(|found| found.resource.api_version.clone()),
            kind: Some(item.kind.1.clone()),
            namespace: Some(namespace.clone()),
            name: Some(item.key.name.clone()),
            uid: Some(item.uid.clone()),
            ..ObjectReference::default()
        };
        let owner = format!("[{api_version}/{kind}, namespace: {namespace}, name: {name}, uid: {uid}]");
        let message = format!("ownerRef {owner} does not exist in namespace {namespace:?}");
        self.recorder.event(&about, EventType::Warning, "OwnerRefInvalidNamespace", message);
    }

    fn is_of_namespaces(&self, reference: &OwnerReference) -> bool {
        self.resources.get(&kind_of_owner(reference)).is_some_and(|found| found.is_namespaced)
    }

    /// Asks the API itself: only its word makes an owner gone.
    async fn exists(&self, item: &Item, reference: &OwnerReference) -> Result<bool, ReconcileError> {
        let key = NamespacedName::new(&item.key.namespace, &reference.name);
        let live = self
            .api(&kind_of_owner(reference), &key)?
            .get_metadata_opt(&reference.name)
            .await
            .during("look for owner", &key)?;
        Ok(live.is_some_and(|live| live.metadata.uid.as_ref() == Some(&reference.uid)))
    }

    /// A foreground deletion: the owner may go once no dependent blocks it.
    async fn wait_for_dependents(&self, item: &Item) -> Result<(), ReconcileError> {
        let blocking = self.graph().blocking_dependents(&item.uid);
        if blocking.is_empty() {
            return self.remove_finalizer(item, FOREGROUND).await;
        }
        for dependent in blocking.into_iter().filter(|dependent| !dependent.is_going) {
            self.queue.add(Work::Delete(dependent.uid));
        }
        Ok(())
    }

    async fn orphan_dependents(&self, item: &Item) -> Result<(), ReconcileError> {
        let dependents = self.graph().dependents(&item.uid);
        for dependent in dependents {
            let api = self.api(&dependent.kind, &dependent.key)?;
            let live = api.get_metadata_opt(&dependent.key.name).await.during("read", &dependent.key)?;
            if let Some(live) = live.filter(|live| live.metadata.uid.as_deref() == Some(&dependent.uid)) {
                self.drop_references(&api, &live.metadata, std::slice::from_ref(&item.uid)).await?;
            }
        }
        self.remove_finalizer(item, ORPHAN).await
    }

    async fn drop_references(
        &self,
        api: &Api<DynamicObject>,
        live: &ObjectMeta,
        uids: &[String],
    ) -> Result<(), ReconcileError> {
        let references = live.owner_references.iter().flatten();
        let kept: Vec<&OwnerReference> =
            references.clone().filter(|reference| !uids.contains(&reference.uid)).collect();
        if kept.len() == references.count() {
            return Ok(());
        }
        let patch = json!({"metadata": {
            "resourceVersion": live.resource_version,
            "uid": live.uid,
            "ownerReferences": if kept.is_empty() { None } else { Some(kept) },
        }});
        let name = live.name.as_deref().unwrap_or_default();
        let patched = api.patch_metadata(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        unless_gone(patched).during("drop owner references of", name)
    }

    async fn remove_finalizer(&self, item: &Item, finalizer: &str) -> Result<(), ReconcileError> {
        let api = self.api(&item.kind, &item.key)?;
        let Some(live) = api.get_metadata_opt(&item.key.name).await.during("read", &item.key)? else { return Ok(()) };
        if live.metadata.uid.as_deref() != Some(&item.uid) {
            return Ok(());
        }
        let present = live.metadata.finalizers.unwrap_or_default();
        let kept: Vec<&String> = present.iter().filter(|present| *present != finalizer).collect();
        if kept.len() == present.len() {
            return Ok(());
        }
        let patch = json!({"metadata": {
            "resourceVersion": live.metadata.resource_version,
            "finalizers": if kept.is_empty() { None } else { Some(kept) },
        }});
        let patched = api.patch_metadata(&item.key.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        unless_gone(patched).during("remove finalizer of", &item.key)
    }

    fn api(&self, kind: &(String, String), key: &NamespacedName) -> Result<Api<DynamicObject>, ReconcileError> {
        let found = self
            .resources
            .get(kind)
            .ok_or_else(|| ReconcileError::UnknownKind { group: kind.0.clone(), kind: kind.1.clone() })?;
        Ok(if found.is_namespaced {
            Api::namespaced_with(self.client.clone(), &key.namespace, &found.resource)
        } else {
            Api::all_with(self.client.clone(), &found.resource)
        })
    }

    fn graph(&self) -> MutexGuard<'_, Graph> {
        self.graph.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
