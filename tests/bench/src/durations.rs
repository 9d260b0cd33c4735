//! Many durations in little room, for percentiles.

use std::time::Duration;

/// Each power of two is cut into two to the power of this many buckets, so that a percentile is right to under 1 %.
const BUCKETS_BITS: u32 = 7;

#[derive(Clone, Debug, Default)]
pub(crate) struct Durations {
    counts: Vec<u64>,
    total: u64,
    longest: Duration,
}

impl Durations {
    pub(crate) fn record(&mut self, duration: Duration) {
        let bucket = bucket(nanoseconds(duration));
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.longest = self.longest.max(duration);
    }

    pub(crate) fn merge(&mut self, other: &Durations) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The duration that this share of all (0 to 1) does not exceed; zero where there is none.
    pub(crate) fn percentile(&self, share: f64) -> Duration {
        let rank = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(last_of(bucket)).min(self.longest);
            }
        }
        self.longest
    }
}

/// The middle one of a few figures; of an even number, the lower of the two.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Below `2 << BUCKETS_BITS` every nanosecond has its own bucket; above, they grow with the number.
fn bucket(nanoseconds: u64) -> usize {
    let shift = (u64::BITS - nanoseconds.leading_zeros()).saturating_sub(BUCKETS_BITS + 1);
    ((shift as usize) << BUCKETS_BITS) + (nanoseconds >> shift) as usize
}

/// The largest number of a bucket.
fn last_of(bucket: usize) -> u64 {
    let shift = (bucket >> BUCKETS_BITS).saturating_sub(1);
    let head = (bucket - (shift << BUCKETS_BITS)) as u64;
    (((u128::from(head) + 1) << shift) - 1).min(u128::from(u64::MAX)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_contiguous_and_hold_their_numbers_to_a_percent() {
        let mut next = 0;
        for number in 0..100_000_u64 {
            let found = bucket(number);
            assert!(found == next || found + 1 == next, "{number} in {found}, expected about {next}");
            next = found + 1;
            let last = last_of(found);
            assert!(last >= number && last - number <= number >> BUCKETS_BITS, "{number} stands for {last}");
        }
        for number in [u64::MAX, u64::MAX / 2, 1 << 40] {
            assert!(last_of(bucket(number)) >= number);
        }
    }

    #[test]
    fn percentiles_of_a_known_row() {
        let mut all = Durations::default();
        let mut odd = Durations::default();
        for millisecond in 1..=1000_u64 {
            let side = if millisecond % 2 == 0 { &mut all } else { &mut odd };
            side.record(Duration::from_millis(millisecond));
        }
        all.merge(&odd);
        assert_eq!(all.count(), 1000);
        assert_eq!(all.longest(), Duration::from_secs(1));
        for (share, expected) in [(0.5, 0.5), (0.99, 0.99), (1.0, 1.0), (0.0, 0.001)] {
            let found = all.percentile(share).as_secs_f64();
            assert!((found - expected).abs() <= expected / 100.0, "{share}: {found}");
        }
        assert_eq!(Durations::default().percentile(0.5), Duration::ZERO);
    }

    #[test]
    fn the_median_is_one_of_the_figures() {
        assert_eq!(median(vec![9.0, 1.0, 5.0]), 5.0);
        assert_eq!(median(vec![4.0, 1.0]), 1.0);
        assert!(median(Vec::new()).is_nan());
    }
}
