//! How long to wait before trying again, per container.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

const INITIAL: Duration = Duration::from_secs(10);
const CAP: Duration = Duration::from_secs(300);
/// A container that ran this long starts over.
const FORGET_AFTER: Duration = Duration::from_secs(600);

/// Doubling delays by key, on the calendar clock, so that "since it exited" can be said of what
/// exited before this program started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoffs {
    entries: BTreeMap<String, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    delay: Duration,
    updated_at: Timestamp,
}

impl Backoffs {
    /// The delay that is in force after an event at `since`, and when it ends; `None` where the next
    /// try may go ahead.
    pub(crate) fn waiting(&self, key: &str, since: Timestamp, now: Timestamp) -> Option<(Duration, Timestamp)> {
        let entry = self.entries.get(key)?;
        if entry.is_forgotten(since) {
            return None;
        }
        let until = since.saturating_add(jiff::SignedDuration::try_from(entry.delay).ok()?).ok()?;
        (until > now).then_some((entry.delay, until))
    }

    /// Notes a try: the first is followed by a wait of 10 s, each further one by twice as long, up
    /// to 5 min.
    pub(crate) fn advance(&mut self, key: &str, event_at: Timestamp, now: Timestamp) {
        let delay = match self.entries.get(key) {
            Some(entry) if !entry.is_forgotten(event_at) => (entry.delay * 2).min(CAP),
            _ => INITIAL,
        };
        self.entries.insert(key.to_owned(), Entry { delay, updated_at: now });
    }

    pub(crate) fn forget(&mut self, key: &str) {
        self.entries.remove(key);
    }
}

impl Entry {
    fn is_forgotten(&self, event_at: Timestamp) -> bool {
        event_at.duration_since(self.updated_at) > jiff::SignedDuration::from_secs(FORGET_AFTER.as_secs() as i64)
    }
}

/// A duration as Go prints it: `10s`, `1m20s`, `5m0s`, `1.234567ms`.
pub(crate) fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let trimmed = |value: f64| {
        let text = format!("{value:.9}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if duration.is_zero() {
        return "0s".to_owned();
    }
    if seconds == 0 {
        let nanoseconds = f64::from(duration.subsec_nanos());
        return match duration.subsec_nanos() {
            0..1_000 => format!("{}ns", duration.subsec_nanos()),
            1_000..1_000_000 => format!("{}µs", trimmed(nanoseconds / 1e3)),
            _ => format!("{}ms", trimmed(nanoseconds / 1e6)),
        };
    }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = trimmed((seconds % 60) as f64 + f64::from(duration.subsec_nanos()) / 1e9);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn the_first_restart_is_at_once_and_the_following_wait_twice_as_long_each() {
        let mut backoffs = Backoffs::default();
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..8 {
            let exited = now;
            let wait = backoffs.waiting("c", at(exited), at(now)).map_or(0, |(delay, _)| delay.as_secs());
            waits.push(wait);
            now += wait as i64;
            assert_eq!(backoffs.waiting("c", at(exited), at(now)), None);
            backoffs.advance("c", at(exited), at(now));
        }
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(backoffs.waiting("c", at(now + 601), at(now + 601)), None, "a long run starts over");
        backoffs.advance("c", at(now + 601), at(now + 601));
        assert_eq!(backoffs.waiting("c", at(now + 602), at(now + 602)).unwrap().0, INITIAL);
    }

    #[test]
    fn durations_read_as_upstream_writes_them() {
        for (milliseconds, text) in [
            (10_000, "10s"),
            (80_000, "1m20s"),
            (300_000, "5m0s"),
            (1_500, "1.5s"),
            (12, "12ms"),
            (0, "0s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(milliseconds)), text);
        }
        assert_eq!(go_duration(Duration::from_nanos(1_234_567)), "1.234567ms");
    }
}
