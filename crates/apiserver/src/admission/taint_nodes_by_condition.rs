//! A new node takes no pods until it is known to be ready.

use async_trait::async_trait;
use registry::Object;
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::status::ApiError;

const NOT_READY: &str = "node.kubernetes.io/not-ready";

pub(super) struct TaintNodesByCondition;

#[async_trait]
impl Plugin for TaintNodesByCondition {
    fn name(&self) -> &'static str {
        "TaintNodesByCondition"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "nodes", "") && attributes.operation == Operation::Create
    }

    async fn admit(&self, _attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let spec = object.entry("spec").or_insert_with(|| json!({}));
        let Value::Object(spec) = spec else { return Ok(None) };
        let taints = spec.entry("taints").or_insert_with(|| json!([]));
        if taints.is_null() {
            *taints = json!([]);
        }
        let Value::Array(taints) = taints else { return Ok(None) };
        let is_ours = |taint: &Value| taint.get("key").and_then(Value::as_str) == Some(NOT_READY);
        if !taints.iter().any(is_ours) {
            taints.push(json!({ "key": NOT_READY, "effect": "NoSchedule" }));
        }
        Ok(None)
    }
}
