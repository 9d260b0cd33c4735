//! Network namespaces, entered by threads of their own so that no other thread ever changes
//! where it is.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::{Error, Protocol, Socket};

const OWN: &str = "/proc/thread-self/ns/net";

/// A network namespace, held open.
#[derive(Debug)]
pub struct Namespace {
    file: File,
    path: PathBuf,
}

impl Namespace {
    /// Opens a namespace by a path, e.g. `/proc/<pid>/ns/net`.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(refused("open", path))?;
        Ok(Namespace { file, path: path.to_owned() })
    }

    /// A new namespace without a name: it is gone once nothing holds it.
    pub fn unnamed() -> Result<Self, Error> {
        let made = on_own_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET)?;
            File::open(OWN)
        });
        let path = PathBuf::from("(unnamed)");
        let file = made.map_err(refused("make", &path))?;
        Ok(Namespace { file, path })
    }

    /// Runs `work` on a new thread inside the namespace, and waits for it. Sockets opened there
    /// keep belonging to the namespace.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, Error> {
        on_own_thread(|| {
            setns(&self.file, CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        })
        .map_err(refused("enter", &self.path))
    }

    /// A socket that speaks to this namespace from wherever it is used.
    pub fn socket(&self, protocol: Protocol) -> Result<Socket, Error> {
        self.run(|| Socket::open(protocol))?
    }

    pub(crate) fn raw(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn on_own_thread<T: Send>(work: impl FnOnce() -> io::Result<T> + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let worker = thread::Builder::new().name("netns".to_owned()).spawn_scoped(scope, work)?;
        // A panic inside is a defect of the caller's closure: it goes on in the caller.
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn refused<'a>(step: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Error + 'a {
    move |source| Error::Namespace { step, path: path.to_owned(), source }
}
