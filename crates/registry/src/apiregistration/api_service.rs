//! apiregistration.k8s.io `APIService`: who serves a group in a version, this server or one behind a Service.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_text, condition, get, get_object, invalid_all, items, number, object_mut, set, set_default, text, truth,
};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names::{self, NameRule};

pub static API_SERVICE: Kind = Kind {
    group: "apiregistration.k8s.io",
    kind: "APIService",
    plural: "apiservices",
    singular: "apiservice",
    categories: &["api-extensions"],
    has_status: true,
    rules: &ApiServiceRules,
    ..Kind::CLUSTER
};

struct ApiServiceRules;

impl Rules for ApiServiceRules {
    fn name_rule(&self) -> NameRule {
        NameRule::PathSegment
    }

    fn default(&self, object: &mut Object) {
        if let Some(service) = object_mut(object, "spec.service") {
            set_default(service, "port", 443);
        }
    }

    /// What this server serves itself is there.
    fn prepare_create(&self, object: &mut Object, context: &WriteContext<'_>) {
        object.shift_remove("status");
        if get(object, "spec.service").is_none() {
            let available = json!({
                "type": "Available",
                "status": "True",
                "lastTransitionTime": context.now.to_string(),
                "reason": "Local",
                "message": "Local APIServices are always available",
            });
            set(object, "status.conditions", json!([available]));
        }
    }

    fn validate(&self, object: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let (group, version) = (text(object, "spec.group"), text(object, "spec.version"));
        let (name, wanted) = (text(object, "metadata.name"), format!("{version}.{group}"));
        if names::path_segment(name).is_empty() && name != wanted {
            let detail = format!("must be `spec.version+\".\"+spec.group`: {wanted:?}");
            faults.push(FieldError::invalid("metadata.name", name, detail));
        }
        if !group.is_empty() {
            invalid_all("spec.group", group, names::dns_subdomain(group), &mut faults);
        } else if version != "v1" {
            let detail = "only v1 may have an empty group and it better be legacy kube";
            faults.push(FieldError::required("spec.group", detail));
        }
        invalid_all("spec.version", version, names::dns_1035_label(version), &mut faults);
        for (path, most) in [("spec.groupPriorityMinimum", 20_000), ("spec.versionPriority", 1_000)] {
            let priority = number(object, path);
            if !(1..=most).contains(&priority) {
                let detail = format!("must be positive and less than {most}");
                faults.push(FieldError::invalid(path, priority, detail));
            }
        }
        validate_service(object, &mut faults);
        faults
    }

    fn validate_status(&self, object: &Object, _old: &Object) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (at, condition) in items(object, "status.conditions").enumerate() {
            let status = text(condition, "status");
            if !["True", "False", "Unknown"].contains(&status) {
                let path = format!("status.conditions[{at}].status");
                faults.push(FieldError::not_supported(path, status, &["True", "False", "Unknown"]));
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Service", "string", "The reference to the service that hosts this API endpoint."),
            column("Available", "string", "Whether this service is available."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let service = match get_object(object, "spec.service") {
            None => "Local".to_owned(),
            Some(service) => format!("{}/{}", text(service, "namespace"), text(service, "name")),
        };
        vec![columns::name(object), Value::from(service), Value::from(availability(object)), columns::age(object, now)]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

fn validate_service(api: &Object, faults: &mut Vec<FieldError>) {
    let (bundle, skips) = (text(api, "spec.caBundle"), truth(api, "spec.insecureSkipTLSVerify"));
    let Some(service) = get_object(api, "spec.service") else {
        if !bundle.is_empty() {
            // Three bytes rest in four characters, less the padding.
            let bytes = bundle.len() / 4 * 3 - bundle.matches('=').count();
            let detail = "local APIServices may not have a caBundle";
            faults.push(FieldError::invalid("spec.caBundle", format!("{bytes} bytes"), detail));
        }
        if skips {
            let detail = "local APIServices may not have insecureSkipTLSVerify";
            faults.push(FieldError::invalid("spec.insecureSkipTLSVerify", true, detail));
        }
        return;
    };
    check_text(service, "namespace", "spec.service", faults);
    check_text(service, "name", "spec.service", faults);
    let port = number(service, "port");
    if !(1..=65535).contains(&port) {
        let detail = "port is not valid: must be between 1 and 65535, inclusive";
        faults.push(FieldError::invalid("spec.service.port", port, detail));
    }
    if skips && !bundle.is_empty() {
        let detail = "may not be true if caBundle is present";
        faults.push(FieldError::invalid("spec.insecureSkipTLSVerify", true, detail));
    }
}

/// `True`, or `False (Reason)`.
fn availability(api: &Object) -> String {
    let Some(available) = condition(api, "Available") else { return "Unknown".to_owned() };
    match (text(available, "status"), text(available, "reason")) {
        ("True", _) => "True".to_owned(),
        (status, "") => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{NOW, check, created, row};

    fn api(name: &str, service: Value) -> Value {
        json!({"metadata": {"name": name}, "spec": {"group": "metrics.k8s.io", "version": "v1beta1",
            "groupPriorityMinimum": 100, "versionPriority": 100, "service": service}})
    }

    #[test]
    fn what_this_server_serves_is_available() {
        let mut local = api("v1beta1.metrics.k8s.io", Value::Null);
        local["spec"].as_object_mut().unwrap().shift_remove("service");
        let created = created(&API_SERVICE, local);
        assert_eq!(
            created["status"]["conditions"],
            json!([{"type": "Available", "status": "True", "lastTransitionTime": NOW, "reason": "Local",
                "message": "Local APIServices are always available"}])
        );
        assert_eq!(
            row(&API_SERVICE, created),
            "Name=v1beta1.metrics.k8s.io Service=Local Available=True Age=<unknown>"
        );
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &API_SERVICE;
        let service = json!({"name": "metrics", "namespace": "kube-system"});
        check(kind, api("v1beta1.metrics.k8s.io", service.clone()), &[]);
        check(
            kind,
            api("metrics", json!({"port": 0})),
            &[
                r#"metadata.name: Invalid value: "metrics": must be `spec.version+"."+spec.group`: "v1beta1.metrics.k8s.io""#,
                "spec.service.namespace: Required value",
                "spec.service.name: Required value",
                "spec.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
            ],
        );
        let mut bad = api("v2.", service);
        bad["spec"]["group"] = json!("");
        bad["spec"]["version"] = json!("v2");
        bad["spec"]["groupPriorityMinimum"] = json!(0);
        bad["spec"]["versionPriority"] = json!(1001);
        bad["spec"]["insecureSkipTLSVerify"] = json!(true);
        bad["spec"]["caBundle"] = json!("AA==");
        check(
            kind,
            bad,
            &[
                "spec.group: Required value: only v1 may have an empty group and it better be legacy kube",
                "spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000",
                "spec.versionPriority: Invalid value: 1001: must be positive and less than 1000",
                "spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present",
            ],
        );
    }

    #[test]
    fn a_table_says_why_an_api_is_not_there() {
        let mut api = api("v1beta1.metrics.k8s.io", json!({"name": "m", "namespace": "n"}));
        assert!(row(&API_SERVICE, api.clone()).contains("Service=n/m Available=Unknown"));
        api["status"] = json!({"conditions": [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]});
        assert!(row(&API_SERVICE, api).contains("Available=False (MissingEndpoints)"));
    }
}
