//! Nobody hands out rights they do not hold, unless `escalate` or `bind` says they may.

use async_trait::async_trait;
use registry::Object;
use serde_json::Value;

use super::{Attributes, Operation, Plugin};
use crate::auth::MASTERS;
use crate::authorize::rules::{Rule, describe, uncovered};
use crate::status::{ApiError, Subject};
use crate::wire::request_info::ResourceInfo;

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) struct RbacEscalation;

#[async_trait]
impl Plugin for RbacEscalation {
    fn name(&self) -> &'static str {
        "RBACEscalation"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.kind.group == GROUP
            && attributes.operation != Operation::Delete
            && !attributes.call.user.is_in(MASTERS)
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(object) = object else { return Ok(()) };
        let unchanged = |field: &str| attributes.old.is_some_and(|old| old.get(field) == object.get(field));
        let wanted = match attributes.kind.plural {
            "roles" | "clusterroles" => {
                // Aggregation gathers what is not written here: only those who hold everything may set it up.
                let aggregates = object.get("aggregationRule").is_some_and(|rule| !rule.is_null());
                if unchanged("rules") && unchanged("aggregationRule")
                    || may(attributes, "escalate", attributes.kind.plural, attributes.name)
                {
                    return Ok(());
                }
                let mut wanted = rules(object)?;
                if aggregates && !unchanged("aggregationRule") {
                    wanted.push(everything());
                }
                wanted
            }
            "rolebindings" | "clusterrolebindings" => {
                if unchanged("roleRef") && unchanged("subjects") {
                    return Ok(());
                }
                let reference = |field: &str| {
                    object.get("roleRef").and_then(|role| role.get(field)).and_then(Value::as_str).unwrap_or("")
                };
                let (plural, namespace) = match reference("kind") {
                    "ClusterRole" => ("clusterroles", ""),
                    _ => ("roles", attributes.namespace),
                };
                let name = reference("name");
                if may(attributes, "bind", plural, name) {
                    return Ok(());
                }
                attributes
                    .call
                    .server
                    .rbac
                    .role(namespace, name)
                    .map(|rules| rules.to_vec())
                    .ok_or_else(|| ApiError::not_found(Subject { group: GROUP, resource: plural, name }))?
            }
            _ => return Ok(()),
        };
        refuse_beyond(attributes, &wanted)
    }
}

fn refuse_beyond(attributes: &Attributes<'_>, wanted: &[Rule]) -> Result<(), ApiError> {
    let user = &attributes.call.user;
    let held = attributes.call.server.rbac.rules_for(user, attributes.namespace);
    let beyond = uncovered(&held, wanted);
    if beyond.is_empty() {
        return Ok(());
    }
    let groups: Vec<String> = user.groups.iter().map(|group| format!("{group:?}")).collect();
    let lines: Vec<String> = beyond.iter().map(describe).collect();
    let why = format!(
        "user {:?} (groups=[{}]) is attempting to grant RBAC permissions not currently held:\n{}",
        user.name,
        groups.join(" "),
        lines.join("\n")
    );
    Err(attributes.forbidden(&why))
}

/// Whether the user holds the verb that lifts the check, for this role.
fn may(attributes: &Attributes<'_>, verb: &str, plural: &str, name: &str) -> bool {
    let info = ResourceInfo {
        group: GROUP.to_owned(),
        version: "v1".to_owned(),
        resource: plural.to_owned(),
        namespace: attributes.namespace.to_owned(),
        name: name.to_owned(),
        ..ResourceInfo::default()
    };
    attributes.call.server.rbac.allows_resource(&attributes.call.user, verb, &info)
}

fn rules(role: &Object) -> Result<Vec<Rule>, ApiError> {
    match role.get("rules") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(rules) => serde_json::from_value(rules.clone())
            .map_err(|error| ApiError::bad_request(format!("the role's rules do not parse: {error}"))),
    }
}

fn everything() -> Rule {
    let all = || vec!["*".to_owned()];
    Rule { verbs: all(), api_groups: all(), resources: all(), ..Rule::default() }
}
