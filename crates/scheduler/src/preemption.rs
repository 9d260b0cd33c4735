//! Makes room for an important pod: which less important ones go, and from which node.
//!
//! Pure: what is decided here is carried out in [`crate::eviction`].

use std::cmp::Reverse;
use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use api::k8s::jiff::Timestamp;
use stdx::Random;

use crate::cache::{NodeInfo, Snapshot};
use crate::diagnosis::Diagnosis;
use crate::framework::{Rejection, fits};
use crate::pod::PodInfo;

/// What the pods that were preempted bear in their condition.
pub(crate) const REASON: &str = "PreemptionByScheduler";

const PLUGIN: &str = "DefaultPreemption";
/// Of so many nodes, or of a tenth of all, the best is chosen.
const CANDIDATES: usize = 100;

#[derive(Debug)]
pub(crate) enum Preemption {
    /// The victims' room on the node is the pod's.
    Nominated(Candidate),
    /// Nothing would help; what was promised to the pod before is void.
    Helpless { message: String },
    /// The pod may not push others out, or has and waits for them to be gone.
    Ineligible { message: &'static str },
}

/// A node on which the pod fits once the victims are gone.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) node: String,
    /// The most important first.
    pub(crate) victims: Vec<Arc<PodInfo>>,
    /// How many of them a disruption budget would keep.
    violations: usize,
}

impl Preemption {
    /// How many are pushed out, where it makes room.
    pub(crate) fn victims(&self) -> Option<usize> {
        match self {
            Preemption::Nominated(candidate) => Some(candidate.victims.len()),
            Preemption::Helpless { .. } | Preemption::Ineligible { .. } => None,
        }
    }

    pub(crate) fn message(&self) -> String {
        match self {
            Preemption::Nominated(Candidate { node, victims, .. }) => {
                let count = victims.len();
                format!("found a potential placement for pod on node {node}, preempting {count} victims")
            }
            Preemption::Helpless { message } => message.clone(),
            Preemption::Ineligible { message } => (*message).to_owned(),
        }
    }
}

/// What to do for a pod that fits nowhere, for the reasons in the diagnosis.
pub(crate) fn preempt(pod: &PodInfo, snapshot: &Snapshot, diagnosis: &Diagnosis, random: &Random) -> Preemption {
    if let Some(message) = ineligible(pod, snapshot, diagnosis) {
        return Preemption::Ineligible { message };
    }
    let mut refusals = Diagnosis::new(snapshot.nodes.len());
    let (promising, hopeless): (Vec<_>, Vec<_>) =
        snapshot.nodes.iter().partition(|node| diagnosis.is_resolvable(&node.name));
    let mut candidates = Vec::new();
    let enough = CANDIDATES.max(snapshot.nodes.len() / 10);
    // Not always the same nodes, where there are more than are looked at.
    let offset = match promising.len() > enough {
        true => usize::try_from(random.below(promising.len() as u64)).unwrap_or(0),
        false => 0,
    };
    for node in promising.iter().cycle().skip(offset).take(promising.len()) {
        match clear(pod, snapshot, node) {
            Ok(candidate) => candidates.push(candidate),
            Err(rejection) => refusals.add(&node.name, PLUGIN, rejection),
        }
        if candidates.len() >= enough {
            break;
        }
    }
    match least_harm(candidates) {
        Some(candidate) => Preemption::Nominated(candidate),
        None => {
            for node in hopeless {
                let reason = Rejection::unresolvable("Preemption is not helpful for scheduling");
                refusals.add(&node.name, PLUGIN, reason);
            }
            Preemption::Helpless { message: refusals.message() }
        }
    }
}

fn ineligible(pod: &PodInfo, snapshot: &Snapshot, diagnosis: &Diagnosis) -> Option<&'static str> {
    if pod.spec().and_then(|spec| spec.preemption_policy.as_deref()) == Some("Never") {
        return Some("not eligible due to preemptionPolicy=Never.");
    }
    let name = snapshot.nominations.node_of(pod)?;
    let node = snapshot.nodes.iter().find(|node| node.name == name)?;
    let is_still_hoped_for = diagnosis.is_resolvable(name);
    let makes_room = |other: &Arc<PodInfo>| other.priority() < pod.priority() && is_being_preempted(&other.pod);
    (is_still_hoped_for && node.pods.values().any(makes_room))
        .then_some("not eligible due to a terminating pod on the nominated node.")
}

fn is_being_preempted(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let target = conditions.iter().find(|condition| condition.type_ == "DisruptionTarget");
    pod.metadata.deletion_timestamp.is_some()
        && target.is_some_and(|target| target.status == "True" && target.reason.as_deref() == Some(REASON))
}

/// The fewest and least important pods that must leave the node, budgets minded as far as can be.
fn clear(pod: &PodInfo, snapshot: &Snapshot, node: &NodeInfo) -> Result<Candidate, Rejection> {
    let mut lesser: Vec<Arc<PodInfo>> =
        node.pods.values().filter(|other| other.priority() < pod.priority()).cloned().collect();
    if lesser.is_empty() {
        return Err(Rejection::unresolvable("No preemption victims found for incoming pod"));
    }
    let mut cleared = node.clone();
    for other in &lesser {
        cleared.remove(&other.key());
    }
    fits(pod, &snapshot.with_node(&cleared), &cleared)?;
    lesser.sort_by_key(importance);
    let (protected, others) = snapshot.budgets.partition(&lesser);
    let (mut victims, mut violations) = (Vec::new(), 0);
    for (others, is_protected) in [(protected, true), (others, false)] {
        for other in others {
            let mut spared = cleared.clone();
            spared.add(&other);
            if fits(pod, &snapshot.with_node(&spared), &spared).is_ok() {
                cleared = spared;
            } else {
                victims.push(other);
                violations += usize::from(is_protected);
            }
        }
    }
    if victims.is_empty() {
        let reason = format!("expected at least one victim pod on node {:?}", node.name);
        return Err(Rejection::unresolvable(&reason));
    }
    victims.sort_by_key(importance);
    Ok(Candidate { node: node.name.clone(), victims, violations })
}

/// The most important sorts first: by priority, then by how long it has run.
fn importance(pod: &Arc<PodInfo>) -> (Reverse<i32>, Timestamp) {
    (Reverse(pod.priority()), started(pod))
}

/// A pod that has not started is as if it did now.
fn started(pod: &PodInfo) -> Timestamp {
    let status = pod.pod.status.as_ref();
    status.and_then(|status| status.start_time.as_ref()).map_or(Timestamp::MAX, |time| time.0)
}

/// The candidate that costs least: budgets first, then the most important victim, then all victims'
/// importance, their number, and last how long the most important have run.
fn least_harm(candidates: Vec<Candidate>) -> Option<Candidate> {
    candidates.into_iter().min_by_key(|candidate| {
        let highest = candidate.victims.first().map_or(i32::MIN, |victim| victim.priority());
        // Lifted above zero, so that few victims of negative priority do not look worse than many.
        let sum: i64 =
            candidate.victims.iter().map(|victim| i64::from(victim.priority()) + i64::from(i32::MAX) + 1).sum();
        let most_important = candidate.victims.iter().filter(|victim| victim.priority() == highest);
        let longest = most_important.map(|victim| started(victim)).min();
        (candidate.violations, highest, sum, candidate.victims.len(), Reverse(longest))
    })
}

#[cfg(test)]
mod tests;
