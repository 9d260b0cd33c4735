//! What a pod uses of a quota.

use std::collections::{BTreeMap, BTreeSet};

use api::Quantity;
use jiff::{SignedDuration, Timestamp};

use super::{Amount, Amounts, add, amounts};
use crate::fields::{get_i64, get_object, items, text};
use crate::kind::Object;

/// Resources a quota may name with and without `requests.` before them, and with `limits.`.
const COMPUTE: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// What every container must state where a quota counts it. Later additions are not asked for.
const STATED: [&str; 6] = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/// The requests, or the limits, of a pod as a whole: containers and sidecars run together, other init
/// containers one after the other before them; what the pod says itself counts before that of its
/// containers, and the overhead of its runtime comes on top.
pub fn resources(spec: &Object, list: &str) -> Amounts {
    let of = |container: &Object| amounts(container, &format!("resources.{list}"));
    let mut total = Amounts::new();
    for container in items(spec, "containers") {
        add(&mut total, &of(container));
    }
    let (mut sidecars, mut starting) = (Amounts::new(), Amounts::new());
    for container in items(spec, "initContainers") {
        let mut running = of(container);
        if text(container, "restartPolicy") == "Always" {
            add(&mut total, &running);
            add(&mut sidecars, &running);
            running.clone_from(&sidecars);
        } else {
            add(&mut running, &sidecars);
        }
        raise(&mut starting, &running);
    }
    raise(&mut total, &starting);
    for (resource, amount) in amounts(spec, &format!("resources.{list}")) {
        total.insert(resource, amount);
    }
    for (resource, amount) in amounts(spec, "overhead") {
        match total.get_mut(&resource) {
            Some(present) if list == "requests" || present.quantity != Quantity::ZERO => {
                *present = present.plus(amount)
            }
            None if list == "requests" => {
                total.insert(resource, amount);
            }
            // Without a limit the overhead makes none.
            _ => {}
        }
    }
    total
}

fn raise(to: &mut Amounts, other: &Amounts) {
    for (resource, amount) in other {
        match to.get_mut(resource) {
            Some(present) if present.quantity >= amount.quantity => {}
            _ => {
                to.insert(resource.clone(), *amount);
            }
        }
    }
}

/// What the pod uses beside its place in storage; a pod that has ended uses nothing.
pub(super) fn usage(pod: &Object, now: Timestamp) -> Amounts {
    if has_ended(pod, now) {
        return Amounts::new();
    }
    let Some(spec) = get_object(pod, "spec") else { return Amounts::new() };
    compute_usage(&resources(spec, "requests"), &resources(spec, "limits"))
}

pub(super) fn uses(resource: &str) -> bool {
    let bare = resource.strip_prefix("requests.").unwrap_or(resource);
    resource == "pods"
        || COMPUTE.contains(&bare)
        || resource.strip_prefix("limits.").is_some_and(|limited| COMPUTE.contains(&limited))
        || bare.starts_with("hugepages-")
        || resource.strip_prefix("requests.").is_some_and(is_extended)
}

/// `must specify limits.memory for: a,b; …` where containers leave out what is counted.
pub(super) fn unspecified(pod: &Object, resources: &[&str]) -> Option<String> {
    let spec = get_object(pod, "spec")?;
    let of_pod = compute_usage(&amounts(spec, "resources.requests"), &amounts(spec, "resources.limits"));
    let required: Vec<&str> =
        resources.iter().copied().filter(|name| STATED.contains(name) && !of_pod.contains_key(*name)).collect();
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for container in items(spec, "containers").chain(items(spec, "initContainers")) {
        let stated = compute_usage(&amounts(container, "resources.requests"), &amounts(container, "resources.limits"));
        for name in required.iter().filter(|name| !stated.contains_key(**name)) {
            missing.entry(name).or_default().insert(text(container, "name"));
        }
    }
    if missing.is_empty() {
        return None;
    }
    let lines: Vec<String> = missing
        .into_iter()
        .map(|(resource, containers)| {
            format!("{resource} for: {}", containers.into_iter().collect::<Vec<_>>().join(","))
        })
        .collect();
    Some(format!("must specify {}", lines.join("; ")))
}

/// Requests and limits under the names that quotas use.
fn compute_usage(requests: &Amounts, limits: &Amounts) -> Amounts {
    let mut used = Amounts::from([("pods".to_owned(), Amount::ONE)]);
    for (resource, amount) in requests {
        let is_compute = COMPUTE.contains(&resource.as_str()) || resource.starts_with("hugepages-");
        if is_compute {
            used.insert(resource.clone(), *amount);
        }
        if is_compute || is_extended(resource) {
            used.insert(format!("requests.{resource}"), *amount);
        }
    }
    for (resource, amount) in limits.iter().filter(|(resource, _)| COMPUTE.contains(&resource.as_str())) {
        used.insert(format!("limits.{resource}"), *amount);
    }
    used
}

/// A resource of somebody's own: qualified by a domain that is not Kubernetes'.
fn is_extended(resource: &str) -> bool {
    resource.contains('/') && !resource.contains("kubernetes.io/") && !resource.starts_with("requests.")
}

/// Over, or lost for longer than it was given to end.
fn has_ended(pod: &Object, now: Timestamp) -> bool {
    if matches!(text(pod, "status.phase"), "Succeeded" | "Failed") {
        return true;
    }
    let deleted: Option<Timestamp> = text(pod, "metadata.deletionTimestamp").parse().ok();
    let grace = get_i64(pod, "metadata.deletionGracePeriodSeconds");
    match (deleted, grace) {
        (Some(deleted), Some(grace)) => {
            deleted.checked_add(SignedDuration::from_secs(grace)).is_ok_and(|gone| now > gone)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn lines(amounts: &Amounts) -> Vec<String> {
        amounts.iter().map(|(resource, amount)| format!("{resource}={amount}")).collect()
    }

    #[test]
    fn init_containers_count_while_they_run_and_sidecars_for_good() {
        let cpu = |amount: &str| json!({"requests": {"cpu": amount}});
        for (init, expected) in [
            (json!([]), "cpu=300m"),
            (json!([{"resources": cpu("250m")}]), "cpu=300m"),
            (json!([{"resources": cpu("2")}]), "cpu=2"),
            (json!([{"resources": cpu("1"), "restartPolicy": "Always"}]), "cpu=1300m"),
            (json!([{"resources": cpu("1"), "restartPolicy": "Always"}, {"resources": cpu("2")}]), "cpu=3"),
            (json!([{"resources": cpu("2")}, {"resources": cpu("1"), "restartPolicy": "Always"}]), "cpu=2"),
        ] {
            let containers = json!([{"resources": cpu("100m")}, {"resources": cpu("200m")}]);
            let spec = object(json!({"containers": containers, "initContainers": init}));
            assert_eq!(lines(&resources(&spec, "requests")), [expected], "{init}");
        }
        let spec = object(json!({
            "containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}],
            "resources": {"requests": {"cpu": "4"}},
            "overhead": {"cpu": "250m", "memory": "1Gi"},
        }));
        assert_eq!(lines(&resources(&spec, "requests")), ["cpu=4250m", "memory=1Gi"]);
        assert_eq!(lines(&resources(&spec, "limits")), ["memory=2Gi"]);
    }

    #[test]
    fn a_pod_uses_its_resources_until_it_has_ended() {
        let spec = json!({"containers": [{"resources": {
            "requests": {"cpu": "1", "nvidia.com/gpu": "2", "hugepages-2Mi": "4Mi"}, "limits": {"memory": "1Gi"},
        }}]});
        let now: Timestamp = "2030-01-01T00:01:00Z".parse().unwrap();
        let running = object(json!({ "spec": spec }));
        assert_eq!(
            lines(&usage(&running, now)),
            [
                "cpu=1",
                "hugepages-2Mi=4Mi",
                "limits.memory=1Gi",
                "pods=1",
                "requests.cpu=1",
                "requests.hugepages-2Mi=4Mi",
                "requests.nvidia.com/gpu=2",
            ]
        );
        assert!(usage(&running, now).keys().all(|resource| uses(resource)));
        let deleted = json!({"deletionTimestamp": "2030-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30});
        for ended in [json!({"spec": spec, "status": {"phase": "Failed"}}), json!({"spec": spec, "metadata": deleted})]
        {
            assert!(usage(&object(ended), now).is_empty());
        }
    }

    #[test]
    fn what_is_counted_must_be_stated() {
        let pod = object(json!({"spec": {
            "containers": [{"name": "b"}, {"name": "a", "resources": {"limits": {"memory": "1Gi"}}}],
            "initContainers": [{"name": "i"}],
        }}));
        assert_eq!(
            unspecified(&pod, &["limits.memory", "requests.cpu", "requests.ephemeral-storage", "pods"]).unwrap(),
            "must specify limits.memory for: b,i; requests.cpu for: a,b,i"
        );
        assert_eq!(unspecified(&pod, &["pods"]), None);
    }
}
