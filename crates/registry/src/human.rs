//! Durations as people read them in tables.

use jiff::Timestamp;
use serde_json::Value;

use crate::kind::Object;

/// An elapsed time in at most two units, as `kubectl get` prints it: `5s`, `2m10s`, `5d3h`, `2y30d`.
pub fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        // A clock a little ahead is not worth a word; one far ahead is.
        i64::MIN..=-2 => "<invalid>".to_owned(),
        -1 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => two(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

/// The age of a moment given as RFC 3339 text; `<unknown>` where there is none.
pub fn since(moment: Option<&str>, now: Timestamp) -> String {
    match moment.map(str::parse::<Timestamp>) {
        Some(Ok(moment)) => duration(seconds_between(moment, now)),
        _ => "<unknown>".to_owned(),
    }
}

/// The object's age, from `metadata.creationTimestamp`.
pub fn age(object: &Object, now: Timestamp) -> String {
    let created = object.get("metadata").and_then(|metadata| metadata.get("creationTimestamp"));
    since(created.and_then(Value::as_str), now)
}

/// Whole seconds from one moment to another, cut towards zero.
pub fn seconds_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_millisecond() - from.as_millisecond()) / 1000
}

fn two(first: i64, first_unit: &str, second: i64, second_unit: &str) -> String {
    if second == 0 { format!("{first}{first_unit}") } else { format!("{first}{first_unit}{second}{second_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_at_most_two_units() {
        const HOUR: i64 = 3600;
        const DAY: i64 = 86_400;
        for (seconds, expected) in [
            (-2, "<invalid>"),
            (-1, "0s"),
            (0, "0s"),
            (70, "70s"),
            (119, "119s"),
            (120, "2m"),
            (130, "2m10s"),
            (10 * 60 + 5, "10m"),
            (2 * HOUR + 59 * 60, "179m"),
            (3 * HOUR, "3h"),
            (3 * HOUR + 5 * 60, "3h5m"),
            (8 * HOUR + 5 * 60, "8h"),
            (47 * HOUR, "47h"),
            (48 * HOUR, "2d"),
            (5 * DAY + 3 * HOUR, "5d3h"),
            (8 * DAY + 3 * HOUR, "8d"),
            (729 * DAY, "729d"),
            (730 * DAY, "2y"),
            (760 * DAY, "2y30d"),
            (8 * 365 * DAY + 5 * DAY, "8y"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn an_absent_or_unreadable_moment_is_unknown() {
        let now: Timestamp = "2030-01-01T00:00:10Z".parse().unwrap();
        assert_eq!(since(Some("2030-01-01T00:00:00Z"), now), "10s");
        assert_eq!(since(Some("yesterday"), now), "<unknown>");
        assert_eq!(since(None, now), "<unknown>");
    }
}
