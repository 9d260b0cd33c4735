//! One file per kind: `<group>/<kind>.rs` holds its descriptor and its rules, [`KINDS`] lists them.
//!
//! Everything the API server does with a kind follows from its [`Kind`]: routes, discovery, OpenAPI,
//! table columns, defaults, validation. A handler that names a kind is a design error.

pub mod columns;
pub mod error;
pub mod human;
pub mod kind;
pub mod names;

pub use error::{FieldError, FieldErrorKind};
pub use kind::{Column, Kind, Object, Rules, Scale, Scope, WriteContext};
pub use names::NameRule;
