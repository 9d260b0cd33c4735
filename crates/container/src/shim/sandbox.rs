//! The pod's own world: network, IPC, host name, and where asked one process namespace.

use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

use super::protocol::SandboxSettings;
use super::user_namespace;

#[derive(Debug, thiserror::Error)]
#[error("cannot {step}")]
pub(crate) struct SandboxError {
    step: String,
    #[source]
    source: io::Error,
}

pub(crate) fn failed<E: Into<io::Error>>(step: impl Into<String>) -> impl FnOnce(E) -> SandboxError {
    move |source| SandboxError { step: step.into(), source: source.into() }
}

/// What the shim holds of its pod's world.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// The first process of a shared process namespace.
    pub(crate) pause: Option<Pid>,
    /// A user namespace of the pod's own.
    pub(crate) users: Option<File>,
    /// The shared process namespace, where containers cannot reach it by its process.
    pub(crate) processes: Option<File>,
}

/// Moves this process into new namespaces, as the settings ask.
pub(crate) fn enter(settings: &SandboxSettings) -> Result<World, SandboxError> {
    let mut flags = CloneFlags::empty();
    flags.set(CloneFlags::CLONE_NEWNET, settings.private_network);
    flags.set(CloneFlags::CLONE_NEWIPC, settings.private_ipc);
    flags.set(CloneFlags::CLONE_NEWUTS, settings.hostname.is_some());
    let mut world = World::default();
    match &settings.user_namespace {
        Some(mappings) => {
            let owned = user_namespace::enter(mappings, flags, settings.shared_processes)?;
            world.users = Some(owned.users);
            (world.pause, world.processes) = owned.processes.unzip();
        }
        None => unshare(flags).map_err(failed("make the pod's namespaces"))?,
    }
    if settings.private_network {
        raise_loopback().map_err(failed("raise the loopback interface"))?;
    }
    if let Some(name) = &settings.hostname {
        nix::unistd::sethostname(name).map_err(failed("set the host name"))?;
    }
    for (name, value) in &settings.sysctls {
        set_sysctl(name, value)?;
    }
    if settings.shared_processes && world.pause.is_none() {
        world.pause = Some(hold_process_namespace()?);
    }
    Ok(world)
}

/// Every pod has a working `lo`, as the CNI plugin of that name provides.
fn raise_loopback() -> io::Result<()> {
    // SAFETY: a plain system call; the result is checked before it is owned.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for us.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: all zeroes is a valid request.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[0] = b'l' as libc::c_char;
    request.ifr_name[1] = b'o' as libc::c_char;
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is a valid ifreq and outlives the call.
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The kubelet has admitted the name; here it only must stay below /proc/sys.
fn set_sysctl(name: &str, value: &str) -> Result<(), SandboxError> {
    let relative = if name.contains('/') { name.to_owned() } else { name.replace('.', "/") };
    let path = PathBuf::from("/proc/sys").join(&relative);
    if relative.starts_with('/') || relative.split('/').any(|part| part == "..") {
        return Err(failed::<io::Error>(format!("set sysctl {name:?}"))(io::ErrorKind::InvalidInput.into()));
    }
    fs::write(path, value).map_err(failed(format!("set sysctl {name} to {value:?}")))
}

/// Starts the first process of a new process namespace, which the containers then join.
fn hold_process_namespace() -> Result<Pid, SandboxError> {
    let step = "make the pod's process namespace";
    let own = File::open("/proc/self/ns/pid").map_err(failed(step))?;
    unshare(CloneFlags::CLONE_NEWPID).map_err(failed(step))?;
    // SAFETY: the shim has one thread, so the child may do anything a process may.
    let holder = match unsafe { fork() }.map_err(failed(step))? {
        ForkResult::Child => reap_forever(),
        ForkResult::Parent { child } => child,
    };
    setns(own, CloneFlags::CLONE_NEWPID).map_err(failed(step))?;
    Ok(holder)
}

/// What the pause program does: be process 1 and reap orphans until killed.
pub(super) fn reap_forever() -> ! {
    // SAFETY: this process has just forked and uses none of its descriptors but the log. Whoever
    // waits for the other end of one must not wait for this process.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    if let Err(error) = nix::sys::prctl::set_name(c"pause") {
        eprintln!("cannot name the pause process: {error}");
    }
    let mut awaited = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT] {
        awaited.add(signal);
    }
    if awaited.thread_block().is_err() {
        std::process::exit(1);
    }
    loop {
        match awaited.wait() {
            Ok(Signal::SIGCHLD) => {
                while !matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(WaitStatus::StillAlive) | Err(_)) {}
            }
            Ok(_) => std::process::exit(0),
            Err(nix::errno::Errno::EINTR) => {}
            Err(_) => std::process::exit(1),
        }
    }
}
