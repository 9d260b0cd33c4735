//! Which objects a list, a watch or a deletion of many is about.

use std::collections::BTreeMap;

use api::Selector;
use api::selector::Operator;
use registry::{Kind, Object};
use serde_json::Value;

use crate::call::Call;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Encoded;

/// Label and field selectors of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    labels: Selector,
    fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldTerm {
    path: String,
    value: String,
    equal: bool,
}

/// Selectors longer than this are refused before they are parsed.
const MAX_SELECTOR_BYTES: usize = 16 * 1024;

impl Filter {
    pub(crate) fn of(call: &Call) -> Result<Self, ApiError> {
        let text = |name| {
            let text = call.query.get(name).unwrap_or("");
            if text.len() > MAX_SELECTOR_BYTES {
                return Err(ApiError::bad_request(format!("{name} is longer than {MAX_SELECTOR_BYTES} bytes")));
            }
            Ok(text)
        };
        let labels =
            Selector::parse(text("labelSelector")?).map_err(|error| ApiError::bad_request(error.to_string()))?;
        let fields = parse_fields(call.stored_kind(), text("fieldSelector")?)?;
        Ok(Filter { labels, fields })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_empty()
    }

    /// The one name that can match, where the selector gives one.
    pub(crate) fn name(&self) -> Option<&str> {
        let term = self.fields.iter().find(|term| term.equal && term.path == "metadata.name")?;
        Some(&term.value)
    }

    /// Whether the stored object is selected. Decodes only where there is something to compare.
    pub(crate) fn matches(&self, kind: &Kind, encoded: &Encoded) -> Result<bool, ApiError> {
        if self.is_everything() {
            return Ok(true);
        }
        Ok(self.matches_object(kind, &encoded.decode()?))
    }

    fn matches_object(&self, kind: &Kind, object: &Object) -> bool {
        let fields = self.fields.iter().all(|term| (field(kind, object, &term.path) == term.value) == term.equal);
        fields && (self.labels.is_everything() || self.labels.matches(&labels(object)))
    }
}

pub(crate) fn labels(object: &Object) -> BTreeMap<String, String> {
    let labels = metadata::map(object, "labels").into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), Value::as_str(value)?.to_owned()))).collect()
}

/// A label selector as a query spells it.
pub(crate) fn query_form(selector: &Selector) -> String {
    let requirement = |requirement: &api::selector::Requirement| {
        let key = &requirement.key;
        match &requirement.operator {
            Operator::In(values) if values.len() == 1 => format!("{key}={}", values[0]),
            Operator::In(values) => format!("{key} in ({})", values.join(",")),
            Operator::NotIn(values) if values.len() == 1 => format!("{key}!={}", values[0]),
            Operator::NotIn(values) => format!("{key} notin ({})", values.join(",")),
            Operator::Exists => key.clone(),
            Operator::DoesNotExist => format!("!{key}"),
            Operator::GreaterThan(bound) => format!("{key}>{bound}"),
            Operator::LessThan(bound) => format!("{key}<{bound}"),
        }
    };
    selector.requirements.iter().map(requirement).collect::<Vec<_>>().join(",")
}

fn field(kind: &Kind, object: &Object, path: &str) -> String {
    match path {
        "metadata.name" => metadata::name(object).to_owned(),
        "metadata.namespace" => metadata::namespace(object).to_owned(),
        // A known field that the object lacks is empty; unknown ones were refused at parsing.
        path => kind.rules.selectable_field(object, path).unwrap_or_else(String::new),
    }
}

fn parse_fields(kind: &Kind, text: &str) -> Result<Vec<FieldTerm>, ApiError> {
    let mut terms = Vec::new();
    for part in split_terms(text).into_iter().filter(|part| !part.is_empty()) {
        let invalid = || ApiError::bad_request(format!("invalid field selector: {text:?}; can't understand {part:?}"));
        let (path, value, equal) = if let Some((path, value)) = part.split_once("!=") {
            (path, value, false)
        } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (path, value, true)
        } else {
            return Err(invalid());
        };
        let known =
            matches!(path, "metadata.name" | "metadata.namespace") || kind.rules.selectable_fields().contains(&path);
        if !known {
            return Err(ApiError::bad_request(format!("field label not supported: {path}")));
        }
        let value = unescape(value).ok_or_else(invalid)?;
        terms.push(FieldTerm { path: path.to_owned(), value, equal });
    }
    Ok(terms)
}

/// Splits at commas that no backslash escapes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == ',' {
            terms.push(&text[start..at]);
            start = at + 1;
        }
    }
    terms.push(&text[start..]);
    terms
}

fn unescape(value: &str) -> Option<String> {
    let mut plain = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => plain.push(characters.next().filter(|next| matches!(next, '\\' | ',' | '='))?),
            '=' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn field_selectors_select_and_refuse_as_upstream() {
        let pods = crate::kinds::find("", "v1", "pods").unwrap();
        let Value::Object(pod) = json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {"nodeName": "n"}}) else {
            unreachable!()
        };
        for (text, expected) in [
            ("metadata.name=a", true),
            ("metadata.name==a,metadata.namespace=b", true),
            ("metadata.name!=a", false),
            ("spec.nodeName=n", true),
            ("spec.nodeName=", false),
            ("spec.nodeName=a\\,b", false),
        ] {
            let filter = Filter { labels: Selector::everything(), fields: parse_fields(pods, text).unwrap() };
            assert_eq!(filter.matches_object(pods, &pod), expected, "{text}");
        }
        let error = parse_fields(pods, "spec.colour=red").unwrap_err();
        assert_eq!(error.message(), "field label not supported: spec.colour");
        assert!(parse_fields(pods, "metadata.name").is_err());
    }
}
