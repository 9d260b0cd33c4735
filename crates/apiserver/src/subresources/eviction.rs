//! `pods/eviction`: a deletion that PodDisruptionBudgets may refuse.

use std::sync::Arc;

use api::Selector;
use api::k8s::apimachinery::pkg::apis::meta::v1::LabelSelector;
use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::Object;
use serde_json::{Map, Value, json};
use store::StoreError;

use crate::call::Call;
use crate::status::{ApiError, Subject};
use crate::storage::{Stored, encode};
use crate::wire::body::{self, Body};
use crate::write;
use crate::{decode, kinds, metadata, respond, verbs};

/// How often a budget that others write at the same moment is tried.
const ATTEMPTS: usize = 8;
/// A budget with more evictions under way refuses further ones.
const MOST_DISRUPTED: usize = 2000;

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
        if !delete_options.dry_run {
            mark_disrupted(&call, name).await?;
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
            let encoded = Stored::from(entry);
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
        if may_go_unready(&budget, pod) {
            return Ok(());
        }
        let now = call.server.ambient.clock.now_seconds().to_string();
        let reduced = reduce(&budget, metadata::name(pod), &now)?;
        if dry_run {
            return Ok(());
        }
        let at = encoded.revision;
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

/// Whether the budget lets the pod go because it serves nobody anyway.
fn may_go_unready(budget: &Object, pod: &Object) -> bool {
    if is_ready(pod) {
        return false;
    }
    let policy = budget.get("spec").and_then(|spec| spec.get("unhealthyPodEvictionPolicy")).and_then(Value::as_str);
    let (healthy, desired) = (number(budget, "currentHealthy"), number(budget, "desiredHealthy"));
    policy == Some("AlwaysAllow") || (healthy >= desired && desired > 0)
}

fn is_ready(pod: &Object) -> bool {
    let conditions = pod.get("status").and_then(|status| status.get("conditions")).and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}

fn number(budget: &Object, field: &str) -> i64 {
    budget.get("status").and_then(|status| status.get(field)).and_then(Value::as_i64).unwrap_or(0)
}

/// The budget with one disruption less and the pod noted, or the refusal.
fn reduce(budget: &Object, pod: &str, now: &str) -> Result<Object, ApiError> {
    let name = metadata::name(budget);
    let refused = |detail: String, retry_after_seconds| {
        let message = "Cannot evict pod as it would violate the pod's disruption budget.";
        ApiError::too_many_requests(message, retry_after_seconds).with_cause("DisruptionBudget", detail, None)
    };
    let generation = budget.get("metadata").and_then(|metadata| metadata.get("generation")).and_then(Value::as_i64);
    if number(budget, "observedGeneration") < generation.unwrap_or(0) {
        return Err(refused(format!("The disruption budget {name} is still being processed by the server."), 10));
    }
    let subject = Subject { group: "policy", resource: "poddisruptionbudgets", name };
    let allowed = number(budget, "disruptionsAllowed");
    if allowed < 0 {
        return Err(ApiError::forbidden(subject, "pdb disruptions allowed is negative"));
    }
    let disrupted = budget.get("status").and_then(|status| status.get("disruptedPods")).and_then(Value::as_object);
    if disrupted.is_some_and(|disrupted| disrupted.len() > MOST_DISRUPTED) {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(ApiError::forbidden(subject, why));
    }
    if allowed == 0 {
        return Err(refused(why_none_may_go(budget), 0));
    }
    let mut budget = budget.clone();
    if let Some(Value::Object(status)) = budget.get_mut("status") {
        status.insert("disruptionsAllowed".to_owned(), Value::from(allowed - 1));
        if allowed == 1 {
            exhaust(status, now);
        }
        let disrupted = status.entry("disruptedPods").or_insert_with(|| json!({}));
        if let Value::Object(disrupted) = disrupted {
            disrupted.insert(pod.to_owned(), Value::from(now));
        }
    }
    Ok(budget)
}

fn why_none_may_go(budget: &Object) -> String {
    let name = metadata::name(budget);
    let failed = allowance(budget).filter(|condition| condition["reason"] == "SyncFailed");
    if let Some(failed) = failed {
        let why = failed["message"].as_str().unwrap_or_default();
        return format!(
            "The disruption budget {name} does not allow evicting pods currently because it failed sync: {why}"
        );
    }
    let (desired, healthy) = (number(budget, "desiredHealthy"), number(budget, "currentHealthy"));
    format!("The disruption budget {name} needs {desired} healthy pods and has {healthy} currently")
}

fn allowance(budget: &Object) -> Option<&Value> {
    let conditions = budget.get("status")?.get("conditions")?.as_array()?;
    conditions.iter().find(|condition| condition["type"] == "DisruptionAllowed")
}

/// Says that the last disruption is taken.
fn exhaust(status: &mut Map<String, Value>, now: &str) {
    let conditions = status.get_mut("conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter(|condition| condition["type"] == "DisruptionAllowed") {
        condition["status"] = Value::from("False");
        condition["reason"] = Value::from("InsufficientPods");
        condition["lastTransitionTime"] = Value::from(now);
    }
}

/// Says on the pod why it goes, for those who count its end.
async fn mark_disrupted(call: &Call, name: &str) -> Result<(), ApiError> {
    let kind = call.stored_kind();
    for _ in 0..ATTEMPTS {
        let Some(encoded) = call.server.storage.get(kind, call.namespace(), name).await? else { return Ok(()) };
        let mut pod = encoded.decode()?;
        let now = call.server.ambient.clock.now_seconds().to_string();
        if metadata::is_deleting(&pod) || !add_disruption(&mut pod, &now) {
            return Ok(());
        }
        let at = encoded.revision;
        match call.server.storage.replace(kind, &pod, at, call.author()).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ApiError::too_many_requests("Cannot evict pod: it is being changed by others.", 1))
}

/// False where the pod says so already.
fn add_disruption(pod: &mut Object, now: &str) -> bool {
    let generation = pod.get("metadata").and_then(|metadata| metadata.get("generation")).cloned();
    let status = pod.entry("status").or_insert_with(|| json!({}));
    let Value::Object(status) = status else { return false };
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    let Value::Array(conditions) = conditions else { return false };
    let is_disruption = |condition: &Value| condition["type"] == "DisruptionTarget";
    if conditions.iter().any(|condition| is_disruption(condition) && condition["status"] == "True") {
        return false;
    }
    conditions.retain(|condition| !is_disruption(condition));
    let mut condition = json!({
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastTransitionTime": now,
    });
    if let Some(generation) = generation {
        condition["observedGeneration"] = generation;
    }
    conditions.push(condition);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    fn budget(allowed: i64, healthy: i64, desired: i64, policy: Option<&str>) -> Object {
        let mut budget = json!({
            "metadata": {"name": "web", "generation": 2},
            "spec": {},
            "status": {
                "observedGeneration": 2, "disruptionsAllowed": allowed, "currentHealthy": healthy,
                "desiredHealthy": desired, "expectedPods": 3,
                "conditions": [{"type": "DisruptionAllowed", "status": "True", "reason": "SufficientPods"}],
            },
        });
        if let Some(policy) = policy {
            budget["spec"]["unhealthyPodEvictionPolicy"] = json!(policy);
        }
        object(budget)
    }

    #[test]
    fn the_last_disruption_closes_the_budget_and_notes_the_pod() {
        let reduced = reduce(&budget(1, 3, 2, None), "web-1", "2030-01-01T00:00:00Z").unwrap();
        assert_eq!(reduced["status"]["disruptionsAllowed"], 0);
        assert_eq!(reduced["status"]["disruptedPods"]["web-1"], "2030-01-01T00:00:00Z");
        assert_eq!(reduced["status"]["conditions"][0]["reason"], "InsufficientPods");
        let refusal = reduce(&budget(0, 2, 2, None), "web-1", "2030-01-01T00:00:00Z").unwrap_err();
        assert_eq!(refusal.code(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refusal.message(), "Cannot evict pod as it would violate the pod's disruption budget.");
        let cause = serde_json::to_value(refusal.status()).unwrap()["details"]["causes"][0].clone();
        assert_eq!(cause["reason"], "DisruptionBudget");
        assert_eq!(cause["message"], "The disruption budget web needs 2 healthy pods and has 2 currently");
        let mut stale = budget(1, 3, 2, None);
        stale["metadata"]["generation"] = json!(3);
        assert_eq!(reduce(&stale, "web-1", "now").unwrap_err().code(), StatusCode::TOO_MANY_REQUESTS);
    }

    #[test]
    fn unready_pods_go_by_the_budgets_policy() {
        let pod = |ready: &str| object(json!({"status": {"conditions": [{"type": "Ready", "status": ready}]}}));
        for (policy, healthy, ready, expected) in [
            (None, 2, "False", true),
            (None, 1, "False", false),
            (None, 2, "True", false),
            (Some("IfHealthyBudget"), 1, "False", false),
            (Some("AlwaysAllow"), 0, "False", true),
            (Some("AlwaysAllow"), 0, "True", false),
        ] {
            assert_eq!(may_go_unready(&budget(0, healthy, 2, policy), &pod(ready)), expected, "{policy:?} {healthy}");
        }
    }

    #[test]
    fn a_pod_says_once_why_it_goes() {
        let mut pod = object(json!({"metadata": {"generation": 4}}));
        assert!(add_disruption(&mut pod, "2030-01-01T00:00:00Z"));
        assert_eq!(pod["status"]["conditions"][0]["reason"], "EvictionByEvictionAPI");
        assert_eq!(pod["status"]["conditions"][0]["observedGeneration"], 4);
        assert!(!add_disruption(&mut pod, "2030-01-01T00:00:01Z"));
    }
}
