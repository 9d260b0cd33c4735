//! The engine: who waits for what.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::ClientConfig;
use stdx::{Ambient, signal};
use store::{
    Committed, Entry, Event, Options, Range, RangeRequest, ReadAt, Replica, Revision, Snapshot, Store, StoreError,
    Transaction, Watch, WatchRequest,
};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::address::Address;
use crate::channel::Channel;
use crate::client::{Client, entry, from_wire, to_wire};
use crate::freshness::Freshness;
use crate::grpc::{CallError, Code};
use crate::layout::Layout;
use crate::leases::Leases;
use crate::messages::{RangeRequest as WireRangeRequest, revision_of};
use crate::pending::Pending;
use crate::{compaction, feed, load};

/// How many transactions may be under way; more wait.
const MAX_TRANSACTIONS: usize = 1024;

/// What etcd accepts in one request unless it is told otherwise (`--max-request-bytes`).
const MAX_REQUEST_BYTES: usize = 3 << 19;

pub struct Config {
    pub address: Address,
    /// `None` speaks in the clear.
    pub tls: Option<Arc<ClientConfig>>,
    pub options: Options,
    /// How long a call may wait for etcd before it is answered [`StoreError::Unavailable`].
    pub timeout: Duration,
    /// How long etcd may take to be found and read when the engine is opened.
    pub open_timeout: Duration,
    /// How often etcd is told to drop the history that memory has dropped: usually [`crate::COMPACT_EVERY`].
    pub compact_every: Duration,
    pub ambient: Ambient,
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the store at etcd://{endpoints} cannot be opened: {reason}")]
    Unavailable { endpoints: String, reason: String },
}

/// The store in an etcd cluster.
#[derive(Debug)]
pub struct Etcd {
    inner: Arc<Inner>,
    /// The watch and the compactor; they end with the engine.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) client: Client,
    pub(crate) layout: Layout,
    pub(crate) replica: Replica,
    pub(crate) pending: Arc<Pending>,
    pub(crate) leases: Leases,
    pub(crate) freshness: Freshness,
    pub(crate) transactions: Semaphore,
    pub(crate) options: Options,
    pub(crate) timeout: Duration,
    pub(crate) compact_every: Duration,
    pub(crate) ambient: Ambient,
}

impl Etcd {
    /// Reads what etcd holds, with as much of its history as is kept there, and begins to follow it.
    pub async fn open(config: Config) -> Result<Arc<Etcd>, OpenError> {
        let Config { address, tls, options, timeout, open_timeout, compact_every, ambient } = config;
        let endpoints = address.endpoints.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let inner = Arc::new(Inner {
            client: Client::new(Channel::new(address.endpoints, tls, ambient.clock)),
            layout: Layout::new(&address.root),
            replica: Replica::new(options, ambient.clock),
            pending: Arc::default(),
            leases: Leases::default(),
            freshness: Freshness::default(),
            transactions: Semaphore::new(MAX_TRANSACTIONS),
            options,
            timeout,
            compact_every,
            ambient,
        });
        let failed = |error: &dyn std::error::Error| OpenError::Unavailable {
            endpoints: endpoints.clone(),
            reason: stdx::error::chain(error),
        };
        let deadline = inner.ambient.clock.instant() + open_timeout;
        load::load(&inner, deadline).await.map_err(|error| failed(&error))?;
        let mut tasks = JoinSet::new();
        tasks.spawn(feed::follow(inner.clone()));
        tasks.spawn(compaction::run(inner.clone()));
        inner.refresh().await.map_err(|error| failed(&error))?;
        Ok(Arc::new(Etcd { inner, _tasks: tasks }))
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        self.inner.replica.close();
    }
}

impl Inner {
    pub(crate) fn deadline(&self) -> Instant {
        self.ambient.clock.instant() + self.timeout
    }

    /// Where memory's history begins.
    pub(crate) fn oldest(&self) -> Revision {
        self.replica.snapshot().oldest().0
    }

    /// Waits until memory holds a revision.
    pub(crate) async fn remember(&self, revision: Revision, deadline: Instant) -> Result<Revision, StoreError> {
        let mut revisions = self.replica.revisions();
        let reached = revisions.wait_for(|newest| *newest >= revision);
        match timeout_at(deadline, reached).await {
            Ok(Ok(newest)) => Ok(newest),
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::Unavailable {
                reason: format!("etcd's watch has not brought revision {} in time", revision.0),
            }),
        }
    }

    /// Brings memory to where `at` demands it.
    async fn reach(self: &Arc<Self>, at: ReadAt) -> Result<(), StoreError> {
        match at {
            ReadAt::Memory => {}
            ReadAt::Newest => drop(self.refresh().await?),
            ReadAt::NotOlderThan(revision) | ReadAt::Exactly(revision) => self.reach_revision(revision).await?,
        }
        Ok(())
    }

    /// A state that memory does not reach back to may still be in etcd.
    async fn read_older(&self, request: &RangeRequest, revision: Revision) -> Result<Range, StoreError> {
        let (mut key, range_end) = self.layout.objects(&request.prefix);
        if let Some(after) = request.after.as_deref().filter(|after| *after >= request.prefix.as_str()) {
            key = self.layout.object(&format!("{after}\0"));
        }
        if key >= range_end {
            return Ok(Range { revision, entries: Vec::new(), remaining: 0 });
        }
        let limit = i64::try_from(request.limit).unwrap_or(i64::MAX);
        let wire = WireRangeRequest { key, range_end, limit, revision: to_wire(revision) };
        let answer =
            self.client.range(&wire, self.deadline()).await.map_err(|error| self.refusal(error, revision, 0))?;
        let entries: Vec<Entry> = answer.kvs.into_iter().filter_map(|held| load::object(&self.layout, held)).collect();
        let counted = usize::try_from(answer.count).unwrap_or(0);
        Ok(Range { revision, remaining: counted.saturating_sub(entries.len()), entries })
    }

    /// The store's word for a failed call that was about `revision`, or about a value of `size` bytes.
    pub(crate) fn refusal(&self, error: CallError, revision: Revision, size: usize) -> StoreError {
        match &error {
            CallError::Refused { code: Code::OutOfRange, message } if message.contains("compacted") => {
                StoreError::Compacted { requested: revision.0, oldest: self.oldest().0 }
            }
            CallError::Refused { code: Code::OutOfRange, .. } => {
                StoreError::FutureRevision { requested: revision.0, newest: self.replica.revision().0 }
            }
            // The first is etcd's own word, the second that of its gRPC, whose limit is half a megabyte higher.
            CallError::Refused { code: Code::InvalidArgument, message } if message.contains("too large") => {
                StoreError::TooLarge { size, limit: MAX_REQUEST_BYTES }
            }
            CallError::Refused { code: Code::ResourceExhausted, message } if message.contains("larger than max") => {
                StoreError::TooLarge { size, limit: MAX_REQUEST_BYTES }
            }
            _ => StoreError::Unavailable { reason: error.to_string() },
        }
    }
}

#[async_trait::async_trait]
impl Store for Etcd {
    fn revision(&self) -> Revision {
        self.inner.replica.revision()
    }

    fn revisions(&self) -> signal::Receiver<Revision> {
        self.inner.replica.revisions()
    }

    async fn refresh(&self) -> Result<Revision, StoreError> {
        self.inner.refresh().await
    }

    async fn get(&self, key: &str, at: ReadAt) -> Result<Option<Entry>, StoreError> {
        // A bad key needs no round trip.
        self.inner.replica.get(key, ReadAt::Memory)?;
        self.inner.reach(at).await?;
        match (self.inner.replica.get(key, at), at) {
            (Err(StoreError::Compacted { .. }), ReadAt::Exactly(revision)) => {
                let key_bytes = self.inner.layout.object(key);
                let wire =
                    WireRangeRequest { key: key_bytes, revision: to_wire(revision), ..WireRangeRequest::default() };
                let answer = self.inner.client.range(&wire, self.inner.deadline()).await;
                let answer = answer.map_err(|error| self.inner.refusal(error, revision, 0))?;
                Ok(answer.kvs.into_iter().next().map(|held| entry(key, held)))
            }
            (answer, _) => answer,
        }
    }

    async fn range(&self, request: RangeRequest) -> Result<Range, StoreError> {
        self.inner.reach(request.at).await?;
        match (self.inner.replica.range(request.clone()).await, request.at) {
            (Err(StoreError::Compacted { .. }), ReadAt::Exactly(revision)) if revision > Revision(0) => {
                self.inner.read_older(&request, revision).await
            }
            (answer, _) => answer,
        }
    }

    async fn commit(&self, transaction: Transaction) -> Result<Committed, StoreError> {
        store::check_transaction(&transaction)?;
        // On its own: what has been sent goes on, also when the caller leaves.
        let inner = self.inner.clone();
        match tokio::spawn(async move { inner.commit(transaction).await }).await {
            Ok(outcome) => outcome,
            Err(_) => Err(StoreError::Closed),
        }
    }

    fn watch(&self, request: WatchRequest) -> Result<Watch, StoreError> {
        self.inner.replica.watch(request)
    }

    async fn compact(&self, revision: Revision) -> Result<(), StoreError> {
        self.inner.reach_revision(revision).await?;
        match self.inner.client.compact(revision, self.inner.deadline()).await {
            // Another server, or another user of the same etcd, was there before.
            Err(CallError::Refused { code: Code::OutOfRange, .. }) | Ok(()) => {}
            Err(error) => return Err(self.inner.refusal(error, revision, 0)),
        }
        self.inner.replica.compact(revision).await
    }

    fn revision_at(&self, time: SystemTime) -> Result<Revision, StoreError> {
        self.inner.replica.revision_at(time)
    }

    async fn changes(&self, key: &str) -> Result<Vec<Arc<Event>>, StoreError> {
        self.inner.replica.changes(key)
    }

    fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(self.inner.replica.snapshot())
    }
}

/// What etcd's newest state says of the store's: the newest revision that any server's transaction took, and etcd's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) signed: Revision,
    pub(crate) revision: Revision,
}

impl Inner {
    /// Asks the cluster, not one server of it.
    pub(crate) async fn head(&self, deadline: Instant) -> Result<Head, CallError> {
        let request = WireRangeRequest { key: self.layout.signature(), ..WireRangeRequest::default() };
        let answer = self.client.range(&request, deadline).await?;
        let signed = answer.kvs.first().map_or(Revision(0), |held| from_wire(held.mod_revision));
        Ok(Head { signed, revision: from_wire(revision_of(&answer.header)) })
    }
}
