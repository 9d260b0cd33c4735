//! Which keys of etcd are what.
//!
//! Below the root: `at/<key>` holds an object; `by` says who committed the newest transaction, when, and with which
//! request. Every transaction writes `by` together with its objects, so that
//! - a watch of the root brings each change with its author and time, and history keeps both as long as the change;
//! - whoever asks etcd for `by` learns the newest revision that anybody's transaction took, and can wait for exactly
//!   that one. A requested progress notification, the obvious way, overtakes events in etcd before 3.4.25 and 3.5.8;
//! - a writer whose answer got lost recognises its request among the events.

use bytes::Bytes;
use prost::Message;
use store::Author;

#[derive(Clone, Debug)]
pub(crate) struct Layout {
    root: String,
}

/// What `by` holds.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Signature {
    #[prost(string, tag = "1")]
    user: String,
    #[prost(string, tag = "2")]
    manager: String,
    #[prost(bool, tag = "3")]
    has_author: bool,
    /// Nanoseconds since the epoch, by the clock of the server that wrote.
    #[prost(int64, tag = "4")]
    pub(crate) time_ns: i64,
    #[prost(fixed64, tag = "5")]
    pub(crate) request: u64,
}

impl Signature {
    pub(crate) fn new(author: Option<&Author>, time_ns: i64, request: u64) -> Self {
        let (user, manager) = author.map_or(("", ""), |author| (&*author.user, &*author.manager));
        Signature { user: user.into(), manager: manager.into(), has_author: author.is_some(), time_ns, request }
    }

    pub(crate) fn author(&self) -> Option<Author> {
        self.has_author.then(|| Author { user: self.user.as_str().into(), manager: self.manager.as_str().into() })
    }
}

/// What a key of etcd is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    Object(&'a str),
    Signature,
    /// Another program's, or of no interest.
    Other,
}

impl Layout {
    pub(crate) fn new(root: &str) -> Self {
        Layout { root: root.to_owned() }
    }

    pub(crate) fn object(&self, key: &str) -> Bytes {
        format!("{}/at/{key}", self.root).into()
    }

    pub(crate) fn signature(&self) -> Bytes {
        format!("{}/by", self.root).into()
    }

    /// Written only to see the write arrive.
    pub(crate) fn tick(&self) -> Bytes {
        format!("{}/tick", self.root).into()
    }

    /// Agrees the servers that share the root on who compacts when.
    pub(crate) fn compaction(&self) -> Bytes {
        format!("{}/compacted", self.root).into()
    }

    /// First and end of everything below the root.
    pub(crate) fn everything(&self) -> (Bytes, Bytes) {
        (format!("{}/", self.root).into(), format!("{}0", self.root).into())
    }

    /// First and end of the objects whose keys begin with `prefix`.
    pub(crate) fn objects(&self, prefix: &str) -> (Bytes, Bytes) {
        let first = self.object(prefix);
        let end = end_of_prefix(&first);
        (first, end)
    }

    pub(crate) fn place<'a>(&self, key: &'a [u8]) -> Place<'a> {
        let Some(below) = key.strip_prefix(self.root.as_bytes()) else { return Place::Other };
        if below == b"/by" {
            return Place::Signature;
        }
        let object = below.strip_prefix(b"/at/").and_then(|key| std::str::from_utf8(key).ok());
        object.map_or(Place::Other, Place::Object)
    }
}

/// The first key behind all that begin with `prefix`, which is UTF-8 and so never all `0xff`.
fn end_of_prefix(prefix: &[u8]) -> Bytes {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_again() {
        let layout = Layout::new("/teams/red");
        for key in ["a", "/registry/pods/x", "at/b"] {
            assert_eq!(layout.place(&layout.object(key)), Place::Object(key));
        }
        assert_eq!(layout.place(&layout.signature()), Place::Signature);
        for other in [&layout.tick()[..], &layout.compaction(), b"/teams/reds/at/a", b"/teams", b"/teams/red/at/\xff"] {
            assert_eq!(layout.place(other), Place::Other);
        }
        let (first, end) = layout.everything();
        for inside in [layout.object("z"), layout.signature(), layout.tick(), layout.compaction()] {
            assert!(first <= inside && inside < end);
        }
        let (first, end) = layout.objects("pods/");
        assert!(first <= layout.object("pods/\u{10ffff}") && layout.object("pods/\u{10ffff}") < end);
        assert!(layout.object("pods0") >= end && layout.object("pod") < first);
    }

    #[test]
    fn a_signature_keeps_author_time_and_request() {
        let author = Author { user: "jane".into(), manager: "kubectl".into() };
        let signature = Signature::new(Some(&author), 7, 9);
        let read = Signature::decode(signature.encode_to_vec().as_slice()).unwrap();
        assert_eq!((read.author(), read.time_ns, read.request), (Some(author), 7, 9));
        assert_eq!(Signature::new(Some(&Author::default()), 1, 2).author(), Some(Author::default()));
        assert_eq!(Signature::new(None, 1, 2).author(), None);
    }
}
