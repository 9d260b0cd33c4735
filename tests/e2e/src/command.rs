//! Commands and what came of them.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A command that has ended.
#[derive(Clone, Debug)]
pub struct Ran {
    shown: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// Its standard output; a command that failed fails the test.
    #[track_caller]
    pub fn success(self) -> String {
        assert!(self.is_success(), "{self}");
        self.stdout
    }

    /// Its standard error; a command that succeeded fails the test.
    #[track_caller]
    pub fn failure(self) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "should have failed: {self}");
        self.stderr
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let shown = self.to_string();
        serde_json::from_str(&self.success()).unwrap_or_else(|error| panic!("{error}: {shown}"))
    }

    /// Both outputs, for messages that may go to either.
    pub fn text(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        writeln!(formatter, "$ {}\nended with {code}", self.shown)?;
        writeln!(formatter, "stdout: {}\nstderr: {}", self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// Runs a command to its end, with `input` as its standard input.
#[track_caller]
pub fn run(command: &mut Command, input: &str) -> Ran {
    let shown = show(command);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {shown}: {error}"));
    let mut stdin = child.stdin.take().expect("standard input is piped");
    let input = input.to_owned();
    // A command that does not read its input closes the pipe: that is its business.
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("waiting for {shown}: {error}"));
    feeder.join().expect("feeding does not panic");
    Ran {
        shown,
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The command as one would type it, without the entering of namespaces.
fn show(command: &Command) -> String {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let start = words.iter().position(|word| word == "--").map_or(0, |at| at + 1);
    let start = if words.first().is_some_and(|word| word == "nsenter") { start } else { 0 };
    words[start..].join(" ")
}
