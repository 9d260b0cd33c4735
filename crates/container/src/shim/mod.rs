//! The shim: one small process per pod that owns the pod's namespaces and containers.
//!
//! It is the program itself, run again as `<program> shim <folder>` before any thread exists. It
//! leaves its parent's session and cgroup, so that pods live on when the program is replaced or
//! killed. It has one thread and waits in one epoll; it writes the containers' logs itself.

#![expect(unsafe_code, reason = "fork, descriptors received from the kernel, and seccomp have no safe form")]

pub(crate) mod cgroup_view;
pub(crate) mod launch;
pub(crate) mod log;
pub(crate) mod protocol;
mod sandbox;
mod server;
pub(crate) mod streams;
mod user_namespace;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::ExitCode;

use nix::fcntl::OFlag;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2, setsid};

use self::protocol::{READY_FILE, SETTINGS_FILE, SandboxSettings, ShimReady};
use self::sandbox::{SandboxError, failed};
use self::server::Server;

/// A shim is not what the kernel should kill when memory runs out.
const OOM_SCORE: &str = "-998";

/// Becomes the shim of the sandbox whose folder is the only argument. Must be called first in
/// `main`, before any thread exists. Returns in the parent once the sandbox is ready, or failed
/// with the reason on standard error.
pub fn main(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(folder) = arguments.next() else {
        eprintln!("usage: shim FOLDER");
        return ExitCode::FAILURE;
    };
    match detach(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// Forks twice, so that nobody waits for the shim and it can get no terminal; the first parent
/// waits until the sandbox is ready.
fn detach(folder: &Path) -> Result<(), String> {
    let (ready_read, ready_write) = pipe2(OFlag::O_CLOEXEC).map_err(|error| format!("cannot make a pipe: {error}"))?;
    // SAFETY: the program has one thread here, so the child may do anything a process may.
    match unsafe { fork() }.map_err(|error| format!("cannot fork: {error}"))? {
        ForkResult::Parent { child } => {
            drop(ready_write);
            let mut answer = String::new();
            File::from(ready_read).read_to_string(&mut answer).map_err(|error| error.to_string())?;
            nix::sys::wait::waitpid(child, None).map_err(|error| format!("cannot wait for the shim: {error}"))?;
            match answer.as_str() {
                "ready" => Ok(()),
                "" => Err("the shim died before its sandbox was ready".to_owned()),
                reason => Err(reason.to_owned()),
            }
        }
        ForkResult::Child => {
            drop(ready_read);
            let mut ready = File::from(ready_write);
            match leave(folder) {
                Ok(None) => std::process::exit(0),
                Ok(Some(born)) => serve(folder, &born, ready),
                Err(error) => {
                    report(&mut ready, &stdx::error::chain(&error));
                    std::process::exit(1)
                }
            }
        }
    }
}

/// A shim that has just come to life, and what it was told.
struct Born {
    settings: SandboxSettings,
    in_group: bool,
}

/// Leaves the parent's session, and in a child of its own, for which this answers too, the parent's cgroup.
fn leave(folder: &Path) -> Result<Option<Born>, SandboxError> {
    let settings = fs::read(folder.join(SETTINGS_FILE)).map_err(failed("read the sandbox's settings"))?;
    let settings: SandboxSettings = serde_json::from_slice(&settings).map_err(failed("read the sandbox's settings"))?;
    setsid().map_err(failed("leave the session"))?;
    let group = settings.cgroups.birthplace(&settings.shim_cgroup).map_err(failed("make the shims' cgroup"))?;
    let in_group = match group.as_ref().and_then(fork_into) {
        Some(ForkResult::Parent { .. }) => return Ok(None),
        Some(ForkResult::Child) => true,
        // SAFETY: the program has one thread here, so the child may do anything a process may.
        None => match unsafe { fork() }.map_err(failed("detach the shim"))? {
            ForkResult::Parent { .. } => return Ok(None),
            ForkResult::Child => false,
        },
    };
    Ok(Some(Born { settings, in_group }))
}

/// Forks a child that is born in this cgroup of version 2; `None` where the kernel does not do that.
fn fork_into(group: &File) -> Option<ForkResult> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000; // linux/sched.h; libc's does not fit its type
    // SAFETY: all zeroes is a valid request.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.flags = CLONE_INTO_CGROUP;
    request.exit_signal = libc::SIGCHLD as u64;
    request.cgroup = group.as_raw_fd() as u64;
    // SAFETY: a fork but for the group, and this program has one thread here, so the child may do anything a process
    // may. The request outlives the call.
    let child = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size_of::<libc::clone_args>()) };
    match i32::try_from(child) {
        Ok(0) => Some(ForkResult::Child),
        Ok(child) if child > 0 => Some(ForkResult::Parent { child: Pid::from_raw(child) }),
        _ => None,
    }
}

fn serve(folder: &Path, born: &Born, mut ready: File) -> ! {
    let mut server = match prepare(folder, born, ready.as_raw_fd()) {
        Ok(server) => server,
        Err(error) => {
            report(&mut ready, &stdx::error::chain(&error));
            std::process::exit(1)
        }
    };
    report(&mut ready, "ready");
    drop(ready);
    match server.run() {
        Ok(()) => std::process::exit(0),
        Err(error) => {
            eprintln!("the shim stops: {error}");
            std::process::exit(1)
        }
    }
}

/// The parent may be gone, and then nobody misses the word.
fn report(ready: &mut File, text: &str) {
    drop(ready.write_all(text.as_bytes()));
}

fn prepare(folder: &Path, born: &Born, ready: i32) -> Result<Server, SandboxError> {
    let settings = &born.settings;
    close_inherited(ready);
    redirect_streams(folder).map_err(failed("open the shim's log"))?;
    std::env::set_current_dir("/").map_err(failed("enter /"))?;
    let entered = settings.cgroups.enter(&settings.shim_cgroup, born.in_group);
    entered.map_err(failed("leave the program's cgroup"))?;
    protect_from_oom().map_err(failed("set the out-of-memory score"))?;
    nix::sys::prctl::set_child_subreaper(true).map_err(failed("become the reaper"))?;
    let world = sandbox::enter(settings)?;
    let mut awaited = SigSet::empty();
    for signal in [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        awaited.add(signal);
    }
    awaited.thread_block().map_err(failed("block signals"))?;
    let state_folder = folder.join("libcontainer");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&state_folder).map_err(failed("make the state folder"))?;
    let facts = ShimReady {
        pid: std::process::id() as i32,
        pause_pid: world.pause.map(|pid| pid.as_raw()),
        user_namespace: world.users.as_ref().map(AsRawFd::as_raw_fd),
        process_namespace: world.processes.as_ref().map(AsRawFd::as_raw_fd),
    };
    let server = Server::listen(folder, state_folder, settings, world, awaited).map_err(failed("listen"))?;
    let facts = serde_json::to_vec(&facts).map_err(failed("say that it is ready"))?;
    write_whole(&folder.join(READY_FILE), &facts).map_err(failed("say that it is ready"))?;
    Ok(server)
}

/// Where even root may not lower its score, the shim lives with the one it has.
fn protect_from_oom() -> io::Result<()> {
    match fs::write("/proc/self/oom_score_adj", OOM_SCORE) {
        Err(error) if error.kind() != io::ErrorKind::PermissionDenied => Err(error),
        _ => Ok(()),
    }
}

/// Nothing the program had open may live on in the shim or leak into containers.
fn close_inherited(keep: i32) {
    let keep = keep as libc::c_uint;
    for (first, last) in [(3, keep.saturating_sub(1)), (keep + 1, libc::c_uint::MAX)] {
        if first <= last {
            // SAFETY: this process has just forked and owns no descriptor but `keep`. Failure means
            // an old kernel, where every descriptor of ours closes on exec anyway.
            unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
        }
    }
}

fn redirect_streams(folder: &Path) -> io::Result<()> {
    let null = File::open("/dev/null")?;
    let log = OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join("shim.log"))?;
    dup2_stdin(&null)?;
    dup2_stdout(&log)?;
    dup2_stderr(&log)?;
    Ok(())
}

/// Replaces a file of runtime state: whole for every reader, though not forced to disk, as the
/// processes it tells of would not survive a power cut either.
///
/// On a full disk it is written over in place: a container whose end could not be noted would keep the very room that is
/// missing.
pub(crate) fn write_whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    let temporary = path.with_extension("new");
    let replaced = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(contents)?;
        fs::rename(&temporary, path)
    })();
    match replaced {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            // Empty, if it was made at all; the next replacement takes its place.
            drop(fs::remove_file(&temporary));
            overwrite(path, contents)?.ok_or(error)
        }
        replaced => replaced,
    }
}

/// Writes into the room that the file has already; none where that is too little.
fn overwrite(path: &Path, contents: &[u8]) -> io::Result<Option<()>> {
    const BLOCK_BYTES: u64 = 512;
    let file = match OpenOptions::new().write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let room = file.metadata()?.blocks().saturating_mul(BLOCK_BYTES);
    if contents.len() as u64 > room {
        return Ok(None);
    }
    file.write_all_at(contents, 0)?;
    file.set_len(contents.len() as u64)?;
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_over_where_it_has_the_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.json");
        assert_eq!(overwrite(&path, b"one").unwrap(), None, "there is no room yet");
        assert!(!path.exists());
        write_whole(&path, b"running, and rather long").unwrap();
        let before = fs::metadata(&path).unwrap();
        assert_eq!(overwrite(&path, b"ended").unwrap(), Some(()));
        assert_eq!(fs::read(&path).unwrap(), b"ended");
        let after = fs::metadata(&path).unwrap();
        assert_eq!((after.ino(), after.blocks()), (before.ino(), before.blocks()));
        let too_much = vec![b'x'; usize::try_from(after.blocks()).unwrap() * 512 + 1];
        assert_eq!(overwrite(&path, &too_much).unwrap(), None);
        assert_eq!(fs::read(&path).unwrap(), b"ended");
    }
}
