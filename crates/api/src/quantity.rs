//! Resource quantities, as the API writes them: `100m`, `1.5Gi`, `2e3`.

use std::cmp::Ordering;
use std::str::FromStr;

/// An exact amount in billionths, the finest the API keeps. Finer input rounds up, as upstream does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity {
    nanos: i128,
}

const NANOS_PER_UNIT: i128 = 1_000_000_000;

/// What larger amounts count as. Upstream bounds only those with binary suffixes.
const MOST_NANOS: i128 = 10_i128.pow(38);
const MOST_BINARY_NANOS: i128 = i64::MAX as i128 * NANOS_PER_UNIT;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
pub struct ParseQuantityError;

impl Quantity {
    pub const ZERO: Quantity = Quantity { nanos: 0 };

    pub const fn from_units(units: i64) -> Self {
        Quantity { nanos: units as i128 * NANOS_PER_UNIT }
    }

    pub fn from_millis(millis: i64) -> Self {
        Quantity { nanos: i128::from(millis) * (NANOS_PER_UNIT / 1000) }
    }

    /// Parses the API's own wrapper; an unparsable amount is an error, never zero.
    pub fn of(quantity: &k8s_openapi::apimachinery::pkg::api::resource::Quantity) -> Result<Self, ParseQuantityError> {
        quantity.0.parse()
    }

    /// Whole units, rounded up: bytes of memory, counts of pods.
    pub fn units(self) -> i64 {
        clamp(divide_up(self.nanos, NANOS_PER_UNIT))
    }

    /// Thousandths, rounded up: the unit of CPU arithmetic.
    pub fn millis(self) -> i64 {
        clamp(divide_up(self.nanos, NANOS_PER_UNIT / 1000))
    }

    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    pub fn saturating_add(self, other: Quantity) -> Quantity {
        Quantity { nanos: self.nanos.saturating_add(other.nanos) }
    }

    pub fn saturating_sub(self, other: Quantity) -> Quantity {
        Quantity { nanos: self.nanos.saturating_sub(other.nanos) }
    }
}

impl FromStr for Quantity {
    type Err = ParseQuantityError;

    fn from_str(text: &str) -> Result<Self, ParseQuantityError> {
        let digits_end = text
            .char_indices()
            .find(|&(at, c)| !(c.is_ascii_digit() || c == '.' || (at == 0 && (c == '+' || c == '-'))))
            .map_or(text.len(), |(at, _)| at);
        let (number, suffix) = text.split_at(digits_end);
        let (negative, number) = match number.as_bytes().first() {
            Some(b'-') => (true, &number[1..]),
            Some(b'+') => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(ParseQuantityError);
        }
        let scale = Scale::parse(suffix).ok_or(ParseQuantityError)?;
        let nanos = scale.apply(whole, fraction).ok_or(ParseQuantityError)?;
        Ok(Quantity { nanos: if negative { -nanos } else { nanos } })
    }
}

/// The factor a suffix stands for: a power of 1024 or of 10.
enum Scale {
    Binary(u32),
    Decimal(i32),
}

impl Scale {
    fn parse(suffix: &str) -> Option<Scale> {
        Some(match suffix {
            "" => Scale::Decimal(0),
            "n" => Scale::Decimal(-9),
            "u" => Scale::Decimal(-6),
            "m" => Scale::Decimal(-3),
            "k" => Scale::Decimal(3),
            "M" => Scale::Decimal(6),
            "G" => Scale::Decimal(9),
            "T" => Scale::Decimal(12),
            "P" => Scale::Decimal(15),
            "E" => Scale::Decimal(18),
            "Ki" => Scale::Binary(1),
            "Mi" => Scale::Binary(2),
            "Gi" => Scale::Binary(3),
            "Ti" => Scale::Binary(4),
            "Pi" => Scale::Binary(5),
            "Ei" => Scale::Binary(6),
            exponent if exponent.starts_with(['e', 'E']) => Scale::Decimal(exponent[1..].parse().ok()?),
            _ => return None,
        })
    }

    /// `whole.fraction` times the factor, in nanos, rounded up; amounts past the range are the most there is.
    fn apply(&self, whole: &str, fraction: &str) -> Option<i128> {
        let digits: String = whole.chars().chain(fraction.chars()).collect();
        let digits = digits.trim_start_matches('0');
        if digits.is_empty() {
            return Some(0);
        }
        if digits.len() > 36 {
            return None;
        }
        let mantissa: i128 = digits.parse().ok()?;
        let fraction_digits = i32::try_from(fraction.len()).ok()?;
        let (mantissa, exponent, most) = match *self {
            Scale::Binary(power) => {
                (mantissa.checked_mul(1024i128.pow(power))?, 9 - fraction_digits, MOST_BINARY_NANOS)
            }
            Scale::Decimal(power) => (mantissa, power.checked_add(9)?.checked_sub(fraction_digits)?, MOST_NANOS),
        };
        let factor = 10i128.checked_pow(exponent.unsigned_abs());
        let nanos = match exponent >= 0 {
            true => factor.and_then(|factor| mantissa.checked_mul(factor)).unwrap_or(most),
            false => factor.map_or(1, |divisor| divide_up(mantissa, divisor)),
        };
        Some(nanos.min(most))
    }
}

/// The amount as the API writes it: at most three digits before the next larger suffix would do,
/// the suffix of the family it came in. `0.5` is `500m`, `1024Mi` is `1Gi`.
pub fn canonical(text: &str) -> Result<String, ParseQuantityError> {
    Ok(text.parse::<Quantity>()?.to_text(Format::of(text)))
}

/// The family of suffixes that an amount is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `Ki`, `Mi`, `Gi` …
    Binary,
    /// `m`, `k`, `M` …
    #[default]
    Decimal,
    /// `e3`, `e6` …
    Exponent,
}

impl Format {
    /// The family a text is written in.
    pub fn of(text: &str) -> Format {
        let suffix = text.trim_start_matches(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        if suffix.ends_with('i') {
            Format::Binary
        } else if suffix.len() > 1 && suffix.starts_with(['e', 'E']) {
            Format::Exponent
        } else {
            Format::Decimal
        }
    }
}

impl Quantity {
    /// The amount as the API writes it, in a family of suffixes.
    pub fn to_text(self, format: Format) -> String {
        let nanos = self.nanos;
        if nanos == 0 {
            return "0".to_owned();
        }
        let is_whole_binary = format == Format::Binary && nanos % NANOS_PER_UNIT == 0;
        if is_whole_binary && (nanos / NANOS_PER_UNIT).abs() >= 1024 {
            let (mut mantissa, mut power) = (nanos / NANOS_PER_UNIT, 0);
            while mantissa % 1024 == 0 && power + 1 < BINARY_SUFFIXES.len() {
                (mantissa, power) = (mantissa / 1024, power + 1);
            }
            return format!("{mantissa}{}", BINARY_SUFFIXES[power]);
        }
        let (mut mantissa, mut thousands) = (nanos, 0);
        let has_exponent = format == Format::Exponent;
        while mantissa % 1000 == 0 && (has_exponent || thousands + 1 < DECIMAL_SUFFIXES.len()) {
            (mantissa, thousands) = (mantissa / 1000, thousands + 1);
        }
        match 3 * i32::try_from(thousands).unwrap_or(0) - 9 {
            exponent if has_exponent && exponent != 0 => format!("{mantissa}e{exponent}"),
            _ if has_exponent => mantissa.to_string(),
            _ => format!("{mantissa}{}", DECIMAL_SUFFIXES[thousands]),
        }
    }
}

const BINARY_SUFFIXES: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES: [&str; 10] = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];

fn divide_up(value: i128, divisor: i128) -> i128 {
    let quotient = value / divisor;
    if value % divisor != 0 && value > 0 { quotient + 1 } else { quotient }
}

fn clamp(value: i128) -> i64 {
    match value.cmp(&0) {
        Ordering::Less => i64::try_from(value).unwrap_or(i64::MIN),
        _ => i64::try_from(value).unwrap_or(i64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_shortest_exact_form() {
        for (text, expected) in [
            ("0", "0"),
            ("0Mi", "0"),
            ("0.5", "500m"),
            ("1000m", "1"),
            ("1500m", "1500m"),
            ("2", "2"),
            ("1000", "1k"),
            ("1024Mi", "1Gi"),
            ("1.5Gi", "1536Mi"),
            ("0.5Gi", "512Mi"),
            ("0.5Ki", "512"),
            ("100Ki", "100Ki"),
            ("1e3", "1e3"),
            ("12E2", "1200"),
            ("-500m", "-500m"),
            ("1M", "1M"),
            ("1048576", "1048576"),
            ("1e21", "1e21"),
            ("-1e99", "-100e27"),
            ("16Ei", "9223372036854775807"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(canonical("x"), Err(ParseQuantityError));
    }

    #[test]
    fn reads_every_suffix() {
        let millis = |text: &str| text.parse::<Quantity>().map(Quantity::millis);
        for (text, expected) in [
            ("0", 0),
            ("100m", 100),
            ("1", 1000),
            (".5", 500),
            ("5.", 5000),
            ("1.5", 1500),
            ("+2", 2000),
            ("-2", -2000),
            ("1Ki", 1_024_000),
            ("1.5Gi", 1_610_612_736_000),
            ("2e3", 2_000_000),
            ("1E2", 100_000),
            ("1E", 1_000_000_000_000_000_000_000i128.min(i128::from(i64::MAX)) as i64),
            ("1n", 1),
            ("1500u", 2),
            ("0.0000000001", 1),
        ] {
            assert_eq!(millis(text), Ok(expected), "{text}");
        }
        for text in ["", ".", "1.2.3", "abc", "1 Gi", "1gi", "1KiB", "--1", "1e", "0x10"] {
            assert_eq!(millis(text), Err(ParseQuantityError), "{text}");
        }
    }
}
