//! autoscaling/v2beta1: each kind of metric spells its target in fields of its own, and behavior has none.

use serde_json::Value;

use crate::autoscaling::horizontal_pod_autoscaler::HORIZONTAL_POD_AUTOSCALER;
use crate::autoscaling::horizontal_pod_autoscaler_v1::{
    behavior_from_annotation, behavior_to_annotation, metric_to_v1, metric_to_v2, status_to_v1, status_to_v2,
};
use crate::fields::items_mut;
use crate::kind::{Conversion, Kind, Object};

/// Its metrics are those that v1 has in an annotation.
pub static HORIZONTAL_POD_AUTOSCALER_V2BETA1: Kind = Kind::served_as(
    "autoscaling",
    "v2beta1",
    &Conversion::between(&HORIZONTAL_POD_AUTOSCALER, to_storage, out_of_storage),
)
.deprecated(22, 25, "autoscaling/v2 HorizontalPodAutoscaler");

fn to_storage(autoscaler: &mut Object) {
    each(autoscaler, metric_to_v2, status_to_v2);
    behavior_from_annotation(autoscaler);
}

fn out_of_storage(autoscaler: &mut Object) {
    each(autoscaler, metric_to_v1, status_to_v1);
    behavior_to_annotation(autoscaler);
}

fn each(autoscaler: &mut Object, metric: fn(&Object) -> Value, status: fn(&Object) -> Value) {
    for (path, change) in [("spec.metrics", metric), ("status.currentMetrics", status)] {
        for item in items_mut(autoscaler, path) {
            if let Value::Object(changed) = change(item) {
                *item = changed;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn targets_are_spelt_by_each_kind_of_metric() {
        let old = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "minReplicas": 1, "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 50}},
            {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "10"}},
            {"type": "External", "external": {"metricName": "queue", "metricSelector": {"matchLabels": {"q": "x"}}, "targetValue": "5"}},
        ]}});
        let at_rest = rested(&HORIZONTAL_POD_AUTOSCALER_V2BETA1, old.clone());
        assert_eq!(
            at_rest["spec"]["metrics"],
            json!([
                {"type": "Resource", "resource": {"name": "cpu", "target": {"averageUtilization": 50, "type": "Utilization"}}},
                {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"averageValue": "10", "type": "AverageValue"}}},
                {"type": "External", "external": {
                    "metric": {"name": "queue", "selector": {"matchLabels": {"q": "x"}}},
                    "target": {"value": "5", "type": "Value"}}},
            ])
        );
        assert_eq!(shown(&HORIZONTAL_POD_AUTOSCALER_V2BETA1, at_rest)["spec"], old["spec"]);
    }

    #[test]
    fn behavior_rests_in_an_annotation_here() {
        let rules = json!({
            "stabilizationWindowSeconds": 3,
            "selectPolicy": "Min",
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
        });
        let behavior = json!({"scaleUp": rules, "scaleDown": rules});
        let stored = json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, "behavior": behavior}});
        let shown = shown(&HORIZONTAL_POD_AUTOSCALER_V2BETA1, stored.clone());
        assert_eq!(shown["spec"].get("behavior"), None);
        assert_eq!(rested(&HORIZONTAL_POD_AUTOSCALER_V2BETA1, shown)["spec"]["behavior"], stored["spec"]["behavior"]);
    }
}
