use serde_json::{Value, json};

use super::*;
use crate::attachdetach::volume::attachment_name;

const IN_USE: &str = "kubernetes.io/csi/driver^handle";

fn pod(namespace: &str, name: &str) -> Arc<Pod> {
    Arc::new(serde_json::from_value(json!({"metadata": {"namespace": namespace, "name": name}})).unwrap())
}

fn volume() -> Wanted {
    Wanted {
        unique_name: IN_USE.into(),
        name: "pv".into(),
        driver: Some("driver".into()),
        attachment_name: Some(attachment_name("handle", "driver", "here")),
        is_exclusive: true,
        claim: None,
        pods: vec![pod("shop", "web")],
    }
}

fn attachment(status: Value) -> Arc<VolumeAttachment> {
    Arc::new(
        serde_json::from_value(json!({
            "metadata": {"name": attachment_name("handle", "driver", "here")},
            "spec": {"attacher": "driver", "nodeName": "here", "source": {"persistentVolumeName": "pv"}},
            "status": status,
        }))
        .unwrap(),
    )
}

#[derive(Default)]
struct World {
    node: Value,
    wanted: Vec<Wanted>,
    present: Vec<Arc<VolumeAttachment>>,
    elsewhere: Vec<String>,
    others: Vec<Arc<Pod>>,
    unwanted_for: Duration,
}

impl World {
    /// The plan, a line for each part.
    fn plan(self) -> Vec<String> {
        let mut node =
            json!({"metadata": {"name": "here"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}});
        for (part, value) in self.node.as_object().into_iter().flatten() {
            let place = if part == "taints" { "spec" } else { "status" };
            node[place][part] = value.clone();
        }
        let node: Node = serde_json::from_value(node).unwrap();
        let start = Instant::now();
        let name = attachment_name("handle", "driver", "here");
        let plan = plan(&Observed {
            node: Some(&node),
            wanted: &self.wanted,
            present: &self.present,
            unwanted_since: &[(name.clone(), start)].into(),
            elsewhere: &|_| self.elsewhere.clone(),
            users: &|_, _| self.others.clone(),
            now: start + self.unwanted_for,
        });
        let mut lines = Vec::new();
        lines.extend(plan.attach.iter().map(|one| {
            assert_eq!(one.metadata.name.as_ref(), Some(&name));
            format!(
                "attach {} by {} to {}",
                one.spec.source.persistent_volume_name.as_deref().unwrap(),
                one.spec.attacher,
                one.spec.node_name
            )
        }));
        lines.extend(plan.detach.iter().map(|one| {
            assert_eq!(*one, name);
            "detach".to_owned()
        }));
        lines.extend(plan.notices.iter().map(|notice| format!("{}: {}", notice.reason, notice.message)));
        lines.extend(plan.report.map(|report| {
            format!("report {:?}", report.iter().map(|volume| volume.name.as_str()).collect::<Vec<_>>())
        }));
        lines.extend(plan.recheck_after.map(|after| format!("again after {} s", after.as_secs())));
        lines
    }
}

#[tokio::test(start_paused = true)]
async fn what_pods_want_is_attached_then_reported_and_told_of_once() {
    let world = |present| World { wanted: vec![volume()], present, ..World::default() };
    assert_eq!(world(vec![]).plan(), ["attach pv by driver to here"]);
    assert_eq!(world(vec![attachment(json!({"attached": false}))]).plan(), [""; 0]);
    assert_eq!(
        world(vec![attachment(json!({"attached": true}))]).plan(),
        [
            "SuccessfulAttachVolume: AttachVolume.Attach succeeded for volume \"pv\" ",
            "report [\"kubernetes.io/csi/driver^handle\"]",
        ]
    );
    let known = World {
        node: json!({"volumesAttached": [{"name": IN_USE, "devicePath": ""}]}),
        ..world(vec![attachment(json!({"attached": true}))])
    };
    assert_eq!(known.plan(), [""; 0]);
    let failed = attachment(json!({"attached": false, "attachError": {"message": "no such disk"}}));
    assert_eq!(
        world(vec![failed]).plan(),
        ["FailedAttachVolume: AttachVolume.Attach failed for volume \"pv\" : no such disk"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_volume_for_one_node_waits_and_says_for_whom() {
    let world = |others| World { wanted: vec![volume()], elsewhere: vec!["there".into()], others, ..World::default() };
    for (others, why) in [
        (vec![], "Volume is already exclusively attached to one node and can't be attached to another"),
        (vec![pod("shop", "a"), pod("shop", "b")], "Volume is already used by pod(s) a, b"),
        (
            vec![pod("shop", "a"), pod("x", "b")],
            "Volume is already used by pod(s) a and 1 pod(s) in different namespaces",
        ),
        (vec![pod("x", "b")], "Volume is already used by 1 pod(s) in different namespaces"),
    ] {
        let expected = format!("FailedAttachVolume: Multi-Attach error for volume \"pv\" {why}");
        assert_eq!(world(others).plan(), [expected]);
    }
    let shared = World { wanted: vec![Wanted { is_exclusive: false, ..volume() }], ..world(vec![]) };
    assert_eq!(shared.plan(), ["attach pv by driver to here"]);
}

#[tokio::test(start_paused = true)]
async fn what_nobody_wants_goes_once_it_is_unmounted_or_the_node_is_lost() {
    let attached = || attachment(json!({"attached": true}));
    let mounted = |extra: Value| {
        let mut node = json!({"volumesInUse": [IN_USE], "volumesAttached": [{"name": IN_USE, "devicePath": ""}]});
        node.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        World { node, present: vec![attached()], ..World::default() }
    };
    let unwell = json!({"conditions": [{"type": "Ready", "status": "Unknown"}]});
    let unmounted = World { present: vec![attached()], ..World::default() };
    assert_eq!(unmounted.plan(), ["detach"]);
    assert_eq!(mounted(json!({})).plan(), [""; 0]);
    let long_ago = World { unwanted_for: UNMOUNT_PATIENCE * 2, ..mounted(json!({})) };
    assert_eq!(long_ago.plan(), [""; 0], "a kubelet that is well unmounts by itself");
    let lost = |passed: u64| World { unwanted_for: Duration::from_secs(passed), ..mounted(unwell.clone()) };
    assert_eq!(lost(60).plan(), ["again after 300 s"]);
    assert_eq!(lost(360).plan(), ["detach", "report []"]);
    let shut_down =
        mounted(json!({"taints": [{"key": OUT_OF_SERVICE, "effect": "NoExecute", "value": "nodeshutdown"}]}));
    assert_eq!(shut_down.plan(), ["detach", "report []"]);
}

#[tokio::test(start_paused = true)]
async fn an_order_that_is_being_taken_back_is_not_given_again_meanwhile() {
    let mut going = VolumeAttachment::clone(&attachment(json!({"attached": true})));
    going.metadata.deletion_timestamp =
        Some(api::k8s::apimachinery::pkg::apis::meta::v1::Time(api::k8s::jiff::Timestamp::UNIX_EPOCH));
    let world = World { wanted: vec![volume()], present: vec![Arc::new(going)], ..World::default() };
    assert_eq!(world.plan(), [""; 0]);
}
