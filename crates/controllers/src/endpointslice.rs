//! EndpointSlices: the addresses behind each Service, in pieces small enough to send around.

mod plan;

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{Node, Pod, Service};
use api::k8s::api::discovery::v1::EndpointSlice;
use client::Client;
use client::kube::Api;
use client::kube::api::{DeleteParams, PostParams};
use reconcile::{Controller, Expectations, Informer, Outcome, Reconciler, Recorder, WorkQueue};
use stdx::Clock;

use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};
use crate::pace::rest_after;
use crate::services::{enqueue_services, selected_pods, selector};
use plan::{MANAGED_BY, MANAGER, SERVICE_NAME, plan_slices};

/// The index of slices by their Service.
const BY_SERVICE: &str = "service";

pub(crate) async fn run(context: Context) {
    let services = context.informers.of::<Service>();
    let pods = context.informers.of::<Pod>();
    let nodes = context.informers.of::<Node>();
    let slices =
        context.informers.of::<EndpointSlice>().with_index(BY_SERVICE, |slice| service_of(slice).into_iter().collect());
    let expectations = Arc::new(Expectations::new(context.ambient.clock));
    let queue = WorkQueue::new(context.ambient.clock);
    let slicer = Slicer {
        queue: queue.clone(),
        clock: context.ambient.clock,
        expectations: Arc::clone(&expectations),
        client: context.client.clone(),
        recorder: context.recorder(),
        services: services.clone(),
        pods: pods.clone(),
        nodes: nodes.clone(),
        slices: slices.clone(),
    };
    let controller = Controller::with_queue("endpointslice-controller", slicer, queue.clone());
    enqueue_services(&services, &pods, &queue);
    // Somebody else's change of a slice is undone.
    slices.on_change(move |old, new| {
        let Some(slice) = new.or(old).filter(|slice| is_managed(slice)) else { return };
        let Some(service) = service_key(slice) else { return };
        if old.is_none() {
            expectations.creation_observed(&service);
        }
        queue.add(service);
    });
    let synced = async {
        services.synced().await;
        pods.synced().await;
        nodes.synced().await;
        slices.synced().await;
    };
    context.run(controller, synced).await;
}

struct Slicer {
    client: Client,
    queue: WorkQueue<NamespacedName>,
    clock: Clock,
    recorder: Recorder,
    services: Informer<Service>,
    pods: Informer<Pod>,
    nodes: Informer<Node>,
    slices: Informer<EndpointSlice>,
    /// Slices made and not seen yet: without them, a Service would get the same slice twice.
    expectations: Arc<Expectations>,
}

impl Reconciler for Slicer {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        // The slices of a Service that is gone go with it: they name it as their owner.
        let Some(service) = self.services.get(key) else {
            self.expectations.forget(key);
            return Ok(Outcome::Done);
        };
        let Some(selector) = selector(&service) else { return Ok(Outcome::Done) };
        if service.metadata.deletion_timestamp.is_some() {
            return Ok(Outcome::Done);
        }
        if !self.expectations.satisfied(key) {
            // The slice's arrival leads here again.
            return Ok(Outcome::Done);
        }
        let began = self.clock.instant();
        let pods = selected_pods(&self.pods, &service, &selector);
        let present: Vec<Arc<EndpointSlice>> =
            self.slices.by_index(BY_SERVICE, &key.to_string()).into_iter().filter(|slice| is_managed(slice)).collect();
        let zone_of = |node: &str| {
            let node = self.nodes.get(&NamespacedName::new("", node))?;
            node.metadata.labels.as_ref()?.get("topology.kubernetes.io/zone").cloned()
        };
        let plan = plan_slices(&service, &pods, &present, &zone_of);
        self.queue.rest(key, rest_after(began.elapsed()));
        let result = self.carry_out(key, plan).await;
        if let Err(error) = &result
            && let Some(call) = error.call()
        {
            if call.is_namespace_terminating() {
                return Ok(Outcome::Done);
            }
            if !call.is_conflict() {
                let message = format!("Error updating Endpoint Slices for Service {key}: {call}");
                self.recorder.warning(&*service, "FailedToUpdateEndpointSlices", message);
            }
        }
        result.map(|()| Outcome::Done)
    }
}

impl Slicer {
    async fn carry_out(&self, key: &NamespacedName, plan: plan::SlicePlan) -> Result<(), ReconcileError> {
        let api: Api<EndpointSlice> = Api::namespaced(self.client.clone(), &key.namespace);
        for slice in &plan.update {
            let name = slice.metadata.name.as_deref().unwrap_or_default();
            api.replace(name, &PostParams::default(), slice).await.during("update endpoint slice", name)?;
        }
        self.expectations.expect(key, plan.create.len(), []);
        let mut first_error = None;
        for slice in &plan.create {
            if let Err(error) = api.create(&PostParams::default(), slice).await.during("create endpoint slice of", key)
            {
                self.expectations.creation_observed(key);
                first_error = first_error.or(Some(error));
            }
        }
        if let Some(error) = first_error {
            return Err(error);
        }
        for name in &plan.delete {
            unless_gone(api.delete(name, &DeleteParams::default()).await).during("delete endpoint slice", name)?;
        }
        Ok(())
    }
}

fn service_of(slice: &EndpointSlice) -> Option<String> {
    service_key(slice).map(|key| key.to_string())
}

fn service_key(slice: &EndpointSlice) -> Option<NamespacedName> {
    let name = slice.metadata.labels.as_ref()?.get(SERVICE_NAME)?;
    Some(NamespacedName::new(slice.metadata.namespace.clone().unwrap_or_default(), name))
}

fn is_managed(slice: &EndpointSlice) -> bool {
    slice.metadata.labels.as_ref().and_then(|labels| labels.get(MANAGED_BY)).is_some_and(|manager| manager == MANAGER)
}
