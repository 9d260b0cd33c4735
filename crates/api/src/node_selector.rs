//! Which nodes a node selector admits.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{NodeSelector, NodeSelectorRequirement, NodeSelectorTerm};

use crate::selector::Requirement;

/// Whether any of the terms, which are alternatives, admits the node; none admits nothing.
pub fn admits(selector: &NodeSelector, name: &str, labels: &BTreeMap<String, String>) -> bool {
    selector.node_selector_terms.iter().any(|term| term_admits(term, name, labels))
}

/// Whether all of the term's requirements hold; a term without any holds nowhere.
pub fn term_admits(term: &NodeSelectorTerm, name: &str, labels: &BTreeMap<String, String>) -> bool {
    let expressions = term.match_expressions.as_deref().unwrap_or_default();
    let fields = term.match_fields.as_deref().unwrap_or_default();
    if expressions.is_empty() && fields.is_empty() {
        return false;
    }
    let node_fields = BTreeMap::from([("metadata.name".to_owned(), name.to_owned())]);
    expressions.iter().all(|requirement| holds(requirement, labels))
        && fields.iter().all(|requirement| holds(requirement, &node_fields))
}

/// A requirement that cannot be read holds nowhere.
fn holds(requirement: &NodeSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let values = requirement.values.clone().unwrap_or_default();
    Requirement::from_parts(&requirement.key, &requirement.operator, values)
        .is_ok_and(|requirement| requirement.matches(labels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(key: &str, operator: &str, values: &[&str]) -> NodeSelectorRequirement {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        NodeSelectorRequirement { key: key.into(), operator: operator.into(), values: Some(values) }
    }

    #[test]
    fn terms_are_alternatives_and_requirements_are_not() {
        let labels = BTreeMap::from([("zone".to_owned(), "left".to_owned()), ("cores".to_owned(), "8".to_owned())]);
        let zone = |zone: &str| requirement("zone", "In", &[zone]);
        let term = |expressions: Vec<NodeSelectorRequirement>| NodeSelectorTerm {
            match_expressions: Some(expressions),
            match_fields: None,
        };
        let one = NodeSelectorTerm {
            match_expressions: None,
            match_fields: Some(vec![requirement("metadata.name", "In", &["one"])]),
        };
        for (terms, expected) in [
            (vec![], false),
            (vec![NodeSelectorTerm::default()], false),
            (vec![term(vec![zone("left")])], true),
            (vec![term(vec![zone("right")])], false),
            (vec![term(vec![zone("right")]), term(vec![zone("left")])], true),
            (vec![term(vec![zone("left"), requirement("cores", "Gt", &["8"])])], false),
            (vec![term(vec![zone("left"), requirement("cores", "Gt", &["7"])])], true),
            (vec![term(vec![requirement("cores", "Above", &["7"])])], false),
            (vec![one], true),
        ] {
            let selector = NodeSelector { node_selector_terms: terms };
            assert_eq!(admits(&selector, "one", &labels), expected, "{selector:?}");
        }
    }
}
