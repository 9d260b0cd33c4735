//! CBOR (RFC 8949) as upstream speaks it: an object is one item in the self-described tag; Go's strings, keys among
//! them, are byte strings; and bytes stand in a tag that says they would be base64 in JSON.

mod decode;
mod encode;

pub(crate) use decode::parse;
pub use encode::{encode, frame};

pub const MEDIA_TYPE: &str = "application/cbor";

/// Of a watch: one item after another.
pub const SEQUENCE_MEDIA_TYPE: &str = "application/cbor-seq";

const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// What an item is: the three highest bits of its first byte.
mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const MAP: u8 = 5;
    pub(super) const TAG: u8 = 6;
    pub(super) const SIMPLE: u8 = 7;
}

/// What the item in a tag stands for.
mod tag {
    pub(super) const DATE_TEXT: u64 = 0;
    pub(super) const EPOCH: u64 = 1;
    pub(super) const BIG: u64 = 2;
    pub(super) const NEGATIVE_BIG: u64 = 3;
    /// Bytes that would be base64url in JSON.
    pub(super) const BASE64_URL: u64 = 21;
    pub(super) const BASE64: u64 = 22;
    pub(super) const HEX: u64 = 23;
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    #[error("EOF")]
    Empty,
    #[error("unexpected EOF")]
    Ended,
    #[error("cbor: {count} bytes of extraneous data starting at index {at}")]
    Extraneous { count: usize, at: usize },
    #[error("cbor: exceeded max nested level {limit}")]
    TooDeep { limit: usize },
    #[error("cbor: exceeded max number of elements {limit}")]
    TooMany { limit: usize },
    #[error("cbor: invalid additional information {information} for type {kind}")]
    Information { information: u8, kind: &'static str },
    #[error("cbor: wrong element type {found} for indefinite-length {within}")]
    Chunk { found: &'static str, within: &'static str },
    #[error("cbor: unexpected \"break\" code")]
    Break,
    #[error("cbor: invalid UTF-8 string")]
    Utf8,
    #[error("cbor: found duplicate map key {key:?} at map element index {at}")]
    DuplicateKey { key: String, at: usize },
    #[error("cbor: cannot unmarshal {found} into Go value of type string")]
    Key { found: &'static str },
    #[error("cbor: cannot unmarshal {found} into Go value of type int64 ({value} overflows Go's int64)")]
    Overflow { found: &'static str, value: String },
    #[error("cbor: cannot unmarshal {found} into Go value of type float64 ({value})")]
    NotFinite { found: &'static str, value: String },
    #[error("cbor: simple value {0} is not recognized")]
    Simple(u8),
    #[error("cbor: cannot unmarshal bignum into Go value of type interface {{}}")]
    Big,
    #[error("cbor: tag number {number} must be followed by {expected}")]
    Tagged { number: u64, expected: &'static str },
}

#[cfg(test)]
mod tests;
