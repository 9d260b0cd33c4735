//! When somebody sets the calendar: by hand, or a time service after the machine has slept.

use std::io;
use std::os::fd::OwnedFd;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use crate::signal::Receiver;

/// Tells of each time that a [`Clock`](crate::Clock)'s calendar is set. That time passes is no step.
#[derive(Debug)]
pub struct Steps(Source);

#[derive(Debug)]
enum Source {
    /// A timer that is never due, and that the kernel cancels when the calendar is set.
    Machine(AsyncFd<OwnedFd>),
    Simulated(Receiver<()>),
}

impl Steps {
    pub(crate) fn of_the_machine() -> io::Result<Steps> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        let never = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: i64::MAX, tv_nsec: 0 },
        };
        timerfd_settime(&timer, TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET, &never)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for the sake of types that are not their descriptor's owner"
        )]
        let timer = AsyncFd::new(timer)?;
        Ok(Steps(Source::Machine(timer)))
    }

    pub(crate) fn simulated(steps: Receiver<()>) -> Steps {
        Steps(Source::Simulated(steps))
    }

    /// Waits for the next step; several that came meanwhile are one.
    pub async fn next(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Source::Simulated(steps) => steps.changed().await.map_err(io::Error::other),
            Source::Machine(timer) => loop {
                let mut ready = timer.readable().await?;
                match rustix::io::read(timer.get_ref(), &mut [0u8; 8]) {
                    // Cancelled: the calendar was set. The timer stands again for the next time.
                    Err(rustix::io::Errno::CANCELED) => return Ok(()),
                    Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                    Err(rustix::io::Errno::INTR) | Ok(_) => {}
                    Err(error) => return Err(error.into()),
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Whoever runs this does not want the machine's clock set; that the timer stands and is silent can be shown.
    #[tokio::test]
    async fn a_calendar_that_nobody_sets_tells_of_no_step() {
        let mut steps = Steps::of_the_machine().unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(20), steps.next()).await.is_err());
    }
}
