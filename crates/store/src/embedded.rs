//! The engine that survives: an append-only log with group commit, and snapshots.
//!
//! State lives in memory, in the same core as the memory engine's. Whoever writes takes all that
//! waits, appends it to the log as one frame, syncs, and only then lets readers, watchers and the
//! writers themselves see it. A full log is followed by another; when the logs have outgrown the
//! data, a snapshot of the state is written beside them, and they go.
//!
//! In the folder: `log-<first revision>`, `snapshot-<last revision>`, `lock`. Recovery reads the
//! newest snapshot and the logs behind it.
//!
//! One thread stages, appends and commits. A second one that appends while the first commits and
//! stages the next batch has been measured: on two cores it is no faster, at any number of clients.

mod answers;
mod batch;
mod check;
mod disk;
mod format;
mod frames;
mod handover;
mod log;
mod recovery;
mod removal;
mod repair;
mod rotation;
mod salvage;
mod snapshot;
mod transfer;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::SystemTime;

use stdx::{Ambient, signal};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{Semaphore, oneshot};

pub use disk::{Disk, DiskFile, FolderDisk};

use crate::limits::size_bytes;
use crate::shared::{Moment, Shared};
use crate::staging::admit;
use crate::{
    Committed, Entry, Event, Options, Range, RangeRequest, ReadAt, Revision, Snapshot, Store, StoreError, Transaction,
    Watch, WatchRequest,
};
use answers::Reply;
use batch::Request;
use handover::{Handover, Lead, Submitted};
use writer::{Failure, Writer};

/// What can be done with a store's folder beside serving it.
pub mod folder {
    pub use super::check::{Contents, Damage, FileFound, Report, check, check_on};
    pub use super::repair::{Loss, Repaired, repair, repair_on};
    pub use super::transfer::{Forked, Restored, TransferError, fork, restore, save, snapshot_of};
}

/// How much may wait for the disk, in KiB of transactions; more wait for room.
const MAX_WAITING_KIB: usize = 64 << 10;

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
        "{} is damaged at byte {offset}: {reason}. `pintle store check` tells more; `pintle store repair` keeps \
         what is readable, `pintle store restore` puts back a snapshot",
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
    work: Arc<Work>,
    /// Room for what waits.
    room: Arc<Semaphore>,
    /// `None` once closed.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the store's callers and its thread have in common.
#[derive(Debug)]
struct Work {
    handover: Handover,
    /// Locked by whoever has the lead, so nobody ever waits for it; `None` once closed.
    writer: Mutex<Option<Writer>>,
    /// Why nothing is written any more.
    failure: Failure,
}

impl Embedded {
    /// Opens the store in `folder`, which is made if it is missing.
    pub fn open(folder: &Path, options: Options, ambient: Ambient) -> Result<Arc<Embedded>, OpenError> {
        Embedded::open_on(Arc::new(FolderDisk::open(folder)?), options, ambient)
    }

    /// Opens the store on a disk of the caller's.
    pub fn open_on(disk: Arc<dyn Disk>, options: Options, ambient: Ambient) -> Result<Arc<Embedded>, OpenError> {
        let (core, journal) = recovery::recover(&disk, &options, &ambient)?;
        let due = core.next_tending(Moment::now(&ambient.clock));
        let shared = Shared::new(core);
        let failure = Failure::default();
        let handover = Handover::new(ambient.clock, due);
        let path = disk.path("");
        let writer = Writer::new(shared.clone(), disk, journal, failure.clone(), options, ambient);
        let work = Arc::new(Work { handover, writer: Mutex::new(Some(writer)), failure });
        let thread = std::thread::Builder::new().name("store-writer".into());
        let thread = thread.spawn({
            let work = work.clone();
            move || work.run()
        });
        let thread = thread.map_err(|source| OpenError::Io { action: "start the writer of", path, source })?;
        let room = Arc::new(Semaphore::new(MAX_WAITING_KIB));
        Ok(Arc::new(Embedded { shared, work, room, thread: Mutex::new(Some(thread)) }))
    }

    /// Ends all watches, refuses further writes, and waits until those under way are durable.
    /// Dropping the store does the same.
    pub fn close(&self) {
        self.work.handover.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.join().is_err()
        {
            tracing::error!("the store's writer panicked");
        }
        if let Some(writer) = self.work.writer().take() {
            writer.close();
        }
        let wakeups = self.shared.write().watchers.close();
        wakeups.wake();
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.close();
    }
}

impl Work {
    /// The store's thread.
    fn run(&self) {
        while let Some(mut lead) = self.handover.next() {
            let due = self.writer().as_mut().and_then(|writer| writer.write_all(|| lead.take()));
            lead.done(due);
        }
    }

    fn write_in_place(&self, mut lead: Lead<'_>) {
        let requests = lead.take();
        // Once the store is closed, those who asked are told so when their requests are dropped.
        let due = self.writer().as_mut().and_then(|writer| writer.write(requests));
        lead.done(due);
    }

    fn writer(&self) -> MutexGuard<'_, Option<Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> StoreError {
        match self.failure.get() {
            Some(reason) => StoreError::ReadOnly { reason: reason.clone() },
            None => StoreError::Closed,
        }
    }
}

/// Whether all tasks share the one thread that this is: then those who are about to write have to be
/// let run, or each would write alone.
fn is_only_worker() -> bool {
    Handle::try_current().is_ok_and(|runtime| match runtime.runtime_flavor() {
        RuntimeFlavor::CurrentThread => true,
        _ => runtime.metrics().num_workers() == 1,
    })
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
        let transaction = admit(transaction)?;
        let size_bytes = size_bytes(&transaction);
        // Its limit is far below all the room there is.
        let size_kib = size_bytes as u32 / 1024 + 1;
        let room = self.room.clone().acquire_many_owned(size_kib).await.map_err(|_| self.work.stopped())?;
        let (sender, answer) = oneshot::channel();
        let reply = Reply { sender, runtime: Handle::try_current().ok(), _room: room };
        match self.work.handover.submit(Request { transaction, size_bytes, reply }) {
            Submitted::Waits => {}
            Submitted::Closed => return Err(self.work.stopped()),
            Submitted::Leads(lead) => {
                if is_only_worker() {
                    tokio::task::yield_now().await;
                }
                self.work.write_in_place(lead);
            }
        }
        answer.await.map_err(|_| self.work.stopped())?
    }

    fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.shared.watch(request)
    }

    /// Not written down: after a restart, until its limits take it again, history may reach back
    /// further than this. What it then tells is as true as before.
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
