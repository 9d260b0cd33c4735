//! Waiting on conditions. The only place where these tests let time pass.

use std::time::Duration;

use stdx::Clock;
use tokio::time::Instant;

/// How long a condition may take on a busy computer before the test gives up.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Between two looks at a condition that nothing announces.
const INTERVAL: Duration = Duration::from_millis(200);

/// A moment that is not to be passed.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(duration: Duration) -> Self {
        Deadline(Clock::system().instant() + duration)
    }

    pub fn is_over(self) -> bool {
        Clock::system().instant() >= self.0
    }
}

/// Looks until `condition` holds and answers what it found. `condition` says what it saw instead,
/// which is the failure's message.
#[track_caller]
pub fn wait_for<T>(what: &str, condition: impl FnMut() -> Result<T, String>) -> T {
    wait_within(what, DEADLINE, condition).unwrap_or_else(|message| panic!("{message}"))
}

pub(crate) fn wait_within<T>(
    what: &str,
    within: Duration,
    mut condition: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let deadline = Deadline::after(within);
    loop {
        match condition() {
            Ok(found) => return Ok(found),
            Err(seen) if deadline.is_over() => {
                return Err(format!("waited {} s for {what}; last seen: {seen}", within.as_secs()));
            }
            Err(_) => std::thread::park_timeout(INTERVAL),
        }
    }
}
