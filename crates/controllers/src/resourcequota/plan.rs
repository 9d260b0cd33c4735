//! What a quota's status should say.

use api::k8s::api::core::v1::{ResourceQuota, ResourceQuotaStatus};
use api::k8s::apimachinery::pkg::api::resource::Quantity;
use api::k8s::jiff::Timestamp;
use registry::quota::{self, Amount, Amounts};
use registry::{KINDS, Kind, Object};
use serde_json::Value;

/// The kinds whose objects use the named resources, and the names that no built-in kind uses.
pub(super) fn counted_kinds<'a>(resources: impl Iterator<Item = &'a str>) -> (Vec<&'static Kind>, Vec<String>) {
    let (mut kinds, mut others) = (Vec::new(), Vec::new());
    for resource in resources {
        // What rests as another kind is counted as that.
        let is_counted =
            |kind: &&&'static Kind| kind.is_namespaced() && kind.storage.is_none() && quota::is_used_by(kind, resource);
        let before = kinds.len();
        kinds.extend(KINDS.iter().filter(is_counted).copied());
        if kinds.len() == before {
            others.push(resource.to_owned());
        }
    }
    (kinds, others)
}

/// `seen` are the objects by kind, `custom` the counts of kinds that are not built in. `None` where the status says so
/// already.
pub(super) fn plan(
    given: &ResourceQuota,
    seen: &[(&'static Kind, Vec<Object>)],
    custom: &[(String, usize)],
    now: Timestamp,
) -> Result<Option<ResourceQuotaStatus>, serde_json::Error> {
    let Value::Object(as_object) = serde_json::to_value(given)? else { return Ok(None) };
    let mut used = Amounts::new();
    for (kind, objects) in seen {
        for object in objects.iter().filter(|object| quota::is_in_scope(&as_object, kind, object)) {
            quota::add(&mut used, &quota::usage(kind, object, now));
        }
    }
    for (resource, count) in custom {
        used.insert(resource.clone(), Amount::count(i64::try_from(*count).unwrap_or(i64::MAX)));
    }
    let hard = given.spec.as_ref().and_then(|spec| spec.hard.clone()).unwrap_or_default();
    let amount = |resource: &String| used.get(resource).copied().unwrap_or_else(|| Amount::count(0)).to_string();
    let used = hard.keys().map(|resource| (resource.clone(), Quantity(amount(resource)))).collect();
    let status = ResourceQuotaStatus { hard: Some(hard), used: Some(used) };
    Ok((given.status.as_ref() != Some(&status)).then_some(status))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn kind(plural: &str) -> &'static Kind {
        registry::by_resource("", "v1", plural).unwrap()
    }

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn pod(cpu: Option<&str>, phase: &str) -> Object {
        let resources = cpu.map_or(json!({}), |cpu| json!({"requests": {"cpu": cpu}, "limits": {"memory": "1Gi"}}));
        object(json!({
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "main", "resources": resources}]},
            "status": {"phase": phase},
        }))
    }

    fn used(hard: Value, scopes: Value) -> String {
        let quota: ResourceQuota = serde_json::from_value(json!({"spec": {"hard": hard, "scopes": scopes}})).unwrap();
        let claims = |class: &str, size: &str| {
            object(json!({"spec": {"storageClassName": class, "resources": {"requests": {"storage": size}}}}))
        };
        let seen = [
            (kind("pods"), vec![pod(Some("500m"), "Running"), pod(None, "Running"), pod(Some("9"), "Succeeded")]),
            (kind("persistentvolumeclaims"), vec![claims("fast", "1Gi"), claims("slow", "2Gi")]),
            (kind("configmaps"), vec![Object::new(), Object::new()]),
        ];
        let custom = [("count/trees.example.com".to_owned(), 3)];
        let status = plan(&quota, &seen, &custom, Timestamp::UNIX_EPOCH).unwrap().unwrap();
        let used = status.used.unwrap();
        used.iter().map(|(resource, amount)| format!("{resource}={}", amount.0)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn everything_countable_is_counted() {
        assert_eq!(used(json!({"pods": "9", "count/pods": "9"}), json!([])), "count/pods=3 pods=2");
        assert_eq!(
            used(json!({"requests.cpu": "9", "cpu": "9", "limits.memory": "9"}), json!([])),
            "cpu=500m limits.memory=1Gi requests.cpu=500m"
        );
        assert_eq!(used(json!({"pods": "9"}), json!(["BestEffort"])), "pods=1");
        assert_eq!(used(json!({"pods": "9"}), json!(["NotBestEffort"])), "pods=1");
        assert_eq!(
            used(
                json!({
                    "requests.storage": "9Gi",
                    "fast.storageclass.storage.k8s.io/requests.storage": "9Gi",
                    "slow.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
                }),
                json!([])
            ),
            "fast.storageclass.storage.k8s.io/requests.storage=1Gi requests.storage=3Gi \
             slow.storageclass.storage.k8s.io/persistentvolumeclaims=1"
        );
        assert_eq!(
            used(json!({"count/configmaps": "9", "configmaps": "9", "secrets": "9"}), json!([])),
            "configmaps=2 count/configmaps=2 secrets=0"
        );
        assert_eq!(used(json!({"count/trees.example.com": "9"}), json!([])), "count/trees.example.com=3");
    }

    #[test]
    fn a_status_that_is_right_is_left_alone() {
        let quota = json!({
            "spec": {"hard": {"configmaps": "1"}},
            "status": {"hard": {"configmaps": "1"}, "used": {"configmaps": "0"}},
        });
        let quota = serde_json::from_value(quota).unwrap();
        assert_eq!(plan(&quota, &[], &[], Timestamp::UNIX_EPOCH).unwrap(), None);
    }

    #[test]
    fn names_lead_to_kinds() {
        let names = |resources: &[&str]| {
            let (kinds, others) = counted_kinds(resources.iter().copied());
            let kinds: Vec<String> = kinds.iter().map(|kind| kind.qualified_plural()).collect();
            (kinds.join(" "), others.join(" "))
        };
        assert_eq!(names(&["pods"]), ("pods".into(), String::new()));
        assert_eq!(names(&["count/deployments.apps"]), ("deployments.apps".into(), String::new()));
        assert_eq!(names(&["services.nodeports"]), ("services".into(), String::new()));
        assert_eq!(names(&["count/trees.example.com"]), (String::new(), "count/trees.example.com".into()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Processors in thousandths, by pod; the phase says whether it counts.
        #[test]
        fn what_is_used_is_the_sum_of_what_counts_in_any_order(
            pods in prop::collection::vec((1..5000_u32, prop::sample::select(vec!["Pending", "Running", "Succeeded", "Failed"])), 0..20),
        ) {
            let quota = json!({"spec": {"hard": {"pods": "5", "requests.cpu": "3", "count/pods": "9"}}});
            let mut quota: ResourceQuota = serde_json::from_value(quota).unwrap();
            let objects: Vec<Object> = pods.iter().map(|(cpu, phase)| pod(Some(&format!("{cpu}m")), phase)).collect();
            let turned = objects.iter().rev().cloned().collect();
            let status = plan(&quota, &[(kind("pods"), objects.clone())], &[], Timestamp::UNIX_EPOCH).unwrap().unwrap();
            let again = plan(&quota, &[(kind("pods"), turned)], &[], Timestamp::UNIX_EPOCH).unwrap().unwrap();
            prop_assert_eq!(&status, &again);
            let used = status.used.clone().unwrap();
            let counted: Vec<u32> =
                pods.iter().filter(|(_, phase)| !["Succeeded", "Failed"].contains(phase)).map(|(cpu, _)| *cpu).collect();
            prop_assert_eq!(&used["pods"].0, &counted.len().to_string());
            prop_assert_eq!(&used["count/pods"].0, &pods.len().to_string());
            let cpu = used["requests.cpu"].0.parse::<api::Quantity>().unwrap();
            prop_assert_eq!(cpu, format!("{}m", counted.iter().sum::<u32>()).parse().unwrap());
            // Once it is written there is nothing to write.
            quota.status = Some(status);
            prop_assert_eq!(plan(&quota, &[(kind("pods"), objects)], &[], Timestamp::UNIX_EPOCH).unwrap(), None);
        }
    }
}
