//! Scales what has a scale by what its pods use, or by other metrics.

mod limits;
mod metric;
mod replicas;
mod source;
mod status;
mod target;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use api::k8s::api::autoscaling::v1::Scale;
use api::k8s::api::autoscaling::v2::{HorizontalPodAutoscaler, MetricSpec, MetricStatus};
use api::k8s::api::core::v1::Pod;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use stdx::Ambient;

use crate::context::Context;
use crate::error::{During, ReconcileError};
use limits::{Bounds, History, limit};
use metric::{Scene, compute, failure_reason};
use replicas::Tolerance;
use source::Source;
use status::Status;
use target::Target;

/// How often metrics are looked at.
const PERIOD: Duration = Duration::from_secs(15);

pub(crate) async fn run(context: Context) {
    let autoscalers = context.informers.of::<HorizontalPodAutoscaler>();
    let pods = context.informers.of::<Pod>();
    let scaler = Scaler {
        client: context.client.clone(),
        recorder: context.recorder(),
        autoscalers: autoscalers.clone(),
        pods: pods.clone(),
        histories: Mutex::default(),
        ambient: context.ambient.clone(),
    };
    let controller = Controller::new("horizontal-pod-autoscaler-controller", scaler, context.ambient.clock);
    let queue = controller.queue();
    autoscalers.on_change(move |old, new| {
        // Its status is our own doing; the next look at its metrics is due by time.
        let is_new = old.map(|old| &old.spec) != new.map(|new| &new.spec);
        if let Some(autoscaler) = new.or(old).filter(|_| is_new) {
            queue.add(NamespacedName::of(&autoscaler.metadata));
        }
    });
    let synced = async {
        autoscalers.synced().await;
        pods.synced().await;
    };
    context.run(controller, synced).await;
}

struct Scaler {
    client: Client,
    recorder: Recorder,
    autoscalers: Informer<HorizontalPodAutoscaler>,
    pods: Informer<Pod>,
    histories: Mutex<BTreeMap<NamespacedName, History>>,
    ambient: Ambient,
}

/// What the metrics want.
struct Recommendation {
    replicas: i32,
    /// The metric that wants it.
    metric: String,
    statuses: Vec<MetricStatus>,
}

impl Reconciler for Scaler {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(autoscaler) = self.autoscalers.get(key) else {
            self.histories().remove(key);
            return Ok(Outcome::Done);
        };
        let mut status = Status::of(&autoscaler, self.ambient.clock.now_seconds());
        self.scale(key, &autoscaler, &mut status).await;
        if let Some(changed) = status.changed(&autoscaler) {
            let api: Api<HorizontalPodAutoscaler> = Api::namespaced(self.client.clone(), &key.namespace);
            api.replace_status(&key.name, &PostParams::default(), &changed)
                .await
                .during("update status of autoscaler", key)?;
        }
        Ok(Outcome::RequeueAfter(PERIOD))
    }
}

impl Scaler {
    /// Looks, decides, scales, and says in the status how that went.
    async fn scale(&self, key: &NamespacedName, autoscaler: &HorizontalPodAutoscaler, status: &mut Status) {
        let spec = &autoscaler.spec;
        let found = match Target::find(&self.client, &key.namespace, &spec.scale_target_ref).await {
            Ok(target) => target.scale().await.map(|scale| (target, scale)),
            Err(error) => Err(error),
        };
        let (target, scale) = match found {
            Ok(found) => found,
            Err(error) => {
                self.recorder.warning(autoscaler, "FailedGetScale", error.to_string());
                let message = format!("the HPA controller was unable to get the target's current scale: {error}");
                return status.condition("AbleToScale", false, "FailedGetScale", &message);
            }
        };
        let message = "the HPA controller was able to get the target's current scale";
        status.condition("AbleToScale", true, "SucceededGetScale", message);
        let current = scale.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0);
        let now = self.ambient.clock.instant();
        self.histories().entry(key.clone()).or_default().begin(current, now);
        let minimum = spec.min_replicas.unwrap_or(1);
        status.current_replicas(current);
        if current == 0 && minimum != 0 {
            let message = "scaling is disabled since the replica count of the target is zero";
            status.condition("ScalingActive", false, "ScalingDisabled", message);
            return status.desired_replicas(0);
        }
        let (desired, reason) = if current > spec.max_replicas {
            (spec.max_replicas, "Current number of replicas above Spec.MaxReplicas".to_owned())
        } else if current < minimum {
            (minimum, "Current number of replicas below Spec.MinReplicas".to_owned())
        } else {
            let Some(recommendation) = self.recommend(key, autoscaler, &scale, status).await else { return };
            let bounds = Bounds { current, minimum, maximum: spec.max_replicas, behavior: spec.behavior.as_ref() };
            let limited = {
                let mut histories = self.histories();
                let history = histories.entry(key.clone()).or_default();
                let limited = limit(recommendation.replicas, &bounds, history, now);
                history.recommended(recommendation.replicas, now);
                limited
            };
            status.metrics(recommendation.statuses);
            status.condition("AbleToScale", true, limited.able.0, limited.able.1);
            let (is_limited, why, message) = limited.limited;
            status.condition("ScalingLimited", is_limited, why, message);
            let reason = match recommendation.replicas > current {
                true => format!("{} above target", recommendation.metric),
                false => "All metrics below target".to_owned(),
            };
            (limited.replicas, reason)
        };
        status.desired_replicas(desired);
        if desired == current {
            return;
        }
        match target.set(scale, desired).await {
            Ok(()) => {
                let message = format!("the HPA controller was able to update the target scale to {desired}");
                status.condition("AbleToScale", true, "SucceededRescale", &message);
                status.scaled();
                self.recorder.normal(autoscaler, "SuccessfulRescale", format!("New size: {desired}; reason: {reason}"));
                self.histories().entry(key.clone()).or_default().scaled(current, desired, now);
            }
            Err(error) => {
                let message = format!("New size: {desired}; reason: {reason}; error: {error}");
                self.recorder.warning(autoscaler, "FailedRescale", message);
                let message = format!("the HPA controller was unable to update the target scale: {error}");
                status.condition("AbleToScale", false, "FailedUpdateScale", &message);
                status.desired_replicas(current);
            }
        }
    }

    /// The most that any metric wants; `None` where too little is known to change anything.
    async fn recommend(
        &self,
        key: &NamespacedName,
        autoscaler: &HorizontalPodAutoscaler,
        scale: &Scale,
        status: &mut Status,
    ) -> Option<Recommendation> {
        let spec = &autoscaler.spec;
        let scale_status = scale.status.clone().unwrap_or_default();
        let text = scale_status.selector.unwrap_or_default();
        if text.is_empty() {
            self.recorder.warning(autoscaler, "SelectorRequired", "selector is required");
            status.condition("ScalingActive", false, "InvalidSelector", "the HPA target's scale is missing a selector");
            return None;
        }
        let selector = match Selector::parse(&text) {
            Ok(selector) => selector,
            Err(error) => {
                let message =
                    format!("couldn't convert selector into a corresponding internal selector object: {error}");
                self.recorder.warning(autoscaler, "InvalidSelector", message.clone());
                status.condition("ScalingActive", false, "InvalidSelector", &message);
                return None;
            }
        };
        let pods = self.pods.list_namespace(&key.namespace);
        let pods: Vec<Arc<Pod>> =
            pods.into_iter().filter(|pod| selector.matches_optional(pod.metadata.labels.as_ref())).collect();
        if let Some(others) = self.rivals(key, autoscaler) {
            let message = format!("pods by selector {text} are controlled by multiple HPAs: [{others}]");
            self.recorder.warning(autoscaler, "AmbiguousSelector", message.clone());
            status.condition("ScalingActive", false, "AmbiguousSelector", &message);
            return None;
        }
        let wanted = scale.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(0);
        let source = Source { client: self.client.clone(), now: self.ambient.clock.now() };
        let scene = Scene {
            source: &source,
            namespace: &key.namespace,
            selector: &text,
            pods: &pods,
            wanted,
            present: scale_status.replicas,
            tolerance: tolerance(autoscaler),
        };
        let metrics = spec.metrics.as_deref().unwrap_or_default();
        self.most_wanted(autoscaler, metrics, &scene, status).await
    }

    async fn most_wanted(
        &self,
        autoscaler: &HorizontalPodAutoscaler,
        metrics: &[MetricSpec],
        scene: &Scene<'_>,
        status: &mut Status,
    ) -> Option<Recommendation> {
        let mut best: Option<(i32, String)> = None;
        let mut statuses = Vec::new();
        let mut first_failure: Option<(&'static str, String)> = None;
        let mut failures = 0;
        for spec in metrics {
            match compute(spec, scene).await {
                Ok(computed) => {
                    if best.as_ref().is_none_or(|(replicas, _)| computed.replicas > *replicas) {
                        best = Some((computed.replicas, computed.name));
                    }
                    statuses.push(computed.status);
                }
                Err(error) => {
                    let reason = failure_reason(spec);
                    self.recorder.warning(autoscaler, reason, error.to_string());
                    failures += 1;
                    first_failure.get_or_insert((reason, error.to_string()));
                    statuses.push(MetricStatus { type_: spec.type_.clone(), ..MetricStatus::default() });
                }
            }
        }
        // What is unknown may be what holds the size up.
        let may_not = best.as_ref().is_none_or(|(replicas, _)| *replicas < scene.wanted);
        if let Some((reason, error)) = first_failure.filter(|_| may_not) {
            let message = format!("the HPA was unable to compute the replica count: {error}");
            status.condition("ScalingActive", false, reason, &message);
            let count = metrics.len();
            let message = format!("invalid metrics ({failures} invalid out of {count}), first error is: {error}");
            self.recorder.warning(autoscaler, "FailedComputeMetricsReplicas", message);
            return None;
        }
        let (replicas, metric) = best?;
        let message = format!("the HPA was able to successfully calculate a replica count from {metric}");
        status.condition("ScalingActive", true, "ValidMetricFound", &message);
        Some(Recommendation { replicas, metric, statuses })
    }

    /// Autoscalers of the same target, this one included; `None` where there are no others.
    fn rivals(&self, key: &NamespacedName, autoscaler: &HorizontalPodAutoscaler) -> Option<String> {
        let target = |one: &HorizontalPodAutoscaler| {
            (one.spec.scale_target_ref.kind.clone(), one.spec.scale_target_ref.name.clone())
        };
        let all = self.autoscalers.list_namespace(&key.namespace);
        let same = all.iter().filter(|other| target(other) == target(autoscaler));
        let names: Vec<String> = same.map(|one| NamespacedName::of(&one.metadata).to_string()).collect();
        (names.len() > 1).then(|| names.join(" "))
    }

    fn histories(&self) -> MutexGuard<'_, BTreeMap<NamespacedName, History>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tolerance(autoscaler: &HorizontalPodAutoscaler) -> Tolerance {
    let behavior = autoscaler.spec.behavior.as_ref();
    let given = |rules: Option<&api::k8s::api::autoscaling::v2::HPAScalingRules>| {
        let amount = rules.and_then(|rules| rules.tolerance.as_ref())?;
        api::Quantity::of(amount).ok().map(|amount| amount.millis() as f64 / 1000.0)
    };
    let Tolerance { up, down } = Tolerance::DEFAULT;
    Tolerance {
        up: behavior.and_then(|behavior| given(behavior.scale_up.as_ref())).unwrap_or(up),
        down: behavior.and_then(|behavior| given(behavior.scale_down.as_ref())).unwrap_or(down),
    }
}
