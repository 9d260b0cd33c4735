//! coordination.k8s.io `Lease`.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_not_negative, get_i64, get_str, invalid_all, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static LEASE: Kind = Kind {
    group: "coordination.k8s.io",
    kind: "Lease",
    plural: "leases",
    singular: "lease",
    rules: &LeaseRules,
    ..Kind::NAMESPACED
};

struct LeaseRules;

impl Rules for LeaseRules {
    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(seconds) = get_i64(object, "spec.leaseDurationSeconds").filter(|seconds| *seconds <= 0) {
            faults.push(FieldError::invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
        }
        check_not_negative(object, "spec.leaseTransitions", "", &mut faults);
        if let Some(strategy) = get_str(object, "spec.strategy") {
            invalid_all("spec.strategy", strategy, names::qualified_name(strategy), &mut faults);
        }
        if !text(object, "spec.preferredHolder").is_empty() && text(object, "spec.strategy").is_empty() {
            let detail = "may only be specified when `strategy` is defined";
            faults.push(FieldError::forbidden("spec.preferredHolder", detail));
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] =
            &[NAME, column("Holder", "string", "holderIdentity contains the identity of the holder of a lease."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(text(object, "spec.holderIdentity")), columns::age(object, now)]
    }

    fn creates_on_update(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
