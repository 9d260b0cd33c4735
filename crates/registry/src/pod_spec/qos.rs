//! The quality of service a pod's resources earn it.

use std::collections::BTreeMap;

use api::Quantity;

use super::CONTAINER_LISTS;
use crate::fields::{get_object, items};
use crate::kind::Object;

/// Resources that count.
const COUNTED: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn class(spec: &Object) -> &'static str {
    let mut requests = BTreeMap::new();
    let mut limits = BTreeMap::new();
    let mut every_container_is_limited = true;
    let pod_level = get_object(spec, "resources").map(|_| spec);
    let containers: Vec<&Object> = match pod_level {
        Some(spec) => vec![spec],
        None => CONTAINER_LISTS.iter().flat_map(|list| items(spec, list)).collect(),
    };
    for container in containers {
        add(container, "resources.requests", &mut requests);
        let limited = add(container, "resources.limits", &mut limits);
        every_container_is_limited &= limited == COUNTED.len();
    }
    if requests.is_empty() && limits.is_empty() {
        "BestEffort"
    } else if every_container_is_limited && requests == limits {
        "Guaranteed"
    } else {
        "Burstable"
    }
}

/// Adds the amounts above zero to the totals; how many there were. An amount that cannot be read is
/// the validation's business and counts as none.
fn add<'a>(container: &'a Object, path: &str, totals: &mut BTreeMap<&'a str, Quantity>) -> usize {
    let mut found = 0;
    for (resource, amount) in get_object(container, path).into_iter().flatten() {
        let amount = amount.as_str().and_then(|text| text.parse::<Quantity>().ok());
        let Some(amount) = amount.filter(|amount| *amount > Quantity::ZERO) else { continue };
        if COUNTED.contains(&resource.as_str()) {
            let total = totals.entry(resource).or_insert(Quantity::ZERO);
            *total = total.saturating_add(amount);
            found += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn resources_earn_their_class() {
        let both = json!({"cpu": "1", "memory": "1Gi"});
        for (containers, expected) in [
            (json!([{}]), "BestEffort"),
            (json!([{"resources": {"requests": {"cpu": "0"}}}]), "BestEffort"),
            (json!([{"resources": {"requests": {"nvidia.com/gpu": "1"}}}]), "BestEffort"),
            (json!([{"resources": {"limits": both, "requests": {"cpu": "1000m", "memory": "1024Mi"}}}]), "Guaranteed"),
            (json!([{"resources": {"limits": both, "requests": {"cpu": "500m", "memory": "1Gi"}}}]), "Burstable"),
            (json!([{"resources": {"limits": both, "requests": both}}, {}]), "Burstable"),
            (json!([{"resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}}]), "Burstable"),
        ] {
            let Value::Object(spec) = json!({"containers": containers}) else { panic!("an object") };
            assert_eq!(class(&spec), expected, "{containers}");
        }
    }
}
