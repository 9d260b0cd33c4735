//! Claims: the volumes that a pod names through a PersistentVolumeClaim, its own or one made for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Volume};
use client::{Api, CallError, Client};

use crate::pod::spec;

/// A claim and the volume that is bound to it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct BoundClaim {
    pub(crate) claim: String,
    pub(crate) volume: PersistentVolume,
    pub(crate) read_only: bool,
}

/// Claims by the pod's own names of its volumes.
pub(crate) type BoundClaims = BTreeMap<String, BoundClaim>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("error processing PVC {namespace}/{name}: failed to fetch PVC from API server: {cause}")]
    Fetch { namespace: String, name: String, cause: CallError },
    #[error("error processing PVC {namespace}/{name}: {why}")]
    Unusable { namespace: String, name: String, why: String },
    #[error("PVC {namespace}/{name} was not created for pod {namespace}/{pod} (pod is not owner)")]
    NotOwned { namespace: String, name: String, pod: String },
}

/// Why a pod's claims cannot be used yet, in the words of upstream's volume manager.
#[derive(Debug)]
pub(crate) struct Unprocessed {
    failed: Vec<(String, ClaimError)>,
}

impl std::error::Error for Unprocessed {}

impl std::fmt::Display for Unprocessed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.failed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
        let causes = self.failed.iter().map(|(_, error)| error.to_string()).collect::<Vec<_>>().join("; ");
        write!(
            formatter,
            "Unable to attach or mount volumes: unmounted volumes=[{names}], unattached volumes=[], \
             failed to process volumes=[{names}]: {causes}"
        )
    }
}

/// Fetches what the pod claims. A node may only get the claims of its pods, not watch them; the
/// scheduler binds a pod after its claims, so that one look is enough as a rule.
pub(crate) async fn fetch(client: &Client, pod: &Pod) -> Result<BoundClaims, Unprocessed> {
    let mut bound = BoundClaims::new();
    let mut failed = Vec::new();
    for volume in spec::spec(pod).volumes.iter().flatten() {
        let Some(wanted) = wanted(pod, volume) else { continue };
        match fetch_one(client, pod, &wanted).await {
            Ok(claim) => drop(bound.insert(volume.name.clone(), claim)),
            Err(error) => failed.push((volume.name.clone(), error)),
        }
    }
    if failed.is_empty() { Ok(bound) } else { Err(Unprocessed { failed }) }
}

/// What a volume of the pod claims.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    claim: String,
    read_only: bool,
    /// A claim made for this pod: another's of the same name is not taken.
    is_ephemeral: bool,
}

fn wanted(pod: &Pod, volume: &Volume) -> Option<Wanted> {
    if let Some(source) = &volume.persistent_volume_claim {
        let read_only = source.read_only == Some(true);
        return Some(Wanted { claim: source.claim_name.clone(), read_only, is_ephemeral: false });
    }
    volume.ephemeral.as_ref()?;
    let claim = format!("{}-{}", spec::name(pod), volume.name);
    Some(Wanted { claim, read_only: false, is_ephemeral: true })
}

async fn fetch_one(client: &Client, pod: &Pod, wanted: &Wanted) -> Result<BoundClaim, ClaimError> {
    let (namespace, name) = (spec::namespace(pod).to_owned(), wanted.claim.clone());
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &namespace);
    let claim = match claims.get(&name).await {
        Ok(claim) => claim,
        Err(error) => return Err(ClaimError::Fetch { namespace, name, cause: error.into() }),
    };
    let volume_name = usable(pod, &claim, wanted)?;
    let volumes: Api<PersistentVolume> = Api::all(client.clone());
    let volume = volumes.get(&volume_name).await.map_err(|error| {
        let why = format!("failed to fetch PV {volume_name} from API server: {}", CallError::from(error));
        ClaimError::Unusable { namespace: namespace.clone(), name: name.clone(), why }
    })?;
    match misbinding(&claim, &volume) {
        Some(why) => Err(ClaimError::Unusable { namespace, name, why }),
        None => Ok(BoundClaim { claim: name, volume, read_only: wanted.read_only }),
    }
}

/// The name of the claim's volume, if the pod may use it now.
fn usable(pod: &Pod, claim: &PersistentVolumeClaim, wanted: &Wanted) -> Result<String, ClaimError> {
    let (namespace, name) = (spec::namespace(pod).to_owned(), wanted.claim.clone());
    let owners = claim.metadata.owner_references.iter().flatten();
    let mut controllers = owners.filter(|owner| owner.controller == Some(true));
    if wanted.is_ephemeral && !controllers.any(|owner| owner.uid == spec::uid(pod)) {
        return Err(ClaimError::NotOwned { namespace, name, pod: spec::name(pod).to_owned() });
    }
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.clone()).unwrap_or_default();
    let why = if claim.metadata.deletion_timestamp.is_some() {
        "PVC is being deleted"
    } else if phase != Some("Bound") {
        "PVC is not bound"
    } else if volume.is_empty() {
        "PVC has empty pvc.Spec.VolumeName"
    } else {
        return Ok(volume);
    };
    Err(ClaimError::Unusable { namespace, name, why: why.to_owned() })
}

/// Why the volume is not the claim's after all.
fn misbinding(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Option<String> {
    let name = volume.metadata.name.as_deref().unwrap_or("");
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else {
        return Some(format!(
            "found PV object {name:?} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim"
        ));
    };
    let (theirs, ours) = (reference.uid.as_deref().unwrap_or(""), claim.metadata.uid.as_deref().unwrap_or(""));
    (theirs != ours).then(|| {
        format!("found PV object {name:?} but its pv.Spec.ClaimRef.UID {theirs:?} does not point to claim.UID {ours:?}")
    })
}

/// A claim's volume where the pod finds it on this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountedClaim {
    /// The pod's name for it.
    pub(crate) volume: String,
    pub(crate) namespace: String,
    pub(crate) claim: String,
    pub(crate) path: PathBuf,
}

/// The claims that this node's pods have mounted now, by pod.
#[derive(Debug, Default)]
pub(crate) struct MountedClaims {
    by_uid: Mutex<BTreeMap<String, Vec<MountedClaim>>>,
}

impl MountedClaims {
    pub(crate) fn set(&self, pod_uid: &str, mounted: Vec<MountedClaim>) {
        let mut by_uid = self.by_uid.lock().unwrap_or_else(PoisonError::into_inner);
        if mounted.is_empty() {
            by_uid.remove(pod_uid);
        } else {
            by_uid.insert(pod_uid.to_owned(), mounted);
        }
    }

    pub(crate) fn of(&self, pod_uid: &str) -> Vec<MountedClaim> {
        self.by_uid.lock().unwrap_or_else(PoisonError::into_inner).get(pod_uid).cloned().unwrap_or_else(Vec::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    fn claim(extra: &str) -> PersistentVolumeClaim {
        serde_json::from_str(&format!(
            r#"{{"metadata":{{"name":"p-v","namespace":"ns","uid":"c1"{extra}}},
                "spec":{{"volumeName":"pv"}},"status":{{"phase":"Bound"}}}}"#
        ))
        .unwrap()
    }

    fn pod() -> Pod {
        pod_from(
            r#"{"metadata":{"name":"p","namespace":"ns","uid":"u"},"spec":{"containers":[],"volumes":[
                {"name":"v","ephemeral":{"volumeClaimTemplate":{"spec":{}}}},
                {"name":"w","persistentVolumeClaim":{"claimName":"shared","readOnly":true}},{"name":"x","emptyDir":{}}]}}"#,
        )
    }

    #[test]
    fn claims_are_named_or_derived_from_the_pod() {
        let pod = pod();
        let all: Vec<Option<Wanted>> =
            spec::spec(&pod).volumes.iter().flatten().map(|volume| wanted(&pod, volume)).collect();
        let own = Wanted { claim: "p-v".to_owned(), read_only: false, is_ephemeral: true };
        let named = Wanted { claim: "shared".to_owned(), read_only: true, is_ephemeral: false };
        assert_eq!(all, [Some(own), Some(named), None]);
    }

    #[test]
    fn what_is_not_ready_says_so_as_upstream_does() {
        let pod = pod();
        let text = |claim: &PersistentVolumeClaim, is_ephemeral| {
            let wanted = Wanted { claim: "p-v".to_owned(), read_only: false, is_ephemeral };
            usable(&pod, claim, &wanted).map_err(|error| error.to_string())
        };
        assert_eq!(text(&claim(""), false), Ok("pv".to_owned()));
        let foreign = "PVC ns/p-v was not created for pod ns/p (pod is not owner)";
        assert_eq!(text(&claim(""), true), Err(foreign.to_owned()));
        let owner = r#","ownerReferences":[{"apiVersion":"v1","kind":"Pod","name":"p","uid":"u","controller":true}]"#;
        assert_eq!(text(&claim(owner), true), Ok("pv".to_owned()));
        let deleted = claim(r#","deletionTimestamp":"2030-01-01T00:00:00Z""#);
        assert_eq!(text(&deleted, false), Err("error processing PVC ns/p-v: PVC is being deleted".to_owned()));
        let pending = PersistentVolumeClaim { status: None, ..claim("") };
        assert_eq!(text(&pending, false), Err("error processing PVC ns/p-v: PVC is not bound".to_owned()));
        let wanted = Wanted { claim: "p-v".to_owned(), read_only: false, is_ephemeral: false };
        let failed = vec![("v".to_owned(), usable(&pod, &pending, &wanted).unwrap_err())];
        assert_eq!(
            Unprocessed { failed }.to_string(),
            "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], \
             failed to process volumes=[v]: error processing PVC ns/p-v: PVC is not bound"
        );
    }

    #[test]
    fn a_volume_must_point_back() {
        let volume = |reference: &str| {
            serde_json::from_str(&format!(r#"{{"metadata":{{"name":"pv"}},"spec":{{{reference}}}}}"#)).unwrap()
        };
        assert_eq!(misbinding(&claim(""), &volume(r#""claimRef":{"uid":"c1"}"#)), None);
        assert!(misbinding(&claim(""), &volume("")).unwrap().contains("nil pv.Spec.ClaimRef"));
        assert!(misbinding(&claim(""), &volume(r#""claimRef":{"uid":"c2"}"#)).unwrap().contains("does not point to"));
    }
}
