//! The one place that reads the machine's clock.

use std::io;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::signal::Signal;
use crate::steps::Steps;

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
        calendar: &'static Calendar,
    },
}

/// What the copies of a simulated clock share.
#[derive(Debug)]
struct Calendar {
    /// By how many milliseconds it was set ahead.
    ahead: AtomicI64,
    steps: Signal<()>,
}

impl Clock {
    pub fn system() -> Self {
        Clock { source: Source::System }
    }

    /// Starts the simulated calendar now. Must be called inside a tokio runtime.
    pub fn simulated() -> Self {
        // Clocks are copied freely, so what copies share lives as long as the process: some bytes a simulation.
        let calendar = Box::leak(Box::new(Calendar { ahead: AtomicI64::new(0), steps: Signal::new(()) }));
        Clock { source: Source::Simulated { start: Instant::now(), calendar } }
    }

    /// Sets the calendar of a simulation ahead, or back, as somebody who corrects a machine's clock does. Monotonic
    /// time does not notice. All copies of the clock follow.
    pub fn jump(&self, milliseconds: i64) {
        if let Source::Simulated { calendar, .. } = self.source {
            calendar.ahead.fetch_add(milliseconds, Ordering::Relaxed);
            calendar.steps.set(());
        }
    }

    /// Tells from now on when somebody sets the calendar. Waits for hours of the day follow from monotonic time, which
    /// does not notice: whoever keeps hours looks again then. Must be called inside a tokio runtime.
    pub fn steps(&self) -> io::Result<Steps> {
        match self.source {
            Source::System => Steps::of_the_machine(),
            Source::Simulated { calendar, .. } => Ok(Steps::simulated(calendar.steps.subscribe())),
        }
    }

    /// The calendar time, to the microsecond.
    pub fn now(&self) -> Timestamp {
        let exact = match self.source {
            Source::System =>
            {
                #[expect(clippy::disallowed_methods, reason = "the clock is read here and nowhere else")]
                Timestamp::now()
            }
            Source::Simulated { start, calendar } => {
                let epoch = Timestamp::from_second(SIMULATION_EPOCH_SECONDS).unwrap_or(Timestamp::UNIX_EPOCH);
                let elapsed = Instant::now().duration_since(start);
                let shown = epoch.checked_add(elapsed).unwrap_or(Timestamp::MAX);
                let ahead = SignedDuration::from_millis(calendar.ahead.load(Ordering::Relaxed));
                shown.checked_add(ahead).unwrap_or(shown)
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

    #[tokio::test(start_paused = true)]
    async fn a_calendar_that_is_set_ahead_or_back_is_so_for_all_copies() {
        let clock = Clock::simulated();
        let (copy, before) = (clock, clock.instant());
        clock.jump(3_600_000);
        assert_eq!(copy.now().to_string(), "2030-01-01T01:00:00Z");
        copy.jump(-7_200_000);
        assert_eq!(clock.now().to_string(), "2029-12-31T23:00:00Z");
        assert_eq!(clock.instant(), before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_step_of_the_calendar_is_told_and_the_passing_of_time_is_not() {
        let clock = Clock::simulated();
        let mut steps = clock.steps().unwrap();
        let told =
            async |steps: &mut Steps| tokio::time::timeout(Duration::from_secs(86_400), steps.next()).await.is_ok();
        assert!(!told(&mut steps).await);
        clock.jump(-5);
        assert!(told(&mut steps).await);
        assert!(!told(&mut steps).await);
    }
}
