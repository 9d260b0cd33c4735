//! Which of several classes is the default: the newest that says so, of equally old ones the first by name.

use registry::{Kind, Object};

use super::Attributes;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Encoded;

/// The name of the default among all objects of a kind of classes.
pub(super) async fn default_class(
    attributes: &Attributes<'_>,
    kind: &'static Kind,
    annotations: &[&str],
) -> Result<Option<String>, ApiError> {
    let mut classes = Vec::new();
    for entry in attributes.call.server.storage.list(kind, "").await?.entries {
        classes.push(Encoded::from(entry).decode()?);
    }
    Ok(choose(&classes, annotations).map(str::to_owned))
}

fn choose<'a>(classes: &'a [Object], annotations: &[&str]) -> Option<&'a str> {
    let is_default = |class: &&Object| {
        let map = metadata::map(class, "annotations");
        annotations.iter().any(|name| map.is_some_and(|map| map.get(*name).is_some_and(|value| value == "true")))
    };
    // Times are all written in one form, in which the text of the later one is the greater.
    let newest_first = |class: &&Object| std::cmp::Reverse(metadata::text(class, "creationTimestamp").to_owned());
    let mut defaults: Vec<&Object> = classes.iter().filter(is_default).collect();
    defaults.sort_by_key(|class| (newest_first(class), metadata::name(class).to_owned()));
    defaults.first().map(|class| metadata::name(class))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const ANNOTATION: &str = "storageclass.kubernetes.io/is-default-class";

    fn class(name: &str, created: &str, is_default: &str) -> Object {
        let metadata = json!({"name": name, "creationTimestamp": created, "annotations": {ANNOTATION: is_default}});
        Object::from_iter([("metadata".to_owned(), metadata)])
    }

    #[test]
    fn the_newest_default_counts_and_then_the_name() {
        let old = class("old", "2030-01-01T00:00:00Z", "true");
        let (b, a) = (class("b", "2031-01-01T00:00:00Z", "true"), class("a", "2031-01-01T00:00:00Z", "true"));
        let none = class("none", "2032-01-01T00:00:00Z", "false");
        let bare = Object::from_iter([("metadata".to_owned(), Value::Null)]);
        assert_eq!(choose(&[old.clone(), b, a, none.clone(), bare], &[ANNOTATION]), Some("a"));
        assert_eq!(choose(&[none.clone(), old], &["other", ANNOTATION]), Some("old"));
        assert_eq!(choose(&[none], &[ANNOTATION]), None);
    }
}
