//! What a dying namespace says of its progress.

use std::collections::BTreeMap;

use api::NamespacedName;
use api::k8s::api::core::v1::{Namespace, NamespaceCondition, NamespaceStatus};
use api::k8s::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use api::k8s::jiff::Timestamp;
use client::kube::core::ApiResource;

use crate::error::ReconcileError;

/// What one round of deletions met.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) discovery_failure: Option<ReconcileError>,
    pub(super) content_failures: Vec<ReconcileError>,
    /// Objects still there, by resource.
    remaining: BTreeMap<String, usize>,
    /// Objects held back, by finalizer.
    finalizers: BTreeMap<String, usize>,
}

impl Findings {
    pub(super) fn remains<'a>(&mut self, resource: &ApiResource, objects: impl Iterator<Item = &'a ObjectMeta>) {
        let name = if resource.group.is_empty() {
            format!("{}.", resource.plural)
        } else {
            format!("{}.{}", resource.plural, resource.group)
        };
        for object in objects {
            *self.remaining.entry(name.clone()).or_default() += 1;
            for finalizer in object.finalizers.iter().flatten() {
                *self.finalizers.entry(finalizer.clone()).or_default() += 1;
            }
        }
    }

    pub(super) fn is_clear(&self) -> bool {
        self.discovery_failure.is_none() && self.content_failures.is_empty() && self.remaining.is_empty()
    }

    /// Then the end of a pod is the next thing to happen.
    pub(super) fn waits_for_pods_alone(&self) -> bool {
        self.discovery_failure.is_none()
            && self.content_failures.is_empty()
            && self.remaining.keys().all(|resource| resource == "pods.")
    }

    pub(super) fn into_error(self, key: &NamespacedName) -> ReconcileError {
        let failure = self.discovery_failure.or_else(|| self.content_failures.into_iter().next());
        failure.unwrap_or_else(|| ReconcileError::ContentRemains { namespace: key.clone() })
    }
}

pub(super) fn plan_status(namespace: &Namespace, findings: &Findings, now: Timestamp) -> NamespaceStatus {
    let mut conditions = namespace.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let failure = |errors: &mut dyn Iterator<Item = &ReconcileError>| -> Option<String> {
        let messages: Vec<String> = errors.map(|error| stdx::error::chain(error)).collect();
        (!messages.is_empty()).then(|| messages.join(", "))
    };
    let told = [
        (
            "NamespaceDeletionDiscoveryFailure",
            failure(&mut findings.discovery_failure.iter()),
            "DiscoveryFailed",
            ("ResourcesDiscovered", "All resources successfully discovered"),
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            None,
            "GroupVersionParsingFailed",
            ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
        ),
        (
            "NamespaceDeletionContentFailure",
            failure(&mut findings.content_failures.iter()),
            "ContentDeletionFailed",
            ("ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
        ),
        (
            "NamespaceContentRemaining",
            counted(&findings.remaining, "Some resources are remaining: ", "has", "resource instances"),
            "SomeResourcesRemain",
            ("ContentRemoved", "All content successfully removed"),
        ),
        (
            "NamespaceFinalizersRemaining",
            counted(
                &findings.finalizers,
                "Some content in the namespace has finalizers remaining: ",
                "in",
                "resource instances",
            ),
            "SomeFinalizersRemain",
            ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
        ),
    ];
    for (r#type, problem, problem_reason, (good_reason, good_message)) in told {
        let (status, reason, message) = match problem {
            Some(message) => ("True", problem_reason, message),
            None => ("False", good_reason, good_message.to_owned()),
        };
        set(&mut conditions, r#type, status, reason, message, now);
    }
    NamespaceStatus { phase: Some("Terminating".to_owned()), conditions: Some(conditions) }
}

fn counted(counts: &BTreeMap<String, usize>, intro: &str, verb: &str, noun: &str) -> Option<String> {
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {verb} {count} {noun}")).collect();
    (!parts.is_empty()).then(|| format!("{intro}{}", parts.join(", ")))
}

fn set(
    conditions: &mut Vec<NamespaceCondition>,
    r#type: &str,
    status: &str,
    reason: &str,
    message: String,
    now: Timestamp,
) {
    let wanted = NamespaceCondition {
        type_: r#type.to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
        message: Some(message),
        last_transition_time: Some(Time(now)),
    };
    match conditions.iter_mut().find(|condition| condition.type_ == r#type) {
        Some(present) => {
            let since = if present.status == wanted.status {
                present.last_transition_time.clone()
            } else {
                wanted.last_transition_time.clone()
            };
            *present = NamespaceCondition { last_transition_time: since, ..wanted };
        }
        None => conditions.push(wanted),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_dying_namespace_says_what_holds_it() {
        let mut findings = Findings::default();
        let pods = ApiResource {
            group: String::new(),
            version: "v1".into(),
            api_version: "v1".into(),
            kind: "Pod".into(),
            plural: "pods".into(),
        };
        let held = ObjectMeta { finalizers: Some(vec!["example.com/hold".into()]), ..ObjectMeta::default() };
        findings.remains(&pods, [&held, &ObjectMeta::default()].into_iter());
        assert!(findings.waits_for_pods_alone() && !findings.is_clear());
        let status = plan_status(&Namespace::default(), &findings, Timestamp::UNIX_EPOCH);
        let lines: Vec<String> = status
            .conditions
            .unwrap()
            .iter()
            .map(|told| format!("{}={} {}\n", told.type_, told.status, told.message.clone().unwrap()))
            .collect();
        expect![[r#"
            NamespaceDeletionDiscoveryFailure=False All resources successfully discovered
            NamespaceDeletionGroupVersionParsingFailure=False All legacy kube types successfully parsed
            NamespaceDeletionContentFailure=False All content successfully deleted, may be waiting on finalization
            NamespaceContentRemaining=True Some resources are remaining: pods. has 2 resource instances
            NamespaceFinalizersRemaining=True Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances
        "#]]
        .assert_eq(&lines.concat());
    }
}
