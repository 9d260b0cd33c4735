//! policy `PodDisruptionBudget`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_supported, get, get_object, number, value};
use crate::kind::{Column, Kind, Object, Rules};
use crate::metadata;
use crate::workload::validate_share;

pub static POD_DISRUPTION_BUDGET: Kind = Kind {
    group: "policy",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    singular: "poddisruptionbudget",
    short_names: &["pdb"],
    has_status: true,
    rules: &PodDisruptionBudgetRules,
    ..Kind::NAMESPACED
};

struct PodDisruptionBudgetRules;

impl Rules for PodDisruptionBudgetRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if get(object, "spec.minAvailable").is_some() && get(object, "spec.maxUnavailable").is_some() {
            let detail = "minAvailable and maxUnavailable cannot be both set";
            faults.push(FieldError::invalid("spec", value(object, "spec"), detail));
        }
        for field in ["spec.minAvailable", "spec.maxUnavailable"] {
            validate_share(object, field, "", &mut faults);
        }
        if let Some(selector) = get_object(object, "spec.selector") {
            metadata::validate_selector(selector, "spec.selector", &mut faults);
        }
        let policies = ["AlwaysAllow", "IfHealthyBudget"];
        check_supported(object, "spec.unhealthyPodEvictionPolicy", &policies, "", &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Min Available", "string", "The minimum number of pods that must be available."),
            column("Max Unavailable", "string", "The maximum number of pods that may be unavailable."),
            column("Allowed Disruptions", "integer", "Calculated number of pods that may be disrupted at this time."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let share = |path: &str| match get(object, path) {
            None => Value::from("N/A"),
            Some(Value::String(text)) => Value::from(text.as_str()),
            Some(count) => Value::from(count.to_string()),
        };
        vec![
            columns::name(object),
            share("spec.minAvailable"),
            share("spec.maxUnavailable"),
            Value::from(number(object, "status.disruptionsAllowed")),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
