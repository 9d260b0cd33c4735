//! Protobuf's wire format: numbered fields with payloads, one after another.

use super::ProtobufError;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("proto: unexpected EOF")]
    Ended,
    #[error("proto: integer overflow")]
    Overflow,
    #[error("proto: illegal tag {0}")]
    Tag(u64),
    #[error("proto: unexpected end of group")]
    Group,
}

/// What a field holds. Slices point into the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payload<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    /// 32 bits, or a group: read past, for no Kubernetes type has them.
    Skipped,
}

pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    /// The next field's number and payload; `None` at the end of the message.
    pub(super) fn next(&mut self) -> Result<Option<(u32, Payload<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = self.tag()?;
        let payload = match wire_type {
            START_GROUP => {
                self.skip_group()?;
                Payload::Skipped
            }
            END_GROUP => return Err(WireError::Group),
            _ => self.payload(wire_type)?,
        };
        Ok(Some((number, payload)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn varint(&mut self) -> Result<u64, WireError> {
        let mut value = 0;
        for at in 0..10 {
            let (&byte, rest) = self.rest.split_first().ok_or(WireError::Ended)?;
            self.rest = rest;
            if at == 9 && byte > 1 {
                return Err(WireError::Overflow);
            }
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(WireError::Overflow)
    }

    /// Field number and wire type.
    fn tag(&mut self) -> Result<(u32, u64), WireError> {
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        Ok((number.ok_or(WireError::Tag(tag))?, tag & 7))
    }

    fn payload(&mut self, wire_type: u64) -> Result<Payload<'a>, WireError> {
        match wire_type {
            VARINT => Ok(Payload::Varint(self.varint()?)),
            FIXED_64 => {
                let (bytes, rest) = self.rest.split_first_chunk().ok_or(WireError::Ended)?;
                self.rest = rest;
                Ok(Payload::Fixed64(u64::from_le_bytes(*bytes)))
            }
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| WireError::Overflow)?;
                Ok(Payload::Bytes(self.take(length)?))
            }
            FIXED_32 => {
                self.take(4)?;
                Ok(Payload::Skipped)
            }
            other => Err(WireError::Tag(other)),
        }
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(WireError::Ended)?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads past a group that was just opened, and the groups in it.
    fn skip_group(&mut self) -> Result<(), WireError> {
        let mut open = 1_usize;
        while open > 0 {
            match self.tag()? {
                (_, START_GROUP) => open += 1,
                (_, END_GROUP) => open -= 1,
                (_, wire_type) => {
                    self.payload(wire_type)?;
                }
            }
        }
        Ok(())
    }
}

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;
const START_GROUP: u64 = 3;
const END_GROUP: u64 = 4;
const FIXED_32: u64 = 5;

impl<'a> Payload<'a> {
    pub(super) fn is_zero(self) -> bool {
        matches!(self, Payload::Varint(0) | Payload::Bytes([]))
    }

    pub(super) fn varint(self, field: &'static str) -> Result<u64, ProtobufError> {
        match self {
            Payload::Varint(value) => Ok(value),
            _ => Err(wrong_type(field)),
        }
    }

    pub(super) fn fixed64(self, field: &'static str) -> Result<u64, ProtobufError> {
        match self {
            Payload::Fixed64(value) => Ok(value),
            _ => Err(wrong_type(field)),
        }
    }

    pub(super) fn bytes(self, field: &'static str) -> Result<&'a [u8], ProtobufError> {
        match self {
            Payload::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong_type(field)),
        }
    }

    pub(super) fn text(self, field: &'static str) -> Result<&'a str, ProtobufError> {
        let text = std::str::from_utf8(self.bytes(field)?);
        text.map_err(|_| ProtobufError::Field { field, reason: "the text is not UTF-8".to_owned() })
    }
}

fn wrong_type(field: &'static str) -> ProtobufError {
    ProtobufError::Field { field, reason: "wrong wire type".to_owned() }
}
