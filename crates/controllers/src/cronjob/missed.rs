//! Which scheduled time is due, and when to look again.

use std::time::Duration;

use api::cron::Schedule;
use api::k8s::api::batch::v1::CronJob;
use api::k8s::jiff::Timestamp;
use api::k8s::jiff::tz::TimeZone;

/// More missed times than this are told of.
const MANY: i64 = 100;

/// The last scheduled time that is not in the future.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// None where nothing came due since `since`.
    pub(super) at: Option<Timestamp>,
    /// Where the search began.
    since: Timestamp,
    missed: i64,
}

impl Due {
    pub(super) fn has_many_missed(&self) -> bool {
        self.at.is_some() && self.missed > MANY
    }
}

/// A schedule whose times never come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time difference between two schedules is less than 1 second")]
pub(super) struct NeverDue;

/// The schedule of one CronJob, in its time zone.
pub(super) struct Calendar<'a> {
    pub(super) cron_job: &'a CronJob,
    pub(super) schedule: Schedule,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

impl Calendar<'_> {
    /// Times before the deadline for starting are not looked at.
    pub(super) fn due(&self) -> Result<Due, NeverDue> {
        self.last_before_now(true)
    }

    /// How long until the next time. A schedule with an interval goes on from where it last was.
    pub(super) fn until_next(&self) -> Option<Duration> {
        let base = match self.last_before_now(false) {
            Ok(due) => due.at.unwrap_or(if due.missed == 0 { due.since } else { self.now }),
            Err(NeverDue) => self.now,
        };
        let next = self.next(base)?;
        // A negative time is due at once.
        Some(Duration::try_from(next.duration_since(self.now)).unwrap_or(Duration::ZERO))
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        self.schedule.next_after(after, &self.zone)
    }

    /// Long downtimes cost no more than short ones: the times in between are not counted one by one.
    fn last_before_now(&self, with_deadline: bool) -> Result<Due, NeverDue> {
        let mut since = self.earliest();
        if with_deadline && let Some(seconds) = self.cron_job.spec.starting_deadline_seconds {
            let deadline = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            since = since.max(self.now.checked_sub(deadline).unwrap_or(Timestamp::MIN));
        }
        let (Some(first), Some(second)) = (self.next(since), self.next(since).and_then(|first| self.next(first)))
        else {
            return Err(NeverDue);
        };
        let due = |at, missed| Ok(Due { at, since, missed });
        if self.now < first {
            return due(None, 0);
        }
        if self.now < second {
            return due(Some(first), 0);
        }
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
        let interval = seconds(first, second).max(1);
        let missed = seconds(first, self.now) / interval + 1;
        // Some intervals back, where they are not all equal; further where nothing came since.
        let mut back = 2_i64;
        let mut candidate = loop {
            let jump = Duration::from_secs(u64::try_from((missed - back).saturating_mul(interval)).unwrap_or(0));
            let candidate = self.next(first.checked_add(jump).unwrap_or(self.now));
            if back > missed || candidate.is_some_and(|time| time <= self.now) {
                break candidate;
            }
            back = back.saturating_mul(2);
        };
        let mut last = Some(second);
        while let Some(time) = candidate.filter(|time| *time <= self.now) {
            last = Some(time);
            candidate = self.next(time);
        }
        due(last, missed)
    }

    fn earliest(&self) -> Timestamp {
        let last = self.cron_job.status.as_ref().and_then(|status| status.last_schedule_time.as_ref());
        let moment = last.or(self.cron_job.metadata.creation_timestamp.as_ref());
        moment.map_or(self.now, |time| time.0)
    }
}

#[cfg(test)]
mod tests {
    use api::k8s::jiff::civil::DateTime;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn check(schedule: &str, last: Value, deadline: Value, now: &str) -> (Option<String>, bool, Option<u64>) {
        let cron_job: CronJob = serde_json::from_value(json!({
            "metadata": {"name": "c", "creationTimestamp": "2030-01-01T00:00:30Z"},
            "spec": {"schedule": schedule, "startingDeadlineSeconds": deadline, "jobTemplate": {}},
            "status": {"lastScheduleTime": last},
        }))
        .unwrap();
        let schedule = Schedule::parse(schedule).unwrap();
        let calendar = Calendar { cron_job: &cron_job, schedule, zone: TimeZone::UTC, now: now.parse().unwrap() };
        let due = calendar.due();
        let at = due.ok().and_then(|due| due.at).map(|at| at.to_string());
        let many = due.is_ok_and(|due| due.has_many_missed());
        (at, many, calendar.until_next().map(|wait| wait.as_secs()))
    }

    #[test]
    fn the_last_time_that_came_counts() {
        let at = |text: &str| Some(text.to_owned());
        let none = Value::Null;
        for (schedule, last, deadline, now, expected) in [
            // Nothing yet.
            ("0 * * * *", none.clone(), none.clone(), "2030-01-01T00:59:59Z", (None, false, Some(1))),
            (
                "0 * * * *",
                none.clone(),
                none.clone(),
                "2030-01-01T01:00:00Z",
                (at("2030-01-01T01:00:00Z"), false, Some(3600)),
            ),
            // What has run already is not due again.
            (
                "0 * * * *",
                json!("2030-01-01T01:00:00Z"),
                none.clone(),
                "2030-01-01T01:10:00Z",
                (None, false, Some(3000)),
            ),
            // Of several missed times, the last.
            (
                "0 * * * *",
                none.clone(),
                none.clone(),
                "2030-01-01T05:30:00Z",
                (at("2030-01-01T05:00:00Z"), false, Some(1800)),
            ),
            (
                "30 6-16/4 * * 1-5",
                none.clone(),
                none.clone(),
                "2030-01-07T11:00:00Z",
                (at("2030-01-07T10:30:00Z"), false, Some(12600)),
            ),
            // Nothing came for hours; how many did is reckoned from the interval.
            (
                "*/7 3-9 * * *",
                none.clone(),
                none.clone(),
                "2030-01-01T23:00:00Z",
                (at("2030-01-01T09:56:00Z"), true, Some(14400)),
            ),
            // More than a hundred.
            (
                "* * * * *",
                none.clone(),
                none.clone(),
                "2030-01-01T03:00:00Z",
                (at("2030-01-01T03:00:00Z"), true, Some(60)),
            ),
            // The deadline hides what is older.
            (
                "* * * * *",
                none.clone(),
                json!(120),
                "2030-01-01T03:00:00Z",
                (at("2030-01-01T03:00:00Z"), false, Some(60)),
            ),
            ("0 * * * *", none.clone(), json!(120), "2030-01-01T03:10:00Z", (None, false, Some(3000))),
            // An interval keeps its beat.
            (
                "@every 1h",
                none.clone(),
                none.clone(),
                "2030-01-01T02:30:00Z",
                (at("2030-01-01T02:00:30Z"), false, Some(1830)),
            ),
            // A clock that went back waits for the time to come again.
            (
                "0 * * * *",
                json!("2030-01-01T05:00:00Z"),
                none.clone(),
                "2030-01-01T02:00:00Z",
                (None, false, Some(14400)),
            ),
            // The 31st of February.
            ("59 23 31 2 *", none.clone(), none.clone(), "2030-01-01T02:00:00Z", (None, false, None)),
        ] {
            assert_eq!(check(schedule, last, deadline, now), expected, "{schedule} at {now}");
        }
    }

    /// Two numbers of a field, which may be alike; none stands for a star.
    type Field = Option<(i8, i8)>;

    fn text(field: &Field) -> String {
        field.map_or("*".to_owned(), |(one, other)| format!("{one},{other}"))
    }

    fn has(field: &Field, value: i8) -> bool {
        field.is_none_or(|(one, other)| value == one || value == other)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

        /// Beside somebody who looks at the calendar on the wall every minute.
        #[test]
        fn times_are_those_that_a_walk_through_every_minute_meets(
            minutes in prop::option::of((0..60_i8, 0..60_i8)),
            hours in prop::option::of((0..24_i8, 0..24_i8)),
            days in prop::option::of((1..29_i8, 1..32_i8)),
            weekdays in prop::option::of((0..7_i8, 0..7_i8)),
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
            // A few days around the days on which clocks are set.
            start in prop::sample::select(vec!["2030-03-08T00:00:00Z", "2030-04-05T11:11:00Z", "2030-11-01T23:59:00Z"]),
            length_minutes in 0..6000_i64,
        ) {
            let text = [text(&minutes), text(&hours), text(&days), "*".to_owned(), text(&weekdays)].join(" ");
            let zone = api::time_zone::load(zone).unwrap();
            let start: Timestamp = start.parse().unwrap();
            let minute = |number: i64| Timestamp::from_second(start.as_second() + number * 60).unwrap();
            let is_due = |moment: Timestamp| {
                let shown: DateTime = zone.to_datetime(moment);
                let weekday = shown.weekday().to_sunday_zero_offset();
                // Of two fields for days, either will do; a star is no field.
                let of_day = match (&days, &weekdays) {
                    (Some(_), Some(_)) => has(&days, shown.day()) || has(&weekdays, weekday),
                    _ => has(&days, shown.day()) && has(&weekdays, weekday),
                };
                has(&minutes, shown.minute()) && has(&hours, shown.hour()) && of_day
            };
            let met: Vec<Timestamp> = (1..=length_minutes).map(minute).filter(|moment| is_due(*moment)).collect();

            let schedule = Schedule::parse(&text).unwrap();
            let mut found = Vec::new();
            let mut after = start;
            while let Some(next) = schedule.next_after(after, &zone).filter(|next| *next <= minute(length_minutes)) {
                found.push(next);
                after = next;
            }
            prop_assert_eq!(&found, &met, "{}", text);

            let cron_job: CronJob = serde_json::from_value(json!({
                "metadata": {"name": "c", "creationTimestamp": start.to_string()},
                "spec": {"schedule": text, "jobTemplate": {}},
            }))
            .unwrap();
            let calendar = Calendar { cron_job: &cron_job, schedule, zone: zone.clone(), now: minute(length_minutes) };
            let due = calendar.due().map(|due| due.at);
            prop_assert_eq!(due, Ok(met.last().copied()), "{}", text);
        }
    }
}
