//! What a watch of etcd brought, as transactions of the store.

use prost::Message;
use store::{Change, Revision};

use crate::client::{entry, from_wire};
use crate::layout::{Layout, Place, Signature};
use crate::messages::{Event, EventType};

/// All that one transaction of etcd did below the root.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Digest {
    pub(crate) revision: Revision,
    /// `None` for what etcd did by itself, as the end of a lease, and for other programs' writes.
    pub(crate) signature: Option<Signature>,
    pub(crate) changes: Vec<Change>,
}

/// Gathers the events of each revision. They come in order, and one revision's are never apart.
pub(crate) fn digest(layout: &Layout, events: Vec<Event>) -> Vec<Digest> {
    let mut digests: Vec<Digest> = Vec::new();
    for event in events {
        let is_delete = event.r#type == EventType::Delete as i32;
        let Some(held) = event.kv else { continue };
        let revision = from_wire(held.mod_revision);
        if digests.last().is_none_or(|last| last.revision != revision) {
            digests.push(Digest { revision, signature: None, changes: Vec::new() });
        }
        let Some(digest) = digests.last_mut() else { continue };
        match layout.place(&held.key) {
            Place::Object(key) if is_delete => digest.changes.push(Change::Delete { key: key.into() }),
            Place::Object(key) => {
                let key = key.to_owned();
                digest.changes.push(Change::Put(entry(&key, held)));
            }
            Place::Signature => match Signature::decode(held.value) {
                Ok(signature) => digest.signature = Some(signature),
                Err(error) => tracing::warn!(revision = revision.0, "a signature cannot be read: {error}"),
            },
            Place::Other => {}
        }
    }
    digests
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use store::Entry;

    use super::*;
    use crate::messages::KeyValue;

    #[test]
    fn events_of_one_revision_make_one_transaction() {
        let layout = Layout::new("/x");
        let event = |kind: EventType, key: Bytes, revision: i64, value: &[u8]| Event {
            r#type: kind as i32,
            kv: Some(KeyValue {
                key,
                create_revision: 1,
                mod_revision: revision,
                value: Bytes::copy_from_slice(value),
                ..KeyValue::default()
            }),
        };
        let signature = Signature::new(None, 5, 6);
        let digests = digest(
            &layout,
            vec![
                event(EventType::Put, layout.object("a"), 2, b"1"),
                event(EventType::Delete, layout.object("b"), 2, b""),
                event(EventType::Put, layout.signature(), 2, &signature.encode_to_vec()),
                event(EventType::Put, layout.tick(), 3, b""),
                event(EventType::Delete, layout.object("a"), 5, b""),
                event(EventType::Put, layout.signature(), 6, b"\xff"),
            ],
        );
        let put = Entry { key: "a".into(), value: Bytes::from("1"), created: Revision(1), modified: Revision(2) };
        let delete = |key: &str| Change::Delete { key: key.into() };
        let expected = [
            (2, Some(signature), vec![Change::Put(put), delete("b")]),
            (3, None, vec![]),
            (5, None, vec![delete("a")]),
            (6, None, vec![]),
        ];
        let expected =
            expected.map(|(revision, signature, changes)| Digest { revision: Revision(revision), signature, changes });
        assert_eq!(digests, expected);
    }
}
