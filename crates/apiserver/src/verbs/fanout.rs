//! Watches that want the same thing in the same form share its making.
//!
//! A channel follows the store for all of them. It turns every change into bytes once and puts them
//! into a ring; each reader takes from there what it has not sent yet. A reader costs a place in
//! line and a number; who reads too slowly falls out of the ring and is told so.
//!
//! **Invariant:** nobody waits for a reader, neither the channel nor a writer.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use stdx::waiters::{Place, Waiters, Wakeups};
use store::{Event, Revision, StoreError, Watch, WatchItem, WatchRequest};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::lens::Lens;
use crate::status::ApiError;
use crate::storage::Storage;

/// What the lines of a channel may take that not every reader has taken. Whoever is behind by more
/// is cut off.
const MAX_RING_BYTES: usize = 16 << 20;

/// Below this nobody looks for lines that everyone has taken.
const MIN_RING_BYTES: usize = 16 << 10;

/// A reader takes about this much at a time.
const TAKE_BYTES: usize = 64 << 10;

/// Which watches share a channel: those of the same keys whose lenses show the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ChannelKey {
    pub(crate) prefix: String,
    pub(crate) view: String,
}

/// The channels of all watches.
pub(crate) struct Fanouts {
    storage: Storage,
    shutdown: CancellationToken,
    channels: Mutex<HashMap<ChannelKey, Weak<Channel>>>,
}

pub(crate) struct Channel {
    lens: Arc<Lens>,
    ring: Mutex<Ring>,
    nudge: Arc<Notify>,
    /// Ends the task that fills the ring, once no reader holds the channel.
    _follower: DropGuard,
}

/// One watch's view of a channel.
pub(crate) struct Reader {
    channel: Arc<Channel>,
    seat: usize,
    /// Lines up to here are not this reader's: it had them otherwise.
    known: Revision,
    place: Place,
}

/// What a reader finds.
pub(crate) enum Taken {
    /// Lines not taken before, how many they are, and the revision up to which nothing is missing.
    Lines { bytes: Vec<Bytes>, seen: Revision },
    /// The reader fell behind: the oldest revision it could still have been told of.
    CutOff { oldest: Revision },
    /// The store gave up on the channel, or the server ends (`None`).
    End(Option<ApiError>),
}

impl Fanouts {
    pub(crate) fn new(storage: Storage, shutdown: CancellationToken) -> Self {
        Fanouts { storage, shutdown, channels: Mutex::default() }
    }

    /// A reader of all that changes after `after`. What the channel has passed already is returned as
    /// events, to be read first.
    pub(crate) fn read(
        &self,
        key: ChannelKey,
        lens: Arc<Lens>,
        after: Revision,
    ) -> Result<(Reader, Vec<Arc<Event>>), StoreError> {
        let prefix = key.prefix.clone();
        let channel = self.channel(key, lens)?;
        let (seat, seen) = lock(&channel.ring).sit();
        let reader = Reader { channel, seat, known: seen.max(after), place: Place::default() };
        let missed = if after < seen { self.replay(prefix, after, seen)? } else { Vec::new() };
        Ok((reader, missed))
    }

    fn channel(&self, key: ChannelKey, lens: Arc<Lens>) -> Result<Arc<Channel>, StoreError> {
        let mut channels = lock(&self.channels);
        if let Some(channel) = channels.get(&key).and_then(Weak::upgrade)
            && lock(&channel.ring).end.is_none()
        {
            return Ok(channel);
        }
        channels.retain(|_, channel| channel.strong_count() > 0);
        let seen = self.storage.revision();
        let request = WatchRequest { prefix: key.prefix.clone(), after: seen, progress_every: None };
        let watch = self.storage.watch(request)?;
        let stop = self.shutdown.child_token();
        let nudge = Arc::new(Notify::new());
        let channel = Arc::new(Channel {
            lens,
            ring: Mutex::new(Ring::new(seen)),
            nudge: nudge.clone(),
            _follower: stop.clone().drop_guard(),
        });
        let follower = Follower { channel: Arc::downgrade(&channel), watch, nudge, storage: self.storage.clone() };
        tokio::spawn(follower.run(stop));
        channels.insert(key, Arc::downgrade(&channel));
        Ok(channel)
    }

    /// The events after `after` up to `until`, all of which are history.
    fn replay(&self, prefix: String, after: Revision, until: Revision) -> Result<Vec<Arc<Event>>, StoreError> {
        let mut watch = self.storage.watch(WatchRequest { prefix, after, progress_every: None })?;
        let mut missed = Vec::new();
        // The runtime's budget must not make events look absent that are there.
        while let Some(Some(item)) = tokio::task::unconstrained(watch.next()).now_or_never() {
            match item? {
                WatchItem::Event(event) if event.revision <= until => missed.push(event),
                WatchItem::Event(_) | WatchItem::Progress(_) => break,
            }
        }
        Ok(missed)
    }
}

impl Reader {
    pub(crate) fn lens(&self) -> &Lens {
        &self.channel.lens
    }

    /// What there is to send; waits where there is nothing, unless everything up to `until` is known
    /// to be sent.
    pub(crate) fn poll_take(&mut self, context: &mut Context<'_>, until: Option<Revision>) -> Poll<Taken> {
        let mut ring = lock(&self.channel.ring);
        let taken = ring.take(self.seat, self.known);
        match taken {
            Taken::Lines { ref bytes, seen } if bytes.is_empty() && until.is_none_or(|until| seen < until) => {
                ring.waiters.wait(&mut self.place, context.waker());
                Poll::Pending
            }
            taken => Poll::Ready(taken),
        }
    }

    /// Asks the channel to say how far it has come.
    pub(crate) fn nudge(&self) {
        self.channel.nudge.notify_one();
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut ring = lock(&self.channel.ring);
        ring.waiters.leave(&mut self.place);
        ring.leave(self.seat);
    }
}

/// The lines that readers have yet to take.
struct Ring {
    lines: VecDeque<Line>,
    /// The number of the first line in the ring.
    first: u64,
    bytes: usize,
    /// At this size it is time to look for lines that everyone has taken.
    trim_at_bytes: usize,
    /// Every line up to this revision is in the ring, or has been.
    seen: Revision,
    /// The newest revision of which a line was dropped.
    dropped: Revision,
    end: Option<Option<ApiError>>,
    /// The number of the line that each reader takes next; none where nobody sits.
    seats: Vec<Option<u64>>,
    waiters: Waiters,
}

struct Line {
    revision: Revision,
    bytes: Bytes,
}

impl Ring {
    fn new(seen: Revision) -> Self {
        Ring {
            lines: VecDeque::new(),
            first: 0,
            bytes: 0,
            trim_at_bytes: MIN_RING_BYTES,
            seen,
            dropped: seen,
            end: None,
            seats: Vec::new(),
            waiters: Waiters::default(),
        }
    }

    /// A seat at the end of the ring, and the revision that the ring has come to.
    fn sit(&mut self) -> (usize, Revision) {
        let next = Some(self.first + self.lines.len() as u64);
        let seat = match self.seats.iter().position(Option::is_none) {
            Some(free) => {
                self.seats[free] = next;
                free
            }
            None => {
                self.seats.push(next);
                self.seats.len() - 1
            }
        };
        (seat, self.seen)
    }

    fn leave(&mut self, seat: usize) {
        self.seats[seat] = None;
    }

    fn take(&mut self, seat: usize, known: Revision) -> Taken {
        let next = self.seats[seat].unwrap_or(self.first);
        if next < self.first {
            return Taken::CutOff { oldest: self.dropped };
        }
        let (mut bytes, mut size, mut passed) = (Vec::new(), 0, 0);
        let waiting = self.lines.range((next - self.first) as usize..);
        let mut seen = self.seen;
        for line in waiting {
            if size >= TAKE_BYTES {
                // What is left comes next time; until then it is not known how far this has come.
                seen = Revision(line.revision.0.saturating_sub(1));
                break;
            }
            passed += 1;
            if line.revision > known {
                size += line.bytes.len();
                bytes.push(line.bytes.clone());
            }
        }
        self.seats[seat] = Some(next + passed);
        if bytes.is_empty()
            && let Some(end) = &self.end
        {
            return Taken::End(end.clone());
        }
        Taken::Lines { bytes, seen }
    }

    fn push(&mut self, lines: Vec<Line>, seen: Revision) {
        self.bytes += lines.iter().map(|line| line.bytes.len()).sum::<usize>();
        self.lines.extend(lines);
        self.seen = self.seen.max(seen);
        if self.bytes >= self.trim_at_bytes {
            self.trim();
        }
    }

    /// Drops what everyone has taken; and what somebody has not, where the ring is too large.
    fn trim(&mut self) {
        let taken = self.seats.iter().flatten().copied().filter(|next| *next >= self.first).min();
        let taken = taken.unwrap_or(self.first + self.lines.len() as u64);
        while self.first < taken || self.bytes > MAX_RING_BYTES {
            let Some(line) = self.lines.pop_front() else { break };
            self.first += 1;
            self.bytes -= line.bytes.len();
            self.dropped = line.revision;
        }
        self.trim_at_bytes = MIN_RING_BYTES.max(self.bytes * 2).min(MAX_RING_BYTES);
    }
}

/// Fills a channel's ring from the store.
struct Follower {
    channel: Weak<Channel>,
    watch: Watch,
    nudge: Arc<Notify>,
    storage: Storage,
}

/// Why a follower stops.
enum Stop {
    /// Nobody reads any more.
    Deserted,
    /// The store has no more to say, or (`None`) the server ends.
    End(Option<ApiError>),
}

impl Follower {
    async fn run(mut self, stop: CancellationToken) {
        let end = tokio::select! {
            biased;
            () = stop.cancelled() => Stop::End(None),
            end = self.follow() => end,
        };
        let (Stop::End(end), Some(channel)) = (end, self.channel.upgrade()) else { return };
        let mut ring = lock(&channel.ring);
        ring.end = Some(end);
        let waiting = ring.waiters.take();
        drop(ring);
        waiting.wake();
    }

    async fn follow(&mut self) -> Stop {
        loop {
            let first = tokio::select! {
                biased;
                item = self.watch.next() => Some(item),
                () = self.nudge.notified() => None,
            };
            let Some(channel) = self.channel.upgrade() else { return Stop::Deserted };
            let lens = channel.lens.clone();
            // Readers may leave while this waits; a channel held here would outlive them.
            drop(channel);
            let mut lines = Vec::new();
            let (seen, end) = self.gather(&lens, first, &mut lines).await;
            let Some(channel) = self.channel.upgrade() else { return Stop::Deserted };
            channel.publish(lines, seen).wake();
            if let Some(end) = end {
                return end;
            }
        }
    }

    /// Turns what the watch has ready into lines; returns the revision up to which they are complete.
    async fn gather(
        &mut self,
        lens: &Lens,
        first: Option<Option<Result<WatchItem, StoreError>>>,
        lines: &mut Vec<Line>,
    ) -> (Revision, Option<Stop>) {
        let mut seen = self.storage.revision();
        let mut next = first;
        loop {
            // The runtime's budget must not make events look absent that are there.
            let ready = next.take().or_else(|| tokio::task::unconstrained(self.watch.next()).now_or_never());
            match ready {
                Some(Some(Ok(WatchItem::Event(event)))) => match lens.line(&event) {
                    Ok(Some(bytes)) => lines.push(Line { revision: event.revision, bytes }),
                    Ok(None) => {}
                    Err(error) => return (seen, Some(Stop::End(Some(error)))),
                },
                Some(Some(Ok(WatchItem::Progress(_)))) => {}
                Some(Some(Err(StoreError::Closed)) | None) => return (seen, Some(Stop::End(None))),
                Some(Some(Err(error))) => return (seen, Some(Stop::End(Some(error.into())))),
                None => {
                    // A transaction reaches the queues event by event, and counts once all are there.
                    let newest = lines.last().map_or(seen, |line| line.revision);
                    if newest <= seen {
                        return (seen, None);
                    }
                    match self.storage.revisions().wait_for(|revision| *revision >= newest).await {
                        Ok(revision) => seen = revision,
                        Err(_) => return (seen, Some(Stop::End(None))),
                    }
                }
            }
        }
    }
}

impl Channel {
    fn publish(&self, lines: Vec<Line>, seen: Revision) -> Wakeups {
        let mut ring = lock(&self.ring);
        ring.push(lines, seen);
        ring.waiters.take()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(revision: u64, size: usize) -> Line {
        Line { revision: Revision(revision), bytes: Bytes::from(vec![b'x'; size]) }
    }

    fn taken(ring: &mut Ring, seat: usize) -> String {
        match ring.take(seat, Revision(0)) {
            Taken::Lines { bytes, seen } => format!("{} lines to {}", bytes.len(), seen.0),
            Taken::CutOff { oldest } => format!("cut off at {}", oldest.0),
            Taken::End(_) => "end".to_owned(),
        }
    }

    #[test]
    fn readers_take_at_their_own_pace_and_what_all_have_taken_goes() {
        let mut ring = Ring::new(Revision(10));
        let ((quick, _), (slow, _)) = (ring.sit(), ring.sit());
        ring.push(vec![line(11, 10), line(12, 10)], Revision(12));
        assert_eq!(taken(&mut ring, quick), "2 lines to 12");
        assert_eq!(taken(&mut ring, quick), "0 lines to 12");
        let (late, seen) = ring.sit();
        assert_eq!(seen, Revision(12));
        ring.push(vec![line(13, MIN_RING_BYTES)], Revision(14));
        assert_eq!((ring.first, ring.lines.len()), (0, 3), "somebody still needs them");
        assert_eq!(taken(&mut ring, slow), "3 lines to 14");
        assert_eq!(taken(&mut ring, late), "1 lines to 14");
        ring.push(vec![line(15, 2 * MIN_RING_BYTES)], Revision(15));
        assert_eq!((ring.first, ring.lines.len()), (2, 2), "the quick one has yet to take two");
        ring.leave(quick);
        assert_eq!((taken(&mut ring, slow), taken(&mut ring, late)), ("1 lines to 15".into(), "1 lines to 15".into()));
        ring.trim();
        assert!(ring.lines.is_empty());
    }

    #[test]
    fn a_reader_that_falls_behind_by_more_than_the_bound_is_cut_off() {
        let mut ring = Ring::new(Revision(0));
        let (seat, _) = ring.sit();
        for revision in 1..=20 {
            ring.push(vec![line(revision, 1 << 20)], Revision(revision));
            assert!(ring.bytes <= MAX_RING_BYTES);
        }
        assert_eq!(taken(&mut ring, seat), "cut off at 20", "what only such a reader wants is not kept");
        let (seat, _) = ring.sit();
        ring.push((21..=23).map(|revision| line(revision, TAKE_BYTES)).collect(), Revision(30));
        assert_eq!(taken(&mut ring, seat), "1 lines to 21");
        assert_eq!(taken(&mut ring, seat), "1 lines to 22");
        assert_eq!(taken(&mut ring, seat), "1 lines to 30");
        ring.end = Some(None);
        assert_eq!(taken(&mut ring, seat), "end");
    }
}
