//! Counts what namespaces with quotas use.
//!
//! Admission charges what is created; here it is counted when a quota comes or changes, and when something goes or
//! shrinks, which gives room back. What was charged for a write that then failed, or counted from a cache that was
//! late, is put right a while after the last change.

mod counted;
mod plan;

use std::collections::BTreeSet;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::core::v1::ResourceQuota;
use client::Client;
use client::kube::Api;
use client::kube::api::PostParams;
use reconcile::{Controller, Informer, Outcome, Reconciler, WorkQueue};
use stdx::Ambient;

use crate::context::Context;
use crate::error::{During, ReconcileError};
use counted::Counted;
use plan::{counted_kinds, plan};

/// As long as upstream lets pass between its full counts.
const RECOUNT: Duration = Duration::from_secs(300);

pub(crate) async fn run(context: Context) {
    let quotas = context.informers.of::<ResourceQuota>();
    let queue = WorkQueue::new(context.ambient.clock);
    let counter = Counter {
        client: context.client.clone(),
        quotas: quotas.clone(),
        counted: Counted::new(context.clone(), quotas.clone(), queue.clone()),
        ambient: context.ambient.clone(),
    };
    quotas.on_change({
        let queue = queue.clone();
        move |old, new| {
            let Some(quota) = new else { return };
            if let Some(delay) = recount_after(old.map(AsRef::as_ref), quota) {
                queue.add_after(NamespacedName::of(&quota.metadata), delay);
            }
        }
    });
    let controller = Controller::with_queue("resource-quota-controller", counter, queue);
    context.run(controller, quotas.synced()).await;
}

/// When a quota that has changed so is to be counted.
fn recount_after(old: Option<&ResourceQuota>, new: &ResourceQuota) -> Option<Duration> {
    let Some(old) = old.filter(|old| old.spec == new.spec) else { return Some(Duration::ZERO) };
    let used = |quota: &ResourceQuota| quota.status.as_ref().and_then(|status| status.used.clone());
    (used(old) != used(new)).then_some(RECOUNT)
}

struct Counter {
    client: Client,
    quotas: Informer<ResourceQuota>,
    counted: Counted,
    ambient: Ambient,
}

impl Reconciler for Counter {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(quota) = self.quotas.get(key) else { return Ok(Outcome::Done) };
        let hard = quota.spec.as_ref().and_then(|spec| spec.hard.clone()).unwrap_or_default();
        let (kinds, others) = counted_kinds(hard.keys().map(String::as_str));
        let mut seen = Vec::new();
        let mut told = BTreeSet::new();
        for kind in kinds {
            if told.insert((kind.group, kind.plural)) {
                seen.push((kind, self.counted.objects(kind, &key.namespace).await?));
            }
        }
        let mut custom = Vec::new();
        for resource in others {
            if let Some(count) = self.counted.custom(&resource, &key.namespace).await? {
                custom.push((resource, count));
            }
        }
        let Some(status) = plan(&quota, &seen, &custom, self.ambient.clock.now())? else { return Ok(Outcome::Done) };
        let updated = ResourceQuota { status: Some(status), ..ResourceQuota::clone(&quota) };
        let api: Api<ResourceQuota> = Api::namespaced(self.client.clone(), &key.namespace);
        api.replace_status(&key.name, &PostParams::default(), &updated).await.during("update status of quota", key)?;
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_new_spec_is_counted_at_once_and_what_admission_charged_in_a_while() {
        let quota = |hard: &str, used: &str, annotation: &str| -> ResourceQuota {
            let status = json!({"hard": {"pods": hard}, "used": {"pods": used}});
            let metadata = json!({"annotations": {"note": annotation}});
            serde_json::from_value(json!({"metadata": metadata, "spec": {"hard": {"pods": hard}}, "status": status}))
                .unwrap()
        };
        let before = quota("5", "1", "a");
        for (old, new, expected) in [
            (None, quota("5", "1", "a"), Some(Duration::ZERO)),
            (Some(&before), quota("6", "1", "a"), Some(Duration::ZERO)),
            (Some(&before), quota("5", "2", "a"), Some(RECOUNT)),
            (Some(&before), quota("5", "1", "b"), None),
        ] {
            assert_eq!(recount_after(old, &new), expected, "{new:?}");
        }
    }
}
