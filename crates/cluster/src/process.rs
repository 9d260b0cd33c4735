//! The server process: one per run folder, found and ended through a lock that dies with it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use crate::Settings;

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("process {pid} already runs this cluster; see `pintle status`")]
    Held { pid: i32 },
    #[error("{} is damaged; remove it once no pintle process runs", path.display())]
    Damaged { path: PathBuf, source: serde_json::Error },
}

/// Held by the server as long as it lives. The kernel lets go of it when the process ends, however it ends.
pub struct RunLock {
    _lock: Flock<File>,
}

impl RunLock {
    pub fn acquire(run_dir: &Path) -> Result<Self, ProcessError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(run_dir).map_err(failed("create", run_dir))?;
        let path = run_dir.join("lock");
        let file = open_lock(&path)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut lock) => {
                lock.set_len(0).map_err(failed("write", &path))?;
                write!(lock, "{}", std::process::id()).map_err(failed("write", &path))?;
                Ok(RunLock { _lock: lock })
            }
            Err((mut file, Errno::EWOULDBLOCK)) => Err(ProcessError::Held { pid: read_pid(&mut file) }),
            Err((_, errno)) => Err(failed("lock", &path)(errno.into())),
        }
    }
}

/// The process that holds the run folder, if any does. One that was killed and is still ending does not
/// count: it is waited for.
pub fn holder(run_dir: &Path) -> Result<Option<i32>, ProcessError> {
    let Some(pid) = lock_holder(run_dir)? else { return Ok(None) };
    if is_ending(pid) {
        wait_until_released(run_dir)?;
    }
    lock_holder(run_dir)
}

/// Whether a process is there that has been killed: the signal waits for its threads, or its first thread has run no
/// program any more since it met it.
fn is_ending(pid: i32) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let Ok(status) = fs::read_to_string(process.join("status")) else { return false };
    // The program may have been replaced since; only the link itself says that it still runs one.
    is_killed(&status) || fs::read_link(process.join("exe")).is_err()
}

/// Whether `/proc/PID/status` tells of a SIGKILL that waits.
fn is_killed(status: &str) -> bool {
    let pending = status.lines().filter_map(|line| line.strip_prefix("SigPnd:").or(line.strip_prefix("ShdPnd:")));
    let mut masks = pending.filter_map(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    masks.any(|mask| mask & (1 << (nix::libc::SIGKILL - 1)) != 0)
}

fn lock_holder(run_dir: &Path) -> Result<Option<i32>, ProcessError> {
    let path = run_dir.join("lock");
    if !path.exists() {
        return Ok(None);
    }
    let file = open_lock(&path)?;
    match Flock::lock(file, FlockArg::LockSharedNonblock) {
        Ok(_) => Ok(None),
        Err((mut file, Errno::EWOULDBLOCK)) => Ok(Some(read_pid(&mut file))),
        Err((_, errno)) => Err(failed("lock", &path)(errno.into())),
    }
}

/// Blocks until no process holds the run folder.
pub fn wait_until_released(run_dir: &Path) -> Result<(), ProcessError> {
    let path = run_dir.join("lock");
    if !path.exists() {
        return Ok(());
    }
    let mut file = open_lock(&path)?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusive) {
            Ok(_) => return Ok(()),
            Err((again, Errno::EINTR)) => file = again,
            Err((_, errno)) => return Err(failed("lock", &path)(errno.into())),
        }
    }
}

fn open_lock(path: &Path) -> Result<File, ProcessError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.open(path).map_err(failed("open", path))
}

/// The pid a holder wrote; 0 in the moment before it does.
fn read_pid(file: &mut File) -> i32 {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    read.ok().and_then(|_| text.trim().parse().ok()).unwrap_or(0)
}

/// What a running server tells the other commands, in `<run>/server.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    pub pid: u32,
    pub version: String,
    /// Whether the API answers.
    pub is_serving: bool,
    /// Whether everything `up` waits for was there.
    pub is_ready: bool,
    pub node_name: String,
    pub node_address: std::net::IpAddr,
    pub settings: Settings,
}

impl ServerInfo {
    pub fn write(&self) -> Result<(), ProcessError> {
        let path = info_path(&self.settings.run_dir);
        let text =
            serde_json::to_vec_pretty(self).map_err(|source| ProcessError::Damaged { path: path.clone(), source })?;
        stdx::fs::write_atomic(&path, &text, 0o600).map_err(failed("write", &path))
    }

    /// The last server's word; it may have ended since.
    pub fn read(run_dir: &Path) -> Result<Option<Self>, ProcessError> {
        let path = info_path(run_dir);
        match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map(Some)
                .map_err(|source| ProcessError::Damaged { path: path.clone(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed("read", &path)(source)),
        }
    }
}

fn info_path(run_dir: &Path) -> PathBuf {
    run_dir.join("server.json")
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ProcessError {
    let path = path.to_owned();
    move |source| ProcessError::File { doing, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kill_that_waits_is_seen() {
        let status =
            |own: &str, shared: &str| format!("Name:\tpintle\nSigPnd:\t{own}\nShdPnd:\t{shared}\nSigBlk:\t{own}\n");
        assert!(is_killed(&status("0000000000000100", "0000000000000000")));
        assert!(is_killed(&status("0000000000000000", "0000000000000102")));
        assert!(!is_killed(&status("0000000000000000", "0000000000004000")));
        assert!(!is_killed("Name:\tpintle\nSigBlk:\t0000000000000100\n"));
        assert!(!is_ending(i32::try_from(std::process::id()).unwrap()));
    }

    #[test]
    fn one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let run_dir = folder.path().join("run");
        assert_eq!(holder(&run_dir).unwrap(), None);
        let lock = RunLock::acquire(&run_dir).unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        assert_eq!(holder(&run_dir).unwrap(), Some(own));
        assert!(matches!(RunLock::acquire(&run_dir), Err(ProcessError::Held { pid }) if pid == own));
        let waiter = std::thread::spawn({
            let run_dir = run_dir.clone();
            move || wait_until_released(&run_dir).unwrap()
        });
        drop(lock);
        waiter.join().unwrap();
        assert_eq!(holder(&run_dir).unwrap(), None);
        RunLock::acquire(&run_dir).unwrap();
    }
}
