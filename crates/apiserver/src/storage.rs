//! Objects in the store: their keys, their bytes, their revisions.
//!
//! An object rests without its resourceVersion, beginning with kind, apiVersion and metadata. The
//! revision the store gave it is spliced in on the way out, so that the same bytes serve GET, LIST
//! and every watch without being parsed.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codec::apply;
use registry::{Kind, Object, Scope};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stdx::signal;
use store::{
    Action, Author, Entry, Expect, Operation, Range, RangeRequest, ReadAt, Revision, Store, StoreError, Transaction,
    Watch, WatchRequest,
};

use crate::status::ApiError;

/// Whoever asks for a revision that is not written yet waits so long for it.
const FUTURE_PATIENCE: Duration = Duration::from_secs(3);

/// How long Events live after their last write.
const EVENT_LIFETIME: Duration = Duration::from_secs(3600);

/// The store, spoken to in kinds and names.
#[derive(Clone)]
pub(crate) struct Storage {
    store: Arc<dyn Store>,
}

impl Storage {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Storage { store }
    }

    pub(crate) fn revision(&self) -> Revision {
        self.store.revision()
    }

    pub(crate) fn revisions(&self) -> signal::Receiver<Revision> {
        self.store.revisions()
    }

    /// The newest state, whichever server wrote it.
    pub(crate) async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Stored>, StoreError> {
        self.get_at(kind, namespace, name, ReadAt::Newest).await
    }

    pub(crate) async fn get_at(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        at: ReadAt,
    ) -> Result<Option<Stored>, StoreError> {
        self.arrive(at).await?;
        Ok(self.store.get(&key(kind, namespace, name), at).await?.map(Stored::from))
    }

    /// The decoded object, for callers inside the server.
    pub(crate) async fn object(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Object>, ApiError> {
        match self.get(kind, namespace, name).await? {
            Some(stored) => stored.decode().map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.arrive(request.at).await?;
        self.store.range(request).await
    }

    /// Everything of a kind, in one namespace or in all.
    pub(crate) async fn list(&self, kind: &Kind, namespace: &str) -> Result<Range, StoreError> {
        self.range(RangeRequest { prefix: prefix(kind, namespace), ..RangeRequest::default() }).await
    }

    /// The revision whose state, held in memory, is as fresh as `at` asks for.
    pub(crate) async fn settle(&self, at: ReadAt) -> Result<Revision, StoreError> {
        self.arrive(at).await?;
        match at {
            ReadAt::Newest => self.store.refresh().await,
            ReadAt::Memory | ReadAt::NotOlderThan(_) => Ok(self.store.revision()),
            ReadAt::Exactly(revision) => Ok(revision),
        }
    }

    /// What one key held at a revision that memory has reached.
    pub(crate) async fn entry(&self, key: &str, at: Revision) -> Result<Option<Entry>, StoreError> {
        self.store.get(key, ReadAt::Exactly(at)).await
    }

    /// Waits a moment for a revision that is not written yet.
    async fn arrive(&self, at: ReadAt) -> Result<(), StoreError> {
        match at {
            // Hardly anybody waits, so that nobody carries the room for it along.
            ReadAt::NotOlderThan(wanted) | ReadAt::Exactly(wanted) if self.store.revision() < wanted => {
                Box::pin(self.wait_for(wanted)).await
            }
            _ => Ok(()),
        }
    }

    async fn wait_for(&self, wanted: Revision) -> Result<(), StoreError> {
        if self.store.refresh().await? >= wanted {
            return Ok(());
        }
        let mut revisions = self.store.revisions();
        match tokio::time::timeout(FUTURE_PATIENCE, revisions.wait_for(|revision| *revision >= wanted)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => {
                let newest = self.store.revision().0;
                Err(StoreError::FutureRevision { requested: wanted.0, newest })
            }
        }
    }

    pub(crate) async fn create(
        &self,
        kind: &Kind,
        object: &Object,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        self.create_with(kind, object, Vec::new(), author).await
    }

    /// As [`Storage::create`]; what stands `beside` it happens with it or not at all.
    pub(crate) async fn create_with(
        &self,
        kind: &Kind,
        object: &Object,
        beside: Vec<Operation>,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        self.put(kind, object, encode(kind, object), Expect::Absent, beside, author).await
    }

    pub(crate) async fn replace(
        &self,
        kind: &Kind,
        object: &Object,
        at: Revision,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        self.replace_encoded(kind, object, encode(kind, object), at, Vec::new(), author).await
    }

    /// As [`Storage::replace`], where the object was encoded already; what stands `beside` it happens
    /// with it or not at all.
    pub(crate) async fn replace_encoded(
        &self,
        kind: &Kind,
        object: &Object,
        bytes: Bytes,
        at: Revision,
        beside: Vec<Operation>,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        self.put(kind, object, bytes, Expect::At(at), beside, author).await
    }

    async fn put(
        &self,
        kind: &Kind,
        object: &Object,
        value: Bytes,
        expect: Expect,
        beside: Vec<Operation>,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        let (namespace, name) = place(object);
        let key = key(kind, namespace, name).into();
        let action = Action::Put { value, lifetime: lifetime(kind) };
        let (_, entry) = self.commit(Operation { key, expect, action }, beside, author).await?;
        Ok(Stored::from(entry))
    }

    /// Removes an object, and with it what stands `beside` it; what is returned carries the revision of the removal.
    pub(crate) async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        at: Revision,
        beside: Vec<Operation>,
        author: Option<Arc<Author>>,
    ) -> Result<Stored, StoreError> {
        let operation = Operation::delete(key(kind, namespace, name), Expect::At(at));
        let (revision, entry) = self.commit(operation, beside, author).await?;
        Ok(Stored::new(entry.value, revision))
    }

    /// A change that the server makes by itself.
    pub(crate) async fn change(&self, operation: Operation) -> Result<(), StoreError> {
        self.store.commit(Transaction { operations: vec![operation], author: None }).await.map(|_| ())
    }

    /// One change, and the entry it made or took away.
    async fn commit(
        &self,
        operation: Operation,
        mut beside: Vec<Operation>,
        author: Option<Arc<Author>>,
    ) -> Result<(Revision, Entry), StoreError> {
        let key = operation.key.clone();
        beside.insert(0, operation);
        let committed = self.store.commit(Transaction { operations: beside, author }).await?;
        match committed.entries.into_iter().next().flatten() {
            Some(entry) => Ok((committed.revision, entry)),
            None => Err(StoreError::Conflict { key, current: None }),
        }
    }

    pub(crate) fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.store.watch(request)
    }
}

/// Events go by themselves; everything else stays until it is deleted.
fn lifetime(kind: &Kind) -> Option<Duration> {
    (kind.kind == "Event" && matches!(kind.group, "" | "events.k8s.io")).then_some(EVENT_LIFETIME)
}

/// An object as the store has it: it reads like any other, and its revision is known.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    encoded: Encoded,
    pub(crate) revision: Revision,
}

impl Stored {
    fn new(bytes: Bytes, revision: Revision) -> Self {
        Stored { encoded: Encoded::at(bytes, revision), revision }
    }
}

impl From<Entry> for Stored {
    fn from(entry: Entry) -> Self {
        Stored::new(entry.value, entry.modified)
    }
}

impl Deref for Stored {
    type Target = Encoded;

    fn deref(&self) -> &Encoded {
        &self.encoded
    }
}

/// An object's bytes and the revision that wrote them; none for what was never written (a dry run).
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) revision: Option<Revision>,
}

impl From<Stored> for Encoded {
    fn from(stored: Stored) -> Self {
        stored.encoded
    }
}

impl From<Entry> for Encoded {
    fn from(entry: Entry) -> Self {
        Encoded::at(entry.value, entry.modified)
    }
}

impl Encoded {
    pub(crate) fn at(bytes: Bytes, revision: Revision) -> Self {
        Encoded { bytes, revision: Some(revision) }
    }

    pub(crate) fn unwritten(kind: &Kind, object: &Object) -> Self {
        Encoded { bytes: encode(kind, object), revision: None }
    }

    /// The object with its resourceVersion.
    pub(crate) fn whole(&self) -> Bytes {
        let Some((revision, at)) = self.splice() else { return self.bytes.clone() };
        // Exactly as much as it takes: then no second allocation counts the references.
        let mut whole = Vec::with_capacity(self.bytes.len() + spliced_length(revision));
        whole.extend_from_slice(&self.bytes[..at]);
        write_spliced(&mut whole, revision);
        whole.extend_from_slice(&self.bytes[at..]);
        Bytes::from(whole)
    }

    /// Appends the object as the object of a watch event.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        match self.splice() {
            Some((revision, at)) => {
                out.extend_from_slice(&self.bytes[..at]);
                write_spliced(out, revision);
                out.extend_from_slice(&self.bytes[at..]);
            }
            None => out.extend_from_slice(&self.bytes),
        }
    }

    /// Appends the object as a list's item: without kind and apiVersion, which the list tells.
    pub(crate) fn write_item_to(&self, out: &mut Vec<u8>) {
        match self.splice() {
            Some((revision, at)) => {
                out.extend_from_slice(b"{");
                out.extend_from_slice(METADATA);
                write_spliced(out, revision);
                out.extend_from_slice(&self.bytes[at..]);
            }
            None => out.extend_from_slice(&self.bytes),
        }
    }

    /// How many bytes [`Encoded::write_item_to`] appends.
    pub(crate) fn item_length(&self) -> usize {
        match self.splice() {
            Some((revision, at)) => 1 + METADATA.len() + spliced_length(revision) + self.bytes.len() - at,
            None => self.bytes.len(),
        }
    }

    /// `PartialObjectMetadata` of the object: its metadata, as it stands in the bytes.
    pub(crate) fn partial(&self, version: &str) -> Result<Bytes, ApiError> {
        let headless = || ApiError::internal("a stored object has no metadata");
        let metadata = metadata(&self.bytes).ok_or_else(headless)?;
        let mut values = serde_json::Deserializer::from_slice(metadata).into_iter::<IgnoredAny>();
        values.next().and_then(Result::ok).ok_or_else(headless)?;
        let metadata = &metadata[1..values.byte_offset()];
        let mut out = Vec::with_capacity(metadata.len() + 128);
        out.extend_from_slice(br#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/"#);
        out.extend_from_slice(version.as_bytes());
        out.extend_from_slice(br#"","metadata":{"#);
        if let Some(revision) = self.revision {
            write_spliced(&mut out, revision);
        }
        out.extend_from_slice(metadata);
        out.push(b'}');
        Ok(Bytes::from(out))
    }

    pub(crate) fn decode(&self) -> Result<Object, ApiError> {
        self.versioned(serde_json::from_slice(&self.bytes))
    }

    /// As much of the object as `T` has fields for, without its resourceVersion.
    pub(crate) fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.bytes).map_err(unreadable)
    }

    /// The object with its managed fields at rest, as writes begin with it.
    pub(crate) fn decode_resting(&self) -> Result<Object, ApiError> {
        self.versioned(apply::read_resting(&self.bytes))
    }

    fn versioned(&self, object: Result<Object, serde_json::Error>) -> Result<Object, ApiError> {
        let mut object = object.map_err(unreadable)?;
        if let (Some(revision), Some(Value::Object(metadata))) = (self.revision, object.get_mut("metadata")) {
            metadata.insert("resourceVersion".to_owned(), Value::String(revision.0.to_string()));
        }
        Ok(object)
    }

    fn splice(&self) -> Option<(Revision, usize)> {
        Some((self.revision?, metadata_start(&self.bytes)?))
    }
}

fn unreadable(error: serde_json::Error) -> ApiError {
    ApiError::internal(&format!("a stored object does not parse: {error}"))
}

/// `/registry/GROUP/PLURAL/NAMESPACE/NAME`; the core group is called `core`.
pub(crate) fn key(kind: &Kind, namespace: &str, name: &str) -> String {
    let namespace = if kind.scope == Scope::Namespaced { namespace } else { "" };
    let mut key = String::with_capacity(MAX_PREFIX_BYTES + namespace.len() + name.len());
    write_prefix(&mut key, kind, namespace);
    key.push_str(name);
    key
}

/// What the keys of a kind begin with; of one namespace where one is given.
pub(crate) fn prefix(kind: &Kind, namespace: &str) -> String {
    let mut prefix = String::with_capacity(MAX_PREFIX_BYTES + namespace.len());
    write_prefix(&mut prefix, kind, namespace);
    prefix
}

/// Room for the part of a key that a built-in kind tells.
const MAX_PREFIX_BYTES: usize = 80;

fn write_prefix(out: &mut String, kind: &Kind, namespace: &str) {
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    for part in ["/registry/", group, "/", kind.plural, "/", namespace] {
        out.push_str(part);
    }
    if !namespace.is_empty() {
        out.push('/');
    }
}

const METADATA: &[u8] = br#""metadata":{"#;

/// How far into the bytes metadata may begin: kind and apiVersion are short.
const HEAD_BYTES: usize = 512;

/// An object in JSON without the kind and apiVersion that it begins with.
pub(crate) fn without_type(bytes: Bytes) -> Bytes {
    let Some(at) = metadata_start(&bytes) else { return bytes };
    let mut item = Vec::with_capacity(bytes.len());
    item.push(b'{');
    item.extend_from_slice(&bytes[at - METADATA.len()..]);
    Bytes::from(item)
}

/// An object's bytes from its metadata's opening brace on.
pub(crate) fn metadata(bytes: &[u8]) -> Option<&[u8]> {
    metadata_start(bytes).map(|at| &bytes[at - 1..])
}

/// Where the first field of metadata stands.
fn metadata_start(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    // Two bytes tell nearly every place apart, without a call for each.
    let begins = |window: &[u8]| window[0] == METADATA[0] && window[1] == METADATA[1] && window == METADATA;
    head.windows(METADATA.len()).position(begins).map(|at| at + METADATA.len())
}

const SPLICE: &[u8] = br#""resourceVersion":""#;
const SPLICE_END: &[u8] = br#"","#;

fn write_spliced(out: &mut Vec<u8>, revision: Revision) {
    // The longest revision has so many.
    const DIGITS: usize = 20;
    let (mut digits, mut at, mut rest) = ([0; DIGITS], DIGITS, revision.0);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(SPLICE);
    out.extend_from_slice(&digits[at..]);
    out.extend_from_slice(SPLICE_END);
}

fn spliced_length(revision: Revision) -> usize {
    SPLICE.len() + revision.0.checked_ilog10().unwrap_or(0) as usize + 1 + SPLICE_END.len()
}

fn place(object: &Object) -> (&str, &str) {
    let text = |field| object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str);
    (text("namespace").unwrap_or_default(), text("name").unwrap_or_default())
}

/// The stored form. Metadata always holds a name, so that something follows the spliced field.
pub(crate) fn encode(kind: &Kind, object: &Object) -> Bytes {
    let mut out = Vec::with_capacity(USUAL_OBJECT_BYTES);
    out.extend_from_slice(b"{\"kind\":");
    append(&mut out, kind.kind);
    out.extend_from_slice(b",\"apiVersion\":");
    append(&mut out, &api_version(kind));
    out.push(b',');
    out.extend_from_slice(METADATA);
    let mut first = true;
    for (field, value) in object.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        match field.as_str() {
            "resourceVersion" | "selfLink" => {}
            "managedFields" => {
                append_name(&mut out, &mut first, field);
                apply::write_managed(value, &mut out).expect(ALWAYS);
            }
            _ => append_field(&mut out, &mut first, field, value),
        }
    }
    out.push(b'}');
    first = false;
    for (field, value) in object {
        if !matches!(field.as_str(), "kind" | "apiVersion" | "metadata") {
            append_field(&mut out, &mut first, field, value);
        }
    }
    out.push(b'}');
    // The store keeps the bytes for long, and nothing beyond them.
    Bytes::from(out.into_boxed_slice())
}

/// Most objects fit in this.
const USUAL_OBJECT_BYTES: usize = 4096;

/// `v1`, or `apps/v1`.
pub(crate) fn api_version(kind: &Kind) -> String {
    group_version(kind.group, kind.version)
}

pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn append_field(out: &mut Vec<u8>, first: &mut bool, field: &str, value: &Value) {
    append_name(out, first, field);
    append(out, value);
}

fn append_name(out: &mut Vec<u8>, first: &mut bool, field: &str) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    append(out, field);
    out.push(b':');
}

fn append<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect(ALWAYS);
}

const ALWAYS: &str = "a JSON value with string keys always serialises into memory";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_resource_version_is_spliced_without_parsing() {
        let kind = crate::kinds::find("", "v1", "configmaps").unwrap();
        let Value::Object(object) = json!({
            "data": {"metadata": "{\"metadata\":{}}"},
            "metadata": {"name": "a", "namespace": "b", "resourceVersion": "7"},
        }) else {
            unreachable!()
        };
        let encoded = Encoded::at(encode(kind, &object), Revision(42));
        let mut whole = Vec::new();
        encoded.write_to(&mut whole);
        let whole_text = String::from_utf8(whole).unwrap();
        assert_eq!(
            whole_text,
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"42","name":"a","namespace":"b"},"data":{"metadata":"{\"metadata\":{}}"}}"#
        );
        assert_eq!(encoded.whole(), whole_text);
        let mut item = Vec::new();
        encoded.write_item_to(&mut item);
        assert_eq!(item.len(), encoded.item_length());
        assert!(item.starts_with(br#"{"metadata":{"resourceVersion":"42","#));
        assert_eq!(encoded.decode().unwrap()["metadata"]["resourceVersion"], "42");
        assert_eq!(
            encoded.partial("v1").unwrap(),
            r#"{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"resourceVersion":"42","name":"a","namespace":"b"}}"#
        );
    }

    #[test]
    fn keys_keep_groups_and_namespaces_apart() {
        let pods = crate::kinds::find("", "v1", "pods").unwrap();
        let nodes = crate::kinds::find("", "v1", "nodes").unwrap();
        assert_eq!(key(pods, "default", "a"), "/registry/core/pods/default/a");
        assert_eq!(key(nodes, "", "n"), "/registry/core/nodes/n");
        assert_eq!(prefix(pods, ""), "/registry/core/pods/");
    }
}
