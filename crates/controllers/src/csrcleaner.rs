//! Forgets certificate signing requests that nobody needs any more.

use std::time::Duration;

use api::NamespacedName;
use api::k8s::api::certificates::v1::CertificateSigningRequest;
use api::k8s::jiff::Timestamp;
use client::Client;
use client::kube::Api;
use client::kube::api::DeleteParams;
use reconcile::{Controller, Informer, Outcome, Reconciler};
use stdx::Ambient;

use crate::context::{Context, on_each};
use crate::csr::has_certificate;
use crate::error::{During, ReconcileError, unless_gone};

/// After its verdict a request has told what it had to; before it, people have a day.
const APPROVED: Duration = Duration::from_secs(3600);
const DENIED: Duration = Duration::from_secs(3600);
const FAILED: Duration = Duration::from_secs(3600);
const PENDING: Duration = Duration::from_secs(24 * 3600);

pub(crate) async fn run(context: Context) {
    let requests = context.informers.of::<CertificateSigningRequest>();
    let cleaner =
        Cleaner { client: context.client.clone(), requests: requests.clone(), ambient: context.ambient.clone() };
    let controller = Controller::new("certificatesigningrequest-cleaner-controller", cleaner, context.ambient.clock);
    let queue = controller.queue();
    on_each(&requests, move |request| queue.add(NamespacedName::of(&request.metadata)));
    context.run(controller, requests.synced()).await;
}

struct Cleaner {
    client: Client,
    requests: Informer<CertificateSigningRequest>,
    ambient: Ambient,
}

/// When the request is to go.
fn expiry(request: &CertificateSigningRequest) -> Option<Timestamp> {
    let conditions = request.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let verdict = |r#type: &str| {
        let mut found = conditions.clone().filter(|condition| condition.type_ == r#type);
        found.next().and_then(|condition| condition.last_update_time.as_ref()).map(|time| time.0)
    };
    let (since, kept) = if let Some(denied) = verdict("Denied") {
        (denied, DENIED)
    } else if let Some(failed) = verdict("Failed") {
        (failed, FAILED)
    } else if let Some(approved) = verdict("Approved").filter(|_| has_certificate(request)) {
        (approved, APPROVED)
    } else {
        (request.metadata.creation_timestamp.as_ref()?.0, PENDING)
    };
    since.checked_add(kept).ok()
}

impl Reconciler for Cleaner {
    type Key = NamespacedName;
    type Error = ReconcileError;

    async fn reconcile(&self, key: &NamespacedName) -> Result<Outcome, ReconcileError> {
        let Some(request) = self.requests.get(key) else { return Ok(Outcome::Done) };
        let Some(expiry) = expiry(&request) else { return Ok(Outcome::Done) };
        let left = Duration::try_from(expiry.duration_since(self.ambient.clock.now())).unwrap_or(Duration::ZERO);
        if !left.is_zero() {
            return Ok(Outcome::RequeueAfter(left));
        }
        let api: Api<CertificateSigningRequest> = Api::all(self.client.clone());
        unless_gone(api.delete(&key.name, &DeleteParams::default()).await).during("forget request", key)?;
        Ok(Outcome::Done)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_request_goes_an_hour_after_its_verdict_or_after_a_day() {
        let request = |status: Value| -> CertificateSigningRequest {
            serde_json::from_value(json!({
                "metadata": {"creationTimestamp": "2030-01-01T00:00:00Z"},
                "spec": {"request": "", "signerName": "x"},
                "status": status,
            }))
            .unwrap()
        };
        let verdict =
            |r#type: &str| json!([{"type": r#type, "status": "True", "lastUpdateTime": "2030-01-01T02:00:00Z"}]);
        for (status, expected) in [
            (json!({}), "2030-01-02T00:00:00Z"),
            (json!({"conditions": verdict("Approved")}), "2030-01-02T00:00:00Z"),
            (json!({"conditions": verdict("Approved"), "certificate": "YQ=="}), "2030-01-01T03:00:00Z"),
            (json!({"conditions": verdict("Denied")}), "2030-01-01T03:00:00Z"),
            (json!({"conditions": verdict("Failed")}), "2030-01-01T03:00:00Z"),
        ] {
            assert_eq!(expiry(&request(status)).unwrap().to_string(), expected);
        }
    }
}
