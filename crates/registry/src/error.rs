//! Faults of an object, in upstream's words.

use std::fmt;

use serde_json::Value;

/// One fault and where it is: `spec.containers[0].image: Required value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub path: String,
    pub kind: FieldErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldErrorKind {
    NotFound {
        value: Value,
        detail: String,
    },
    Required {
        detail: String,
    },
    Invalid {
        value: Value,
        detail: String,
    },
    /// The whole is meant, which would be too much to show.
    InvalidWhole {
        detail: String,
    },
    NotSupported {
        value: Value,
        supported: Vec<String>,
    },
    Duplicate {
        value: Value,
        detail: String,
    },
    Forbidden {
        detail: String,
    },
    TooLong {
        limit: usize,
    },
    TooMany {
        actual: usize,
        limit: usize,
    },
}

impl FieldError {
    pub fn required(path: impl Into<String>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::Required { detail: detail.into() } }
    }

    pub fn invalid(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::Invalid { value: value.into(), detail: detail.into() } }
    }

    pub fn invalid_whole(path: impl Into<String>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::InvalidWhole { detail: detail.into() } }
    }

    pub fn not_supported(path: impl Into<String>, value: impl Into<Value>, supported: &[&str]) -> Self {
        let supported = supported.iter().map(|&name| name.to_owned()).collect();
        FieldError { path: path.into(), kind: FieldErrorKind::NotSupported { value: value.into(), supported } }
    }

    /// As [`FieldError::duplicate`], of what must be alone in which way.
    pub fn duplicate_of(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::Duplicate { value: value.into(), detail: detail.into() } }
    }

    pub fn duplicate(path: impl Into<String>, value: impl Into<Value>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::Duplicate { value: value.into(), detail: String::new() } }
    }

    pub fn forbidden(path: impl Into<String>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::Forbidden { detail: detail.into() } }
    }

    pub fn not_found(path: impl Into<String>, value: impl Into<Value>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::NotFound { value: value.into(), detail: String::new() } }
    }

    /// As [`FieldError::not_found`], with what there would have been.
    pub fn not_found_among(path: impl Into<String>, value: impl Into<Value>, detail: impl Into<String>) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::NotFound { value: value.into(), detail: detail.into() } }
    }

    pub fn too_long(path: impl Into<String>, limit: usize) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::TooLong { limit } }
    }

    pub fn too_many(path: impl Into<String>, actual: usize, limit: usize) -> Self {
        FieldError { path: path.into(), kind: FieldErrorKind::TooMany { actual, limit } }
    }

    /// The reason of the `StatusCause` this fault becomes.
    pub fn reason(&self) -> &'static str {
        match self.kind {
            FieldErrorKind::NotFound { .. } => "FieldValueNotFound",
            FieldErrorKind::Required { .. } => "FieldValueRequired",
            FieldErrorKind::Invalid { .. } | FieldErrorKind::InvalidWhole { .. } => "FieldValueInvalid",
            FieldErrorKind::NotSupported { .. } => "FieldValueNotSupported",
            FieldErrorKind::Duplicate { .. } => "FieldValueDuplicate",
            FieldErrorKind::Forbidden { .. } => "FieldValueForbidden",
            FieldErrorKind::TooLong { .. } => "FieldValueTooLong",
            FieldErrorKind::TooMany { .. } => "FieldValueTooMany",
        }
    }

    /// The message of the `StatusCause`: everything but the path.
    pub fn body(&self) -> String {
        let (title, value, detail) = match &self.kind {
            FieldErrorKind::NotFound { value, detail } => ("Not found", Some(value.clone()), detail.clone()),
            FieldErrorKind::Required { detail } => ("Required value", None, detail.clone()),
            FieldErrorKind::Invalid { value, detail } => ("Invalid value", Some(value.clone()), detail.clone()),
            FieldErrorKind::InvalidWhole { detail } => ("Invalid value", None, detail.clone()),
            FieldErrorKind::NotSupported { value, supported } => {
                let quoted: Vec<String> = supported.iter().map(|name| format!("{name:?}")).collect();
                let detail = match quoted.is_empty() {
                    true => String::new(),
                    false => format!("supported values: {}", quoted.join(", ")),
                };
                ("Unsupported value", Some(value.clone()), detail)
            }
            FieldErrorKind::Duplicate { value, detail } => ("Duplicate value", Some(value.clone()), detail.clone()),
            FieldErrorKind::Forbidden { detail } => ("Forbidden", None, detail.clone()),
            FieldErrorKind::TooLong { limit } => ("Too long", None, format!("may not be more than {limit} bytes")),
            FieldErrorKind::TooMany { actual, limit } => {
                ("Too many", Some(Value::from(*actual)), format!("must have at most {limit} {}", items(*limit)))
            }
        };
        let mut text = title.to_owned();
        if let Some(value) = value {
            text.push_str(": ");
            text.push_str(&value.to_string());
        }
        if !detail.is_empty() {
            text.push_str(": ");
            text.push_str(&detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.path, self.body())
    }
}

/// Several faults as upstream's aggregate prints them: one bare, more in brackets.
pub fn aggregate(errors: &[FieldError]) -> String {
    match errors {
        [only] => only.to_string(),
        several => {
            let mut texts: Vec<String> = Vec::with_capacity(several.len());
            for text in several.iter().map(FieldError::to_string) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            format!("[{}]", texts.join(", "))
        }
    }
}

fn items(count: usize) -> &'static str {
    if count == 1 { "item" } else { "items" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn renders_upstreams_words() {
        for (error, expected) in [
            (FieldError::required("spec.containers[0].image", ""), "spec.containers[0].image: Required value"),
            (
                FieldError::invalid("spec.replicas", -1, "must be greater than or equal to 0"),
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                FieldError::invalid("spec.selector", json!({"matchLabels": {"a": "b"}}), "field is immutable"),
                r#"spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: field is immutable"#,
            ),
            (
                FieldError::not_supported("spec.type", "x", &["A", "B"]),
                r#"spec.type: Unsupported value: "x": supported values: "A", "B""#,
            ),
            (FieldError::duplicate("spec.ports[1].name", "a"), r#"spec.ports[1].name: Duplicate value: "a""#),
            (FieldError::forbidden("spec", "no"), "spec: Forbidden: no"),
            (FieldError::too_long("data", 10), "data: Too long: may not be more than 10 bytes"),
            (FieldError::too_many("spec.dns", 4, 3), "spec.dns: Too many: 4: must have at most 3 items"),
        ] {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn several_faults_stand_in_brackets_once_each() {
        let (a, b) = (FieldError::required("a", ""), FieldError::required("b", ""));
        assert_eq!(aggregate(std::slice::from_ref(&a)), "a: Required value");
        assert_eq!(aggregate(&[a.clone(), b, a]), "[a: Required value, b: Required value]");
    }
}
