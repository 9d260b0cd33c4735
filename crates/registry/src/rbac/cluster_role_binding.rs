//! rbac.authorization.k8s.io `ClusterRoleBinding`.

use jiff::Timestamp;
use serde_json::Value;

use super::rules;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};
use crate::names::NameRule;

pub static CLUSTER_ROLE_BINDING: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "ClusterRoleBinding",
    plural: "clusterrolebindings",
    singular: "clusterrolebinding",
    rules: &ClusterRoleBindingRules,
    ..Kind::CLUSTER
};

struct ClusterRoleBindingRules;

impl Rules for ClusterRoleBindingRules {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn default(&self, object: &mut Object) {
        rules::default_binding(object);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        rules::validate_binding(object, old, false)
    }

    fn columns(&self) -> &'static [Column] {
        rules::BINDING_COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        rules::binding_row(object, now)
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}
