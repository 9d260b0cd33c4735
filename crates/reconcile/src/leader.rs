//! One of several alike does the work: the holder of a Lease.
//!
//! A leader that cannot renew gives up before anybody else may take over, so there are never two. Clocks of different
//! machines are not compared: a lease is over when it was seen unchanged for its whole time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::coordination::v1::{Lease, LeaseSpec};
use api::k8s::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use api::k8s::jiff::Timestamp;
use client::kube::Api;
use client::kube::api::PostParams;
use client::{CallError, Client};
use stdx::Ambient;
use stdx::metrics::{Family, Page, Stability};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::recorder::Recorder;

/// As upstream's defaults.
const LEASE: Duration = Duration::from_secs(15);
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(2);

/// Who stands for what.
#[derive(Clone)]
pub struct Election {
    pub client: Client,
    /// The lease, e.g. `kube-system/kube-scheduler`.
    pub lease: NamespacedName,
    /// Unlike that of every other candidate.
    pub identity: String,
    pub ambient: Ambient,
    /// Where it is told who leads.
    pub standings: Standings,
    pub cancel: CancellationToken,
}

/// Which leases a process stands for, and whether it holds them; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Standings(Arc<Mutex<BTreeMap<String, bool>>>);

impl Standings {
    /// In Prometheus' text format.
    pub fn page(&self) -> String {
        const FAMILY: Family = Family {
            name: "leader_election_master_status",
            help: "Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates \
                   master. 'name' is the string used to identify the lease. Please make sure to group by name.",
            stability: Stability::Alpha,
            labels: &["name"],
        };
        let leases = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut page = Page::default();
        page.gauge(&FAMILY, leases.into_iter().map(|(name, leads)| (vec![name], f64::from(u8::from(leads)))));
        page.into_text()
    }

    fn set(&self, lease: &NamespacedName, leads: bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.name.clone(), leads);
    }
}

/// Calls `work` whenever this candidate leads, with a token that is cancelled when it does no longer. Returns when
/// cancelled, or what the work returns by itself.
pub async fn lead<W, F>(election: Election, work: W) -> Option<F::Output>
where
    W: Fn(CancellationToken) -> F,
    F: Future,
{
    let recorder = Recorder::start(
        election.client.clone(),
        &election.lease.name,
        None,
        &election.ambient,
        election.cancel.clone(),
    );
    let cancelled = election.cancel.clone();
    loop {
        election.standings.set(&election.lease, false);
        let lease = tokio::select! {
            biased;
            () = cancelled.cancelled() => return None,
            lease = election.acquire() => lease,
        };
        tracing::info!(lease = %election.lease, identity = election.identity, "leading");
        election.standings.set(&election.lease, true);
        recorder.normal(&lease, "LeaderElection", format!("{} became leader", election.identity));
        let term = election.cancel.child_token();
        let working = work(term.clone());
        tokio::pin!(working);
        let ended = tokio::select! {
            biased;
            () = cancelled.cancelled() => None,
            ended = &mut working => Some(ended),
            () = election.hold() => None,
        };
        election.standings.set(&election.lease, false);
        if ended.is_some() {
            return ended;
        }
        term.cancel();
        let left = working.await;
        if cancelled.is_cancelled() {
            election.release().await;
            return Some(left);
        }
        tracing::warn!(lease = %election.lease, "no longer leading");
    }
}

/// What to do about the lease as it is.
#[derive(Debug, PartialEq)]
enum Plan {
    Create(Lease),
    Write(Lease),
    /// Somebody else's, for so long at most.
    Wait(Duration),
}

/// `unchanged` says for how long the lease has been seen as it is.
fn plan(present: Option<&Lease>, identity: &str, unchanged: Duration, now: Timestamp) -> Plan {
    let seconds = i32::try_from(LEASE.as_secs()).unwrap_or(i32::MAX);
    let mut spec = LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: Some(seconds),
        acquire_time: Some(MicroTime(now)),
        renew_time: Some(MicroTime(now)),
        lease_transitions: Some(0),
        ..LeaseSpec::default()
    };
    let Some(present) = present else { return Plan::Create(Lease { spec: Some(spec), ..Lease::default() }) };
    let old = present.spec.clone().unwrap_or_default();
    let holder = old.holder_identity.as_deref().unwrap_or_default();
    let transitions = old.lease_transitions.unwrap_or(0);
    if holder == identity {
        spec.acquire_time = old.acquire_time.or(spec.acquire_time);
        spec.lease_transitions = Some(transitions);
    } else {
        let given = old.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let left = given.map_or(LEASE, Duration::from_secs).saturating_sub(unchanged);
        if !holder.is_empty() && !left.is_zero() {
            return Plan::Wait(left);
        }
        spec.lease_transitions = Some(transitions.saturating_add(1));
    }
    Plan::Write(Lease { metadata: present.metadata.clone(), spec: Some(spec) })
}

impl Election {
    /// Waits until the lease is ours.
    async fn acquire(&self) -> Lease {
        // What was seen last, and since when.
        let mut seen: Option<(Option<String>, Instant)> = None;
        loop {
            let wait = match self.attempt(&mut seen).await {
                Ok(Ok(lease)) => return lease,
                Ok(Err(wait)) => wait,
                Err(error) => {
                    tracing::debug!(lease = %self.lease, error = stdx::error::chain(&error), "the lease cannot be had");
                    RETRY
                }
            };
            // Candidates that wait for the same moment do not all come at once.
            let jitter = Duration::from_millis(self.ambient.random.below(200));
            self.ambient.clock.sleep(wait + jitter).await;
        }
    }

    async fn attempt(
        &self,
        seen: &mut Option<(Option<String>, Instant)>,
    ) -> Result<Result<Lease, Duration>, CallError> {
        let api = self.api();
        let present = api.get_opt(&self.lease.name).await?;
        let now = self.ambient.clock.instant();
        let version = present.as_ref().and_then(|lease| lease.metadata.resource_version.clone());
        let since = match seen {
            Some((known, since)) if *known == version => *since,
            _ => {
                *seen = Some((version, now));
                now
            }
        };
        match plan(present.as_ref(), &self.identity, now.duration_since(since), self.ambient.clock.now()) {
            Plan::Wait(left) => Ok(Err(left)),
            Plan::Create(mut lease) => {
                lease.metadata = ObjectMeta { name: Some(self.lease.name.clone()), ..ObjectMeta::default() };
                Ok(Ok(api.create(&PostParams::default(), &lease).await?))
            }
            Plan::Write(lease) => Ok(Ok(api.replace(&self.lease.name, &PostParams::default(), &lease).await?)),
        }
    }

    /// Renews; returns when the lease is lost, or may be soon.
    async fn hold(&self) {
        let mut renewed = self.ambient.clock.instant();
        loop {
            self.ambient.clock.sleep(RETRY).await;
            let deadline = renewed + RENEW_DEADLINE;
            match tokio::time::timeout_at(deadline, self.renew()).await {
                Ok(Ok(true)) => renewed = self.ambient.clock.instant(),
                Ok(Ok(false)) | Err(_) => return,
                Ok(Err(error)) => {
                    tracing::debug!(lease = %self.lease, error = stdx::error::chain(&error), "the lease is not renewed");
                    if self.ambient.clock.instant() >= deadline {
                        return;
                    }
                }
            }
        }
    }

    /// False where it is another's.
    async fn renew(&self) -> Result<bool, CallError> {
        let api = self.api();
        let Some(present) = api.get_opt(&self.lease.name).await? else { return Ok(false) };
        let holder = present.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref());
        if holder != Some(&self.identity) {
            return Ok(false);
        }
        if let Plan::Write(lease) = plan(Some(&present), &self.identity, Duration::ZERO, self.ambient.clock.now()) {
            api.replace(&self.lease.name, &PostParams::default(), &lease).await?;
        }
        Ok(true)
    }

    /// Lets another begin at once. A courtesy: without it, the lease runs out.
    async fn release(&self) {
        let api = self.api();
        let released = async {
            let Some(mut lease) = api.get_opt(&self.lease.name).await? else { return Ok(()) };
            let Some(spec) = lease.spec.as_mut() else { return Ok(()) };
            if spec.holder_identity.as_deref() == Some(&self.identity) {
                spec.holder_identity = Some(String::new());
                spec.lease_duration_seconds = Some(1);
                api.replace(&self.lease.name, &PostParams::default(), &lease).await?;
            }
            Ok::<(), CallError>(())
        };
        if let Ok(Err(error)) = tokio::time::timeout(RETRY, released).await {
            tracing::debug!(lease = %self.lease, error = stdx::error::chain(&error), "the lease is not released");
        }
    }

    fn api(&self) -> Api<Lease> {
        Api::namespaced(self.client.clone(), &self.lease.namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(holder: &str, transitions: i32) -> Lease {
        let spec = LeaseSpec {
            holder_identity: Some(holder.to_owned()),
            lease_duration_seconds: Some(15),
            acquire_time: Some(MicroTime(Timestamp::UNIX_EPOCH)),
            lease_transitions: Some(transitions),
            ..LeaseSpec::default()
        };
        Lease { spec: Some(spec), ..Lease::default() }
    }

    #[test]
    fn a_lease_is_taken_when_it_is_nobodys_or_was_not_renewed() {
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let told =
            |present: Option<&Lease>, unchanged: u64| match plan(present, "me", Duration::from_secs(unchanged), now) {
                Plan::Create(_) => "create".to_owned(),
                Plan::Wait(left) => format!("wait {}", left.as_secs()),
                Plan::Write(lease) => {
                    let spec = lease.spec.unwrap();
                    let is_renewed = spec.acquire_time.unwrap().0 != now;
                    format!("{} {}", if is_renewed { "renew" } else { "take" }, spec.lease_transitions.unwrap())
                }
            };
        assert_eq!(told(None, 0), "create");
        assert_eq!(told(Some(&lease("me", 3)), 0), "renew 3");
        assert_eq!(told(Some(&lease("other", 3)), 0), "wait 15");
        assert_eq!(told(Some(&lease("other", 3)), 14), "wait 1");
        assert_eq!(told(Some(&lease("other", 3)), 15), "take 4");
        assert_eq!(told(Some(&lease("", 3)), 0), "take 4");
    }
}
