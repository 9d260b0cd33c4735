//! Says how many pods of each disruption budget may be evicted now, and which were to be but were not.

mod plan;
mod scale;
mod stale;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use api::k8s::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetStatus};
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::error::{During, ReconcileError};
use plan::{Disrupted, desired_healthy, disrupted_pods, failed_status, healthy_pods, needs_scale, status};
pub(crate) use scale::ScaleError;
use scale::{Expected, Scales};

pub(crate) async fn run(context: Context) {
    let budgets = context.informers.of::<PodDisruptionBudget>();
    let pods = context.informers.of::<Pod>();
    let scales = Scales::new(&context);
    let keeper = Keeper {
        client: context.client.clone(),
        recorder: context.recorder(),
        budgets: budgets.clone(),
        pods: pods.clone(),
        scales: scales.clone(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("disruption-controller", keeper, context.ambient.clock);
    let queue = controller.queue();
    on_each(&budgets, {
        let queue = queue.clone();
        move |budget| queue.add(NamespacedName::of(&budget.metadata))
    });
    pods.on_change({
        let budgets = budgets.clone();
        move |old, new| {
            for pod in [old, new].into_iter().flatten() {
                let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
                for budget in budgets.list_namespace(namespace).iter().filter(|budget| selects(budget, pod)) {
                    queue.add(NamespacedName::of(&budget.metadata));
                }
            }
        }
    });
    let synced = async {
        budgets.synced().await;
        pods.synced().await;
        scales.synced().await;
    };
    tokio::join!(context.run(controller, synced), stale::run(context.clone()));
}

/// A budget without a selector, or with one that cannot be read, is of no pod.
fn selects(budget: &PodDisruptionBudget, pod: &Pod) -> bool {
    let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    let selector = selector.and_then(|selector| Selector::from_label_selector(selector).ok());
    selector.is_some_and(|selector| selector.matches_optional(pod.metadata.labels.as_ref()))
}

struct Keeper {
    client: Client,
    recorder: Recorder,
    budgets: Informer<PodDisruptionBudget>,
    pods: Informer<Pod>,
    scales: Scales,
    ambient: Ambient,
}

impl Reconciler for Keeper {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(budget) = self.budgets.get(key) else { return Ok(Outcome::Done) };
        let pods = self.pods.list_namespace(&key.namespace);
        let pods: Vec<Arc<Pod>> = pods.into_iter().filter(|pod| selects(&budget, pod)).collect();
        if pods.is_empty() {
            self.recorder.normal(&*budget, "NoPods", "No matching pods found");
        }
        let expected = match needs_scale(&budget) {
            false => Ok(Expected { count: i32::try_from(pods.len()).unwrap_or(i32::MAX), unmanaged: Vec::new() }),
            true => self.scales.expected(&pods).await,
        };
        let expected = match expected {
            Ok(expected) => expected,
            Err(error) => {
                // Where nobody can tell how many there should be, none may go.
                let message = format!("Failed to calculate the number of expected pods: {error}");
                self.recorder.warning(&*budget, "CalculateExpectedPodCountFailed", message);
                let failed = failed_status(&budget, &error.to_string(), self.ambient.clock.now_seconds());
                self.write(key, &budget, failed).await?;
                return Err(error.into());
            }
        };
        if !expected.unmanaged.is_empty() {
            self.tell_of_unmanaged(&budget);
        }
        let now = self.ambient.clock.now();
        let disrupted = disrupted_pods(&budget, &pods, now);
        for pod in pods.iter().filter(|pod| disrupted.overdue.contains(&NamespacedName::of(&pod.metadata).name)) {
            let message = format!("Pod was expected by PDB {key} to be deleted but it wasn't");
            self.recorder.warning(&**pod, "NotDeleted", message);
        }
        let Disrupted { awaited, recheck_after, .. } = disrupted;
        let healthy = healthy_pods(&pods, &awaited);
        let desired = desired_healthy(&budget, expected.count);
        let wanted = status(&budget, expected.count, desired, healthy, awaited, self.ambient.clock.now_seconds());
        self.write(key, &budget, wanted).await?;
        Ok(recheck_after.map_or(Outcome::Done, |after: Duration| Outcome::RequeueAfter(after)))
    }
}

impl Keeper {
    async fn write(
        &self,
        key: &NamespacedName,
        budget: &PodDisruptionBudget,
        status: PodDisruptionBudgetStatus,
    ) -> Result<(), ReconcileError> {
        if budget.status.as_ref() == Some(&status) {
            return Ok(());
        }
        let updated = PodDisruptionBudget { status: Some(status), ..budget.clone() };
        let api: Api<PodDisruptionBudget> = Api::namespaced(self.client.clone(), &key.namespace);
        api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of budget", key)?;
        Ok(())
    }

    fn tell_of_unmanaged(&self, budget: &PodDisruptionBudget) {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let labels: BTreeMap<_, _> = selector.and_then(|selector| selector.match_labels.clone()).unwrap_or_default();
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}:{value}")).collect();
        let message = format!(
            "Pods selected by this PodDisruptionBudget (selector: &LabelSelector{{MatchLabels:map[string]string{{{}}}}}) \
             were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may \
             result in undefined behavior. To account for these pods please set \".spec.minAvailable\" field of the \
             PDB to an integer value.",
            labels.join(", ")
        );
        self.recorder.warning(budget, "UnmanagedPods", message);
    }
}
