//! Moments as the API writes them.

use jiff::Timestamp;

/// `2030-01-01T00:00:00Z`: what `metav1.Time` carries, cut to the second.
pub fn seconds(moment: Timestamp) -> String {
    format!("{:.0}", Timestamp::from_second(moment.as_second()).unwrap_or(moment))
}

/// `2030-01-01T00:00:00.000000Z`: what `metav1.MicroTime` carries.
pub fn micros(moment: Timestamp) -> String {
    format!("{moment:.6}")
}

/// Reads RFC 3339 with any offset.
pub fn parse(text: &str) -> Option<Timestamp> {
    // Stricter than the parser, which also takes a space for the T and leaves out seconds.
    let bytes = text.as_bytes();
    let is_dated = bytes.len() >= 20 && bytes[10] == b'T' && bytes[16] == b':';
    if !is_dated || text.contains('[') { None } else { text.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_offsets_and_fractions_and_writes_utc() {
        let moment = parse("2030-01-01T02:00:00.1234567+02:00").unwrap();
        assert_eq!(seconds(moment), "2030-01-01T00:00:00Z");
        assert_eq!(micros(moment), "2030-01-01T00:00:00.123456Z");
        for text in ["", "2030-01-01", "2030-01-01 00:00:00Z", "2030-01-01T00:00:00", "2030-13-01T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
