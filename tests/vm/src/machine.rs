//! A computer in an emulator, seen through its serial console.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use stdx::Clock;
use tokio::time::Instant;

use crate::kernel::Kernel;

const EMULATOR: &str = "qemu-system-x86_64";
const MEMORY_MIB: &str = "2048";
const DISK_BYTES: u64 = 2 << 30;
/// The kernel's own messages would fall into the middle of the walk's lines. One that panics ends the
/// emulator instead of waiting for somebody to look.
const KERNEL_ARGUMENTS: &str = "console=ttyS0 loglevel=1 panic=-1";
/// Lines that may wait; the reader stops reading when the test does not take them.
const LINES: usize = 256;

/// A running machine; dropping it ends it.
#[derive(Debug)]
pub struct Machine {
    emulator: Child,
    lines: Receiver<String>,
    console: String,
    deadline: Instant,
}

impl Machine {
    /// Boots with a disk and a word for the walk; what has not been said when `patience` is over will not be
    /// waited for.
    pub fn boot(kernel: &Kernel, initramfs: &Path, disk: &Path, walk: &str, patience: Duration) -> io::Result<Self> {
        let mut emulator = Command::new(EMULATOR)
            .args(["-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-monitor", "none"])
            .args(["-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", MEMORY_MIB])
            .arg("-kernel")
            .arg(&kernel.image)
            .arg("-initrd")
            .arg(initramfs)
            .arg("-drive")
            .arg(format!("file={},if=virtio,format=raw,cache=unsafe", disk.display()))
            .args(["-append", &format!("{KERNEL_ARGUMENTS} walk={walk}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{EMULATOR}: {error}; type: apt-get install qemu-system-x86"))
            })?;
        let output = emulator.stdout.take().ok_or_else(|| io::Error::other("the console is not piped"))?;
        let deadline = Clock::system().instant() + patience;
        Ok(Machine { emulator, lines: listen(output), console: String::new(), deadline })
    }

    /// Waits for the next line with `marker` and answers what follows it; without one, an error that
    /// says why none will come. The firmware leaves escape sequences before the first line.
    pub fn next_line(&mut self, marker: &str) -> Result<String, String> {
        loop {
            let left = self.deadline.saturating_duration_since(Clock::system().instant());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    self.console.push_str(&line);
                    self.console.push('\n');
                    if let Some((_, rest)) = line.split_once(marker) {
                        return Ok(rest.trim().to_owned());
                    }
                }
                Err(RecvTimeoutError::Timeout) => return Err("the time is over".to_owned()),
                Err(RecvTimeoutError::Disconnected) => return Err("the machine has ended".to_owned()),
            }
        }
    }

    /// All that was read from the console so far.
    pub fn console(&self) -> &str {
        &self.console
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Err(error) = self.emulator.kill().and_then(|()| self.emulator.wait()) {
            eprintln!("cannot end the emulator {}: {error}", self.emulator.id());
        }
    }
}

/// An empty disk with a file system, in a sparse file.
pub fn make_disk(path: &Path) -> io::Result<()> {
    File::create_new(path)?.set_len(DISK_BYTES)?;
    let made = Command::new("mkfs.ext4").args(["-q", "-F"]).arg(path).status()?;
    if made.success() { Ok(()) } else { Err(io::Error::other("cannot make a file system on the disk")) }
}

/// Lines of the console as they come, until the emulator ends.
fn listen(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES);
    std::thread::spawn(move || {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        while output.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            line.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    receiver
}
