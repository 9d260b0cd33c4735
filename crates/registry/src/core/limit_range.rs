//! LimitRange.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME};
use crate::fields::{get_object, items_mut, object_at, text};
use crate::kind::{Column, Kind, Object, Rules};

pub static LIMIT_RANGE: Kind = Kind {
    kind: "LimitRange",
    plural: "limitranges",
    singular: "limitrange",
    short_names: &["limits"],
    rules: &LimitRangeRules,
    ..Kind::NAMESPACED
};

struct LimitRangeRules;

impl Rules for LimitRangeRules {
    /// A container's default limit is its maximum, its default request its default limit, then its minimum.
    fn default(&self, object: &mut Object) {
        for limit in items_mut(object, "spec.limits").filter(|limit| text(limit, "type") == "Container") {
            for (from, to) in [("max", "default"), ("default", "defaultRequest"), ("min", "defaultRequest")] {
                for (resource, amount) in get_object(limit, from).cloned().into_iter().flatten() {
                    object_at(limit, to).entry(resource).or_insert(amount);
                }
            }
        }
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, Column { name: "Created At", r#type: "date", ..AGE }];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "metadata.creationTimestamp"))]
    }

    fn creates_on_update(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_follow_from_the_bounds() {
        let limits = json!([{"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1", "memory": "1Mi"}}]);
        let mut object = Object::from_iter([("spec".to_owned(), json!({"limits": limits}))]);
        LimitRangeRules.default(&mut object);
        let limit = &object["spec"]["limits"][0];
        assert_eq!(limit["default"], json!({"cpu": "2"}));
        assert_eq!(limit["defaultRequest"], json!({"cpu": "2", "memory": "1Mi"}));
    }
}
