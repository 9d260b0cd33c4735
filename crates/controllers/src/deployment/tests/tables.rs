//! The arithmetic of rollouts and sizes beside upstream's own examples (`rolling_test.go`, `sync_test.go` and
//! `deployment_util_test.go` of its deployment controller).

use api::k8s::api::apps::v1::ReplicaSet;
use serde_json::{Value, json};

use super::{World, deployment, rolling};
use crate::deployment::annotations::set_sizes;
use crate::deployment::rollout::{new_set_size, plan_rollout};
use crate::deployment::scale::plan_scale;
use crate::deployment::view::View;

const NEW: &str = "new";

/// A ReplicaSet of an image; the later it was made, the younger it is.
fn set(image: &str, made: i64, size: i32, available: i32) -> ReplicaSet {
    serde_json::from_value(json!({
        "metadata": {"name": image, "creationTimestamp": format!("2016-05-20T0{made}:00:00Z")},
        "spec": {
            "replicas": size,
            "selector": {},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "main", "image": image}]},
            },
        },
        "status": {"replicas": size, "availableReplicas": available},
    }))
    .unwrap()
}

fn view(replicas: i32, strategy: Value, sets: Vec<ReplicaSet>) -> View {
    World { deployment: deployment(NEW, replicas, strategy), sets }.view()
}

#[test]
fn the_new_set_grows_into_the_surge_and_no_further() {
    for (replicas, surge, old, new, expected) in [
        (10, 0, 10, 0, None),
        (10, 2, 10, 0, Some(2)),
        (10, 2, 5, 0, Some(7)),
        (10, 2, 10, 2, None),
        (10, 2, 2, 11, Some(10)),
    ] {
        let sets = vec![set("old", 0, old, 0), set(NEW, 1, new, 0)];
        let plan = plan_rollout(&view(replicas, rolling(json!(surge), json!(0)), sets), false);
        let to = plan.iter().find(|resize| resize.name == NEW).map(|resize| resize.to);
        assert_eq!(to, expected, "{replicas} wanted, surge {surge}, {old} old, {new} new");
    }
}

#[test]
fn old_sets_shrink_by_what_does_not_work_and_by_what_may_be_missing() {
    for (unavailable, old, new, old_works, new_works, expected) in [
        // Neither may be more or fewer: then one may be missing after all.
        (0, 10, 0, 10, 0, Some(9)),
        (2, 10, 0, 10, 0, Some(8)),
        // Two do not work, and go first.
        (2, 10, 0, 8, 0, Some(8)),
        // One does not work and goes, and one that works with it.
        (2, 10, 0, 9, 0, Some(8)),
        // New pods that do not work are no reason to take away more old ones.
        (2, 8, 2, 8, 0, None),
    ] {
        let sets = vec![set("old", 0, old, old_works), set(NEW, 1, new, new_works)];
        let plan = plan_rollout(&view(10, rolling(json!(0), json!(unavailable)), sets), false);
        let to = plan.iter().find(|resize| resize.name == "old").map(|resize| resize.to);
        assert_eq!(to, expected, "{unavailable} may be missing, {old_works} of {old} work");
    }
}

#[test]
fn what_a_shrunken_set_said_before_is_not_taken_for_spare() {
    for (sets, expected, why) in [
        // 3 are wanted, and 3 must serve: 2 old and 2 new do, and one new does not yet.
        (vec![set("old", 0, 2, 2), set(NEW, 1, 3, 2)], vec![("old", 1)], "one may go"),
        (vec![set("old", 0, 2, 3), set(NEW, 1, 3, 2)], vec![], "upstream: got invalid request to scale down"),
        // The oldest is to be empty, and still speaks of 3.
        (
            vec![set("oldest", 0, 0, 3), set("old", 1, 2, 2), set(NEW, 2, 3, 2)],
            vec![("old", 1)],
            "none of the oldest's will be left",
        ),
    ] {
        let plan = plan_rollout(&view(3, rolling(json!(2), json!(0)), sets), false);
        let plan: Vec<(&str, i32)> = plan.iter().map(|resize| (resize.name.as_str(), resize.to)).collect();
        assert_eq!(plan, expected, "{why}");
    }
}

#[test]
fn surge_rounds_up_and_unavailability_down_and_not_both_are_nothing() {
    for (replicas, surge, unavailable, expected) in [
        (10, json!("39%"), json!("39%"), (4, 3)),
        (10, json!("39%"), json!(0), (4, 0)),
        (10, json!(0), json!("39%"), (0, 3)),
        (10, json!(0), json!(0), (0, 1)),
        (10, json!("0%"), json!("0%"), (0, 1)),
        (10, json!(0), json!("9%"), (0, 1)),
        (10, json!("25%"), json!("25%"), (3, 2)),
        (10, json!(0), json!(5), (0, 5)),
        (10, json!(0), json!(10), (0, 10)),
        (10, json!(0), json!("50%"), (0, 5)),
        (10, json!(0), json!("100%"), (0, 10)),
        // No more can be missing than there are.
        (5, json!(0), json!(10), (0, 5)),
        (5, json!(0), json!("100%"), (0, 5)),
        (0, json!("0%"), json!("0%"), (0, 0)),
        (0, json!(0), json!(10), (0, 0)),
    ] {
        let view = view(replicas, rolling(surge.clone(), unavailable.clone()), Vec::new());
        assert_eq!((view.max_surge(), view.max_unavailable()), expected, "{surge} and {unavailable} of {replicas}");
    }
    let recreate = view(10, json!({"type": "Recreate"}), Vec::new());
    assert_eq!((recreate.max_surge(), recreate.max_unavailable()), (0, 0));
    let unsaid = view(10, json!({"type": "RollingUpdate"}), Vec::new());
    assert_eq!((unsaid.max_surge(), unsaid.max_unavailable()), (3, 2), "a quarter each, where nothing is said");
}

#[test]
fn a_new_set_begins_at_the_size_there_is_room_for() {
    let sets = |size| vec![set(NEW, 0, size, 0)];
    assert_eq!(new_set_size(&view(1, rolling(json!(1), json!(1)), sets(5))), 5, "there is no room to grow");
    assert_eq!(new_set_size(&view(6, rolling(json!(10), json!(1)), sets(2))), 6, "no more than wanted");
    assert_eq!(new_set_size(&view(3, json!({"type": "Recreate"}), sets(1))), 3, "all at once");
}

/// Sizes after a change from `before` to `after`, of the sets from the newest to the oldest; the first is the new one
/// unless told otherwise.
struct Scaling {
    before: (i32, i32),
    after: (i32, i32),
    sizes: &'static [i32],
    has_new: bool,
    expected: &'static [i32],
}

#[test]
fn a_change_of_size_is_shared_as_upstream_shares_it() {
    let plain = |before, after, sizes, expected| Scaling {
        before: (before, 0),
        after: (after, 0),
        sizes,
        has_new: true,
        expected,
    };
    let old_only = |before, after, sizes, expected| Scaling { has_new: false, ..plain(before, after, sizes, expected) };
    let surging = |before, after, sizes, expected| Scaling { before, after, sizes, has_new: true, expected };
    for scaling in [
        plain(10, 12, &[10], &[12]),
        plain(10, 5, &[10], &[5]),
        plain(5, 10, &[2, 3], &[4, 6]),
        plain(5, 3, &[2, 3], &[1, 2]),
        plain(9, 4, &[8, 1], &[4, 0]),
        plain(7, 10, &[2, 3, 2], &[3, 4, 3]),
        plain(13, 8, &[2, 8, 3], &[1, 5, 2]),
        // What is left over goes to the newest, and is taken from the oldest.
        plain(3, 4, &[1, 1, 1], &[2, 1, 1]),
        plain(3, 2, &[1, 1, 1], &[1, 1, 0]),
        old_only(4, 5, &[2, 2], &[3, 2]),
        plain(6, 0, &[3, 2, 1], &[0, 0, 0]),
        plain(6, 6, &[0, 0, 0], &[6, 0, 0]),
        surging((10, 2), (20, 2), &[6, 6], &[11, 11]),
        surging((10, 3), (50, 6), &[5, 8], &[22, 34]),
        old_only(10, 14, &[7, 3], &[10, 4]),
        // Full in numbers, though nothing of it works: the old pods stay.
        surging((2, 1), (2, 1), &[2, 1], &[2, 1]),
    ] {
        let images = if scaling.has_new { [NEW, "v2", "v1"] } else { ["v2", "v1", "v0"] };
        let sets = scaling.sizes.iter().zip(images).enumerate().map(|(age, (size, image))| {
            let mut set = set(image, 9 - age as i64, *size, 0);
            set_sizes(&mut set.metadata, scaling.before.0, scaling.before.0 + scaling.before.1);
            set
        });
        let view = view(scaling.after.0, rolling(json!(scaling.after.1), json!(0)), sets.collect());
        let plan = plan_scale(&view);
        let size_of = |(image, present): (&str, &i32)| {
            plan.iter().find(|resize| resize.name == image).map_or(*present, |resize| resize.to)
        };
        let sizes: Vec<i32> = images.into_iter().zip(scaling.sizes).map(size_of).collect();
        assert_eq!(sizes, scaling.expected, "{:?} from {:?} to {:?}", scaling.sizes, scaling.before, scaling.after);
    }
}

#[test]
fn a_set_that_was_not_told_of_the_last_change_is_told_with_the_next() {
    // Of three sets of one pod each, scaled to five, the second was not written: it still says three.
    let mut sets = vec![set("v1", 0, 1, 0), set("v2", 1, 1, 0), set(NEW, 2, 2, 0)];
    for (set, told) in sets.iter_mut().zip([5, 3, 5]) {
        set_sizes(&mut set.metadata, told, told);
    }
    let view = view(5, rolling(json!(0), json!(0)), sets);
    assert!(view.is_scaling());
    let grown: Vec<(String, i32)> = plan_scale(&view).into_iter().map(|resize| (resize.name, resize.to)).collect();
    assert_eq!(grown, [(NEW.to_owned(), 2), ("v2".to_owned(), 2), ("v1".to_owned(), 1)]);
}
