//! One step of a field's path: a field's name, a list item's keys, a set's value, or an index.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use serde_json::{Map, Value};

/// How a child is chosen in its container. Ordered as managed fields are written: names, keys, values, indices.
#[derive(Clone, Debug)]
pub enum PathElement {
    Field(Cow<'static, str>),
    /// The item of a keyed list with these values, ordered by the keys' names.
    Key(Box<[(Cow<'static, str>, Value)]>),
    /// The item of a set.
    Value(Value),
    Index(i64),
}

/// Why a written path element cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElementError {
    #[error("key must be 2 characters long:")]
    TooShort,
    #[error("missing colon: {0}")]
    NoColon(String),
    /// A later version may know it; it is passed over.
    #[error("unknown path element type")]
    UnknownKind,
    #[error("parsing {text:?}: {reason}")]
    Malformed { text: String, reason: String },
}

impl PathElement {
    pub fn field(name: &str) -> Self {
        PathElement::Field(Cow::Owned(name.to_owned()))
    }

    /// The keys in any order.
    pub(super) fn key(mut keys: Vec<(Cow<'static, str>, Value)>) -> Self {
        keys.sort_by(|left, right| left.0.cmp(&right.0));
        PathElement::Key(keys.into())
    }

    /// As field sets write it: `f:spec`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
    pub fn encode(&self) -> String {
        match self {
            PathElement::Field(name) => format!("f:{name}"),
            PathElement::Key(keys) => {
                let object: Map<String, Value> =
                    keys.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
                format!("k:{}", Value::Object(object))
            }
            PathElement::Value(value) => format!("v:{value}"),
            PathElement::Index(index) => format!("i:{index}"),
        }
    }

    /// Appends [`PathElement::encode`] as a JSON string.
    pub(super) fn write_key(&self, out: &mut String) {
        let is_plain = |text: &str| text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
        match self {
            PathElement::Field(name) if is_plain(name) => out.extend(["\"f:", name, "\""]),
            other => out.push_str(&Value::from(other.encode()).to_string()),
        }
    }

    pub fn decode(text: &str) -> Result<Self, ElementError> {
        let malformed = |reason: String| ElementError::Malformed { text: text.to_owned(), reason };
        let (kind, rest) = match text.as_bytes() {
            [kind, b':', ..] => (*kind, &text[2..]),
            [_, _, ..] => return Err(ElementError::NoColon(text.to_owned())),
            _ => return Err(ElementError::TooShort),
        };
        match kind {
            b'f' => Ok(PathElement::field(rest)),
            b'v' => serde_json::from_str(rest).map(PathElement::Value).map_err(|error| malformed(error.to_string())),
            b'i' => rest
                .parse()
                .map(PathElement::Index)
                .map_err(|error: std::num::ParseIntError| malformed(error.to_string())),
            b'k' => {
                let keys: Map<String, Value> =
                    serde_json::from_str(rest).map_err(|error| malformed(error.to_string()))?;
                Ok(PathElement::key(keys.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect()))
            }
            _ => Err(ElementError::UnknownKind),
        }
    }
}

/// As messages print it: `.spec`, `[name="web"]`, `[="a"]`, `[0]`.
impl fmt::Display for PathElement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathElement::Field(name) => write!(formatter, ".{name}"),
            PathElement::Key(keys) => {
                formatter.write_str("[")?;
                for (at, (name, value)) in keys.iter().enumerate() {
                    let comma = if at > 0 { "," } else { "" };
                    write!(formatter, "{comma}{name}={value}")?;
                }
                formatter.write_str("]")
            }
            PathElement::Value(value) => write!(formatter, "[={value}]"),
            PathElement::Index(index) => write!(formatter, "[{index}]"),
        }
    }
}

/// A whole path: `.spec.containers[name="web"].image`.
pub fn path_text(path: &[PathElement]) -> String {
    path.iter().map(PathElement::to_string).collect()
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for PathElement {}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |element: &PathElement| match element {
            PathElement::Field(_) => 0,
            PathElement::Key(_) => 1,
            PathElement::Value(_) => 2,
            PathElement::Index(_) => 3,
        };
        match (self, other) {
            (PathElement::Field(left), PathElement::Field(right)) => left.cmp(right),
            (PathElement::Key(left), PathElement::Key(right)) => {
                let pairs = left.iter().zip(right.iter());
                let first = pairs
                    .map(|(left, right)| left.0.cmp(&right.0).then_with(|| compare_values(&left.1, &right.1)))
                    .find(|order| order.is_ne());
                first.unwrap_or_else(|| left.len().cmp(&right.len()))
            }
            (PathElement::Value(left), PathElement::Value(right)) => compare_values(left, right),
            (PathElement::Index(left), PathElement::Index(right)) => left.cmp(right),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

/// Numbers by value, then texts, truth values, lists, maps and null.
fn compare_values(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        Value::Bool(_) => 2,
        Value::Array(_) => 3,
        Value::Object(_) => 4,
        Value::Null => 5,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => left.as_f64().unwrap_or(f64::NAN).total_cmp(&right.as_f64().unwrap_or(f64::NAN)),
        },
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => {
            let first = left.iter().zip(right).map(|(left, right)| compare_values(left, right)).find(|o| o.is_ne());
            first.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        (Value::Object(left), Value::Object(right)) => {
            let sorted = |object: &Map<String, Value>| {
                let mut entries: Vec<_> = object.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
                entries.sort_by(|left, right| left.0.cmp(&right.0));
                entries
            };
            let (left, right) = (sorted(left), sorted(right));
            let pairs = left.iter().zip(&right);
            let first = pairs
                .map(|(left, right)| left.0.cmp(&right.0).then_with(|| compare_values(&left.1, &right.1)))
                .find(|order| order.is_ne());
            first.unwrap_or_else(|| left.len().cmp(&right.len()))
        }
        _ => rank(left).cmp(&rank(right)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_are_written_and_read_as_upstream_writes_them() {
        for (text, shown) in [
            ("f:spec", ".spec"),
            (r#"k:{"containerPort":80,"protocol":"TCP"}"#, r#"[containerPort=80,protocol="TCP"]"#),
            (r#"v:"a""#, r#"[="a"]"#),
            ("v:1", "[=1]"),
            ("i:3", "[3]"),
            ("f:", "."),
        ] {
            let element = PathElement::decode(text).unwrap();
            assert_eq!((element.encode().as_str(), element.to_string().as_str()), (text, shown));
        }
        let unsorted = PathElement::decode(r#"k:{"protocol":"TCP","containerPort":80}"#).unwrap();
        assert_eq!(unsorted.encode(), r#"k:{"containerPort":80,"protocol":"TCP"}"#);
        for broken in ["", "f", "spec", "k:[", "k:1", "i:x", "v:"] {
            assert!(PathElement::decode(broken).is_err(), "{broken}");
        }
        assert_eq!(PathElement::decode("x:1"), Err(ElementError::UnknownKind));
    }

    #[test]
    fn names_come_before_keys_and_numbers_are_ordered_by_value() {
        let port = |number: u16| PathElement::key(vec![("port".into(), json!(number))]);
        let mut elements = [
            PathElement::Index(0),
            PathElement::Value(json!("a")),
            PathElement::Value(json!(7)),
            port(8080),
            port(443),
            PathElement::field("b"),
            PathElement::field("a"),
        ];
        elements.sort();
        let texts: Vec<String> = elements.iter().map(PathElement::encode).collect();
        assert_eq!(texts, ["f:a", "f:b", r#"k:{"port":443}"#, r#"k:{"port":8080}"#, "v:7", r#"v:"a""#, "i:0"]);
    }
}
