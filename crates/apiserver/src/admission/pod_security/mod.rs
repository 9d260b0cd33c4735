//! Pod security: what the labels of a namespace let its pods do to the machine they run on.
//!
//! `enforce` refuses pods, `warn` tells whoever writes pods or templates of them. `audit` would note it
//! in an audit log, which has no place for notes here.

use async_trait::async_trait;
use registry::Object;
use registry::fields::{get_array, get_object, items, text};
use serde_json::{Map, Value};
use store::ReadAt;

use super::{Attributes, Operation, Plugin, objects_of};
use crate::attributes;
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

mod checks;
mod level;

use checks::Violation;
use level::{Level, LevelVersion, Policy};

/// So many pods of a namespace are looked at when its level becomes stricter.
const MAX_PODS_CHECKED: usize = 3000;

pub(super) struct PodSecurity;

#[async_trait]
impl Plugin for PodSecurity {
    fn name(&self) -> &'static str {
        "PodSecurity"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        if attributes.operation == Operation::Delete {
            return false;
        }
        match (attributes.kind.group, attributes.kind.plural) {
            ("", "pods") => matches!(attributes.subresource, "" | "ephemeralcontainers" | "resize"),
            ("", "namespaces") => attributes.subresource.is_empty(),
            (group, plural) => attributes.subresource.is_empty() && template_path(group, plural).is_some(),
        }
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(object) = object else { return Ok(()) };
        match (attributes.kind.group, attributes.kind.plural) {
            ("", "namespaces") => check_namespace(attributes, object).await,
            ("", "pods") => check_pod(attributes, object).await,
            (group, plural) => match template_path(group, plural).and_then(|path| get_object(object, path)) {
                Some(template) => check_template(attributes, template).await,
                None => Ok(()),
            },
        }
    }
}

/// Where the kinds that make pods keep their template.
fn template_path(group: &str, plural: &str) -> Option<&'static str> {
    match (group, plural) {
        ("", "podtemplates") => Some("template"),
        ("", "replicationcontrollers") | ("apps", "deployments" | "replicasets" | "daemonsets" | "statefulsets") => {
            Some("spec.template")
        }
        ("batch", "jobs") => Some("spec.template"),
        ("batch", "cronjobs") => Some("spec.jobTemplate.spec.template"),
        _ => None,
    }
}

async fn policy(attributes: &Attributes<'_>) -> Result<Policy, ApiError> {
    let namespaces = kinds::required("", "v1", "namespaces");
    let storage = &attributes.call.server.storage;
    // That the namespace is there was just confirmed.
    let namespace = storage.get_at(namespaces, "", attributes.namespace, ReadAt::Memory).await?;
    let Some(namespace) = namespace else { return Ok(Policy::default()) };
    let labels = attributes::labels(&namespace.bytes)?;
    Ok(Policy::of(|name| labels.get(name).map(String::as_str)).0)
}

async fn check_pod(attributes: &Attributes<'_>, pod: &Object) -> Result<(), ApiError> {
    if attributes.old.is_some_and(|old| !is_significant(pod, old)) {
        return Ok(());
    }
    let policy = policy(attributes).await?;
    let violations = violations(policy.enforce, pod);
    if !violations.is_empty() {
        let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, details(&violations));
        return Err(attributes.forbidden(&why));
    }
    warn(attributes, policy, pod);
    Ok(())
}

async fn check_template(attributes: &Attributes<'_>, template: &Object) -> Result<(), ApiError> {
    warn(attributes, policy(attributes).await?, template);
    Ok(())
}

fn warn(attributes: &Attributes<'_>, policy: Policy, pod: &Object) {
    let violations = violations(policy.warn, pod);
    if !violations.is_empty() {
        attributes.call.warn(format!("would violate PodSecurity \"{}\": {}", policy.warn, details(&violations)));
    }
}

/// Labels must be readable, and a namespace that becomes stricter tells of the pods it has.
async fn check_namespace(attributes: &Attributes<'_>, namespace: &Object) -> Result<(), ApiError> {
    let of = |namespace: &Object| {
        let empty = Map::new();
        let labels = metadata::map(namespace, "labels").unwrap_or(&empty).clone();
        Policy::of(|name| labels.get(name).and_then(Value::as_str))
    };
    let (policy, faults) = of(namespace);
    let old = attributes.old.map(of);
    if !faults.is_empty() && old.as_ref().is_none_or(|(_, before)| *before != faults) {
        return Err(ApiError::invalid(attributes.kind, attributes.name, &faults));
    }
    let Some((before, _)) = old else { return Ok(()) };
    let (enforce, before) = (policy.enforce, before.enforce);
    let relaxed = enforce.version == before.version && enforce.level <= before.level;
    if enforce == before || enforce.level == Level::Privileged || relaxed {
        return Ok(());
    }
    let mut pods = objects_of(attributes, kinds::required("", "v1", "pods"), attributes.name).await?;
    let total = pods.len();
    pods.truncate(MAX_PODS_CHECKED);
    for warning in namespace_warnings(attributes.name, enforce, &pods, total) {
        attributes.call.warn(warning);
    }
    Ok(())
}

fn namespace_warnings(namespace: &str, enforce: LevelVersion, pods: &[Object], total: usize) -> Vec<String> {
    // What is wrong, the first pod of which it is true, and how many there are.
    let mut found: Vec<(String, &str, usize)> = Vec::new();
    for pod in pods {
        let violations = violations(enforce, pod);
        if violations.is_empty() {
            continue;
        }
        let reasons: Vec<&str> = violations.iter().map(|violation| violation.reason).collect();
        let (reasons, name) = (reasons.join(", "), metadata::name(pod));
        match found.iter_mut().find(|(seen, ..)| *seen == reasons) {
            Some((_, first, count)) => {
                *first = name.min(first);
                *count += 1;
            }
            None => found.push((reasons, name, 1)),
        }
    }
    let mut warnings = Vec::new();
    if pods.len() < total {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {} of {total} existing pods",
            pods.len()
        ));
    }
    if found.is_empty() {
        return warnings;
    }
    warnings.push(format!(
        "existing pods in namespace {namespace:?} violate the new PodSecurity enforce level \"{enforce}\""
    ));
    let mut lines: Vec<String> = found
        .into_iter()
        .map(|(reasons, name, count)| match count {
            1 => format!("{name}: {reasons}"),
            2 => format!("{name} (and 1 other pod): {reasons}"),
            count => format!("{name} (and {} other pods): {reasons}", count - 1),
        })
        .collect();
    lines.sort();
    warnings.extend(lines);
    warnings
}

/// Everything a pod, or a template of one, does that the level forbids.
fn violations(at: LevelVersion, pod: &Object) -> Vec<Violation> {
    checks::CHECKS
        .iter()
        .filter(|check| check.level <= at.level && at.version.minor() >= check.since_minor)
        .filter(|check| !(at.level == Level::Restricted && check.is_covered_by_restricted))
        .filter_map(|check| (check.run)(pod, at.version))
        .collect()
}

fn details(violations: &[Violation]) -> String {
    let parts: Vec<String> = violations
        .iter()
        .map(|violation| match violation.detail.as_str() {
            "" => violation.reason.to_owned(),
            detail => format!("{} ({detail})", violation.reason),
        })
        .collect();
    parts.join(", ")
}

/// Whether an update touches what the checks look at: little of a pod can change at all.
fn is_significant(pod: &Object, old: &Object) -> bool {
    let images = |pod: &Object, list: &str| -> Vec<String> {
        items(pod, list).map(|container| text(container, "image").to_owned()).collect()
    };
    ["spec.containers", "spec.initContainers"].iter().any(|list| images(pod, list) != images(old, list))
        || get_array(pod, "spec.ephemeralContainers") != get_array(old, "spec.ephemeralContainers")
        || checks::profile_annotations(pod) != checks::profile_annotations(old)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn at(level: Level) -> LevelVersion {
        LevelVersion { level, ..LevelVersion::default() }
    }

    fn told(level: Level, spec: Value) -> String {
        details(&violations(at(level), &object(json!({ "spec": spec }))))
    }

    #[test]
    fn a_plain_pod_is_fine_at_baseline_and_not_at_restricted() {
        let plain = json!({"containers": [{"name": "a"}]});
        assert_eq!(told(Level::Baseline, plain.clone()), "");
        assert_eq!(
            told(Level::Restricted, plain),
            "allowPrivilegeEscalation != false (container \"a\" must set \
             securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"a\" must set \
             securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"a\" must set \
             securityContext.runAsNonRoot=true), seccompProfile (pod or container \"a\" must set \
             securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")"
        );
    }

    #[test]
    fn a_careful_pod_is_fine_everywhere() {
        let careful = json!({
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{"name": "a", "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]},
            }}],
            "volumes": [{"name": "v", "emptyDir": {}}],
        });
        assert_eq!(told(Level::Restricted, careful), "");
    }

    #[test]
    fn what_opens_the_machine_is_told_piece_by_piece() {
        for (spec, expected) in [
            (json!({"hostNetwork": true, "hostPID": true}), "host namespaces (hostNetwork=true, hostPID=true)"),
            (
                json!({"containers": [{"name": "a", "securityContext": {"privileged": true}}]}),
                "privileged (container \"a\" must not set securityContext.privileged=true)",
            ),
            (
                json!({"containers": [{"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 443}]}]}),
                "hostPort (container \"a\" uses hostPorts 443, 80)",
            ),
            (json!({"volumes": [{"name": "a", "hostPath": {}}]}), "hostPath volumes (volume \"a\")"),
            (
                json!({"containers": [{"name": "a", "securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}]}),
                "non-default capabilities (container \"a\" must not include \"SYS_ADMIN\" in \
                 securityContext.capabilities.add)",
            ),
            (
                json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
                "seccompProfile (pod must not set securityContext.seccompProfile.type to \"Unconfined\")",
            ),
            (
                json!({"securityContext": {"sysctls": [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_syncookies"}]}}),
                "forbidden sysctls (kernel.msgmax)",
            ),
            (
                json!({"containers": [{"name": "a", "securityContext": {"procMount": "Unmasked"}}]}),
                "procMount (container \"a\" must not set securityContext.procMount to \"Unmasked\")",
            ),
            (
                json!({"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "10.0.0.1"}}}]}),
                "probe or lifecycle host (container \"a\" uses probe or lifecycle host \"10.0.0.1\")",
            ),
            (
                json!({"securityContext": {"seLinuxOptions": {"type": "spc_t", "user": "u"}}}),
                "seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type \"spc_t\"; user may not be set)",
            ),
            (
                json!({"securityContext": {"windowsOptions": {"hostProcess": true}}}),
                "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
            ),
            (
                json!({"containers": [{"name": "a", "securityContext": {"appArmorProfile": {"type": "Unconfined"}}}]}),
                "forbidden AppArmor profile (container \"a\" must not set AppArmor profile type to \"Unconfined\")",
            ),
        ] {
            assert_eq!(told(Level::Baseline, spec.clone()), expected, "{spec}");
            assert_eq!(told(Level::Privileged, spec), "");
        }
    }

    #[test]
    fn restricted_replaces_the_checks_it_makes_stricter() {
        let spec = json!({"volumes": [{"name": "a", "hostPath": {}}, {"name": "b", "nfs": {}}]});
        assert_eq!(
            told(Level::Restricted, spec),
            "restricted volume types (volumes \"a\", \"b\" use restricted volume types \"hostPath\", \"nfs\")"
        );
    }

    #[test]
    fn pods_of_a_namespace_are_gathered_by_what_is_wrong() {
        let pod = |name: &str, spec: Value| object(json!({"metadata": {"name": name}, "spec": spec}));
        let host = json!({"hostNetwork": true});
        let pods = [pod("c", host.clone()), pod("a", host.clone()), pod("b", host), pod("ok", json!({}))];
        assert_eq!(
            namespace_warnings("n", at(Level::Baseline), &pods, 9),
            [
                "new PodSecurity enforce level only checked against the first 4 of 9 existing pods",
                "existing pods in namespace \"n\" violate the new PodSecurity enforce level \"baseline:latest\"",
                "a (and 2 other pods): host namespaces",
            ]
        );
        assert!(namespace_warnings("n", at(Level::Baseline), &pods[3..], 1).is_empty());
    }
}
