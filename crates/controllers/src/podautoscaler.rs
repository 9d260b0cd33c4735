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
use metric::{Scene, compute, failure_reason, summary};
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
        memories: Mutex::default(),
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
    memories: Mutex<BTreeMap<NamespacedName, Memory>>,
    ambient: Ambient,
}

/// What is known of an autoscaler from its earlier looks.
#[derive(Default)]
struct Memory {
    history: History,
    /// Which pods it scales; nothing before its first look at its target.
    selector: Option<Selector>,
}

/// What the metrics want.
struct Recommendation {
    replicas: i32,
    /// The metric that wants it.
    metric: String,
    statuses: Vec<MetricStatus>,
}

/// Why too little is known to change anything.
struct Unknown {
    why: String,
    statuses: Vec<MetricStatus>,
}

impl Reconciler for Scaler {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(autoscaler) = self.autoscalers.get(key) else {
            self.memories().remove(key);
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
        self.memories().entry(key.clone()).or_default().history.begin(current, now);
        let minimum = spec.min_replicas.unwrap_or(1);
        status.current_replicas(current);
        if current == 0 && minimum != 0 {
            let message = "scaling is disabled since the replica count of the target is zero";
            status.condition("ScalingActive", false, "ScalingDisabled", message);
            status.metrics(Vec::new());
            return status.desired_replicas(0);
        }
        let (desired, reason) = if current > spec.max_replicas {
            status.metrics(Vec::new());
            (spec.max_replicas, "Current number of replicas above Spec.MaxReplicas".to_owned())
        } else if current < minimum {
            status.metrics(Vec::new());
            (minimum, "Current number of replicas below Spec.MinReplicas".to_owned())
        } else {
            let recommendation = match self.recommend(key, autoscaler, &scale, status).await {
                Ok(recommendation) => recommendation,
                Err(Unknown { why, statuses }) => {
                    status.metrics(statuses);
                    return self.recorder.warning(autoscaler, "FailedComputeMetricsReplicas", why);
                }
            };
            let bounds = Bounds { current, minimum, maximum: spec.max_replicas, behavior: spec.behavior.as_ref() };
            let limited = {
                let mut memories = self.memories();
                let history = &mut memories.entry(key.clone()).or_default().history;
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
        if desired == current {
            return status.desired_replicas(desired);
        }
        match target.set(scale, desired).await {
            Ok(()) => {
                let message = format!("the HPA controller was able to update the target scale to {desired}");
                status.condition("AbleToScale", true, "SucceededRescale", &message);
                status.desired_replicas(desired);
                status.scaled();
                self.recorder.normal(autoscaler, "SuccessfulRescale", format!("New size: {desired}; reason: {reason}"));
                self.memories().entry(key.clone()).or_default().history.scaled(current, desired, now);
            }
            Err(error) => {
                let message = format!("New size: {desired}; reason: {reason}; error: {error}");
                self.recorder.warning(autoscaler, "FailedRescale", message);
                let message = format!("the HPA controller was unable to update the target scale: {error}");
                status.condition("AbleToScale", false, "FailedUpdateScale", &message);
            }
        }
    }

    /// The most that any metric wants.
    async fn recommend(
        &self,
        key: &NamespacedName,
        autoscaler: &HorizontalPodAutoscaler,
        scale: &Scale,
        status: &mut Status,
    ) -> Result<Recommendation, Unknown> {
        let spec = &autoscaler.spec;
        let scale_status = scale.status.clone().unwrap_or_default();
        let text = scale_status.selector.unwrap_or_default();
        if text.is_empty() {
            let why = "selector is required".to_owned();
            self.recorder.warning(autoscaler, "SelectorRequired", why.clone());
            status.condition("ScalingActive", false, "InvalidSelector", "the HPA target's scale is missing a selector");
            return Err(Unknown { why, statuses: Vec::new() });
        }
        let refused = |status: &mut Status, reason: &str, why: String| {
            self.recorder.warning(autoscaler, reason, why.clone());
            status.condition("ScalingActive", false, reason, &why);
            Err(Unknown { why, statuses: Vec::new() })
        };
        let selector = match Selector::parse(&text) {
            Ok(selector) => selector,
            Err(error) => {
                let why = format!("couldn't convert selector into a corresponding internal selector object: {error}");
                return refused(status, "InvalidSelector", why);
            }
        };
        let pods = self.pods.list_namespace(&key.namespace);
        let pods: Vec<Arc<Pod>> =
            pods.into_iter().filter(|pod| selector.matches_optional(pod.metadata.labels.as_ref())).collect();
        let rivals = {
            let mut memories = self.memories();
            memories.entry(key.clone()).or_default().selector = Some(selector);
            rivals(&key.namespace, &memories, &pods)
        };
        if rivals.len() > 1 {
            let names = rivals.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let why = format!("pods by selector {text} are controlled by multiple HPAs: [{names}]");
            return refused(status, "AmbiguousSelector", why);
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
    ) -> Result<Recommendation, Unknown> {
        let mut best: Option<(i32, String)> = None;
        let mut statuses = Vec::new();
        let mut first_failure: Option<(&'static str, String, String)> = None;
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
                    first_failure.get_or_insert((reason, error.to_string(), summary(spec, &error)));
                    // Upstream leaves its place empty.
                    statuses.push(MetricStatus::default());
                }
            }
        }
        // What is unknown may be what holds the size up.
        let may_not = best.as_ref().is_none_or(|(replicas, _)| *replicas < scene.wanted);
        let Some((replicas, metric)) = best.filter(|_| first_failure.is_none() || !may_not) else {
            let count = metrics.len();
            let Some((reason, error, summary)) = first_failure else {
                return Err(Unknown { why: "no metrics are given".to_owned(), statuses });
            };
            let message = format!("the HPA was unable to compute the replica count: {error}");
            status.condition("ScalingActive", false, reason, &message);
            let why = format!("invalid metrics ({failures} invalid out of {count}), first error is: {summary}");
            return Err(Unknown { why, statuses });
        };
        let message = format!("the HPA was able to successfully calculate a replica count from {metric}");
        status.condition("ScalingActive", true, "ValidMetricFound", &message);
        Ok(Recommendation { replicas, metric, statuses })
    }

    fn memories(&self) -> MutexGuard<'_, BTreeMap<NamespacedName, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who scales any of the pods.
fn rivals(namespace: &str, memories: &BTreeMap<NamespacedName, Memory>, pods: &[Arc<Pod>]) -> Vec<NamespacedName> {
    let same = memories.iter().filter(|(key, _)| key.namespace == namespace);
    let selects = |selector: &Selector| pods.iter().any(|pod| selector.matches_optional(pod.metadata.labels.as_ref()));
    same.filter(|(_, memory)| memory.selector.as_ref().is_some_and(selects)).map(|(key, _)| key.clone()).collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_shares_a_pod_is_a_rival() {
        let pods: Vec<Arc<Pod>> = ["a", "b"]
            .iter()
            .map(|name| {
                let labels = json!({"app": "web", "track": name});
                Arc::new(serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}})).unwrap())
            })
            .collect();
        let memory = |selector: Option<&str>| Memory {
            selector: selector.map(|text| Selector::parse(text).unwrap()),
            ..Memory::default()
        };
        let memories = BTreeMap::from([
            (NamespacedName::new("shop", "whole"), memory(Some("app=web"))),
            (NamespacedName::new("shop", "part"), memory(Some("app=web,track=a"))),
            (NamespacedName::new("shop", "other"), memory(Some("app=other"))),
            (NamespacedName::new("shop", "new"), memory(None)),
            (NamespacedName::new("bank", "whole"), memory(Some("app=web"))),
        ]);
        let names = |pods| rivals("shop", &memories, pods).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&pods), ["shop/part", "shop/whole"]);
        assert_eq!(names(&pods[1..]), ["shop/whole"]);
        assert!(names(&[]).is_empty());
    }
}
