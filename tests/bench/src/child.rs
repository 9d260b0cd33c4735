//! This program again, as a process of its own: a server, or something whose memory is looked at.
//!
//! A child tells on its output what it has done, a line each time, and takes orders line by line from its
//! input. It ends when its input does, so that nothing outlives the measurement.

use std::io::{BufRead, BufReader, Write};
use std::process::{self, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

/// How long a child may take over what it was told, and over ending.
const PATIENCE: Duration = Duration::from_secs(120);
const LAST_PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Child {
    process: process::Child,
    orders: Option<ChildStdin>,
    told: mpsc::Receiver<String>,
}

impl Child {
    /// Starts `bench child ARGUMENTS`.
    pub(crate) fn start(arguments: &[&str]) -> anyhow::Result<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("child").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().context("cannot start a process")?;
        let orders = process.stdin.take();
        let output = process.stdout.take().context("a child's output")?;
        let (tell, told) = mpsc::sync_channel(16);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Child { process, orders, told })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Waits for the next line.
    pub(crate) fn line(&self) -> anyhow::Result<String> {
        self.told.recv_timeout(PATIENCE).context("a child of the measurement ended or hung")
    }

    /// Lets the child go on, and waits for what it tells.
    pub(crate) fn order(&mut self, order: &str) -> anyhow::Result<String> {
        let orders = self.orders.as_mut().context("the child was told to end")?;
        writeln!(orders, "{order}")?;
        orders.flush()?;
        self.line()
    }

    /// Ends it in good order.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        drop(self.orders.take());
        // Its output closes when it has ended.
        loop {
            match self.told.recv_timeout(LAST_PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => bail!("a child of the measurement does not end"),
            }
        }
        let status = self.process.wait()?;
        ensure!(status.success(), "a child of the measurement failed ({status})");
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The child's side: tells a line.
pub(crate) fn tell(line: &str) -> anyhow::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush().context("the measurement went away")
}

/// The child's side: the next order, or `None` when it is to end.
pub(crate) fn next_order() -> anyhow::Result<Option<String>> {
    let mut order = String::new();
    let read = std::io::stdin().lock().read_line(&mut order)?;
    Ok((read > 0).then(|| order.trim().to_owned()))
}
