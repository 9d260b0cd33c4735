//! Protobuf's wire format written from its end: a message's length stands before it and is known once it is written.

/// Bytes that grow towards their beginning.
pub(super) struct Writer {
    /// Filled from `start` on.
    bytes: Vec<u8>,
    start: usize,
}

pub(super) const VARINT: u32 = 0;
pub(super) const FIXED_64: u32 = 1;
pub(super) const BYTES: u32 = 2;

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Writer { bytes: vec![0; bytes], start: bytes }
    }

    /// How much is written.
    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(super) fn written(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        self.bytes.drain(..self.start);
        self.bytes
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.start -= bytes.len();
        self.bytes[self.start..self.start + bytes.len()].copy_from_slice(bytes);
    }

    pub(super) fn varint(&mut self, mut value: u64) {
        let mut bytes = [0; 10];
        let mut length = 0;
        loop {
            bytes[length] = (value & 0x7f) as u8 | 0x80;
            value >>= 7;
            length += 1;
            if value == 0 {
                break;
            }
        }
        bytes[length - 1] &= 0x7f;
        self.raw(&bytes[..length]);
    }

    pub(super) fn tag(&mut self, number: u16, wire_type: u32) {
        self.varint(u64::from(u32::from(number) << 3 | wire_type));
    }

    pub(super) fn number(&mut self, number: u16, value: u64) {
        self.varint(value);
        self.tag(number, VARINT);
    }

    pub(super) fn fixed64(&mut self, number: u16, value: u64) {
        self.raw(&value.to_le_bytes());
        self.tag(number, FIXED_64);
    }

    pub(super) fn bytes(&mut self, number: u16, bytes: &[u8]) {
        self.raw(bytes);
        self.varint(bytes.len() as u64);
        self.tag(number, BYTES);
    }

    /// Makes a field of everything written since `end` bytes were.
    pub(super) fn close(&mut self, number: u16, end: usize) {
        self.varint((self.len() - end) as u64);
        self.tag(number, BYTES);
    }

    fn reserve(&mut self, more: usize) {
        if more > self.start {
            let grown_by = (self.bytes.len() + more).max(256);
            let mut grown = vec![0; self.bytes.len() + grown_by];
            grown[self.start + grown_by..].copy_from_slice(self.written());
            self.bytes = grown;
            self.start += grown_by;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_last_stands_first() {
        let mut writer = Writer::with_capacity(0);
        writer.bytes(2, b"abc");
        writer.number(1, 300);
        writer.close(3, 0);
        assert_eq!(writer.into_bytes(), [0x1a, 8, 0x08, 0xac, 0x02, 0x12, 3, b'a', b'b', b'c']);
        let mut long = Writer::with_capacity(1);
        long.raw(&[7; 1000]);
        long.raw(&[8; 3]);
        assert_eq!(long.written(), [[8; 3].as_slice(), [7; 1000].as_slice()].concat());
    }

    #[test]
    fn numbers_take_the_bytes_they_need() {
        for (value, length) in [(0, 1), (127, 1), (128, 2), (u64::from(u32::MAX), 5), (u64::MAX, 10)] {
            let mut writer = Writer::with_capacity(0);
            writer.varint(value);
            assert_eq!(writer.len(), length, "{value}");
        }
    }
}
