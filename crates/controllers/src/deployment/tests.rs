//! Rollouts played through on paper: plans are applied to a model in which pods become available.

mod tables;

use std::sync::Arc;

use api::k8s::api::apps::v1::{Deployment, DeploymentStatus, ReplicaSet, ReplicaSetStatus};
use api::k8s::apimachinery::pkg::apis::meta::v1::Time;
use api::k8s::jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::cleanup::plan_cleanup;
use super::condition::{PROGRESSING, find};
use super::revision::{NewReplicaSet, plan_deployment_revision, plan_new};
use super::rollback::plan_rollback;
use super::rollout::plan_rollout;
use super::scale::{plan_scale, resized};
use super::status;
use super::view::{View, available, size};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn deployment(image: &str, replicas: i32, strategy: Value) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": "web", "namespace": "default", "uid": "deployment", "generation": 1},
        "spec": {
            "replicas": replicas,
            "strategy": strategy,
            "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
    }))
    .unwrap()
}

fn rolling(surge: Value, unavailable: Value) -> Value {
    json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
}

/// What the API and the ReplicaSet controller would hold.
struct World {
    deployment: Deployment,
    sets: Vec<ReplicaSet>,
}

impl World {
    fn new(deployment: Deployment) -> Self {
        World { deployment, sets: Vec::new() }
    }

    fn view(&self) -> View {
        let sets: Vec<_> = self.sets.iter().cloned().map(Arc::new).collect();
        View::new(&Arc::new(self.deployment.clone()), &sets)
    }

    /// One step of the controller. True where it changed anything.
    fn step(&mut self) -> bool {
        let view = self.view();
        if let Some(updated) = plan_deployment_revision(&view) {
            self.deployment = updated;
            return true;
        }
        match plan_new(&view, false) {
            NewReplicaSet::Create(mut created) => {
                created.metadata.creation_timestamp = Some(Time(at(self.sets.len() as i64)));
                self.sets.push(*created);
                return true;
            }
            NewReplicaSet::Update(updated) => {
                self.store(*updated);
                return true;
            }
            NewReplicaSet::Keep | NewReplicaSet::Wait => {}
        }
        let resizes = if view.is_scaling() { plan_scale(&view) } else { plan_rollout(&view, false) };
        let mut changed = false;
        for resize in resizes {
            let set = view.find(&resize.name).unwrap();
            if let Some(updated) = resized(&view, set, resize.to) {
                self.store(updated);
                changed = true;
            }
        }
        changed
    }

    fn store(&mut self, updated: ReplicaSet) {
        let name = updated.metadata.name.clone();
        *self.sets.iter_mut().find(|set| set.metadata.name == name).unwrap() = updated;
    }

    /// The pods of every set follow its size; `healthy` of them work, for sets that are not broken.
    fn settle(&mut self, is_broken: impl Fn(&ReplicaSet) -> bool) {
        for set in &mut self.sets {
            let replicas = size(set);
            set.status = Some(ReplicaSetStatus {
                replicas,
                available_replicas: Some(if is_broken(set) { 0 } else { replicas }),
                ready_replicas: Some(if is_broken(set) { 0 } else { replicas }),
                terminating_replicas: Some(0),
                ..ReplicaSetStatus::default()
            });
        }
    }

    fn roll_out(&mut self) {
        for _ in 0..200 {
            if !self.step() {
                return;
            }
            self.settle(|_| false);
        }
        panic!("the rollout does not end");
    }

    fn sizes(&self) -> Vec<i32> {
        self.sets.iter().map(size).collect()
    }

    fn set_image(&mut self, image: &str) {
        self.deployment.spec.template.spec.as_mut().unwrap().containers[0].image = Some(image.into());
    }
}

fn revision(metadata: &client::kube::api::ObjectMeta) -> &str {
    &metadata.annotations.as_ref().unwrap()["deployment.kubernetes.io/revision"]
}

#[test]
fn a_first_rollout_makes_one_set_of_full_size() {
    let mut world = World::new(deployment("v1", 3, rolling(json!("25%"), json!("25%"))));
    world.roll_out();
    assert_eq!(world.sizes(), [3]);
    let set = &world.sets[0];
    let hash = &set.metadata.labels.as_ref().unwrap()["pod-template-hash"];
    assert_eq!(set.metadata.name.as_deref(), Some(format!("web-{hash}").as_str()));
    assert_eq!(set.spec.selector.match_labels.as_ref().unwrap()["pod-template-hash"], *hash);
    assert_eq!((revision(&set.metadata), revision(&world.deployment.metadata)), ("1", "1"));
}

#[test]
fn a_new_template_replaces_the_old_step_by_step_and_an_old_one_returns_under_a_new_number() {
    let mut world = World::new(deployment("v1", 4, rolling(json!(1), json!(1))));
    world.roll_out();
    world.set_image("v2");
    let mut seen = Vec::new();
    while world.step() {
        world.settle(|_| false);
        seen.push(world.sizes());
    }
    seen.dedup();
    assert_eq!(seen, [vec![4, 1], vec![2, 1], vec![2, 3], vec![0, 3], vec![0, 4]]);
    world.set_image("v1");
    world.roll_out();
    assert_eq!(world.sizes(), [4, 0]);
    assert_eq!(revision(&world.deployment.metadata), "3");
    let annotations = world.sets[0].metadata.annotations.as_ref().unwrap();
    assert_eq!(annotations["deployment.kubernetes.io/revision-history"], "1");
}

#[test]
fn a_broken_version_stops_before_it_does_harm() {
    let mut world = World::new(deployment("v1", 4, rolling(json!(1), json!(1))));
    world.roll_out();
    world.set_image("broken");
    for _ in 0..20 {
        world.step();
        world.settle(|set| {
            set.spec.template.as_ref().unwrap().spec.as_ref().unwrap().containers[0].image.as_deref() == Some("broken")
        });
    }
    let working: i32 = world.sets.iter().map(available).sum();
    assert_eq!((world.sizes(), working), (vec![3, 2], 3));
}

#[test]
fn recreate_waits_until_every_old_pod_is_gone() {
    let mut world = World::new(deployment("v1", 2, json!({"type": "Recreate"})));
    world.roll_out();
    world.set_image("v2");
    assert!(world.step());
    assert_eq!(world.sizes(), [0]);
    assert!(matches!(plan_new(&world.view(), true), NewReplicaSet::Wait));
    world.roll_out();
    assert_eq!(world.sizes(), [0, 2]);
}

#[test]
fn a_change_of_size_in_mid_rollout_is_shared_in_proportion() {
    let mut world = World::new(deployment("v1", 10, rolling(json!(3), json!(2))));
    world.roll_out();
    world.set_image("v2");
    world.step();
    world.step();
    world.settle(|set| revision(&set.metadata) == "2");
    assert_eq!(world.sizes(), [10, 3]);
    world.step();
    assert_eq!(world.sizes(), [8, 3]);
    world.deployment.spec.replicas = Some(20);
    assert!(world.view().is_scaling());
    world.step();
    assert_eq!(world.sizes().iter().sum::<i32>(), 23);
    assert!(world.sizes()[0] > 10 && world.sizes()[1] > 3, "{:?}", world.sizes());
    assert!(!world.view().is_scaling());
}

#[test]
fn a_pause_stops_new_sets_but_not_a_change_of_size() {
    let mut world = World::new(deployment("v1", 2, rolling(json!(1), json!(0))));
    world.roll_out();
    world.deployment.spec.paused = Some(true);
    world.set_image("v2");
    assert!(matches!(plan_new(&world.view(), false), NewReplicaSet::Wait));
    world.deployment.spec.replicas = Some(5);
    world.step();
    assert_eq!(world.sizes(), [5]);
}

#[test]
fn an_annotation_asks_for_an_earlier_revision() {
    let mut world = World::new(deployment("v1", 1, rolling(json!(1), json!(0))));
    let ask = |world: &mut World, revision: &str| {
        let annotations = world.deployment.metadata.annotations.get_or_insert_default();
        annotations.insert("deprecated.deployment.rollback.to".into(), revision.into());
        let rollback = plan_rollback(&world.view()).unwrap();
        world.deployment = *rollback.deployment;
        let (_, reason, message) = rollback.event;
        let image = world.deployment.spec.template.spec.as_ref().unwrap().containers[0].image.clone().unwrap();
        format!("{image}: {reason}: {message}")
    };
    world.roll_out();
    assert_eq!(ask(&mut world, "0"), "v1: DeploymentRollbackRevisionNotFound: Unable to find last revision.");
    world.set_image("v2");
    world.roll_out();
    assert!(plan_rollback(&world.view()).is_none(), "what was done is not asked for again");
    assert_eq!(
        ask(&mut world, "7"),
        "v2: DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to."
    );
    assert_eq!(
        ask(&mut world, "2"),
        "v2: DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template as current \
         deployment \"web\""
    );
    assert_eq!(ask(&mut world, "0"), "v1: DeploymentRollback: Rolled back deployment \"web\" to revision 1");
    world.roll_out();
    assert_eq!(ask(&mut world, "2"), "v2: DeploymentRollback: Rolled back deployment \"web\" to revision 2");
}

#[test]
fn the_history_keeps_the_latest() {
    let mut world = World::new(deployment("v0", 1, rolling(json!(1), json!(0))));
    world.deployment.spec.revision_history_limit = Some(2);
    for version in 0..5 {
        world.set_image(&format!("v{version}"));
        world.roll_out();
    }
    let doomed = plan_cleanup(&world.view());
    let expected: Vec<_> = world.sets[..2].iter().map(|set| set.metadata.name.clone().unwrap()).collect();
    assert_eq!(doomed, expected);
}

/// The condition Progressing as `status reason message`, after the status was planned and stored.
fn progress(world: &mut World, second: i64) -> String {
    let planned = status::progressing(&world.view(), at(second), None);
    let conditions = planned.status.conditions.clone().unwrap();
    world.deployment.status = Some(planned.status);
    let condition = find(&conditions, PROGRESSING).unwrap();
    let text = |part: &Option<String>| part.clone().unwrap();
    let name = world.view().new_set().unwrap().metadata.name.clone().unwrap();
    format!("{} {} {}", text(&condition.status), text(&condition.reason), text(&condition.message))
        .replace(&name, "SET")
}

#[test]
fn progress_is_told_as_rollout_status_reads_it() {
    let mut world = World::new(deployment("v1", 2, rolling(json!(1), json!(0))));
    world.deployment.status = Some(DeploymentStatus::default());
    world.step();
    world.settle(|_| true);
    assert_eq!(progress(&mut world, 0), "True ReplicaSetUpdated ReplicaSet \"SET\" is progressing.");
    assert_eq!(progress(&mut world, 599), "True ReplicaSetUpdated ReplicaSet \"SET\" is progressing.");
    assert_eq!(
        progress(&mut world, 600),
        "False ProgressDeadlineExceeded ReplicaSet \"SET\" has timed out progressing."
    );
    world.settle(|_| false);
    let done = "True NewReplicaSetAvailable ReplicaSet \"SET\" has successfully progressed.";
    assert_eq!(progress(&mut world, 700), done);
    world.settle(|_| true);
    assert_eq!(progress(&mut world, 9000), done, "a pod that fails later is no failed rollout");
    let status = world.deployment.status.unwrap();
    assert_eq!((status.updated_replicas, status.unavailable_replicas), (Some(2), Some(2)));
    let available = status.conditions.unwrap().into_iter().find(|told| told.type_.as_deref() == Some("Available"));
    assert_eq!(available.unwrap().reason.as_deref(), Some("MinimumReplicasUnavailable"));
}

proptest! {
    #[test]
    fn a_rollout_ends_and_stays_within_its_bounds(
        replicas in 1i32..20,
        surge in 0i32..5,
        unavailable in 0i32..5,
    ) {
        let mut world = World::new(deployment("v1", replicas, rolling(json!(surge), json!(unavailable))));
        world.roll_out();
        world.set_image("v2");
        let view = world.view();
        let (most, fewest) = (replicas + view.max_surge(), replicas - view.max_unavailable());
        for _ in 0..200 {
            if !world.step() {
                break;
            }
            prop_assert!(world.sizes().iter().sum::<i32>() <= most);
            // Old pods go at once; new ones take their time.
            let working: i32 = world.sets.iter().map(|set| available(set).min(size(set))).sum();
            prop_assert!(working >= fewest, "{working} < {fewest}");
            world.settle(|_| false);
        }
        prop_assert_eq!(world.sizes(), vec![0, replicas]);
    }
}
