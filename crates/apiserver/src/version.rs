//! `/version`.

use serde_json::{Value, json};

pub(crate) const MAJOR: &str = "1";
pub(crate) const MINOR: &str = "37";

pub(crate) fn version() -> Value {
    json!({
        "major": MAJOR,
        "minor": MINOR,
        "gitVersion": concat!("v1.37.0+pintle", ".", env!("CARGO_PKG_VERSION")),
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",
        "compiler": "rustc",
        "platform": concat!("linux/", "amd64"),
    })
}
