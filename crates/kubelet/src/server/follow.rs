//! Waits for more of a log: the kernel tells of writes, the runtime of the container's end.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cri::{Code, ContainerState, ContainerStatusRequest};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};

use crate::pod::Context;

const WRITES: AddWatchFlags =
    AddWatchFlags::IN_MODIFY.union(AddWatchFlags::IN_DELETE_SELF).union(AddWatchFlags::IN_ATTRIB);

pub(crate) struct Follower {
    context: Arc<Context>,
    path: PathBuf,
    inotify: Inotify,
    container_id: String,
    /// The kernel's queue of changes. It reads like a pipe, which is what can be awaited safely.
    changes: pipe::Receiver,
    runtime_events: watch::Receiver<u64>,
    ended: bool,
}

impl Follower {
    pub(crate) fn new(context: Arc<Context>, container_id: String, path: &Path) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).map_err(io::Error::from)?;
        inotify.add_watch(path, WRITES).map_err(io::Error::from)?;
        if let Some(folder) = path.parent() {
            // A log that has grown long makes way for a new one of its name.
            inotify
                .add_watch(folder, AddWatchFlags::IN_CREATE | AddWatchFlags::IN_MOVED_TO)
                .map_err(io::Error::from)?;
        }
        let runtime_events = context.runtime_events.subscribe();
        let changes = pipe::Receiver::from_owned_fd_unchecked(inotify.as_fd().try_clone_to_owned()?)?;
        Ok(Follower { context, path: path.to_owned(), inotify, container_id, changes, runtime_events, ended: false })
    }

    /// Returns when there may be more to read; false when there never will be, or the client has gone.
    pub(crate) async fn more<T>(&mut self, client: &mpsc::Sender<T>) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        tokio::select! {
            ready = self.changes.readable() => {
                ready?;
                self.drain()?;
                Ok(true)
            }
            changed = self.runtime_events.changed() => {
                // What was written before the end is read once more.
                self.ended = changed.is_err() || !self.is_running().await;
                Ok(true)
            }
            () = client.closed() => Ok(false),
        }
    }

    /// The file that has taken the place of the one being read.
    pub(crate) fn successor(&self, current: &File) -> io::Result<Option<File>> {
        let next = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            next => next?,
        };
        let identity = |file: &File| file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        if identity(&next)? == identity(current)? {
            return Ok(None);
        }
        self.inotify.add_watch(&self.path, WRITES).map_err(io::Error::from)?;
        Ok(Some(next))
    }

    /// What changed does not matter, only that something did.
    fn drain(&self) -> io::Result<()> {
        let mut events = [0; 4096];
        loop {
            match self.changes.try_read(&mut events) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    async fn is_running(&self) -> bool {
        let request = ContainerStatusRequest { container_id: self.container_id.clone(), verbose: false };
        match self.context.runtime.container_status(request).await {
            Ok(response) => response.status.is_some_and(|status| status.state == ContainerState::Running as i32),
            Err(status) => status.code != Code::NotFound,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn a_write_and_the_end_are_both_heard() {
        let world = crate::testing::context::World::new();
        let path = world.folder.path().join("0.log");
        let mut file = std::fs::File::create(&path).unwrap();
        let container = "unknown to the runtime".to_owned();
        let mut follower = Follower::new(Arc::clone(&world.context), container, &path).unwrap();
        let (client, receiver) = mpsc::channel::<()>(1);
        file.write_all(b"line\n").unwrap();
        assert!(follower.more(&client).await.unwrap(), "there is a line to read");
        world.context.runtime_events.send_modify(|count| *count += 1);
        assert!(follower.more(&client).await.unwrap(), "what came before the end is read once more");
        assert!(!follower.more(&client).await.unwrap(), "the container has ended");
        let mut other = Follower::new(Arc::clone(&world.context), String::new(), &path).unwrap();
        drop(receiver);
        assert!(!other.more(&client).await.unwrap(), "the client has gone");
    }

    #[tokio::test]
    async fn a_new_file_of_the_name_is_found() {
        let world = crate::testing::context::World::new();
        let path = world.folder.path().join("0.log");
        let old = File::create_new(&path).unwrap();
        let follower = Follower::new(Arc::clone(&world.context), String::new(), &path).unwrap();
        assert!(follower.successor(&old).unwrap().is_none());
        std::fs::rename(&path, world.folder.path().join("0.log.20300101-000000")).unwrap();
        assert!(follower.successor(&old).unwrap().is_none(), "nothing has taken its place yet");
        std::fs::write(&path, "new").unwrap();
        let next = follower.successor(&old).unwrap().unwrap();
        assert_eq!(std::io::read_to_string(next).unwrap(), "new");
    }
}
