//! Which of a pod's volumes have to be attached to its node first.

use std::sync::Arc;

use api::NamespacedName;
use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use api::k8s::api::storage::v1::CSIDriver;
use api::volumes;
use reconcile::{Informer, controller_of};
use ring::digest::{SHA256, digest};

use crate::persistentvolume::claims_of;
use crate::pods;

/// A volume that pods on a node use.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// As the node's status names it: the plugin and what it calls the volume.
    pub(super) unique_name: String,
    /// The volume's own name, which events tell.
    pub(super) name: String,
    pub(super) driver: Option<String>,
    /// The order to the driver; `None` where none has to be given, because the kubelet does it all.
    pub(super) attachment_name: Option<String>,
    pub(super) is_exclusive: bool,
    pub(super) claim: Option<NamespacedName>,
    pub(super) pods: Vec<Arc<Pod>>,
}

/// The pod's containers run, or are about to.
pub(super) fn is_in_use(pod: &Pod) -> bool {
    let statuses = pod.status.iter().flat_map(|status| status.container_statuses.iter().flatten());
    let mut statuses = statuses.into_iter();
    let has_ended = pods::is_terminating(pod)
        && statuses.all(|status| {
            status.state.as_ref().is_none_or(|state| state.terminated.is_some() || state.running.is_none())
        });
    !pods::is_finished(pod) && !has_ended
}

/// Volumes that the pod names without a claim.
pub(super) fn of_pod(pod: &Pod) -> impl Iterator<Item = &Volume> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter(|volume| volume.iscsi.is_some())
}

pub(super) fn wanted(
    pod: &Pod,
    node: &str,
    claims: &Informer<PersistentVolumeClaim>,
    persistent: &Informer<PersistentVolume>,
    drivers: &Informer<CSIDriver>,
) -> Vec<Wanted> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
    let needs_order = |driver: &str| {
        let known = drivers.get(&NamespacedName::new("", driver));
        known.and_then(|driver| driver.spec.attach_required).unwrap_or(true)
    };
    let claimed = claims_of(pod).filter_map(|name| {
        let key = NamespacedName::new(namespace, name);
        let claim = claims.get(&key)?;
        let owner = controller_of(&claim.metadata);
        // Another's ephemeral claim that happens to bear the name.
        if owner.is_some_and(|owner| owner.kind == "Pod" && Some(&owner.uid) != pod.metadata.uid.as_ref()) {
            return None;
        }
        let volume = persistent.get(&NamespacedName::new("", volumes::volume_name(&claim)))?;
        let is_bound = volumes::is_fully_bound(&claim) && volumes::is_bound_to(&volume, &claim);
        of_persistent(&volume, node, &needs_order)
            .filter(|_| is_bound)
            .map(|wanted| Wanted { claim: Some(key), ..wanted })
    });
    let inline = of_pod(pod).filter_map(|volume| {
        let iscsi = volume.iscsi.as_ref()?;
        Some(kubelets_own(iscsi_name(&iscsi.target_portal, &iscsi.iqn, iscsi.lun), volume.name.clone()))
    });
    claimed.chain(inline).collect()
}

fn of_persistent(volume: &PersistentVolume, node: &str, needs_order: &dyn Fn(&str) -> bool) -> Option<Wanted> {
    let (spec, name) = (volume.spec.as_ref()?, volume.metadata.name.clone().unwrap_or_default());
    if let Some(iscsi) = &spec.iscsi {
        return Some(kubelets_own(iscsi_name(&iscsi.target_portal, &iscsi.iqn, iscsi.lun), name));
    }
    let csi = spec.csi.as_ref().filter(|csi| needs_order(&csi.driver))?;
    let modes = spec.access_modes.as_deref().unwrap_or_default();
    let is_shared = |mode: &String| mode == "ReadWriteMany" || mode == "ReadOnlyMany";
    Some(Wanted {
        unique_name: format!("kubernetes.io/csi/{}^{}", csi.driver, csi.volume_handle),
        name,
        driver: Some(csi.driver.clone()),
        attachment_name: Some(attachment_name(&csi.volume_handle, &csi.driver, node)),
        is_exclusive: !modes.is_empty() && !modes.iter().any(is_shared),
        claim: None,
        pods: Vec::new(),
    })
}

/// A network disk, to which the kubelet connects by itself.
fn kubelets_own(unique_name: String, name: String) -> Wanted {
    Wanted {
        unique_name,
        name,
        driver: None,
        attachment_name: None,
        is_exclusive: false,
        claim: None,
        pods: Vec::new(),
    }
}

fn iscsi_name(portal: &str, target: &str, unit: i32) -> String {
    format!("kubernetes.io/iscsi/{portal}:{target}:{unit}")
}

/// The one name for this order, so that it is never given twice.
pub(super) fn attachment_name(handle: &str, driver: &str, node: &str) -> String {
    let sum = digest(&SHA256, format!("{handle}{driver}{node}").as_bytes());
    let digits = sum.as_ref().iter().map(|byte| format!("{byte:02x}"));
    "csi-".to_owned() + &digits.collect::<String>()
}
