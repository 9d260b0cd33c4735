//! The one source of randomness that is not for secrets.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};

/// Letters and digits without vowels or look-alikes, so that a generated name spells nothing.
const NAME_ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// Identifiers, suffixes and jitter. Keys and tokens do not come from here.
#[derive(Clone, Debug)]
pub struct Random {
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    System,
    Seeded(Arc<Mutex<u64>>),
}

impl Random {
    pub fn system() -> Self {
        Random { source: Source::System }
    }

    /// The same seed gives the same sequence.
    pub fn seeded(seed: u64) -> Self {
        Random { source: Source::Seeded(Arc::new(Mutex::new(seed))) }
    }

    pub fn next_u64(&self) -> u64 {
        match &self.source {
            Source::System => system(),
            Source::Seeded(state) => split_mix(&mut state.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// A number in `0..bound`; `bound` must not be zero.
    pub fn below(&self, bound: u64) -> u64 {
        // Multiply-shift: the bias is under bound/2^64, of no weight for jitter and names.
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `0.0..1.0`.
    pub fn fraction(&self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The tail of a generated name: `count` characters of the API's name alphabet.
    pub fn suffix(&self, count: usize) -> String {
        (0..count).map(|_| char::from(NAME_ALPHABET[self.below(NAME_ALPHABET.len() as u64) as usize])).collect()
    }

    /// A version 4 UUID (RFC 9562), as object UIDs are.
    pub fn uuid(&self) -> String {
        let high = (self.next_u64() & !0xf000) | 0x4000;
        let low = (self.next_u64() & !(0b11 << 62)) | (0b10 << 62);
        let number = u128::from(high) << 64 | u128::from(low);
        let mut text = String::with_capacity(36);
        for digit in 0..32 {
            if matches!(digit, 8 | 12 | 16 | 20) {
                text.push('-');
            }
            text.push(char::from(b"0123456789abcdef"[(number >> (124 - 4 * digit)) as usize & 0xf]));
        }
        text
    }
}

/// The kernel's randomness, asked for in pages: a call for every identifier would cost more than the
/// rest of its making.
fn system() -> u64 {
    const WORDS: usize = 64;
    thread_local! {
        static PAGE: RefCell<Vec<u64>> = const { RefCell::new(Vec::new()) };
    }
    PAGE.with_borrow_mut(|page| {
        if page.is_empty() {
            let mut bytes = [0; WORDS * size_of::<u64>()];
            getrandom::fill(&mut bytes).expect("the kernel's random source answers after boot");
            page.extend(bytes.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word)));
        }
        page.pop().expect("the page was just filled")
    })
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and every seed is a good one.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_uuids_are_version_four() {
        let (a, b) = (Random::seeded(7), Random::seeded(7));
        let ids: Vec<String> = (0..100).map(|_| a.uuid()).collect();
        assert!(ids.iter().all(|id| id.len() == 36 && &id[14..15] == "4" && "89ab".contains(&id[19..20])));
        assert_eq!(ids, (0..100).map(|_| b.uuid()).collect::<Vec<_>>());
        assert_ne!(Random::system().uuid(), Random::system().uuid());
    }

    #[test]
    fn below_and_fraction_stay_in_range() {
        let random = Random::seeded(1);
        for bound in [1, 2, 27, u64::MAX] {
            for _ in 0..1000 {
                assert!(random.below(bound) < bound);
                assert!((0.0..1.0).contains(&random.fraction()));
            }
        }
    }
}
