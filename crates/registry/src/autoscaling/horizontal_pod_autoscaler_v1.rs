//! autoscaling/v1 `HorizontalPodAutoscaler`: processor time alone has a field. What else an autoscaler of
//! v2 says stands in annotations, so that nothing is lost on the way there and back.

use serde_json::{Value, json};

use super::horizontal_pod_autoscaler::HORIZONTAL_POD_AUTOSCALER;
use crate::fields::{get, get_object, object_at, object_mut, set, set_default, text};
use crate::kind::{Conversion, Kind, Object};

pub static HORIZONTAL_POD_AUTOSCALER_V1: Kind = Kind::served_as(
    "autoscaling",
    "v1",
    &Conversion { default, ..Conversion::between(&HORIZONTAL_POD_AUTOSCALER, to_storage, out_of_storage) },
);

const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";
const CURRENT_METRICS: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

const PERCENT: &str = "targetCPUUtilizationPercentage";
const CURRENT_PERCENT: &str = "currentCPUUtilizationPercentage";

fn default(autoscaler: &mut Object) {
    set_default(object_at(autoscaler, "spec"), "minReplicas", 1);
}

fn to_storage(autoscaler: &mut Object) {
    let mut metrics = annotation(autoscaler, METRICS).map_or(Vec::new(), |metrics| convert(metrics, metric_to_v2));
    if let Some(percent) = object_mut(autoscaler, "spec").and_then(|spec| spec.shift_remove(PERCENT)) {
        metrics.push(processor_metric(percent));
    }
    if !metrics.is_empty() {
        set(autoscaler, "spec.metrics", metrics);
    }
    behavior_from_annotation(autoscaler);
    let current = annotation(autoscaler, CURRENT_METRICS).map(|metrics| convert(metrics, status_to_v2));
    let conditions = annotation(autoscaler, CONDITIONS);
    let percent = object_mut(autoscaler, "status").and_then(|status| status.shift_remove(CURRENT_PERCENT));
    match (current, percent) {
        (Some(current), _) => set(autoscaler, "status.currentMetrics", current),
        (None, Some(percent)) => {
            let current = json!({ "name": "cpu", "current": { "averageUtilization": percent } });
            set(autoscaler, "status.currentMetrics", json!([{ "type": "Resource", "resource": current }]));
        }
        (None, None) => {}
    }
    if let Some(conditions) = conditions {
        set(autoscaler, "status.conditions", conditions);
    }
    for key in [METRICS, CURRENT_METRICS, CONDITIONS] {
        forget(autoscaler, key);
    }
}

fn out_of_storage(autoscaler: &mut Object) {
    let mut others = Vec::new();
    let mut percent = None;
    for metric in take_list(autoscaler, "spec", "metrics") {
        match processor_percent(&metric, "target") {
            Some(found) => percent = Some(found),
            None => others.extend(metric.as_object().map(metric_to_v1)),
        }
    }
    if let Some(percent) = percent {
        set(autoscaler, &format!("spec.{PERCENT}"), percent);
    }
    if !others.is_empty() {
        annotate(autoscaler, METRICS, &Value::from(others));
    }
    behavior_to_annotation(autoscaler);
    let current = take_list(autoscaler, "status", "currentMetrics");
    if let Some(percent) = current.iter().find_map(|metric| processor_percent(metric, "current")) {
        set(autoscaler, &format!("status.{CURRENT_PERCENT}"), percent);
    }
    if !current.is_empty() {
        let current: Vec<Value> = current.iter().filter_map(Value::as_object).map(status_to_v1).collect();
        annotate(autoscaler, CURRENT_METRICS, &Value::from(current));
    }
    let conditions = take_list(autoscaler, "status", "conditions");
    if !conditions.is_empty() {
        annotate(autoscaler, CONDITIONS, &Value::from(conditions));
    }
}

pub(crate) fn behavior_from_annotation(autoscaler: &mut Object) {
    if let Some(Value::Object(behavior)) = annotation(autoscaler, BEHAVIOR)
        && !behavior.is_empty()
    {
        set(autoscaler, "spec.behavior", Value::Object(with_keys(behavior, lower_first)));
    }
    forget(autoscaler, BEHAVIOR);
}

pub(crate) fn behavior_to_annotation(autoscaler: &mut Object) {
    if let Some(Value::Object(behavior)) = object_mut(autoscaler, "spec").and_then(|spec| spec.shift_remove("behavior"))
    {
        annotate(autoscaler, BEHAVIOR, &Value::Object(with_keys(behavior, upper_first)));
    }
}

fn processor_metric(percent: Value) -> Value {
    let target = json!({ "type": "Utilization", "averageUtilization": percent });
    json!({ "type": "Resource", "resource": { "name": "cpu", "target": target } })
}

/// The utilization that v1 has a field for.
fn processor_percent(metric: &Value, side: &str) -> Option<Value> {
    let metric = metric.as_object()?;
    (text(metric, "type") == "Resource" && text(metric, "resource.name") == "cpu").then_some(())?;
    get(metric, &format!("resource.{side}.averageUtilization")).cloned()
}

/// One kind of metric: its field, and where its own values stand in v1.
struct Source {
    field: &'static str,
    /// Field in v1, path in v2. `averageValue` and `value` belong to the target or current value.
    names: &'static [(&'static str, &'static str)],
    /// Names of value, average value and average utilization in v1 behind `target` or `current`; empty
    /// where the source has no such value. The second name of an Object is its own.
    values: [&'static str; 3],
}

static SOURCES: &[Source] = &[
    Source { field: "resource", names: &[("name", "name")], values: ["", "AverageValue", "AverageUtilization"] },
    Source {
        field: "containerResource",
        names: &[("name", "name"), ("container", "container")],
        values: ["", "AverageValue", "AverageUtilization"],
    },
    Source {
        field: "pods",
        names: &[("metricName", "metric.name"), ("selector", "metric.selector")],
        values: ["", "AverageValue", ""],
    },
    Source {
        field: "object",
        names: &[("target", "describedObject"), ("metricName", "metric.name"), ("selector", "metric.selector")],
        values: ["Value", "averageValue", ""],
    },
    Source {
        field: "external",
        names: &[("metricName", "metric.name"), ("metricSelector", "metric.selector")],
        values: ["Value", "AverageValue", ""],
    },
];

const VALUES: [&str; 3] = ["value", "averageValue", "averageUtilization"];

impl Source {
    /// v1's names of the values on one side, `target` or `current`.
    fn value_names(&self, side: &str) -> impl Iterator<Item = (String, &'static str)> {
        let named = |(name, value): (&'static str, &'static str)| match name {
            "averageValue" => (name.to_owned(), value),
            name => (format!("{side}{name}"), value),
        };
        let names = self.values.into_iter().zip(VALUES).filter(|(name, _)| !name.is_empty());
        names.map(named).collect::<Vec<_>>().into_iter()
    }

    fn to_v2(&self, old: &Object, side: &str) -> Object {
        let mut new = Object::new();
        for (from, to) in self.names {
            if let Some(value) = old.get(*from) {
                set(&mut new, to, value.clone());
            }
        }
        let mut values = Object::new();
        for (from, to) in self.value_names(side) {
            if let Some(value) = old.get(&from) {
                values.insert(to.to_owned(), value.clone());
            }
        }
        // An Object's value is always written, as nothing where the average counts.
        let counts_average = self.field == "object" && values.contains_key("averageValue");
        if counts_average && values.get("value").is_some_and(|value| value == "0") {
            values.shift_remove("value");
        }
        if side == "target" {
            let has = |value: &str| values.contains_key(value);
            let kind = match self.field {
                "external" | "object" if has("value") && !(self.field == "object" && has("averageValue")) => "Value",
                _ if has("averageUtilization") => "Utilization",
                "object" if !has("averageValue") => "Value",
                _ => "AverageValue",
            };
            values.insert("type".to_owned(), Value::from(kind));
        }
        new.insert(side.to_owned(), Value::Object(values));
        new
    }

    fn to_v1(&self, new: &Object, side: &str) -> Object {
        let mut old = Object::new();
        for (to, from) in self.names {
            if let Some(value) = get(new, from) {
                old.insert((*to).to_owned(), value.clone());
            }
        }
        for (to, from) in self.value_names(side) {
            if let Some(value) = get(new, &format!("{side}.{from}")) {
                old.insert(to, value.clone());
            } else if self.field == "object" && from == "value" {
                old.insert(to, Value::from("0"));
            }
        }
        old
    }
}

pub(crate) fn metric_to_v2(metric: &Object) -> Value {
    to_v2(metric, "target")
}

pub(crate) fn status_to_v2(metric: &Object) -> Value {
    to_v2(metric, "current")
}

pub(crate) fn metric_to_v1(metric: &Object) -> Value {
    to_v1(metric, "target")
}

pub(crate) fn status_to_v1(metric: &Object) -> Value {
    to_v1(metric, "current")
}

fn to_v2(metric: &Object, side: &str) -> Value {
    each_source(metric, |source, old| source.to_v2(old, side))
}

fn to_v1(metric: &Object, side: &str) -> Value {
    each_source(metric, |source, new| source.to_v1(new, side))
}

/// Changes what stands in the fields of the sources, whether the metric is of that type or not.
fn each_source(metric: &Object, change: impl Fn(&Source, &Object) -> Object) -> Value {
    let mut changed = metric.clone();
    for source in SOURCES {
        if let Some(Value::Object(field)) = changed.get_mut(source.field) {
            *field = change(source, field);
        }
    }
    Value::Object(changed)
}

fn convert(metrics: Value, one: fn(&Object) -> Value) -> Vec<Value> {
    metrics.as_array().into_iter().flatten().filter_map(Value::as_object).map(one).collect()
}

/// An annotation's JSON; `None` where there is none or it cannot be read.
fn annotation(autoscaler: &Object, key: &str) -> Option<Value> {
    let annotations = get_object(autoscaler, "metadata.annotations")?;
    serde_json::from_str(annotations.get(key)?.as_str()?).ok()
}

fn annotate(autoscaler: &mut Object, key: &str, value: &Value) {
    let annotations = object_at(object_at(autoscaler, "metadata"), "annotations");
    annotations.insert(key.to_owned(), Value::from(value.to_string()));
}

fn forget(autoscaler: &mut Object, key: &str) {
    let Some(metadata) = object_mut(autoscaler, "metadata") else { return };
    let Some(annotations) = object_mut(metadata, "annotations") else { return };
    annotations.shift_remove(key);
    if annotations.is_empty() {
        metadata.shift_remove("annotations");
    }
}

fn take_list(autoscaler: &mut Object, part: &str, list: &str) -> Vec<Value> {
    match object_mut(autoscaler, part).and_then(|part| part.shift_remove(list)) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    }
}

/// The behavior's annotation spells its keys as Go names fields: `ScaleUp`.
fn with_keys(object: Object, change: fn(&str) -> String) -> Object {
    object.into_iter().map(|(key, value)| (change(&key), value_with_keys(value, change))).collect()
}

fn value_with_keys(value: Value, change: fn(&str) -> String) -> Value {
    match value {
        Value::Object(object) => Value::Object(with_keys(object, change)),
        Value::Array(list) => list.into_iter().map(|item| value_with_keys(item, change)).collect(),
        other => other,
    }
}

fn lower_first(key: &str) -> String {
    change_first(key, |first| first.to_ascii_lowercase())
}

fn upper_first(key: &str) -> String {
    change_first(key, |first| first.to_ascii_uppercase())
}

fn change_first(key: &str, change: fn(char) -> char) -> String {
    let mut characters = key.chars();
    characters.next().map(change).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    #[test]
    fn processor_time_has_a_field_and_the_rest_an_annotation() {
        let mut autoscaler = object(json!({
            "metadata": {"name": "a"},
            "spec": {
                "maxReplicas": 5,
                "metrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}},
                    {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}},
                    {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"type": "AverageValue", "averageValue": "1k"}}},
                    {"type": "Object", "object": {
                        "describedObject": {"kind": "Ingress", "name": "i", "apiVersion": "networking.k8s.io/v1"},
                        "metric": {"name": "hits"}, "target": {"type": "Value", "value": "10k"}}},
                    {"type": "External", "external": {
                        "metric": {"name": "queue", "selector": {"matchLabels": {"q": "x"}}},
                        "target": {"type": "AverageValue", "averageValue": "30"}}},
                ],
                "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]}},
            },
            "status": {
                "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 7, "averageValue": "3m"}}}],
                "conditions": [{"type": "AbleToScale", "status": "True"}],
            },
        }));
        let stored = autoscaler.clone();
        out_of_storage(&mut autoscaler);
        assert_eq!(get(&autoscaler, "spec.targetCPUUtilizationPercentage"), Some(&json!(70)));
        assert_eq!(get(&autoscaler, "status.currentCPUUtilizationPercentage"), Some(&json!(7)));
        let read = |key: &str| annotation(&autoscaler, key).unwrap();
        assert_eq!(
            read(METRICS),
            json!([
                {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}},
                {"type": "Pods", "pods": {"metricName": "rps", "targetAverageValue": "1k"}},
                {"type": "Object", "object": {
                    "target": {"kind": "Ingress", "name": "i", "apiVersion": "networking.k8s.io/v1"},
                    "metricName": "hits", "targetValue": "10k"}},
                {"type": "External", "external": {
                    "metricName": "queue", "metricSelector": {"matchLabels": {"q": "x"}}, "targetAverageValue": "30"}},
            ])
        );
        assert_eq!(
            read(BEHAVIOR),
            json!({"ScaleDown": {"StabilizationWindowSeconds": 60, "Policies": [{"Type": "Pods", "Value": 4, "PeriodSeconds": 60}]}})
        );
        assert_eq!(
            read(CURRENT_METRICS),
            json!([{"type": "Resource", "resource": {"name": "cpu", "currentAverageUtilization": 7, "currentAverageValue": "3m"}}])
        );
        for part in ["metrics", "behavior"] {
            assert_eq!(get_object(&autoscaler, "spec").unwrap().get(part), None);
        }
        to_storage(&mut autoscaler);
        // The field's metric comes last, as upstream appends it.
        let mut expected = stored;
        if let Some(Value::Array(metrics)) = object_mut(&mut expected, "spec").unwrap().get_mut("metrics") {
            metrics.rotate_left(1);
        }
        assert_eq!(autoscaler, expected);
    }

    #[test]
    fn an_old_autoscaler_says_what_it_always_said() {
        let mut autoscaler = object(json!({"metadata": {"name": "a"}, "spec": {"maxReplicas": 3, PERCENT: 50}}));
        HORIZONTAL_POD_AUTOSCALER_V1.rules.default(&mut autoscaler);
        HORIZONTAL_POD_AUTOSCALER_V1.rules.to_storage(&mut autoscaler);
        let spec = get_object(&autoscaler, "spec").unwrap();
        assert_eq!(
            Value::from(spec.clone()),
            json!({"maxReplicas": 3, "minReplicas": 1, "metrics": [processor_metric(json!(50))]})
        );
        let mut bare = object(json!({"spec": {"maxReplicas": 3}}));
        HORIZONTAL_POD_AUTOSCALER_V1.rules.to_storage(&mut bare);
        HORIZONTAL_POD_AUTOSCALER_V1.rules.out_of_storage(&mut bare);
        assert_eq!(get(&bare, "spec.targetCPUUtilizationPercentage"), Some(&json!(80)));
    }

    #[test]
    fn an_annotation_that_cannot_be_read_is_dropped() {
        let mut autoscaler = object(json!({"metadata": {"annotations": {METRICS: "{"}}, "spec": {}}));
        to_storage(&mut autoscaler);
        assert_eq!(Value::Object(autoscaler), json!({"metadata": {}, "spec": {}}));
    }
}
