//! Which objects a list, a watch or a deletion of many is about.

use std::borrow::Cow;

use api::Selector;
use api::selector::{Operator, Requirement};
use memchr::memmem;
use registry::{FieldError, Kind, Object, names};
use serde_json::Value;

use crate::attributes::{self, Labels};
use crate::call::Call;
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;
use crate::storage::Encoded;
use crate::wire::query::Query;

/// Label and field selectors of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) labels: Selector,
    /// Of the object's place, which its key tells.
    place: Vec<FieldTerm>,
    /// Of what is in it.
    pub(crate) fields: Vec<FieldTerm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldTerm {
    pub(crate) path: String,
    pub(crate) value: String,
    pub(crate) equal: bool,
}

/// Selectors longer than this are refused before they are parsed.
const MAX_SELECTOR_BYTES: usize = 16 * 1024;

const NAME: &str = "metadata.name";
const NAMESPACE: &str = "metadata.namespace";
/// Wherever it is selectable, it stands in the object as it is compared.
const NODE_NAME: &str = "spec.nodeName";

impl Filter {
    pub(crate) fn of(call: &Call) -> Result<Self, ApiError> {
        let mut filter = Filter::parse(call.kind, &call.query)?;
        let requested = call.info.name.as_str();
        if requested.is_empty() {
            return Ok(filter);
        }
        // The path, or the selector itself, names one object.
        match filter.name() {
            Some(name) if name == requested => {}
            None if filter.place.is_empty() && filter.fields.is_empty() => {
                filter.place.push(FieldTerm { path: NAME.to_owned(), value: requested.to_owned(), equal: true });
            }
            _ => return Err(ApiError::bad_request("fieldSelector metadata.name doesn't match requested name")),
        }
        Ok(filter)
    }

    /// `kind` in the version that the request is made in: each has its own names for fields.
    pub(crate) fn parse(kind: &'static Kind, query: &Query) -> Result<Self, ApiError> {
        let text = |name| {
            let text = query.get(name).unwrap_or("");
            if text.len() > MAX_SELECTOR_BYTES {
                return Err(ApiError::bad_request(format!("{name} is longer than {MAX_SELECTOR_BYTES} bytes")));
            }
            Ok(text)
        };
        let labels =
            Selector::parse(text("labelSelector")?).map_err(|error| ApiError::bad_request(error.to_string()))?;
        if let Some(fault) = labels.requirements.iter().find_map(impossible) {
            return Err(ApiError::bad_request(format!("unable to parse requirement: {fault}")));
        }
        let terms = parse_fields(kind, text("fieldSelector")?)?;
        let (place, fields) = terms.into_iter().partition(|term| term.path == NAME || term.path == NAMESPACE);
        Ok(Filter { labels, place, fields })
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.place.is_empty() && self.fields.is_empty()
    }

    /// The one name that can match, where the selector gives one.
    pub(crate) fn name(&self) -> Option<&str> {
        self.place.iter().find(|term| term.equal && term.path == NAME).map(|term| term.value.as_str())
    }

    /// The one namespace that can match, where the selector gives one.
    pub(crate) fn namespace(&self) -> Option<&str> {
        self.place.iter().find(|term| term.equal && term.path == NAMESPACE).map(|term| term.value.as_str())
    }

    /// Whether the stored object at `key` is selected. Reads no more of it than there is to compare.
    pub(crate) fn matches(&self, kind: &Kind, key: &str, encoded: &Encoded) -> Result<bool, ApiError> {
        Ok(self.matches_place(kind, key)
            && self.may_match(&encoded.bytes)
            && (self.labels.is_everything() || self.labels.matches(&attributes::labels(&encoded.bytes)?))
            && (self.fields.is_empty() || self.matches_fields(kind, &attributes::selectable(kind, &encoded.bytes)?)))
    }

    pub(crate) fn matches_place(&self, kind: &Kind, key: &str) -> bool {
        self.place.iter().all(|term| {
            let mut segments = key.rsplit('/');
            let name = segments.next().unwrap_or("");
            let namespace = segments.next().filter(|_| kind.is_namespaced()).unwrap_or("");
            let actual = if term.path == NAME { name } else { namespace };
            (actual == term.value) == term.equal
        })
    }

    /// Every node watches its own pods, and so every pod's change is held against every node. Where a node's name
    /// stands nowhere in the object, there is nothing to read.
    fn may_match(&self, bytes: &[u8]) -> bool {
        let is_plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let names_node = |term: &&FieldTerm| term.equal && term.path == NODE_NAME && is_plain(&term.value);
        let mut names = self.fields.iter().filter(names_node);
        names.all(|term| memmem::find(bytes, term.value.as_bytes()).is_some())
    }

    fn matches_fields(&self, kind: &Kind, object: &Object) -> bool {
        self.fields.iter().all(|term| (field(kind, object, &term.path) == term.value) == term.equal)
    }
}

/// What no object can carry as a label is refused, not looked for.
fn impossible(requirement: &Requirement) -> Option<FieldError> {
    let fault = |path: String, value: &str, details: Vec<String>| {
        (!details.is_empty()).then(|| FieldError::invalid(path, value, details.join("; ")))
    };
    let key = &requirement.key;
    let values = match &requirement.operator {
        Operator::In(values) | Operator::NotIn(values) => values.as_slice(),
        _ => &[],
    };
    fault("key".to_owned(), key, names::qualified_name(key)).or_else(|| {
        let mut values = values.iter().enumerate();
        values.find_map(|(at, value)| fault(format!("values[{at}][{key}]"), value, names::label_value(value)))
    })
}

impl FieldTerm {
    pub(crate) fn matches_value(&self, value: Option<&str>) -> bool {
        (value.unwrap_or("") == self.value) == self.equal
    }
}

pub(crate) fn labels(object: &Object) -> Labels {
    let labels = metadata::map(object, "labels").into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), Value::as_str(value)?.to_owned()))).collect()
}

/// The value of a selectable field. A known one that the object lacks is empty; unknown ones were
/// refused at parsing.
pub(crate) fn field<'a>(kind: &Kind, object: &'a Object, path: &str) -> Cow<'a, str> {
    match path {
        NAME => metadata::name(object).into(),
        NAMESPACE => metadata::namespace(object).into(),
        path => kind.rules.selectable_field(object, path).unwrap_or_default().into(),
    }
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

fn parse_fields(kind: &'static Kind, text: &str) -> Result<Vec<FieldTerm>, ApiError> {
    let stored = kinds::stored(kind);
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
        let known = match path {
            NAME | NAMESPACE => Some(path),
            _ => kind.rules.stored_field(path).filter(|path| stored.rules.selectable_fields().contains(path)),
        };
        let path = known.ok_or_else(|| ApiError::bad_request(format!("field label not supported: {path}")))?;
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
    use crate::wire::query::encode_segment;

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
            ("spec.nodeName=a", false),
            ("spec.nodeName=other", false),
            ("spec.nodeName!=other", true),
            ("spec.nodeName=a\\,b", false),
        ] {
            let query = Query::parse(&format!("fieldSelector={}", encode_segment(text)));
            let filter = Filter::parse(pods, &query).unwrap();
            let encoded = Encoded::unwritten(pods, &pod);
            assert_eq!(filter.matches(pods, "/registry/core/pods/b/a", &encoded).unwrap(), expected, "{text}");
        }
        let events = crate::kinds::find("events.k8s.io", "v1", "events").unwrap();
        let terms = parse_fields(events, "regarding.name=a,reportingController!=b,type=Normal").unwrap();
        let paths: Vec<&str> = terms.iter().map(|term| term.path.as_str()).collect();
        assert_eq!(paths, ["involvedObject.name", "reportingComponent", "type"]);
        for path in ["involvedObject.name", "source", "action"] {
            let error = parse_fields(events, &format!("{path}=a")).unwrap_err();
            assert_eq!(error.message(), format!("field label not supported: {path}"));
        }
        let error = parse_fields(pods, "spec.colour=red").unwrap_err();
        assert_eq!(error.message(), "field label not supported: spec.colour");
        assert!(parse_fields(pods, "metadata.name").is_err());
    }
}
