//! policy/v1beta1, where an empty selector of a disruption budget selects nothing, and PodSecurityPolicies, which are
//! kept but rule nothing any more.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::in_old_group;
use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_supported, get, set, set_default, text, texts, truth};
use crate::kind::{Column, Conversion, Kind, Object, Rules};
use crate::policy::pod_disruption_budget::POD_DISRUPTION_BUDGET;

pub static POD_DISRUPTION_BUDGET_V1BETA1: Kind = Kind::served_as(
    "policy",
    "v1beta1",
    &Conversion::between(&POD_DISRUPTION_BUDGET, selector_to_v1, selector_from_v1),
)
.deprecated(21, 25, "policy/v1 PodDisruptionBudget");

/// Stands for a selector that the other version cannot say.
const EMPTY_SELECTOR: &str = "pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match";

fn empty_selector(operator: &str) -> Value {
    json!({ "matchExpressions": [{ "key": EMPTY_SELECTOR, "operator": operator }] })
}

/// Nothing: `{}` here, a label nobody has in v1. Everything: that label's absence here, `{}` in v1.
fn selector_to_v1(budget: &mut Object) {
    swap_selector(budget, empty_selector("Exists"), &empty_selector("DoesNotExist"));
}

fn selector_from_v1(budget: &mut Object) {
    swap_selector(budget, empty_selector("DoesNotExist"), &empty_selector("Exists"));
}

fn swap_selector(budget: &mut Object, for_empty: Value, to_empty: &Value) {
    match get(budget, "spec.selector") {
        Some(Value::Object(selector)) if selector.is_empty() => set(budget, "spec.selector", for_empty),
        Some(selector) if selector == to_empty => set(budget, "spec.selector", json!({})),
        _ => {}
    }
}

pub static POD_SECURITY_POLICY: Kind = Kind {
    group: "policy",
    version: "v1beta1",
    kind: "PodSecurityPolicy",
    plural: "podsecuritypolicies",
    singular: "podsecuritypolicy",
    short_names: &["psp"],
    rules: &PodSecurityPolicyRules,
    ..Kind::CLUSTER
}
.deprecated(21, 25, "");

pub static EXTENSIONS_POD_SECURITY_POLICY: Kind =
    in_old_group(Kind::served_as("extensions", "v1beta1", &Conversion::same_as(&POD_SECURITY_POLICY)).deprecated(
        11,
        16,
        "policy/v1beta1 PodSecurityPolicy",
    ));

struct PodSecurityPolicyRules;

impl Rules for PodSecurityPolicyRules {
    /// Policies from before the field was there allowed it.
    fn default(&self, policy: &mut Object) {
        set_default(policy, "spec.allowPrivilegeEscalation", true);
    }

    fn validate(&self, policy: &Object, _old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        for (field, supported) in [
            ("runAsUser", &["MustRunAs", "MustRunAsNonRoot", "RunAsAny"][..]),
            ("seLinux", &["MustRunAs", "RunAsAny"]),
            ("supplementalGroups", &["MayRunAs", "MustRunAs", "RunAsAny"]),
            ("fsGroup", &["MayRunAs", "MustRunAs", "RunAsAny"]),
        ] {
            let path = format!("spec.{field}.rule");
            if text(policy, &path).is_empty() {
                faults.push(FieldError::not_supported(path, "", supported));
            } else {
                check_supported(policy, &path, supported, "", &mut faults);
            }
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Priv", "string", "Whether pods may run privileged containers."),
            column("Caps", "string", "Capabilities that containers may add."),
            column("Selinux", "string", "How the SELinux labels of pods are chosen."),
            column("RunAsUser", "string", "Which users containers may run as."),
            column("FsGroup", "string", "Which group volumes may belong to."),
            column("SupGroup", "string", "Which supplemental groups containers may have."),
            column("ReadOnlyRootFs", "string", "Whether containers must have a read-only root file system."),
            column("Volumes", "string", "Which kinds of volumes pods may use."),
        ];
        COLUMNS
    }

    fn row(&self, policy: &Object, _now: Timestamp) -> Vec<Value> {
        let joined = |path: &str| Value::from(texts(policy, path).collect::<Vec<_>>().join(","));
        let rule = |field: &str| Value::from(text(policy, &format!("spec.{field}.rule")));
        vec![
            columns::name(policy),
            Value::from(truth(policy, "spec.privileged")),
            joined("spec.allowedCapabilities"),
            rule("seLinux"),
            rule("runAsUser"),
            rule("fsGroup"),
            rule("supplementalGroups"),
            Value::from(truth(policy, "spec.readOnlyRootFilesystem")),
            joined("spec.volumes"),
        ]
    }

    fn warnings(&self, _policy: &Object, _old: Option<&Object>) -> Vec<String> {
        let advice = "this PodSecurityPolicy has no effect: pods are checked against the Pod Security Standards that \
                      the labels of their namespace name";
        vec![advice.to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::legacy::testing::{rested, shown};
    use crate::testing::{check, row};

    #[test]
    fn an_empty_selector_selects_nothing_here_and_everything_in_v1() {
        let budget = |selector: Value| json!({"metadata": {"name": "a"}, "spec": {"selector": selector}});
        for (old, new) in [
            (json!({}), empty_selector("Exists")),
            (empty_selector("DoesNotExist"), json!({})),
            (json!({"matchLabels": {"a": "b"}}), json!({"matchLabels": {"a": "b"}})),
        ] {
            let at_rest = rested(&POD_DISRUPTION_BUDGET_V1BETA1, budget(old.clone()));
            assert_eq!(at_rest["spec"]["selector"], new);
            assert_eq!(shown(&POD_DISRUPTION_BUDGET_V1BETA1, at_rest)["spec"]["selector"], old);
        }
    }

    #[test]
    fn a_policy_is_kept_as_it_always_was() {
        let rule = || json!({"rule": "RunAsAny"});
        let policy = json!({"metadata": {"name": "a"}, "spec": {
            "privileged": true, "volumes": ["*"], "allowedCapabilities": ["NET_ADMIN"],
            "runAsUser": rule(), "seLinux": rule(), "supplementalGroups": rule(), "fsGroup": rule(),
        }});
        assert_eq!(rested(&EXTENSIONS_POD_SECURITY_POLICY, policy.clone())["spec"]["allowPrivilegeEscalation"], true);
        check(&POD_SECURITY_POLICY, policy.clone(), &[]);
        assert_eq!(
            row(&POD_SECURITY_POLICY, policy.clone()),
            "Name=a Priv=true Caps=NET_ADMIN Selinux=RunAsAny RunAsUser=RunAsAny FsGroup=RunAsAny SupGroup=RunAsAny \
             ReadOnlyRootFs=false Volumes=*"
        );
        let mut wrong = policy;
        wrong["spec"]["fsGroup"] = json!({"rule": "Whatever"});
        check(
            &POD_SECURITY_POLICY,
            wrong,
            &[
                r#"spec.fsGroup.rule: Unsupported value: "Whatever": supported values: "MayRunAs", "MustRunAs", "RunAsAny""#,
            ],
        );
    }
}
