//! What a key, a value and a transaction may be.

use std::collections::HashSet;

use crate::{Action, StoreError, Transaction};

/// The largest value. A request body may be 3 MiB; defaults and managed fields need room beside it.
pub const MAX_VALUE_BYTES: usize = 4 << 20;

/// The longest key: a group, a resource, a namespace and a name at their own limits fit.
pub const MAX_KEY_BYTES: usize = 1024;

/// The most operations in one transaction: as many as etcd takes, less the one that says there who wrote.
pub const MAX_OPERATIONS: usize = 127;

/// The most bytes in one transaction: keys, values and author.
pub const MAX_TRANSACTION_BYTES: usize = 8 << 20;

/// Refuses what no engine would carry out, whatever it holds.
pub fn check_transaction(transaction: &Transaction) -> Result<(), StoreError> {
    let operations = &transaction.operations;
    if operations.is_empty() {
        return Err(StoreError::InvalidTransaction { reason: "it has no operations" });
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(StoreError::InvalidTransaction { reason: "it has more than 127 operations" });
    }
    for operation in operations {
        check_key(&operation.key)?;
        if let Action::Put { value, .. } = &operation.action {
            check_value(value)?;
        }
    }
    if let [_, _, ..] = operations.as_slice() {
        let keys: HashSet<&str> = operations.iter().map(|operation| &*operation.key).collect();
        if keys.len() < operations.len() {
            return Err(StoreError::InvalidTransaction { reason: "it names a key twice" });
        }
    }
    if let Some(author) = &transaction.author
        && author.user.len().max(author.manager.len()) > usize::from(u16::MAX)
    {
        return Err(StoreError::InvalidTransaction { reason: "its author's name is longer than 65535 bytes" });
    }
    match size_bytes(transaction) {
        size if size > MAX_TRANSACTION_BYTES => Err(StoreError::TooLarge { size, limit: MAX_TRANSACTION_BYTES }),
        _ => Ok(()),
    }
}

/// Keys, values and author.
pub(crate) fn size_bytes(transaction: &Transaction) -> usize {
    let author = transaction.author.as_ref().map_or(0, |author| author.user.len() + author.manager.len());
    let operations = transaction.operations.iter().map(|operation| {
        operation.key.len()
            + match &operation.action {
                Action::Put { value, .. } => value.len(),
                Action::Delete | Action::Check => 0,
            }
    });
    author + operations.sum::<usize>()
}

pub(crate) fn check_key(key: &str) -> Result<(), StoreError> {
    let invalid = |reason| StoreError::InvalidKey { key: key.chars().take(256).collect(), reason };
    if key.is_empty() {
        return Err(invalid("it is empty"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(invalid("it is longer than 1024 bytes"));
    }
    if key.contains('\0') {
        return Err(invalid("it contains a NUL"));
    }
    // One leading slash is a matter of taste; every segment behind it has to say something.
    for segment in key.strip_prefix('/').unwrap_or(key).split('/') {
        match segment {
            "" => return Err(invalid("it has an empty segment")),
            "." | ".." => return Err(invalid("it has a segment that means a folder")),
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn check_value(value: &[u8]) -> Result<(), StoreError> {
    if value.len() > MAX_VALUE_BYTES {
        return Err(StoreError::TooLarge { size: value.len(), limit: MAX_VALUE_BYTES });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{Expect, Operation};

    #[test]
    fn a_transaction_has_something_to_do_and_does_it_once() {
        let put = |key: &str, bytes: usize| Operation::put(key, Bytes::from(vec![0; bytes]), Expect::Anything);
        let check = |operations: Vec<Operation>, expected: &str| {
            let result = check_transaction(&Transaction { operations, author: None });
            assert_eq!(result.map_or_else(|error| error.to_string(), |()| "good".to_owned()), expected);
        };
        check(vec![put("a", 1), Operation::delete("b", Expect::Anything)], "good");
        check(vec![], "invalid transaction: it has no operations");
        check(vec![put("a", 1), Operation::check("a", Expect::Absent)], "invalid transaction: it names a key twice");
        check((0..MAX_OPERATIONS).map(|number| put(&format!("k{number}"), 1)).collect(), "good");
        let many = (0..=MAX_OPERATIONS).map(|number| put(&format!("k{number}"), 1)).collect();
        check(many, "invalid transaction: it has more than 127 operations");
        check(vec![put("a/../b", 1)], "invalid key \"a/../b\": it has a segment that means a folder");
        check(vec![put("a", MAX_VALUE_BYTES + 1)], "it is 4194305 bytes; the limit is 4194304");
        let large = (0..3).map(|number| put(&format!("k{number}"), MAX_VALUE_BYTES)).collect();
        check(large, "it is 12582918 bytes; the limit is 8388608");
    }

    #[test]
    fn keys_are_paths_of_names() {
        for good in ["a", "/registry/pods/default/web-0", "rbac/roles/system:node", "a/.b", "a/...", "ä/ö"] {
            assert!(check_key(good).is_ok(), "{good}");
        }
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        for bad in ["", "/", "a/", "a//b", "//a", "..", "a/../b", "a/.", "a\0b", &long] {
            assert!(check_key(bad).is_err(), "{bad}");
        }
    }
}
