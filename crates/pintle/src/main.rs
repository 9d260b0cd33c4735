//! The program: subcommands and wiring, nothing else.

mod arguments;
mod commands;
mod ready;
mod runtime;
mod server;
mod state;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;

/// Objects come and go by the million, of all sizes and on all threads: the C library's allocator takes half of the
/// processor for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The shim sets up containers with clone(2) and must never have had a second thread.
    let mut raw = std::env::args_os().skip(1);
    if raw.next().is_some_and(|first| first == "shim") {
        return container::shim::main(raw);
    }
    match commands::run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pintle: {}", stdx::error::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
