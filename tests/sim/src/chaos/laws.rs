//! What must hold at every single write, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::object::{Object, World, all, controlled, share};

const TRACKED: &str = "batch.kubernetes.io/job-tracking";

/// Judges write by write. What it must remember of the past it keeps by UID.
#[derive(Default)]
pub(super) struct Laws {
    /// Nobody but the controllers takes pods away, and nodes stay: what they promise of availability and
    /// order can be held against them.
    is_strict: bool,
    rollouts: BTreeMap<String, Rollout>,
    jobs: BTreeMap<String, Tally>,
    /// By quota, how many pods of its namespace it has not heard of: who counts them may be late.
    uncounted: BTreeMap<String, usize>,
}

/// Of one Deployment, since it was last complete.
#[derive(Default)]
struct Rollout {
    /// So many pods serve at least.
    floor: i64,
    /// So many there are at most.
    ceiling: i64,
}

/// The pods of one Job that have come to their ends.
#[derive(Default)]
struct Tally {
    succeeded: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl Laws {
    pub(super) fn new(is_strict: bool) -> Laws {
        Laws { is_strict, ..Laws::default() }
    }

    /// What is broken by this write; `world` is what holds after it.
    pub(super) fn judge(&mut self, world: &World, before: Option<&Object>, now: Option<&Object>) -> Vec<String> {
        let Some(object) = now.or(before) else { return Vec::new() };
        let mut broken = Vec::new();
        match object.kind.as_str() {
            "core/pods" => {
                self.count_ends(before, now);
                broken.extend(self.quota_holds(world, before, now));
                broken.extend(node_has_room(world, before, now));
                broken.extend(binding_stays(before, now));
                if self.is_strict && !is_namespace_going(world, object.namespace()) {
                    broken.extend(self.enough_serve(world, object));
                    broken.extend(order_is_kept(world, before, now));
                }
            }
            "batch/jobs" => broken.extend(self.each_is_counted_once(before, now)),
            "core/resourcequotas" => self.note_uncounted(world, before, now),
            "apps/deployments" => self.follow(world, before, now),
            "apps/replicasets" if self.is_strict => broken.extend(self.not_too_many(world, before, now)),
            _ => {}
        }
        broken
    }

    fn count_ends(&mut self, before: Option<&Object>, now: Option<&Object>) {
        let Some(pod) = now.or(before) else { return };
        let Some(job) = pod.controller_uid().filter(|_| pod.value["metadata"]["ownerReferences"][0]["kind"] == "Job")
        else {
            return;
        };
        let tally = self.jobs.entry(job.to_owned()).or_default();
        let phase = pod.text("/status/phase");
        if phase == "Succeeded" {
            tally.succeeded.insert(pod.uid().to_owned());
        } else if phase == "Failed" || pod.is_going() || now.is_none() {
            tally.failed.insert(pod.uid().to_owned());
        }
    }

    /// A Job never says that more pods have ended than did, and never takes back what it said.
    fn each_is_counted_once(&self, before: Option<&Object>, now: Option<&Object>) -> Vec<String> {
        let Some(now) = now else { return Vec::new() };
        let nothing = Tally::default();
        let tally = self.jobs.get(now.uid()).unwrap_or(&nothing);
        let mut broken = Vec::new();
        for (end, ended) in [("succeeded", &tally.succeeded), ("failed", &tally.failed)] {
            let counted = now.count(&format!("/status/{end}"));
            let uncounted = now.list(&format!("/status/uncountedTerminatedPods/{end}")).count();
            if counted as usize + uncounted > ended.len() {
                broken.push(format!("{} counts {counted} and {uncounted} {end} of {}", now.title(), ended.len()));
            }
            let counted_before = before.map_or(0, |before| before.count(&format!("/status/{end}")));
            // The Job controller forgets what failed where an index starts over; it never forgets a success.
            if end == "succeeded" && counted < counted_before && !now.is("/spec/suspend") {
                broken.push(format!("{} counted {counted_before} {end}, now {counted}", now.title()));
            }
        }
        broken
    }

    /// Admission makes a quota's use grow by what it lets in; all else is a count by somebody who may be late.
    fn note_uncounted(&mut self, world: &World, before: Option<&Object>, now: Option<&Object>) {
        let Some((now, used)) = now.and_then(|now| Some((now, used_pods(now)?))) else { return };
        if before.and_then(used_pods).is_none_or(|before| used <= before) {
            let uncounted = live_pods(world, now.namespace()).saturating_sub(used);
            self.uncounted.insert(now.uid().to_owned(), uncounted);
        }
    }

    /// A pod is created only where its namespace's quota has room, as far as the quota has heard.
    fn quota_holds(&self, world: &World, before: Option<&Object>, now: Option<&Object>) -> Option<String> {
        let created = now.filter(|_| before.is_none())?;
        let mut quotas = all(world, "core/resourcequotas").filter(|quota| quota.namespace() == created.namespace());
        let quota = quotas.find(|quota| !quota.text("/spec/hard/pods").is_empty())?;
        let hard: usize = quota.text("/spec/hard/pods").parse().ok()?;
        let used = live_pods(world, created.namespace());
        let uncounted = self.uncounted.get(quota.uid()).copied().unwrap_or(0);
        // A quota that came later, or was made smaller, takes nothing away.
        let was_known = quota.text("/status/hard/pods") == quota.text("/spec/hard/pods");
        (was_known && used > hard + uncounted).then(|| format!("{} is over its {hard} pods: {used}", quota.title()))
    }

    /// From when it is complete until somebody changes its size, a Deployment keeps within its strategy.
    fn follow(&mut self, world: &World, before: Option<&Object>, now: Option<&Object>) {
        let Some(now) = now.filter(|now| !now.is_going()) else {
            if let Some(gone) = before {
                self.rollouts.remove(gone.uid());
            }
            return;
        };
        let bounds = Bounds::of(now);
        let rollout = self.rollouts.entry(now.uid().to_owned()).or_default();
        rollout.ceiling = rollout.ceiling.max(bounds.most);
        if before.is_some_and(|before| before.replicas() != now.replicas()) {
            rollout.floor = 0;
        }
        let wanted = now.replicas();
        let counts =
            ["replicas", "updatedReplicas", "availableReplicas"].map(|count| now.count(&format!("/status/{count}")));
        if now.is_observed() && counts == [wanted; 3] {
            let serving = pods_of(world, now).filter(|pod| pod.is_serving()).count() as i64;
            if serving >= bounds.fewest {
                *rollout = Rollout { floor: bounds.fewest, ceiling: bounds.most };
            }
        }
    }

    fn enough_serve(&self, world: &World, pod: &Object) -> Option<String> {
        let deployment = deployment_of(world, pod)?;
        let rollout = self.rollouts.get(deployment.uid())?;
        let serving = pods_of(world, deployment).filter(|pod| pod.is_serving()).count() as i64;
        (serving < rollout.floor)
            .then(|| format!("{} has {serving} that serve of {}", deployment.title(), rollout.floor))
    }

    /// No ReplicaSet grows beyond what the surge allows all of them together.
    fn not_too_many(&self, world: &World, before: Option<&Object>, now: Option<&Object>) -> Option<String> {
        let now = now?;
        let grows = now.replicas() > before.map_or(0, Object::replicas);
        let deployment = all(world, "apps/deployments").find(|owner| now.controller_uid() == Some(owner.uid()))?;
        let rollout = self.rollouts.get(deployment.uid())?;
        let total: i64 = controlled(world, "apps/replicasets", deployment).map(Object::replicas).sum();
        (grows && total > rollout.ceiling)
            .then(|| format!("{} wants {total} pods where {} are allowed", deployment.title(), rollout.ceiling))
    }
}

/// What a Deployment's strategy allows.
struct Bounds {
    fewest: i64,
    most: i64,
}

impl Bounds {
    fn of(deployment: &Object) -> Bounds {
        let wanted = deployment.replicas();
        if deployment.text("/spec/strategy/type") == "Recreate" {
            return Bounds { fewest: 0, most: wanted };
        }
        let rolling = &deployment.value["spec"]["strategy"]["rollingUpdate"];
        let amount = |name: &str, is_rounded_up| share(rolling.get(name), wanted, is_rounded_up);
        let surge = amount("maxSurge", true);
        let unavailable = amount("maxUnavailable", false);
        // Something has to move.
        let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
        Bounds { fewest: (wanted - unavailable).max(0), most: wanted + surge }
    }
}

/// Whoever deletes a namespace takes its pods away first, in no order.
fn is_namespace_going(world: &World, namespace: &str) -> bool {
    all(world, "core/namespaces").find(|one| one.name() == namespace).is_none_or(Object::is_going)
}

fn deployment_of<'a>(world: &'a World, pod: &Object) -> Option<&'a Object> {
    let set = all(world, "apps/replicasets").find(|set| pod.controller_uid() == Some(set.uid()))?;
    all(world, "apps/deployments").find(|owner| set.controller_uid() == Some(owner.uid()))
}

fn pods_of<'a>(world: &'a World, deployment: &'a Object) -> impl Iterator<Item = &'a Object> {
    controlled(world, "apps/replicasets", deployment).flat_map(|set| controlled(world, "core/pods", set))
}

/// Pods that are to go are counted for a while only: a dead node must not use up a quota for ever.
fn live_pods(world: &World, namespace: &str) -> usize {
    let pods = all(world, "core/pods").filter(|pod| pod.namespace() == namespace);
    pods.filter(|pod| !pod.is_finished() && !pod.is_going()).count()
}

fn used_pods(quota: &Object) -> Option<usize> {
    quota.text("/status/used/pods").parse().ok()
}

/// Pods are bound only where their requests fit.
fn node_has_room(world: &World, before: Option<&Object>, now: Option<&Object>) -> Option<String> {
    let bound = now.filter(|now| !now.text("/spec/nodeName").is_empty())?;
    if before.is_some_and(|before| !before.text("/spec/nodeName").is_empty()) {
        return None;
    }
    let node = all(world, "core/nodes").find(|node| node.name() == bound.text("/spec/nodeName"))?;
    let room: i64 = node.text("/status/allocatable/cpu").parse().ok().map(|cores: i64| cores * 1000)?;
    let pods = all(world, "core/pods").filter(|pod| pod.text("/spec/nodeName") == node.name() && !pod.is_finished());
    let used: i64 = pods.map(requested_millicores).sum();
    (used > room).then(|| format!("{} is overfull: {used}m of {room}m", node.title()))
}

fn requested_millicores(pod: &Object) -> i64 {
    let requests =
        pod.list("/spec/containers").filter_map(|container| container["resources"]["requests"]["cpu"].as_str());
    requests.filter_map(|cpu| cpu.strip_suffix('m')?.parse::<i64>().ok()).sum()
}

fn binding_stays(before: Option<&Object>, now: Option<&Object>) -> Option<String> {
    let (before, now) = (before?, now?);
    let node = before.text("/spec/nodeName");
    (!node.is_empty() && node != now.text("/spec/nodeName")).then(|| format!("{} has left its node", now.title()))
}

/// An ordered StatefulSet starts a pod only when all before it serve, and takes away the last first.
fn order_is_kept(world: &World, before: Option<&Object>, now: Option<&Object>) -> Option<String> {
    let pod = now.or(before)?;
    let set = all(world, "apps/statefulsets").find(|set| pod.controller_uid() == Some(set.uid()))?;
    if set.text("/spec/podManagementPolicy") == "Parallel" || set.is_going() {
        return None;
    }
    let ordinal = ordinal(pod)?;
    let others: Vec<(i64, &Object)> = controlled(world, "core/pods", set)
        .filter(|other| other.uid() != pod.uid())
        .filter_map(|other| Some((self::ordinal(other)?, other)))
        .collect();
    if before.is_none() {
        let serving = others.iter().filter(|(number, other)| *number < ordinal && other.is_serving()).count() as i64;
        return (serving < ordinal)
            .then(|| format!("{} starts before {} others serve", pod.title(), ordinal - serving));
    }
    let begins_to_go = now.is_some_and(Object::is_going) && !before.is_some_and(Object::is_going);
    if !begins_to_go {
        return None;
    }
    if let Some((last, _)) = others.iter().find(|(number, _)| *number > ordinal && *number >= set.replicas()) {
        return Some(format!("{} goes before {last}", pod.title()));
    }
    let mut unready = others.iter().filter(|(number, other)| *number < set.replicas() && !other.is_serving());
    // A smaller set need not be whole to get smaller still.
    let is_update = ordinal < set.replicas();
    unready
        .next()
        .filter(|_| is_update)
        .map(|(number, _)| format!("{} goes while {number} does not serve", pod.title()))
}

pub(super) fn ordinal(pod: &Object) -> Option<i64> {
    pod.name().rsplit_once('-')?.1.parse().ok()
}

/// Whether a Job's pod still waits to be counted.
pub(super) fn is_uncounted(pod: &Object) -> bool {
    pod.has_finalizer(TRACKED)
}

/// A map of labels, as the judge of services needs it.
pub(super) fn is_empty(selector: Option<&Value>) -> bool {
    selector.and_then(Value::as_object).is_none_or(serde_json::Map::is_empty)
}
