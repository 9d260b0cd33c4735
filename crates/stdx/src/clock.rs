//! The one place that reads the machine's clock.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// Where a simulation's calendar starts: 2030-01-01T00:00:00Z, in seconds since the epoch.
const SIMULATION_EPOCH_SECONDS: i64 = 1_893_456_000;

/// Wall-clock and monotonic time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    source: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    System,
    /// Wall time derived from tokio's clock, which a test can pause and advance.
    Simulated {
        start: Instant,
    },
}

impl Clock {
    pub fn system() -> Self {
        Clock { source: Source::System }
    }

    /// Starts the simulated calendar now. Must be called inside a tokio runtime.
    pub fn simulated() -> Self {
        Clock { source: Source::Simulated { start: Instant::now() } }
    }

    /// The calendar time, to the microsecond.
    pub fn now(&self) -> Timestamp {
        let exact = match self.source {
            Source::System =>
            {
                #[expect(clippy::disallowed_methods, reason = "the clock is read here and nowhere else")]
                Timestamp::now()
            }
            Source::Simulated { start } => {
                let epoch = Timestamp::from_second(SIMULATION_EPOCH_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH);
                let elapsed = Instant::now().duration_since(start);
                epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        };
        Timestamp::from_microsecond(exact.as_microsecond()).unwrap_or(exact)
    }

    /// The calendar time cut to whole seconds, as most API fields carry it.
    pub fn now_seconds(&self) -> Timestamp {
        Timestamp::from_second(self.now().as_second()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Monotonic time, for measuring and for deadlines.
    pub fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Waits; on a paused runtime the wait is virtual.
    pub async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn simulated_time_moves_only_with_the_runtime() {
        let clock = Clock::simulated();
        let before = clock.now();
        assert_eq!(before.to_string(), "2030-01-01T00:00:00Z");
        clock.sleep(Duration::from_secs(90)).await;
        assert_eq!(clock.now().to_string(), "2030-01-01T00:01:30Z");
    }
}
