//! Exponential back-off as a value.

use std::time::Duration;

/// Doubles from `initial` up to `cap`. Holds no clock: the caller waits.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    initial: Duration,
    cap: Duration,
    next: Duration,
}

impl Backoff {
    pub const fn new(initial: Duration, cap: Duration) -> Self {
        Backoff { initial, cap, next: initial }
    }

    /// The delay to wait now; the following one is twice as long, up to the cap.
    pub fn next_delay(&mut self) -> Duration {
        let delay = self.next;
        self.next = (self.next * 2).min(self.cap);
        delay
    }

    /// Starts over after a success.
    pub fn reset(&mut self) {
        self.next = self.initial;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_cap_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_secs(10), Duration::from_secs(300));
        let seconds: Vec<u64> = (0..7).map(|_| backoff.next_delay().as_secs()).collect();
        assert_eq!(seconds, [10, 20, 40, 80, 160, 300, 300]);
        backoff.reset();
        assert_eq!(backoff.next_delay().as_secs(), 10);
    }
}
