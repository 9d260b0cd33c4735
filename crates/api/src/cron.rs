//! Schedules in the cron format, as CronJobs have them: `30 6 * * mon-fri`, `@daily`, `@every 90m`.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use crate::duration;

/// When to do something again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    Fields(Fields),
    /// Whole seconds, one at least.
    Every(Duration),
}

/// One bit for each value that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    minutes: Field,
    hours: Field,
    days_of_month: Field,
    months: Field,
    days_of_week: Field,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    bits: u64,
    /// Written as `*` or `?`: of the two fields for days, the other one decides.
    is_any: bool,
}

/// Worded as the library that Kubernetes uses words them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("empty spec string")]
    Empty,
    #[error("expected exactly 5 fields, found {found}: [{fields}]")]
    FieldCount { found: usize, fields: String },
    #[error("unrecognized descriptor: {0}")]
    Descriptor(String),
    #[error("failed to parse duration @every {0}: time: invalid duration {0:?}")]
    Duration(String),
    #[error("failed to parse int from {0}: strconv.Atoi: parsing {0:?}: invalid syntax")]
    Number(String),
    #[error("too many hyphens: {0}")]
    Hyphens(String),
    #[error("too many slashes: {0}")]
    Slashes(String),
    #[error("step of range should be a positive number: {0}")]
    Step(String),
    #[error("beginning of range ({start}) below minimum ({minimum}): {text}")]
    BelowMinimum { start: u32, minimum: u32, text: String },
    #[error("end of range ({end}) above maximum ({maximum}): {text}")]
    AboveMaximum { end: u32, maximum: u32, text: String },
    #[error("beginning of range ({start}) beyond end of range ({end}): {text}")]
    Backwards { start: u32, end: u32, text: String },
}

/// A schedule that matches on no day within this time never does.
const HORIZON_YEARS: i16 = 5;

struct Bounds {
    minimum: u32,
    maximum: u32,
    /// Of the lowest value and those after it.
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds { minimum: 0, maximum: 59, names: &[] };
const HOURS: Bounds = Bounds { minimum: 0, maximum: 23, names: &[] };
const DAYS_OF_MONTH: Bounds = Bounds { minimum: 1, maximum: 31, names: &[] };
const MONTHS: Bounds = Bounds {
    minimum: 1,
    maximum: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
const DAYS_OF_WEEK: Bounds =
    Bounds { minimum: 0, maximum: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Schedule {
    pub fn parse(text: &str) -> Result<Schedule, ScheduleError> {
        if text.is_empty() {
            return Err(ScheduleError::Empty);
        }
        if text.starts_with('@') {
            return parse_descriptor(text);
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days_of_month, months, days_of_week] = fields[..] else {
            return Err(ScheduleError::FieldCount { found: fields.len(), fields: fields.join(" ") });
        };
        Ok(Schedule::Fields(Fields {
            minutes: parse_field(minutes, &MINUTES)?,
            hours: parse_field(hours, &HOURS)?,
            days_of_month: parse_field(days_of_month, &DAYS_OF_MONTH)?,
            months: parse_field(months, &MONTHS)?,
            days_of_week: parse_field(days_of_week, &DAYS_OF_WEEK)?,
        }))
    }

    /// The first time later than `after`; none where the schedule matches no day that comes, such as the
    /// 30th of February. A time that a zone leaves out is left out; one it has twice counts twice.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Schedule::Every(delay) => whole_second(after)?.checked_add(*delay).ok(),
            Schedule::Fields(fields) => {
                let today = zone.to_datetime(after).date();
                let end = today.checked_add(i64::from(HORIZON_YEARS).years()).ok()?;
                // A day's clock may begin before the moment that the day's date was reached by another's.
                let yesterday = today.yesterday().ok()?;
                let days = yesterday.series(1.day()).take_while(|day| *day <= end);
                days.filter(|day| fields.has_day(*day)).find_map(|day| fields.first_on(day, after, zone))
            }
        }
    }
}

impl Fields {
    fn has_day(&self, day: Date) -> bool {
        let of_month = self.days_of_month.has(day.day());
        let of_week = self.days_of_week.has(day.weekday().to_sunday_zero_offset());
        let matches = if self.days_of_month.is_any || self.days_of_week.is_any {
            of_month && of_week
        } else {
            of_month || of_week
        };
        self.months.has(day.month()) && matches
    }

    /// The first time of the day later than `after`. Hours that are over, or that come later than what
    /// was found, are passed by.
    fn first_on(&self, day: Date, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let clock = |hour, minute| Time::new(hour, minute, 0, 0).ok().map(|time| day.to_datetime(time));
        let earliest = |clock| zone.to_ambiguous_timestamp(clock).earlier().ok();
        let latest = |clock| zone.to_ambiguous_timestamp(clock).later().ok();
        if clock(23, 59).and_then(latest).is_some_and(|end| end <= after) {
            return None;
        }
        let mut first: Option<Timestamp> = None;
        for hour in (0..24).filter(|hour| self.hours.has(*hour)) {
            if first.is_some_and(|first| clock(hour, 0).and_then(earliest).is_some_and(|start| start >= first)) {
                break;
            }
            if clock(hour, 59).and_then(latest).is_some_and(|end| end <= after) {
                continue;
            }
            let minutes = (0..60).filter(|minute| self.minutes.has(*minute)).filter_map(|minute| clock(hour, minute));
            let times = minutes.flat_map(|minute| moments(minute, zone)).flatten().filter(|time| *time > after);
            first = times.chain(first).min();
        }
        first
    }
}

/// When a clock in the zone shows it: once, twice or never.
fn moments(clock: DateTime, zone: &TimeZone) -> [Option<Timestamp>; 2] {
    let at = |offset: Offset| offset.to_timestamp(clock).ok();
    match zone.to_ambiguous_timestamp(clock).offset() {
        AmbiguousOffset::Unambiguous { offset } => [at(offset), None],
        AmbiguousOffset::Fold { before, after } => [at(before), at(after)],
        AmbiguousOffset::Gap { .. } => [None, None],
    }
}

impl Field {
    fn has(self, value: i8) -> bool {
        u32::try_from(value).is_ok_and(|value| self.bits & (1 << value) != 0)
    }

    fn only(value: u32) -> Field {
        Field { bits: 1 << value, is_any: false }
    }

    fn any(bounds: &Bounds) -> Field {
        Field { bits: bits(bounds.minimum, bounds.maximum, 1), is_any: true }
    }
}

fn parse_descriptor(text: &str) -> Result<Schedule, ScheduleError> {
    if let Some(text) = text.strip_prefix("@every ") {
        let delay = duration::parse(text).ok_or_else(|| ScheduleError::Duration(text.to_owned()))?;
        // What is negative is nothing.
        let delay = Duration::from_nanos(u64::try_from(delay).unwrap_or(0));
        return Ok(Schedule::Every(Duration::from_secs(delay.as_secs().max(1))));
    }
    let midnight = Fields {
        minutes: Field::only(0),
        hours: Field::only(0),
        days_of_month: Field::any(&DAYS_OF_MONTH),
        months: Field::any(&MONTHS),
        days_of_week: Field::any(&DAYS_OF_WEEK),
    };
    Ok(Schedule::Fields(match text {
        "@yearly" | "@annually" => Fields { days_of_month: Field::only(1), months: Field::only(1), ..midnight },
        "@monthly" => Fields { days_of_month: Field::only(1), ..midnight },
        "@weekly" => Fields { days_of_week: Field::only(0), ..midnight },
        "@daily" | "@midnight" => midnight,
        "@hourly" => Fields { hours: Field::any(&HOURS), ..midnight },
        _ => return Err(ScheduleError::Descriptor(text.to_owned())),
    }))
}

/// Ranges with commas between.
fn parse_field(text: &str, bounds: &Bounds) -> Result<Field, ScheduleError> {
    let mut field = Field { bits: 0, is_any: false };
    for range in text.split(',').filter(|range| !range.is_empty()) {
        let range = parse_range(range, bounds)?;
        field.bits |= range.bits;
        field.is_any |= range.is_any;
    }
    Ok(field)
}

/// `*`, `?`, `N` or `N-M`, each with `/STEP` or without.
fn parse_range(text: &str, bounds: &Bounds) -> Result<Field, ScheduleError> {
    let mut parts = text.split('/');
    let (range, step, more) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let mut ends = range.split('-');
    let (first, last, beyond) = (ends.next().unwrap_or_default(), ends.next(), ends.next());
    let is_any = first == "*" || first == "?";
    let (start, mut end) = if is_any {
        (bounds.minimum, bounds.maximum)
    } else {
        if beyond.is_some() {
            return Err(ScheduleError::Hyphens(text.to_owned()));
        }
        let start = parse_value(first, bounds)?;
        (start, last.map_or(Ok(start), |last| parse_value(last, bounds))?)
    };
    if more.is_some() {
        return Err(ScheduleError::Slashes(text.to_owned()));
    }
    let step = match step {
        None => 1,
        Some(step) => {
            // A single value with a step begins a range.
            if last.is_none() && !is_any {
                end = bounds.maximum;
            }
            parse_number(step)?
        }
    };
    let text = text.to_owned();
    if start < bounds.minimum {
        return Err(ScheduleError::BelowMinimum { start, minimum: bounds.minimum, text });
    }
    if end > bounds.maximum {
        return Err(ScheduleError::AboveMaximum { end, maximum: bounds.maximum, text });
    }
    if start > end {
        return Err(ScheduleError::Backwards { start, end, text });
    }
    if step == 0 {
        return Err(ScheduleError::Step(text));
    }
    Ok(Field { bits: bits(start, end, step), is_any: is_any && step == 1 })
}

fn parse_value(text: &str, bounds: &Bounds) -> Result<u32, ScheduleError> {
    let named = (bounds.minimum..).zip(bounds.names).find(|(_, name)| name.eq_ignore_ascii_case(text));
    named.map_or_else(|| parse_number(text), |(value, _)| Ok(value))
}

fn parse_number(text: &str) -> Result<u32, ScheduleError> {
    text.parse().map_err(|_| ScheduleError::Number(text.to_owned()))
}

fn bits(start: u32, end: u32, step: u32) -> u64 {
    (start..=end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).fold(0, |bits, value| bits | (1 << value))
}

fn whole_second(moment: Timestamp) -> Option<Timestamp> {
    Timestamp::from_second(moment.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time_zone;

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::parse(schedule).unwrap();
        let zone = time_zone::load(zone).unwrap();
        let next = schedule.next_after(after.parse().unwrap(), &zone);
        next.map_or("never".to_owned(), |next| next.to_string())
    }

    fn several(schedule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let mut times = Vec::new();
        let mut after = after.to_owned();
        for _ in 0..count {
            after = next(schedule, zone, &after);
            times.push(after.clone());
        }
        times
    }

    #[test]
    fn the_next_time_is_later_and_matches_every_field() {
        let after = "2030-01-01T10:07:30Z"; // a Tuesday
        for (schedule, expected) in [
            ("* * * * *", "2030-01-01T10:08:00Z"),
            ("*/15 * * * *", "2030-01-01T10:15:00Z"),
            ("7 10 * * *", "2030-01-02T10:07:00Z"),
            ("5/20 * * * *", "2030-01-01T10:25:00Z"),
            ("0 9-17/4 * * *", "2030-01-01T13:00:00Z"),
            ("30 6 * * mon-fri", "2030-01-02T06:30:00Z"),
            ("30 6 * * SAT,sun", "2030-01-05T06:30:00Z"),
            ("0 0 1 jan *", "2031-01-01T00:00:00Z"),
            ("0 0 29 2 *", "2032-02-29T00:00:00Z"),
            ("0 0 30 2 *", "never"),
            ("59 23 31 2 *", "never"),
            ("0 0 ? * 3", "2030-01-02T00:00:00Z"),
            ("@yearly", "2031-01-01T00:00:00Z"),
            ("@monthly", "2030-02-01T00:00:00Z"),
            ("@weekly", "2030-01-06T00:00:00Z"),
            ("@daily", "2030-01-02T00:00:00Z"),
            ("@hourly", "2030-01-01T11:00:00Z"),
            ("@every 1h30m", "2030-01-01T11:37:30Z"),
            ("@every 90.9s", "2030-01-01T10:09:00Z"),
            ("@every 1ms", "2030-01-01T10:07:31Z"),
        ] {
            assert_eq!(next(schedule, "", after), expected, "{schedule}");
        }
    }

    #[test]
    fn two_fields_for_days_are_alternatives_unless_one_is_a_star() {
        // The 13th, or a Friday.
        let either = several("0 0 13 * fri", "", "2030-01-05T00:00:00Z", 3);
        assert_eq!(either, ["2030-01-11T00:00:00Z", "2030-01-13T00:00:00Z", "2030-01-18T00:00:00Z"]);
        // A star with a step is no star.
        let stepped = several("0 0 */20 * fri", "", "2030-01-18T00:00:00Z", 2);
        assert_eq!(stepped, ["2030-01-21T00:00:00Z", "2030-01-25T00:00:00Z"]);
        assert_eq!(next("0 0 * * fri", "", "2030-01-05T00:00:00Z"), "2030-01-11T00:00:00Z");
    }

    #[test]
    fn zones_skip_and_repeat_hours() {
        assert_eq!(next("0 9 * * *", "Asia/Kathmandu", "2030-01-01T00:00:00Z"), "2030-01-01T03:15:00Z");
        // In New York, 2:30 does not exist on 2012-03-11, and 1:30 comes twice on 2012-11-04.
        let spring = several("30 2 * * *", "America/New_York", "2012-03-10T00:00:00Z", 2);
        assert_eq!(spring, ["2012-03-10T07:30:00Z", "2012-03-12T06:30:00Z"]);
        let autumn = several("30 1 * * *", "America/New_York", "2012-11-03T12:00:00Z", 3);
        assert_eq!(autumn, ["2012-11-04T05:30:00Z", "2012-11-04T06:30:00Z", "2012-11-05T06:30:00Z"]);
        let hourly = several("0 * * * *", "America/New_York", "2012-11-04T04:30:00Z", 3);
        assert_eq!(hourly, ["2012-11-04T05:00:00Z", "2012-11-04T06:00:00Z", "2012-11-04T07:00:00Z"]);
    }

    #[test]
    fn what_cannot_be_read_is_told_as_upstream_tells_it() {
        for (schedule, expected) in [
            ("", "empty spec string"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("* * * * 7", "end of range (7) above maximum (6): 7"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("1/2/3 * * * *", "too many slashes: 1/2/3"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("@fortnightly", "unrecognized descriptor: @fortnightly"),
            ("@every soon", "failed to parse duration @every soon: time: invalid duration \"soon\""),
            ("@every 5", "failed to parse duration @every 5: time: invalid duration \"5\""),
        ] {
            assert_eq!(Schedule::parse(schedule).unwrap_err().to_string(), expected, "{schedule}");
        }
    }
}
