//! Decisions about claims and volumes, in tables.

use std::sync::Arc;

use api::k8s::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use api::k8s::api::storage::v1::StorageClass;
use api::k8s::jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{bind, claim, volume};

/// Overlays `more` on `base`, field by field.
fn merged(mut base: Value, more: &Value) -> Value {
    match (&mut base, more) {
        (Value::Object(fields), Value::Object(more)) => {
            for (key, value) in more {
                let below = fields.remove(key).unwrap_or(Value::Null);
                fields.insert(key.clone(), merged(below, value));
            }
            base
        }
        _ => more.clone(),
    }
}

fn a_claim(more: Value) -> PersistentVolumeClaim {
    let base = json!({
        "metadata": {"name": "data", "namespace": "shop", "uid": "c1"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    serde_json::from_value(merged(base, &more)).unwrap()
}

fn a_volume(name: &str, more: Value) -> Arc<PersistentVolume> {
    let base = json!({
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}},
        "status": {"phase": "Available"},
    });
    Arc::new(serde_json::from_value(merged(base, &more)).unwrap())
}

fn a_class(name: &str, provisioner: &str, mode: &str, is_default: bool) -> Arc<StorageClass> {
    let annotations = json!({"storageclass.kubernetes.io/is-default-class": is_default.to_string()});
    let class = json!({
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": provisioner,
        "volumeBindingMode": mode,
    });
    Arc::new(serde_json::from_value(class).unwrap())
}

fn told(plan: &claim::Plan) -> String {
    let note = |note: &super::Note| format!("{}: {}", note.reason, note.message);
    match plan {
        claim::Plan::Bind { volume } => format!("bind {}", volume.metadata.name.as_deref().unwrap()),
        claim::Plan::Provision { provisioner, note: None } => format!("provision by {provisioner}"),
        claim::Plan::Provision { provisioner, note: Some(_) } => format!("ask {provisioner}"),
        claim::Plan::Classify { class } => format!("classify {class}"),
        claim::Plan::Wait { note: None } => "wait".to_owned(),
        claim::Plan::Wait { note: Some(told) } => note(told),
        claim::Plan::Lose { note: told } => format!("lost, {}", note(told)),
        claim::Plan::Retry { claimed_by } => format!("retry after {claimed_by}"),
    }
}

#[test]
fn a_claim_takes_what_suits_or_says_what_it_waits_for() {
    let volumes = [
        a_volume("free", json!({"spec": {"storageClassName": "manual"}})),
        a_volume("others", json!({"spec": {"claimRef": {"namespace": "shop", "name": "other", "uid": "c2"}}})),
        a_volume("ours", json!({"spec": {"claimRef": {"namespace": "shop", "name": "data", "uid": "c1"}}})),
        a_volume("large", json!({"spec": {"capacity": {"storage": "9Gi"}}})),
    ];
    let classes = [
        a_class("local", "pintle.dev/local", "WaitForFirstConsumer", true),
        a_class("now", "pintle.dev/local", "Immediate", false),
        a_class("csi", "csi.example", "Immediate", false),
        a_class("gp2", "kubernetes.io/aws-ebs", "Immediate", false),
        a_class("hand", "kubernetes.io/no-provisioner", "Immediate", false),
    ];
    let class = |name: &str| json!({"spec": {"storageClassName": name}});
    let named = |name: &str| json!({"spec": {"volumeName": name}});
    let by_us = json!({"metadata": {"annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}}});
    let bound =
        |more: &Value| merged(json!({"metadata": {"annotations": {"pv.kubernetes.io/bind-completed": "yes"}}}), more);
    for (wish, skip, pods, expected) in [
        (class("manual"), &["ours"][..], &[][..], "bind free"),
        (json!({}), &[], &[], "bind ours"),
        (json!({}), &["ours", "large"], &[], "classify local"),
        (class(""), &["ours"], &[], "bind large"),
        (
            class(""),
            &["ours", "large"],
            &[],
            "FailedBinding: no persistent volumes available for this claim and no storage class is set",
        ),
        (
            class("local"),
            &["ours"],
            &[],
            "WaitForFirstConsumer: waiting for first consumer to be created before binding",
        ),
        (class("local"), &["ours"], &["a"], "WaitForPodScheduled: waiting for pod a to be scheduled"),
        (class("local"), &["ours"], &["a", "b"], "WaitForPodScheduled: waiting for pods a,b to be scheduled"),
        (
            merged(class("local"), &json!({"metadata": {"annotations": {"volume.kubernetes.io/selected-node": "n"}}})),
            &["ours"],
            &[],
            "provision by pintle.dev/local",
        ),
        (class("now"), &["ours"], &[], "provision by pintle.dev/local"),
        (class("gp2"), &["ours"], &[], "provision by kubernetes.io/aws-ebs"),
        (class("csi"), &["ours"], &[], "ask csi.example"),
        (
            class("hand"),
            &["ours"],
            &[],
            "ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner",
        ),
        (class("none"), &["ours"], &[], "ProvisioningFailed: storageclass.storage.k8s.io \"none\" not found"),
        (named("missing"), &[], &[], "wait"),
        (named("large"), &[], &[], "bind large"),
        (
            named("free"),
            &[],
            &[],
            "VolumeMismatch: Cannot bind to requested volume \"free\": storageClassName does not match",
        ),
        (named("ours"), &[], &[], "bind ours"),
        (named("others"), &[], &[], "FailedBinding: volume \"others\" already bound to a different claim."),
        (merged(named("others"), &by_us), &[], &[], "retry after shop/other"),
        (bound(&named("ours")), &[], &[], "bind ours"),
        (bound(&named("large")), &[], &[], "bind large"),
        (
            bound(&json!({})),
            &[],
            &[],
            "lost, ClaimLost: Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
        ),
        (
            bound(&named("missing")),
            &[],
            &[],
            "lost, ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
        ),
        (
            bound(&named("others")),
            &[],
            &[],
            "lost, ClaimMisbound: Two claims are bound to the same volume, this one is bound incorrectly",
        ),
    ] {
        let skipped = |volume: &&Arc<PersistentVolume>| !skip.contains(&volume.metadata.name.as_deref().unwrap());
        let volumes: Vec<_> = volumes.iter().filter(skipped).cloned().collect();
        let pods: Vec<String> = pods.iter().map(|pod: &&str| (*pod).to_owned()).collect();
        let view = claim::View { volumes: &volumes, classes: &classes, waiting_pods: &pods };
        assert_eq!(told(&claim::plan(&a_claim(wish.clone()), &view).unwrap()), expected, "{wish}");
    }
}

#[test]
fn the_newest_default_class_counts() {
    let class = |name: &str, second: i64| {
        let mut class = StorageClass::clone(&a_class(name, "p", "Immediate", true));
        let created = Timestamp::from_second(second).unwrap();
        class.metadata.creation_timestamp = Some(api::k8s::apimachinery::pkg::apis::meta::v1::Time(created));
        Arc::new(class)
    };
    let plain = a_class("plain", "p", "Immediate", false);
    assert_eq!(claim::default_class(std::slice::from_ref(&plain)), None);
    let classes = [plain, class("old", 1), class("twin-b", 5), class("twin-a", 5)];
    assert_eq!(claim::default_class(&classes).as_deref(), Some("twin-a"));
}

#[test]
fn a_volume_follows_its_claim() {
    let held = |more: Value| {
        let reference = json!({"spec": {"claimRef": {"namespace": "shop", "name": "data", "uid": "c1"}}});
        a_volume("v", merged(reference, &more))
    };
    let by_hand = a_volume("v", json!({"spec": {"claimRef": {"namespace": "shop", "name": "data"}}}));
    let made = json!({
        "metadata": {"annotations": {"pv.kubernetes.io/provisioned-by": "p"}},
        "spec": {"persistentVolumeReclaimPolicy": "Delete"},
    });
    let chose = |name: &str| Some(a_claim(json!({"spec": {"volumeName": name}})));
    let reborn = Some(a_claim(json!({"metadata": {"uid": "c2"}, "spec": {"volumeName": "v"}})));
    let raw = Some(a_claim(json!({"spec": {"volumeMode": "Block"}})));
    let mismatch = "Cannot bind PersistentVolume to requested PersistentVolumeClaim \"data\" due to incompatible \
                    volumeMode.";
    for (volume, claim, expected) in [
        (a_volume("v", json!({})), None, volume::Plan::Phase("Available")),
        (by_hand, None, volume::Plan::Phase("Available")),
        (held(json!({})), chose("v"), volume::Plan::Phase("Bound")),
        (held(json!({})), None, volume::Plan::Release),
        (held(json!({})), reborn, volume::Plan::Release),
        (held(json!({})), Some(a_claim(json!({}))), volume::Plan::LookAtClaim { mismatch: None }),
        (held(json!({})), raw, volume::Plan::LookAtClaim { mismatch: Some(mismatch.to_owned()) }),
        (held(json!({})), chose("w"), volume::Plan::Unbind),
        (held(made), chose("w"), volume::Plan::Release),
    ] {
        assert_eq!(volume::plan(&volume, claim.as_ref()), expected, "{volume:?}");
    }
}

#[test]
fn a_released_volume_goes_by_its_policy() {
    let reason = |policy: &str, annotations: Value| {
        let more = json!({
            "metadata": {"annotations": annotations},
            "spec": {"persistentVolumeReclaimPolicy": policy},
        });
        match volume::plan_reclaim(&a_volume("v", more)) {
            volume::Reclaim::LeaveAlone => None,
            volume::Reclaim::Fail(note) => Some(note.reason),
        }
    };
    for (policy, annotations, expected) in [
        ("Retain", json!({}), None),
        ("Delete", json!({"pv.kubernetes.io/provisioned-by": "p"}), None),
        ("Delete", json!({}), Some("VolumeFailedDelete")),
        ("Recycle", json!({}), Some("VolumeFailedRecycle")),
        ("Burn", json!({}), Some("VolumeUnknownReclaimPolicy")),
    ] {
        assert_eq!(reason(policy, annotations), expected, "{policy}");
    }
}

#[test]
fn what_was_bound_by_hand_stays_so() {
    let by_hand = a_volume("v", json!({"spec": {"claimRef": {"namespace": "shop", "name": "data"}}}));
    for (volume, is_ours) in [(a_volume("v", json!({})), true), (by_hand, false)] {
        let bound = bind::volume_for_claim(&volume, &a_claim(json!({}))).unwrap();
        let annotations = bound.metadata.annotations.clone().unwrap_or_default();
        assert_eq!(annotations.contains_key("pv.kubernetes.io/bound-by-controller"), is_ours);
        let free = volume::unbound(&bound);
        let reference = free.spec.unwrap().claim_ref;
        assert_eq!(reference.is_none(), is_ours);
        assert_eq!(reference.and_then(|reference| reference.uid), None);
    }
}

proptest! {
    /// However many steps of a binding were written before a crash, going on from there ends in the same binding, and
    /// then there is nothing more to write.
    #[test]
    fn a_binding_goes_on_from_any_step(steps in 0usize..5, by_hand in any::<bool>(), prebound in any::<bool>()) {
        let mut volume = PersistentVolume::clone(&a_volume("v", match by_hand {
            true => json!({"spec": {"claimRef": {"namespace": "shop", "name": "data"}}}),
            false => json!({}),
        }));
        let mut claim = a_claim(match prebound {
            true => json!({"spec": {"volumeName": "v"}}),
            false => json!({}),
        });
        let now = Timestamp::UNIX_EPOCH;
        for round in 0..2 {
            let limit = if round == 0 { steps } else { 4 };
            if limit > 0 && let Some(next) = bind::volume_for_claim(&volume, &claim) { volume = next; }
            if limit > 1 && let Some(next) = bind::volume_in_phase(&volume, "Bound", None, now) { volume = next; }
            if limit > 2 && let Some(next) = bind::claim_for_volume(&claim, &volume) { claim = next; }
            if limit > 3 && let Some(next) = bind::bound_claim(&claim, &volume) { claim = next; }
        }
        prop_assert_eq!(bind::volume_for_claim(&volume, &claim), None);
        prop_assert_eq!(bind::volume_in_phase(&volume, "Bound", None, now), None);
        prop_assert_eq!(bind::claim_for_volume(&claim, &volume), None);
        prop_assert_eq!(bind::bound_claim(&claim, &volume), None);
        prop_assert_eq!(volume::plan(&volume, Some(&claim)), volume::Plan::Phase("Bound"));
        let view = claim::View { volumes: &[Arc::new(volume.clone())], classes: &[], waiting_pods: &[] };
        prop_assert_eq!(claim::plan(&claim, &view).unwrap(), claim::Plan::Bind { volume: Arc::new(volume) });
    }
}
