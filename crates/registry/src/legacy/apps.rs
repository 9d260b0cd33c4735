//! Workloads before apps/v1. apps/v1beta2 is what became v1; the versions before it take selector and labels
//! from the template.

use serde_json::Value;

use super::{annotations, in_old_group};
use crate::apps::controller_revision::CONTROLLER_REVISION;
use crate::apps::daemon_set::{DAEMON_SET, TEMPLATE_GENERATION};
use crate::apps::deployment::DEPLOYMENT;
use crate::apps::replica_set::REPLICA_SET;
use crate::apps::stateful_set::STATEFUL_SET;
use crate::fields::{get, get_i64, get_object, object_at, object_mut, set, set_default, text};
use crate::kind::{Conversion, Kind, Object};

pub static DEPLOYMENT_V1BETA2: Kind =
    Kind::served_as("apps", "v1beta2", &Conversion::same_as(&DEPLOYMENT)).deprecated(9, 16, "apps/v1 Deployment");
pub static REPLICA_SET_V1BETA2: Kind =
    Kind::served_as("apps", "v1beta2", &Conversion::same_as(&REPLICA_SET)).deprecated(9, 16, "apps/v1 ReplicaSet");
pub static STATEFUL_SET_V1BETA2: Kind =
    Kind::served_as("apps", "v1beta2", &Conversion::same_as(&STATEFUL_SET)).deprecated(9, 16, "apps/v1 StatefulSet");
pub static DAEMON_SET_V1BETA2: Kind =
    Kind::served_as("apps", "v1beta2", &Conversion::same_as(&DAEMON_SET)).deprecated(9, 16, "apps/v1 DaemonSet");
pub static CONTROLLER_REVISION_V1BETA2: Kind = Kind::served_as(
    "apps",
    "v1beta2",
    &Conversion::same_as(&CONTROLLER_REVISION),
)
.deprecated(9, 16, "apps/v1 ControllerRevision");

pub static DEPLOYMENT_V1BETA1: Kind = Kind::served_as(
    "apps",
    "v1beta1",
    &Conversion {
        default: default_deployment,
        ..Conversion::between(&DEPLOYMENT, rollback_to_annotation, rollback_from_annotation)
    },
)
.deprecated(8, 16, "apps/v1 Deployment");
pub static STATEFUL_SET_V1BETA1: Kind = Kind::served_as(
    "apps",
    "v1beta1",
    &Conversion::with_defaults(&STATEFUL_SET, default_stateful_set),
)
.deprecated(8, 16, "apps/v1 StatefulSet");
pub static CONTROLLER_REVISION_V1BETA1: Kind = Kind::served_as(
    "apps",
    "v1beta1",
    &Conversion::same_as(&CONTROLLER_REVISION),
)
.deprecated(8, 16, "apps/v1 ControllerRevision");

pub static EXTENSIONS_DEPLOYMENT: Kind = in_old_group(
    Kind::served_as(
        "extensions",
        "v1beta1",
        &Conversion {
            default: default_extensions_deployment,
            ..Conversion::between(&DEPLOYMENT, rollback_to_annotation, rollback_from_annotation)
        },
    )
    .deprecated(8, 16, "apps/v1 Deployment"),
);
pub static EXTENSIONS_DAEMON_SET: Kind = in_old_group(
    Kind::served_as(
        "extensions",
        "v1beta1",
        &Conversion {
            default: default_extensions_daemon_set,
            ..Conversion::between(&DAEMON_SET, generation_to_annotation, generation_from_annotation)
        },
    )
    .deprecated(8, 16, "apps/v1 DaemonSet"),
);
pub static EXTENSIONS_REPLICA_SET: Kind = in_old_group(
    Kind::served_as("extensions", "v1beta1", &Conversion::with_defaults(&REPLICA_SET, select_template)).deprecated(
        8,
        16,
        "apps/v1 ReplicaSet",
    ),
);

/// A deadline and a length of history that never come.
const NEVER: i32 = i32::MAX;

fn default_deployment(deployment: &mut Object) {
    select_template(deployment);
    set_default(deployment, "spec.revisionHistoryLimit", 2);
}

fn default_extensions_deployment(deployment: &mut Object) {
    select_template(deployment);
    let spec = object_at(deployment, "spec");
    if matches!(text(spec, "strategy.type"), "" | "RollingUpdate") {
        set_default(spec, "strategy.rollingUpdate.maxUnavailable", 1);
        set_default(spec, "strategy.rollingUpdate.maxSurge", 1);
    }
    set_default(spec, "revisionHistoryLimit", NEVER);
    set_default(spec, "progressDeadlineSeconds", NEVER);
}

fn default_stateful_set(set: &mut Object) {
    select_template(set);
    if text(set, "spec.updateStrategy.type").is_empty() {
        crate::fields::set(set, "spec.updateStrategy.type", "OnDelete");
    }
}

fn default_extensions_daemon_set(daemon_set: &mut Object) {
    select_template(daemon_set);
    if text(daemon_set, "spec.updateStrategy.type").is_empty() {
        set(daemon_set, "spec.updateStrategy.type", "OnDelete");
    }
}

/// Selector and labels that were left out are those of the template.
fn select_template(workload: &mut Object) {
    let Some(labels) = get_object(workload, "spec.template.metadata.labels").cloned() else { return };
    if get(workload, "spec.selector").is_none() {
        set(workload, "spec.selector.matchLabels", labels.clone());
    }
    if get_object(workload, "metadata.labels").is_none_or(Object::is_empty) {
        set(workload, "metadata.labels", labels);
    }
}

/// The revision that a Deployment is to return to.
pub const ROLLBACK_TO: &str = "deprecated.deployment.rollback.to";

fn rollback_to_annotation(deployment: &mut Object) {
    let taken = object_mut(deployment, "spec").and_then(|spec| spec.shift_remove("rollbackTo"));
    if let Some(Value::Object(rollback)) = taken {
        let revision = get_i64(&rollback, "revision").unwrap_or(0);
        annotations::put(deployment, ROLLBACK_TO, revision.to_string());
    }
}

fn rollback_from_annotation(deployment: &mut Object) {
    if let Some(revision) = annotations::take(deployment, ROLLBACK_TO).and_then(|text| text.parse::<i64>().ok()) {
        let rollback = object_at(object_at(deployment, "spec"), "rollbackTo");
        if revision != 0 {
            rollback.insert("revision".to_owned(), Value::from(revision));
        }
    }
}

fn generation_to_annotation(daemon_set: &mut Object) {
    let taken = object_mut(daemon_set, "spec").and_then(|spec| spec.shift_remove("templateGeneration"));
    if let Some(generation) = taken.and_then(|generation| generation.as_i64()) {
        annotations::put(daemon_set, TEMPLATE_GENERATION, generation.to_string());
    }
}

fn generation_from_annotation(daemon_set: &mut Object) {
    let generation = annotations::take(daemon_set, TEMPLATE_GENERATION).and_then(|text| text.parse::<i64>().ok());
    if let Some(generation) = generation {
        set(daemon_set, "spec.templateGeneration", generation);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::legacy::testing::rested;

    fn workload() -> Value {
        json!({
            "metadata": {"name": "a"},
            "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c"}]}}},
        })
    }

    /// Each version's own defaults, from its defaults.go.
    #[test]
    fn old_defaults_hold() {
        let rolling = |unavailable: Value, surge: Value| json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": unavailable, "maxSurge": surge}});
        let percent = || rolling(json!("25%"), json!("25%"));
        for (kind, field, expected) in [
            (&EXTENSIONS_DEPLOYMENT, "strategy", rolling(json!(1), json!(1))),
            (&EXTENSIONS_DEPLOYMENT, "revisionHistoryLimit", json!(2_147_483_647)),
            (&EXTENSIONS_DEPLOYMENT, "progressDeadlineSeconds", json!(2_147_483_647)),
            (&EXTENSIONS_DEPLOYMENT, "replicas", json!(1)),
            (&DEPLOYMENT_V1BETA1, "strategy", percent()),
            (&DEPLOYMENT_V1BETA1, "revisionHistoryLimit", json!(2)),
            (&DEPLOYMENT_V1BETA1, "progressDeadlineSeconds", json!(600)),
            (&DEPLOYMENT_V1BETA2, "strategy", percent()),
            (&DEPLOYMENT_V1BETA2, "revisionHistoryLimit", json!(10)),
            (&STATEFUL_SET_V1BETA1, "updateStrategy", json!({"type": "OnDelete"})),
            (&STATEFUL_SET_V1BETA1, "podManagementPolicy", json!("OrderedReady")),
            (
                &STATEFUL_SET_V1BETA2,
                "updateStrategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}),
            ),
            (&EXTENSIONS_DAEMON_SET, "updateStrategy", json!({"type": "OnDelete"})),
            (&EXTENSIONS_DAEMON_SET, "revisionHistoryLimit", json!(10)),
            (
                &DAEMON_SET_V1BETA2,
                "updateStrategy",
                json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}),
            ),
        ] {
            assert_eq!(rested(kind, workload())["spec"][field], expected, "{kind:?} {field}");
        }
        for kind in [
            &EXTENSIONS_DEPLOYMENT,
            &EXTENSIONS_DAEMON_SET,
            &EXTENSIONS_REPLICA_SET,
            &DEPLOYMENT_V1BETA1,
            &STATEFUL_SET_V1BETA1,
        ] {
            let rested = rested(kind, workload());
            assert_eq!(rested["spec"]["selector"], json!({"matchLabels": {"app": "web"}}), "{kind:?}");
            assert_eq!(rested["metadata"]["labels"], json!({"app": "web"}), "{kind:?}");
        }
        for kind in [&DEPLOYMENT_V1BETA2, &STATEFUL_SET_V1BETA2, &DAEMON_SET_V1BETA2, &REPLICA_SET_V1BETA2] {
            let rested = rested(kind, workload());
            assert_eq!((&rested["spec"]["selector"], &rested["metadata"]["labels"]), (&Value::Null, &Value::Null));
        }
    }

    #[test]
    fn what_apps_v1_has_no_field_for_rests_in_annotations() {
        let mut deployment = workload();
        deployment["spec"]["rollbackTo"] = json!({"revision": 3});
        let at_rest = rested(&EXTENSIONS_DEPLOYMENT, deployment);
        assert_eq!(at_rest["metadata"]["annotations"], json!({ROLLBACK_TO: "3"}));
        assert_eq!(at_rest["spec"]["rollbackTo"], Value::Null);
        let mut daemon_set = workload();
        daemon_set["spec"]["templateGeneration"] = json!(4);
        let Value::Object(mut at_rest) = rested(&EXTENSIONS_DAEMON_SET, daemon_set) else { panic!("an object") };
        assert_eq!(at_rest["metadata"]["annotations"], json!({TEMPLATE_GENERATION: "4"}));
        EXTENSIONS_DAEMON_SET.rules.out_of_storage(&mut at_rest);
        assert_eq!(
            (&at_rest["spec"]["templateGeneration"], &at_rest["metadata"].get("annotations")),
            (&json!(4), &None)
        );
    }
}
