//! logind tells when the machine goes down, and waits a while for whoever asked it to.

use std::path::Path;
use std::time::Duration;

use super::bus::{Bus, BusError, Call, Message, Received, number_at};

const SOCKET: &str = "/run/dbus/system_bus_socket";
const SERVICE: &str = "org.freedesktop.login1";
const OBJECT: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SIGNAL: &str = "PrepareForShutdown";

/// While it is there, logind waits, as long as its `InhibitDelayMaxSec` says.
pub(super) struct Delay {
    _lock: Option<Received>,
}

/// Returns when the machine is about to go down. Where there is no logind, or it went away, never.
pub(super) async fn shutdown(wanted: Duration) -> Delay {
    let path = Path::new(SOCKET);
    if !path.exists() {
        return std::future::pending().await;
    }
    match shutdown_told_at(path, wanted).await {
        Ok(delay) => delay,
        Err(error) => {
            tracing::warn!(error = stdx::error::chain(&error), "logind will not tell of a shutdown");
            std::future::pending().await
        }
    }
}

async fn shutdown_told_at(socket: &Path, wanted: Duration) -> Result<Delay, BusError> {
    let mut bus = Bus::connect(socket).await?;
    let rule = format!("type='signal',interface='{MANAGER}',member='{SIGNAL}',path='{OBJECT}'");
    let bus_name = "org.freedesktop.DBus";
    let add = |rule| Call {
        destination: bus_name,
        path: "/org/freedesktop/DBus",
        interface: bus_name,
        member: "AddMatch",
        arguments: rule,
    };
    bus.call(&add(&[&rule])).await?;
    let arguments = ["shutdown", "kubelet", "Kubelet needs time to handle node shutdown", "delay"];
    let inhibit =
        Call { destination: SERVICE, path: OBJECT, interface: MANAGER, member: "Inhibit", arguments: &arguments };
    let lock = bus.call(&inhibit).await?.descriptor;
    if let Some(longest) = longest_delay(&mut bus).await?
        && longest < wanted
    {
        tracing::warn!(
            longest_seconds = longest.as_secs(),
            wanted_seconds = wanted.as_secs(),
            "logind waits for less than pods may take: set InhibitDelayMaxSec in logind.conf"
        );
    }
    loop {
        if is_shutdown(&bus.next().await?) {
            return Ok(Delay { _lock: lock });
        }
    }
}

/// `true` where it begins; `false` tells that it was called off.
fn is_shutdown(message: &Message) -> bool {
    message.interface == MANAGER && message.member == SIGNAL && number_at(&message.body, 0) == Some(1)
}

async fn longest_delay(bus: &mut Bus) -> Result<Option<Duration>, BusError> {
    let get = Call {
        destination: SERVICE,
        path: OBJECT,
        interface: "org.freedesktop.DBus.Properties",
        member: "Get",
        arguments: &[MANAGER, "InhibitDelayMaxUSec"],
    };
    let body = bus.call(&get).await?.body;
    // A variant: its signature `t`, and eight bytes at the next multiple of eight.
    let microseconds = match (body.first(), body.get(8..16).and_then(|bytes| bytes.try_into().ok())) {
        (Some(1), Some(bytes)) => u64::from_le_bytes(bytes),
        _ => return Ok(None),
    };
    Ok(Some(Duration::from_micros(microseconds)))
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::os::fd::AsRawFd;

    use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};

    use super::*;

    /// A message of the bus: an answer to `serial`, or a signal where that is 0.
    fn message(serial: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![b'l', if serial > 0 { 2 } else { 4 }, 0, 1];
        bytes.extend((body.len() as u32).to_le_bytes());
        bytes.extend(9_u32.to_le_bytes());
        let mut fields = Vec::new();
        if serial > 0 {
            fields.extend([5, 1, b'u', 0]);
            fields.extend(serial.to_le_bytes());
        } else {
            for (code, text) in [(2_u8, MANAGER), (3, SIGNAL)] {
                fields.resize(fields.len().next_multiple_of(8), 0);
                fields.extend([code, 1, b's', 0]);
                fields.extend((text.len() as u32).to_le_bytes());
                fields.extend(text.as_bytes());
                fields.push(0);
            }
        }
        bytes.extend((fields.len() as u32).to_le_bytes());
        bytes.extend(fields);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(body);
        bytes
    }

    async fn read_until(stream: &mut UnixStream, seen: &mut Vec<u8>, wanted: &str) {
        while !seen.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
            let mut buffer = [0; 1024];
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the client hung up before {wanted}");
            seen.extend_from_slice(&buffer[..length]);
        }
    }

    /// A bus with a logind that hands out `lock`, and tells of two shutdowns of which the first is called off.
    async fn serve(listener: UnixListener, lock: std::fs::File) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut seen = Vec::new();
        read_until(&mut stream, &mut seen, "AUTH EXTERNAL ").await;
        stream.write_all(b"OK 0123\r\n").await.unwrap();
        read_until(&mut stream, &mut seen, "NEGOTIATE_UNIX_FD\r\n").await;
        stream.write_all(b"AGREE_UNIX_FD\r\n").await.unwrap();
        read_until(&mut stream, &mut seen, "Hello").await;
        stream.write_all(&message(1, &[])).await.unwrap();
        read_until(&mut stream, &mut seen, "AddMatch").await;
        stream.write_all(&message(2, &[])).await.unwrap();
        read_until(&mut stream, &mut seen, "Kubelet needs time to handle node shutdown").await;
        let (answer, descriptors) = (message(3, &[0, 0, 0, 0]), [lock.as_raw_fd()]);
        let parts = [IoSlice::new(&answer)];
        let rights = [ControlMessage::ScmRights(&descriptors)];
        sendmsg::<()>(stream.as_raw_fd(), &parts, &rights, MsgFlags::empty(), None).unwrap();
        drop(lock);
        read_until(&mut stream, &mut seen, "InhibitDelayMaxUSec").await;
        let mut variant = vec![1, b't', 0, 0, 0, 0, 0, 0];
        variant.extend(5_000_000_u64.to_le_bytes());
        stream.write_all(&message(4, &variant)).await.unwrap();
        stream.write_all(&message(0, &[0, 0, 0, 0])).await.unwrap();
        stream.write_all(&message(0, &[1, 0, 0, 0])).await.unwrap();
        // Until the client goes.
        while stream.read(&mut [0; 64]).await.unwrap_or(0) > 0 {}
    }

    #[tokio::test]
    async fn a_shutdown_is_told_of_and_delayed_until_the_lock_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let listener = UnixListener::bind(&socket).unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let lock = std::fs::File::from(std::os::fd::OwnedFd::from(writer));
        let bus = tokio::spawn(serve(listener, lock));
        let delay = shutdown_told_at(&socket, Duration::from_secs(30)).await.unwrap();
        bus.await.unwrap();
        // All other ends are closed by now: only the lock keeps the pipe open.
        assert!(delay._lock.is_some());
        drop(delay);
        let mut rest = Vec::new();
        assert_eq!(std::io::Read::read_to_end(&mut reader, &mut rest).unwrap(), 0);
    }
}
