//! Disruption budgets, as far as preemption minds them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use api::k8s::api::policy::v1::PodDisruptionBudget;
use api::{NamespacedName, Selector};

use crate::pod::PodInfo;

#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets(BTreeMap<NamespacedName, Budget>);

#[derive(Clone, Debug)]
struct Budget {
    selector: Selector,
    allowed: i32,
    /// Evictions that the budget has already paid for.
    disrupted: BTreeSet<String>,
}

impl Budgets {
    /// A budget that selects nothing, or cannot be read, protects nothing.
    pub(crate) fn set(&mut self, budget: &PodDisruptionBudget) {
        let key = NamespacedName::of(&budget.metadata);
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let selector = selector.and_then(|selector| Selector::from_label_selector(selector).ok());
        let status = budget.status.as_ref();
        match selector.filter(|selector| !selector.is_everything()) {
            None => self.remove(&key),
            Some(selector) => {
                let disrupted = status.and_then(|status| status.disrupted_pods.as_ref());
                let budget = Budget {
                    selector,
                    allowed: status.and_then(|status| status.disruptions_allowed).unwrap_or(0),
                    disrupted: disrupted.into_iter().flat_map(BTreeMap::keys).cloned().collect(),
                };
                self.0.insert(key, budget);
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &NamespacedName) {
        self.0.remove(key);
    }

    /// The pods whose loss a budget forbids, and the others, if they go in this order.
    pub(crate) fn partition(&self, pods: &[Arc<PodInfo>]) -> (Vec<Arc<PodInfo>>, Vec<Arc<PodInfo>>) {
        let mut allowed: BTreeMap<&NamespacedName, i32> =
            self.0.iter().map(|(key, budget)| (key, budget.allowed)).collect();
        pods.iter().cloned().partition(|pod| {
            let mut violates = false;
            for (key, _) in self.0.iter().filter(|(key, budget)| budget.minds(key, pod)) {
                let left = allowed.entry(key).or_default();
                *left = left.saturating_sub(1);
                violates |= *left < 0;
            }
            violates
        })
    }
}

impl Budget {
    fn minds(&self, key: &NamespacedName, pod: &PodInfo) -> bool {
        key.namespace == pod.namespace()
            && pod.labels().is_some_and(|labels| !labels.is_empty() && self.selector.matches(labels))
            && !self.disrupted.contains(&pod.key().name)
    }
}
