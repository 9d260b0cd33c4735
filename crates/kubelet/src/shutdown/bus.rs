//! D-Bus, as far as one needs it to speak to logind: a connection, calls, signals, and a descriptor that comes
//! with an answer. Little-endian only: the sender chooses.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;

use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::UnixStream;

/// Larger messages no one sends who speaks of shutdowns.
const MAXIMUM_MESSAGE_BYTES: usize = 1 << 20;
const LITTLE_ENDIAN: u8 = b'l';
const PROTOCOL_VERSION: u8 = 1;

const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;

/// Header fields by their number.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    #[error("the connection to the bus failed")]
    Connection(#[from] io::Error),
    #[error("the bus does not take this user")]
    Refused,
    #[error("the bus says something that cannot be read")]
    Garbled,
    #[error("{0}")]
    Answer(String),
}

/// What is called, and with which texts.
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
    pub(super) arguments: &'a [&'a str],
}

#[derive(Debug, Default)]
pub(super) struct Message {
    kind: u8,
    reply_serial: u32,
    pub(super) member: String,
    pub(super) interface: String,
    error_name: String,
    pub(super) body: Vec<u8>,
    /// A descriptor that came with it.
    pub(super) descriptor: Option<Received>,
}

/// A descriptor that was received: nobody else closes it.
#[derive(Debug)]
pub(super) struct Received(RawFd);

impl Drop for Received {
    fn drop(&mut self) {
        if let Err(error) = nix::unistd::close(self.0) {
            tracing::debug!(%error, "a descriptor was not closed");
        }
    }
}

pub(super) struct Bus {
    stream: UnixStream,
    serial: u32,
    received: Vec<u8>,
    descriptors: Vec<Received>,
}

impl Bus {
    /// Connects as root, or whoever this is, and says hello.
    pub(super) async fn connect(socket: &Path) -> Result<Bus, BusError> {
        let mut stream = UnixStream::connect(socket).await?;
        let uid = hex::encode(nix::unistd::geteuid().to_string());
        stream.write_all(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes()).await?;
        let mut bus = Bus { stream, serial: 0, received: Vec::new(), descriptors: Vec::new() };
        bus.expect_line("OK ").await?;
        bus.stream.write_all(b"NEGOTIATE_UNIX_FD\r\n").await?;
        bus.expect_line("AGREE_UNIX_FD").await?;
        bus.stream.write_all(b"BEGIN\r\n").await?;
        bus.call(&Call {
            destination: "org.freedesktop.DBus",
            path: "/org/freedesktop/DBus",
            interface: "org.freedesktop.DBus",
            member: "Hello",
            arguments: &[],
        })
        .await?;
        Ok(bus)
    }

    /// Calls and waits for the answer; signals that come before it are passed over.
    pub(super) async fn call(&mut self, call: &Call<'_>) -> Result<Message, BusError> {
        self.serial += 1;
        let serial = self.serial;
        self.stream.write_all(&encode(call, serial)).await?;
        loop {
            let message = self.next().await?;
            if message.reply_serial != serial {
                continue;
            }
            match message.kind {
                METHOD_RETURN => return Ok(message),
                ERROR => return Err(BusError::Answer(message.error_name)),
                _ => {}
            }
        }
    }

    /// The next message of any kind.
    pub(super) async fn next(&mut self) -> Result<Message, BusError> {
        loop {
            if let Some((mut message, length)) = decode(&self.received)? {
                self.received.drain(..length);
                message.descriptor = self.descriptors.pop();
                self.descriptors.clear();
                return Ok(message);
            }
            self.receive().await?;
        }
    }

    async fn expect_line(&mut self, start: &str) -> Result<(), BusError> {
        loop {
            if let Some(end) = self.received.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.received.drain(..end + 2).collect();
                return if line.starts_with(start.as_bytes()) { Ok(()) } else { Err(BusError::Refused) };
            }
            self.receive().await?;
        }
    }

    async fn receive(&mut self) -> Result<(), BusError> {
        let mut buffer = [0; 4096];
        let descriptor = self.stream.as_raw_fd();
        let (length, descriptors) =
            self.stream.async_io(Interest::READABLE, || receive_with_descriptors(descriptor, &mut buffer)).await?;
        self.descriptors.extend(descriptors);
        if length == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        self.received.extend_from_slice(&buffer[..length]);
        if self.received.len() > MAXIMUM_MESSAGE_BYTES {
            return Err(BusError::Garbled);
        }
        Ok(())
    }
}

fn encode(call: &Call<'_>, serial: u32) -> Vec<u8> {
    let mut body = Vec::new();
    for text in call.arguments {
        put_text(&mut body, text);
    }
    let mut fields = Vec::new();
    let mut field = |code: u8, kind: u8, text: &str| {
        align(&mut fields, 8);
        fields.extend([code, 1, kind, 0]);
        if kind == b'g' {
            fields.push(text.len() as u8);
            fields.extend(text.as_bytes());
            fields.push(0);
        } else {
            put_text(&mut fields, text);
        }
    };
    field(PATH, b'o', call.path);
    field(INTERFACE, b's', call.interface);
    field(MEMBER, b's', call.member);
    field(DESTINATION, b's', call.destination);
    if !call.arguments.is_empty() {
        field(SIGNATURE, b'g', &"s".repeat(call.arguments.len()));
    }
    let mut message = vec![LITTLE_ENDIAN, METHOD_CALL, 0, PROTOCOL_VERSION];
    message.extend((body.len() as u32).to_le_bytes());
    message.extend(serial.to_le_bytes());
    message.extend((fields.len() as u32).to_le_bytes());
    message.extend(fields);
    align(&mut message, 8);
    message.extend(body);
    message
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    align(bytes, 4);
    bytes.extend((text.len() as u32).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

/// The first message and its length; `None` until it is there in full.
fn decode(bytes: &[u8]) -> Result<Option<(Message, usize)>, BusError> {
    const FIXED: usize = 16;
    let Some(fixed) = bytes.get(..FIXED) else { return Ok(None) };
    if fixed[0] != LITTLE_ENDIAN {
        return Err(BusError::Garbled);
    }
    let number = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]) as usize;
    let (body_length, fields_length) = (number(4), number(12));
    let body_at = (FIXED.saturating_add(fields_length)).next_multiple_of(8);
    let length = body_at.saturating_add(body_length);
    if length > MAXIMUM_MESSAGE_BYTES {
        return Err(BusError::Garbled);
    }
    let Some(whole) = bytes.get(..length) else { return Ok(None) };
    let mut message = Message { kind: fixed[1], body: whole[body_at..].to_vec(), ..Message::default() };
    let mut at = FIXED;
    while at < FIXED + fields_length {
        at = at.next_multiple_of(8);
        let (code, kind) = match whole.get(at..at + 4) {
            Some([code, 1, kind, 0]) => (*code, *kind),
            _ => return Err(BusError::Garbled),
        };
        at += 4;
        match kind {
            b'u' => {
                let value = number_at(whole, at).ok_or(BusError::Garbled)?;
                if code == REPLY_SERIAL {
                    message.reply_serial = value;
                }
                at += 4;
            }
            b's' | b'o' => {
                let text = text_at(whole, at).ok_or(BusError::Garbled)?;
                at += 4 + text.len() + 1;
                match code {
                    MEMBER => message.member = text,
                    INTERFACE => message.interface = text,
                    ERROR_NAME => message.error_name = text,
                    _ => {}
                }
            }
            b'g' => at += 2 + usize::from(*whole.get(at).ok_or(BusError::Garbled)?),
            _ => return Err(BusError::Garbled),
        }
    }
    Ok(Some((message, length)))
}

pub(super) fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

fn text_at(bytes: &[u8], at: usize) -> Option<String> {
    let start = at.checked_add(4)?;
    let end = start.checked_add(number_at(bytes, at)? as usize)?;
    String::from_utf8(bytes.get(start..end)?.to_vec()).ok()
}

/// Reads what is there, and takes the descriptors that came along.
fn receive_with_descriptors(socket: RawFd, buffer: &mut [u8]) -> io::Result<(usize, Vec<Received>)> {
    let mut space = nix::cmsg_space!([RawFd; 4]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_CMSG_CLOEXEC | MsgFlags::MSG_DONTWAIT;
    let received = recvmsg::<()>(socket, &mut parts, Some(&mut space), flags)?;
    let mut found = Vec::new();
    for message in received.cmsgs()? {
        if let ControlMessageOwned::ScmRights(descriptors) = message {
            found.extend(descriptors);
        }
    }
    let length = received.bytes;
    Ok((length, found.into_iter().map(Received).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_as_the_protocol_has_it() {
        let call = Call { destination: "a.b", path: "/a", interface: "a.b", member: "Do", arguments: &["x"] };
        let bytes = encode(&call, 7);
        let (message, length) = decode(&bytes).unwrap().unwrap();
        assert_eq!((length, length % 2, message.kind), (bytes.len(), 0, METHOD_CALL));
        assert_eq!((message.member.as_str(), message.interface.as_str()), ("Do", "a.b"));
        assert_eq!(message.body, [1, 0, 0, 0, b'x', 0]);
        for cut in 0..bytes.len() {
            assert!(decode(&bytes[..cut]).unwrap().is_none(), "{cut}");
        }
    }

    #[test]
    fn what_cannot_be_a_message_is_refused() {
        let mut endless = encode(&Call { destination: "a", path: "/", interface: "a", member: "m", arguments: &[] }, 1);
        endless[4..8].fill(0xff);
        assert!(decode(&endless).is_err());
        assert!(decode(&[b'B'; 16]).is_err());
        let mut fields = [0; 24];
        fields[0] = LITTLE_ENDIAN;
        fields[12] = 8;
        assert!(decode(&fields).is_err());
    }
}
