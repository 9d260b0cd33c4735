//! What a pod asks for as a whole.

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};

use super::qos::{Amounts, limits, positive, requests};
use crate::pod::spec;

/// The pod's request as the scheduler counts it: containers and sidecars together, or the most that an
/// init container needs beside the sidecars before it; the pod's own figure overrides both.
pub(crate) fn request(pod: &Pod, resource: &str) -> Quantity {
    let own = spec::spec(pod).resources.as_ref().and_then(|resources| resources.requests.as_ref());
    sum(without_overhead(pod, resource, own, requests), overhead(pod, resource)).unwrap_or(Quantity::ZERO)
}

/// The sum of the limits there are; `None` where no container has one. Overhead is no limit by itself.
pub(crate) fn limit(pod: &Pod, resource: &str) -> Option<Quantity> {
    let own = spec::spec(pod).resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let limit = without_overhead(pod, resource, own, limits)?;
    sum(Some(limit), overhead(pod, resource))
}

/// What running the pod takes besides, as its runtime class has it.
fn overhead(pod: &Pod, resource: &str) -> Option<Quantity> {
    positive(spec::spec(pod).overhead.as_ref(), resource)
}

/// What the pod says itself, or what its containers say.
pub(crate) fn without_overhead(
    pod: &Pod,
    resource: &str,
    own: Option<&Amounts>,
    amounts: fn(&Container) -> Option<&Amounts>,
) -> Option<Quantity> {
    let of = |container: &Container| positive(amounts(container), resource);
    if let Some(own) = positive(own, resource) {
        return Some(own);
    }
    let (mut sidecars, mut most) = (None, None);
    for container in spec::init_containers(pod) {
        let needs = sum(sidecars, of(container));
        if spec::is_sidecar(container) {
            sidecars = needs;
        }
        most = most.max(needs);
    }
    let together = spec::spec(pod).containers.iter().map(of).fold(sidecars, sum);
    together.max(most)
}

fn sum(one: Option<Quantity>, other: Option<Quantity>) -> Option<Quantity> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.saturating_add(other)),
        (one, other) => one.or(other),
    }
}

/// Bytes as upstream's messages write them: in the largest binary unit that leaves nothing over.
pub(crate) fn binary_si(bytes: i64) -> String {
    const UNITS: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let (mut amount, mut unit) = (bytes, 0);
    while amount != 0 && amount % 1024 == 0 && unit + 1 < UNITS.len() {
        amount /= 1024;
        unit += 1;
    }
    format!("{amount}{}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn init_containers_count_by_their_most() {
        let pod = |more: &str| {
            pod_from(&format!(
                r#"{{"metadata":{{"name":"p","uid":"u"}},"spec":{{{more}"initContainers":[
                {{"name":"s","restartPolicy":"Always","resources":{{"requests":{{"cpu":"100m"}}}}}},
                {{"name":"i","resources":{{"requests":{{"cpu":"1"}}}}}}],"containers":[
                {{"name":"a","resources":{{"requests":{{"cpu":"200m","memory":"1Gi"}},"limits":{{"memory":"2Gi"}}}}}},
                {{"name":"b","resources":{{"requests":{{"cpu":"300m"}}}}}}]}}}}"#
            ))
        };
        assert_eq!(request(&pod(""), "cpu").millis(), 1100);
        assert_eq!(request(&pod(""), "memory").units(), 1 << 30);
        assert_eq!(limit(&pod(""), "memory").map(Quantity::units), Some(2 << 30));
        assert_eq!(limit(&pod(""), "cpu"), None);
        assert_eq!(request(&pod(r#""overhead":{"cpu":"50m"},"#), "cpu").millis(), 1150);
        assert_eq!(request(&pod(r#""resources":{"requests":{"cpu":"3"}},"#), "cpu").millis(), 3000);
    }

    #[test]
    fn bytes_are_written_in_whole_units() {
        assert_eq!([0, 1000, 1024, 100 << 20, 3 << 30].map(binary_si), ["0", "1000", "1Ki", "100Mi", "3Gi"]);
    }
}
