//! As much of HTTP/1.1 as a measuring client reads: a head, and a body of known length or in chunks.

use anyhow::{Context, bail};

/// How an answer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// Where the body begins.
    pub(crate) bytes: usize,
    pub(crate) body: Framing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
}

/// The head at the front of `received`, or `None` while it is not whole.
pub(crate) fn head(received: &[u8]) -> anyhow::Result<Option<Head>> {
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(&received[..end])?;
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("an answer begins with its status")?;
    let status = status.parse()?;
    let mut body = None;
    for line in lines {
        let (name, value) = line.split_once(':').context("a header has a name and a value")?;
        if name.eq_ignore_ascii_case("content-length") {
            body = Some(Framing::Length(value.trim().parse()?));
        } else if name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked") {
            body = Some(Framing::Chunked);
        }
    }
    let body = body.context("an answer tells how its body ends")?;
    Ok(Some(Head { status, bytes: end + 4, body }))
}

/// Takes the chunks' own framing out of a body, piece by piece as it arrives.
#[derive(Debug, Default)]
pub(crate) struct Chunks {
    state: State,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// In the line that tells a chunk's length; the digits so far.
    #[default]
    Length,
    Digits(usize),
    /// Behind the digits: extensions, or the line's end.
    LineEnd(usize),
    Data(usize),
    /// The line's end behind a chunk: how many of its bytes are to come.
    DataEnd(u8),
    /// Behind the last chunk: how many bytes of the empty line are to come.
    LastLine(u8),
    Done,
}

impl Chunks {
    /// Whether the last chunk has come.
    pub(crate) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Gives each stretch of the body in `received` to `take`.
    pub(crate) fn feed(&mut self, mut received: &[u8], mut take: impl FnMut(&[u8])) -> anyhow::Result<()> {
        while let Some(&byte) = received.first() {
            let mut used = 1;
            self.state = match std::mem::take(&mut self.state) {
                State::Length => State::Digits(digit(byte).context("a chunk begins with its length")?),
                State::Digits(length) => match digit(byte) {
                    Some(digit) => State::Digits(length * 16 + digit),
                    None => State::LineEnd(length),
                },
                State::LineEnd(length) if byte != b'\n' => State::LineEnd(length),
                State::LineEnd(0) => State::LastLine(2),
                State::LineEnd(length) => State::Data(length),
                State::Data(length) => {
                    used = length.min(received.len());
                    take(&received[..used]);
                    if used == length { State::DataEnd(2) } else { State::Data(length - used) }
                }
                State::DataEnd(1) => State::Length,
                State::DataEnd(left) => State::DataEnd(left - 1),
                State::LastLine(1) => State::Done,
                State::LastLine(left) => State::LastLine(left - 1),
                State::Done => bail!("something follows the last chunk"),
            };
            received = &received[used..];
        }
        Ok(())
    }
}

fn digit(byte: u8) -> Option<usize> {
    char::from(byte).to_digit(16).map(|digit| digit as usize)
}

/// Cuts a stream into lines, however it arrives.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
}

impl Lines {
    pub(crate) fn feed(&mut self, mut received: &[u8], mut take: impl FnMut(&[u8])) {
        while let Some(end) = memchr::memchr(b'\n', received) {
            if self.begun.is_empty() {
                take(&received[..end]);
            } else {
                self.begun.extend_from_slice(&received[..end]);
                take(&self.begun);
                self.begun.clear();
            }
            received = &received[end + 1..];
        }
        self.begun.extend_from_slice(received);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Type: x\r\nContent-Length: 12\r\n\r\nbody";
        for end in 0..answer.len() - 4 {
            assert_eq!(head(&answer[..end]).unwrap(), None, "{end}");
        }
        let expected = Head { status: 201, bytes: answer.len() - 4, body: Framing::Length(12) };
        assert_eq!(head(answer).unwrap(), Some(expected));
        let chunked = head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").unwrap().unwrap();
        assert_eq!(chunked.body, Framing::Chunked);
        assert!(head(b"HTTP/1.1 200 OK\r\nfoo: bar\r\n\r\n").is_err());
    }

    #[test]
    fn chunks_and_lines_arrive_in_any_pieces() {
        let body = b"5\r\nab\ncd\r\n1A;x=y\r\n0123456789\n0123456789\nabcd\r\n2\r\nz\n\r\n0\r\n\r\n";
        for piece in 1..body.len() {
            let mut chunks = Chunks::default();
            let mut lines = Lines::default();
            let mut found = Vec::new();
            for part in body.chunks(piece) {
                assert!(!chunks.is_done());
                chunks
                    .feed(part, |part| lines.feed(part, |line| found.push(String::from_utf8(line.to_vec()).unwrap())))
                    .unwrap();
            }
            assert!(chunks.is_done(), "pieces of {piece}");
            assert_eq!(found, ["ab", "cd0123456789", "0123456789", "abcdz"], "pieces of {piece}");
        }
        assert!(Chunks::default().feed(b"xyz", |_| ()).is_err());
    }
}
