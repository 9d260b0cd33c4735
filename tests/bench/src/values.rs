//! Values, the same in every run.

use bytes::Bytes;
use stdx::Random;

const SEED: u64 = 0x7069_6e74_6c65;

/// Where all values are drawn from.
pub(crate) fn random() -> Random {
    Random::seeded(SEED)
}

/// Text of this length that packs badly.
pub(crate) fn text(random: &Random, bytes: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        let mut bits = random.next_u64();
        for _ in 0..10.min(bytes - text.len()) {
            text.push(char::from(ALPHABET[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    text
}

/// A stored value of this length.
pub(crate) fn value(random: &Random, bytes: usize) -> Bytes {
    Bytes::from(text(random, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_their_length_and_repeat_themselves() {
        for bytes in [0, 1, 9, 10, 11, 1024] {
            assert_eq!(text(&random(), bytes).len(), bytes);
        }
        assert_eq!(value(&random(), 100), value(&random(), 100));
    }
}
