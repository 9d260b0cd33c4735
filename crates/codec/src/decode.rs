//! Request bodies to objects, within limits, with the strictness the client asked for.

use serde_json::{Map, Value};

use crate::apply;
use crate::cbor::{self, CborError};
use crate::protobuf::ProtobufError;
use crate::schema::{self, Type, TypeError};
use crate::tree::{self, Tree};
use crate::yaml::{self, YamlError};

pub type Object = Map<String, Value>;

/// The largest body a client may send, and the largest document its aliases may unfold to.
pub const MAX_BODY_BYTES: usize = 3 * 1024 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Yaml,
    Cbor,
}

/// What happens to unknown and duplicate fields: the `fieldValidation` parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped in silence.
    Ignore,
    /// They are dropped and the answer carries a warning for each. The server's default.
    #[default]
    Warn,
    /// The request is refused.
    Strict,
}

/// An object that fits its type, and what to warn the client of.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    pub object: Object,
    pub warnings: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("{0}")]
    Syntax(String),
    #[error(
        "couldn't get version/kind; json parse error: json: cannot unmarshal {found} into Go value of type struct \
         {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }}"
    )]
    NotAnObject { found: &'static str },
    #[error(transparent)]
    Type(#[from] TypeError),
    #[error(transparent)]
    Protobuf(#[from] ProtobufError),
    #[error(transparent)]
    Cbor(#[from] CborError),
    #[error(transparent)]
    Yaml(#[from] YamlError),
    #[error("strict decoding error: {}", .complaints.join(", "))]
    Strict { complaints: Vec<String> },
    #[error("Object 'Kind' is missing in '{body}'")]
    MissingKind { body: String },
    #[error("Object 'apiVersion' is missing in '{body}'")]
    MissingVersion { body: String },
}

impl FieldValidation {
    /// The parameter's value; empty or absent means the default.
    pub fn from_parameter(text: &str) -> Option<Self> {
        match text {
            "" | "Warn" => Some(FieldValidation::Warn),
            "Ignore" => Some(FieldValidation::Ignore),
            "Strict" => Some(FieldValidation::Strict),
            _ => None,
        }
    }

    /// Decides over what was found: warnings, silence or refusal.
    pub fn judge(self, complaints: Vec<String>) -> Result<Vec<String>, DecodeError> {
        match self {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Warn => Ok(complaints),
            FieldValidation::Strict if complaints.is_empty() => Ok(complaints),
            FieldValidation::Strict => Err(DecodeError::Strict { complaints }),
        }
    }
}

impl DecodeError {
    /// As the API server answers: `Pod in version "v1" cannot be handled as a Pod: …`.
    pub fn explain(&self, version: &str, kind: &str) -> String {
        format!("{kind} in version {version:?} cannot be handled as a {kind}: {self}")
    }
}

/// A body as an object of a built-in type: parsed, fitted to the type, judged.
pub fn decode(body: &[u8], format: Format, r#type: &Type, validation: FieldValidation) -> Result<Decoded, DecodeError> {
    fit(parse(body, format)?, r#type, validation)
}

/// As [`decode`], with managed fields at rest: see [`apply::rest`].
pub fn decode_resting(
    body: &[u8],
    format: Format,
    r#type: &Type,
    validation: FieldValidation,
) -> Result<Decoded, DecodeError> {
    if format == Format::Json && body.len() <= MAX_BODY_BYTES {
        return fit(tree::from_json_resting(body, MAX_BODY_BYTES).map_err(DecodeError::Syntax)?, r#type, validation);
    }
    let mut decoded = decode(body, format, r#type, validation)?;
    apply::rest(&mut decoded.object);
    Ok(decoded)
}

fn fit(tree: Tree, r#type: &Type, validation: FieldValidation) -> Result<Decoded, DecodeError> {
    let Tree { value, mut complaints } = tree;
    let mut object = into_object(value)?;
    apply::keep_reset(&mut object);
    schema::conform(&mut object, r#type, &mut complaints)?;
    let warnings = validation.judge(complaints)?;
    Ok(Decoded { object, warnings })
}

/// A body as an object of any shape; duplicate keys are judged, nothing else.
pub fn decode_untyped(body: &[u8], format: Format, validation: FieldValidation) -> Result<Decoded, DecodeError> {
    let Tree { value, complaints } = parse(body, format)?;
    let object = into_object(value)?;
    let warnings = validation.judge(complaints)?;
    Ok(Decoded { object, warnings })
}

/// A body as any JSON value: the operations of a JSON patch, for one.
pub fn parse(body: &[u8], format: Format) -> Result<Tree, DecodeError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(DecodeError::TooLarge { limit: MAX_BODY_BYTES });
    }
    match format {
        Format::Json => tree::from_json(body, MAX_BODY_BYTES).map_err(DecodeError::Syntax),
        Format::Yaml => Ok(yaml::parse(body, MAX_BODY_BYTES)?),
        // Keys that stand twice are never let through.
        Format::Cbor => Ok(Tree { value: cbor::parse(body)?, complaints: Vec::new() }),
    }
}

/// The `apiVersion` and `kind` an object states; both must be there.
pub fn stated_kind(object: &Object) -> Result<(&str, &str), DecodeError> {
    let stated = |key: &str| object.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let body = || Value::Object(object.clone()).to_string();
    let kind = stated("kind").ok_or_else(|| DecodeError::MissingKind { body: body() })?;
    let version = stated("apiVersion").ok_or_else(|| DecodeError::MissingVersion { body: body() })?;
    Ok((version, kind))
}

fn into_object(value: Value) -> Result<Object, DecodeError> {
    let found = match value {
        Value::Object(object) => return Ok(object),
        Value::Array(_) => "array",
        Value::String(_) => "string",
        Value::Number(_) => "number",
        Value::Bool(_) => "bool",
        Value::Null => return Ok(Object::new()),
    };
    Err(DecodeError::NotAnObject { found })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(body: &str, format: Format, validation: FieldValidation) -> Result<(Value, Vec<String>), String> {
        let r#type = schema::lookup("apps", "v1", "Deployment").unwrap();
        let decoded = decode(body.as_bytes(), format, r#type, validation).map_err(|error| error.to_string())?;
        Ok((Value::Object(decoded.object), decoded.warnings))
    }

    #[test]
    fn each_mode_treats_unknown_and_duplicate_fields_its_way() {
        let body = r#"{"metadata": {"name": "a", "name": "b"}, "spec": {"foo": 1, "replicas": 2}}"#;
        let clean = json!({"metadata": {"name": "b"}, "spec": {"replicas": 2}});
        let complaints = [r#"duplicate field "metadata.name""#, r#"unknown field "spec.foo""#];
        assert_eq!(deployment(body, Format::Json, FieldValidation::Ignore), Ok((clean.clone(), vec![])));
        assert_eq!(
            deployment(body, Format::Json, FieldValidation::Warn),
            Ok((clean, complaints.map(str::to_owned).to_vec()))
        );
        assert_eq!(
            deployment(body, Format::Json, FieldValidation::Strict),
            Err(format!("strict decoding error: {}", complaints.join(", ")))
        );
    }

    #[test]
    fn yaml_reads_like_json() {
        let body = "metadata:\n  name: web\n  labels: {1: one}\nspec:\n  replicas: 2\n";
        assert_eq!(
            deployment(body, Format::Yaml, FieldValidation::Strict),
            Ok((json!({"metadata": {"name": "web", "labels": {"1": "one"}}, "spec": {"replicas": 2}}), vec![]))
        );
        let error = deployment("spec: {a: 1}\nspec: {}\n", Format::Yaml, FieldValidation::Strict).unwrap_err();
        assert_eq!(error, "strict decoding error: yaml: unmarshal errors:\n  line 2: key \"spec\" already set in map");
    }

    #[test]
    fn bodies_past_the_limits_are_refused() {
        let refused = |body: &str, format| deployment(body, format, FieldValidation::Ignore).unwrap_err();
        let padded = format!("{{\"kind\": \"{}\"}}", "a".repeat(MAX_BODY_BYTES));
        assert_eq!(refused(&padded, Format::Json), "the body is larger than 3145728 bytes");
        assert!(refused(&"[".repeat(100_000), Format::Json).contains("recursion limit"));
        assert!(refused(&"[".repeat(100_000), Format::Yaml).contains("recursion limit"));
        let mut bomb = format!("a0: &a0 {}\n", "x".repeat(100));
        for level in 1..12 {
            let previous = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{}]\n", previous.trim_end_matches(", ")));
        }
        let answer = refused(&bomb, Format::Yaml);
        assert!(answer.contains("excessive aliasing"), "{answer}");
        assert!(
            refused("[1]", Format::Json)
                .starts_with("couldn't get version/kind; json parse error: json: cannot unmarshal array")
        );
    }
}
