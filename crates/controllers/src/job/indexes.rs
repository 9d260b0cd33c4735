//! Sets of completion indexes, and what of a pod's index its annotations say.

use std::collections::BTreeSet;
use std::fmt;

use api::k8s::api::core::v1::Pod;

pub(super) const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// The completion index of a pod, where it is one of the Job's.
pub(super) fn index_of(pod: &Pod, completions: i32) -> Option<i32> {
    let annotation = pod.metadata.annotations.as_ref()?.get(INDEX)?;
    annotation.parse().ok().filter(|index| (0..completions).contains(index))
}

/// Written as intervals: `1,3-5,7`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(BTreeSet<i32>);

impl Indexes {
    /// What lies beyond the number of completions is dropped, and so is what cannot be read.
    pub(super) fn parse(text: &str, completions: i32) -> Self {
        let mut indexes = BTreeSet::new();
        for interval in text.split(',') {
            let (first, last) = interval.split_once('-').unwrap_or((interval, interval));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<i32>(), last.trim().parse::<i32>()) {
                indexes.extend(first.max(0)..=last.min(completions - 1));
            }
        }
        Indexes(indexes)
    }

    pub(super) fn insert(&mut self, index: i32) {
        self.0.insert(index);
    }

    pub(super) fn contains(&self, index: i32) -> bool {
        self.0.contains(&index)
    }

    pub(super) fn count(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    pub(super) fn common(&self, other: &Indexes) -> i32 {
        i32::try_from(self.0.intersection(&other.0).count()).unwrap_or(i32::MAX)
    }

    fn intervals(&self) -> Vec<(i32, i32)> {
        let mut intervals: Vec<(i32, i32)> = Vec::new();
        for &index in &self.0 {
            match intervals.last_mut() {
                Some((_, last)) if *last + 1 == index => *last = index,
                _ => intervals.push((index, index)),
            }
        }
        intervals
    }
}

impl FromIterator<i32> for Indexes {
    fn from_iter<I: IntoIterator<Item = i32>>(indexes: I) -> Self {
        Indexes(indexes.into_iter().collect())
    }
}

impl fmt::Display for Indexes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (first, last)) in self.intervals().into_iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            match last - first {
                0 => write!(formatter, "{comma}{first}")?,
                1 => write!(formatter, "{comma}{first},{last}")?,
                _ => write!(formatter, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_upstream_writes_them() {
        for (indexes, expected) in [
            (vec![], ""),
            (vec![3], "3"),
            (vec![0, 1], "0,1"),
            (vec![1, 3, 4, 5, 7], "1,3-5,7"),
            (vec![0, 1, 2, 4, 5, 9], "0-2,4,5,9"),
        ] {
            let set: Indexes = indexes.into_iter().collect();
            assert_eq!(set.to_string(), expected);
            assert_eq!(Indexes::parse(expected, 10), set);
        }
    }

    #[test]
    fn what_is_beyond_the_completions_or_not_a_number_is_dropped() {
        assert_eq!(Indexes::parse("0-3,6-9", 8).to_string(), "0-3,6,7");
        assert_eq!(Indexes::parse("2,x,4-y,5", 8).to_string(), "2,5");
        assert_eq!(Indexes::parse("0-4294967296,1-2000000000", 3).to_string(), "1,2");
    }
}
