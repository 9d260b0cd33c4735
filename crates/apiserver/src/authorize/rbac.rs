//! RBAC, evaluated from an index of the stored roles and bindings.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;
use store::StoreError;

use super::rules::Rule;
use crate::auth::User;
use crate::mirror::{Fold, Mirror};
use crate::storage::Storage;
use crate::wire::request_info::ResourceInfo;

const PREFIX: &str = "/registry/rbac.authorization.k8s.io/";

pub(crate) struct Rbac {
    index: Mirror<Index>,
}

impl Rbac {
    pub(crate) async fn open(storage: Storage) -> Result<Self, StoreError> {
        Ok(Rbac { index: Mirror::open(storage, PREFIX).await? })
    }

    /// Makes the answers include every write acknowledged before.
    pub(crate) async fn catch_up(&self) -> Result<(), StoreError> {
        self.index.catch_up().await
    }

    pub(crate) fn allows_resource(&self, user: &User, verb: &str, info: &ResourceInfo) -> bool {
        self.index.read(|index| {
            index.rules(user, &info.namespace).any(|rules| rules.iter().any(|rule| rule.allows_resource(verb, info)))
        })
    }

    pub(crate) fn allows_path(&self, user: &User, verb: &str, path: &str) -> bool {
        self.index
            .read(|index| index.rules(user, "").any(|rules| rules.iter().any(|rule| rule.allows_path(verb, path))))
    }

    /// Everything the user may do in a namespace, cluster-wide grants included.
    pub(crate) fn rules_for(&self, user: &User, namespace: &str) -> Vec<Rule> {
        self.index.read(|index| index.rules(user, namespace).flat_map(|rules| rules.to_vec()).collect())
    }

    /// Which binding grants the user something, in upstream's words.
    pub(crate) fn grant(&self, user: &User, namespace: &str, allows: impl Fn(&Rule) -> bool) -> Option<String> {
        self.index.read(|index| {
            let granting = index.bindings(user, namespace).into_iter().find(|(_, binding)| {
                let rules = index.role(&binding.role_namespace, &binding.role);
                rules.is_some_and(|rules| rules.iter().any(&allows))
            });
            granting.map(|(key, binding)| format!("RBAC: allowed by {}", binding.describe(key, user)))
        })
    }

    /// What keeps the user's bindings from granting what they say: roles that are not there. Empty where
    /// nothing does.
    pub(crate) fn amiss(&self, user: &User, namespace: &str) -> String {
        self.index.read(|index| {
            let missing = |binding: &&Binding| index.role(&binding.role_namespace, &binding.role).is_none();
            let bindings = index.bindings(user, namespace);
            let mut faults: Vec<String> = Vec::new();
            for binding in bindings.into_iter().map(|(_, binding)| binding).filter(missing) {
                let kind = if binding.role_namespace.is_empty() { "clusterrole" } else { "role" };
                let fault = format!("{kind}.rbac.authorization.k8s.io {:?} not found", binding.role);
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
            match faults.as_slice() {
                [] => String::new(),
                [only] => format!("RBAC: {only}"),
                several => format!("RBAC: [{}]", several.join(", ")),
            }
        })
    }

    /// The rules a role grants, aggregation resolved; `None` where there is no such role.
    pub(crate) fn role(&self, namespace: &str, name: &str) -> Option<Arc<[Rule]>> {
        self.index.read(|index| index.role(namespace, name))
    }
}

/// Roles by place and name, bindings by whom they name.
#[derive(Default)]
struct Index {
    /// Cluster roles have the empty namespace.
    roles: HashMap<(String, String), Role>,
    bindings: HashMap<String, Binding>,
    /// Keys into `bindings`.
    by_subject: HashMap<Subject, Vec<String>>,
    stale_aggregates: bool,
}

struct Role {
    rules: Arc<[Rule]>,
    labels: BTreeMap<String, String>,
    /// None where the rules are the role's own.
    aggregates: Option<Vec<Selector>>,
}

struct Binding {
    /// Empty where it holds in the whole cluster.
    namespace: String,
    /// The namespace of the role; empty for a cluster role.
    role_namespace: String,
    role: String,
    subjects: Vec<Subject>,
}

impl Binding {
    /// As upstream names a grant.
    fn describe(&self, key: &str, user: &User) -> String {
        let name = key.rsplit('/').next().unwrap_or(key);
        let role_kind = if self.role_namespace.is_empty() { "ClusterRole" } else { "Role" };
        let is_users = |subject: &&Subject| match subject {
            Subject::User(name) => *name == user.name,
            Subject::Group(name) => user.is_in(name),
        };
        let subject = match self.subjects.iter().find(is_users) {
            Some(Subject::User(name)) => {
                match name.strip_prefix("system:serviceaccount:").and_then(|account| account.split_once(':')) {
                    Some((namespace, account)) => format!("ServiceAccount \"{account}/{namespace}\""),
                    None => format!("User {name:?}"),
                }
            }
            Some(Subject::Group(name)) => format!("Group {name:?}"),
            None => String::new(),
        };
        let (role, namespace) = (&self.role, &self.namespace);
        if namespace.is_empty() {
            format!("ClusterRoleBinding {name:?} of {role_kind} {role:?} to {subject}")
        } else {
            format!("RoleBinding \"{name}/{namespace}\" of {role_kind} {role:?} to {subject}")
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Subject {
    User(String),
    Group(String),
}

impl Index {
    fn rules<'a>(&'a self, user: &'a User, namespace: &'a str) -> impl Iterator<Item = Arc<[Rule]>> + 'a {
        let subjects = std::iter::once(Subject::User(user.name.clone()))
            .chain(user.groups.iter().map(|group| Subject::Group(group.clone())));
        subjects
            .filter_map(|subject| self.by_subject.get(&subject))
            .flatten()
            .filter_map(|key| self.bindings.get(key))
            .filter(move |binding| binding.namespace.is_empty() || binding.namespace == namespace)
            .filter_map(|binding| self.role(&binding.role_namespace, &binding.role))
    }

    /// The bindings that name the user and hold in a namespace: first those of the whole cluster, each
    /// kind by its name.
    fn bindings(&self, user: &User, namespace: &str) -> Vec<(&str, &Binding)> {
        let subjects = std::iter::once(Subject::User(user.name.clone()))
            .chain(user.groups.iter().map(|group| Subject::Group(group.clone())));
        let mut found: Vec<(&str, &Binding)> = subjects
            .filter_map(|subject| self.by_subject.get(&subject))
            .flatten()
            .filter_map(|key| Some((key.as_str(), self.bindings.get(key)?)))
            .filter(|(_, binding)| binding.namespace.is_empty() || binding.namespace == namespace)
            .collect();
        found.sort_by_key(|(key, _)| *key);
        found.dedup_by_key(|(key, _)| *key);
        found
    }

    fn role(&self, namespace: &str, name: &str) -> Option<Arc<[Rule]>> {
        self.roles.get(&(namespace.to_owned(), name.to_owned())).map(|role| role.rules.clone())
    }

    fn unbind(&mut self, key: &str) {
        let Some(binding) = self.bindings.remove(key) else { return };
        for subject in binding.subjects {
            if let Some(keys) = self.by_subject.get_mut(&subject) {
                keys.retain(|candidate| candidate != key);
                if keys.is_empty() {
                    self.by_subject.remove(&subject);
                }
            }
        }
    }
}

impl Fold for Index {
    fn put(&mut self, key: &str, value: &[u8]) {
        let Some(place) = Place::of(key) else { return };
        if place.is_binding {
            self.unbind(key);
            match serde_json::from_slice::<BindingObject>(value) {
                Ok(object) => {
                    let binding = object.into_binding(place.namespace);
                    for subject in &binding.subjects {
                        self.by_subject.entry(subject.clone()).or_default().push(key.to_owned());
                    }
                    self.bindings.insert(key.to_owned(), binding);
                }
                // A binding that does not parse grants nothing.
                Err(error) => tracing::warn!(key, %error, "a stored role binding does not parse"),
            }
            return;
        }
        self.stale_aggregates |= place.namespace.is_empty();
        match serde_json::from_slice::<RoleObject>(value) {
            Ok(object) => {
                self.roles.insert(place.into_owned(), object.into_role());
            }
            Err(error) => {
                tracing::warn!(key, %error, "a stored role does not parse");
                self.roles.remove(&place.into_owned());
            }
        }
    }

    fn delete(&mut self, key: &str) {
        let Some(place) = Place::of(key) else { return };
        if place.is_binding {
            self.unbind(key);
        } else {
            self.stale_aggregates |= place.namespace.is_empty();
            self.roles.remove(&place.into_owned());
        }
    }

    fn settle(&mut self) {
        if !std::mem::take(&mut self.stale_aggregates) {
            return;
        }
        let gathered: Vec<_> = self
            .roles
            .iter()
            .filter_map(|(key, role)| Some((key.clone(), role.aggregates.as_ref()?)))
            .map(|(key, selectors)| {
                let matching = self.roles.iter().filter(|((namespace, name), role)| {
                    namespace.is_empty()
                        && *name != key.1
                        && role.aggregates.is_none()
                        && selectors.iter().any(|selector| selector.matches(&role.labels))
                });
                let rules: Arc<[Rule]> = matching.flat_map(|(_, role)| role.rules.iter().cloned()).collect();
                (key, rules)
            })
            .collect();
        for (key, rules) in gathered {
            if let Some(role) = self.roles.get_mut(&key) {
                role.rules = rules;
            }
        }
    }
}

/// What a key says: `…/roles/NAMESPACE/NAME`, `…/clusterrolebindings/NAME`.
struct Place<'a> {
    is_binding: bool,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> Place<'a> {
    fn of(key: &'a str) -> Option<Self> {
        let (plural, rest) = key.strip_prefix(PREFIX)?.split_once('/')?;
        let (namespaced, is_binding) = match plural {
            "clusterroles" => (false, false),
            "clusterrolebindings" => (false, true),
            "roles" => (true, false),
            "rolebindings" => (true, true),
            _ => return None,
        };
        let (namespace, name) = if namespaced { rest.split_once('/')? } else { ("", rest) };
        Some(Place { is_binding, namespace, name })
    }

    fn into_owned(self) -> (String, String) {
        (self.namespace.to_owned(), self.name.to_owned())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoleObject {
    #[serde(default)]
    metadata: Labels,
    #[serde(default)]
    rules: Option<Vec<Rule>>,
    #[serde(default)]
    aggregation_rule: Option<AggregationRule>,
}

#[derive(Default, Deserialize)]
struct Labels {
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AggregationRule {
    #[serde(default)]
    cluster_role_selectors: Vec<LabelSelector>,
}

impl RoleObject {
    fn into_role(self) -> Role {
        let aggregates = self.aggregation_rule.map(|rule| {
            let parsed = rule.cluster_role_selectors.iter().map(Selector::from_label_selector);
            parsed.filter_map(Result::ok).collect()
        });
        Role {
            rules: self.rules.unwrap_or_default().into(),
            labels: self.metadata.labels.unwrap_or_default(),
            aggregates,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingObject {
    role_ref: RoleRef,
    #[serde(default)]
    subjects: Option<Vec<SubjectObject>>,
}

#[derive(Deserialize)]
struct RoleRef {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
struct SubjectObject {
    kind: String,
    name: String,
    #[serde(default)]
    namespace: String,
}

impl BindingObject {
    fn into_binding(self, namespace: &str) -> Binding {
        let role_namespace = if self.role_ref.kind == "ClusterRole" { "" } else { namespace };
        let subjects = self.subjects.into_iter().flatten().filter_map(|subject| {
            Some(match subject.kind.as_str() {
                "User" => Subject::User(subject.name),
                "Group" => Subject::Group(subject.name),
                "ServiceAccount" => {
                    Subject::User(format!("system:serviceaccount:{}:{}", subject.namespace, subject.name))
                }
                _ => return None,
            })
        });
        Binding {
            namespace: namespace.to_owned(),
            role_namespace: role_namespace.to_owned(),
            role: self.role_ref.name,
            subjects: subjects.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn put(index: &mut Index, place: &str, value: Value) {
        index.put(&format!("{PREFIX}{place}"), value.to_string().as_bytes());
        index.settle();
    }

    fn allows(index: &Index, user: &User, verb: &str, namespace: &str, resource: &str) -> bool {
        let info =
            ResourceInfo { namespace: namespace.to_owned(), resource: resource.to_owned(), ..ResourceInfo::default() };
        index.rules(user, namespace).any(|rules| rules.iter().any(|rule| rule.allows_resource(verb, &info)))
    }

    #[test]
    fn bindings_grant_in_their_namespace_and_cluster_bindings_everywhere() {
        let mut index = Index::default();
        let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
        put(&mut index, "clusterroles/reader", json!({"rules": rules}));
        let reference = json!({"kind": "ClusterRole", "name": "reader"});
        put(
            &mut index,
            "rolebindings/a/jane",
            json!({"roleRef": reference, "subjects": [{"kind": "User", "name": "jane"}]}),
        );
        let account = json!([{"kind": "ServiceAccount", "name": "bot", "namespace": "b"}]);
        put(&mut index, "clusterrolebindings/bot", json!({"roleRef": reference, "subjects": account}));
        let jane = User::authenticated("jane", []);
        let bot = crate::auth::token::service_account("b", "bot");
        assert!(allows(&index, &jane, "get", "a", "pods"));
        assert!(!allows(&index, &jane, "get", "b", "pods"));
        assert!(!allows(&index, &jane, "list", "a", "pods"));
        assert!(allows(&index, &bot, "get", "", "pods"));
        index.delete(&format!("{PREFIX}clusterrolebindings/bot"));
        assert!(!allows(&index, &bot, "get", "", "pods"));
    }

    #[test]
    fn grants_are_named() {
        let mut index = Index::default();
        put(&mut index, "clusterroles/reader", json!({"rules": []}));
        let of = |kind: &str, name: &str| json!({"kind": kind, "name": name});
        let developers = json!([{"kind": "Group", "name": "developers"}]);
        put(&mut index, "rolebindings/a/r", json!({"roleRef": of("Role", "writer"), "subjects": developers}));
        put(
            &mut index,
            "clusterrolebindings/c",
            json!({"roleRef": of("ClusterRole", "reader"), "subjects": developers}),
        );
        let account = json!([{"kind": "ServiceAccount", "name": "bot", "namespace": "b"}]);
        put(&mut index, "rolebindings/a/s", json!({"roleRef": of("ClusterRole", "reader"), "subjects": account}));
        let named = |user: &User, namespace: &str| -> Vec<String> {
            index.bindings(user, namespace).into_iter().map(|(key, binding)| binding.describe(key, user)).collect()
        };
        let jane = User::authenticated("jane", ["developers".to_owned()]);
        assert_eq!(
            named(&jane, "a"),
            [
                "ClusterRoleBinding \"c\" of ClusterRole \"reader\" to Group \"developers\"",
                "RoleBinding \"r/a\" of Role \"writer\" to Group \"developers\"",
            ]
        );
        assert_eq!(named(&jane, "b").len(), 1);
        let bot = crate::auth::token::service_account("b", "bot");
        assert_eq!(named(&bot, "a"), ["RoleBinding \"s/a\" of ClusterRole \"reader\" to ServiceAccount \"bot/b\""]);
    }

    #[test]
    fn aggregates_follow_the_roles_they_select() {
        let mut index = Index::default();
        let selector = json!({"clusterRoleSelectors": [{"matchLabels": {"to-view": "true"}}]});
        put(&mut index, "clusterroles/view", json!({"aggregationRule": selector, "rules": null}));
        assert!(index.role("", "view").unwrap().is_empty());
        let rules = json!([{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]);
        let labelled = json!({"metadata": {"labels": {"to-view": "true"}}, "rules": rules});
        put(&mut index, "clusterroles/part", labelled);
        assert_eq!(index.role("", "view").unwrap().len(), 1);
        index.delete(&format!("{PREFIX}clusterroles/part"));
        index.settle();
        assert!(index.role("", "view").unwrap().is_empty());
    }
}
