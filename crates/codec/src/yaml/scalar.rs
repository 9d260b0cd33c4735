//! What a scalar stands for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::YamlError;

/// A plain scalar: a null, a truth value or a number where version 1.1 sees one, else text.
pub(super) fn plain(text: &str) -> Result<Value, YamlError> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Ok(Value::Bool(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Ok(Value::Bool(false));
        }
        ".nan" | ".NaN" | ".NAN" => return Err(YamlError::NotFinite("NaN".to_owned())),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Err(YamlError::NotFinite("+Inf".to_owned())),
        "-.inf" | "-.Inf" | "-.INF" => return Err(YamlError::NotFinite("-Inf".to_owned())),
        _ => {}
    }
    let may_be_number = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    match may_be_number.then(|| number(text)).flatten() {
        Some(number) => number,
        None => Ok(Value::from(text)),
    }
}

/// A scalar with one of version 1.1's own tags.
pub(super) fn tagged(text: &str, tag: &str) -> Result<Value, YamlError> {
    let mismatch = || YamlError::Tag { text: text.to_owned(), tag: format!("!!{tag}") };
    match tag {
        "binary" => {
            let packed: String = text.split_whitespace().collect();
            let bytes = STANDARD.decode(packed).map_err(|_| YamlError::Binary)?;
            Ok(Value::from(String::from_utf8_lossy(&bytes)))
        }
        "int" => plain(text)?.as_i64().map(Value::from).ok_or_else(mismatch),
        "float" => plain(text).and_then(|value| if value.is_number() { Ok(value) } else { Err(mismatch()) }),
        "bool" => plain(text).and_then(|value| if value.is_boolean() { Ok(value) } else { Err(mismatch()) }),
        "null" => plain(text).and_then(|value| if value.is_null() { Ok(value) } else { Err(mismatch()) }),
        _ => Ok(Value::from(text)),
    }
}

/// Whether text that stood there plain would be read as a moment. It stays text, but is written in quotes.
pub(super) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits == 4 && bytes.get(4) == Some(&b'-') && bytes.get(5).is_some_and(u8::is_ascii_digit)
}

/// Whether text that stood there plain would be read as a number of base 60, as other libraries do: `1:20`.
pub(super) fn is_base_sixty(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    unsigned.contains(':') && unsigned.chars().all(|c| c.is_ascii_digit() || ":._".contains(c))
}

fn number(text: &str) -> Option<Result<Value, YamlError>> {
    if let Some(rest) = text.strip_prefix('.') {
        return rest.starts_with(|c: char| c.is_ascii_digit()).then(|| float(text)).flatten();
    }
    let digits = text.replace('_', "");
    integer(&digits).map(Ok).or_else(|| if is_float(&digits) { float(&digits) } else { None })
}

/// In base 8 after a `0`, 16 after `0x`, 2 after `0b`.
fn integer(digits: &str) -> Option<Value> {
    let (is_negative, magnitude) = match digits.as_bytes().first()? {
        b'-' => (true, &digits[1..]),
        b'+' => (false, &digits[1..]),
        _ => (false, digits),
    };
    let lower = magnitude.to_ascii_lowercase();
    let (radix, rest) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    if rest.starts_with(['+', '-']) {
        return None;
    }
    let magnitude = u64::from_str_radix(rest, radix).ok()?;
    if is_negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Value::from);
    }
    Some(Value::from(magnitude))
}

/// `1`, `1.5`, `1.5e3`, signed or not.
fn is_float(digits: &str) -> bool {
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
}

/// Whole numbers are written without a fraction, as Go writes them into JSON; so they are integers then.
fn float(text: &str) -> Option<Result<Value, YamlError>> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number: f64 = text.parse().ok()?;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Some(Ok(Value::from(number as i64)));
    }
    // Too large for any float: Go takes it for text.
    Number::from_f64(number).map(|number| Ok(Value::Number(number)))
}
