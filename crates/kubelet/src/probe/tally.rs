//! Thresholds: how many equal answers in a row make a verdict.

#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    success_threshold: i32,
    failure_threshold: i32,
    last: Option<bool>,
    run: i32,
    /// The verdict in force; none before the first.
    verdict: Option<bool>,
}

impl Tally {
    /// `verdict` is the one in force at first: a readiness probe begins with "no".
    pub(crate) fn new(verdict: Option<bool>, success_threshold: i32, failure_threshold: i32) -> Self {
        Tally {
            success_threshold: success_threshold.max(1),
            failure_threshold: failure_threshold.max(1),
            last: None,
            run: 0,
            verdict,
        }
    }

    /// Counts one answer; the verdict where it changes.
    pub(crate) fn count(&mut self, success: bool) -> Option<bool> {
        self.run = if self.last == Some(success) { self.run.saturating_add(1) } else { 1 };
        self.last = Some(success);
        let threshold = if success { self.success_threshold } else { self.failure_threshold };
        if self.run < threshold || self.verdict == Some(success) {
            return None;
        }
        self.verdict = Some(success);
        Some(success)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut tally: Tally, answers: &str) -> String {
        answers
            .chars()
            .map(|answer| match tally.count(answer == '+') {
                Some(true) => 'Y',
                Some(false) => 'N',
                None => '.',
            })
            .collect()
    }

    #[test]
    fn verdicts_need_their_threshold_in_a_row() {
        assert_eq!(check(Tally::new(Some(false), 1, 3), "-+--+---+"), ".Y.....NY");
        assert_eq!(check(Tally::new(Some(false), 2, 1), "+-++-"), "...YN");
        assert_eq!(check(Tally::new(None, 1, 3), "--+---"), "..Y..N");
        assert_eq!(check(Tally::new(None, 1, 2), "--"), ".N");
    }
}
