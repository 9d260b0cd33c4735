//! storagemigration.k8s.io `StorageVersionMigration`: all objects of a resource are written anew.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, condition_is_true, items, text, value};
use crate::kind::{Column, Conversion, Kind, Object, Rules};
use crate::names;

pub static STORAGE_VERSION_MIGRATION: Kind = Kind {
    group: "storagemigration.k8s.io",
    kind: "StorageVersionMigration",
    plural: "storageversionmigrations",
    singular: "storageversionmigration",
    has_status: true,
    rules: &StorageVersionMigrationRules,
    ..Kind::CLUSTER
};

pub static STORAGE_VERSION_MIGRATION_V1BETA1: Kind =
    Kind::served_as("storagemigration.k8s.io", "v1beta1", &Conversion::same_as(&STORAGE_VERSION_MIGRATION));

struct StorageVersionMigrationRules;

impl Rules for StorageVersionMigrationRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let (resource, group) = ("spec.resource.resource", "spec.resource.group");
        match text(object, resource) {
            "" => faults.push(FieldError::required(resource, "resource is required to be set")),
            name => check(resource, name, &names::dns_1035_label(name), &mut faults),
        }
        match text(object, group) {
            "" => {}
            name => check(group, name, &names::dns_subdomain(name), &mut faults),
        }
        if let Some(old) = old {
            check_immutable(object, old, "spec", &mut faults);
        }
        faults
    }

    fn validate_status(&self, object: &Object, old: &Object) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let version = "status.resourceVersion";
        let (seen, before) = (text(object, version), text(old, version));
        if !seen.is_empty() && seen.parse::<u64>().is_err() {
            let detail = format!("resource version is not well formed: {seen}");
            faults.push(FieldError::invalid(version, seen, detail));
        }
        if !before.is_empty() && before != seen {
            faults.push(FieldError::invalid(version, seen, "field is immutable"));
        }
        let [succeeded, failed, running] =
            ["Succeeded", "Failed", "Running"].map(|condition| condition_is_true(object, condition));
        for (is_wrong, detail) in [
            (succeeded && failed, "Both success and failed conditions cannot be true at the same time"),
            (succeeded && running, "Running condition cannot be true when success condition is true"),
            (failed && running, "Running condition cannot be true when failed condition is true"),
            (
                condition_is_true(old, "Succeeded") && !succeeded,
                "Success condition cannot be set to false once it is true",
            ),
            (condition_is_true(old, "Failed") && !failed, "Failed condition cannot be set to false once it is true"),
        ] {
            if is_wrong {
                let path = "status.conditions";
                faults.push(FieldError::invalid(path, value(object, path), detail));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            columns::NAME,
            column("Resource", "string", "GroupResource to migrate"),
            column("Status", "string", "Status of the migration"),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let (resource, group) = (text(object, "spec.resource.resource"), text(object, "spec.resource.group"));
        let migrated = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        let state = items(object, "status.conditions")
            .filter(|condition| text(condition, "status") == "True")
            .map(|condition| text(condition, "type"))
            .filter(|kind| ["Running", "Failed", "Succeeded"].contains(kind))
            .last();
        vec![columns::name(object), Value::from(migrated), Value::from(state.unwrap_or("Unknown"))]
    }
}

fn check(path: &str, name: &str, complaints: &[String], faults: &mut Vec<FieldError>) {
    if !complaints.is_empty() {
        faults.push(FieldError::invalid(path, name, complaints.join(",")));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_status, check_update, row};

    fn migration(group: &str, resource: &str) -> Value {
        json!({"metadata": {"name": "m"}, "spec": {"resource": {"group": group, "resource": resource}}})
    }

    #[test]
    fn a_migration_is_of_one_resource() {
        let kind = &STORAGE_VERSION_MIGRATION;
        check(kind, migration("apps", "deployments"), &[]);
        check(kind, migration("", ""), &["spec.resource.resource: Required value: resource is required to be set"]);
        check_update(
            kind,
            migration("apps", "daemonsets"),
            migration("apps", "deployments"),
            &[r#"spec: Invalid value: {"resource":{"group":"apps","resource":"daemonsets"}}: field is immutable"#],
        );
    }

    #[test]
    fn it_runs_and_then_ends_in_one_way() {
        let kind = &STORAGE_VERSION_MIGRATION;
        let with = |states: &[&str]| {
            let conditions: Vec<Value> = states.iter().map(|state| json!({"type": state, "status": "True"})).collect();
            json!({"metadata": {"name": "m"}, "spec": {"resource": {"resource": "secrets"}},
                "status": {"resourceVersion": "7", "conditions": conditions}})
        };
        check_status(kind, with(&["Succeeded"]), with(&["Running"]), &[]);
        let conditions = serde_json::to_string(&with(&["Failed", "Running"])["status"]["conditions"]).unwrap();
        check_status(
            kind,
            with(&["Failed", "Running"]),
            with(&[]),
            &[&format!(
                "status.conditions: Invalid value: {conditions}: Running condition cannot be true when failed condition is true"
            )],
        );
        check_status(
            kind,
            with(&[]),
            with(&["Failed"]),
            &["status.conditions: Invalid value: []: Failed condition cannot be set to false once it is true"],
        );
        let mut other = with(&[]);
        other["status"]["resourceVersion"] = json!("8");
        check_status(kind, other, with(&[]), &[r#"status.resourceVersion: Invalid value: "8": field is immutable"#]);
        assert_eq!(row(kind, with(&["Running"])), "Name=m Resource=secrets Status=Running");
        assert_eq!(row(kind, migration("apps", "deployments")), "Name=m Resource=deployments.apps Status=Unknown");
    }
}
