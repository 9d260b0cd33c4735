//! `/configz`: by which configuration the node runs, as a KubeletConfiguration. What has no counterpart here is left out.

use std::collections::BTreeMap;
use std::time::Duration;

use api::Quantity;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::auth;
use crate::config::NodeFacts;
use crate::config::totals::binary_si;
use crate::node;
use crate::pod::backoff::go_duration;
use crate::policy::{Amount, Policy, Threshold};
use crate::settings;
use crate::shutdown::{self, Grace};

pub(super) fn of(policy: &Policy, node: &NodeFacts, port: u16) -> Value {
    let mut shown = Map::new();
    for part in [of_server(port), of_pods(policy, node), of_eviction(policy), of_managers(policy), of_shutdown(policy)]
    {
        if let Value::Object(fields) = part {
            shown.extend(fields);
        }
    }
    Value::Object(shown)
}

fn of_server(port: u16) -> Value {
    json!({
        "kind": settings::KIND,
        "apiVersion": settings::VERSION,
        "enableServer": true,
        "port": port,
        "readOnlyPort": 0,
        "authentication": {
            "x509": {},
            "webhook": { "enabled": true, "cacheTTL": go_duration(auth::TOKEN_KEPT_FOR) },
            "anonymous": { "enabled": false },
        },
        "authorization": {
            "mode": "Webhook",
            "webhook": {
                "cacheAuthorizedTTL": go_duration(auth::GRANT_KEPT_FOR),
                "cacheUnauthorizedTTL": go_duration(auth::DENIAL_KEPT_FOR),
            },
        },
        "enableDebuggingHandlers": true,
        "enableSystemLogHandler": true,
        "enableSystemLogQuery": true,
        "nodeStatusReportFrequency": go_duration(node::REPORT_EVERY),
        "nodeLeaseDurationSeconds": node::LEASE_SECONDS,
        "nodeStatusMaxImages": node::MAXIMUM_IMAGES,
        "registerNode": true,
    })
}

fn of_pods(policy: &Policy, node: &NodeFacts) -> Value {
    json!({
        "podLogsDir": node.pod_log_dir,
        "clusterDomain": node.cluster_domain,
        "clusterDNS": [node.cluster_dns],
        "resolvConf": node.resolv_conf,
        "cgroupRoot": node.cgroup_root,
        "cgroupsPerQOS": true,
        "cgroupDriver": "cgroupfs",
        "cpuCFSQuota": true,
        "cpuCFSQuotaPeriod": "100ms",
        "failSwapOn": false,
        "failCgroupV1": false,
        "memorySwap": {},
        "maxPods": policy.maximum_pods,
        "podPidsLimit": policy.pod_pids_limit,
        "seccompDefault": true,
        "serializeImagePulls": false,
        "enableControllerAttachDetach": true,
        "localStorageCapacityIsolation": true,
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "containerLogMaxSize": binary_si(i64::try_from(policy.container_log_maximum_bytes).unwrap_or(i64::MAX)),
        "containerLogMaxFiles": policy.container_log_maximum_files,
    })
}

fn of_eviction(policy: &Policy) -> Value {
    let each = |soft: bool, shown: fn(&Threshold) -> Option<String>| -> Map<String, Value> {
        let chosen = policy.thresholds.iter().filter(|threshold| threshold.grace.is_some() == soft);
        chosen.filter_map(|one| Some((one.signal.as_str().to_owned(), shown(one)?.into()))).collect()
    };
    let amount = |threshold: &Threshold| match threshold.amount {
        Amount::Units(units) => Some(binary_si(units)),
        Amount::Percent { percent, .. } => Some(format!("{percent}%")),
    };
    let least = |threshold: &Threshold| Some(threshold.minimum_reclaim).filter(|least| *least > 0).map(binary_si);
    let mut reclaim = each(false, least);
    reclaim.extend(each(true, least));
    json!({
        "evictionHard": each(false, amount),
        "evictionSoft": each(true, amount),
        "evictionSoftGracePeriod": each(true, |threshold| threshold.grace.map(shown)),
        "evictionMinimumReclaim": reclaim,
        "evictionPressureTransitionPeriod": shown(policy.pressure_transition_period),
        "evictionMaxPodGracePeriod": policy.maximum_pod_grace_seconds,
        "imageGCHighThresholdPercent": policy.image_high_percent,
        "imageGCLowThresholdPercent": policy.image_low_percent,
        "imageMinimumGCAge": shown(policy.image_minimum_age),
        "imageMaximumGCAge": "0s",
    })
}

fn of_managers(policy: &Policy) -> Value {
    let amounts = |table: &BTreeMap<String, Quantity>| -> Map<String, Value> {
        let shown = |(name, amount): (&String, &Quantity)| match name.as_str() {
            "cpu" if amount.millis() % 1000 != 0 => (name.clone(), format!("{}m", amount.millis()).into()),
            "cpu" => (name.clone(), amount.units().to_string().into()),
            _ => (name.clone(), binary_si(amount.units()).into()),
        };
        table.iter().map(shown).collect()
    };
    json!({
        "kubeReserved": amounts(&policy.kube_reserved),
        "systemReserved": amounts(&policy.system_reserved),
        "cpuManagerPolicy": policy.managers.cpu,
        "reservedSystemCPUs": policy.managers.reserved_cpus.as_ref().map(ToString::to_string),
        "memoryManagerPolicy": policy.managers.memory,
        "reservedMemory": policy.managers.reserved_memory,
        "topologyManagerPolicy": policy.managers.topology,
        "topologyManagerScope": policy.managers.scope,
    })
}

/// In the short form where that says it all.
fn of_shutdown(policy: &Policy) -> Value {
    let graces = &policy.shutdown_graces;
    let critical = graces.get(1).map_or(0, |grace| grace.seconds);
    let whole = critical + graces.first().map_or(0, |grace| grace.seconds);
    let seconds = |seconds: i64| go_duration(Duration::from_secs(seconds.unsigned_abs()));
    if *graces == shutdown::graces_of(whole, critical) {
        return json!({ "shutdownGracePeriod": seconds(whole), "shutdownGracePeriodCriticalPods": seconds(critical) });
    }
    let each = |grace: &Grace| json!({ "priority": grace.priority, "shutdownGracePeriodSeconds": grace.seconds });
    json!({
        "shutdownGracePeriod": seconds(0),
        "shutdownGracePeriodCriticalPods": seconds(0),
        "shutdownGracePeriodByPodPriority": graces.iter().map(each).collect::<Vec<Value>>(),
    })
}

fn shown(duration: SignedDuration) -> String {
    go_duration(duration.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::node_facts;

    /// Whether what is shown, given back as a configuration, means the same.
    fn check(configuration: &str) -> Value {
        let header = format!("apiVersion: {}\nkind: {}\n", settings::VERSION, settings::KIND);
        let policy = settings::parse(format!("{header}{configuration}").as_bytes()).unwrap();
        let shown = of(&policy, &node_facts(), 10250);
        let again = settings::parse(shown.to_string().as_bytes()).unwrap();
        assert_eq!(of(&again, &node_facts(), 10250), shown, "{configuration}");
        shown
    }

    #[test]
    fn what_is_shown_is_what_was_asked_for() {
        let shown = check(
            "evictionHard: {memory.available: 5%, nodefs.available: 1Gi}\nevictionSoft: {memory.available: 2Gi}\n\
             evictionSoftGracePeriod: {memory.available: 1m30s}\nevictionMinimumReclaim: {memory.available: 1Mi}\n\
             kubeReserved: {cpu: 500m, memory: 1Mi}\nshutdownGracePeriod: 30s\nshutdownGracePeriodCriticalPods: 10s\n\
             maxPods: 20\nimageMinimumGCAge: 0s\n",
        );
        assert_eq!(shown["evictionHard"], json!({ "memory.available": "5%", "nodefs.available": "1Gi" }));
        assert_eq!(shown["evictionSoft"], json!({ "memory.available": "2Gi" }));
        assert_eq!(shown["evictionSoftGracePeriod"], json!({ "memory.available": "1m30s" }));
        assert_eq!(shown["evictionMinimumReclaim"], json!({ "memory.available": "1Mi" }));
        assert_eq!(shown["kubeReserved"], json!({ "cpu": "500m", "memory": "1Mi" }));
        assert_eq!(
            (&shown["shutdownGracePeriod"], &shown["shutdownGracePeriodCriticalPods"]),
            (&json!("30s"), &json!("10s"))
        );
        assert_eq!((&shown["maxPods"], &shown["imageMinimumGCAge"]), (&json!(20), &json!("0s")));
        let by_priority = check(
            "shutdownGracePeriodByPodPriority:\n- {priority: 0, shutdownGracePeriodSeconds: 5}\n\
             - {priority: 7, shutdownGracePeriodSeconds: 9}\n- {priority: 8, shutdownGracePeriodSeconds: 1}\n",
        );
        assert_eq!(by_priority["shutdownGracePeriodByPodPriority"][1]["shutdownGracePeriodSeconds"], 9);
    }

    #[test]
    fn upstreams_defaults_are_shown_under_upstreams_names() {
        let shown = check("");
        for (name, value) in [
            ("maxPods", json!(110)),
            ("evictionPressureTransitionPeriod", json!("5m0s")),
            ("imageGCHighThresholdPercent", json!(85)),
            ("imageGCLowThresholdPercent", json!(80)),
            ("imageMinimumGCAge", json!("2m0s")),
            ("containerLogMaxSize", json!("10Mi")),
            ("containerLogMaxFiles", json!(5)),
            ("nodeStatusReportFrequency", json!("5m0s")),
            ("nodeLeaseDurationSeconds", json!(40)),
            ("nodeStatusMaxImages", json!(50)),
            ("cpuManagerPolicy", json!("none")),
            ("memoryManagerPolicy", json!("None")),
            ("topologyManagerPolicy", json!("none")),
            ("topologyManagerScope", json!("container")),
            ("shutdownGracePeriod", json!("0s")),
            ("port", json!(10250)),
            ("clusterDNS", json!(["10.96.0.10"])),
        ] {
            assert_eq!(shown[name], value, "{name}");
        }
        assert_eq!(shown["authentication"]["webhook"]["cacheTTL"], "2m0s");
    }
}
