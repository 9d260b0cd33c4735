//! rbac.authorization.k8s.io `Role`.

use jiff::Timestamp;
use serde_json::Value;

use super::rules;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};
use crate::names::NameRule;

pub static ROLE: Kind = Kind {
    group: "rbac.authorization.k8s.io",
    kind: "Role",
    plural: "roles",
    singular: "role",
    rules: &RoleRules,
    ..Kind::NAMESPACED
};

struct RoleRules;

impl Rules for RoleRules {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        rules::validate_role(object, true)
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
