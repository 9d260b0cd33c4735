//! LIST: from the stored bytes, whole or page by page at one revision.

use std::vec;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use serde_json::Value;
use store::{Entry, RangeRequest, ReadAt, Revision, StoreError};

use super::options::{Continue, ListPlan};
use super::selector::Filter;
use crate::call::Call;
use crate::respond::View;
use crate::status::{self, ApiError};
use crate::storage::{self, Encoded};
use crate::table::{self, ListMetadata};
use crate::wire::accept::{Encoding, Form};
use crate::wire::body::{self, Body, CHUNK_BYTES};
use crate::wire::{compress, encode};

/// How many keys a selecting list reads at a time; a kind with more is indexed.
const SCAN_KEYS: usize = 512;

/// So many objects are encoded anew before others get their turn.
const OBJECTS_A_TURN: usize = 64;

pub(crate) async fn list(call: &Call) -> Result<Response<Body>, ApiError> {
    answer(call, select(call).await?).await
}

/// What a list found, in the form the client asked for.
pub(crate) async fn answer(call: &Call, page: Page) -> Result<Response<Body>, ApiError> {
    let view = View::of(call);
    let metadata = &page.metadata;
    match (view.form, view.encoding) {
        (Form::Table { version }, _) => {
            let mut rows = Vec::with_capacity(page.entries.len());
            for (at, entry) in page.entries.iter().enumerate() {
                rows.push(view.row(entry, version)?);
                give_way(at).await;
            }
            let table = table::table(call.kind, version, metadata, rows);
            Ok(bytes(call, vec![encode::value(view.encoding, &table)?.into()]))
        }
        (_, Encoding::Json) => {
            let mut items = Vec::with_capacity(page.entries.len());
            for (at, entry) in page.entries.into_iter().enumerate() {
                items.push(if view.shares_bytes() { Item::Stored(entry) } else { Item::Made(view.item(&entry)?) });
                if !view.shares_bytes() {
                    give_way(at).await;
                }
            }
            Ok(streamed(call, Items::new(&empty(&view, metadata), items)?))
        }
        (_, Encoding::Protobuf) => {
            let mut items = Vec::with_capacity(page.entries.len());
            for (at, entry) in page.entries.iter().enumerate() {
                items.push(view.bytes(entry)?);
                give_way(at).await;
            }
            let empty = encode::value(view.encoding, &empty(&view, metadata))?;
            Ok(bytes(call, encode::protobuf_list(&empty.into(), &items)?))
        }
        (_, Encoding::Yaml | Encoding::Cbor) => {
            let mut items = Vec::with_capacity(page.entries.len());
            for (at, entry) in page.entries.iter().enumerate() {
                items.push(view.value(entry)?);
                give_way(at).await;
            }
            let mut list = empty(&view, metadata);
            list["items"] = Value::Array(items);
            Ok(bytes(call, vec![encode::value(view.encoding, &list)?.into()]))
        }
    }
}

async fn give_way(at: usize) {
    if at % OBJECTS_A_TURN == OBJECTS_A_TURN - 1 {
        tokio::task::yield_now().await;
    }
}

/// What a list found.
pub(crate) struct Page {
    pub(crate) metadata: ListMetadata,
    pub(crate) entries: Vec<Encoded>,
}

/// The selected objects of the request, honouring limit, continue and resourceVersion.
pub(crate) async fn select(call: &Call) -> Result<Page, ApiError> {
    let filter = Filter::of(call)?;
    let plan = ListPlan::of(&call.query)?;
    let found = find(call, &filter, plan.at, plan.limit, plan.page.as_ref()).await?;
    let metadata = ListMetadata {
        revision: found.revision.0.to_string(),
        continue_token: found.next.as_ref().map(|next| Continue::after(found.revision, &next.last).encode()),
        remaining: found.next.and_then(|next| next.remaining),
    };
    Ok(Page { metadata, entries: found.entries.into_iter().map(Encoded::from).collect() })
}

/// Selected objects in the order of their keys, and where the rest begins.
pub(crate) struct Found {
    pub(crate) revision: Revision,
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Option<Next>,
}

pub(crate) struct Next {
    /// The last key before it, below the prefix of the list.
    last: String,
    /// How much it is, where that is known without reading it.
    remaining: Option<usize>,
}

/// The objects that the filter selects, as fresh as `at` asks for.
pub(crate) async fn find(
    call: &Call,
    filter: &Filter,
    at: ReadAt,
    limit: usize,
    page: Option<&Continue>,
) -> Result<Found, ApiError> {
    let kind = call.stored_kind();
    let prefix = storage::prefix(kind, call.namespace());
    let after = page.map(|page| format!("{prefix}{}", page.last()));
    let mut request = RangeRequest { prefix, after, limit, at };
    let refused = |error| refused(page, error);
    if filter.is_everything() {
        let range = call.server.storage.range(request.clone()).await.map_err(refused)?;
        let next = (range.remaining > 0)
            .then(|| Next { last: below(&request.prefix, range.entries.last()), remaining: Some(range.remaining) });
        return Ok(Found { revision: range.revision, entries: range.entries, next });
    }
    if page.is_none()
        && let Some(key) = only_key(call, filter)
    {
        let revision = call.server.storage.settle(at).await.map_err(refused)?;
        let entry = call.server.storage.entry(&key, revision).await.map_err(refused)?;
        let mut entries = Vec::from_iter(entry);
        keep_matching(&mut entries, call, filter)?;
        return Ok(Found { revision, entries, next: None });
    }
    let indexable = page.is_none() && !matches!(at, ReadAt::Exactly(_));
    if indexable && call.server.indexes.has(kind) {
        let least = call.server.storage.settle(at).await.map_err(refused)?;
        if let Some(found) = indexed(call, filter, limit, least).await? {
            return Ok(found);
        }
    }
    request.limit = SCAN_KEYS;
    let mut entries = Vec::new();
    loop {
        let range = call.server.storage.range(request.clone()).await.map_err(refused)?;
        if indexable
            && entries.is_empty()
            && range.remaining > 0
            && request.after.is_none()
            && let Some(found) = indexed(call, filter, limit, range.revision).await?
        {
            return Ok(found);
        }
        let (revision, count) = (range.revision, range.entries.len());
        for (at, entry) in range.entries.into_iter().enumerate() {
            let left = count - at - 1 + range.remaining;
            let is_last = limit > 0 && entries.len() + 1 == limit;
            request.after = Some(entry.key.to_string());
            let before = entries.len();
            entries.push(entry);
            keep_matching_from(&mut entries, before, call, filter)?;
            if is_last && entries.len() == limit {
                let next = (left > 0).then(|| Next { last: below(&request.prefix, entries.last()), remaining: None });
                return Ok(Found { revision, entries, next });
            }
        }
        if range.remaining == 0 {
            return Ok(Found { revision, entries, next: None });
        }
        // The rest is read at the revision that the list began with.
        request.at = ReadAt::Exactly(revision);
        tokio::task::yield_now().await;
    }
}

async fn indexed(call: &Call, filter: &Filter, limit: usize, least: Revision) -> Result<Option<Found>, ApiError> {
    let kind = call.stored_kind();
    let selected = call.server.indexes.select(kind, call.namespace(), filter, limit, least).await?;
    Ok(selected.map(|selected| {
        let prefix = storage::prefix(kind, call.namespace());
        let next = selected.more.then(|| Next { last: below(&prefix, selected.entries.last()), remaining: None });
        Found { revision: selected.revision, entries: selected.entries, next }
    }))
}

/// The one key that can match, where name and namespace are given.
fn only_key(call: &Call, filter: &Filter) -> Option<String> {
    let kind = call.stored_kind();
    let name = filter.name()?;
    if !kind.is_namespaced() {
        return Some(storage::key(kind, "", name));
    }
    let namespace = Some(call.namespace()).filter(|namespace| !namespace.is_empty()).or(filter.namespace())?;
    Some(storage::key(kind, namespace, name))
}

fn keep_matching(entries: &mut Vec<Entry>, call: &Call, filter: &Filter) -> Result<(), ApiError> {
    keep_matching_from(entries, 0, call, filter)
}

/// Drops the entries from `start` on that the filter does not select.
fn keep_matching_from(entries: &mut Vec<Entry>, start: usize, call: &Call, filter: &Filter) -> Result<(), ApiError> {
    let kind = call.stored_kind();
    for entry in entries.split_off(start) {
        if filter.matches(kind, &entry.key, &Encoded::from(entry.clone()))? {
            entries.push(entry);
        }
    }
    Ok(())
}

fn below(prefix: &str, last: Option<&Entry>) -> String {
    last.and_then(|entry| entry.key.strip_prefix(prefix)).unwrap_or("").to_owned()
}

fn refused(page: Option<&Continue>, error: StoreError) -> ApiError {
    let StoreError::Compacted { .. } = error else { return error.into() };
    match page {
        None => ApiError::expired("The resourceVersion for the provided list is too old."),
        Some(page) => ApiError::expired(
            "The provided continue parameter is too old to display a consistent list result. You can start a new list \
             without the continue parameter, or use the continue token in this response to retrieve the remainder of \
             the results. Continuing with the provided token results in an inconsistent list - objects that were \
             created, modified, or deleted between the time the first chunk was returned and now may show up in the \
             list.",
        )
        .with_continue(page.inconsistent().encode()),
    }
}

/// The list without its items.
fn empty(view: &View, metadata: &ListMetadata) -> Value {
    let (kind, api_version) = match view.form {
        Form::Partial { version } => ("PartialObjectMetadataList".to_owned(), format!("meta.k8s.io/{version}")),
        _ => (format!("{}List", view.kind.kind), view.kind.api_version()),
    };
    serde_json::json!({ "kind": kind, "apiVersion": api_version, "metadata": metadata.to_json(), "items": [] })
}

enum Item {
    Stored(Encoded),
    Made(Bytes),
}

impl Item {
    fn length(&self) -> usize {
        match self {
            Item::Stored(encoded) => encoded.item_length(),
            Item::Made(bytes) => bytes.len(),
        }
    }

    fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Item::Stored(encoded) => encoded.write_item_to(out),
            Item::Made(bytes) => out.extend_from_slice(bytes),
        }
    }
}

/// A list in JSON in buffers, put together as the connection takes them.
struct Items {
    length: usize,
    buffer: Vec<u8>,
    items: vec::IntoIter<Item>,
    tail: Option<&'static [u8]>,
}

impl Items {
    /// `empty` is the list without items, which are its last field.
    fn new(empty: &Value, items: Vec<Item>) -> Result<Self, ApiError> {
        const TAIL: &[u8] = b"]}";
        let mut buffer = encode::value(Encoding::Json, empty)?;
        buffer.truncate(buffer.len() - TAIL.len());
        let commas = items.len().saturating_sub(1);
        let length = buffer.len() + items.iter().map(Item::length).sum::<usize>() + commas + TAIL.len() + 1;
        Ok(Items { length, buffer, items: items.into_iter(), tail: Some(b"]}\n") })
    }
}

impl Iterator for Items {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.tail?;
        while self.buffer.len() < CHUNK_BYTES {
            let Some(item) = self.items.next() else {
                self.buffer.extend_from_slice(self.tail.take()?);
                break;
            };
            item.write_to(&mut self.buffer);
            if !self.items.as_slice().is_empty() {
                self.buffer.push(b',');
            }
        }
        let room = if self.tail.is_some() { CHUNK_BYTES + self.buffer.capacity() / 8 } else { 0 };
        Some(Bytes::from(std::mem::replace(&mut self.buffer, Vec::with_capacity(room))))
    }
}

fn bytes(call: &Call, pieces: Vec<Bytes>) -> Response<Body> {
    let length = pieces.iter().map(Bytes::len).sum();
    sent(call, length, pieces.into_iter())
}

fn streamed(call: &Call, items: Items) -> Response<Body> {
    sent(call, items.length, items)
}

/// The answer, compressed where it is long and the client can read that.
fn sent(call: &Call, length: usize, chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Response<Body> {
    let compressed = length > compress::THRESHOLD_BYTES && compress::accepted(&call.headers);
    let body = match compressed {
        true => body::chunks(None, compress::gzip(chunks)),
        false => body::chunks(Some(length as u64), chunks),
    };
    let mut response = status::answer(StatusCode::OK, call.accepted.content_type(), body);
    if compressed {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
        headers.append(header::VARY, http::HeaderValue::from_static("Accept-Encoding"));
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_in_buffers_is_as_long_as_it_says() {
        for count in [0, 1, 3, 20_000] {
            let items: Vec<Item> = (0..count).map(|at| Item::Made(Bytes::from(format!("{{\"at\":{at}}}")))).collect();
            let items = Items::new(&json!({"kind": "List", "items": []}), items).unwrap();
            let length = items.length;
            let chunks: Vec<Bytes> = items.collect();
            let whole = chunks.concat();
            assert_eq!(whole.len(), length);
            let list: Value = serde_json::from_slice(&whole).unwrap();
            assert_eq!(list["items"].as_array().unwrap().len(), count);
            assert!(count < 20_000 || (chunks.len() > 1 && chunks.iter().all(|chunk| chunk.len() < CHUNK_BYTES + 64)));
        }
    }
}
