//! Amounts of CPU, memory and the rest, as requests and as what a node has.

use std::collections::BTreeMap;

use api::Quantity;
use api::k8s::api::core::v1::{Container, PodSpec};
use api::k8s::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use api::quantity::ParseQuantityError;

type ResourceList = BTreeMap<String, ApiQuantity>;

/// What a container that asks for nothing is taken to use when nodes are compared.
const ASSUMED_CPU_MILLIS: i64 = 100;
const ASSUMED_MEMORY_BYTES: i64 = 200 * 1024 * 1024;

/// Amounts by resource name: CPU in thousandths, all else in whole units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resources(BTreeMap<String, i64>);

impl Resources {
    pub(crate) fn parse(list: Option<&ResourceList>) -> Result<Self, ParseQuantityError> {
        let amount = |(name, quantity): (&String, &ApiQuantity)| {
            let quantity = Quantity::of(quantity)?;
            Ok((name.clone(), if name == "cpu" { quantity.millis() } else { quantity.units() }))
        };
        list.into_iter().flatten().map(amount).collect::<Result<_, _>>().map(Resources)
    }

    pub(crate) fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    pub(crate) fn add(&mut self, other: &Resources) {
        for (name, amount) in &other.0 {
            let sum = self.0.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*amount);
        }
    }

    pub(crate) fn subtract(&mut self, other: &Resources) {
        for (name, amount) in &other.0 {
            let rest = self.0.entry(name.clone()).or_default();
            *rest = rest.saturating_sub(*amount);
        }
    }

    fn raise_to(&mut self, other: &Resources) {
        for (name, amount) in &other.0 {
            let highest = self.0.entry(name.clone()).or_default();
            *highest = (*highest).max(*amount);
        }
    }
}

/// What the pod needs at its busiest: its containers together with the sidecars, or an init container
/// with the sidecars started before it, and the overhead of its sandbox. Requests of the pod as a whole
/// take the place of its containers'.
pub(crate) fn requests(spec: &PodSpec) -> Result<Resources, ParseQuantityError> {
    busiest(spec, &|container| {
        Resources::parse(container.resources.as_ref().and_then(|resources| resources.requests.as_ref()))
    })
}

/// As [`requests`], where a container that names no CPU or memory counts for a little of each.
pub(crate) fn assumed_requests(spec: &PodSpec) -> Result<Resources, ParseQuantityError> {
    busiest(spec, &|container| {
        let list = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let mut resources = Resources::parse(list)?;
        resources.0.entry("cpu".to_owned()).or_insert(ASSUMED_CPU_MILLIS);
        resources.0.entry("memory".to_owned()).or_insert(ASSUMED_MEMORY_BYTES);
        Ok(resources)
    })
}

fn busiest(
    spec: &PodSpec,
    of: &dyn Fn(&Container) -> Result<Resources, ParseQuantityError>,
) -> Result<Resources, ParseQuantityError> {
    let mut running = Resources::default();
    for container in &spec.containers {
        running.add(&of(container)?);
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        let own = of(container)?;
        if container.restart_policy.as_deref() == Some("Always") {
            running.add(&own);
            sidecars.add(&own);
            starting.raise_to(&sidecars);
        } else {
            let mut with_sidecars = sidecars.clone();
            with_sidecars.add(&own);
            starting.raise_to(&with_sidecars);
        }
    }
    running.raise_to(&starting);
    let whole_pod = Resources::parse(spec.resources.as_ref().and_then(|resources| resources.requests.as_ref()))?;
    running.0.extend(whole_pod.0);
    running.add(&Resources::parse(spec.overhead.as_ref())?);
    Ok(running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_busiest_moment_counts() {
        let spec = fixture::pod("web")
            .container(&[("cpu", "100m"), ("memory", "1Gi")])
            .container(&[("cpu", "1")])
            .init(&[("cpu", "3"), ("memory", "10Mi")], false)
            .init(&[("cpu", "200m")], true)
            .init(&[("memory", "2Gi")], false)
            .spec();
        let requests = requests(&spec).unwrap();
        assert_eq!((requests.get("cpu"), requests.get("memory")), (3000, 2 << 30));
        let mut spec = spec;
        spec.overhead = Some([("cpu".to_owned(), ApiQuantity("50m".into()))].into());
        assert_eq!(super::requests(&spec).unwrap().get("cpu"), 3050);
    }

    #[test]
    fn modest_pods_are_assumed_to_use_a_little() {
        let spec = fixture::pod("web").container(&[]).container(&[("cpu", "1")]).spec();
        let assumed = assumed_requests(&spec).unwrap();
        assert_eq!((assumed.get("cpu"), assumed.get("memory")), (1100, 400 << 20));
    }
}
