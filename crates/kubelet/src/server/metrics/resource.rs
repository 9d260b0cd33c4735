//! `/metrics/resource`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::exposition::Exposition;
use crate::usage::{ContainerUsage, Usage};

/// `None` is what could not be read: the last line says that something is missing.
pub(super) fn generate(node: Option<Usage>, containers: Option<&[ContainerUsage]>, now: Timestamp) -> Exposition {
    let mut exposition = Exposition::default();
    let listed = containers.unwrap_or(&[]);
    by_container(&mut exposition, listed);
    if let Some(node) = node {
        let mut family = exposition.family(
            "node_cpu_usage_seconds_total",
            "[STABLE] Cumulative cpu time consumed by the node in core-seconds",
            "counter",
        );
        family.sample_at(&[], seconds(node.cpu_nanoseconds), now);
        let mut family = exposition.family(
            "node_memory_working_set_bytes",
            "[STABLE] Current working set of the node in bytes",
            "gauge",
        );
        family.sample_at(&[], node.working_set_bytes as f64, now);
        if let Some(swap) = node.swap_bytes {
            let help = "[ALPHA] Current swap usage of the node in bytes. Reported only on non-windows systems";
            exposition.family("node_swap_usage_bytes", help, "gauge").sample_at(&[], swap as f64, now);
        }
    }
    by_pod(&mut exposition, listed);
    let failed = node.is_none() || containers.is_none();
    exposition.single(
        "resource_scrape_error",
        "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
        "gauge",
        f64::from(u8::from(failed)),
    );
    exposition
}

/// What is said of each container: name, help, kind and value.
type Reading<T> = (&'static str, &'static str, &'static str, fn(&T) -> Option<f64>);

fn by_container(exposition: &mut Exposition, containers: &[ContainerUsage]) {
    let readings: [Reading<ContainerUsage>; 4] = [
        (
            "container_cpu_usage_seconds_total",
            "[STABLE] Cumulative cpu time consumed by the container in core-seconds",
            "counter",
            |container| Some(seconds(container.usage.cpu_nanoseconds)),
        ),
        (
            "container_memory_working_set_bytes",
            "[STABLE] Current working set of the container in bytes",
            "gauge",
            |container| Some(container.usage.working_set_bytes as f64),
        ),
        (
            "container_start_time_seconds",
            "[STABLE] Start time of the container since unix epoch in seconds",
            "gauge",
            |container| Some(container.started_at.as_nanosecond() as f64 / 1e9),
        ),
        (
            "container_swap_usage_bytes",
            "[ALPHA] Current amount of the container swap usage in bytes. Reported only on non-windows systems",
            "gauge",
            |container| container.usage.swap_bytes.map(|bytes| bytes as f64),
        ),
    ];
    for (name, help, kind, read) in readings {
        let mut family = exposition.family(name, help, kind);
        for container in containers {
            let labels = [
                ("container", container.container.as_str()),
                ("namespace", container.namespace.as_str()),
                ("pod", container.pod.as_str()),
            ];
            match read(container) {
                // A start is a fact, not a measurement of some moment.
                Some(value) if name == "container_start_time_seconds" => family.sample(&labels, value),
                Some(value) => family.sample_at(&labels, value, container.at),
                None => {}
            }
        }
    }
}

fn by_pod(exposition: &mut Exposition, containers: &[ContainerUsage]) {
    let mut pods: BTreeMap<(&str, &str), (Timestamp, Usage)> = BTreeMap::new();
    for container in containers {
        let sum = pods.entry((&container.namespace, &container.pod)).or_insert((container.at, Usage::default()));
        *sum = (sum.0.max(container.at), sum.1.add(container.usage));
    }
    let readings: [Reading<Usage>; 2] = [
        (
            "pod_cpu_usage_seconds_total",
            "[STABLE] Cumulative cpu time consumed by the pod in core-seconds",
            "counter",
            |usage| Some(seconds(usage.cpu_nanoseconds)),
        ),
        ("pod_memory_working_set_bytes", "[STABLE] Current working set of the pod in bytes", "gauge", |usage| {
            Some(usage.working_set_bytes as f64)
        }),
    ];
    for (name, help, kind, read) in readings {
        let mut family = exposition.family(name, help, kind);
        for ((namespace, pod), (at, usage)) in &pods {
            if let Some(value) = read(usage) {
                family.sample_at(&[("namespace", namespace), ("pod", pod)], value, *at);
            }
        }
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn names_labels_and_units_are_upstreams() {
        let at = Timestamp::from_millisecond(1_626_461_875_000).unwrap();
        let container = |name: &str, cpu_nanoseconds, working_set_bytes| ContainerUsage {
            namespace: "ns".to_owned(),
            pod: "p".to_owned(),
            container: name.to_owned(),
            started_at: Timestamp::from_second(1_626_461_000).unwrap(),
            at,
            usage: Usage { cpu_nanoseconds, working_set_bytes, ..Usage::default() },
            ..ContainerUsage::default()
        };
        let node = Usage { cpu_nanoseconds: 12_500_000_000, working_set_bytes: 4096, ..Usage::default() };
        let containers = [container("a", 1_500_000_000, 100), container("b", 250_000_000, 28)];
        let text = generate(Some(node), Some(&containers), at).into_text();
        expect![[r#"
            # HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
            # TYPE container_cpu_usage_seconds_total counter
            container_cpu_usage_seconds_total{container="a",namespace="ns",pod="p"} 1.5 1626461875000
            container_cpu_usage_seconds_total{container="b",namespace="ns",pod="p"} 0.25 1626461875000
            # HELP container_memory_working_set_bytes [STABLE] Current working set of the container in bytes
            # TYPE container_memory_working_set_bytes gauge
            container_memory_working_set_bytes{container="a",namespace="ns",pod="p"} 100 1626461875000
            container_memory_working_set_bytes{container="b",namespace="ns",pod="p"} 28 1626461875000
            # HELP container_start_time_seconds [STABLE] Start time of the container since unix epoch in seconds
            # TYPE container_start_time_seconds gauge
            container_start_time_seconds{container="a",namespace="ns",pod="p"} 1626461000
            container_start_time_seconds{container="b",namespace="ns",pod="p"} 1626461000
            # HELP node_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the node in core-seconds
            # TYPE node_cpu_usage_seconds_total counter
            node_cpu_usage_seconds_total 12.5 1626461875000
            # HELP node_memory_working_set_bytes [STABLE] Current working set of the node in bytes
            # TYPE node_memory_working_set_bytes gauge
            node_memory_working_set_bytes 4096 1626461875000
            # HELP pod_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the pod in core-seconds
            # TYPE pod_cpu_usage_seconds_total counter
            pod_cpu_usage_seconds_total{namespace="ns",pod="p"} 1.75 1626461875000
            # HELP pod_memory_working_set_bytes [STABLE] Current working set of the pod in bytes
            # TYPE pod_memory_working_set_bytes gauge
            pod_memory_working_set_bytes{namespace="ns",pod="p"} 128 1626461875000
            # HELP resource_scrape_error [STABLE] 1 if there was an error while getting container metrics, 0 otherwise
            # TYPE resource_scrape_error gauge
            resource_scrape_error 0
        "#]]
        .assert_eq(&text);
        let broken = generate(None, None, at).into_text();
        assert!(broken.ends_with("resource_scrape_error 1\n") && !broken.contains("node_cpu"), "{broken}");
    }
}
