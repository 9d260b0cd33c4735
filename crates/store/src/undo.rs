//! Putting back what was.

use std::sync::Arc;

use crate::{Action, Author, Entry, Expect, Operation, ReadAt, Revision, Store, StoreError, Transaction};

/// Puts back what `key` held at `revision`, also when it was deleted since, if the key is now as
/// expected. What was not there at `revision` is removed. Returns the new entry, if there is one.
pub async fn put_back(
    store: &dyn Store,
    key: &str,
    revision: Revision,
    expect: Expect,
    author: Option<Arc<Author>>,
) -> Result<Option<Entry>, StoreError> {
    let past = store.get(key, ReadAt::Exactly(revision)).await?;
    let is_there = past.is_some();
    let action = match past {
        Some(entry) => Action::Put { value: entry.value, lifetime: None },
        None => Action::Delete,
    };
    let operation = Operation { key: key.into(), expect, action };
    let committed = store.commit(Transaction { operations: vec![operation], author }).await?;
    Ok(committed.entries.into_iter().next().flatten().filter(|_| is_there))
}
