//! What containers use, from the runtime's figures.

use std::fmt::Write;

use api::k8s::api::core::v1::Pod;
use cri::{ContainerStats, ListContainerStatsRequest};
use jiff::Timestamp;
use reconcile::Informer;
use serde_json::{Value, json};

use super::{Answer, Refusal, text};
use crate::pod::{Context, labels, spec};

/// The Summary API: node and pods, each with CPU and memory.
pub(crate) async fn summary(context: &Context, pods: &Informer<Pod>) -> Result<Answer, Refusal> {
    let stats = list(context).await?;
    let now = context.ambient.clock.now_seconds().to_string();
    let pods: Vec<Value> = pods.list().iter().map(|pod| pod_summary(pod, &stats)).collect();
    let node = total(stats.iter());
    super::json(&json!({
        "node": {
            "nodeName": context.node.node_name,
            "startTime": now,
            "cpu": node.cpu(&now),
            "memory": node.memory(&now),
        },
        "pods": pods,
    }))
}

/// Prometheus' text: how many pods and containers, and what they use.
pub(crate) async fn metrics(context: &Context, pods: usize) -> Result<Answer, Refusal> {
    let stats = list(context).await?;
    let mut metrics = String::new();
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        metrics.write_fmt(arguments).expect("writing to a string cannot fail");
    };
    line(format_args!("# HELP kubelet_running_pods Number of pods on this node\n# TYPE kubelet_running_pods gauge\n"));
    line(format_args!("kubelet_running_pods {pods}\n"));
    line(format_args!("# HELP kubelet_running_containers Number of containers currently running\n"));
    line(format_args!("# TYPE kubelet_running_containers gauge\n"));
    line(format_args!("kubelet_running_containers{{container_state=\"running\"}} {}\n", stats.len()));
    Ok(text(metrics))
}

async fn list(context: &Context) -> Result<Vec<ContainerStats>, Refusal> {
    let listed = context.runtime.list_container_stats(ListContainerStatsRequest { filter: None }).await;
    Ok(listed.map_err(|status| Refusal::internal(status.message))?.stats)
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Usage {
    cpu_nanoseconds: u64,
    cpu_nanocores: u64,
    working_set_bytes: u64,
    usage_bytes: u64,
    rss_bytes: u64,
}

impl Usage {
    fn of(stats: &ContainerStats) -> Usage {
        let (cpu, memory) = (stats.cpu.as_ref(), stats.memory.as_ref());
        let value = |value: Option<&cri::UInt64Value>| value.map_or(0, |value| value.value);
        Usage {
            cpu_nanoseconds: value(cpu.and_then(|cpu| cpu.usage_core_nano_seconds.as_ref())),
            cpu_nanocores: value(cpu.and_then(|cpu| cpu.usage_nano_cores.as_ref())),
            working_set_bytes: value(memory.and_then(|memory| memory.working_set_bytes.as_ref())),
            usage_bytes: value(memory.and_then(|memory| memory.usage_bytes.as_ref())),
            rss_bytes: value(memory.and_then(|memory| memory.rss_bytes.as_ref())),
        }
    }

    fn add(self, other: Usage) -> Usage {
        Usage {
            cpu_nanoseconds: self.cpu_nanoseconds.saturating_add(other.cpu_nanoseconds),
            cpu_nanocores: self.cpu_nanocores.saturating_add(other.cpu_nanocores),
            working_set_bytes: self.working_set_bytes.saturating_add(other.working_set_bytes),
            usage_bytes: self.usage_bytes.saturating_add(other.usage_bytes),
            rss_bytes: self.rss_bytes.saturating_add(other.rss_bytes),
        }
    }

    fn cpu(self, time: &str) -> Value {
        json!({ "time": time, "usageNanoCores": self.cpu_nanocores, "usageCoreNanoSeconds": self.cpu_nanoseconds })
    }

    fn memory(self, time: &str) -> Value {
        json!({
            "time": time,
            "usageBytes": self.usage_bytes,
            "workingSetBytes": self.working_set_bytes,
            "rssBytes": self.rss_bytes,
        })
    }
}

fn total<'a>(stats: impl Iterator<Item = &'a ContainerStats>) -> Usage {
    stats.map(Usage::of).fold(Usage::default(), Usage::add)
}

fn pod_summary(pod: &Pod, stats: &[ContainerStats]) -> Value {
    let label =
        |stats: &ContainerStats, name: &str| stats.attributes.as_ref().and_then(|of| of.labels.get(name).cloned());
    let own = || stats.iter().filter(|stats| label(stats, labels::POD_UID).as_deref() == Some(spec::uid(pod)));
    let time = own().filter_map(|stats| stats.cpu.as_ref()).map(|cpu| cpu.timestamp).max().unwrap_or(0);
    let time = Timestamp::from_nanosecond(i128::from(time)).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = Timestamp::from_second(time.as_second()).unwrap_or(time).to_string();
    let start = pod.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|start| start.0.to_string());
    let containers: Vec<Value> = own()
        .map(|stats| {
            let usage = Usage::of(stats);
            json!({
                "name": label(stats, labels::CONTAINER_NAME),
                "startTime": start,
                "cpu": usage.cpu(&time),
                "memory": usage.memory(&time),
            })
        })
        .collect();
    let usage = total(own());
    json!({
        "podRef": { "name": spec::name(pod), "namespace": spec::namespace(pod), "uid": spec::uid(pod) },
        "startTime": start,
        "containers": containers,
        "cpu": usage.cpu(&time),
        "memory": usage.memory(&time),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn a_pod_is_the_sum_of_its_own_containers() {
        let stats = |uid: &str, bytes| ContainerStats {
            attributes: Some(cri::ContainerAttributes {
                labels: [
                    (labels::POD_UID.to_owned(), uid.to_owned()),
                    (labels::CONTAINER_NAME.to_owned(), "c".to_owned()),
                ]
                .into(),
                ..cri::ContainerAttributes::default()
            }),
            memory: Some(cri::MemoryUsage {
                working_set_bytes: Some(cri::UInt64Value { value: bytes }),
                ..cri::MemoryUsage::default()
            }),
            ..ContainerStats::default()
        };
        let pod = pod_from(r#"{"metadata":{"name":"p","namespace":"ns","uid":"u"}}"#);
        let summary = pod_summary(&pod, &[stats("u", 1), stats("u", 2), stats("other", 4)]);
        assert_eq!(summary["memory"]["workingSetBytes"], 3);
        assert_eq!(summary["containers"].as_array().unwrap().len(), 2);
    }
}
