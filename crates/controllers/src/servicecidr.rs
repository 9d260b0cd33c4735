//! Says that a ServiceCIDR is ready, and keeps one that is being deleted until no address of a Service needs it.

use std::sync::Arc;
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::networking::v1::{IPAddress, ServiceCIDR};
use client::Client;
use client::kube::Api;
use client::kube::api::{Patch, PatchParams, PostParams};
use reconcile::{Controller, Informer, Outcome, Reconciler, Recorder};
use serde_json::json;
use stdx::Clock;

use crate::cidr::Cidr;
use crate::context::Context;
use crate::error::{During, ReconcileError, unless_gone};

const FINALIZER: &str = "networking.k8s.io/service-cidr-finalizer";
const FIELD_MANAGER: &str = "service-cidr-controller";
const MANAGED_BY: (&str, &str) = ("ipaddress.kubernetes.io/managed-by", "ipallocator.k8s.io");
/// Until then every API server has seen that the range leaves, and gives no more of its addresses.
const GRACE: Duration = Duration::from_secs(10);
const IN_USE: &str =
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";

pub(crate) async fn run(context: Context) {
    let ranges = context.informers.of::<ServiceCIDR>();
    let addresses = context.informers.of::<IPAddress>();
    let keeper = Keeper {
        client: context.client.clone(),
        recorder: context.recorder(),
        clock: context.ambient.clock,
        ranges: ranges.clone(),
        addresses: addresses.clone(),
    };
    let controller = Controller::new("service-cidr-controller", keeper, context.ambient.clock);
    let queue = controller.queue();
    ranges.on_change({
        let (ranges, queue) = (ranges.clone(), queue.clone());
        move |old, new| {
            let Some(range) = new.or(old) else { return };
            queue.add(NamespacedName::of(&range.metadata));
            // One that comes may hold the addresses for which another stays.
            if old.is_none() {
                let overlaps =
                    |other: &ServiceCIDR| parts(range).any(|part| parts(other).any(|its| its.overlaps(&part)));
                let others = ranges.list().into_iter().filter(|other| overlaps(other));
                others.for_each(|other| queue.add(NamespacedName::of(&other.metadata)));
            }
        }
    });
    addresses.on_change({
        let ranges = ranges.clone();
        move |old, new| {
            if old.is_some() && new.is_some() {
                return;
            }
            let Some(address) = new.or(old).and_then(|address| service_address(address)) else { return };
            let holders = ranges.list().into_iter().filter(|range| holds(range, &address));
            holders.for_each(|range| queue.add(NamespacedName::of(&range.metadata)));
        }
    });
    let synced = async {
        ranges.synced().await;
        addresses.synced().await;
    };
    context.run(controller, synced).await;
}

struct Keeper {
    client: Client,
    recorder: Recorder,
    clock: Clock,
    ranges: Informer<ServiceCIDR>,
    addresses: Informer<IPAddress>,
}

/// What a range should be told next.
#[derive(Debug, PartialEq)]
enum Plan {
    Protect,
    Ready,
    InUse,
    Release,
}

impl Reconciler for Keeper {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(range) = self.ranges.get(key) else { return Ok(Outcome::Done) };
        let is_needed = || is_needed(&range, &self.ranges.list(), &self.addresses.list());
        match plan(&range, is_needed) {
            None => {}
            Some(Plan::Protect) => {
                let mut finalizers = range.metadata.finalizers.clone().unwrap_or_default();
                finalizers.push(FINALIZER.to_owned());
                self.set_finalizers(&range, key, finalizers).await?;
            }
            Some(Plan::Ready) => {
                let told = self.tell(key, "True", "", "Kubernetes Service CIDR is ready").await;
                if told.is_err() {
                    let text = "The ServiceCIDR Status can not be set to Ready=True";
                    self.recorder.warning(&*range, "KubernetesServiceCIDRError", text.to_owned());
                }
                told?;
            }
            Some(Plan::InUse) => self.tell(key, "False", "Terminating", IN_USE).await?,
            Some(Plan::Release) => {
                let since = range.metadata.deletion_timestamp.as_ref().map(|time| time.0);
                let passed = since.map_or(GRACE, |since| self.clock.now().duration_since(since).unsigned_abs());
                if let Some(left) = GRACE.checked_sub(passed).filter(|left| !left.is_zero()) {
                    return Ok(Outcome::RequeueAfter(left));
                }
                let mut finalizers = range.metadata.finalizers.clone().unwrap_or_default();
                finalizers.retain(|finalizer| finalizer != FINALIZER);
                self.set_finalizers(&range, key, finalizers).await?;
            }
        }
        Ok(Outcome::Done)
    }
}

impl Keeper {
    fn api(&self) -> Api<ServiceCIDR> {
        Api::all(self.client.clone())
    }

    async fn set_finalizers(
        &self,
        range: &ServiceCIDR,
        key: &NamespacedName,
        finalizers: Vec<String>,
    ) -> Result<(), ReconcileError> {
        let mut range = range.clone();
        range.metadata.finalizers = Some(finalizers);
        let written = self.api().replace(&key.name, &PostParams::default(), &range).await;
        unless_gone(written).during("protect the range", key)?;
        Ok(())
    }

    async fn tell(
        &self,
        key: &NamespacedName,
        status: &str,
        reason: &str,
        message: &str,
    ) -> Result<(), ReconcileError> {
        let patch = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "ServiceCIDR",
            "status": { "conditions": [{
                "type": "Ready",
                "status": status,
                "reason": reason,
                "message": message,
                "lastTransitionTime": self.clock.now_seconds(),
            }] },
        });
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let told = self.api().patch_status(&key.name, &parameters, &Patch::Apply(patch)).await;
        unless_gone(told).during("tell of the range", key)?;
        Ok(())
    }
}

/// The one step that lacks; a range's next change leads here again.
fn plan(range: &ServiceCIDR, is_needed: impl FnOnce() -> bool) -> Option<Plan> {
    let is_protected = range.metadata.finalizers.iter().flatten().any(|finalizer| finalizer == FINALIZER);
    let conditions = range.status.as_ref().and_then(|status| status.conditions.as_ref());
    let is_said = |status| conditions.into_iter().flatten().any(|one| one.type_ == "Ready" && one.status == status);
    let is_leaving = range.metadata.deletion_timestamp.is_some();
    match (is_leaving, is_protected) {
        (false, false) => Some(Plan::Protect),
        (false, true) => (!is_said("True")).then_some(Plan::Ready),
        (true, false) => None,
        (true, true) if is_needed() => (!is_said("False")).then_some(Plan::InUse),
        (true, true) => Some(Plan::Release),
    }
}

/// Whether a Service's address would be in no range any more. A range within others can go in any case.
fn is_needed(range: &ServiceCIDR, all: &[Arc<ServiceCIDR>], addresses: &[Arc<IPAddress>]) -> bool {
    let others = || all.iter().filter(|other| other.metadata.name != range.metadata.name);
    let is_within = |part: Cidr| others().any(|other| parts(other).any(|its| its.contains(&part)));
    if parts(range).all(is_within) {
        return false;
    }
    let mut own = addresses.iter().filter_map(|address| service_address(address)).filter(|own| holds(range, own));
    own.any(|address| !others().any(|other| holds(other, &address)))
}

fn parts(range: &ServiceCIDR) -> impl Iterator<Item = Cidr> {
    let stated = range.spec.iter().flat_map(|spec| spec.cidrs.iter().flatten());
    stated.filter_map(|part| part.parse().ok())
}

/// Whether the address can have come from the range: its first and its last are never given.
fn holds(range: &ServiceCIDR, address: &Cidr) -> bool {
    parts(range).any(|part| part.contains(address) && !part.is_edge(address))
}

/// The address, where it is the API server that gave it.
fn service_address(address: &IPAddress) -> Option<Cidr> {
    let labels = address.metadata.labels.as_ref()?;
    labels.get(MANAGED_BY.0).filter(|by| *by == MANAGED_BY.1)?;
    Cidr::of_address(address.metadata.name.as_deref()?.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn range(name: &str, cidrs: &[&str]) -> Arc<ServiceCIDR> {
        Arc::new(serde_json::from_value(json!({"metadata": {"name": name}, "spec": {"cidrs": cidrs}})).unwrap())
    }

    fn address(name: &str) -> Arc<IPAddress> {
        let labels = json!({"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io"});
        Arc::new(serde_json::from_value(json!({"metadata": {"name": name, "labels": labels}})).unwrap())
    }

    #[test]
    fn one_step_follows_the_other() {
        let held = json!([FINALIZER, "other"]);
        let check = |metadata: Value, said: &str, is_needed: bool| {
            let conditions = json!([{"type": "Ready", "status": said, "reason": "", "message": "",
                "lastTransitionTime": "2030-01-01T00:00:00Z"}]);
            let status = json!({"conditions": if said.is_empty() { json!([]) } else { conditions }});
            plan(&serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap(), || is_needed)
        };
        let leaving =
            |finalizers: &Value| json!({"finalizers": finalizers, "deletionTimestamp": "2030-01-01T00:00:00Z"});
        assert_eq!(check(json!({}), "", false), Some(Plan::Protect));
        assert_eq!(check(json!({"finalizers": held}), "", false), Some(Plan::Ready));
        assert_eq!(check(json!({"finalizers": held}), "False", true), Some(Plan::Ready));
        assert_eq!(check(json!({"finalizers": held}), "True", true), None);
        assert_eq!(check(leaving(&held), "True", true), Some(Plan::InUse));
        assert_eq!(check(leaving(&held), "False", true), None, "it is said once");
        assert_eq!(check(leaving(&held), "False", false), Some(Plan::Release));
        assert_eq!(check(leaving(&json!(["other"])), "True", true), None, "others may hold it");
    }

    /// Source: pkg/controller/servicecidrs, canDeleteCIDR.
    #[test]
    fn a_range_stays_for_addresses_that_are_in_no_other() {
        let leaving = range("leaving", &["10.0.0.0/24", "fd00::/108"]);
        let check = |others: &[Arc<ServiceCIDR>], addresses: &[&str]| {
            let mut all = vec![leaving.clone()];
            all.extend_from_slice(others);
            let addresses: Vec<_> = addresses.iter().map(|name| address(name)).collect();
            is_needed(&leaving, &all, &addresses)
        };
        assert!(!check(&[], &[]));
        assert!(check(&[], &["10.0.0.7"]) && check(&[], &["fd00::7"]));
        assert!(!check(&[], &["10.0.1.7", "10.0.0.0", "10.0.0.255"]), "it cannot have given these");
        let part = range("part", &["10.0.0.0/28"]);
        assert!(!check(std::slice::from_ref(&part), &["10.0.0.7"]) && check(&[part], &["10.0.0.7", "10.0.0.99"]));
        assert!(check(&[range("edge", &["10.0.0.7/30"])], &["10.0.0.7"]), "the other could not have given it");
        let whole = range("whole", &["10.0.0.0/8", "fd00::/64"]);
        assert!(!check(&[whole], &["10.0.0.7", "fd00::7"]));
        let half = range("half", &["10.0.0.0/8"]);
        assert!(check(std::slice::from_ref(&half), &["fd00::7"]) && !check(&[half], &["10.0.0.7"]));

        let mut stray = IPAddress::clone(&address("10.0.0.7"));
        stray.metadata.labels = None;
        assert!(!is_needed(&leaving, std::slice::from_ref(&leaving), &[Arc::new(stray)]), "somebody else's object");
    }
}
