//! `/version`.

use serde_json::{Value, json};

const MAJOR: &str = "1";
const MINOR: &str = "37";
/// The oldest release whose features are still told apart.
const MIN_COMPATIBILITY_MINOR: &str = "36";
pub(crate) const GIT_VERSION: &str = concat!("v1.37.0+pintle.", env!("CARGO_PKG_VERSION"));

pub(crate) fn version() -> Value {
    json!({
        "major": MAJOR,
        "minor": MINOR,
        "emulationMajor": MAJOR,
        "emulationMinor": MINOR,
        "minCompatibilityMajor": MAJOR,
        "minCompatibilityMinor": MIN_COMPATIBILITY_MINOR,
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": format!("linux/{}", architecture()),
    })
}

/// As Go calls it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
