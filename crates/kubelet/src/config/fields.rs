//! What the downward API shows of a pod.

use std::collections::BTreeMap;
use std::fmt::Write;

use api::Quantity;
use api::k8s::api::core::v1::{Container, ObjectFieldSelector, Pod, ResourceFieldSelector};

use super::NodeFacts;
use super::qos::{limits, positive, requests};
use crate::pod::spec;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FieldError {
    #[error("unsupported fieldPath: {0}")]
    Unsupported(String),
    #[error("unsupported container resource : {0}")]
    UnsupportedResource(String),
    #[error("container {0} not found")]
    NoContainer(String),
    #[error("invalid divisor {0:?}")]
    Divisor(String),
}

/// The addresses that `status.podIP` and its kin show; they are newer here than in the API.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses<'a> {
    pub(crate) pod_ips: &'a [String],
    pub(crate) host_ips: &'a [String],
}

/// A field of the pod as text.
pub(crate) fn field(pod: &Pod, selector: &ObjectFieldSelector, addresses: Addresses<'_>) -> Result<String, FieldError> {
    let path = selector.field_path.as_str();
    let metadata = &pod.metadata;
    if let Some((map, key)) = subscript(path) {
        let entries = match map {
            "metadata.labels" => metadata.labels.as_ref(),
            "metadata.annotations" => metadata.annotations.as_ref(),
            _ => return Err(FieldError::Unsupported(path.to_owned())),
        };
        return Ok(entries.and_then(|entries| entries.get(key)).cloned().unwrap_or_default());
    }
    let first = |ips: &[String]| ips.first().cloned().unwrap_or_default();
    Ok(match path {
        "metadata.name" => spec::name(pod).to_owned(),
        "metadata.namespace" => spec::namespace(pod).to_owned(),
        "metadata.uid" => spec::uid(pod).to_owned(),
        "metadata.labels" => map_lines(metadata.labels.as_ref()),
        "metadata.annotations" => map_lines(metadata.annotations.as_ref()),
        "spec.nodeName" => spec::spec(pod).node_name.clone().unwrap_or_default(),
        "spec.serviceAccountName" => spec::spec(pod).service_account_name.clone().unwrap_or_default(),
        "status.podIP" => first(addresses.pod_ips),
        "status.podIPs" => addresses.pod_ips.join(","),
        "status.hostIP" => first(addresses.host_ips),
        "status.hostIPs" => addresses.host_ips.join(","),
        other => return Err(FieldError::Unsupported(other.to_owned())),
    })
}

/// A request or limit as a number of the divisor's units, rounded up. A container without a limit
/// may use what the node has.
pub(crate) fn resource(
    pod: &Pod,
    own_container: Option<&str>,
    selector: &ResourceFieldSelector,
    node: &NodeFacts,
) -> Result<String, FieldError> {
    let name = selector.container_name.as_deref().filter(|name| !name.is_empty()).or(own_container).unwrap_or("");
    let (container, _) = spec::find(pod, name).ok_or_else(|| FieldError::NoContainer(name.to_owned()))?;
    let unsupported = || FieldError::UnsupportedResource(selector.resource.clone());
    let (kind, resource) = selector.resource.split_once('.').ok_or_else(unsupported)?;
    let amount = match kind {
        "requests" => positive(requests(&container), resource).unwrap_or(Quantity::ZERO),
        "limits" => limit_or_capacity(&container, resource, node).ok_or_else(unsupported)?,
        _ => return Err(unsupported()),
    };
    let divisor = selector.divisor.as_ref().map(|divisor| divisor.0.as_str()).unwrap_or("1");
    let divisor: Quantity = divisor.parse().map_err(|_| FieldError::Divisor(divisor.to_owned()))?;
    let divisor = if divisor == Quantity::ZERO { Quantity::from_units(1) } else { divisor };
    let quotient = match resource {
        "cpu" => divide_up(amount.millis(), divisor.millis()),
        _ => divide_up(amount.units(), divisor.units()),
    };
    Ok(quotient.to_string())
}

fn limit_or_capacity(container: &Container, resource: &str, node: &NodeFacts) -> Option<Quantity> {
    let capacity = match resource {
        "cpu" => Quantity::from_millis(node.cpu_millis),
        "memory" => Quantity::from_units(node.memory_bytes),
        "ephemeral-storage" => Quantity::from_units(node.ephemeral_storage_bytes),
        hugepages if hugepages.starts_with("hugepages-") => Quantity::ZERO,
        _ => return None,
    };
    Some(positive(limits(container), resource).unwrap_or(capacity))
}

fn divide_up(amount: i64, divisor: i64) -> i64 {
    let divisor = divisor.max(1);
    amount / divisor + i64::from(amount % divisor > 0)
}

/// `key="escaped value"` lines, sorted by key.
fn map_lines(entries: Option<&BTreeMap<String, String>>) -> String {
    let mut text = String::new();
    for (key, value) in entries.into_iter().flatten() {
        writeln!(text, "{key}={value:?}").expect("writing to a string cannot fail");
    }
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// `metadata.labels['key']` in its two parts.
fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, rest) = path.split_once("['")?;
    Some((map, rest.strip_suffix("']")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{node_facts, pod_from};

    fn pod() -> Pod {
        pod_from(
            r#"{"metadata":{"name":"p","namespace":"ns","uid":"u","labels":{"b":"2","a":"1\n"}},
                "spec":{"nodeName":"node","containers":[{"name":"c","resources":{"requests":{"cpu":"250m"},"limits":{"memory":"64Mi"}}}]}}"#,
        )
    }

    #[test]
    fn fields_are_shown_as_text() {
        let ips = ["10.0.0.5".to_owned(), "fd00::5".to_owned()];
        let addresses = Addresses { pod_ips: &ips, host_ips: &[] };
        for (path, expected) in [
            ("metadata.name", "p"),
            ("metadata.labels['b']", "2"),
            ("metadata.labels['none']", ""),
            ("metadata.labels", "a=\"1\\n\"\nb=\"2\""),
            ("status.podIP", "10.0.0.5"),
            ("status.podIPs", "10.0.0.5,fd00::5"),
            ("spec.nodeName", "node"),
        ] {
            let selector = ObjectFieldSelector { field_path: path.to_owned(), ..ObjectFieldSelector::default() };
            assert_eq!(field(&pod(), &selector, addresses).unwrap(), expected, "{path}");
        }
        let selector = ObjectFieldSelector { field_path: "spec.volumes".to_owned(), ..ObjectFieldSelector::default() };
        assert_eq!(field(&pod(), &selector, addresses).unwrap_err().to_string(), "unsupported fieldPath: spec.volumes");
    }

    #[test]
    fn resources_round_up_to_the_divisor() {
        for (name, divisor, expected) in [
            ("requests.cpu", "1", "1"),
            ("requests.cpu", "1m", "250"),
            ("limits.memory", "1Mi", "64"),
            ("limits.memory", "0", "67108864"),
            ("limits.cpu", "1", "4"),
        ] {
            let selector: ResourceFieldSelector =
                serde_json::from_value(serde_json::json!({"resource": name, "divisor": divisor})).unwrap();
            assert_eq!(resource(&pod(), Some("c"), &selector, &node_facts()).unwrap(), expected, "{name} {divisor}");
        }
    }
}
