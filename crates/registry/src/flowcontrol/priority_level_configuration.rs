//! flowcontrol.apiserver.k8s.io `PriorityLevelConfiguration`.

use jiff::Timestamp;
use serde_json::Value;

use super::bootstrap;
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{get, get_i64, get_object, join, number, object_mut, set_default, text, value};
use crate::kind::{Column, Kind, Object, Rules};

pub static PRIORITY_LEVEL_CONFIGURATION: Kind = Kind {
    group: "flowcontrol.apiserver.k8s.io",
    kind: "PriorityLevelConfiguration",
    plural: "prioritylevelconfigurations",
    singular: "prioritylevelconfiguration",
    has_status: true,
    rules: &PriorityLevelConfigurationRules,
    ..Kind::CLUSTER
};

struct PriorityLevelConfigurationRules;

const DEFAULT_SHARES: i64 = 30;
const MAX_QUEUES: i64 = 10_000_000;

/// A hand is dealt from a hash of so many bits.
const MAX_HASH_BITS: u32 = 60;

impl Rules for PriorityLevelConfigurationRules {
    fn default(&self, object: &mut Object) {
        if let Some(exempt) = object_mut(object, "spec.exempt") {
            set_default(exempt, "nominalConcurrencyShares", 0);
            set_default(exempt, "lendablePercent", 0);
        }
        if let Some(limited) = object_mut(object, "spec.limited") {
            set_default(limited, "nominalConcurrencyShares", DEFAULT_SHARES);
            set_default(limited, "lendablePercent", 0);
        }
        if let Some(queuing) = object_mut(object, "spec.limited.limitResponse.queuing") {
            set_default(queuing, "queues", 64);
            set_default(queuing, "handSize", 8);
            set_default(queuing, "queueLengthLimit", 50);
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let name = text(object, "metadata.name");
        let kind = text(object, "spec.type");
        if (name == "exempt") != (kind == "Exempt") {
            let detail = "type must be 'Exempt' if and only if name is 'exempt'";
            faults.push(FieldError::invalid("spec.type", kind, detail));
        }
        let (exempt, limited) = (get_object(object, "spec.exempt"), get_object(object, "spec.limited"));
        match kind {
            "Exempt" => {
                if limited.is_some() {
                    let detail = "must be nil if the type is not Limited";
                    faults.push(FieldError::forbidden("spec.limited", detail));
                }
                if let Some(exempt) = exempt {
                    validate_shares(exempt, "spec.exempt", &mut faults);
                }
            }
            "Limited" => {
                if exempt.is_some() {
                    faults.push(FieldError::forbidden("spec.exempt", "must be nil if the type is Limited"));
                }
                match limited {
                    None => {
                        let detail = "must not be empty when type is Limited";
                        faults.push(FieldError::required("spec.limited", detail));
                    }
                    Some(limited) => validate_limited(limited, "spec.limited", &mut faults),
                }
            }
            other => faults.push(FieldError::not_supported("spec.type", other, &["Exempt", "Limited"])),
        }
        validate_mandatory(object, name, &mut faults);
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Type", "string", "Whether this priority level is subject to limitation on request execution."),
            column("NominalConcurrencyShares", "string", "This level's share of the server's concurrency limit."),
            column("Queues", "string", "The number of queues for this priority level."),
            column("HandSize", "string", "How many queues a flow is dealt."),
            column("QueueLengthLimit", "string", "How many requests may wait in one queue."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let shown = |path: &str| get(object, path).cloned().unwrap_or_else(|| Value::from("<none>"));
        let queuing = "spec.limited.limitResponse.queuing";
        vec![
            columns::name(object),
            Value::from(text(object, "spec.type")),
            shown("spec.limited.nominalConcurrencyShares"),
            shown(&join(queuing, "queues")),
            shown(&join(queuing, "handSize")),
            shown(&join(queuing, "queueLengthLimit")),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }
}

fn validate_shares(limits: &Object, path: &str, faults: &mut Vec<FieldError>) {
    let shares = "nominalConcurrencyShares";
    if let Some(number) = get_i64(limits, shares).filter(|number| *number < 0) {
        faults.push(FieldError::invalid(join(path, shares), number, "must be a non-negative integer"));
    }
    let percent = "lendablePercent";
    if let Some(number) = get_i64(limits, percent).filter(|number| !(0..=100).contains(number)) {
        faults.push(FieldError::invalid(join(path, percent), number, "must be between 0 and 100, inclusive"));
    }
}

fn validate_limited(limited: &Object, path: &str, faults: &mut Vec<FieldError>) {
    validate_shares(limited, path, faults);
    let percent = "borrowingLimitPercent";
    if let Some(number) = get_i64(limited, percent).filter(|number| *number < 0) {
        let detail = "if specified, must be a non-negative integer";
        faults.push(FieldError::invalid(join(path, percent), number, detail));
    }
    let path = join(path, "limitResponse");
    let queuing = get_object(limited, "limitResponse.queuing");
    match (text(limited, "limitResponse.type"), queuing) {
        ("Reject", Some(_)) => {
            let detail = "must be nil if limited.limitResponse.type is not Limited";
            faults.push(FieldError::forbidden(join(&path, "queuing"), detail));
        }
        ("Reject", None) => {}
        ("Queue", None) => {
            let detail = "must not be empty if limited.limitResponse.type is Limited";
            faults.push(FieldError::required(join(&path, "queuing"), detail));
        }
        ("Queue", Some(queuing)) => validate_queuing(queuing, &join(&path, "queuing"), faults),
        (other, _) => faults.push(FieldError::not_supported(join(&path, "type"), other, &["Queue", "Reject"])),
    }
}

fn validate_queuing(queuing: &Object, path: &str, faults: &mut Vec<FieldError>) {
    const POSITIVE: &str = "must be positive";
    let (queues, hand) = (number(queuing, "queues"), number(queuing, "handSize"));
    let length = number(queuing, "queueLengthLimit");
    if length <= 0 {
        faults.push(FieldError::invalid(join(path, "queueLengthLimit"), length, POSITIVE));
    }
    if queues <= 0 {
        faults.push(FieldError::invalid(join(path, "queues"), queues, POSITIVE));
    } else if queues > MAX_QUEUES {
        let detail = format!("must not be greater than {MAX_QUEUES}");
        faults.push(FieldError::invalid(join(path, "queues"), queues, detail));
    }
    let path = join(path, "handSize");
    if hand <= 0 {
        faults.push(FieldError::invalid(path, hand, POSITIVE));
    } else if hand > queues {
        faults.push(FieldError::invalid(path, hand, format!("should not be greater than queues ({queues})")));
    } else if (queues as f64).log2() * hand as f64 > f64::from(MAX_HASH_BITS) {
        let detail = format!(
            "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {MAX_HASH_BITS}"
        );
        faults.push(FieldError::invalid(path, hand, detail));
    }
}

/// Of the mandatory levels only `exempt` may change, and of it only its shares.
fn validate_mandatory(level: &Object, name: &str, faults: &mut Vec<FieldError>) {
    let Some(Value::Object(mut fixed)) = bootstrap::mandatory_level(name) else { return };
    let mut spec = get_object(level, "spec").cloned().unwrap_or_else(Object::new);
    let exception = if name == "exempt" {
        fixed.shift_remove("exempt");
        spec.shift_remove("exempt");
        " except the 'spec.exempt' field"
    } else {
        ""
    };
    if spec != fixed {
        let detail = format!("spec of '{name}'{exception} must equal the fixed value");
        faults.push(FieldError::invalid("spec", value(level, "spec"), detail));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, created, row};

    fn level(name: &str, spec: Value) -> Value {
        json!({"metadata": {"name": name}, "spec": spec})
    }

    #[test]
    fn a_level_is_told_what_upstream_assumes() {
        let kind = &PRIORITY_LEVEL_CONFIGURATION;
        let limited = json!({"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}});
        assert_eq!(
            created(kind, level("l", limited.clone()))["spec"]["limited"],
            json!({
                "limitResponse": {"type": "Queue", "queuing": {"queues": 64, "handSize": 8, "queueLengthLimit": 50}},
                "nominalConcurrencyShares": 30,
                "lendablePercent": 0,
            })
        );
        check(kind, level("l", limited.clone()), &[]);
        assert_eq!(
            row(kind, created(kind, level("l", limited))),
            "Name=l Type=Limited NominalConcurrencyShares=30 Queues=64 HandSize=8 QueueLengthLimit=50 Age=<unknown>"
        );
        assert!(row(kind, level("exempt", json!({"type": "Exempt"}))).contains("Queues=<none>"));
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &PRIORITY_LEVEL_CONFIGURATION;
        check(
            kind,
            level("l", json!({"type": "Exempt", "limited": {}})),
            &[
                r#"spec.type: Invalid value: "Exempt": type must be 'Exempt' if and only if name is 'exempt'"#,
                "spec.limited: Forbidden: must be nil if the type is not Limited",
            ],
        );
        check(
            kind,
            level(
                "l",
                json!({"type": "Limited", "limited": {
                "nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1,
                "limitResponse": {"type": "Queue", "queuing": {"queues": 1024, "handSize": 7, "queueLengthLimit": 0}}}}),
            ),
            &[
                "spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
                "spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
                "spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer",
                "spec.limited.limitResponse.queuing.queueLengthLimit: Invalid value: 0: must be positive",
                "spec.limited.limitResponse.queuing.handSize: Invalid value: 7: required entropy bits of deckSize 1024 and handSize 7 should not be greater than 60",
            ],
        );
        check(
            kind,
            level("l", json!({"type": "Limited", "limited": {"limitResponse": {"type": "Reject", "queuing": {}}}})),
            &[
                "spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited",
            ],
        );
    }

    #[test]
    fn only_the_shares_of_the_exempt_level_may_change() {
        let kind = &PRIORITY_LEVEL_CONFIGURATION;
        check(kind, level("exempt", json!({"type": "Exempt", "exempt": {"nominalConcurrencyShares": 5}})), &[]);
        let mut spec = bootstrap::mandatory_level("catch-all").unwrap();
        spec["limited"]["nominalConcurrencyShares"] = json!(6);
        let shown = serde_json::to_string(&spec).unwrap();
        let fault = format!("spec: Invalid value: {shown}: spec of 'catch-all' must equal the fixed value");
        check(kind, level("catch-all", spec), &[&fault]);
    }
}
