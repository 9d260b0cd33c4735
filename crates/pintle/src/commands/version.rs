//! `pintle version`.

use std::process::ExitCode;

use cluster::progress::Format;

use super::{KUBERNETES_VERSION, VERSION};
use crate::arguments::Output;

pub(super) fn run(output: Output) -> anyhow::Result<ExitCode> {
    match output.format() {
        Format::Text => println!("pintle {VERSION} (Kubernetes {KUBERNETES_VERSION})"),
        Format::Json => println!("{}", serde_json::json!({"pintle": VERSION, "kubernetes": KUBERNETES_VERSION})),
    }
    Ok(ExitCode::SUCCESS)
}
