//! `pods/eviction`: a deletion that PodDisruptionBudgets may refuse.

use std::sync::Arc;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::Object;
use serde_json::{Value, json};
use store::StoreError;

use crate::call::Call;
use crate::status::ApiError;
use crate::storage::{Encoded, encode};
use crate::wire::body::{self, Body};
use crate::write;
use crate::{decode, kinds, metadata, respond, verbs};

/// How often a budget that others write at the same moment is tried.
const ATTEMPTS: usize = 8;

pub(super) fn create(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let body = body::read(request.into_body()).await?;
        let options = call.write_options()?;
        let mut eviction = decode::of_type(&call, ("policy", "v1", "Eviction"), &body, options.validation)?;
        metadata::settle_name(&mut eviction, &call.info.name)?;
        let nested = eviction.get("deleteOptions").filter(|options| options.is_object());
        let nested = nested.map_or_else(Vec::new, |options| options.to_string().into_bytes());
        let mut delete_options = verbs::delete_options(&call, &nested)?;
        delete_options.dry_run |= options.dry_run;
        let storage = &call.server.storage;
        let name = &call.info.name;
        let pod = storage.object(call.stored_kind(), call.namespace(), name).await?;
        let pod = pod.ok_or_else(|| ApiError::not_found(call.subject(name)))?;
        if needs_budget(&pod) {
            take_from_budget(&call, &pod, delete_options.dry_run).await?;
        }
        write::delete(&call, name, &delete_options).await?;
        let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201 });
        respond::value(&call, StatusCode::CREATED, status)
    })
}

/// Pods that serve nobody may always go.
fn needs_budget(pod: &Object) -> bool {
    let phase = pod.get("status").and_then(|status| status.get("phase")).and_then(Value::as_str).unwrap_or("");
    !metadata::is_deleting(pod) && !matches!(phase, "Succeeded" | "Failed" | "Pending")
}

/// Takes one disruption from the pod's budget, or refuses with 429.
async fn take_from_budget(call: &Call, pod: &Object, dry_run: bool) -> Result<(), ApiError> {
    let budgets = kinds::required("policy", "v1", "poddisruptionbudgets");
    for _ in 0..ATTEMPTS {
        let mut matching = Vec::new();
        for entry in call.server.storage.list(budgets, call.namespace()).await?.entries {
            let encoded = Encoded::from(entry);
            let budget = encoded.decode()?;
            if selects(&budget, pod) {
                matching.push((encoded, budget));
            }
        }
        let (encoded, budget) = match matching.len() {
            0 => return Ok(()),
            1 => matching.remove(0),
            _ => {
                let why =
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
                return Err(ApiError::internal(why));
            }
        };
        let reduced = reduce(call, &budget, metadata::name(pod))?;
        if dry_run {
            return Ok(());
        }
        let at = encoded.revision.unwrap_or_default();
        if encode(budgets, &reduced) == encoded.bytes {
            return Ok(());
        }
        match call.server.storage.replace(budgets, &reduced, at, call.author()).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::too_many_requests("Cannot evict pod: its disruption budget is being changed by others.", 1))
}

fn selects(budget: &Object, pod: &Object) -> bool {
    let selector = budget.get("spec").and_then(|spec| spec.get("selector"));
    let Some(selector) = selector else { return false };
    let Ok(selector) = serde_json::from_value::<LabelSelector>(selector.clone()) else { return false };
    Selector::from_label_selector(&selector).is_ok_and(|selector| selector.matches(&verbs::selector::labels(pod)))
}

/// The budget with one disruption less and the pod noted, or the refusal.
fn reduce(call: &Call, budget: &Object, pod: &str) -> Result<Object, ApiError> {
    let name = metadata::name(budget);
    let generation = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(0);
    let observed = generation(budget.get("status").and_then(|status| status.get("observedGeneration")));
    let refused = |detail: String| {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        ApiError::too_many_requests(message, 0).with_cause("DisruptionBudget", detail, None)
    };
    if observed < generation(budget.get("metadata").and_then(|metadata| metadata.get("generation"))) {
        let detail = format!("The disruption budget {name} is still being processed by the server.");
        return Err(ApiError::too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            10,
        )
        .with_cause("DisruptionBudget", detail, None));
    }
    let mut budget = budget.clone();
    let number = |budget: &Object, field: &str| {
        budget.get("status").and_then(|status| status.get(field)).and_then(Value::as_i64).unwrap_or(0)
    };
    let allowed = number(&budget, "disruptionsAllowed");
    if allowed <= 0 {
        let detail = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            number(&budget, "desiredHealthy"),
            number(&budget, "currentHealthy")
        );
        return Err(refused(detail));
    }
    let now = call.server.ambient.clock.now_seconds().to_string();
    if let Some(Value::Object(status)) = budget.get_mut("status") {
        status.insert("disruptionsAllowed".to_owned(), Value::from(allowed - 1));
        let disrupted = status.entry("disruptedPods").or_insert_with(|| json!({}));
        if let Value::Object(disrupted) = disrupted {
            disrupted.insert(pod.to_owned(), Value::from(now));
        }
    }
    Ok(budget)
}
