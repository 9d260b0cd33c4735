//! admissionregistration.k8s.io `ValidatingWebhookConfiguration`.

use jiff::Timestamp;
use serde_json::Value;

use super::webhook;
use crate::error::FieldError;
use crate::kind::{Column, Kind, Object, Rules};

pub static VALIDATING_WEBHOOK_CONFIGURATION: Kind = Kind {
    group: "admissionregistration.k8s.io",
    kind: "ValidatingWebhookConfiguration",
    plural: "validatingwebhookconfigurations",
    singular: "validatingwebhookconfiguration",
    categories: &["api-extensions"],
    rules: &ValidatingWebhookConfigurationRules,
    ..Kind::CLUSTER
};

struct ValidatingWebhookConfigurationRules;

impl Rules for ValidatingWebhookConfigurationRules {
    fn default(&self, object: &mut Object) {
        webhook::default(object, false);
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        webhook::validate(object, old)
    }

    fn columns(&self) -> &'static [Column] {
        webhook::COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        webhook::row(object, now)
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn bumps_generation(&self, object: &Object, old: &Object) -> bool {
        webhook::bumps_generation(object, old)
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, created, row};

    fn hook(change: impl FnOnce(&mut Value)) -> Value {
        let mut hook = json!({
            "name": "a.example.com",
            "clientConfig": {"service": {"name": "s", "namespace": "n"}},
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
        });
        change(&mut hook);
        json!({"metadata": {"name": "a"}, "webhooks": [hook]})
    }

    #[test]
    fn a_webhook_is_told_what_upstream_assumes() {
        let kind = &VALIDATING_WEBHOOK_CONFIGURATION;
        let hook = &created(kind, hook(|_| {}))["webhooks"][0];
        assert_eq!(
            (&hook["failurePolicy"], &hook["matchPolicy"], &hook["timeoutSeconds"], &hook["reinvocationPolicy"]),
            (&json!("Fail"), &json!("Equivalent"), &json!(10), &Value::Null)
        );
        assert_eq!((&hook["namespaceSelector"], &hook["objectSelector"]), (&json!({}), &json!({})));
        assert_eq!((&hook["rules"][0]["scope"], &hook["clientConfig"]["service"]["port"]), (&json!("*"), &json!(443)));
    }

    #[test]
    fn what_upstream_refuses_is_refused_in_its_words() {
        let kind = &VALIDATING_WEBHOOK_CONFIGURATION;
        check(kind, hook(|_| {}), &[]);
        check(
            kind,
            hook(|hook| {
                hook["name"] = json!("k8s.io");
                hook["sideEffects"] = json!("Some");
                hook["timeoutSeconds"] = json!(31);
                hook["failurePolicy"] = json!("Maybe");
                hook["admissionReviewVersions"] = json!(["v2", "v2"]);
            }),
            &[
                r#"webhooks[0].name: Invalid value: "k8s.io": should be a domain with at least three segments separated by dots"#,
                r#"webhooks[0].failurePolicy: Unsupported value: "Maybe": supported values: "Fail", "Ignore""#,
                r#"webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun""#,
                "webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds",
                r#"webhooks[0].admissionReviewVersions[1]: Invalid value: "v2": duplicate version"#,
                r#"webhooks[0].admissionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1"#,
            ],
        );
        check(
            kind,
            json!({"metadata": {"name": "a"}, "webhooks": [{"name": "a.b.c", "rules": [{"operations": ["*", "CREATE"], "apiGroups": ["*", "x"], "resources": ["pods/*", "pods/log", "*/*"]}]}]}),
            &[
                r#"webhooks[0].rules[0].operations: Invalid value: ["*","CREATE"]: if '*' is present, must not specify other operations"#,
                r#"webhooks[0].rules[0].apiGroups: Invalid value: ["*","x"]: if '*' is present, must not specify other API groups"#,
                "webhooks[0].rules[0].apiVersions: Required value",
                r#"webhooks[0].rules[0].resources[1]: Invalid value: "pods/log": if 'pods/*' is present, must not specify pods/log"#,
                r#"webhooks[0].rules[0].resources: Invalid value: ["pods/*","pods/log","*/*"]: if '*/*' is present, must not specify other resources"#,
                "webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun",
                "webhooks[0].clientConfig: Required value: exactly one of url or service is required",
                "webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1",
            ],
        );
    }

    #[test]
    fn two_webhooks_have_two_names_and_old_faults_stay() {
        let kind = &VALIDATING_WEBHOOK_CONFIGURATION;
        let mut two = hook(|_| {});
        let first = two["webhooks"][0].clone();
        two["webhooks"].as_array_mut().unwrap().push(first);
        check(kind, two.clone(), &[r#"webhooks[1].name: Duplicate value: "a.example.com""#]);
        check_update(kind, two.clone(), two, &[]);
        check_update(
            kind,
            hook(|hook| hook["sideEffects"] = json!("Some")),
            hook(|hook| hook["sideEffects"] = json!("Some")),
            &[],
        );
    }

    #[test]
    fn a_table_counts_webhooks() {
        assert_eq!(row(&VALIDATING_WEBHOOK_CONFIGURATION, hook(|_| {})), "Name=a Webhooks=1 Age=<unknown>");
    }
}
