//! Short names for contents.

use serde::Serialize;

/// A short name for some content: equal contents have equal hashes, and a collision count salts them.
/// Its letters make no words.
pub(crate) fn short_hash(content: &impl Serialize, collisions: Option<i32>) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    // Writing plain data to memory cannot fail; an empty text would only make a poorer hash.
    let text = serde_json::to_string(content).unwrap_or_default();
    let salt = collisions.map(i32::to_le_bytes).unwrap_or_default();
    let salted = text.bytes().chain(salt.into_iter().filter(|_| collisions.is_some()));
    let hash = salted.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_string().bytes().map(|digit| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()])).collect()
}
