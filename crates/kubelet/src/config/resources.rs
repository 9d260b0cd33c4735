//! Requests and limits as the kernel takes them.

use api::Quantity;
use api::k8s::api::core::v1::{Container, Pod};
use cri::{HugepageLimit, LinuxContainerResources};

use super::huge_pages::{self, PageSize};
use super::qos::{self, limits, oom_score_adjust, positive, requests};
use super::{NodeFacts, totals};
use crate::managers::Allotment;
use crate::pod::spec;

const CPU_PERIOD_US: i64 = 100_000;
const MINIMUM_QUOTA_US: i64 = 1_000;
const MINIMUM_SHARES: i64 = 2;
const MAXIMUM_SHARES: i64 = 262_144;

pub(crate) fn for_container(pod: &Pod, container: &Container, node: &NodeFacts) -> LinuxContainerResources {
    let cpu_limit = positive(limits(container), "cpu");
    let cpu_request = positive(requests(container), "cpu").or(cpu_limit);
    // Of each size that there is: who asks for none gets none.
    let huge = |size: &PageSize| HugepageLimit {
        page_size: size.in_cgroups(),
        limit: huge_pages::bytes(positive(limits(container), &size.resource())),
    };
    LinuxContainerResources {
        oom_score_adj: oom_score_adjust(pod, container, node.memory_bytes),
        hugepage_limits: node.page_sizes.iter().map(huge).collect(),
        ..linux(cpu_request, cpu_limit, positive(limits(container), "memory"))
    }
}

/// The same on the processors and the memory that the container was given. Who has processors of its own is not
/// throttled on them.
pub(crate) fn allotted(
    pod: &Pod,
    container: &Container,
    node: &NodeFacts,
    allotment: &Allotment,
) -> LinuxContainerResources {
    let mut resources = for_container(pod, container, node);
    resources.cpuset_cpus = allotment.cpus.to_string();
    resources.cpuset_mems = allotment.memory_nodes.to_string();
    if allotment.is_exclusive {
        resources.cpu_quota = -1;
    }
    resources
}

/// The pod's own bounds: what it says itself, or the sum over its containers where each has a limit, else
/// none; and what running it takes besides, as its runtime class has it.
pub(crate) fn for_pod(pod: &Pod) -> LinuxContainerResources {
    if qos::class(pod) == qos::Class::BestEffort {
        return linux(None, None, None);
    }
    // Overhead is on top of what is there, and bounds nothing by itself.
    let with = |amount: Option<Quantity>, resource| {
        let overhead = positive(spec::spec(pod).overhead.as_ref(), resource);
        Some(amount?.saturating_add(overhead.unwrap_or(Quantity::ZERO)))
    };
    let (request, cpu_limit, memory_limit) = sums(pod);
    let request = with(Some(request.unwrap_or(Quantity::ZERO)), "cpu").filter(|amount| *amount > Quantity::ZERO);
    linux(request, with(cpu_limit, "cpu"), with(memory_limit, "memory"))
}

/// What the pod's containers need together: what a runtime makes the sandbox's room of.
pub(crate) fn for_sandbox(pod: &Pod) -> LinuxContainerResources {
    let (request, ..) = sums(pod);
    let own = spec::spec(pod).resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let limit = |resource| totals::without_overhead(pod, resource, own, limits);
    linux(request, limit("cpu"), limit("memory"))
}

/// What the runtime itself takes for the pod; none where its class says nothing.
pub(crate) fn overhead(pod: &Pod) -> Option<LinuxContainerResources> {
    let overhead = spec::spec(pod).overhead.as_ref().filter(|overhead| !overhead.is_empty());
    let cpu = positive(overhead, "cpu");
    overhead.map(|overhead| linux(cpu, cpu, positive(Some(overhead), "memory")))
}

/// The processors asked for, and the limits where every container has one.
fn sums(pod: &Pod) -> (Option<Quantity>, Option<Quantity>, Option<Quantity>) {
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
    (
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
    use crate::testing::{node_facts, pod_from};

    #[test]
    fn amounts_become_shares_quota_and_bytes() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p","uid":"u"},"spec":{"containers":[
                {"name":"a","resources":{"requests":{"cpu":"250m"},"limits":{"cpu":"500m","memory":"64Mi"}}},
                {"name":"b","resources":{"limits":{"cpu":"1m","memory":"1Gi"}}},
                {"name":"c"}]}}"#,
        );
        let containers = &spec::spec(&pod).containers;
        let a = for_container(&pod, &containers[0], &node_facts());
        assert_eq!(
            (a.cpu_shares, a.cpu_quota, a.cpu_period, a.memory_limit_in_bytes),
            (256, 50_000, 100_000, 64 << 20)
        );
        let b = for_container(&pod, &containers[1], &node_facts());
        assert_eq!((b.cpu_shares, b.cpu_quota), (2, 1_000));
        let c = for_container(&pod, &containers[2], &node_facts());
        assert_eq!((c.cpu_shares, c.cpu_quota, c.cpu_period, c.memory_limit_in_bytes), (2, 0, 0, 0));
        let whole = for_pod(&pod);
        assert_eq!((whole.cpu_shares, whole.cpu_quota, whole.memory_limit_in_bytes), (257, 0, 0));
    }
    #[test]
    fn huge_pages_are_bounded_in_every_size_that_there_is() {
        let pod = pod_from(
            r#"{"metadata":{"name":"p","uid":"u"},"spec":{"containers":[
                {"name":"a","resources":{"limits":{"memory":"64Mi","hugepages-2Mi":"4Mi","hugepages-64Ki":"1Mi"}}}]}}"#,
        );
        let node = NodeFacts { page_sizes: vec![PageSize(2 << 20), PageSize(1 << 30)], ..node_facts() };
        let limits = for_container(&pod, &spec::spec(&pod).containers[0], &node).hugepage_limits;
        let shown: Vec<_> = limits.iter().map(|limit| (limit.page_size.as_str(), limit.limit)).collect();
        assert_eq!(shown, [("2MB", 4 << 20), ("1GB", 0)]);
    }

    #[test]
    fn overhead_is_on_top_of_what_is_bounded() {
        let pod = |resources: &str| {
            pod_from(&format!(
                r#"{{"metadata":{{"name":"p","uid":"u"}},"spec":{{"overhead":{{"cpu":"250m","memory":"64Mi"}},
                    "containers":[{{"name":"a","resources":{resources}}},{{"name":"b","resources":{resources}}}]}}}}"#
            ))
        };
        let shown = |of: &LinuxContainerResources| (of.cpu_shares, of.cpu_quota, of.memory_limit_in_bytes >> 20);
        let whole = pod(r#"{"limits":{"cpu":"500m","memory":"32Mi"}}"#);
        assert_eq!(shown(&for_pod(&whole)), (1280, 125_000, 128));
        assert_eq!(shown(&for_sandbox(&whole)), (1024, 100_000, 64));
        assert_eq!(shown(&overhead(&whole).unwrap()), (256, 25_000, 64));
        let asking = pod(r#"{"requests":{"cpu":"500m"}}"#);
        assert_eq!(shown(&for_pod(&asking)), (1280, 0, 0), "what has no limit gets none");
        assert_eq!(shown(&for_pod(&pod("{}"))), (2, 0, 0), "nor does one that asks for nothing");
        assert_eq!(overhead(&pod_from(r#"{"metadata":{"name":"p"},"spec":{"containers":[]}}"#)), None);
    }
}
