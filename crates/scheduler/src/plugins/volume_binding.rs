//! Places pods where their claims' volumes are, or can be.

use api::volumes;

use crate::cache::NodeInfo;
use crate::events::ClusterEvent;
use crate::framework::{Cycle, Judge, Plugin, Rejection};
use crate::volumes::{PodClaim, claims_of};

pub(super) struct VolumeBinding;

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn is_helped_by(&self, event: ClusterEvent) -> bool {
        use ClusterEvent::{ClaimChanged, ClassChanged, NodeAdded, NodeLabelsChanged, VolumeChanged};
        matches!(event, ClaimChanged | ClassChanged | NodeAdded | NodeLabelsChanged | VolumeChanged)
    }

    fn refuse(&self, cycle: Cycle<'_>) -> Option<Rejection> {
        let claims = claims_of(cycle.pod);
        let missing = claims.iter().find_map(|claim| fault(cycle, claim));
        missing.map(|reason| Rejection::unresolvable(&reason)).or_else(|| {
            let known = claims.iter().filter_map(|claim| cycle.snapshot.volumes.claims.get(&claim.key));
            let unbound = known.filter(|claim| !volumes::is_fully_bound(claim));
            let mut immediate = unbound.filter(|claim| !cycle.snapshot.volumes.waits_for_pod(claim));
            immediate.next().map(|_| Rejection::unresolvable("pod has unbound immediate PersistentVolumeClaims"))
        })
    }

    fn prepare<'a>(&self, cycle: Cycle<'a>) -> Option<Box<dyn Judge + 'a>> {
        (!claims_of(cycle.pod).is_empty()).then(|| Box::new(Claims { cycle }) as Box<dyn Judge>)
    }
}

/// Why no node at all can serve the claim.
fn fault(cycle: Cycle<'_>, claim: &PodClaim) -> Option<String> {
    let name = &claim.key.name;
    let Some(object) = cycle.snapshot.volumes.claims.get(&claim.key) else {
        return Some(match claim.is_ephemeral {
            true => format!("waiting for ephemeral volume controller to create the persistentvolumeclaim \"{name}\""),
            false => format!("persistentvolumeclaim \"{name}\" not found"),
        });
    };
    let phase = object.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase == Some("Lost") {
        let volume = volumes::volume_name(object);
        return Some(format!("persistentvolumeclaim \"{name}\" bound to non-existent persistentvolume \"{volume}\""));
    }
    if object.metadata.deletion_timestamp.is_some() {
        return Some(format!("persistentvolumeclaim \"{name}\" is being deleted"));
    }
    let owner = reconcile::controller_of(&object.metadata).map(|owner| owner.uid.as_str());
    (claim.is_ephemeral && owner != Some(cycle.pod.uid()))
        .then(|| format!("PVC {} was not created for pod {} (pod is not owner)", claim.key, cycle.pod.key()))
}

struct Claims<'a> {
    cycle: Cycle<'a>,
}

impl Judge for Claims<'_> {
    fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        match self.cycle.snapshot.volumes.plan(self.cycle.pod, node) {
            Ok(_) => Ok(()),
            Err(reasons) => {
                let reasons = reasons.into_iter().map(str::to_owned).collect();
                Err(Rejection { reasons, is_resolvable: false })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use api::NamespacedName;
    use api::k8s::api::core::v1::{PersistentVolumeClaimVolumeSource, Volume};
    use serde_json::{Value, json};
    use stdx::Random;

    use crate::cache::{Cache, Snapshot};
    use crate::fixture::{self, PodBuilder};
    use crate::framework::{Placement, decide};

    fn uses(pod: PodBuilder, claim: &str) -> PodBuilder {
        let source = PersistentVolumeClaimVolumeSource { claim_name: claim.to_owned(), ..Default::default() };
        let volume = Volume { name: claim.to_owned(), persistent_volume_claim: Some(source), ..Volume::default() };
        pod.edit(|spec| spec.volumes.get_or_insert_default().push(volume))
    }

    fn claim(name: &str, class: &str, more: Value) -> Value {
        let mut claim = json!({
            "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": {}},
            "spec": {
                "storageClassName": class, "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "1Gi"}},
            },
        });
        for (key, value) in more.as_object().unwrap() {
            match key.as_str() {
                "volumeName" => claim["spec"][key] = value.clone(),
                "phase" => claim["status"] = json!({"phase": value}),
                "deletionTimestamp" => claim["metadata"][key] = value.clone(),
                annotation => claim["metadata"]["annotations"][annotation] = value.clone(),
            }
        }
        claim
    }

    fn bound(volume: &str) -> Value {
        json!({"volumeName": volume, "pv.kubernetes.io/bind-completed": "yes"})
    }

    fn volume(name: &str, class: &str, node: &str) -> Value {
        let here = json!({"key": "kubernetes.io/hostname", "operator": "In", "values": [node]});
        json!({
            "metadata": {"name": name},
            "spec": {
                "storageClassName": class, "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"],
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
            "status": {"phase": "Available"},
        })
    }

    fn class(name: &str, provisioner: &str, mode: &str) -> Value {
        let only_a = json!([{"matchLabelExpressions": [{"key": "kubernetes.io/hostname", "values": ["a"]}]}]);
        let topologies = if name == "left" { only_a } else { json!([]) };
        json!({
            "metadata": {"name": name}, "provisioner": provisioner, "volumeBindingMode": mode,
            "allowedTopologies": topologies,
        })
    }

    fn cluster(claims: Vec<Value>, volumes: Vec<Value>) -> Snapshot {
        let mut cache = Cache::default();
        for node in ["a", "b"] {
            cache.set_node(&fixture::node(node).build()).unwrap();
        }
        let name = |object: &Value| object["metadata"]["name"].as_str().unwrap().to_owned();
        let classes = [
            class("now", "p", "Immediate"),
            class("later", "p", "WaitForFirstConsumer"),
            class("left", "p", "WaitForFirstConsumer"),
            class("hand", "kubernetes.io/no-provisioner", "WaitForFirstConsumer"),
        ];
        let known = cache.volumes_mut();
        known.claims = claims
            .into_iter()
            .map(|claim| {
                let key = NamespacedName::new("default", name(&claim));
                (key, Arc::new(serde_json::from_value(claim).unwrap()))
            })
            .collect();
        known.volumes = volumes
            .into_iter()
            .map(|volume| (name(&volume), Arc::new(serde_json::from_value(volume).unwrap())))
            .collect();
        known.classes = classes
            .into_iter()
            .map(|class| (name(&class), Arc::new(serde_json::from_value(class).unwrap())))
            .collect::<BTreeMap<_, _>>();
        cache.snapshot()
    }

    fn place(pod: PodBuilder, snapshot: &Snapshot) -> String {
        match decide(&pod.info(), snapshot, &Random::seeded(1), |_, _| {}) {
            Ok(Placement { node, volumes }) => {
                let bound = volumes.bind.iter().map(|(claim, volume)| format!(" {}={volume}", claim.name));
                let made = volumes.provision.iter().map(|claim| format!(" {}=new", claim.name));
                node + &bound.chain(made).collect::<String>()
            }
            Err(diagnosis) => diagnosis.message().trim_end_matches('.').to_owned(),
        }
    }

    #[test]
    fn a_pod_goes_where_its_volumes_are_or_can_be() {
        let there = json!({"volume.kubernetes.io/selected-node": "b"});
        let none = "0/2 nodes are available: ";
        for (claims, volumes, expected) in [
            (vec![claim("data", "hand", bound("v"))], vec![volume("v", "hand", "b")], "b"),
            (vec![claim("data", "hand", json!({}))], vec![volume("v", "hand", "b")], "b data=v"),
            (vec![claim("data", "left", json!({}))], vec![volume("v", "hand", "b")], "a data=new"),
            (vec![claim("data", "later", there)], vec![], "b data=new"),
            (
                vec![claim("data", "hand", json!({}))],
                vec![],
                "2 node(s) didn't find available persistent volumes to bind",
            ),
            (
                vec![claim("data", "hand", bound("v"))],
                vec![volume("v", "hand", "c")],
                "2 node(s) didn't match PersistentVolume's node affinity",
            ),
            (
                vec![claim("data", "hand", bound("v"))],
                vec![],
                "2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)",
            ),
            (vec![claim("data", "now", json!({}))], vec![], "pod has unbound immediate PersistentVolumeClaims"),
            (vec![], vec![], "persistentvolumeclaim \"data\" not found"),
            (
                vec![claim("data", "hand", json!({"volumeName": "v", "phase": "Lost"}))],
                vec![],
                "persistentvolumeclaim \"data\" bound to non-existent persistentvolume \"v\"",
            ),
            (
                vec![claim("data", "now", json!({"deletionTimestamp": "2030-01-01T00:00:00Z"}))],
                vec![],
                "persistentvolumeclaim \"data\" is being deleted",
            ),
        ] {
            let told = place(uses(fixture::pod("web"), "data"), &cluster(claims, volumes));
            assert_eq!(told.strip_prefix(none).unwrap_or(&told), expected);
        }
    }

    #[test]
    fn two_claims_never_get_one_volume() {
        let claims = vec![claim("one", "hand", json!({})), claim("two", "hand", json!({}))];
        let volumes = vec![volume("v", "hand", "a"), volume("w", "hand", "b"), volume("x", "hand", "b")];
        let snapshot = cluster(claims, volumes);
        assert_eq!(place(uses(uses(fixture::pod("web"), "one"), "two"), &snapshot), "b one=w two=x");
    }

    #[test]
    fn what_is_promised_is_no_others() {
        let claims = vec![claim("one", "hand", json!({})), claim("two", "hand", json!({}))];
        let mut snapshot = cluster(claims, vec![volume("v", "hand", "a")]);
        let first = uses(fixture::pod("first"), "one").info();
        let Ok(Placement { node, volumes }) = decide(&first, &snapshot, &Random::seeded(1), |_, _| {}) else {
            panic!("no node")
        };
        Arc::make_mut(&mut snapshot.volumes).promise(&volumes, &node);
        let second = || uses(fixture::pod("second"), "two");
        assert!(place(second(), &snapshot).ends_with("2 node(s) didn't find available persistent volumes to bind"));
        Arc::make_mut(&mut snapshot.volumes).settle(&volumes);
        assert_eq!(place(second(), &snapshot), "a two=v");
    }
}
