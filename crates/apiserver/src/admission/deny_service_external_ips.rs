//! No Service may claim addresses that are somebody else's: with externalIPs one tenant could take
//! over another's traffic, or the gateway's.

use async_trait::async_trait;
use registry::Object;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::status::ApiError;

pub(super) struct DenyServiceExternalIps;

#[async_trait]
impl Plugin for DenyServiceExternalIps {
    fn name(&self) -> &'static str {
        "DenyServiceExternalIPs"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "services", "") && attributes.operation != Operation::Delete
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let before = attributes.old.map_or(Vec::new(), external_ips);
        let after = object.map_or(Vec::new(), external_ips);
        // What was there before may stay or go, so that an old Service can still be edited.
        if after.iter().any(|address| !before.contains(address)) {
            return Err(attributes.forbidden("Use of external IPs is denied by admission control."));
        }
        Ok(())
    }
}

fn external_ips(service: &Object) -> Vec<&str> {
    let list = service.get("spec").and_then(|spec| spec.get("externalIPs")).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}
