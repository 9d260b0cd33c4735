//! Pods stay five minutes on a node that is lost, unless they say otherwise.

use async_trait::async_trait;
use registry::Object;
use serde_json::{Value, json};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::status::ApiError;

const TAINTS: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
const SECONDS: u64 = 300;

pub(super) struct DefaultTolerationSeconds;

#[async_trait]
impl Plugin for DefaultTolerationSeconds {
    fn name(&self) -> &'static str {
        "DefaultTolerationSeconds"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "") && attributes.operation != Operation::Delete
    }

    async fn admit(&self, _attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let Some(Value::Object(spec)) = object.get_mut("spec") else { return Ok(None) };
        let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
        if tolerations.is_null() {
            *tolerations = json!([]);
        }
        let Value::Array(tolerations) = tolerations else { return Ok(None) };
        for taint in TAINTS {
            if !tolerations.iter().any(|toleration| tolerates(toleration, taint)) {
                tolerations.push(json!({
                    "key": taint, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": SECONDS,
                }));
            }
        }
        Ok(None)
    }
}

fn tolerates(toleration: &Value, taint: &str) -> bool {
    let text = |field: &str| toleration.get(field).and_then(Value::as_str).unwrap_or("");
    matches!(text("key"), "") && text("operator") == "Exists" && matches!(text("effect"), "" | "NoExecute")
        || text("key") == taint && matches!(text("effect"), "" | "NoExecute")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toleration_of_its_own_is_kept() {
        let taint = TAINTS[0];
        assert!(tolerates(&json!({"operator": "Exists"}), taint));
        assert!(tolerates(&json!({"key": taint, "operator": "Exists", "effect": "NoExecute"}), taint));
        assert!(!tolerates(&json!({"key": taint, "operator": "Exists", "effect": "NoSchedule"}), taint));
        assert!(!tolerates(&json!({"key": "other", "operator": "Exists"}), taint));
    }
}
