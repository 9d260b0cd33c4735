//! Objects in the store: their keys, their bytes, their revisions.
//!
//! An object rests without its resourceVersion, beginning with kind, apiVersion and metadata. The
//! revision the store gave it is spliced in on the way out, so that the same bytes serve GET, LIST
//! and every watch without being parsed.

use std::sync::Arc;

use bytes::Bytes;
use registry::{Kind, Object, Scope};
use serde_json::Value;
use store::{Entry, Expect, Range, RangeRequest, ReadAt, Revision, Store, StoreError, Watch, WatchRequest};

use crate::status::ApiError;

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

    pub(crate) async fn get(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Encoded>, StoreError> {
        Ok(self.store.get(&key(kind, namespace, name), ReadAt::Newest).await?.map(Encoded::from))
    }

    /// The decoded object, for callers inside the server.
    pub(crate) async fn object(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Option<Object>, ApiError> {
        match self.get(kind, namespace, name).await? {
            Some(encoded) => encoded.decode().map(Some),
            None => Ok(None),
        }
    }

    pub(crate) async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.store.range(request).await
    }

    /// Everything of a kind, in one namespace or in all.
    pub(crate) async fn list(&self, kind: &Kind, namespace: &str) -> Result<Range, StoreError> {
        self.store.range(RangeRequest { prefix: prefix(kind, namespace), ..RangeRequest::default() }).await
    }

    pub(crate) async fn create(&self, kind: &Kind, object: &Object) -> Result<Encoded, StoreError> {
        let (namespace, name) = place(object);
        let entry = self.store.put(&key(kind, namespace, name), encode(kind, object), Expect::Absent).await?;
        Ok(Encoded::from(entry))
    }

    pub(crate) async fn replace(&self, kind: &Kind, object: &Object, at: Revision) -> Result<Encoded, StoreError> {
        let (namespace, name) = place(object);
        let entry = self.store.put(&key(kind, namespace, name), encode(kind, object), Expect::At(at)).await?;
        Ok(Encoded::from(entry))
    }

    /// Removes an object; what is returned carries the revision of the removal.
    pub(crate) async fn delete(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
        at: Revision,
    ) -> Result<Encoded, StoreError> {
        let (revision, entry) = self.store.delete(&key(kind, namespace, name), Expect::At(at)).await?;
        Ok(Encoded { bytes: entry.value, revision: Some(revision) })
    }

    /// Removes one key if nobody wrote it since.
    pub(crate) async fn remove(&self, key: &str, at: Revision) -> Result<(), StoreError> {
        self.store.delete(key, Expect::At(at)).await.map(|_| ())
    }

    pub(crate) fn watch(&self, prefix: &str, after: Revision) -> Result<Watch, StoreError> {
        self.store.watch(WatchRequest { prefix: prefix.to_owned(), after, progress_every: None })
    }
}

/// An object's bytes and the revision that wrote them; none for what was never written (a dry run).
#[derive(Clone, Debug)]
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) revision: Option<Revision>,
}

impl From<Entry> for Encoded {
    fn from(entry: Entry) -> Self {
        Encoded { bytes: entry.value, revision: Some(entry.modified) }
    }
}

impl Encoded {
    pub(crate) fn unwritten(kind: &Kind, object: &Object) -> Self {
        Encoded { bytes: encode(kind, object), revision: None }
    }

    /// The object with its resourceVersion, in pieces that share the stored bytes.
    pub(crate) fn pieces(&self) -> Vec<Bytes> {
        match (self.revision, metadata_start(&self.bytes)) {
            (Some(revision), Some(at)) => {
                vec![self.bytes.slice(..at), Bytes::from(spliced(revision)), self.bytes.slice(at..)]
            }
            _ => vec![self.bytes.clone()],
        }
    }

    /// Appends the object with its resourceVersion.
    pub(crate) fn write_to(&self, out: &mut Vec<u8>) {
        for piece in self.pieces() {
            out.extend_from_slice(&piece);
        }
    }

    /// Appends the object as a list's item: without kind and apiVersion, which the list tells.
    pub(crate) fn write_item_to(&self, out: &mut Vec<u8>) {
        match (self.revision, metadata_start(&self.bytes)) {
            (Some(revision), Some(at)) => {
                out.extend_from_slice(b"{");
                out.extend_from_slice(METADATA);
                out.extend_from_slice(spliced(revision).as_bytes());
                out.extend_from_slice(&self.bytes[at..]);
            }
            _ => out.extend_from_slice(&self.bytes),
        }
    }

    pub(crate) fn decode(&self) -> Result<Object, ApiError> {
        let mut object: Object = serde_json::from_slice(&self.bytes)
            .map_err(|error| ApiError::internal(&format!("a stored object does not parse: {error}")))?;
        if let (Some(revision), Some(Value::Object(metadata))) = (self.revision, object.get_mut("metadata")) {
            metadata.insert("resourceVersion".to_owned(), Value::String(revision.0.to_string()));
        }
        Ok(object)
    }
}

/// `/registry/GROUP/PLURAL/NAMESPACE/NAME`; the core group is called `core`.
pub(crate) fn key(kind: &Kind, namespace: &str, name: &str) -> String {
    let mut key = prefix(kind, if kind.scope == Scope::Namespaced { namespace } else { "" });
    key.push_str(name);
    key
}

/// What the keys of a kind begin with; of one namespace where one is given.
pub(crate) fn prefix(kind: &Kind, namespace: &str) -> String {
    let group = if kind.group.is_empty() { "core" } else { kind.group };
    match namespace {
        "" => format!("/registry/{group}/{}/", kind.plural),
        namespace => format!("/registry/{group}/{}/{namespace}/", kind.plural),
    }
}

const METADATA: &[u8] = br#""metadata":{"#;

/// How far into the bytes metadata may begin: kind and apiVersion are short.
const HEAD_BYTES: usize = 512;

/// Where the first field of metadata stands.
fn metadata_start(bytes: &[u8]) -> Option<usize> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    head.windows(METADATA.len()).position(|window| window == METADATA).map(|at| at + METADATA.len())
}

fn spliced(revision: Revision) -> String {
    format!("\"resourceVersion\":\"{}\",", revision.0)
}

fn place(object: &Object) -> (&str, &str) {
    let text = |field| object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str);
    (text("namespace").unwrap_or_default(), text("name").unwrap_or_default())
}

/// The stored form. Metadata always holds a name, so that something follows the spliced field.
pub(crate) fn encode(kind: &Kind, object: &Object) -> Bytes {
    let mut out = Vec::with_capacity(1024);
    out.extend_from_slice(b"{\"kind\":");
    append(&mut out, &Value::from(kind.kind));
    out.extend_from_slice(b",\"apiVersion\":");
    append(&mut out, &Value::from(api_version(kind)));
    out.push(b',');
    out.extend_from_slice(METADATA);
    let mut first = true;
    for (field, value) in object.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        if field != "resourceVersion" && field != "selfLink" {
            append_field(&mut out, &mut first, field, value);
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
    Bytes::from(out)
}

/// `v1`, or `apps/v1`.
pub(crate) fn api_version(kind: &Kind) -> String {
    group_version(kind.group, kind.version)
}

pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") }
}

fn append_field(out: &mut Vec<u8>, first: &mut bool, field: &str, value: &Value) {
    if !std::mem::take(first) {
        out.push(b',');
    }
    append(out, &Value::from(field));
    out.push(b':');
    append(out, value);
}

fn append(out: &mut Vec<u8>, value: &Value) {
    serde_json::to_writer(out, value).expect("a JSON value with string keys always serialises into memory");
}

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
        let encoded = Encoded { bytes: encode(kind, &object), revision: Some(Revision(42)) };
        let mut whole = Vec::new();
        encoded.write_to(&mut whole);
        assert_eq!(
            String::from_utf8(whole).unwrap(),
            r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"42","name":"a","namespace":"b"},"data":{"metadata":"{\"metadata\":{}}"}}"#
        );
        let mut item = Vec::new();
        encoded.write_item_to(&mut item);
        assert!(item.starts_with(br#"{"metadata":{"resourceVersion":"42","#));
        assert_eq!(encoded.decode().unwrap()["metadata"]["resourceVersion"], "42");
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
