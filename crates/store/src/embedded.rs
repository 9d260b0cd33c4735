//! The engine that survives: an append-only log with group commit, and snapshots.
//!
//! State lives in memory, in the same core as the memory engine's. One writer thread takes all
//! waiting writes at once, appends them to the log as one frame, syncs, and only then lets readers,
//! watchers and the writers themselves see them. When the log has outgrown the data, a new log
//! begins and a snapshot of the state is written beside it; then the old log goes.
//!
//! In the folder: `log-<first revision>`, `snapshot-<last revision>`, `lock`. Recovery reads the
//! newest snapshot and the logs behind it.

mod disk;
mod format;
mod log;
mod recovery;
mod snapshot;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use stdx::{Ambient, signal};
use tokio::sync::{mpsc, oneshot};

pub use disk::{Disk, DiskFile, FolderDisk};

use crate::shared::Shared;
use crate::staging::admit;
use crate::{
    Committed, Entry, Event, Options, Range, RangeRequest, ReadAt, Revision, Snapshot, Store, StoreError, Transaction,
    Watch, WatchRequest,
};
use writer::{Request, Writer};

/// How many writes may wait for the writer thread; more wait for room.
const MAX_WAITING_WRITES: usize = 1024;

/// Why a store cannot be opened. Nothing on the disk was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store in {} is in use by process {holder}; stop it first", folder.display())]
    Locked { folder: PathBuf, holder: String },
    #[error("{} has format version {found}; this program reads up to {supported}: use the newer program", path.display())]
    NewerFormat { path: PathBuf, found: u32, supported: u32 },
    #[error("{} is not a store file; move it out of the store's folder", path.display())]
    Foreign { path: PathBuf },
    #[error(
        "{} is damaged at byte {offset}: {reason}. Restore the folder from a backup, or move it away to start empty",
        path.display()
    )]
    Damaged { path: PathBuf, offset: u64, reason: String },
    #[error("cannot {action} {}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
}

/// The store in a folder.
#[derive(Debug)]
pub struct Embedded {
    shared: Arc<Shared>,
    /// `None` once closed.
    requests: Mutex<Option<mpsc::Sender<Request>>>,
    /// Why the writer stopped, if it had to.
    failure: Arc<OnceLock<String>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the store in `folder`, which is made if it is missing.
    pub fn open(folder: &Path, options: Options, ambient: Ambient) -> Result<Arc<Embedded>, OpenError> {
        Embedded::open_on(Arc::new(FolderDisk::open(folder)?), options, ambient)
    }

    /// Opens the store on a disk of the caller's.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options, ambient: Ambient) -> Result<Arc<Embedded>, OpenError> {
        let recovered = recovery::recover(&*disk, &options, &ambient)?;
        let shared = Shared::new(recovered.core);
        let failure = Arc::new(OnceLock::new());
        let (sender, receiver) = mpsc::channel(MAX_WAITING_WRITES);
        let writer = Writer::new(shared.clone(), disk.clone(), recovered.log, failure.clone(), options, ambient);
        let failed = |source| OpenError::Io { action: "start the writer of", path: disk.path(""), source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run(&runtime, receiver))
            .map_err(failed)?;
        Ok(Arc::new(Embedded { shared, requests: Mutex::new(Some(sender)), failure, writer: Mutex::new(Some(thread)) }))
    }

    /// Ends all watches, refuses further writes, and waits until those under way are durable.
    /// Dropping the store does the same.
    pub fn close(&self) {
        drop(self.requests.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
        let wakeups = self.shared.write().watchers.close();
        wakeups.wake();
    }

    fn stopped(&self) -> StoreError {
        match self.failure.get() {
            Some(reason) => StoreError::ReadOnly { reason: reason.clone() },
            None => StoreError::Closed,
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

#[async_trait::async_trait]
impl Store for Embedded {
    fn revision(&self) -> Revision {
        self.shared.revision()
    }

    fn revisions(&self) -> signal::Receiver<Revision> {
        self.shared.revisions()
    }

    async fn refresh(&self) -> Result<Revision, StoreError> {
        Ok(self.shared.revision())
    }

    async fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError> {
        self.shared.get(key, at)
    }

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.shared.range(request).await
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        // Checked before it waits in the queue, where it would only hold memory.
        let transaction = admit(transaction)?;
        let sender = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (reply, answer) = oneshot::channel();
        let request = Request { transaction, reply };
        sender.ok_or_else(|| self.stopped())?.send(request).await.map_err(|_| self.stopped())?;
        answer.await.map_err(|_| self.stopped())?
    }

    fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.shared.watch(request)
    }

    async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        self.shared.compact(revision).await
    }

    fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError> {
        self.shared.revision_at(time)
    }

    async fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError> {
        self.shared.changes(key)
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(self.shared.snapshot())
    }
}
