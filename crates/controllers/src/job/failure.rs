//! What a failed pod means to its Job, and when enough has succeeded.

use api::k8s::api::batch::v1::{PodFailurePolicy, PodFailurePolicyOnExitCodesRequirement, SuccessPolicy};
use api::k8s::api::core::v1::{ContainerStatus, Pod};

use super::indexes::Indexes;
use crate::pods;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Counts towards the back-off limit: also where no rule matches.
    Count,
    Ignore,
    FailIndex,
    FailJob {
        message: String,
    },
}

impl Action {
    pub(super) fn counts(&self) -> bool {
        *self != Action::Ignore
    }
}

/// The first rule that matches decides.
pub(super) fn action_on(policy: Option<&PodFailurePolicy>, pod: &Pod) -> Action {
    for (position, rule) in policy.iter().flat_map(|policy| &policy.rules).enumerate() {
        let (namespace, name) = (text(&pod.metadata.namespace), text(&pod.metadata.name));
        let suffix = format!("matching {} rule at index {position}", rule.action);
        let matched = if let Some(requirement) = &rule.on_exit_codes {
            failed_container(pod, requirement).map(|(container, code)| {
                format!("Container {container} for pod {namespace}/{name} failed with exit code {code} {suffix}")
            })
        } else {
            let patterns = rule.on_pod_conditions.iter().flatten();
            let found = patterns.filter_map(|pattern| {
                let condition = pods::condition(pod, &pattern.type_)?;
                (condition.status == pattern.status.as_deref().unwrap_or("True")).then_some(&pattern.type_)
            });
            found.map(|r#type| format!("Pod {namespace}/{name} has condition {type} {suffix}")).next()
        };
        let Some(message) = matched else { continue };
        match rule.action.as_str() {
            "Ignore" => return Action::Ignore,
            "Count" => return Action::Count,
            "FailIndex" => return Action::FailIndex,
            "FailJob" => return Action::FailJob { message },
            // An action of a later version: as upstream, the next rule is asked.
            _ => {}
        }
    }
    Action::Count
}

/// The container whose exit code the requirement names.
fn failed_container<'a>(pod: &'a Pod, requirement: &PodFailurePolicyOnExitCodesRequirement) -> Option<(&'a str, i32)> {
    let status = pod.status.as_ref()?;
    let statuses = status.container_statuses.iter().flatten().chain(status.init_container_statuses.iter().flatten());
    let exits = statuses.filter_map(|container: &ContainerStatus| {
        let code = container.state.as_ref()?.terminated.as_ref()?.exit_code;
        (code != 0).then_some((container.name.as_str(), code))
    });
    let is_named = |name: &str| requirement.container_name.as_deref().is_none_or(|wanted| wanted == name);
    let mut matching = exits.filter(|(name, code)| {
        let is_listed = requirement.values.contains(code);
        is_named(name)
            && match requirement.operator.as_str() {
                "In" => is_listed,
                "NotIn" => !is_listed,
                _ => false,
            }
    });
    matching.next()
}

/// What to say of the first rule that is met, if one is.
pub(super) fn success_policy_met(
    policy: Option<&SuccessPolicy>,
    succeeded: &Indexes,
    completions: i32,
) -> Option<String> {
    let rules = policy.iter().flat_map(|policy| &policy.rules).enumerate();
    let mut met = rules.filter(|(_, rule)| {
        let (reached, all) = match &rule.succeeded_indexes {
            Some(indexes) => {
                let wanted = Indexes::parse(indexes, completions);
                (succeeded.common(&wanted), wanted.count())
            }
            None => (succeeded.count(), completions),
        };
        reached >= rule.succeeded_count.unwrap_or(all)
    });
    met.next().map(|(position, _)| format!("Matched rules at index {position}"))
}

fn text(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(exit_code: i32, condition: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": "mypod", "namespace": "default"},
            "status": {
                "phase": "Failed",
                "conditions": [{"type": condition, "status": "True"}],
                "containerStatuses": [
                    {"name": "main", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                     "state": {"terminated": {"exitCode": exit_code}}},
                ],
            },
        }))
        .unwrap()
    }

    fn policy(rules: Value) -> PodFailurePolicy {
        serde_json::from_value(json!({"rules": rules})).unwrap()
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rules = policy(json!([
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            {"action": "Count", "onExitCodes": {"containerName": "sidecar", "operator": "In", "values": [42]}},
            {"action": "FailIndex", "onExitCodes": {"operator": "In", "values": [7]}},
            {"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "NotIn", "values": [1, 2]}},
            {"action": "FailJob", "onPodConditions": [{"type": "ConfigIssue"}]},
        ]));
        let action = |code, condition| action_on(Some(&rules), &pod(code, condition));
        assert_eq!(action(42, "DisruptionTarget"), Action::Ignore);
        assert_eq!(action(7, ""), Action::FailIndex);
        assert_eq!(action(2, ""), Action::Count);
        // A container that ended well is not a failure, whatever the rule's operator.
        assert_eq!(action(0, ""), Action::Count);
        let message = "Container main for pod default/mypod failed with exit code 42 matching FailJob rule at index 3";
        assert_eq!(action(42, ""), Action::FailJob { message: message.into() });
        let message = "Pod default/mypod has condition ConfigIssue matching FailJob rule at index 4";
        assert_eq!(action(1, "ConfigIssue"), Action::FailJob { message: message.into() });
        assert_eq!(action_on(None, &pod(42, "")), Action::Count);
    }

    #[test]
    fn a_success_policy_wants_indexes_or_a_number_or_both() {
        let met = |rules: Value, succeeded: &str| {
            let policy: SuccessPolicy = serde_json::from_value(json!({"rules": rules})).unwrap();
            success_policy_met(Some(&policy), &Indexes::parse(succeeded, 10), 10)
        };
        let first = Some("Matched rules at index 0".to_owned());
        assert_eq!(met(json!([{"succeededIndexes": "0,2-4"}]), "0,2,3"), None);
        assert_eq!(met(json!([{"succeededIndexes": "0,2-4"}]), "0,2-5"), first);
        assert_eq!(met(json!([{"succeededIndexes": "0,2-4", "succeededCount": 2}]), "2,4"), first);
        assert_eq!(met(json!([{"succeededIndexes": "0,2-4", "succeededCount": 2}]), "2,5"), None);
        let second = Some("Matched rules at index 1".to_owned());
        assert_eq!(met(json!([{"succeededIndexes": "0"}, {"succeededCount": 3}]), "1-3"), second);
        assert_eq!(success_policy_met(None, &Indexes::parse("0-9", 10), 10), None);
    }
}
