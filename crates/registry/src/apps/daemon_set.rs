//! apps `DaemonSet`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_immutable, check_not_negative, check_supported, format_labels, get, get_object, number, object_at,
    set_default, text,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::pod_spec;
use crate::workload::{
    CONTAINERS, IMAGES, SELECTOR, container_cells, is_zero_share, selector_cell, validate_selector_and_template,
    validate_share,
};

pub static DAEMON_SET: Kind = Kind {
    group: "apps",
    kind: "DaemonSet",
    plural: "daemonsets",
    singular: "daemonset",
    short_names: &["ds"],
    categories: &["all"],
    has_status: true,
    rules: &DaemonSetRules,
    ..Kind::NAMESPACED
};

struct DaemonSetRules;

/// How often the template changed. `extensions/v1beta1` has a field for it; controllers of old go by it.
pub const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

static COLUMNS: &[Column] = &[
    NAME,
    column("Desired", "integer", "The total number of nodes that should be running the daemon pod."),
    column("Current", "integer", "The number of nodes that are running at least 1 daemon pod and are supposed to."),
    column("Ready", "integer", "The number of nodes with one or more of the daemon pod running and ready."),
    column("Up-to-date", "integer", "The total number of nodes that are running updated daemon pod."),
    column("Available", "integer", "The number of nodes with one or more of the daemon pod running and available."),
    column("Node Selector", "string", "The labels a node must have for the daemon pod to run on it."),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
];

impl Rules for DaemonSetRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "updateStrategy.type", "RollingUpdate");
        if text(spec, "updateStrategy.type") == "RollingUpdate" {
            set_default(spec, "updateStrategy.rollingUpdate.maxUnavailable", 1);
            set_default(spec, "updateStrategy.rollingUpdate.maxSurge", 0);
        }
        set_default(spec, "revisionHistoryLimit", 10);
        pod_spec::default_template(object);
    }

    fn prepare_create(&self, object: &mut Object, _context: &WriteContext<'_>) {
        object.remove("status");
        let generation = template_generation(object).max(1);
        put_template_generation(object, generation);
    }

    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        let is_changed = get(object, "spec.template") != get(old, "spec.template");
        put_template_generation(object, template_generation(old) + i64::from(is_changed));
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        validate_selector_and_template(object, "daemonset", "DaemonSet", &mut faults);
        check_not_negative(object, "spec.minReadySeconds", "", &mut faults);
        let strategy = "spec.updateStrategy.type";
        check_supported(object, strategy, &["RollingUpdate", "OnDelete"], "", &mut faults);
        if let Some(rolling) = get_object(object, "spec.updateStrategy.rollingUpdate") {
            let path = "spec.updateStrategy.rollingUpdate";
            validate_share(rolling, "maxUnavailable", path, &mut faults);
            validate_share(rolling, "maxSurge", path, &mut faults);
            match (is_zero_share(rolling, "maxUnavailable"), is_zero_share(rolling, "maxSurge")) {
                (true, true) => {
                    let detail = "cannot be 0 when maxSurge is 0";
                    faults.push(FieldError::required(format!("{path}.maxUnavailable"), detail));
                }
                (false, false) => {
                    let detail = "may not be set when maxUnavailable is non-zero";
                    let surge = crate::fields::value(rolling, "maxSurge");
                    faults.push(FieldError::invalid(format!("{path}.maxSurge"), surge, detail));
                }
                _ => {}
            }
        }
        check_not_negative(object, "spec.revisionHistoryLimit", "", &mut faults);
        if let Some(old) = old {
            check_immutable(object, old, "spec.selector", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let [containers, images] = container_cells(object, "spec.template.spec.containers");
        vec![
            columns::name(object),
            Value::from(number(object, "status.desiredNumberScheduled")),
            Value::from(number(object, "status.currentNumberScheduled")),
            Value::from(number(object, "status.numberReady")),
            Value::from(number(object, "status.updatedNumberScheduled")),
            Value::from(number(object, "status.numberAvailable")),
            Value::from(format_labels(get_object(object, "spec.template.spec.nodeSelector"))),
            columns::age(object, now),
            containers,
            images,
            selector_cell(object, "spec.selector"),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

/// 0 where nothing, or no number, is written.
fn template_generation(daemon_set: &Object) -> i64 {
    let annotation = get_object(daemon_set, "metadata.annotations").and_then(|all| all.get(TEMPLATE_GENERATION));
    annotation.and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn put_template_generation(daemon_set: &mut Object, generation: i64) {
    let annotations = object_at(object_at(daemon_set, "metadata"), "annotations");
    annotations.insert(TEMPLATE_GENERATION.to_owned(), Value::from(generation.to_string()));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kind::Writer;
    use crate::testing::{NOW, created, object};

    #[test]
    fn the_generation_of_the_template_is_counted_by_the_server_alone() {
        let generation = |set: &Value| set["metadata"]["annotations"][TEMPLATE_GENERATION].clone();
        let set = |image: &str, claimed: &str| {
            json!({
                "metadata": {"name": "a", "annotations": {TEMPLATE_GENERATION: claimed}},
                "spec": {"template": {"spec": {"containers": [{"name": "a", "image": image}]}}},
            })
        };
        assert_eq!(generation(&created(&DAEMON_SET, json!({"metadata": {"name": "a"}, "spec": {}}))), "1");
        let old = created(&DAEMON_SET, set("a:1", "4"));
        assert_eq!(generation(&old), "4");
        let context = WriteContext { now: NOW.parse().unwrap(), writer: Writer::named("someone") };
        for (image, expected) in [("a:1", "4"), ("a:2", "5")] {
            let mut changed = object(set(image, "9"));
            DAEMON_SET.rules.default(&mut changed);
            DAEMON_SET.rules.prepare_update(&mut changed, old.as_object().unwrap(), &context);
            assert_eq!(generation(&Value::Object(changed)), expected, "{image}");
        }
    }
}
