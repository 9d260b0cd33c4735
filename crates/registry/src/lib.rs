//! One file per kind: `<group>/<kind>.rs` holds its descriptor and its rules, [`KINDS`] lists them.
//!
//! Everything the API server does with a kind follows from its [`Kind`]: routes, discovery, OpenAPI,
//! table columns, defaults, validation. A handler that names a kind is a design error.

pub mod kind;

pub use kind::{Column, FieldError, FieldErrorKind, Kind, Object, Rules, Scale, Scope, WriteContext};
