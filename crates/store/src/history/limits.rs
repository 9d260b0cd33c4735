//! How much of the past is kept.

use std::time::Duration;

/// How much history is kept. Events older than `age` go, and so do the oldest ones while history is
/// larger than its share of the data; but nothing younger than `least_age` goes for that. Only the
/// ceiling, which protects the machine, takes those too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryLimits {
    pub age: Duration,
    /// In hundredths of the bytes of all present keys and values. Counted against it is memory that
    /// only history holds: replaced and removed values, and the events themselves.
    pub share_percent: u32,
    pub least_age: Duration,
    pub ceiling_bytes: u64,
}

impl Default for HistoryLimits {
    fn default() -> Self {
        HistoryLimits {
            age: Duration::from_secs(24 * 60 * 60),
            share_percent: 20,
            least_age: Duration::from_secs(5 * 60),
            ceiling_bytes: 512 << 20,
        }
    }
}

impl HistoryLimits {
    /// Nothing ever goes by itself.
    pub fn unlimited() -> Self {
        HistoryLimits { age: Duration::MAX, share_percent: u32::MAX, least_age: Duration::MAX, ceiling_bytes: u64::MAX }
    }

    /// How old the oldest event of a history of `bytes`, which is below the ceiling, may grow beside
    /// `live_bytes` of data; `None` for any age.
    pub(super) fn greatest_age(&self, bytes: u64, live_bytes: u64) -> Option<Duration> {
        let share_bytes = u128::from(live_bytes) * u128::from(self.share_percent) / 100;
        let is_over_share = u128::from(bytes) > share_bytes;
        let age = if is_over_share { self.least_age } else { self.age.max(self.least_age) };
        (age < Duration::MAX).then_some(age)
    }
}
