//! Netlink's framing: messages with a 16-byte header, attributes with a 4-byte one, both padded
//! to four bytes. Attribute integers of netfilter are big-endian.

pub(crate) const MESSAGE_HEADER_LENGTH: usize = 16;
const ATTRIBUTE_HEADER_LENGTH: usize = 4;
const NESTED: u16 = 1 << 15;
/// Masks the two flag bits of an attribute's type.
const TYPE_MASK: u16 = 0x3fff;

pub(crate) fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// Appends attributes to a buffer.
pub(crate) struct Attributes<'a> {
    buffer: &'a mut Vec<u8>,
}

impl<'a> Attributes<'a> {
    pub(crate) fn new(buffer: &'a mut Vec<u8>) -> Self {
        Attributes { buffer }
    }

    pub(crate) fn bytes(&mut self, kind: u16, value: &[u8]) {
        let start = self.open(kind);
        self.buffer.extend_from_slice(value);
        self.close(start);
    }

    /// A zero-terminated string.
    pub(crate) fn string(&mut self, kind: u16, value: &str) {
        let start = self.open(kind);
        self.buffer.extend_from_slice(value.as_bytes());
        self.buffer.push(0);
        self.close(start);
    }

    pub(crate) fn byte(&mut self, kind: u16, value: u8) {
        self.bytes(kind, &[value]);
    }

    pub(crate) fn u16(&mut self, kind: u16, value: u16) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub(crate) fn u32(&mut self, kind: u16, value: u32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, kind: u16, value: i32) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub(crate) fn u64(&mut self, kind: u16, value: u64) {
        self.bytes(kind, &value.to_be_bytes());
    }

    pub(crate) fn nested(&mut self, kind: u16, fill: impl FnOnce(&mut Attributes<'_>)) {
        let start = self.open(kind | NESTED);
        fill(&mut Attributes { buffer: self.buffer });
        self.close(start);
    }

    /// Bytes written so far to the whole buffer.
    pub(crate) fn position(&self) -> usize {
        self.buffer.len()
    }

    fn open(&mut self, kind: u16) -> usize {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0, 0]);
        self.buffer.extend_from_slice(&kind.to_ne_bytes());
        start
    }

    fn close(&mut self, start: usize) {
        let length = self.buffer.len() - start;
        // Callers split lists long before; a longer attribute could not be expressed at all.
        debug_assert!(length <= usize::from(u16::MAX), "an attribute of {length} bytes");
        self.buffer[start..start + 2].copy_from_slice(&(length as u16).to_ne_bytes());
        self.buffer.resize(start + aligned(length), 0);
    }
}

/// One attribute as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) kind: u16,
    pub(crate) value: &'a [u8],
}

impl<'a> Attribute<'a> {
    pub(crate) fn children(&self) -> impl Iterator<Item = Attribute<'a>> + use<'a> {
        attributes(self.value)
    }

    /// The text up to the terminating zero.
    pub(crate) fn text(&self) -> String {
        let end = self.value.iter().position(|byte| *byte == 0).unwrap_or(self.value.len());
        String::from_utf8_lossy(&self.value[..end]).into_owned()
    }
}

/// Reads attributes until the bytes end or stop making sense.
pub(crate) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    std::iter::from_fn(move || {
        let header = bytes.get(..ATTRIBUTE_HEADER_LENGTH)?;
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let kind = u16::from_ne_bytes([header[2], header[3]]) & TYPE_MASK;
        let value = bytes.get(ATTRIBUTE_HEADER_LENGTH..length)?;
        bytes = bytes.get(aligned(length)..).unwrap_or(&[]);
        Some(Attribute { kind, value })
    })
}

/// One message as read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) payload: &'a [u8],
}

/// Reads messages until the bytes end or stop making sense.
pub(crate) fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let flags = u16::from_ne_bytes(bytes.get(6..8)?.try_into().ok()?);
        let sequence = u32::from_ne_bytes(bytes.get(8..12)?.try_into().ok()?);
        let payload = bytes.get(MESSAGE_HEADER_LENGTH..length)?;
        bytes = bytes.get(aligned(length)..).unwrap_or(&[]);
        Some(Message { kind, flags, sequence, payload })
    })
}

/// Appends a message whose body `fill` writes.
pub(crate) fn push_message(
    buffer: &mut Vec<u8>,
    kind: u16,
    flags: u16,
    sequence: u32,
    fill: impl FnOnce(&mut Vec<u8>),
) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    buffer.extend_from_slice(&kind.to_ne_bytes());
    buffer.extend_from_slice(&flags.to_ne_bytes());
    buffer.extend_from_slice(&sequence.to_ne_bytes());
    buffer.extend_from_slice(&[0; 4]);
    fill(buffer);
    let length = buffer.len() - start;
    buffer[start..start + 4].copy_from_slice(&(length as u32).to_ne_bytes());
    buffer.resize(start + aligned(length), 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_read_back() {
        let mut bytes = Vec::new();
        push_message(&mut bytes, 7, 1, 42, |body| {
            let mut attributes = Attributes::new(body);
            attributes.string(1, "eth0");
            attributes.nested(2, |inner| inner.u16(3, 0x1234));
        });
        assert_eq!(bytes.len() % 4, 0);
        let message = messages(&bytes).next().unwrap();
        assert_eq!((message.kind, message.flags, message.sequence), (7, 1, 42));
        let read: Vec<_> = attributes(message.payload).collect();
        assert_eq!(read[0].text(), "eth0");
        assert_eq!(read[1].children().next().unwrap().value, [0x12, 0x34]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes: Vec<u8>) {
            for message in messages(&bytes) {
                attributes(message.payload).for_each(drop);
            }
        }
    }
}
