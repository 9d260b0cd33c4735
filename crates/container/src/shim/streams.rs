//! Moving bytes between a container, its log and those attached to it, without ever waiting.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};

/// What a read without waiting found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Readable {
    Bytes(usize),
    Nothing,
    End,
}

pub(crate) fn set_nonblocking(descriptor: &impl AsFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(descriptor.as_fd(), FcntlArg::F_GETFL)?);
    fcntl(descriptor.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

pub(crate) fn read_now(descriptor: &File, buffer: &mut [u8]) -> Readable {
    let mut reader = descriptor;
    loop {
        match reader.read(buffer) {
            Ok(0) => return Readable::End,
            Ok(count) => return Readable::Bytes(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Readable::Nothing,
            // A terminal whose last user has gone answers EIO.
            Err(_) => return Readable::End,
        }
    }
}

/// Someone who listens to a container. One who cannot keep up is cut off: nobody may hold a
/// container up, and nothing is buffered.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) connection: u64,
    pub(crate) stdout: Option<File>,
    pub(crate) stderr: Option<File>,
}

/// Whether all bytes went.
pub(crate) fn write_now(descriptor: &File, mut bytes: &[u8]) -> bool {
    let mut writer = descriptor;
    while !bytes.is_empty() {
        match writer.write(bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

/// Writes what fits now; answers how much that was, or nothing when the reader has gone.
pub(crate) fn write_some(descriptor: &File, bytes: &[u8]) -> Option<usize> {
    let mut writer = descriptor;
    loop {
        match writer.write(bytes) {
            Ok(count) => return Some(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Some(0),
            Err(_) => return None,
        }
    }
}

/// Sets the size of a terminal.
pub(crate) fn set_window_size(terminal: &OwnedFd, width: u16, height: u16) -> io::Result<()> {
    let size = libc::winsize { ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: the structure is valid and outlives the call.
    match unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
