//! ResourceQuotas: a write that would use more of a namespace's share than there is left is refused,
//! and what it uses is noted in the quota before the write happens.
//!
//! One write of a namespace is charged at a time here; against other servers and the controller that
//! counts anew, each note is a compare-and-swap.

use std::hash::{DefaultHasher, Hasher};

use api::Quantity;
use async_trait::async_trait;
use registry::fields::object_at;
use registry::quota::{self, Amount, Amounts};
use registry::{Kind, Object};
use serde_json::Value;
use store::StoreError;
use tokio::sync::{Mutex, MutexGuard};

use super::{Attributes, Operation, Plugin, quotas_of_namespace};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Stored;

/// How often a charge starts over because somebody else wrote the quota.
const ATTEMPTS: usize = 8;

const TURNS: usize = 32;

/// Whose turn it is to be charged. Namespaces share these by chance, which costs at most a moment's wait.
#[derive(Default)]
pub(crate) struct Turns([Mutex<()>; TURNS]);

impl Turns {
    async fn take(&self, namespace: &str) -> MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        hasher.write(namespace.as_bytes());
        self.0[(hasher.finish() % TURNS as u64) as usize].lock().await
    }
}

pub(super) struct ResourceQuota;

#[async_trait]
impl Plugin for ResourceQuota {
    fn name(&self) -> &'static str {
        "ResourceQuota"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        let changes = match (attributes.operation, attributes.subresource) {
            (Operation::Create, "") => true,
            (Operation::Update, "") => quota::changes_on_update(attributes.kind),
            (Operation::Update, "resize") => attributes.is("", "pods", "resize"),
            _ => false,
        };
        changes && attributes.kind.is_namespaced()
    }

    async fn validate(&self, attributes: &Attributes<'_>, object: Option<&Object>) -> Result<(), ApiError> {
        let Some(object) = object else { return Ok(()) };
        // Most namespaces have no quota, and wait for nothing.
        if quotas_of_namespace(attributes).await?.is_empty() {
            return Ok(());
        }
        let dry_run = attributes.call.query.all("dryRun").any(|value| value == "All");
        let now = attributes.call.server.ambient.clock.now();
        let request = Request {
            kind: attributes.kind,
            object,
            old: attributes.old,
            used: quota::usage(attributes.kind, object, now),
            used_before: attributes.old.map(|old| quota::usage(attributes.kind, old, now)),
        };
        let _turn = attributes.call.server.quota_turns.take(attributes.namespace).await;
        'attempts: for _ in 0..ATTEMPTS {
            let mut charges = Vec::new();
            for encoded in quotas_of_namespace(attributes).await? {
                let quota = encoded.decode()?;
                let charged = request.charge(&quota).map_err(|why| attributes.forbidden(&why))?;
                charges.extend(charged.map(|charged| (encoded, charged)));
            }
            if dry_run {
                return Ok(());
            }
            for (encoded, charged) in charges {
                if !note(attributes, &encoded, &charged).await? {
                    continue 'attempts;
                }
            }
            return Ok(());
        }
        Err(ApiError::modified(attributes.call.subject(attributes.name)))
    }
}

/// Writes the quota with its new use; false where somebody else wrote it in between.
async fn note(attributes: &Attributes<'_>, stored: &Stored, charged: &Object) -> Result<bool, ApiError> {
    let kind = kinds::required("", "v1", "resourcequotas");
    match attributes.call.server.storage.replace(kind, charged, stored.revision, None).await {
        Ok(_) => Ok(true),
        Err(StoreError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A write, and what it uses.
struct Request<'a> {
    kind: &'a Kind,
    object: &'a Object,
    old: Option<&'a Object>,
    used: Amounts,
    used_before: Option<Amounts>,
}

impl Request<'_> {
    /// The quota with the write charged to it; none where it does not count what the write uses more.
    fn charge(&self, quota: &Object) -> Result<Option<Object>, String> {
        let hard = quota::amounts(quota, "status.hard");
        let counted: Vec<&str> =
            hard.keys().map(String::as_str).filter(|resource| quota::is_used_by(self.kind, resource)).collect();
        let covers = |object: &Object| quota::is_in_scope(quota, self.kind, object);
        if counted.is_empty() || !covers(self.object) {
            return Ok(None);
        }
        let name = metadata::name(quota);
        if let Some(why) = quota::unspecified(self.kind, self.object, &counted) {
            return Err(format!("failed quota: {name}: {why}"));
        }
        let used = quota::amounts(quota, "status.used");
        if counted.iter().any(|resource| !used.contains_key(*resource)) {
            return Err(format!("status unknown for quota: {name}, resources: {}", counted.join(",")));
        }
        let more = self.more(&counted)?;
        if more.is_empty() {
            return Ok(None);
        }
        let mut after = used.clone();
        quota::add(&mut after, &more);
        let exceeded: Vec<&String> =
            more.keys().filter(|resource| after[*resource].quantity > hard[*resource].quantity).collect();
        if !exceeded.is_empty() {
            let list = |amounts: &Amounts| {
                let parts: Vec<String> = exceeded
                    .iter()
                    .map(|resource| format!("{resource}={}", amounts.get(*resource).copied().unwrap_or_default()))
                    .collect();
                parts.join(",")
            };
            return Err(format!(
                "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
                list(&more),
                list(&used),
                list(&hard)
            ));
        }
        let mut charged = quota.clone();
        let place = object_at(object_at(&mut charged, "status"), "used");
        for (resource, amount) in after {
            place.insert(resource, Value::from(amount.to_string()));
        }
        Ok(Some(charged))
    }

    /// What the write uses more than before, of the resources counted.
    fn more(&self, counted: &[&str]) -> Result<Amounts, String> {
        let negative: Vec<&str> = self
            .used
            .iter()
            .filter(|(_, amount)| amount.quantity.is_negative())
            .map(|(resource, _)| resource.as_str())
            .collect();
        if !negative.is_empty() {
            return Err(format!("quota usage is negative for resource(s): {}", negative.join(",")));
        }
        let before = |resource: &String| {
            let known = self.used_before.as_ref().filter(|_| self.old.is_some());
            known.and_then(|before| before.get(resource)).copied().unwrap_or(Amount::count(0))
        };
        let counted = self.used.iter().filter(|(resource, _)| counted.contains(&resource.as_str()));
        let grown = counted.map(|(resource, amount)| (resource.clone(), amount.minus(before(resource))));
        Ok(grown.filter(|(_, amount)| amount.quantity > Quantity::ZERO).collect())
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn quota(hard: Value, used: Value) -> Object {
        object(json!({"metadata": {"name": "share"}, "status": {"hard": hard, "used": used}}))
    }

    fn charge(plural: &str, new: Value, old: Option<Value>, quota: &Object) -> Result<Option<Value>, String> {
        let kind = kinds::required("", "v1", plural);
        let (new, old) = (object(new), old.map(object));
        let request = Request {
            kind,
            object: &new,
            old: old.as_ref(),
            used: quota::usage(kind, &new, Timestamp::UNIX_EPOCH),
            used_before: old.as_ref().map(|old| quota::usage(kind, old, Timestamp::UNIX_EPOCH)),
        };
        Ok(request.charge(quota)?.map(|charged| charged["status"]["used"].clone()))
    }

    fn pod(cpu: &str) -> Value {
        json!({"spec": {"containers": [{"name": "a", "resources": {"requests": {"cpu": cpu}}}]}})
    }

    #[test]
    fn what_fits_is_charged_and_what_does_not_is_refused() {
        let share = quota(json!({"pods": "2", "requests.cpu": "1"}), json!({"pods": "1", "requests.cpu": "500m"}));
        assert_eq!(
            charge("pods", pod("250m"), None, &share).unwrap(),
            Some(json!({"pods": "2", "requests.cpu": "750m"}))
        );
        assert_eq!(
            charge("pods", pod("600m"), None, &share).unwrap_err(),
            "exceeded quota: share, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1"
        );
        let full = quota(json!({"pods": "1", "requests.cpu": "1"}), json!({"pods": "1", "requests.cpu": "500m"}));
        assert_eq!(
            charge("pods", pod("600m"), None, &full).unwrap_err(),
            "exceeded quota: share, requested: pods=1,requests.cpu=600m, used: pods=1,requests.cpu=500m, limited: \
             pods=1,requests.cpu=1"
        );
        let silent = json!({"spec": {"containers": [{"name": "a"}]}});
        assert_eq!(
            charge("pods", silent, None, &share).unwrap_err(),
            "failed quota: share: must specify requests.cpu for: a"
        );
        assert_eq!(charge("configmaps", json!({}), None, &full).unwrap(), None);
    }

    #[test]
    fn a_quota_that_was_not_counted_yet_lets_nothing_through() {
        let share = quota(json!({"pods": "2", "services": "1"}), json!({}));
        assert_eq!(
            charge("pods", pod("1"), None, &share).unwrap_err(),
            "status unknown for quota: share, resources: pods"
        );
        assert_eq!(charge("pods", pod("1"), None, &object(json!({"spec": {"hard": {"pods": "1"}}}))).unwrap(), None);
    }

    #[test]
    fn updates_are_charged_for_what_they_add() {
        let share = quota(
            json!({"services": "1", "services.nodeports": "1"}),
            json!({"services": "1", "services.nodeports": "0"}),
        );
        let of_type = |kind: &str| json!({"spec": {"type": kind, "ports": [{"port": 80}]}});
        assert_eq!(
            charge("services", of_type("NodePort"), Some(of_type("ClusterIP")), &share).unwrap(),
            Some(json!({"services": "1", "services.nodeports": "1"}))
        );
        assert_eq!(charge("services", of_type("ClusterIP"), Some(of_type("NodePort")), &share).unwrap(), None);
    }
}
