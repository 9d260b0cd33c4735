//! rbac.authorization.k8s.io `ClusterRole`.

use jiff::Timestamp;
use serde_json::Value;

use super::rules;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};
use crate::names::NameRule;

pub static CLUSTER_ROLE: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "ClusterRole",
    plural: "clusterroles",
    singular: "clusterrole",
    rules: &ClusterRoleRules,
    ..Kind::CLUSTER
};

struct ClusterRoleRules;

impl Rules for ClusterRoleRules {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = rules::validate_role(object, false);
        rules::validate_aggregation(object, &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        rules::ROLE_COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        rules::role_row(object)
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}
