//! Why no node would do, in upstream's words.

use std::collections::{BTreeMap, BTreeSet};

use crate::framework::Rejection;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    nodes: usize,
    reasons: BTreeMap<String, usize>,
    /// Nodes where the removal of pods could help.
    resolvable: BTreeSet<String>,
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

    pub(crate) fn add(&mut self, node: &str, plugin: &'static str, rejection: Rejection) {
        self.plugins.insert(plugin);
        if rejection.is_resolvable {
            self.resolvable.insert(node.to_owned());
        }
        for reason in rejection.reasons {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    pub(crate) fn has_nodes(&self) -> bool {
        self.nodes > 0
    }

    pub(crate) fn is_resolvable(&self, node: &str) -> bool {
        self.resolvable.contains(node)
    }

    pub(crate) fn message(&self) -> String {
        if self.nodes == 0 {
            return "no nodes available to schedule pods".to_owned();
        }
        let mut counted: Vec<String> = self.reasons.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        counted.sort();
        counted.extend(self.refusal.clone());
        format!("0/{} nodes are available: {}.", self.nodes, counted.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn counts_reasons_as_kubectl_users_know_them() {
        let mut diagnosis = Diagnosis::new(3);
        diagnosis.add("a", "TaintToleration", Rejection::unresolvable("node(s) had untolerated taint(s)"));
        let both = Rejection { reasons: vec!["Too many pods".into(), "Insufficient cpu".into()], is_resolvable: true };
        diagnosis.add("b", "NodeResourcesFit", both);
        diagnosis.add("c", "NodeResourcesFit", Rejection::resolvable("Insufficient cpu"));
        expect![[
            r#"0/3 nodes are available: 1 Too many pods, 1 node(s) had untolerated taint(s), 2 Insufficient cpu."#
        ]]
        .assert_eq(&diagnosis.message());
        assert_eq!(["a", "b", "c"].map(|node| diagnosis.is_resolvable(node)), [false, true, true]);
        expect!["no nodes available to schedule pods"].assert_eq(&Diagnosis::new(0).message());
    }
}
