//! What the runtime and a shim say to each other.
//!
//! The socket is a stream of frames: a length (four bytes, little endian) and JSON. Descriptors
//! travel with the first byte of a frame. A connection carries one request and its replies; only
//! root may connect.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use libcontainer::oci_spec::runtime::LinuxSeccomp;
use nix::cmsg_space;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cgroup::Cgroups;

/// The largest frame: a process with a long environment fits, a runaway does not.
pub(crate) const FRAME_LIMIT_BYTES: usize = 4 << 20;
const DESCRIPTORS_PER_FRAME: usize = 3;

/// Everything a shim can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Creates and starts the container of a bundle. Answers `Done`, or `Refused` with the reason.
    Start { container_id: String, bundle: PathBuf },
    /// Signals the first process, or everyone in the container. Answers `Done`, also when it is gone.
    Signal { container_id: String, signal: i32, everyone: bool },
    /// Runs a further process. The request carries stdin, stdout and stderr, except with a
    /// terminal, whose master comes back with `Done`. `Exited` follows when it ends. If `tied`,
    /// the process is killed when the connection closes.
    Exec { container_id: String, process: serde_json::Value, terminal: bool, tied: bool },
    /// Joins the container's streams with the descriptors sent, in the order stdin, stdout,
    /// stderr, those absent left out. Answers `Done`, later `Exited`.
    Attach { container_id: String, stdin: bool, stdout: bool, stderr: bool },
    /// Sets the size of the container's terminal.
    Resize { container_id: String, width: u16, height: u16 },
    /// Opens the log file anew after it was renamed.
    ReopenLog { container_id: String },
    /// Forgets an ended container and removes its cgroups.
    Delete { container_id: String },
    /// Connects to a TCP port of the sandbox's loopback interface; the socket comes back with `Done`.
    Connect { port: u16 },
    /// Asks for the pod's user namespace; it comes back with `Done`, or `NotFound`: the host's.
    UserNamespace,
    /// Answers `Done`, then an `Event` for each start and end.
    Subscribe,
    /// Kills what runs and exits. Answers `Done`.
    Shutdown,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    NotFound,
    Refused { message: String },
    Exited { exit_code: i32 },
    Event { container_id: String, kind: EventKind },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    Started,
    Stopped,
}

/// How the shim sets its sandbox up: `<folder>/shim.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SandboxSettings {
    pub(crate) sandbox_id: String,
    pub(crate) cgroups: Cgroups,
    /// Where the shim itself lives, e.g. `/pintle/shims`, apart from the program that started it.
    pub(crate) shim_cgroup: String,
    pub(crate) private_network: bool,
    pub(crate) private_ipc: bool,
    /// The name in a new UTS namespace; none: the host's.
    pub(crate) hostname: Option<String>,
    /// Whether the containers share one process namespace.
    pub(crate) shared_processes: bool,
    pub(crate) sysctls: Vec<(String, String)>,
    /// Whom the pod's users are on the host; none: the pod lives in the host's user namespace.
    #[serde(default)]
    pub(crate) user_namespace: Option<UserMappings>,
}

/// The users and groups of a pod's user namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserMappings {
    pub(crate) uids: Vec<IdRange>,
    pub(crate) gids: Vec<IdRange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IdRange {
    pub(crate) inside: u32,
    pub(crate) outside: u32,
    pub(crate) length: u32,
}

impl UserMappings {
    /// Whom this user is on the host.
    pub(crate) fn outside_uid(&self, inside: u32) -> Option<u32> {
        outside(&self.uids, inside)
    }

    pub(crate) fn outside_gid(&self, inside: u32) -> Option<u32> {
        outside(&self.gids, inside)
    }
}

fn outside(ranges: &[IdRange], inside: u32) -> Option<u32> {
    ranges.iter().find_map(|range| {
        let offset = inside.checked_sub(range.inside).filter(|offset| *offset < range.length)?;
        range.outside.checked_add(offset)
    })
}

/// What the shim says of itself: `<folder>/ready.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ShimReady {
    pub(crate) pid: i32,
    /// The first process of a shared process namespace.
    pub(crate) pause_pid: Option<i32>,
    /// The shim's descriptors of the pod's user namespace and of the process namespace in it.
    #[serde(default)]
    pub(crate) user_namespace: Option<i32>,
    #[serde(default)]
    pub(crate) process_namespace: Option<i32>,
}

/// What the shim needs beside the OCI specification: `<bundle>/launch.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LaunchSettings {
    pub(crate) terminal: bool,
    pub(crate) stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) log_path: Option<PathBuf>,
    pub(crate) cgroup: String,
    /// How its groups of version 1 are shown to it, where its specification leaves that to the shim.
    #[serde(default)]
    pub(crate) shown_cgroups: Option<CgroupAccess>,
    /// Whether its processes are a tree of their own, which ends as a whole with the first of them.
    #[serde(default)]
    pub(crate) own_processes: bool,
    pub(crate) security: ProcessSecurity,
}

/// What a container may do with the groups that it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CgroupAccess {
    ReadOnly,
    Writable,
}

/// What a process is confined by; the same for the first process and those run later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProcessSecurity {
    /// OCI names (`CAP_CHOWN`) of the bounding, permitted and effective sets.
    pub(crate) capabilities: Vec<String>,
    pub(crate) ambient_capabilities: Vec<String>,
    pub(crate) seccomp: Seccomp,
    /// Who is killed first when memory runs out, -1000 to 1000.
    pub(crate) oom_score: i64,
    /// Whether the process lives in a user namespace of its pod's.
    #[serde(default)]
    pub(crate) own_users: bool,
    /// Whom its user is on the host; the pipes of its streams become that user's.
    #[serde(default)]
    pub(crate) host_user: u32,
    /// The SELinux label to run under.
    #[serde(default)]
    pub(crate) selinux_label: Option<String>,
}

/// How system calls are filtered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Seccomp {
    Unconfined,
    /// By our own profile.
    Default,
    /// By one of the node's, as its file said when the container was made.
    Profile(Box<LinuxSeccomp>),
}

/// The life of a container: `<bundle>/state.json`, replaced as a whole at each step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ContainerRecord {
    pub(crate) pid: Option<i32>,
    /// Nanoseconds since the epoch; zero: not yet.
    pub(crate) started_at: i64,
    pub(crate) finished_at: i64,
    pub(crate) exit_code: i32,
    pub(crate) reason: String,
    pub(crate) message: String,
}

pub(crate) const SETTINGS_FILE: &str = "shim.json";
pub(crate) const READY_FILE: &str = "ready.json";
pub(crate) const SOCKET_FILE: &str = "socket";
pub(crate) const LAUNCH_FILE: &str = "launch.json";
pub(crate) const STATE_FILE: &str = "state.json";

/// A name for a socket inside `folder` that fits into a socket address, however long the folder's
/// own path is. It holds while the folder's descriptor does.
pub(crate) fn short_path(folder: &File, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{name}", folder.as_raw_fd()))
}

/// A frame's bytes, ready to send.
pub(crate) fn encode<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(message)?;
    if body.len() > FRAME_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the message is too large"));
    }
    let mut frame = (body.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// Sends the first bytes of a frame with descriptors; answers how many bytes went.
pub(crate) fn send_with_descriptors(socket: RawFd, bytes: &[u8], descriptors: &[RawFd]) -> io::Result<usize> {
    let slices = [IoSlice::new(bytes)];
    let rights = [ControlMessage::ScmRights(descriptors)];
    let control: &[ControlMessage] = if descriptors.is_empty() { &[] } else { &rights };
    Ok(sendmsg::<()>(socket, &slices, control, MsgFlags::MSG_NOSIGNAL, None)?)
}

/// Receives up to `buffer` bytes and the descriptors that came with them.
pub(crate) fn receive_with_descriptors(socket: RawFd, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = cmsg_space!([RawFd; DESCRIPTORS_PER_FRAME]);
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(socket, &mut slices, Some(&mut space), MsgFlags::MSG_CMSG_CLOEXEC)?;
    let mut descriptors = Vec::new();
    for control in message.cmsgs()? {
        if let ControlMessageOwned::ScmRights(received) = control {
            // SAFETY: the kernel has just made these descriptors for us; nothing else owns them.
            descriptors.extend(received.into_iter().map(|fd| unsafe { OwnedFd::from_raw_fd(fd) }));
        }
    }
    Ok((message.bytes, descriptors))
}

/// Writes a frame to a blocking socket.
pub(crate) fn write_frame<T: Serialize>(stream: &UnixStream, message: &T, descriptors: &[RawFd]) -> io::Result<()> {
    let frame = encode(message)?;
    let sent = send_with_descriptors(stream.as_raw_fd(), &frame, descriptors)?;
    let mut writer = stream;
    writer.write_all(&frame[sent..])
}

/// Reads a frame from a blocking socket; none at its end.
pub(crate) fn read_frame<T: DeserializeOwned>(stream: &UnixStream) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut header = [0; 4];
    let (count, descriptors) = receive_with_descriptors(stream.as_raw_fd(), &mut header)?;
    if count == 0 {
        return Ok(None);
    }
    let mut reader = stream;
    reader.read_exact(&mut header[count..])?;
    let length = frame_length(header)?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, descriptors)))
}

pub(crate) fn frame_length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length > FRAME_LIMIT_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too large"));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_frame_carries_its_descriptors() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "through the socket").unwrap();
        let file = File::open(folder.path().join("file")).unwrap();
        write_frame(&ours, &Request::Connect { port: 80 }, &[file.as_fd().as_raw_fd()]).unwrap();
        drop(ours);
        let (request, mut descriptors) = read_frame::<Request>(&theirs).unwrap().unwrap();
        assert!(matches!(request, Request::Connect { port: 80 }));
        let mut text = String::new();
        File::from(descriptors.remove(0)).read_to_string(&mut text).unwrap();
        assert_eq!(text, "through the socket");
        assert!(read_frame::<Request>(&theirs).unwrap().is_none());
    }

    #[test]
    fn ids_are_mapped_range_by_range() {
        let range = |inside, outside, length| IdRange { inside, outside, length };
        let mappings = UserMappings {
            uids: vec![range(0, 100_000, 1000), range(2000, 300_000, 2)],
            gids: vec![range(0, u32::MAX - 1, 10)],
        };
        for (inside, outside) in
            [(0, Some(100_000)), (999, Some(100_999)), (1000, None), (2001, Some(300_001)), (2002, None)]
        {
            assert_eq!(mappings.outside_uid(inside), outside, "{inside}");
        }
        assert_eq!((mappings.outside_gid(1), mappings.outside_gid(2)), (Some(u32::MAX), None));
    }

    #[test]
    fn an_oversized_frame_is_refused() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (&ours).write_all(&u32::MAX.to_le_bytes()).unwrap();
        assert_eq!(read_frame::<Request>(&theirs).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
