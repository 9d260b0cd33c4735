//! One file per subcommand. Each returns the process's exit code; an error is one line and code 1.

mod check;
mod destroy;
mod down;
mod image;
mod server;
mod status;
pub(crate) mod store;
mod up;
mod version;

use std::process::ExitCode;

use crate::arguments::{Arguments, Command};

pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Up(up) => up::run(&up),
        Command::Status(status) => status::run(&status),
        Command::Down(place) => down::run(&place),
        Command::Destroy(destroy) => destroy::run(&destroy),
        Command::Check(place) => check::run(&place),
        Command::Image(image) => image::run(image.command),
        Command::Store(store) => store::run(&store),
        Command::Version(output) => version::run(output),
        Command::Server(place) => server::run(&place),
    }
}

/// What the program calls itself in `version`, in logs and to clients.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The Kubernetes whose API it serves.
pub(crate) const KUBERNETES_VERSION: &str = "v1.37.0";
