//! Keeps the node from running dry: sees memory, disks and process ids run short, says so in the node's
//! conditions, tidies up, and where that is not enough has pods go.
//!
//! Nothing announces that a disk fills. How soon the next look must be follows from how much is left and
//! how fast it could be used up.

mod decide;
pub(crate) mod local;
mod rank;
mod signals;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::Pod;
use reconcile::EventType::Warning;

use crate::config::{names, qos};
use crate::housekeeping::containers;
use crate::housekeeping::images::ImageKeeper;
use crate::pod::manager::Pods;
use crate::pod::plan::Eviction;
use crate::pod::{Context, cgroups, spec};
use crate::policy::{Policy, Signal};
use crate::usage::{self, Tree};
use crate::volumes;
use decide::{Met, State};
use rank::Candidate;
use signals::Observation;
pub(crate) use signals::image_folder;

/// Even a node that is nearly dry is not looked at more often, and a quiet one not less.
const LOOK_AGAIN_FIRST: Duration = Duration::from_secs(1);
const LOOK_AGAIN_CAP: Duration = Duration::from_secs(60);
/// How long the next pod waits for one that is on its way out.
const AWAIT_EVICTED: Duration = Duration::from_secs(30);
/// What a pod gets at a hard threshold.
const IMMEDIATE_GRACE_SECONDS: i64 = 1;

pub(crate) struct Keeper {
    context: Arc<Context>,
    pods: Arc<Pods>,
    images: ImageKeeper,
    policy: Arc<Policy>,
    state: State,
}

impl Keeper {
    pub(crate) fn new(context: Arc<Context>, pods: Arc<Pods>, policy: Arc<Policy>) -> Self {
        let images = ImageKeeper::new(Arc::clone(&context), Arc::clone(&policy));
        Keeper { context, pods, images, policy, state: State::default() }
    }

    /// Looks, decides and acts until dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let wait = self.look().await;
            tokio::select! {
                () = self.context.ambient.clock.sleep(wait) => {}
                () = self.pods.limits_changed() => {}
            }
        }
    }

    /// One round; how long until the next.
    async fn look(&mut self) -> Duration {
        let now = self.context.ambient.clock.now();
        let observed = signals::observe(&self.context).await;
        let decision = decide::decide(&mut self.state, &self.policy, &observed, now);
        if self.context.pressures.set(decision.pressure) {
            self.context.node_changed.notify_one();
        }
        self.images.tidy(now).await;
        let (evicted, soonest) = self.enforce_limits().await;
        if evicted {
            return LOOK_AGAIN_FIRST;
        }
        let calm = signals::time_left(&self.policy, &observed).min(soonest);
        let wait = calm.clamp(LOOK_AGAIN_FIRST, LOOK_AGAIN_CAP);
        let Some(met) = decision.reclaim else {
            return decision.wake_after.map_or(wait, |after| wait.min(after.max(LOOK_AGAIN_FIRST)));
        };
        self.reclaim(&met, &observed).await;
        LOOK_AGAIN_FIRST
    }

    async fn reclaim(&mut self, met: &Met, observed: &BTreeMap<Signal, Observation>) {
        let resource = met.threshold.signal.resource();
        tracing::warn!(resource, "the node runs short");
        if let Some(node) = self.context.own_node() {
            let message = format!("Attempting to reclaim {resource}");
            self.context.recorder.event(&reconcile::reference_to(&*node), Warning, "EvictionThresholdMet", message);
        }
        let is_disk = !matches!(met.threshold.signal, Signal::MemoryAvailable | Signal::PidAvailable);
        if is_disk && self.tidy().await {
            let again = signals::observe(&self.context).await;
            if !decide::is_met(&met.threshold, again.get(&met.threshold.signal)) {
                return;
            }
        }
        let candidates = self.candidates(is_disk).await;
        let grace = met.threshold.grace.map_or(IMMEDIATE_GRACE_SECONDS, |_| self.policy.maximum_pod_grace_seconds);
        let Some(victim) = rank::choose(met, observed.get(&met.threshold.signal), &candidates) else {
            tracing::error!(resource, "the node runs short and no pod can be evicted");
            return;
        };
        self.context.eviction_counts.add(met.threshold.signal.as_str());
        self.evict(victim, grace).await;
    }

    /// Removes what nobody needs any more; whether there was something.
    async fn tidy(&mut self) -> bool {
        let containers = containers::remove_of(&self.context, &self.pods.ended_pods()).await;
        let containers = containers.unwrap_or_else(|status| {
            tracing::warn!(error = %status, "dead containers cannot be listed");
            0
        });
        self.images.remove_unused().await > 0 || containers > 0
    }

    async fn evict(&self, victim: Eviction, grace_seconds: i64) {
        let uid = victim.uid.clone();
        self.pods.evict(victim, grace_seconds);
        let ended = self.pods.ended(&uid);
        if tokio::time::timeout(AWAIT_EVICTED, ended).await.is_err() {
            tracing::warn!(pod_uid = uid, "an evicted pod has not ended yet");
        }
    }

    /// Pods over limits of their own on disk go, however much the node has left. Whether one went, and how
    /// soon the next could be over.
    async fn enforce_limits(&self) -> (bool, Duration) {
        let limited: Vec<Arc<Pod>> = self.pods.active().into_iter().filter(|pod| local::has_limits(pod)).collect();
        if limited.is_empty() {
            return (false, LOOK_AGAIN_CAP);
        }
        let mut soonest = LOOK_AGAIN_CAP;
        let mut evicted = false;
        for candidate in self.measure(limited, true).await {
            match local::judge(&candidate) {
                local::Verdict::Over { signal, eviction } => {
                    evicted = true;
                    self.context.eviction_counts.add(signal);
                    self.pods.evict(eviction, IMMEDIATE_GRACE_SECONDS);
                }
                local::Verdict::Within { time_left } => soonest = soonest.min(time_left),
            }
        }
        (evicted, soonest)
    }

    async fn candidates(&self, with_disk: bool) -> Vec<Candidate> {
        self.measure(self.pods.active(), with_disk).await
    }

    async fn measure(&self, pods: Vec<Arc<Pod>>, with_disk: bool) -> Vec<Candidate> {
        let containers = usage::containers(&*self.context.runtime).await.unwrap_or_else(|status| {
            tracing::warn!(error = %status, "usage cannot be read");
            Vec::new()
        });
        let context = Arc::clone(&self.context);
        // Folders are walked where that disturbs nobody.
        let walk = tokio::task::spawn_blocking(move || {
            pods.into_iter()
                .map(|pod| {
                    let own = containers.iter().filter(|container| container.pod_uid == spec::uid(&pod));
                    let own = own.cloned().collect();
                    let mut candidate = Candidate::new(pod, own);
                    let cgroup = qos::cgroup_parent(&context.node.cgroup_root, &candidate.pod);
                    candidate.processes = cgroups::processes(&context.node.cgroup_mount, &cgroup);
                    if with_disk {
                        measure_disk(&context, &mut candidate);
                    }
                    candidate
                })
                .collect()
        });
        walk.await.unwrap_or_else(|error| {
            tracing::error!(%error, "measuring pods failed");
            Vec::new()
        })
    }
}

fn measure_disk(context: &Context, candidate: &mut Candidate) {
    let pod = &candidate.pod;
    let logs = names::log_dir(&context.node.pod_log_dir, pod);
    for container in spec::init_containers(pod).iter().chain(&spec::spec(pod).containers) {
        let tree = usage::tree(&logs.join(&container.name)).unwrap_or_else(|error| {
            tracing::warn!(container = container.name, %error, "a container's logs cannot be measured");
            Tree::default()
        });
        candidate.logs.insert(container.name.clone(), tree);
    }
    candidate.volumes = volumes::disk::of_pod(&context.node.root_dir, pod, &[]).unwrap_or_else(|error| {
        tracing::warn!(pod = spec::long_name(pod), %error, "a pod's volumes cannot be measured");
        Vec::new()
    });
}
