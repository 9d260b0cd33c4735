//! Objects by their labels and selectable fields.
//!
//! A list that selects few of many objects must not read them all. Each kind that is listed so has
//! an index, made at the first such list and kept in step through a watch, which is drained just
//! before an answer: what was acknowledged before the request is in it. The index holds the store's
//! own entries and so is a state of the kind at one revision; nothing is read again from the store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use registry::Kind;
use stdx::Clock;
use store::{Change, Entry, Event, RangeRequest, Revision, StoreError, Watch, WatchItem, WatchRequest};
use tokio_util::sync::CancellationToken;

mod table;

use self::table::Table;
use crate::status::ApiError;
use crate::storage::{self, Storage};
use crate::verbs::selector::Filter;

/// An index that nobody has asked for so long is dropped.
const IDLE: Duration = Duration::from_secs(600);

/// Kinds with more objects than this are scanned: the index would outgrow its use.
const MAX_OBJECTS: usize = 1 << 20;

/// While an index is made, others get their turn after so many objects.
const OBJECTS_A_TURN: usize = 256;

/// An index follows the store in steps of so many revisions, so that its watch is never cut off for
/// falling behind, and nobody is woken for every write.
const FOLLOW_STEP: u64 = 1024;

/// How often an index is made anew within one request, when writes outrun the making.
const ATTEMPTS: usize = 3;

/// The indexes of all kinds that are being listed by selectors.
pub(crate) struct Indexes {
    storage: Storage,
    clock: Clock,
    shutdown: CancellationToken,
    slots: Mutex<HashMap<(&'static str, &'static str), Arc<Slot>>>,
}

/// What a selecting list found, in the order of keys.
pub(crate) struct Selected {
    pub(crate) revision: Revision,
    pub(crate) entries: Vec<Entry>,
    /// Whether more match than were asked for.
    pub(crate) more: bool,
}

/// One kind's place.
#[derive(Default)]
struct Slot {
    live: Mutex<Option<Live>>,
    /// Held by whoever makes the index; the others wait.
    making: tokio::sync::Mutex<()>,
    used: AtomicBool,
}

/// An index and the watch that keeps it in step.
struct Live {
    table: Table,
    watch: Watch,
    /// The table holds the kind's state at this revision.
    revision: Revision,
    /// Read from the watch, and beyond the revision that was asked for.
    ahead: Option<Arc<Event>>,
}

impl Indexes {
    pub(crate) fn new(storage: Storage, clock: Clock, shutdown: CancellationToken) -> Self {
        Indexes { storage, clock, shutdown, slots: Mutex::default() }
    }

    /// Whether the kind has an index already.
    pub(crate) fn has(&self, kind: &'static Kind) -> bool {
        let slot = lock(&self.slots).get(&(kind.group, kind.plural)).cloned();
        slot.is_some_and(|slot| lock(&slot.live).is_some())
    }

    /// The objects of a stored kind that match, in one namespace or in all, as they stood at `least`
    /// or later. `None` where an index does not serve: the caller reads everything.
    pub(crate) async fn select(
        &self,
        kind: &'static Kind,
        namespace: &str,
        filter: &Filter,
        limit: usize,
        least: Revision,
    ) -> Result<Option<Selected>, ApiError> {
        let slot = lock(&self.slots).entry((kind.group, kind.plural)).or_default().clone();
        slot.used.store(true, Ordering::Relaxed);
        for _ in 0..ATTEMPTS {
            if let Some(selected) = slot.answer(namespace, filter, limit, least)? {
                return Ok(Some(selected));
            }
            let _making = slot.making.lock().await;
            if slot.serves(filter) {
                continue;
            }
            let with_fields = !filter.fields.is_empty() || slot.has_fields();
            match self.make(kind, with_fields).await? {
                Some(live) => *lock(&slot.live) = Some(live),
                None => return Ok(None),
            }
            tokio::spawn(keep(Arc::downgrade(&slot), self.storage.clone(), self.clock, self.shutdown.clone()));
        }
        Ok(None)
    }

    /// Reads the kind and indexes it, letting others run in between.
    async fn make(&self, kind: &'static Kind, with_fields: bool) -> Result<Option<Live>, ApiError> {
        let prefix = storage::prefix(kind, "");
        let range = self.storage.range(RangeRequest { prefix: prefix.clone(), ..RangeRequest::default() }).await?;
        if range.entries.len() > MAX_OBJECTS {
            return Ok(None);
        }
        let request = WatchRequest { prefix, after: range.revision, progress_every: None };
        let mut watch = self.storage.watch(request)?;
        let mut table = Table::new(kind, with_fields);
        // What is written meanwhile is taken from the watch before it overflows.
        let mut written = Vec::new();
        for (at, entry) in range.entries.into_iter().enumerate() {
            table.put(entry)?;
            if at % OBJECTS_A_TURN == OBJECTS_A_TURN - 1 {
                while let Some(item) = ready(&mut watch) {
                    written.push(item?);
                }
                tokio::task::yield_now().await;
            }
        }
        let mut live = Live { table, watch, revision: range.revision, ahead: None };
        for event in written.into_iter().flatten() {
            live.fold(&event)?;
        }
        Ok(Some(live))
    }
}

impl Slot {
    fn serves(&self, filter: &Filter) -> bool {
        lock(&self.live).as_ref().is_some_and(|live| live.table.serves(filter))
    }

    fn has_fields(&self) -> bool {
        lock(&self.live).as_ref().is_some_and(|live| live.table.has_fields())
    }

    fn answer(
        &self,
        namespace: &str,
        filter: &Filter,
        limit: usize,
        least: Revision,
    ) -> Result<Option<Selected>, ApiError> {
        let mut place = lock(&self.live);
        let Some(live) = place.as_mut().filter(|live| live.table.serves(filter)) else { return Ok(None) };
        if !live.catch_up(least)? {
            *place = None;
            return Ok(None);
        }
        let (entries, more) = live.table.select(namespace, filter, limit);
        Ok(Some(Selected { revision: live.revision, entries, more }))
    }
}

impl Live {
    /// Folds in every event up to `revision`, all of which wait in the watch. False where the watch
    /// was cut off.
    fn catch_up(&mut self, revision: Revision) -> Result<bool, ApiError> {
        while revision > self.revision {
            let next = match self.ahead.take() {
                Some(event) => Some(event),
                None => match ready(&mut self.watch) {
                    Some(Ok(None)) => continue,
                    Some(Ok(Some(event))) => Some(event),
                    Some(Err(StoreError::Compacted { .. })) => return Ok(false),
                    Some(Err(error)) => return Err(error.into()),
                    None => None,
                },
            };
            match next {
                // A transaction whose events are still being delivered is left for the next time.
                Some(event) if event.revision > revision => {
                    self.ahead = Some(event);
                    self.revision = revision;
                }
                Some(event) => self.fold_one(&event)?,
                None => self.revision = revision,
            }
        }
        Ok(true)
    }

    fn fold(&mut self, event: &Event) -> Result<(), ApiError> {
        self.fold_one(event)?;
        self.revision = self.revision.max(event.revision);
        Ok(())
    }

    fn fold_one(&mut self, event: &Event) -> Result<(), ApiError> {
        match &event.change {
            Change::Put(entry) => self.table.put(entry.clone()),
            Change::Delete { key } => {
                self.table.remove(key);
                Ok(())
            }
        }
    }
}

/// What a watch has ready: nothing, a word of progress, an event, or an error.
fn ready(watch: &mut Watch) -> Option<Result<Option<Arc<Event>>, StoreError>> {
    // The runtime's budget must not make events look absent that are there.
    let item = tokio::task::unconstrained(watch.next()).now_or_never()?;
    Some(match item {
        Some(Ok(WatchItem::Event(event))) => Ok(Some(event)),
        Some(Ok(WatchItem::Progress(_))) => Ok(None),
        Some(Err(error)) => Err(error),
        None => Err(StoreError::Closed),
    })
}

/// Follows the store for an index, and drops it when nobody asks any more.
async fn keep(slot: Weak<Slot>, storage: Storage, clock: Clock, shutdown: CancellationToken) {
    let mut revisions = storage.revisions();
    let mut idle_at = clock.instant() + IDLE;
    let mut followed = storage.revision();
    loop {
        let far_behind = |newest: &Revision| newest.0 >= followed.0 + FOLLOW_STEP;
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            moved = revisions.wait_for(far_behind) => if moved.is_err() { return },
            () = tokio::time::sleep_until(idle_at) => {
                let Some(slot) = slot.upgrade() else { return };
                if !slot.used.swap(false, Ordering::Relaxed) {
                    *lock(&slot.live) = None;
                    return;
                }
                idle_at = clock.instant() + IDLE;
                continue;
            }
        }
        followed = storage.revision();
        let Some(slot) = slot.upgrade() else { return };
        let mut place = lock(&slot.live);
        let Some(live) = place.as_mut() else { return };
        if !matches!(live.catch_up(followed), Ok(true)) {
            *place = None;
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
