//! Spans of time as Go writes them: `1h30m0s`, `15.2s`, `300ms`. In nanoseconds, of which Go counts 63 bits.

/// Reads Go's notation: numbers with units, the largest first or in any order.
pub fn parse(text: &str) -> Option<i64> {
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanoseconds: u64 = 0;
    while !rest.is_empty() {
        let (part, tail) = part(rest)?;
        nanoseconds = nanoseconds.checked_add(part).filter(|sum| *sum <= 1 << 63)?;
        rest = tail;
    }
    match is_negative {
        true => 0_i64.checked_sub_unsigned(nanoseconds),
        false => i64::try_from(nanoseconds).ok(),
    }
}

/// A number with its unit, and what follows.
fn part(text: &str) -> Option<(u64, &str)> {
    let is_digit = |character: char| character.is_ascii_digit();
    let (whole, rest) = text.split_at(text.find(|c| !is_digit(c)).unwrap_or(text.len()));
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.find(|c| !is_digit(c)).unwrap_or(rest.len())),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_end = rest.find(|c| is_digit(c) || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3600 * SECOND,
        _ => return None,
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // Digits beyond what Go's counter holds say nothing more.
    let (mut count, mut scale) = (0_u64, 1.0);
    for digit in fraction.bytes() {
        let Some(more) = count.checked_mul(10).and_then(|count| count.checked_add(u64::from(digit - b'0'))) else {
            break;
        };
        (count, scale) = (more, scale * 10.0);
    }
    let of_fraction = (count as f64 * (unit as f64 / scale)) as u64;
    Some((whole.checked_mul(unit)?.checked_add(of_fraction)?, rest))
}

const SECOND: u64 = 1_000_000_000;

/// Writes Go's notation.
pub fn format(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let count = nanoseconds.unsigned_abs();
    let (unit, name) = match count {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..SECOND => (1_000_000, "ms"),
        _ => {
            let (seconds, fraction) = (count / SECOND, decimals(count % SECOND, SECOND));
            let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            return match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}{fraction}s"),
                (0, _) => format!("{sign}{minutes}m{seconds}{fraction}s"),
                _ => format!("{sign}{hours}h{minutes}m{seconds}{fraction}s"),
            };
        }
    };
    format!("{sign}{}{}{name}", count / unit, decimals(count % unit, unit))
}

/// `.25` of 250 in a thousand; nothing of nothing.
fn decimals(count: u64, of: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let width = of.ilog10() as usize;
    format!(".{count:0width$}").trim_end_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation and the tests of Go's package `time`.
    #[test]
    fn reads_and_writes_what_go_does() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (1_100, "1.1µs"),
            (2_200_000, "2.2ms"),
            (3_300_000_000, "3.3s"),
            (245_000_000_000, "4m5s"),
            (245_001_000_000, "4m5.001s"),
            (18_367_001_000_000, "5h6m7.001s"),
            (480_000_000_001, "8m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(format(nanoseconds), text);
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
        }
        for (text, nanoseconds) in [
            ("0", 0),
            ("-5s", -5_000_000_000),
            ("+5s", 5_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("1.0s", 1_000_000_000),
            ("10.5s4m", 250_500_000_000),
            ("12us", 12_000),
            ("39h9m14.425s", 140_954_425_000_000),
            ("0.3333333333333333333h", 1_200_000_000_000),
        ] {
            assert_eq!(parse(text), Some(nanoseconds), "{text}");
        }
        for text in ["", "3", "-", "s", ".", "-.", ".s", "+.s", "1d", "9223372036854775808ns", "3000000h", "1 s", "ä"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
