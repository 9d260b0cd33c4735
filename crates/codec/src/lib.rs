//! From bytes to objects and back: schema facts, strict decoding, patches, and the limits on all of them.
//!
//! An object is a JSON map. What a built-in type knows of its fields stands in [`schema`].

pub mod apply;
pub mod cbor;
pub mod decode;
pub mod patch;
pub mod protobuf;
pub mod schema;
pub mod tree;
pub mod yaml;

pub use api::{path, time};

pub use decode::{
    DecodeError, Decoded, FieldValidation, Format, MAX_BODY_BYTES, Object, decode, decode_resting, decode_untyped,
};
pub use patch::{PatchError, PatchKind, apply_json_patch, apply_merge_patch, apply_strategic_patch};
