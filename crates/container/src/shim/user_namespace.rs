//! A pod whose root is nobody on the host: a user namespace that owns the pod's other namespaces.
//!
//! The shim itself stays the host's root, or it could neither write logs nor limit groups. So a child
//! makes the namespaces, and the shim enters those that are not about users while the child waits.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::exit;

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Gid, Pid, Uid, fork, setgroups, setresgid, setresuid};

use super::protocol::{IdRange, UserMappings};
use super::sandbox::{SandboxError, failed, reap_forever};

/// What the shim keeps open of them; containers join through its descriptors.
pub(super) struct Owned {
    pub(super) users: File,
    /// The holder of a shared process namespace, and that namespace.
    pub(super) processes: Option<(Pid, File)>,
}

/// Makes the namespaces of `flags` inside a new user namespace and enters them, but for the user
/// namespace; with `shared_processes` also a process namespace with a process that holds it.
pub(super) fn enter(mappings: &UserMappings, flags: CloneFlags, shared_processes: bool) -> Result<Owned, SandboxError> {
    let step = "make the pod's user namespace";
    let (ours, theirs) = UnixStream::pair().map_err(failed(step))?;
    // SAFETY: the shim has one thread, so the child may do anything a process may.
    match unsafe { fork() }.map_err(failed(step))? {
        ForkResult::Child => {
            drop(ours);
            let made = make(&theirs, flags, shared_processes);
            // Whoever waits for the answer sees the end of the socket where even the answer fails.
            exit(i32::from(made.and_then(|holder| finish(&theirs, Ok(holder))).is_err()));
        }
        ForkResult::Parent { child } => {
            drop(theirs);
            let owned = adopt(&ours, child, mappings, flags, shared_processes);
            drop(ours);
            waitpid(child, None).map_err(failed(step))?;
            owned
        }
    }
}

/// The child's part. Answers the holder of the process namespace, or nothing's number.
fn make(parent: &UnixStream, flags: CloneFlags, shared_processes: bool) -> io::Result<i32> {
    let or_tell = |result: nix::Result<()>| match result {
        Ok(()) => Ok(()),
        Err(error) => finish(parent, Err(error)).and(Err(error.into())),
    };
    or_tell(unshare(CloneFlags::CLONE_NEWUSER))?;
    send(parent, Ok(0))?;
    // The shim writes the mappings now.
    receive(parent)?;
    let root = (Uid::from_raw(0), Gid::from_raw(0));
    or_tell(setgroups(&[]))?;
    or_tell(setresgid(root.1, root.1, root.1))?;
    or_tell(setresuid(root.0, root.0, root.0))?;
    let mut wanted = flags;
    wanted.set(CloneFlags::CLONE_NEWPID, shared_processes);
    or_tell(unshare(wanted))?;
    if !shared_processes {
        return Ok(0);
    }
    // SAFETY: this process has one thread.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => reap_forever(),
        Ok(ForkResult::Parent { child }) => Ok(child.as_raw()),
        Err(error) => or_tell(Err(error)).map(|()| 0),
    }
}

/// Tells the result and waits until the shim has what it needs.
fn finish(parent: &UnixStream, result: Result<i32, Errno>) -> io::Result<()> {
    send(parent, result)?;
    let mut nothing = [0];
    let mut parent = parent;
    parent.read(&mut nothing).map(drop)
}

fn adopt(
    child_end: &UnixStream,
    child: Pid,
    mappings: &UserMappings,
    flags: CloneFlags,
    shared_processes: bool,
) -> Result<Owned, SandboxError> {
    let step = "make the pod's user namespace";
    receive(child_end).map_err(failed(step))?;
    for (file, ranges) in [("uid_map", &mappings.uids), ("gid_map", &mappings.gids)] {
        fs::write(format!("/proc/{child}/{file}"), table(ranges)).map_err(failed("map the pod's users"))?;
    }
    send(child_end, Ok(0)).map_err(failed(step))?;
    let holder = receive(child_end).map_err(failed("make the pod's namespaces"))?;
    let open = |pid: Pid, name: &str| File::open(format!("/proc/{pid}/ns/{name}")).map_err(failed(step));
    for (flag, name) in
        [(CloneFlags::CLONE_NEWNET, "net"), (CloneFlags::CLONE_NEWIPC, "ipc"), (CloneFlags::CLONE_NEWUTS, "uts")]
    {
        if flags.contains(flag) {
            setns(open(child, name)?, flag).map_err(failed("enter the pod's namespaces"))?;
        }
    }
    let holder = Pid::from_raw(holder);
    let processes = if shared_processes { Some((holder, open(holder, "pid")?)) } else { None };
    Ok(Owned { users: open(child, "user")?, processes })
}

/// As `/proc/<pid>/uid_map` wants it.
fn table(ranges: &[IdRange]) -> String {
    ranges.iter().map(|range| format!("{} {} {}\n", range.inside, range.outside, range.length)).collect()
}

/// An answer is two numbers: the kernel's reason for a failure, or zero, and the result.
fn send(stream: &UnixStream, result: Result<i32, Errno>) -> io::Result<()> {
    let (errno, value) = match result {
        Ok(value) => (0, value),
        Err(error) => (error as i32, 0),
    };
    let mut stream = stream;
    stream.write_all(&[errno.to_le_bytes(), value.to_le_bytes()].concat())
}

fn receive(stream: &UnixStream) -> io::Result<i32> {
    let (mut errno, mut value) = ([0; 4], [0; 4]);
    let mut stream = stream;
    stream.read_exact(&mut errno)?;
    stream.read_exact(&mut value)?;
    match i32::from_le_bytes(errno) {
        0 => Ok(i32::from_le_bytes(value)),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_written_as_the_kernel_reads_them() {
        let ranges = [
            IdRange { inside: 0, outside: 65536, length: 65535 },
            IdRange { inside: 65535, outside: 200_000, length: 1 },
        ];
        assert_eq!(table(&ranges), "0 65536 65535\n65535 200000 1\n");
    }

    #[test]
    fn an_answer_carries_the_kernels_reason() {
        let (one, other) = UnixStream::pair().unwrap();
        send(&one, Ok(42)).unwrap();
        send(&one, Err(Errno::EUSERS)).unwrap();
        assert_eq!(receive(&other).unwrap(), 42);
        assert_eq!(receive(&other).unwrap_err().raw_os_error(), Some(libc::EUSERS));
        drop(one);
        assert_eq!(receive(&other).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
