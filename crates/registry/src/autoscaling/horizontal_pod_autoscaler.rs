//! autoscaling `HorizontalPodAutoscaler`.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::validation;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    get, get_array, get_i64, get_object, items, number, object_at, object_mut, or_none, set, set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules};

pub static HORIZONTAL_POD_AUTOSCALER: Kind = Kind {
    group: "autoscaling",
    version: "v2",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    singular: "horizontalpodautoscaler",
    short_names: &["hpa"],
    categories: &["all"],
    has_status: true,
    rules: &HorizontalPodAutoscalerRules,
    ..Kind::NAMESPACED
};

struct HorizontalPodAutoscalerRules;

const DEFAULT_CPU_PERCENT: i64 = 80;

/// How many metrics a table's cell shows.
const SHOWN: usize = 2;

static COLUMNS: &[Column] = &[
    NAME,
    column("Reference", "string", "The resource being scaled."),
    column("Targets", "string", "Each metric as it is and as it should be."),
    column("MinPods", "string", "The lower limit for the number of replicas."),
    column("MaxPods", "string", "The upper limit for the number of replicas."),
    column("Replicas", "string", "The current number of replicas of pods managed by this autoscaler."),
    AGE,
];

impl Rules for HorizontalPodAutoscalerRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "minReplicas", 1);
        if get_array(spec, "metrics").is_empty() {
            let target = json!({"type": "Utilization", "averageUtilization": DEFAULT_CPU_PERCENT});
            set(spec, "metrics", json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
        }
        if let Some(behavior) = object_mut(spec, "behavior") {
            default_behavior(behavior);
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let (least, most) = (get_i64(object, "spec.minReplicas"), number(object, "spec.maxReplicas"));
        if least.is_some_and(|least| least < 0) {
            faults.push(FieldError::invalid("spec.minReplicas", least, "must be greater than or equal to 0"));
        }
        if most < 1 {
            faults.push(FieldError::invalid("spec.maxReplicas", most, "must be greater than 0"));
        }
        if least.is_some_and(|least| most < least) {
            let detail = "must be greater than or equal to `minReplicas`";
            faults.push(FieldError::invalid("spec.maxReplicas", most, detail));
        }
        validation::validate(object, &mut faults);
        // What is not there tells nothing of itself that could wake it.
        let wakes = |metric: &Value| matches!(metric["type"].as_str(), Some("Object" | "External"));
        if least == Some(0) && !get_array(object, "spec.metrics").iter().any(wakes) {
            let detail = "must specify at least one Object or External metric to support scaling to zero replicas";
            faults.push(FieldError::forbidden("spec.metrics", detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let target = "spec.scaleTargetRef";
        let reference =
            format!("{}/{}", text(object, &format!("{target}.kind")), text(object, &format!("{target}.name")));
        let least = get_i64(object, "spec.minReplicas").map_or("<unset>".to_owned(), |least| least.to_string());
        vec![
            columns::name(object),
            Value::from(reference),
            or_none(&targets(object)),
            Value::from(least),
            Value::from(number(object, "spec.maxReplicas")),
            Value::from(number(object, "status.currentReplicas")),
            columns::age(object, now),
        ]
    }
}

/// Whoever says anything of how fast to scale is told what stands for the rest.
fn default_behavior(behavior: &mut Object) {
    let doubling = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let up = object_at(behavior, "scaleUp");
    set_default(up, "stabilizationWindowSeconds", 0);
    set_default(up, "selectPolicy", "Max");
    if up.get("policies").is_none() {
        set(up, "policies", json!([{"type": "Pods", "value": 4, "periodSeconds": 15}, doubling]));
    }
    let down = object_at(behavior, "scaleDown");
    set_default(down, "selectPolicy", "Max");
    if down.get("policies").is_none() {
        set(down, "policies", json!([doubling]));
    }
}

fn targets(autoscaler: &Object) -> String {
    let all: Vec<String> = items(autoscaler, "spec.metrics").map(|metric| describe(metric, autoscaler)).collect();
    let shown = all[..all.len().min(SHOWN)].join(", ");
    if all.len() > SHOWN { format!("{shown} + {} more...", all.len() - SHOWN) } else { shown }
}

fn describe(metric: &Object, autoscaler: &Object) -> String {
    let (source, label) = match text(metric, "type") {
        "Resource" => ("resource", format!("{}: ", text(metric, "resource.name"))),
        "ContainerResource" => ("containerResource", format!("{}: ", text(metric, "containerResource.name"))),
        "Pods" => ("pods", String::new()),
        "Object" => ("object", String::new()),
        "External" => ("external", String::new()),
        _ => return "<unknown type>".to_owned(),
    };
    let empty = Object::new();
    let target = get_object(metric, &format!("{source}.target")).unwrap_or(&empty);
    let current = items(autoscaler, "status.currentMetrics")
        .filter_map(|status| get_object(status, source))
        .find(|status| text(status, "name") == text(metric, &format!("{source}.name")));
    let known = |field: &str| current.and_then(|status| get(status, &format!("current.{field}")));
    let (field, unit) = match get(target, "averageUtilization") {
        Some(_) => ("averageUtilization", "%"),
        None if get(target, "averageValue").is_some() => ("averageValue", ""),
        None => ("value", ""),
    };
    let show = |value: Option<&Value>| match value {
        Some(Value::String(text)) => format!("{text}{unit}"),
        Some(number) => format!("{number}{unit}"),
        None => "<unknown>".to_owned(),
    };
    format!("{label}{}/{}", show(known(field)), show(get(target, field)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_time_is_the_default_metric() {
        let mut object = Object::new();
        HorizontalPodAutoscalerRules.default(&mut object);
        assert_eq!(targets(&object), "cpu: <unknown>/80%");
        let current = json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7}}}]);
        set(&mut object, "status.currentMetrics", current);
        assert_eq!(targets(&object), "cpu: 7%/80%");
    }
}
