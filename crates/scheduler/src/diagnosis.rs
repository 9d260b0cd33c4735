//! Why no node would do, in upstream's words.

use std::collections::{BTreeMap, BTreeSet};

use crate::framework::Rejection;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    nodes: usize,
    reasons: BTreeMap<String, usize>,
    /// Nodes where the removal of pods could help.
    resolvable: usize,
    /// Why no node was even looked at.
    refusal: Option<String>,
    /// Who refused; their events bring the pod back.
    pub(crate) plugins: BTreeSet<&'static str>,
}

impl Diagnosis {
    pub(crate) fn new(nodes: usize) -> Self {
        Diagnosis { nodes, ..Diagnosis::default() }
    }

    /// The pod can run nowhere for now.
    pub(crate) fn refused(nodes: usize, plugin: &'static str, rejection: Rejection) -> Self {
        let refusal = Some(rejection.reasons.join(", "));
        Diagnosis { nodes, refusal, plugins: [plugin].into(), ..Diagnosis::default() }
    }

    pub(crate) fn add(&mut self, plugin: &'static str, rejection: Rejection) {
        self.plugins.insert(plugin);
        self.resolvable += usize::from(rejection.is_resolvable);
        for reason in rejection.reasons {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    pub(crate) fn message(&self) -> String {
        if self.nodes == 0 {
            return "no nodes available to schedule pods".to_owned();
        }
        let nodes = self.nodes;
        let mut counted: Vec<String> = self.reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        counted.sort();
        counted.extend(self.refusal.clone());
        let mut preemption = Vec::new();
        if self.resolvable > 0 {
            preemption.push(format!("{} No preemption victims found for incoming pod", self.resolvable));
        }
        let helpless = nodes.saturating_sub(self.resolvable);
        if helpless > 0 {
            preemption.push(format!("{helpless} Preemption is not helpful for scheduling"));
        }
        preemption.sort();
        format!(
            "0/{nodes} nodes are available: {}. preemption: 0/{nodes} nodes are available: {}.",
            counted.join(", "),
            preemption.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn counts_reasons_as_kubectl_users_know_them() {
        let mut diagnosis = Diagnosis::new(3);
        diagnosis.add("TaintToleration", Rejection::unresolvable("node(s) had untolerated taint(s)"));
        let both = Rejection { reasons: vec!["Too many pods".into(), "Insufficient cpu".into()], is_resolvable: true };
        diagnosis.add("NodeResourcesFit", both);
        diagnosis.add("NodeResourcesFit", Rejection::resolvable("Insufficient cpu"));
        expect![[r#"0/3 nodes are available: 1 Too many pods, 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod."#]]
        .assert_eq(&diagnosis.message());
        expect!["no nodes available to schedule pods"].assert_eq(&Diagnosis::new(0).message());
    }
}
