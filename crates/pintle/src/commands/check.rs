//! `pintle check`, and the same look before a start.

use std::process::ExitCode;

use anyhow::Context;
use cluster::Settings;
use cluster::check::{Facts, Problem, problems};

use crate::arguments::Place;

pub(super) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    let settings = place.settings()?;
    let mut found = look(&settings)?;
    // A running cluster's own ports and routes are no fault of the machine.
    if let Some(pid) = cluster::process::holder(&settings.run_dir)? {
        println!("the cluster {} runs here (process {pid})", settings.name);
        found.retain(|problem| !problem.what.starts_with("port "));
    }
    print(&found);
    if found.is_empty() {
        println!("this machine can run a cluster");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::FAILURE)
}

/// What stands against a cluster here. Touches nothing.
pub(super) fn look(settings: &Settings) -> anyhow::Result<Vec<Problem>> {
    let trial = network::trial().map_err(|error| stdx::error::chain(&error));
    let facts = Facts::gather(settings, trial).context("cannot look at this machine")?;
    Ok(problems(&facts, settings))
}

/// One line each, with the command that mends it.
pub(super) fn print(problems: &[Problem]) {
    for problem in problems {
        eprintln!("pintle: {}; mend it with: {}", problem.what, problem.mend);
    }
}
