//! `certificatesigningrequests/approval`: who may say so says whether a certificate is issued.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response};
use jiff::Timestamp;
use registry::{FieldError, Kind, Object};
use serde_json::{Value, json};

use super::narrow;
use crate::authorize;
use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::Body;

pub(super) fn dispatch(
    call: Arc<Call>,
    request: Request<Body>,
) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        if call.verb != "get" {
            may_approve(&call).await?;
        }
        narrow::read_write(call, request, "approval", approved).await
    })
}

/// Approving takes the right to approve for the signer, beside that to write here.
async fn may_approve(call: &Call) -> Result<(), ApiError> {
    let request = call.server.storage.object(call.stored_kind(), "", &call.info.name).await?;
    let request = request.ok_or_else(|| ApiError::not_found(call.subject(&call.info.name)))?;
    let signer = request.get("spec").and_then(|spec| spec.get("signerName")).and_then(Value::as_str).unwrap_or("");
    if authorize::allows_signer(call, "approve", signer).await? {
        return Ok(());
    }
    let why = format!("user not permitted to approve requests with signerName {signer:?}");
    Err(ApiError::forbidden(call.subject(&call.info.name), &why))
}

const CONDITIONS: &str = "status.conditions";

/// The request with the wanted conditions, and nothing else changed.
fn approved(call: &Call, old: &Object, wanted: &Object) -> Result<Object, ApiError> {
    let now = call.server.ambient.clock.now_seconds().to_string();
    let before = conditions(old);
    let after: Vec<Value> =
        conditions(wanted).iter().map(|condition| with_times(condition.clone(), before, &now)).collect();
    let faults = faults(before, &after);
    if !faults.is_empty() {
        return Err(ApiError::invalid(call.kind, &call.info.name, &faults));
    }
    let mut request = old.clone();
    let status = request.entry("status").or_insert_with(|| json!({}));
    if let Value::Object(status) = status {
        match after.is_empty() {
            true => status.shift_remove("conditions"),
            false => status.insert("conditions".to_owned(), Value::from(after)),
        };
        if status.is_empty() {
            request.shift_remove("status");
        }
    }
    Ok(request)
}

/// Whether a kind's conditions hold a verdict that only `/approval` gives.
pub(crate) fn is_judged(kind: &Kind) -> bool {
    kind.group == "certificates.k8s.io" && kind.plural == "certificatesigningrequests"
}

/// Puts back the verdict that a write to `/status` may not touch. Whatever else is said of the
/// request, that it failed, is the signer's to say there.
pub(crate) fn keep_verdict(request: &mut Object, old: &Object, now: Timestamp) {
    let is_verdict = |condition: &&Value| matches!(text(condition, "type"), "Approved" | "Denied");
    let before = conditions(old);
    let kept = before.iter().filter(is_verdict).cloned();
    let said = conditions(request).iter().filter(|condition| !is_verdict(condition));
    let said = said.map(|condition| with_times(condition.clone(), before, &now.to_string()));
    let after: Vec<Value> = kept.chain(said).collect();
    let status = request.entry("status").or_insert_with(|| json!({}));
    if let Value::Object(status) = status {
        match after.is_empty() {
            true => status.shift_remove("conditions"),
            false => status.insert("conditions".to_owned(), Value::from(after)),
        };
    }
}

fn conditions(request: &Object) -> &[Value] {
    let conditions = request.get("status").and_then(|status| status.get("conditions")).and_then(Value::as_array);
    conditions.map_or(&[], Vec::as_slice)
}

fn text<'a>(condition: &'a Value, field: &str) -> &'a str {
    condition.get(field).and_then(Value::as_str).unwrap_or("")
}

/// Times that the client left out; a condition that stood so before keeps the time of its transition.
fn with_times(mut condition: Value, before: &[Value], now: &str) -> Value {
    if text(&condition, "lastUpdateTime").is_empty() {
        condition["lastUpdateTime"] = Value::from(now);
    }
    if text(&condition, "lastTransitionTime").is_empty() {
        let same =
            |other: &&Value| ["type", "status"].iter().all(|field| text(other, field) == text(&condition, field));
        let known = before.iter().find(same).map(|other| text(other, "lastTransitionTime"));
        let time = known.filter(|time| !time.is_empty()).unwrap_or(now).to_owned();
        condition["lastTransitionTime"] = Value::from(time);
    }
    condition
}

fn faults(before: &[Value], after: &[Value]) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let has = |conditions: &[Value], kind: &str| conditions.iter().any(|condition| text(condition, "type") == kind);
    for (at, condition) in after.iter().enumerate() {
        let place = |field: &str| format!("{CONDITIONS}[{at}].{field}");
        let (kind, status) = (text(condition, "type"), text(condition, "status"));
        let is_final = matches!(kind, "Approved" | "Denied" | "Failed");
        if kind.is_empty() {
            faults.push(FieldError::required(place("type"), ""));
        }
        match status {
            "" => faults.push(FieldError::required(place("status"), "")),
            "True" => {}
            "False" | "Unknown" if !is_final => {}
            "False" | "Unknown" => faults.push(FieldError::not_supported(place("status"), status, &["True"])),
            other => faults.push(FieldError::not_supported(place("status"), other, &["False", "True", "Unknown"])),
        }
        let denies = kind == "Denied" && has(after, "Approved");
        if denies {
            let detail = "Approved and Denied conditions are mutually exclusive";
            faults.push(FieldError::invalid(place("type"), kind, detail));
        }
        if after[..at].iter().any(|other| text(other, "type") == kind) {
            faults.push(FieldError::duplicate(place("type"), kind));
        }
    }
    for kind in ["Approved", "Denied", "Failed"] {
        if has(before, kind) && !has(after, kind) {
            let detail = format!("updates may not remove a condition of type {kind:?}");
            faults.push(FieldError::forbidden(CONDITIONS, detail));
        }
    }
    if has(after, "Failed") && !has(before, "Failed") {
        faults.push(FieldError::forbidden(CONDITIONS, "updates may not add a condition of type \"Failed\""));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_one_and_stays() {
        let condition = |kind: &str, status: &str| json!({"type": kind, "status": status});
        let check = |before: &[Value], after: &[Value]| -> Vec<String> {
            faults(before, after).iter().map(FieldError::to_string).collect()
        };
        let approved = condition("Approved", "True");
        let denied = condition("Denied", "True");
        assert_eq!(check(&[], std::slice::from_ref(&approved)), [""; 0]);
        assert_eq!(
            check(&[], &[approved.clone(), denied.clone()]),
            [
                r#"status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive"#
            ]
        );
        assert_eq!(
            check(&[], &[condition("Approved", "False")]),
            [r#"status.conditions[0].status: Unsupported value: "False": supported values: "True""#]
        );
        assert_eq!(
            check(std::slice::from_ref(&approved), &[]),
            [r#"status.conditions: Forbidden: updates may not remove a condition of type "Approved""#]
        );
        assert_eq!(check(&[], &[denied.clone(), denied]), [r#"status.conditions[1].type: Duplicate value: "Denied""#]);
    }

    #[test]
    fn times_are_given_once() {
        let before = [json!({"type": "Approved", "status": "True", "lastTransitionTime": "2030-01-01T00:00:00Z"})];
        let again = with_times(json!({"type": "Approved", "status": "True"}), &before, "2031-01-01T00:00:00Z");
        assert_eq!(text(&again, "lastTransitionTime"), "2030-01-01T00:00:00Z");
        assert_eq!(text(&again, "lastUpdateTime"), "2031-01-01T00:00:00Z");
    }
}
