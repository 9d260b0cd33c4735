//! The program of the kernel tests: what `pintle` is to its shims.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next() {
        Some(word) if word == "shim" => container::shim::main(arguments),
        _ => {
            eprintln!("usage: shim-host shim FOLDER");
            ExitCode::FAILURE
        }
    }
}
