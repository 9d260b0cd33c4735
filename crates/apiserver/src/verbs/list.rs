//! LIST: from the stored bytes, whole or page by page at one revision.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures::stream;
use http::{Response, StatusCode};
use registry::FieldError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{RangeRequest, ReadAt, Revision, StoreError};

use super::selector::Filter;
use crate::call::Call;
use crate::respond;
use crate::status::{ApiError, answer};
use crate::storage::{self, Encoded};
use crate::table::{self, ListMetadata};
use crate::wire::accept::Form;
use crate::wire::body::{self, Body};

/// A list is handed to the connection in buffers of about this size.
const CHUNK_BYTES: usize = 64 * 1024;

/// How many keys a selecting list reads at a time when the client pages.
const SCAN_KEYS: usize = 512;

pub(crate) async fn list(call: &Call) -> Result<Response<Body>, ApiError> {
    let page = select(call).await?;
    if respond::shares_bytes(call) {
        return Ok(answer(StatusCode::OK, call.accepted.content_type(), chunked(call, page)));
    }
    let metadata = &page.metadata;
    let value = match call.accepted.form {
        Form::Table { version } => {
            let mut rows = Vec::with_capacity(page.entries.len());
            for entry in &page.entries {
                let mut object = entry.decode()?;
                crate::convert::out_of_storage(call.kind, &mut object);
                rows.push(table::row(call, &object, version));
            }
            table::table(call, version, metadata, rows)
        }
        form => {
            let items: Result<Vec<Value>, ApiError> =
                page.entries.iter().map(|entry| respond::transformed(call, entry)).collect();
            let (kind, api_version) = match form {
                Form::Partial { version } => ("PartialObjectMetadataList".to_owned(), format!("meta.k8s.io/{version}")),
                _ => (format!("{}List", call.kind.kind), call.kind.api_version()),
            };
            serde_json::json!({
                "kind": kind, "apiVersion": api_version, "metadata": metadata.to_json(), "items": items?,
            })
        }
    };
    respond::value(call, StatusCode::OK, value)
}

/// What a list found.
pub(crate) struct Page {
    pub(crate) metadata: ListMetadata,
    pub(crate) entries: Vec<Encoded>,
}

/// The selected objects of the request, honouring limit, continue and resourceVersion.
pub(crate) async fn select(call: &Call) -> Result<Page, ApiError> {
    let filter = Filter::of(call)?;
    let plan = ListPlan::of(call)?;
    check_not_future(call, call.query.get("resourceVersion")).await?;
    let kind = call.stored_kind();
    let prefix = storage::prefix(kind, call.namespace());
    let mut request = RangeRequest {
        prefix: prefix.clone(),
        after: plan.after.as_ref().map(|after| format!("{prefix}{after}")),
        limit: if filter.is_everything() { plan.limit } else { plan.limit.min(1) * SCAN_KEYS },
        at: plan.at.map_or(ReadAt::Newest, ReadAt::Exactly),
    };
    let mut entries = Vec::new();
    loop {
        let range = call.server.storage.range(request.clone()).await.map_err(|error| continue_error(&plan, error))?;
        let count = range.entries.len();
        let mut last = None;
        for (at, entry) in range.entries.into_iter().enumerate() {
            let key = entry.key.clone();
            let encoded = Encoded::from(entry);
            if filter.matches(kind, &encoded)? {
                entries.push(encoded);
            }
            last = Some((key, count - at - 1));
            if plan.limit > 0 && entries.len() == plan.limit {
                break;
            }
        }
        let (left, last) = match &last {
            Some((key, unread)) => (unread + range.remaining, key.strip_prefix(prefix.as_str()).unwrap_or("")),
            None => (0, ""),
        };
        let full = plan.limit > 0 && entries.len() == plan.limit;
        if left > 0 && !full {
            // A selecting list goes on at the revision it began with.
            request.after = Some(format!("{prefix}{last}"));
            request.at = ReadAt::Exactly(range.revision);
            continue;
        }
        let metadata = ListMetadata {
            revision: range.revision.0.to_string(),
            continue_token: (left > 0).then(|| Continue::encode(range.revision, last)),
            remaining: (left > 0 && filter.is_everything()).then_some(left),
        };
        return Ok(Page { metadata, entries });
    }
}

/// Refuses a request for a revision that is not written yet.
pub(crate) async fn check_not_future(call: &Call, requested: Option<&str>) -> Result<(), ApiError> {
    let Some(text) = requested else { return Ok(()) };
    let requested = parse_version(text)?.0;
    let newest = call.server.storage.revision().0;
    if requested > newest { Err(ApiError::future_revision(requested, newest)) } else { Ok(()) }
}

pub(crate) fn parse_version(text: &str) -> Result<Revision, ApiError> {
    text.parse().map(Revision).map_err(|_| ApiError::bad_request(format!("invalid resource version {text:?}")))
}

/// Where in the keys and at which revision a list begins.
#[derive(Debug, Default, PartialEq, Eq)]
struct ListPlan {
    limit: usize,
    after: Option<String>,
    at: Option<Revision>,
}

impl ListPlan {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let query = &call.query;
        let limit = match query.get("limit") {
            None => 0,
            Some(text) => text
                .parse()
                .map_err(|_| ApiError::bad_request(format!("invalid limit {text:?}: not a whole number")))?,
        };
        let version = query.get("resourceVersion");
        let matching = query.get("resourceVersionMatch");
        if let Some(token) = query.get("continue") {
            if version.is_some_and(|version| version != "0") {
                let message = "specifying resource version is not allowed when using continue";
                return Err(ApiError::bad_request(message));
            }
            let (at, after) = Continue::decode(token)?;
            return Ok(ListPlan { limit, after: Some(after), at });
        }
        if query.flag("sendInitialEvents") || query.has("sendInitialEvents") {
            let fault = FieldError::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list");
            return Err(invalid_list(&[fault]));
        }
        let at = match (matching, version) {
            (Some("Exact"), Some("0")) => {
                let detail = "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"";
                return Err(invalid_list(&[FieldError::forbidden("resourceVersionMatch", detail)]));
            }
            (Some("Exact"), Some(version)) => Some(parse_version(version)?),
            (Some("Exact" | "NotOlderThan"), None) => {
                let detail = "resourceVersionMatch is forbidden unless resourceVersion is provided";
                return Err(invalid_list(&[FieldError::forbidden("resourceVersionMatch", detail)]));
            }
            (Some(other), _) if other != "NotOlderThan" => {
                let fault = FieldError::not_supported("resourceVersionMatch", other, &["", "Exact", "NotOlderThan"]);
                return Err(invalid_list(&[fault]));
            }
            // A page at a version, with no word on how to match it, has always meant exactly it.
            (None, Some(version)) if limit > 0 && version != "0" => Some(parse_version(version)?),
            _ => None,
        };
        Ok(ListPlan { limit, after: None, at })
    }
}

pub(crate) fn invalid_list(faults: &[FieldError]) -> ApiError {
    let message = format!("ListOptions.meta.k8s.io \"\" is invalid: {}", registry::error::aggregate(faults));
    let error = ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message);
    faults.iter().fold(error, |error, fault| error.with_cause(fault.reason(), fault.body(), Some(&fault.path)))
}

/// The token that carries a list from page to page, in upstream's own form.
#[derive(Debug, Serialize, Deserialize)]
struct Continue {
    v: String,
    rv: i64,
    start: String,
}

impl Continue {
    fn encode(revision: Revision, last: &str) -> String {
        // The next key is the one right after the last: the same with a NUL behind it.
        let token = serde_json::json!({ "v": "meta.k8s.io/v1", "rv": revision.0, "start": format!("{last}\0") });
        URL_SAFE_NO_PAD.encode(token.to_string())
    }

    fn decode(token: &str) -> Result<(Option<Revision>, String), ApiError> {
        let invalid = |why: String| ApiError::bad_request(format!("continue key is not valid: {why}"));
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|error| invalid(error.to_string()))?;
        let token: Continue = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
        if token.v != "meta.k8s.io/v1" {
            return Err(invalid(format!("server does not recognize this encoded version {:?}", token.v)));
        }
        let last = token.start.trim_end_matches('\0').to_owned();
        // A negative revision asks to go on at the newest: the client took an inconsistent list.
        let at = u64::try_from(token.rv).ok().filter(|rv| *rv > 0).map(Revision);
        Ok((at, last))
    }
}

fn continue_error(plan: &ListPlan, error: StoreError) -> ApiError {
    match (&plan.after, error) {
        (Some(_), StoreError::Compacted { .. }) => ApiError::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter.",
        ),
        (_, error) => error.into(),
    }
}

/// The list in buffers, concatenated from stored bytes as the connection takes them.
fn chunked(call: &Call, page: Page) -> Body {
    let mut head = Vec::with_capacity(256);
    head.extend_from_slice(
        format!(
            "{{\"kind\":\"{}List\",\"apiVersion\":\"{}\",\"metadata\":{},\"items\":[",
            call.kind.kind,
            call.kind.api_version(),
            page.metadata.to_json()
        )
        .as_bytes(),
    );
    let entries = page.entries.into_iter();
    let chunks =
        stream::unfold((head, entries, true, false), |(mut buffer, mut entries, mut first, done)| async move {
            if done {
                return None;
            }
            let mut done = false;
            while buffer.len() < CHUNK_BYTES {
                let Some(entry) = entries.next() else {
                    buffer.extend_from_slice(b"]}\n");
                    done = true;
                    break;
                };
                if !std::mem::take(&mut first) {
                    buffer.push(b',');
                }
                entry.write_item_to(&mut buffer);
            }
            let chunk = Bytes::from(std::mem::take(&mut buffer));
            Some((Ok(chunk), (buffer, entries, first, done)))
        });
    body::stream(chunks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_continue_token_comes_back_as_it_was() {
        let token = Continue::encode(Revision(7), "default/web");
        assert_eq!(Continue::decode(&token).unwrap(), (Some(Revision(7)), "default/web".to_owned()));
        assert!(Continue::decode("nonsense").is_err());
    }
}
