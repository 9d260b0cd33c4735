//! A pod learns the zone and region of its node, as labels, when it is assigned.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{object_at, text};
use serde_json::Value;

use super::{Attributes, Operation, Plugin, Reservation};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

const LABELS: [&str; 2] = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

pub(super) struct PodTopologyLabels;

#[async_trait]
impl Plugin for PodTopologyLabels {
    fn name(&self) -> &'static str {
        "PodTopologyLabels"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "") && attributes.operation == Operation::Create
            || attributes.is("", "pods", "binding")
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        let node = text(object, "spec.nodeName");
        if node.is_empty() {
            return Ok(None);
        }
        let nodes = kinds::required("", "v1", "nodes");
        if let Some(node) = attributes.call.server.storage.object(nodes, "", node).await? {
            copy_labels(&node, object);
        }
        Ok(None)
    }
}

fn copy_labels(node: &Object, pod: &mut Object) {
    let Some(labels) = metadata::map(node, "labels") else { return };
    let copied: Vec<(String, Value)> =
        LABELS.iter().filter_map(|name| Some(((*name).to_owned(), labels.get(*name)?.clone()))).collect();
    if !copied.is_empty() {
        object_at(metadata::of(pod), "labels").extend(copied);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn zone_and_region_follow_the_node_and_nothing_else_does() {
        let Value::Object(node) = json!({"metadata": {"labels": {LABELS[0]: "z", "kubernetes.io/arch": "amd64"}}})
        else {
            unreachable!()
        };
        let mut pod = Object::from_iter([("metadata".to_owned(), json!({"name": "a", "labels": {"app": "x"}}))]);
        copy_labels(&node, &mut pod);
        assert_eq!(pod["metadata"]["labels"], json!({"app": "x", LABELS[0]: "z"}));
    }
}
