//! WATCH: the store's events as a stream of JSON lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream};
use http::{Response, StatusCode};
use registry::{FieldError, Kind};
use serde_json::{Value, json};
use store::{Change, Event, Revision, StoreError, Watch, WatchItem};
use tokio::time::Instant;

use super::list::{invalid_list, parse_version};
use super::selector::Filter;
use crate::call::Call;
use crate::respond;
use crate::status::{ApiError, answer};
use crate::storage::{self, Encoded};
use crate::table::{self, ListMetadata};
use crate::wire::accept::Form;
use crate::wire::body::Body;
use crate::wire::body::{self, BoxError};

/// A watch that names no end lasts between one and two of these, drawn so that the watches of a
/// restart do not all end together.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

pub(crate) async fn watch(call: Arc<Call>) -> Result<Response<Body>, ApiError> {
    let plan = WatchPlan::of(&call)?;
    let filter = Filter::of(&call)?;
    let kind = call.stored_kind();
    let mut prefix = storage::prefix(kind, call.namespace());
    if let (Some(name), true) = (filter.name(), !kind.is_namespaced() || !call.namespace().is_empty()) {
        // One object: the store need not wake this watch for its neighbours.
        prefix.push_str(name);
    }
    let mut pending = VecDeque::new();
    let after = match plan.start {
        Start::After(revision) => {
            let newest = call.server.storage.revision();
            if revision > newest {
                return Err(ApiError::future_revision(revision.0, newest.0));
            }
            revision
        }
        Start::Initial { mark_end } => {
            let request = store::RangeRequest { prefix: prefix.clone(), ..store::RangeRequest::default() };
            let range = call.server.storage.range(request).await?;
            for entry in range.entries {
                let encoded = Encoded::from(entry);
                if filter.matches(kind, &encoded)? {
                    pending.push_back(line(&call, "ADDED", &encoded)?);
                }
            }
            if mark_end {
                pending.push_back(bookmark(&call, range.revision, true)?);
            }
            range.revision
        }
    };
    let events = call.server.storage.watch(&prefix, after)?;
    let deadline = call.server.ambient.clock.instant() + plan.timeout;
    let shutdown = call.server.shutdown.clone();
    let content_type = call.accepted.stream_content_type();
    let state = Watcher { call, filter, kind, events, pending, bookmarks: plan.bookmarks, seen: after, ended: false };
    let lines = stream::unfold((state, deadline), |(mut state, deadline)| async move {
        let line = state.next_line(deadline).await?;
        Some((Ok::<Bytes, BoxError>(line), (state, deadline)))
    });
    let lines = lines.take_until(async move { shutdown.cancelled().await });
    Ok(answer(StatusCode::OK, content_type, body::stream(lines)))
}

#[derive(Debug, PartialEq, Eq)]
struct WatchPlan {
    start: Start,
    bookmarks: bool,
    timeout: Duration,
}

#[derive(Debug, PartialEq, Eq)]
enum Start {
    After(Revision),
    /// First everything there is; then, where the client asked so, a bookmark that says "that was it".
    Initial {
        mark_end: bool,
    },
}

impl WatchPlan {
    fn of(call: &Call) -> Result<Self, ApiError> {
        let query = &call.query;
        let timeout = match query.get("timeoutSeconds") {
            Some(text) => match text.parse() {
                Ok(seconds) if seconds > 0 => Duration::from_secs(seconds),
                Ok(_) => default_timeout(call),
                Err(_) => return Err(ApiError::bad_request(format!("invalid timeoutSeconds {text:?}"))),
            },
            None => default_timeout(call),
        };
        let bookmarks = query.flag("allowWatchBookmarks");
        let matching = query.get("resourceVersionMatch");
        let initial = query.has("sendInitialEvents");
        let forbidden = |path: &str, detail: &str| Err(invalid_list(&[FieldError::forbidden(path, detail)]));
        if initial && matching.is_none() {
            let detail = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return forbidden("resourceVersionMatch", detail);
        }
        if !initial && matching.is_some() {
            let detail = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return forbidden("resourceVersionMatch", detail);
        }
        if initial && matching != Some("NotOlderThan") {
            let fault = FieldError::not_supported("resourceVersionMatch", matching.unwrap_or(""), &["NotOlderThan"]);
            return Err(invalid_list(&[fault]));
        }
        let version = query.get("resourceVersion");
        let start = if initial && query.flag("sendInitialEvents") {
            super::list::parse_version(version.unwrap_or("0"))?;
            Start::Initial { mark_end: bookmarks }
        } else {
            match version {
                None | Some("0") if initial => Start::After(call.server.storage.revision()),
                None | Some("0") => Start::Initial { mark_end: false },
                Some(version) => Start::After(parse_version(version)?),
            }
        };
        Ok(WatchPlan { start, bookmarks, timeout })
    }
}

fn default_timeout(call: &Call) -> Duration {
    DEFAULT_TIMEOUT.mul_f64(1.0 + call.server.ambient.random.fraction())
}

struct Watcher {
    call: Arc<Call>,
    filter: Filter,
    kind: &'static Kind,
    events: Watch,
    pending: VecDeque<Bytes>,
    bookmarks: bool,
    /// Everything up to here has been sent or passed over.
    seen: Revision,
    ended: bool,
}

impl Watcher {
    /// The next line, or the end: of the client's patience, of the history, or of the server.
    async fn next_line(&mut self, deadline: Instant) -> Option<Bytes> {
        loop {
            if let Some(line) = self.pending.pop_front() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            let item = tokio::select! {
                biased;
                item = self.events.next() => item,
                () = tokio::time::sleep_until(deadline) => {
                    self.finish();
                    continue;
                }
            };
            self.take(item);
        }
    }

    /// Sends what is left, and a last bookmark that lets the next watch begin where this one ends.
    fn finish(&mut self) {
        let newest = self.call.server.storage.revision();
        // Whatever was committed up to there waits in the stream; the runtime's budget must not hide it.
        while let Some(item) = tokio::task::unconstrained(self.events.next()).now_or_never() {
            self.take(item);
            if self.ended {
                return;
            }
        }
        self.ended = true;
        self.seen = self.seen.max(newest);
        if self.bookmarks {
            self.queue(bookmark(&self.call, self.seen, false));
        }
    }

    fn take(&mut self, item: Option<Result<WatchItem, StoreError>>) {
        match item {
            None => self.ended = true,
            Some(Err(error)) => {
                self.ended = true;
                let error = ApiError::from(error);
                self.queue(error_line(&self.call, &error));
            }
            Some(Ok(WatchItem::Progress(revision))) => {
                let advanced = revision > self.seen;
                self.seen = self.seen.max(revision);
                if self.bookmarks && advanced {
                    self.queue(bookmark(&self.call, revision, false));
                }
            }
            Some(Ok(WatchItem::Event(event))) => {
                self.seen = event.revision;
                match self.translate(&event) {
                    Ok(Some(line)) => self.pending.push_back(line),
                    Ok(None) => {}
                    Err(error) => {
                        self.ended = true;
                        self.queue(error_line(&self.call, &error));
                    }
                }
            }
        }
    }

    fn queue(&mut self, line: Result<Bytes, ApiError>) {
        match line {
            Ok(line) => self.pending.push_back(line),
            Err(error) => tracing::warn!(reason = error.message(), "a watch line could not be encoded"),
        }
    }

    /// The store's change as this watcher sees it: an object that stops matching is gone for it, one
    /// that begins to match is new.
    fn translate(&self, event: &Event) -> Result<Option<Bytes>, ApiError> {
        let previous =
            event.previous.as_ref().map(|entry| Encoded { bytes: entry.value.clone(), revision: Some(event.revision) });
        let matched = match &previous {
            Some(previous) => self.filter.matches(self.kind, previous)?,
            None => false,
        };
        let current = match &event.change {
            Change::Put(entry) => Some(Encoded::from(entry.clone())),
            Change::Delete { .. } => None,
        };
        let matches = match &current {
            Some(current) => self.filter.matches(self.kind, current)?,
            None => false,
        };
        let (kind, encoded) = match (matched, matches, current, previous) {
            (false, true, Some(current), _) => ("ADDED", current),
            (true, true, Some(current), _) => ("MODIFIED", current),
            // The object as it last matched, at the revision that took it out of sight.
            (true, false, _, Some(previous)) => ("DELETED", previous),
            _ => return Ok(None),
        };
        line(&self.call, kind, &encoded).map(Some)
    }
}

fn line(call: &Call, event: &str, encoded: &Encoded) -> Result<Bytes, ApiError> {
    if respond::shares_bytes(call) {
        let mut out = Vec::with_capacity(encoded.bytes.len() + 96);
        out.extend_from_slice(b"{\"type\":\"");
        out.extend_from_slice(event.as_bytes());
        out.extend_from_slice(b"\",\"object\":");
        encoded.write_to(&mut out);
        out.extend_from_slice(b"}\n");
        return Ok(Bytes::from(out));
    }
    framed(call, event, respond::transformed(call, encoded)?)
}

fn bookmark(call: &Call, revision: Revision, initial_events_end: bool) -> Result<Bytes, ApiError> {
    let revision = revision.0.to_string();
    let mut metadata = json!({ "resourceVersion": revision, "creationTimestamp": null });
    if initial_events_end {
        metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
    }
    let object = match call.accepted.form {
        Form::Table { version } => {
            let metadata = ListMetadata { revision, ..ListMetadata::default() };
            table::table(call, version, &metadata, Vec::new())
        }
        Form::Partial { version } => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": format!("meta.k8s.io/{version}"),
            "metadata": metadata,
        }),
        Form::Object => json!({
            "kind": call.kind.kind, "apiVersion": call.kind.api_version(), "metadata": metadata,
        }),
    };
    framed(call, "BOOKMARK", object)
}

fn error_line(call: &Call, error: &ApiError) -> Result<Bytes, ApiError> {
    let status = serde_json::to_value(error.status()).map_err(|error| ApiError::internal(&error.to_string()))?;
    framed(call, "ERROR", status)
}

fn framed(call: &Call, event: &str, object: Value) -> Result<Bytes, ApiError> {
    respond::frame(call, event, object).map(Bytes::from)
}
