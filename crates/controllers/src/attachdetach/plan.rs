//! What to attach, what to detach, and what to tell whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use api::k8s::api::core::v1::{AttachedVolume, Node, Pod};
use api::k8s::api::storage::v1::{VolumeAttachment, VolumeAttachmentSource, VolumeAttachmentSpec};
use client::kube::api::ObjectMeta;
use reconcile::EventType;
use tokio::time::Instant;

use super::volume::Wanted;

/// How long a kubelet that is not well may keep a volume mounted that no pod uses any more.
pub(super) const UNMOUNT_PATIENCE: Duration = Duration::from_secs(6 * 60);
/// On nodes that are shut down for certain: their volumes may be given to others at once.
const OUT_OF_SERVICE: &str = "node.kubernetes.io/out-of-service";

/// The pods on some nodes that use a volume.
pub(super) type UsersOn<'a> = dyn Fn(&Wanted, &[String]) -> Vec<Arc<Pod>> + 'a;

/// One node, and who else matters to it.
pub(super) struct Observed<'a> {
    /// `None`: it is gone.
    pub(super) node: Option<&'a Node>,
    pub(super) wanted: &'a [Wanted],
    pub(super) present: &'a [Arc<VolumeAttachment>],
    /// By the attachment's name.
    pub(super) unwanted_since: &'a BTreeMap<String, Instant>,
    /// Other nodes that have the volume, or are getting it.
    pub(super) elsewhere: &'a dyn Fn(&str) -> Vec<String>,
    /// The volume's pods on some nodes.
    pub(super) users: &'a UsersOn<'a>,
    pub(super) now: Instant,
}

#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What the node's status is to say, where it says something else.
    pub(super) report: Option<Vec<AttachedVolume>>,
    pub(super) attach: Vec<VolumeAttachment>,
    /// Attachments by name.
    pub(super) detach: Vec<String>,
    pub(super) notices: Vec<Notice>,
    pub(super) recheck_after: Option<Duration>,
}

/// An event about pods.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) pods: Vec<Arc<Pod>>,
    pub(super) r#type: EventType,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

pub(super) fn plan(observed: &Observed<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut attached = Vec::new();
    for volume in observed.wanted {
        let Some(name) = &volume.attachment_name else {
            attached.push(volume.unique_name.clone());
            continue;
        };
        match observed.present.iter().find(|present| present.metadata.name.as_ref() == Some(name)) {
            // The driver is still busy with the last time; its end will bring us back.
            Some(present) if present.metadata.deletion_timestamp.is_some() => {}
            Some(present) if is_attached(present) => attached.push(volume.unique_name.clone()),
            Some(present) => plan.notices.extend(attach_error(volume, present)),
            None => match blocked(observed, volume) {
                notices if notices.is_empty() => plan.attach.extend(order(observed, volume, name)),
                notices => plan.notices.extend(notices),
            },
        }
    }
    let wanted = |name: &str| observed.wanted.iter().any(|volume| volume.attachment_name.as_deref() == Some(name));
    let mut kept = Vec::new();
    for present in observed.present.iter().filter(|present| present.metadata.deletion_timestamp.is_none()) {
        let name = present.metadata.name.clone().unwrap_or_default();
        if wanted(&name) {
            continue;
        }
        let mounted = mounted_name(observed.node, present);
        match mounted.as_ref().filter(|_| is_attached(present)).map(|_| patience_left(observed, &name)) {
            // The kubelet still has it mounted.
            Some(Patience::Endless) => kept.extend(mounted),
            Some(Patience::For(left)) => {
                kept.extend(mounted);
                plan.recheck_after = Some(plan.recheck_after.map_or(left, |earlier| earlier.min(left)));
            }
            Some(Patience::Over) | None => plan.detach.push(name),
        }
    }
    let fresh: Vec<&Wanted> = observed
        .wanted
        .iter()
        .filter(|volume| attached.contains(&volume.unique_name) && !is_reported(observed.node, &volume.unique_name))
        .collect();
    plan.notices.extend(fresh.into_iter().filter(|volume| volume.driver.is_some()).map(|volume| Notice {
        pods: volume.pods.clone(),
        r#type: EventType::Normal,
        reason: "SuccessfulAttachVolume",
        message: told("AttachVolume.Attach succeeded", volume, ""),
    }));
    attached.extend(kept);
    attached.sort();
    plan.report = observed.node.and_then(|node| report(node, attached));
    plan
}

fn is_attached(attachment: &VolumeAttachment) -> bool {
    attachment.status.as_ref().is_some_and(|status| status.attached)
}

fn order(observed: &Observed<'_>, volume: &Wanted, name: &str) -> Option<VolumeAttachment> {
    let node_name = observed.node?.metadata.name.clone()?;
    Some(VolumeAttachment {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        spec: VolumeAttachmentSpec {
            attacher: volume.driver.clone()?,
            node_name,
            source: VolumeAttachmentSource {
                persistent_volume_name: Some(volume.name.clone()),
                ..VolumeAttachmentSource::default()
            },
        },
        status: None,
    })
}

fn attach_error(volume: &Wanted, attachment: &VolumeAttachment) -> Option<Notice> {
    let error = attachment.status.as_ref()?.attach_error.as_ref()?;
    let why = format!(": {}", error.message.as_deref().unwrap_or_default());
    Some(Notice {
        pods: volume.pods.clone(),
        r#type: EventType::Warning,
        reason: "FailedAttachVolume",
        message: told("AttachVolume.Attach failed", volume, &why),
    })
}

/// Why the volume cannot come here: another node has it, and only one may.
fn blocked(observed: &Observed<'_>, volume: &Wanted) -> Vec<Notice> {
    let nodes = if volume.is_exclusive { (observed.elsewhere)(&volume.name) } else { Vec::new() };
    if nodes.is_empty() {
        return Vec::new();
    }
    let others = (observed.users)(volume, &nodes);
    let notice = |pod: &Arc<Pod>| {
        // A user of one namespace learns no names of another.
        let (own, foreign): (Vec<_>, Vec<_>) =
            others.iter().partition(|other| other.metadata.namespace == pod.metadata.namespace);
        let names: Vec<&str> = own.iter().filter_map(|other| other.metadata.name.as_deref()).collect();
        let why = match (names.is_empty(), foreign.len()) {
            (true, 0) => {
                "Volume is already exclusively attached to one node and can't be attached to another".to_owned()
            }
            (true, count) => format!("Volume is already used by {count} pod(s) in different namespaces"),
            (false, 0) => format!("Volume is already used by pod(s) {}", names.join(", ")),
            (false, count) => format!(
                "Volume is already used by pod(s) {} and {count} pod(s) in different namespaces",
                names.join(", ")
            ),
        };
        Notice {
            pods: vec![pod.clone()],
            r#type: EventType::Warning,
            reason: "FailedAttachVolume",
            message: told("Multi-Attach error", volume, &why),
        }
    };
    volume.pods.iter().map(notice).collect()
}

/// As upstream puts it, the space before nothing included.
fn told(what: &str, volume: &Wanted, why: &str) -> String {
    format!("{what} for volume \"{}\" {why}", volume.name)
}

enum Patience {
    Endless,
    For(Duration),
    Over,
}

/// How long to wait until a kubelet has unmounted what nobody uses: for ever, if it is well.
fn patience_left(observed: &Observed<'_>, attachment: &str) -> Patience {
    let Some(node) = observed.node else { return Patience::Over };
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    if taints.into_iter().any(|taint| taint.key == OUT_OF_SERVICE) {
        return Patience::Over;
    }
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    if conditions.into_iter().any(|condition| condition.type_ == "Ready" && condition.status == "True") {
        return Patience::Endless;
    }
    let since = observed.unwanted_since.get(attachment).copied().unwrap_or(observed.now);
    match UNMOUNT_PATIENCE.checked_sub(observed.now.duration_since(since)).filter(|left| !left.is_zero()) {
        Some(left) => Patience::For(left),
        None => Patience::Over,
    }
}

/// The name under which the node's kubelet uses the attachment's volume, if it does.
fn mounted_name(node: Option<&Node>, attachment: &VolumeAttachment) -> Option<String> {
    let status = node?.status.as_ref()?;
    // The status names the handle, the attachment the volume and, by a sum, the handle.
    let node_name = node?.metadata.name.as_deref()?;
    let prefix = format!("kubernetes.io/csi/{}^", attachment.spec.attacher);
    let is_it = |name: &&String| {
        name.strip_prefix(&prefix).is_some_and(|handle| {
            let sum = super::volume::attachment_name(handle, &attachment.spec.attacher, node_name);
            attachment.metadata.name.as_ref() == Some(&sum)
        })
    };
    status.volumes_in_use.iter().flatten().find(is_it).cloned()
}

fn is_reported(node: Option<&Node>, unique_name: &str) -> bool {
    reported(node).iter().any(|attached| attached.name == unique_name)
}

fn reported(node: Option<&Node>) -> &[AttachedVolume] {
    let status = node.and_then(|node| node.status.as_ref());
    status.and_then(|status| status.volumes_attached.as_deref()).unwrap_or_default()
}

/// `None` where the node's status says this already.
fn report(node: &Node, attached: Vec<String>) -> Option<Vec<AttachedVolume>> {
    let mut present: Vec<&str> = reported(Some(node)).iter().map(|volume| volume.name.as_str()).collect();
    present.sort_unstable();
    (present != attached)
        .then(|| attached.into_iter().map(|name| AttachedVolume { name, device_path: String::new() }).collect())
}

#[cfg(test)]
mod tests;
