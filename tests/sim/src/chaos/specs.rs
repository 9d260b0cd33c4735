//! What chance declares.

use serde_json::{Value, json};
use stdx::Random;

/// One of `choices`.
pub(super) fn pick<'a, T>(random: &Random, choices: &'a [T]) -> &'a T {
    &choices[random.below(choices.len() as u64) as usize]
}

/// Images whose containers run until they are told to stop.
pub(super) const LASTING: [&str; 4] = ["app:1", "app:2", "app:3", "app:slow"];
/// Images whose containers end: well; first badly; always badly.
pub(super) const ENDING: [&str; 3] = ["job:good", "job:flaky", "job:bad"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    ReplicaSet,
    ReplicationController,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    Service,
    Budget,
    Quota,
    Autoscaler,
    /// What a finalizer keeps from going.
    Held,
    Claim,
}

impl Kind {
    /// Some more often than others.
    pub(super) const CHOICES: [Kind; 18] = [
        Kind::Deployment,
        Kind::Deployment,
        Kind::Deployment,
        Kind::ReplicaSet,
        Kind::ReplicationController,
        Kind::StatefulSet,
        Kind::StatefulSet,
        Kind::DaemonSet,
        Kind::Job,
        Kind::Job,
        Kind::CronJob,
        Kind::Service,
        Kind::Budget,
        Kind::Quota,
        Kind::Autoscaler,
        Kind::Autoscaler,
        Kind::Held,
        Kind::Claim,
    ];

    /// Where its objects are.
    pub(super) fn path(self, namespace: &str) -> String {
        let (group, plural) = match self {
            Kind::Deployment => ("apis/apps/v1", "deployments"),
            Kind::ReplicaSet => ("apis/apps/v1", "replicasets"),
            Kind::ReplicationController => ("api/v1", "replicationcontrollers"),
            Kind::StatefulSet => ("apis/apps/v1", "statefulsets"),
            Kind::DaemonSet => ("apis/apps/v1", "daemonsets"),
            Kind::Job => ("apis/batch/v1", "jobs"),
            Kind::CronJob => ("apis/batch/v1", "cronjobs"),
            Kind::Service => ("api/v1", "services"),
            Kind::Budget => ("apis/policy/v1", "poddisruptionbudgets"),
            Kind::Quota => ("api/v1", "resourcequotas"),
            Kind::Autoscaler => ("apis/autoscaling/v2", "horizontalpodautoscalers"),
            Kind::Held => ("api/v1", "configmaps"),
            Kind::Claim => ("api/v1", "persistentvolumeclaims"),
        };
        format!("/{group}/namespaces/{namespace}/{plural}")
    }

    pub(super) fn has_replicas(self) -> bool {
        matches!(self, Kind::Deployment | Kind::ReplicaSet | Kind::ReplicationController | Kind::StatefulSet)
    }

    pub(super) fn has_rollouts(self) -> bool {
        matches!(self, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet)
    }

    /// An object of the kind; `app` is the name of a workload that it may be about.
    pub(super) fn manifest(self, name: &str, app: &str, random: &Random) -> Value {
        let selector = json!({"matchLabels": {"app": name}});
        let replicas = random.below(6);
        let images = (*pick(random, &LASTING), *pick(random, &ENDING));
        let lasting = template(name, images.0, "Always", random);
        let ending = template(name, images.1, "Never", random);
        let spec = match self {
            Kind::Deployment => json!({
                "replicas": replicas, "selector": selector, "template": lasting,
                "strategy": strategy(random), "revisionHistoryLimit": random.below(4),
            }),
            Kind::ReplicaSet => json!({"replicas": replicas, "selector": selector, "template": lasting}),
            Kind::ReplicationController => json!({"replicas": replicas, "template": lasting}),
            Kind::StatefulSet => json!({
                "replicas": replicas, "selector": selector, "template": lasting, "serviceName": name,
                "volumeClaimTemplates": claims(random),
                "podManagementPolicy": pick(random, &["OrderedReady", "OrderedReady", "Parallel"]),
                "revisionHistoryLimit": random.below(4),
            }),
            Kind::DaemonSet => {
                let surge = random.below(2);
                json!({
                    "selector": selector, "template": lasting,
                    "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {
                        "maxSurge": surge, "maxUnavailable": 1 - surge,
                    }},
                })
            }
            Kind::Job => json!({
                "completions": 1 + random.below(4), "parallelism": 1 + random.below(3), "template": ending,
                "backoffLimit": 1 + random.below(6), "completionMode": pick(random, &["NonIndexed", "Indexed"]),
            }),
            Kind::CronJob => json!({
                "schedule": "* * * * *", "concurrencyPolicy": pick(random, &["Allow", "Forbid", "Replace"]),
                "successfulJobsHistoryLimit": 1 + random.below(2), "failedJobsHistoryLimit": 1,
                "jobTemplate": {"spec": {"template": ending, "backoffLimit": 1}},
            }),
            Kind::Service => json!({"selector": {"app": app}, "ports": [{"port": 80}]}),
            Kind::Budget => {
                let amount = [json!(1), json!("50%"), json!(2)][random.below(3) as usize].clone();
                let field = *pick(random, &["minAvailable", "maxUnavailable"]);
                json!({"selector": {"matchLabels": {"app": app}}, field: amount})
            }
            Kind::Autoscaler => json!({
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": app},
                "minReplicas": 1 + random.below(2), "maxReplicas": 3 + random.below(4),
                "metrics": [{"type": "Resource", "resource": {
                    "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50 + random.below(40)},
                }}],
            }),
            Kind::Held => {
                return json!({"metadata": {"name": name, "finalizers": ["example.com/held"]}});
            }
            Kind::Claim => claim_spec(),
            Kind::Quota => json!({"hard": {"pods": (4 + random.below(8)).to_string()}}),
        };
        json!({"metadata": {"name": name}, "spec": spec})
    }
}

/// Of each pod; mostly none.
fn claims(random: &Random) -> Value {
    if random.below(3) == 0 { json!([{"metadata": {"name": "data"}, "spec": claim_spec()}]) } else { json!([]) }
}

fn claim_spec() -> Value {
    json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}})
}

fn template(name: &str, image: &str, restart_policy: &str, random: &Random) -> Value {
    let requests = json!({"cpu": pick(random, &["100m", "200m", "300m"])});
    json!({
        "metadata": {"labels": {"app": name}},
        "spec": {
            "restartPolicy": restart_policy,
            "containers": [{"name": "main", "image": image, "resources": {"requests": requests}}],
        },
    })
}

fn strategy(random: &Random) -> Value {
    if random.below(5) == 0 {
        return json!({"type": "Recreate"});
    }
    let (surge, unavailable) = pick(
        random,
        &[("25%", "25%"), ("1", "0"), ("0", "1"), ("50%", "0"), ("2", "2"), ("100%", "0"), ("0", "50%"), ("0%", "1%")],
    );
    let amount = |text: &str| text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number));
    json!({
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": amount(surge), "maxUnavailable": amount(unavailable)},
    })
}
