//! `pintle server`: the process that `up` starts. It reports its steps as JSON lines on standard output and logs to
//! standard error.

use std::io::Write;
use std::process::ExitCode;

use cluster::progress::Report;
use tokio::sync::mpsc;
use tracing_subscriber::EnvFilter;

use crate::arguments::Place;
use crate::server;

pub(super) fn run(place: &Place) -> anyhow::Result<ExitCode> {
    // A session of its own: the terminal that ran `up` may close. It fails only for a process that leads one already.
    if let Err(errno) = nix::unistd::setsid()
        && errno != nix::errno::Errno::EPERM
    {
        return Err(errno.into());
    }
    init_log();
    let settings = place.settings()?;
    server::runtime()?.block_on(async {
        let (reports, mut receiver) = mpsc::channel(16);
        let printer = tokio::spawn(async move {
            while let Some(report) = receiver.recv().await {
                print(&report);
            }
        });
        let outcome = server::run(settings, reports).await;
        if let Err(error) = &outcome {
            let message = stdx::error::chain(error.as_ref());
            tracing::error!("{message}");
            print(&Report::Failed { message });
        }
        printer.await?;
        Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// `up` may have left by now (`--wait=false`, an interrupt): then nobody reads, and that is no fault.
fn print(report: &Report) {
    if let Ok(line) = serde_json::to_string(report) {
        drop(writeln!(std::io::stdout(), "{line}"));
    }
}

/// A line per DNS question would fill the disk.
const DEFAULT_LOG: &str = "info,hickory_server=warn";

/// Logs go to standard error; `PINTLE_LOG` takes tracing's filter syntax.
pub(super) fn init_log() {
    let filter = EnvFilter::try_from_env("PINTLE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
}
