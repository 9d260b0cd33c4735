//! What objects use of a ResourceQuota. Admission charges by this and the quota controller counts by
//! it, so that both come to the same numbers.

use std::collections::BTreeMap;
use std::fmt;

use api::Quantity;
use api::quantity::{Format, ParseQuantityError};
use jiff::Timestamp;

use crate::fields::{get_array, get_bool, get_object, get_str, items, text};
use crate::kind::{Kind, Object};

mod pod;
mod scopes;

pub use pod::resources as pod_resources;
pub use scopes::is_in_scope;

/// An amount and the family of suffixes it was written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub quantity: Quantity,
    pub format: Format,
}

/// How much of each resource.
pub type Amounts = BTreeMap<String, Amount>;

impl Amount {
    pub const ONE: Amount = Amount::count(1);

    pub const fn count(count: i64) -> Self {
        Amount { quantity: Quantity::from_units(count), format: Format::Decimal }
    }

    pub fn parse(text: &str) -> Result<Self, ParseQuantityError> {
        Ok(Amount { quantity: text.parse()?, format: Format::of(text) })
    }

    /// The sum, in the family of the first unless that is nothing.
    #[must_use]
    pub fn plus(self, other: Amount) -> Self {
        let format = if self.quantity == Quantity::ZERO { other.format } else { self.format };
        Amount { quantity: self.quantity.saturating_add(other.quantity), format }
    }

    #[must_use]
    pub fn minus(self, other: Amount) -> Self {
        let format = if self.quantity == Quantity::ZERO { other.format } else { self.format };
        Amount { quantity: self.quantity.saturating_sub(other.quantity), format }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.quantity.to_text(self.format))
    }
}

/// The amounts of a map in an object. What cannot be read is the validation's business, and left out.
pub fn amounts(object: &Object, path: &str) -> Amounts {
    let map = get_object(object, path).into_iter().flatten();
    map.filter_map(|(resource, amount)| Some((resource.clone(), Amount::parse(amount.as_str()?).ok()?))).collect()
}

/// Adds what the second holds to the first.
pub fn add(to: &mut Amounts, other: &Amounts) {
    for (resource, amount) in other {
        let sum = to.entry(resource.clone()).or_default();
        *sum = sum.plus(*amount);
    }
}

/// What an object that exists uses.
pub fn usage(kind: &Kind, object: &Object, now: Timestamp) -> Amounts {
    let mut used = Amounts::from([(count_of(kind), Amount::ONE)]);
    match (kind.group, kind.plural) {
        ("", "pods") => used.extend(pod::usage(object, now)),
        ("", "services") => used.extend(service_usage(object)),
        ("", "persistentvolumeclaims") => used.extend(claim_usage(object)),
        ("", plural) if COUNTED_BY_NAME.contains(&plural) => {
            used.insert(plural.to_owned(), Amount::ONE);
        }
        _ => {}
    }
    used
}

/// Whether a resource named in a quota is one that objects of this kind use.
pub fn is_used_by(kind: &Kind, resource: &str) -> bool {
    if resource == count_of(kind) {
        return true;
    }
    match (kind.group, kind.plural) {
        ("", "pods") => pod::uses(resource),
        ("", "services") => matches!(resource, "services" | "services.nodeports" | "services.loadbalancers"),
        ("", "persistentvolumeclaims") => {
            matches!(resource, "persistentvolumeclaims" | "requests.storage")
                || resource.strip_suffix(CLASS_CLAIMS).is_some_and(|class| !class.is_empty())
                || resource.strip_suffix(CLASS_STORAGE).is_some_and(|class| !class.is_empty())
        }
        ("", plural) => plural == resource && COUNTED_BY_NAME.contains(&plural),
        _ => false,
    }
}

/// Whether an update, not only a creation, can change what an object uses.
pub fn changes_on_update(kind: &Kind) -> bool {
    kind.group.is_empty() && matches!(kind.plural, "services" | "persistentvolumeclaims")
}

/// What an object must say because a quota counts it, and does not: `must specify …`.
pub fn unspecified(kind: &Kind, object: &Object, resources: &[&str]) -> Option<String> {
    (kind.group.is_empty() && kind.plural == "pods").then(|| pod::unspecified(object, resources)).flatten()
}

/// Kinds of the core group that are counted under their bare names, as before `count/`.
const COUNTED_BY_NAME: [&str; 4] = ["configmaps", "resourcequotas", "replicationcontrollers", "secrets"];

const CLASS_CLAIMS: &str = ".storageclass.storage.k8s.io/persistentvolumeclaims";
const CLASS_STORAGE: &str = ".storageclass.storage.k8s.io/requests.storage";

/// `count/pods`, `count/deployments.apps`.
fn count_of(kind: &Kind) -> String {
    format!("count/{}", kind.qualified_plural())
}

fn service_usage(service: &Object) -> Amounts {
    let ports = get_array(service, "spec.ports");
    let all = ports.len();
    let assigned = items(service, "spec.ports").filter(|port| crate::fields::number(port, "nodePort") != 0).count();
    let allocates = get_bool(service, "spec.allocateLoadBalancerNodePorts").unwrap_or(true);
    let (node_ports, balancers) = match text(service, "spec.type") {
        "NodePort" => (all, 0),
        "LoadBalancer" if allocates => (all, 1),
        "LoadBalancer" => (assigned, 1),
        _ => (0, 0),
    };
    let node_ports = i64::try_from(node_ports).unwrap_or(i64::MAX);
    Amounts::from([
        ("services".to_owned(), Amount::ONE),
        ("services.nodeports".to_owned(), Amount::count(node_ports)),
        ("services.loadbalancers".to_owned(), Amount::count(balancers)),
    ])
}

fn claim_usage(claim: &Object) -> Amounts {
    let mut used = Amounts::from([("persistentvolumeclaims".to_owned(), Amount::ONE)]);
    let annotation = get_object(claim, "metadata.annotations")
        .and_then(|annotations| annotations.get("volume.beta.kubernetes.io/storage-class")?.as_str());
    let class = annotation.unwrap_or_else(|| text(claim, "spec.storageClassName"));
    if !class.is_empty() {
        used.insert(format!("{class}{CLASS_CLAIMS}"), Amount::ONE);
    }
    let amount = |path: &str| get_str(claim, path).and_then(|text| Amount::parse(text).ok());
    let (wanted, allocated) = (amount("spec.resources.requests.storage"), amount("status.allocatedResources.storage"));
    // While a claim shrinks back from a growth that failed, the greater of both counts.
    let storage = match (wanted, allocated) {
        (Some(wanted), Some(allocated)) if allocated.quantity > wanted.quantity => Some(allocated),
        (wanted, allocated) => wanted.or(allocated),
    };
    if let Some(storage) = storage {
        used.insert("requests.storage".to_owned(), storage);
        if !class.is_empty() {
            used.insert(format!("{class}{CLASS_STORAGE}"), storage);
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::config_map::CONFIG_MAP;
    use crate::core::persistent_volume_claim::PERSISTENT_VOLUME_CLAIM;
    use crate::core::service::SERVICE;

    fn describe(kind: &Kind, object: Value) -> Vec<String> {
        let Value::Object(object) = object else { panic!("an object") };
        let used = usage(kind, &object, Timestamp::UNIX_EPOCH);
        for resource in used.keys() {
            assert!(is_used_by(kind, resource), "{resource}");
        }
        used.iter().map(|(resource, amount)| format!("{resource}={amount}")).collect()
    }

    #[test]
    fn objects_are_counted_under_both_names() {
        assert_eq!(describe(&CONFIG_MAP, json!({})), ["configmaps=1", "count/configmaps=1"]);
        assert_eq!(describe(&crate::apps::deployment::DEPLOYMENT, json!({})), ["count/deployments.apps=1"]);
        assert!(!is_used_by(&crate::apps::deployment::DEPLOYMENT, "deployments"));
    }

    #[test]
    fn services_use_ports_and_balancers_by_their_type() {
        let ports = json!([{"port": 80}, {"port": 443, "nodePort": 30443}]);
        for (spec, node_ports, balancers) in [
            (json!({"type": "ClusterIP", "ports": ports}), 0, 0),
            (json!({"type": "NodePort", "ports": ports}), 2, 0),
            (json!({"type": "LoadBalancer", "ports": ports}), 2, 1),
            (json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false}), 1, 1),
        ] {
            let expected = [
                "count/services=1".to_owned(),
                "services=1".to_owned(),
                format!("services.loadbalancers={balancers}"),
                format!("services.nodeports={node_ports}"),
            ];
            assert_eq!(describe(&SERVICE, json!({ "spec": spec })), expected);
        }
    }

    #[test]
    fn claims_use_storage_of_all_and_of_their_class() {
        let spec = json!({"storageClassName": "gold", "resources": {"requests": {"storage": "10Gi"}}});
        assert_eq!(
            describe(&PERSISTENT_VOLUME_CLAIM, json!({ "spec": spec })),
            [
                "count/persistentvolumeclaims=1",
                "gold.storageclass.storage.k8s.io/persistentvolumeclaims=1",
                "gold.storageclass.storage.k8s.io/requests.storage=10Gi",
                "persistentvolumeclaims=1",
                "requests.storage=10Gi",
            ]
        );
    }

    #[test]
    fn sums_keep_the_suffixes_of_the_first() {
        let amount = |text: &str| Amount::parse(text).unwrap();
        assert_eq!(amount("1Gi").plus(amount("1073741824")).to_string(), "2Gi");
        assert_eq!(amount("0").plus(amount("1Gi")).to_string(), "1Gi");
        assert_eq!(amount("1").minus(amount("250m")).to_string(), "750m");
    }
}
