//! Counts what namespaces with quotas use.
//!
//! Admission charges what is created; here it is counted when a quota comes or changes, and when something goes or
//! shrinks, which gives room back.

mod counted;
mod plan;

use std::collections::BTreeSet;

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
            let is_new = old.map(|quota| &quota.spec) != new.map(|quota| &quota.spec);
            if let Some(quota) = new.filter(|_| is_new) {
                queue.add(NamespacedName::of(&quota.metadata));
            }
        }
    });
    let controller = Controller::with_queue("resource-quota-controller", counter, queue);
    context.run(controller, quotas.synced()).await;
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
