//! Turns that look at thousands of objects leave time for others.

use std::time::Duration;

/// Deciding about one key takes at most this part of a processor's time.
const SHARE: u32 = 10;
/// Who decides faster need not be held back.
const LEAST_COST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(500);

/// How long a key is to rest after a decision that cost so much. Each change of a large set asks for a turn over all
/// of it; the longer one takes, the more changes it should cover.
pub(crate) fn rest_after(cost: Duration) -> Duration {
    if cost < LEAST_COST { Duration::ZERO } else { (cost * (SHARE - 1)).min(LONGEST_REST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_dear_rests_and_never_for_long() {
        let rest = |micros| rest_after(Duration::from_micros(micros)).as_millis();
        assert_eq!((rest(0), rest(999), rest(2_000), rest(10_000), rest(1_000_000)), (0, 0, 18, 90, 500));
    }
}
