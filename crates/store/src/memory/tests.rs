//! What every engine takes from the core, seen through the one that is nothing else.

mod leases;
mod past;
mod transactions;
mod watches;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};

use super::*;
use crate::{Author, Change, Expect, Operation, WatchItem};

pub(super) fn store(options: Options) -> Arc<Memory> {
    Memory::with_options(options, Clock::simulated())
}

pub(super) fn text(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

pub(super) fn string(entry: &Entry) -> String {
    String::from_utf8(entry.value.to_vec()).unwrap()
}

pub(super) fn put(key: &str, value: &str) -> Operation {
    Operation::put(key, text(value), Expect::Anything)
}

pub(super) fn by(user: &str, operations: Vec<Operation>) -> Transaction {
    let author = Author { user: user.into(), manager: "test".into() };
    Transaction { operations, author: Some(Arc::new(author)) }
}

pub(super) fn describe(event: &Event) -> String {
    let previous = event.previous.as_ref().map_or("-".to_owned(), string);
    let author = event.author.as_ref().map_or("nobody", |author| &author.user);
    match &event.change {
        Change::Put(entry) => {
            format!("{} {author} puts {}={} over {previous}", event.revision.0, entry.key, string(entry))
        }
        Change::Delete { key } => format!("{} {author} deletes {key}={previous}", event.revision.0),
    }
}

/// Everything the watch holds at this moment.
pub(super) fn drain(watch: &mut Watch) -> Vec<String> {
    std::iter::from_fn(|| tokio::task::unconstrained(watch.next()).now_or_never().flatten())
        .map(|item| match item {
            Ok(WatchItem::Event(event)) => describe(&event),
            Ok(WatchItem::Progress(revision)) => format!("progress {}", revision.0),
            Err(error) => error.to_string(),
        })
        .collect()
}

pub(super) fn watch(store: &Memory, prefix: &str, after: u64) -> Watch {
    let request = WatchRequest { prefix: prefix.into(), after: Revision(after), progress_every: None };
    store.watch(request).unwrap()
}
