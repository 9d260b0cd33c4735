//! coordination.k8s.io `LeaseCandidate`: who would hold a lease, and under which version.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_text, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::names;

pub static LEASE_CANDIDATE: Kind = Kind {
    group: "coordination.k8s.io",
    version: "v1beta1",
    kind: "LeaseCandidate",
    plural: "leasecandidates",
    singular: "leasecandidate",
    rules: &LeaseCandidateRules,
    ..Kind::NAMESPACED
}
.deprecated(36, 39, "");

struct LeaseCandidateRules;

const OLDEST: &str = "OldestEmulationVersion";

impl Rules for LeaseCandidateRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_text(object, "spec.leaseName", "", &mut faults);
        let (binary, emulated) = (text(object, "spec.binaryVersion"), text(object, "spec.emulationVersion"));
        let emulation_version = parse_version(emulated, "spec.emulationVersion", &mut faults);
        let binary_path = "spec.binaryVersion";
        check_text(object, binary_path, "", &mut faults);
        let binary_version = parse_version(binary, binary_path, &mut faults);
        if !binary.is_empty() && !emulated.is_empty() && binary_version < emulation_version {
            let detail = "must be greater than or equal to `emulationVersion`";
            faults.push(FieldError::invalid(binary_path, binary, detail));
        }
        let strategy = text(object, "spec.strategy");
        if strategy == OLDEST && emulation_version.is_none() {
            let detail = "must be specified when `strategy` is 'OldestEmulationVersion'";
            faults.push(FieldError::required("spec.emulationVersion", detail));
        }
        check_text(object, "spec.strategy", "", &mut faults);
        if !strategy.is_empty() {
            check_strategy(strategy, &mut faults);
        }
        if let Some(old) = old {
            crate::fields::check_immutable(object, old, "spec.leaseName", &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("LeaseName", "string", "The name of the lease for which this candidate is contending."),
            column("BinaryVersion", "string", "The version of the candidate's binary."),
            column("EmulationVersion", "string", "The version the candidate emulates."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let shown = |path: &str| Value::from(text(object, path));
        vec![
            columns::name(object),
            shown("spec.leaseName"),
            shown("spec.binaryVersion"),
            shown("spec.emulationVersion"),
            columns::age(object, now),
        ]
    }

    fn creates_on_update(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

/// The version, where the text is one; other text is a fault.
fn parse_version(version: &str, path: &str, faults: &mut Vec<FieldError>) -> Option<SemanticVersion> {
    let parsed = SemanticVersion::parse(version);
    if parsed.is_none() && !version.is_empty() {
        faults.push(FieldError::invalid(path, version, "must be a valid semantic version"));
    }
    parsed
}

/// A strategy of somebody's own carries their domain; names without one are Kubernetes' to give.
fn check_strategy(strategy: &str, faults: &mut Vec<FieldError>) {
    let path = "spec.strategy";
    if strategy == OLDEST {
        // The one that Kubernetes defines.
    } else if strategy.contains('/') {
        crate::fields::invalid_all(path, strategy, names::qualified_name(strategy), faults);
    } else {
        faults.push(FieldError::not_supported(path, strategy, &[OLDEST]));
    }
}

/// The numbers of `1.2.3`. What follows them (`-alpha.1`, `+build`) is not compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SemanticVersion([u64; 3]);

impl SemanticVersion {
    fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next()?;
        let numbers: Vec<u64> = numbers.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
        numbers.try_into().ok().map(SemanticVersion)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    fn candidate(binary: &str, emulated: &str, strategy: &str) -> Value {
        json!({"metadata": {"name": "a"}, "spec": {
            "leaseName": "l", "binaryVersion": binary, "emulationVersion": emulated, "strategy": strategy}})
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &LEASE_CANDIDATE;
        check(kind, candidate("1.37.0", "1.36.0", OLDEST), &[]);
        check(kind, candidate("1.37.0", "", "example.com/mine"), &[]);
        check(
            kind,
            json!({"spec": {}}),
            &["spec.leaseName: Required value", "spec.binaryVersion: Required value", "spec.strategy: Required value"],
        );
        check(
            kind,
            candidate("1.9.0", "1.36.0", "Newest"),
            &[
                r#"spec.binaryVersion: Invalid value: "1.9.0": must be greater than or equal to `emulationVersion`"#,
                r#"spec.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion""#,
            ],
        );
        check(
            kind,
            candidate("v1", "", OLDEST),
            &[
                r#"spec.binaryVersion: Invalid value: "v1": must be a valid semantic version"#,
                "spec.emulationVersion: Required value: must be specified when `strategy` is 'OldestEmulationVersion'",
            ],
        );
        let mut moved = candidate("1.37.0", "1.36.0", OLDEST);
        moved["spec"]["leaseName"] = json!("other");
        check_update(
            kind,
            moved,
            candidate("1.37.0", "1.36.0", OLDEST),
            &[r#"spec.leaseName: Invalid value: "other": field is immutable"#],
        );
    }

    #[test]
    fn a_table_shows_versions() {
        assert_eq!(
            row(&LEASE_CANDIDATE, candidate("1.37.0", "1.36.0", OLDEST)),
            "Name=a LeaseName=l BinaryVersion=1.37.0 EmulationVersion=1.36.0 Age=<unknown>"
        );
    }
}
