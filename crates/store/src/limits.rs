//! What a key and a value may be.

use crate::StoreError;

/// The largest value. A request body may be 3 MiB; defaults and managed fields need room beside it.
pub const MAX_VALUE_BYTES: usize = 4 << 20;

/// The longest key: a group, a resource, a namespace and a name at their own limits fit.
pub const MAX_KEY_BYTES: usize = 1024;

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
    use super::*;

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
