//! Cluster roles that are made of others: their rules are gathered by label.

use api::k8s::api::rbac::v1::{ClusterRole, PolicyRule};
use api::selector::SelectorError;
use api::{NamespacedName, Selector};
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler};

use crate::context::Context;
use crate::error::{During, ReconcileError};

pub(crate) async fn run(context: Context) {
    let roles = context.informers.of::<ClusterRole>();
    let aggregator = Aggregator { client: context.client.clone(), roles: roles.clone() };
    let controller = Controller::new("clusterrole-aggregation-controller", aggregator, context.ambient.clock);
    let queue = controller.queue();
    roles.on_change({
        let roles = roles.clone();
        // Any role may be part of any that aggregates.
        move |_, _| {
            for role in roles.list().iter().filter(|role| role.aggregation_rule.is_some()) {
                queue.add(NamespacedName::of(&role.metadata));
            }
        }
    });
    let synced = async { roles.synced().await };
    context.run(controller, synced).await;
}

struct Aggregator {
    client: Client,
    roles: Informer<ClusterRole>,
}

impl Reconciler for Aggregator {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(role) = self.roles.get(key) else { return Ok(Outcome::Done) };
        let all = self.roles.list();
        let Some(rules) = gather(&role, all.iter().map(AsRef::as_ref))? else { return Ok(Outcome::Done) };
        if role.rules.as_deref().unwrap_or_default() == rules {
            return Ok(Outcome::Done);
        }
        let updated = ClusterRole { rules: Some(rules), ..ClusterRole::clone(&role) };
        let api: Api<ClusterRole> = Api::all(self.client.clone());
        api.replace(&key.name, &PostParams::default(), &updated).await.during("update cluster role", key)?;
        Ok(Outcome::Done)
    }
}

/// The rules of all selected roles, each once, by selector and then by name. `None` where the role does not aggregate.
fn gather<'a>(
    role: &ClusterRole,
    all: impl Iterator<Item = &'a ClusterRole> + Clone,
) -> Result<Option<Vec<PolicyRule>>, SelectorError> {
    let Some(aggregation) = &role.aggregation_rule else { return Ok(None) };
    let mut rules: Vec<PolicyRule> = Vec::new();
    for selector in aggregation.cluster_role_selectors.iter().flatten() {
        let selector = Selector::from_label_selector(selector)?;
        let parts = all.clone().filter(|part| {
            part.metadata.name != role.metadata.name && selector.matches_optional(part.metadata.labels.as_ref())
        });
        for rule in parts.flat_map(|part| part.rules.iter().flatten()) {
            if !rules.contains(rule) {
                rules.push(rule.clone());
            }
        }
    }
    Ok(Some(rules))
}

#[cfg(test)]
mod tests {
    use api::k8s::api::rbac::v1::AggregationRule;
    use api::k8s::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};

    use super::*;

    fn role(name: &str, label: Option<&str>, verbs: &[&str]) -> ClusterRole {
        let rule = |verb: &&str| PolicyRule { verbs: vec![(*verb).to_owned()], ..PolicyRule::default() };
        ClusterRole {
            metadata: ObjectMeta {
                name: Some(name.into()),
                labels: label.map(|label| [(label.to_owned(), "true".to_owned())].into()),
                ..ObjectMeta::default()
            },
            rules: Some(verbs.iter().map(rule).collect()),
            ..ClusterRole::default()
        }
    }

    #[test]
    fn gathers_each_rule_once() {
        let selector = LabelSelector {
            match_labels: Some([("to-view".to_owned(), "true".to_owned())].into()),
            ..LabelSelector::default()
        };
        let rule = AggregationRule { cluster_role_selectors: Some(vec![selector]) };
        let view = ClusterRole { aggregation_rule: Some(rule), ..role("view", Some("to-view"), &["own"]) };
        let all = [
            role("a", Some("to-view"), &["get", "list"]),
            role("b", None, &["delete"]),
            view.clone(),
            role("c", Some("to-view"), &["list", "watch"]),
        ];
        let gathered = gather(&view, all.iter()).unwrap().unwrap();
        let verbs: Vec<_> = gathered.iter().map(|rule| rule.verbs[0].as_str()).collect();
        assert_eq!(verbs, ["get", "list", "watch"]);
        assert_eq!(gather(&all[0], all.iter()).unwrap(), None);
    }
}
