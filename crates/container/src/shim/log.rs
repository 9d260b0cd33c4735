//! The log format of CRI: `<time> <stream> <tag> <content>`, one line each.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A longer line is cut into parts of this size, tagged `P`; its end is tagged `F`.
const LINE_LIMIT_BYTES: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn name(self) -> &'static str {
        match self {
            Stream::Stdout => "stdout",
            Stream::Stderr => "stderr",
        }
    }
}

/// Turns the bytes of one stream into log lines; holds at most one line's part.
#[derive(Debug)]
pub(crate) struct LineCutter {
    stream: Stream,
    pending: Vec<u8>,
}

impl LineCutter {
    pub(crate) fn new(stream: Stream) -> Self {
        LineCutter { stream, pending: Vec::new() }
    }

    /// Appends to `out` the log lines that `bytes` complete.
    pub(crate) fn push(&mut self, mut bytes: &[u8], now: Timestamp, out: &mut Vec<u8>) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.take(&bytes[..end], now, out);
            self.emit('F', now, out);
            bytes = &bytes[end + 1..];
        }
        self.take(bytes, now, out);
    }

    /// The stream has ended: what is left had no newline and stays partial.
    pub(crate) fn finish(&mut self, now: Timestamp, out: &mut Vec<u8>) {
        if !self.pending.is_empty() {
            self.emit('P', now, out);
        }
    }

    fn take(&mut self, mut bytes: &[u8], now: Timestamp, out: &mut Vec<u8>) {
        // A part is cut only once a further byte is known, so that a line of exactly the limit stays whole.
        while self.pending.len() + bytes.len() > LINE_LIMIT_BYTES {
            let room = LINE_LIMIT_BYTES - self.pending.len();
            self.pending.extend_from_slice(&bytes[..room]);
            bytes = &bytes[room..];
            self.emit('P', now, out);
        }
        self.pending.extend_from_slice(bytes);
    }

    fn emit(&mut self, tag: char, now: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("{now:.9} {} {tag} ", self.stream.name()).as_bytes());
        out.append(&mut self.pending);
        out.push(b'\n');
    }
}

/// The log file of a container. A write that fails loses its lines, never blocks the container.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    stdout: LineCutter,
    stderr: LineCutter,
}

impl LogFile {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(LogFile {
            path: path.to_owned(),
            file: open_append(path)?,
            stdout: LineCutter::new(Stream::Stdout),
            stderr: LineCutter::new(Stream::Stderr),
        })
    }

    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8], now: Timestamp) -> io::Result<()> {
        let mut lines = Vec::with_capacity(bytes.len() + 64);
        self.cutter(stream).push(bytes, now, &mut lines);
        self.file.write_all(&lines)
    }

    pub(crate) fn finish(&mut self, stream: Stream, now: Timestamp) -> io::Result<()> {
        let mut lines = Vec::new();
        self.cutter(stream).finish(now, &mut lines);
        self.file.write_all(&lines)
    }

    /// After the kubelet renamed the file: goes on in a new one.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        self.file = open_append(&self.path)?;
        Ok(())
    }

    fn cutter(&mut self, stream: Stream) -> &mut LineCutter {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

fn open_append(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn time() -> Timestamp {
        "2024-01-01T00:00:00Z".parse().unwrap()
    }

    fn cut(pieces: &[&[u8]]) -> String {
        let mut cutter = LineCutter::new(Stream::Stdout);
        let mut out = Vec::new();
        for piece in pieces {
            cutter.push(piece, time(), &mut out);
        }
        cutter.finish(time(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn check(pieces: &[&[u8]], expected: Expect) {
        expected.assert_eq(&cut(pieces));
    }

    #[test]
    fn lines_are_whole_however_the_bytes_arrive() {
        check(
            &[b"one\ntw", b"o\n\nlast"],
            expect![[r#"
                2024-01-01T00:00:00.000000000Z stdout F one
                2024-01-01T00:00:00.000000000Z stdout F two
                2024-01-01T00:00:00.000000000Z stdout F 
                2024-01-01T00:00:00.000000000Z stdout P last
            "#]],
        );
    }

    #[test]
    fn a_long_line_is_cut_at_sixteen_kibibytes() {
        let tags = |length: usize| -> String {
            let mut line = vec![b'x'; length];
            line.push(b'\n');
            cut(&[&line]).lines().map(|line| line.split(' ').nth(2).unwrap().to_owned()).collect()
        };
        assert_eq!(tags(LINE_LIMIT_BYTES), "F");
        assert_eq!(tags(LINE_LIMIT_BYTES + 1), "PF");
        assert_eq!(tags(LINE_LIMIT_BYTES * 3), "PPF");
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_or_invented(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..8)) {
            let mut cutter = LineCutter::new(Stream::Stderr);
            let mut out = Vec::new();
            for piece in &pieces {
                cutter.push(piece, time(), &mut out);
            }
            cutter.finish(time(), &mut out);
            let header = "2024-01-01T00:00:00.000000000Z stderr F ".len();
            let mut seen = Vec::new();
            for line in out.split_inclusive(|byte| *byte == b'\n') {
                prop_assert!(line.len() <= header + LINE_LIMIT_BYTES + 1);
                let (head, content) = line.split_at(header);
                seen.extend_from_slice(&content[..content.len() - 1]);
                if head[header - 2] == b'F' {
                    seen.push(b'\n');
                }
            }
            prop_assert_eq!(seen, pieces.concat());
        }
    }
}
