//! The number behind a pod's priority class.

use async_trait::async_trait;
use registry::Object;
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Encoded;

pub(super) struct Priority;

#[async_trait]
impl Plugin for Priority {
    fn name(&self) -> &'static str {
        "Priority"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "") && attributes.operation != Operation::Delete
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let old = attributes.old.and_then(|old| old.get("spec"));
        let Some(Value::Object(spec)) = object.get_mut("spec") else { return Ok(None) };
        if let Some(old) = old {
            // Clients that do not know the field must not lose it.
            for field in ["priority", "preemptionPolicy"] {
                if let (None, Some(kept)) = (spec.get(field), old.get(field)) {
                    spec.insert(field.to_owned(), kept.clone());
                }
            }
            return Ok(None);
        }
        let name = spec.get("priorityClassName").and_then(Value::as_str).unwrap_or("").to_owned();
        let class = match name.as_str() {
            "" => default_class(attributes).await?,
            name => {
                let classes = kinds::required("scheduling.k8s.io", "v1", "priorityclasses");
                let class = attributes.call.server.storage.object(classes, "", name).await?;
                let why = format!("no PriorityClass with name {name} was found");
                Some(class.ok_or_else(|| attributes.forbidden(&why))?)
            }
        };
        let value = class.as_ref().and_then(|class| class.get("value")).and_then(Value::as_i64).unwrap_or(0);
        if let Some(given) = spec.get("priority").and_then(Value::as_i64).filter(|given| *given != value) {
            let why = format!(
                "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller \
                 computed {value} from the given PriorityClass name"
            );
            return Err(attributes.forbidden(&why));
        }
        if let Some(class) = &class {
            spec.insert("priorityClassName".to_owned(), Value::from(metadata::name(class)));
        }
        spec.insert("priority".to_owned(), Value::from(value));
        let policy = class.as_ref().and_then(|class| class.get("preemptionPolicy")).and_then(Value::as_str);
        let policy = policy.unwrap_or("PreemptLowerPriority");
        if let Some(given) = spec.get("preemptionPolicy").and_then(Value::as_str).filter(|given| *given != policy) {
            let why = format!(
                "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission \
                 controller computed {policy} from the given PriorityClass name"
            );
            return Err(attributes.forbidden(&why));
        }
        spec.insert("preemptionPolicy".to_owned(), Value::from(policy));
        Ok(None)
    }
}

/// The class that is the default; of several, the one of the least value.
async fn default_class(attributes: &Attributes<'_>) -> Result<Option<Object>, ApiError> {
    let classes = kinds::required("scheduling.k8s.io", "v1", "priorityclasses");
    let mut default: Option<Object> = None;
    let value = |class: &Object| class.get("value").and_then(Value::as_i64).unwrap_or(0);
    for entry in attributes.call.server.storage.list(classes, "").await?.entries {
        let class = Encoded::from(entry).decode()?;
        let is_default = class.get("globalDefault").and_then(Value::as_bool).unwrap_or(false);
        if is_default && default.as_ref().is_none_or(|best| value(&class) < value(best)) {
            default = Some(class);
        }
    }
    Ok(default)
}
