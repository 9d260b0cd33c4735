//! Levels and versions, as the labels of a namespace name them.

use std::fmt;

use registry::FieldError;

/// From the laxest to the strictest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    #[default]
    Privileged,
    Baseline,
    Restricted,
}

/// Which release's idea of a level is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    #[default]
    Latest,
    Minor(u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LevelVersion {
    pub(super) level: Level,
    pub(super) version: Version,
}

/// What a namespace asks for. Its third mode, audit, is read for faults alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) enforce: LevelVersion,
    pub(super) warn: LevelVersion,
}

impl Policy {
    /// The policy of labels, and what is wrong with them. What cannot be read is enforced as the
    /// strictest and warned of as the laxest level.
    pub(super) fn of<'a>(label: impl Fn(&str) -> Option<&'a str>) -> (Policy, Vec<FieldError>) {
        let mut faults = Vec::new();
        let mut mode = |name: &str, fallback: Level| {
            let mut at = LevelVersion::default();
            let key = format!("pod-security.kubernetes.io/{name}");
            if let Some(text) = label(&key) {
                at.level = Level::parse(text).unwrap_or_else(|| {
                    faults.push(fault(&key, text, "must be one of privileged, baseline, restricted"));
                    fallback
                });
            }
            let key = format!("{key}-version");
            if let Some(text) = label(&key) {
                at.version = Version::parse(text).unwrap_or_else(|| {
                    faults.push(fault(&key, text, "must be \"latest\" or \"v1.x\""));
                    Version::Latest
                });
            }
            at
        };
        let enforce = mode("enforce", Level::Restricted);
        mode("audit", Level::Privileged);
        let warn = mode("warn", Level::Privileged);
        (Policy { enforce, warn }, faults)
    }
}

fn fault(key: &str, text: &str, detail: &str) -> FieldError {
    FieldError::invalid(format!("metadata.labels[{key}]"), text, detail)
}

impl Level {
    fn parse(text: &str) -> Option<Level> {
        match text {
            "privileged" => Some(Level::Privileged),
            "baseline" => Some(Level::Baseline),
            "restricted" => Some(Level::Restricted),
            _ => None,
        }
    }
}

impl Version {
    fn parse(text: &str) -> Option<Version> {
        if text == "latest" {
            return Some(Version::Latest);
        }
        let digits = text.strip_prefix("v1.")?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        digits.parse().ok().filter(|_| is_plain).map(Version::Minor)
    }

    /// The minor release; the latest is above all.
    pub(super) fn minor(self) -> u32 {
        match self {
            Version::Latest => u32::MAX,
            Version::Minor(minor) => minor,
        }
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.level {
            Level::Privileged => "privileged",
            Level::Baseline => "baseline",
            Level::Restricted => "restricted",
        })?;
        match self.version {
            Version::Latest => formatter.write_str(":latest"),
            Version::Minor(minor) => write!(formatter, ":v1.{minor}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_make_a_policy() {
        let of = |labels: &'static [(&str, &str)]| {
            let (policy, faults) = Policy::of(|name| {
                let short = name.strip_prefix("pod-security.kubernetes.io/")?;
                labels.iter().find(|(label, _)| *label == short).map(|(_, value)| *value)
            });
            let faults: Vec<String> = faults.iter().map(FieldError::to_string).collect();
            (policy.enforce.to_string(), policy.warn.to_string(), faults.join("; "))
        };
        let own = |enforce: &str, warn: &str, faults: &str| (enforce.to_owned(), warn.to_owned(), faults.to_owned());
        assert_eq!(of(&[]), own("privileged:latest", "privileged:latest", ""));
        assert_eq!(
            of(&[("enforce", "baseline"), ("enforce-version", "v1.30"), ("warn", "restricted")]),
            own("baseline:v1.30", "restricted:latest", "")
        );
        assert_eq!(
            of(&[("enforce", "strict"), ("warn-version", "1.30"), ("audit", "")]),
            own(
                "restricted:latest",
                "privileged:latest",
                "metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"strict\": must be one of \
                 privileged, baseline, restricted; metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: \
                 \"\": must be one of privileged, baseline, restricted; \
                 metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"1.30\": must be \"latest\" \
                 or \"v1.x\""
            )
        );
    }
}
