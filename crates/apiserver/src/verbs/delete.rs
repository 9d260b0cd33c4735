//! DELETE, of one object and of many.

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use http::{Response, StatusCode};
use registry::FieldError;
use serde_json::{Value, json};

use super::list::{self, Page};
use crate::call::{Call, invalid_options};
use crate::deletion::{DeleteOptions, Propagation};
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::body::{self, Body};
use crate::write::{self, Deleted};
use crate::{decode, respond};

/// Of one request, so many deletions are under way at once: the store writes them down together.
const DELETIONS: usize = 32;

/// The kinds whose deletion answers with the object rather than with a Status, as upstream's.
const ANSWERS_WITH_OBJECT: [(&str, &str); 6] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "persistentvolumes"),
    ("", "persistentvolumeclaims"),
    ("", "resourcequotas"),
    ("", "serviceaccounts"),
];

pub(crate) async fn delete(call: &Call, request: Body) -> Result<Response<Body>, ApiError> {
    let options = options(call, &body::read(request).await?)?;
    match write::delete(call, &call.info.name, &options).await? {
        Deleted::Marked(encoded) => respond::object(call, StatusCode::OK, encoded),
        Deleted::Gone(encoded) if ANSWERS_WITH_OBJECT.contains(&(call.kind.group, call.kind.plural)) => {
            respond::object(call, StatusCode::OK, encoded)
        }
        Deleted::Gone(encoded) => respond::value(call, StatusCode::OK, success(call, &encoded)?),
    }
}

pub(crate) async fn delete_collection(call: &Call, request: Body) -> Result<Response<Body>, ApiError> {
    let options = options(call, &body::read(request).await?)?;
    let page = list::select(call).await?;
    let mut found = page.entries.iter();
    let (mut entries, mut failure) = (Vec::with_capacity(page.entries.len()), None);
    let mut deletions = FuturesOrdered::new();
    loop {
        while failure.is_none()
            && deletions.len() < DELETIONS
            && let Some(entry) = found.next()
        {
            deletions.push_back(delete_one_of_many(call, entry, &options));
        }
        match deletions.next().await {
            Some(Ok(entry)) => entries.extend(entry),
            // What is under way is not left half done.
            Some(Err(error)) => failure = failure.or(Some(error)),
            None => break,
        }
    }
    if let Some(error) = failure {
        return Err(error);
    }
    list::answer(call, Page { metadata: page.metadata, entries }).await
}

/// The object as it stood; none where it was no longer this request's.
async fn delete_one_of_many(
    call: &Call,
    entry: &Encoded,
    options: &DeleteOptions,
) -> Result<Option<Encoded>, ApiError> {
    let object = entry.decode()?;
    let only_this = DeleteOptions { uid: Some(metadata::uid(&object).to_owned()), ..options.clone() };
    let place = call.in_namespace(metadata::namespace(&object));
    match write::delete(&place, metadata::name(&object), &only_this).await {
        Ok(Deleted::Gone(encoded) | Deleted::Marked(encoded)) => Ok(Some(encoded)),
        // Somebody else was faster, or it was made anew: not this request's object any more.
        Err(error) if matches!(error.code(), StatusCode::NOT_FOUND | StatusCode::CONFLICT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// DeleteOptions from the body, or where there is none from the query.
pub(crate) fn options(call: &Call, body: &[u8]) -> Result<DeleteOptions, ApiError> {
    let object = if body.is_empty() { Value::Null } else { decode::delete_options(call, body)? };
    let text = |name: &str| match object.get(name).and_then(Value::as_str) {
        Some(text) => Some(text.to_owned()),
        None => call.query.get(name).map(str::to_owned),
    };
    let mut faults = Vec::new();
    let grace_period_seconds = match (object.get("gracePeriodSeconds"), call.query.get("gracePeriodSeconds")) {
        (Some(Value::Number(number)), _) => number.as_i64(),
        (_, Some(text)) => {
            Some(text.parse().map_err(|_| ApiError::bad_request(format!("invalid gracePeriodSeconds {text:?}")))?)
        }
        _ => None,
    };
    let orphan = match (object.get("orphanDependents"), call.query.get("orphanDependents")) {
        (Some(Value::Bool(orphan)), _) => Some(*orphan),
        (_, Some(text)) => Some(text == "true" || text == "1"),
        _ => None,
    };
    let policy = text("propagationPolicy");
    if policy.is_some() && orphan.is_some() {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        faults.push(FieldError::invalid("propagationPolicy", policy.clone().unwrap_or_default(), detail));
    }
    let propagation = match policy.as_deref() {
        Some("Orphan") => Some(Propagation::Orphan),
        Some("Background") => Some(Propagation::Background),
        Some("Foreground") => Some(Propagation::Foreground),
        Some(other) => {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            faults.push(FieldError::not_supported("propagationPolicy", other, &supported));
            None
        }
        None => orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background }),
    };
    let listed: Vec<&str> =
        object.get("dryRun").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for value in listed.iter().filter(|value| **value != "All") {
        faults.push(FieldError::not_supported("dryRun", *value, &["All"]));
    }
    if !faults.is_empty() {
        return Err(invalid_options(call, &faults));
    }
    let precondition = |name: &str| {
        let value = object.get("preconditions").and_then(|preconditions| preconditions.get(name));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    Ok(DeleteOptions {
        grace_period_seconds,
        propagation,
        uid: precondition("uid"),
        resource_version: precondition("resourceVersion"),
        dry_run: !listed.is_empty() || call.write_options()?.dry_run,
    })
}

/// The Status that says an object is gone.
fn success(call: &Call, encoded: &Encoded) -> Result<Value, ApiError> {
    let object = encoded.decode()?;
    let mut details = json!({ "name": metadata::name(&object) });
    if !call.kind.group.is_empty() {
        details["group"] = Value::from(call.kind.group);
    }
    details["kind"] = Value::from(call.kind.plural);
    details["uid"] = Value::from(metadata::uid(&object));
    Ok(json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details }))
}
