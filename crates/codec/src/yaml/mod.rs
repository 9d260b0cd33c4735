//! YAML as Kubernetes' own library reads and writes it: version 1.1's idea of what a plain scalar is, one document, and
//! only what JSON can hold.

mod emit;
mod parse;
mod scalar;

pub use emit::encode;
pub(crate) use parse::parse;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    #[error("error converting YAML to JSON: yaml: {0}")]
    Text(std::str::Utf8Error),
    #[error("error converting YAML to JSON: yaml: line {line}: {reason}")]
    Syntax { line: usize, reason: String },
    #[error("error converting YAML to JSON: yaml: document contains excessive aliasing")]
    Aliasing,
    #[error("error converting YAML to JSON: yaml: exceeded max depth of {limit}")]
    TooDeep { limit: usize },
    #[error("error converting YAML to JSON: yaml: expected a single document in the stream")]
    Documents,
    #[error("error converting YAML to JSON: yaml: anchor value contains itself")]
    Recursive,
    #[error("error converting YAML to JSON: yaml: map merge requires map or sequence of maps as the value")]
    Merge,
    #[error("error converting YAML to JSON: yaml: !!binary value contains invalid base64 data")]
    Binary,
    #[error("error converting YAML to JSON: yaml: cannot decode !!str `{text}` as a {tag}")]
    Tag { text: String, tag: String },
    #[error("json: unsupported value: {0}")]
    NotFinite(String),
    #[error("unsupported map key of type: {0}")]
    Key(&'static str),
}

#[cfg(test)]
mod tests;
