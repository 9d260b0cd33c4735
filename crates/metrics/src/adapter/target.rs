//! Which pods are scraped, and where.

use api::NamespacedName;
use api::k8s::api::core::v1::Pod;

const SCRAPE: &str = "prometheus.io/scrape";
const PORT: &str = "prometheus.io/port";
const PATH: &str = "prometheus.io/path";
const SCHEME: &str = "prometheus.io/scheme";
const DEFAULT_PATH: &str = "/metrics";

/// A pod that runs and asks to be scraped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) pod: NamespacedName,
    /// Of the API server's proxy to the pod.
    pub(super) path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TargetError {
    #[error("the annotation prometheus.io/port is {0:?}, which is no port")]
    Port(String),
    #[error("the annotation prometheus.io/scheme is {0:?}, which is neither http nor https")]
    Scheme(String),
}

pub(super) fn asks(pod: &Pod) -> bool {
    annotation(pod, SCRAPE) == Some("true")
}

/// `None` while there is nothing to read from.
pub(super) fn target(pod: &Pod) -> Result<Option<Target>, TargetError> {
    let status = pod.status.as_ref();
    let runs = status.is_some_and(|status| status.phase.as_deref() == Some("Running") && status.pod_ip.is_some());
    if !asks(pod) || !runs || pod.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    let port = match annotation(pod, PORT) {
        // The proxy takes the first port that a container names.
        None => String::new(),
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => port.to_string(),
            _ => return Err(TargetError::Port(port.to_owned())),
        },
    };
    let scheme = match annotation(pod, SCHEME).unwrap_or("http") {
        scheme @ ("http" | "https") => scheme,
        other => return Err(TargetError::Scheme(other.to_owned())),
    };
    let path = annotation(pod, PATH).unwrap_or(DEFAULT_PATH);
    let slash = if path.starts_with('/') { "" } else { "/" };
    let key = NamespacedName::of(&pod.metadata);
    let NamespacedName { namespace, name } = &key;
    let place = if port.is_empty() && scheme == "http" { name.clone() } else { format!("{scheme}:{name}:{port}") };
    let path = format!("/api/v1/namespaces/{namespace}/pods/{place}/proxy{slash}{path}");
    Ok(Some(Target { pod: key, path }))
}

/// Keeps what a scrape needs to know. Of pods that do not ask for one that is nothing.
pub(super) fn trim(pod: &mut Pod) {
    let asks = asks(pod);
    pod.spec = None;
    let status = pod.status.take();
    let metadata = &mut pod.metadata;
    metadata.owner_references = None;
    metadata.finalizers = None;
    metadata.generate_name = None;
    if !asks {
        metadata.labels = None;
        metadata.annotations = None;
        metadata.uid = None;
        return;
    }
    if let Some(annotations) = &mut metadata.annotations {
        annotations.retain(|name, _| name.starts_with("prometheus.io/"));
    }
    pod.status = status.map(|status| api::k8s::api::core::v1::PodStatus {
        phase: status.phase,
        pod_ip: status.pod_ip,
        ..Default::default()
    });
}

fn annotation<'a>(pod: &'a Pod, name: &str) -> Option<&'a str> {
    pod.metadata.annotations.as_ref()?.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(annotations: Value, phase: &str) -> Pod {
        let mut pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}, "annotations": annotations},
            "spec": {"containers": [{"name": "main"}]},
            "status": {"phase": phase, "podIP": "10.0.0.1", "hostIP": "10.0.0.2"},
        }))
        .unwrap();
        trim(&mut pod);
        pod
    }

    #[test]
    fn annotations_say_where_to_read() {
        let path = |annotations: Value| {
            target(&pod(annotations, "Running")).map(|found| found.map(|target| target.path)).map_err(|e| e.to_string())
        };
        let at = |place: &str| Ok(Some(format!("/api/v1/namespaces/shop/pods/{place}")));
        let asked = |more: Value| {
            let mut all = json!({"prometheus.io/scrape": "true"});
            all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            path(all)
        };
        assert_eq!(path(json!({})), Ok(None));
        assert_eq!(path(json!({"prometheus.io/scrape": "false", "prometheus.io/port": "80"})), Ok(None));
        assert_eq!(asked(json!({})), at("web/proxy/metrics"));
        assert_eq!(asked(json!({"prometheus.io/port": "8080"})), at("http:web:8080/proxy/metrics"));
        assert_eq!(asked(json!({"prometheus.io/path": "own?a=b"})), at("web/proxy/own?a=b"));
        let secure = json!({"prometheus.io/scheme": "https", "prometheus.io/port": "1", "prometheus.io/path": "/"});
        assert_eq!(asked(secure), at("https:web:1/proxy/"));
        for port in ["0", "http", "65536", "80/../x"] {
            assert!(asked(json!({"prometheus.io/port": port})).unwrap_err().contains("no port"), "{port}");
        }
        assert!(asked(json!({"prometheus.io/scheme": "file"})).is_err());
    }

    #[test]
    fn only_what_runs_is_read_and_little_of_it_is_kept() {
        let annotations = json!({"prometheus.io/scrape": "true", "else": "long"});
        let kept = pod(annotations.clone(), "Running");
        assert_eq!(kept.metadata.annotations.as_ref().unwrap().len(), 1);
        assert!(kept.spec.is_none() && kept.metadata.labels.is_some());
        assert_eq!(target(&pod(annotations, "Pending")), Ok(None));
        let other = pod(json!({"else": "long"}), "Running");
        assert_eq!((other.metadata.labels, other.metadata.annotations, other.status), (None, None, None));
    }
}
