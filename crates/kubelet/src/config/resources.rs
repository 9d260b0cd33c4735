//! Requests and limits as the kernel takes them.

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};
use cri::LinuxContainerResources;

use super::qos::{limits, oom_score_adjust, positive, requests};
use crate::managers::Allotment;
use crate::pod::spec;

const CPU_PERIOD_US: i64 = 100_000;
const MINIMUM_QUOTA_US: i64 = 1_000;
const MINIMUM_SHARES: i64 = 2;
const MAXIMUM_SHARES: i64 = 262_144;

pub(crate) fn for_container(pod: &Pod, container: &Container, memory_capacity_bytes: i64) -> LinuxContainerResources {
    let cpu_limit = positive(limits(container), "cpu");
    let cpu_request = positive(requests(container), "cpu").or(cpu_limit);
    LinuxContainerResources {
        oom_score_adj: oom_score_adjust(pod, container, memory_capacity_bytes),
        ..linux(cpu_request, cpu_limit, positive(limits(container), "memory"))
    }
}

/// The same on the processors and the memory that the container was given. Who has processors of its own is not
/// throttled on them.
pub(crate) fn allotted(
    pod: &Pod,
    container: &Container,
    memory_capacity_bytes: i64,
    allotment: &Allotment,
) -> LinuxContainerResources {
    let mut resources = for_container(pod, container, memory_capacity_bytes);
    resources.cpuset_cpus = allotment.cpus.to_string();
    resources.cpuset_mems = allotment.memory_nodes.to_string();
    if allotment.is_exclusive {
        resources.cpu_quota = -1;
    }
    resources
}

/// The pod's own bounds: what it says itself, or the sum over its containers where each has a limit, else
/// none.
pub(crate) fn for_pod(pod: &Pod) -> LinuxContainerResources {
    let spec = spec::spec(pod);
    let own = spec.resources.as_ref();
    let sidecars = spec::init_containers(pod).iter().filter(|container| spec::is_sidecar(container));
    let together: Vec<&Container> = spec.containers.iter().chain(sidecars).collect();
    let one_by_one: Vec<&Container> =
        spec::init_containers(pod).iter().filter(|container| !spec::is_sidecar(container)).collect();
    let total = |amount: &dyn Fn(&Container) -> Option<Quantity>| -> Option<Quantity> {
        let sum = together
            .iter()
            .map(|container| amount(container))
            .try_fold(Quantity::ZERO, |sum, amount| Some(sum.saturating_add(amount?)))?;
        one_by_one.iter().map(|container| amount(container)).try_fold(sum, |most, amount| Some(most.max(amount?)))
    };
    let cpu_request = total(&|container| {
        let asked = positive(requests(container), "cpu").or_else(|| positive(limits(container), "cpu"));
        Some(asked.unwrap_or(Quantity::ZERO))
    });
    let cpu_limit = total(&|container| positive(limits(container), "cpu"));
    let memory_limit = total(&|container| positive(limits(container), "memory"));
    // The pod's own figures go before the sums.
    let own_request = positive(own.and_then(|own| own.requests.as_ref()), "cpu");
    let own_limit = |resource: &str| positive(own.and_then(|own| own.limits.as_ref()), resource);
    linux(
        own_request.or(own_limit("cpu")).or(cpu_request.filter(|amount| *amount > Quantity::ZERO)),
        own_limit("cpu").or(cpu_limit),
        own_limit("memory").or(memory_limit),
    )
}

fn linux(
    cpu_request: Option<Quantity>,
    cpu_limit: Option<Quantity>,
    memory: Option<Quantity>,
) -> LinuxContainerResources {
    LinuxContainerResources {
        cpu_period: if cpu_limit.is_some() { CPU_PERIOD_US } else { 0 },
        cpu_quota: cpu_limit.map_or(0, |limit| quota_us(limit.millis())),
        cpu_shares: cpu_request.map_or(MINIMUM_SHARES, |request| shares(request.millis())),
        memory_limit_in_bytes: memory.map_or(0, Quantity::units),
        ..LinuxContainerResources::default()
    }
}

fn shares(millis: i64) -> i64 {
    (millis.saturating_mul(1024) / 1000).clamp(MINIMUM_SHARES, MAXIMUM_SHARES)
}

fn quota_us(millis: i64) -> i64 {
    (millis.saturating_mul(CPU_PERIOD_US) / 1000).max(MINIMUM_QUOTA_US)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pod_from;

    #[test]
    fn amounts_become_shares_quota_and_bytes() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p","uid":"u"},"spec":{"containers":[
                {"name":"a","resources":{"requests":{"cpu":"250m"},"limits":{"cpu":"500m","memory":"64Mi"}}},
                {"name":"b","resources":{"limits":{"cpu":"1m","memory":"1Gi"}}},
                {"name":"c"}]}}"#,
        );
        let containers = &spec::spec(&pod).containers;
        let a = for_container(&pod, &containers[0], 1 << 30);
        assert_eq!(
            (a.cpu_shares, a.cpu_quota, a.cpu_period, a.memory_limit_in_bytes),
            (256, 50_000, 100_000, 64 << 20)
        );
        let b = for_container(&pod, &containers[1], 1 << 30);
        assert_eq!((b.cpu_shares, b.cpu_quota), (2, 1_000));
        let c = for_container(&pod, &containers[2], 1 << 30);
        assert_eq!((c.cpu_shares, c.cpu_quota, c.cpu_period, c.memory_limit_in_bytes), (2, 0, 0, 0));
        let whole = for_pod(&pod);
        assert_eq!((whole.cpu_shares, whole.cpu_quota, whole.memory_limit_in_bytes), (257, 0, 0));
    }
}
