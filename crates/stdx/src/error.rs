//! Errors as one line.

use std::error::Error;

/// The error and its sources, joined by `: `. Display implementations never repeat their source,
/// so nothing is said twice.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        line.push_str(": ");
        line.push_str(&cause.to_string());
        source = cause.source();
    }
    line
}
