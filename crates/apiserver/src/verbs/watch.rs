//! WATCH: what there is, then what changes, until somebody's patience ends.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use bytes::Bytes;
use futures::Stream;
use http::{Response, StatusCode};
use store::{Entry, Event, Revision, StoreError};
use tokio::time::{Instant, Sleep};

use super::fanout::{ChannelKey, Reader, Taken};
use super::lens::Lens;
use super::list;
use super::options::{Start, WatchPlan};
use super::selector::Filter;
use crate::call::Call;
use crate::metrics::WatchCounter;
use crate::respond::View;
use crate::server::ApiServer;
use crate::status::{ApiError, answer};
use crate::storage;
use crate::wire::accept::Form;
use crate::wire::body::{self, Body, BoxError, CHUNK_BYTES};

/// A watch that names no end lasts between one and two of these, drawn so that the watches of a
/// restart do not all end together.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1800);

/// How often a client that asked for bookmarks gets one.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);

/// So long before its end a watch sends a last bookmark.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// So many objects are turned into lines before others get their turn.
const LINES_A_TURN: usize = 256;

pub(crate) async fn watch(call: Arc<Call>) -> Result<Response<Body>, ApiError> {
    let plan = WatchPlan::of(&call.query)?;
    let filter = Filter::of(&call)?;
    let server = call.server.clone();
    let lens = Arc::new(Lens::new(View::of(&call), call.stored_kind(), filter.clone()));
    let timeout = plan.timeout.unwrap_or_else(|| DEFAULT_TIMEOUT.mul_f64(1.0 + server.ambient.random.fraction()));
    let deadline = server.ambient.clock.instant() + timeout;
    // From here on refusals are events of the stream, as upstream has it.
    let lines = match begin(&call, &plan, &filter, lens.clone()).await {
        Ok(begun) => Lines::new(server, begun, plan.bookmarks, deadline, WatchCounter::of(&call)),
        Err(error) => Lines::refused(server, lens.error(&error)?, deadline, WatchCounter::of(&call)),
    };
    Ok(answer(StatusCode::OK, call.accepted.stream_content_type(), body::stream(lines)))
}

/// What a watch has to tell from its beginning, and where it goes on.
struct Begun {
    initial: Vec<Entry>,
    /// Said once the initial objects are: "that was it".
    mark_end: Option<Revision>,
    missed: Vec<Arc<Event>>,
    reader: Reader,
}

async fn begin(call: &Call, plan: &WatchPlan, filter: &Filter, lens: Arc<Lens>) -> Result<Begun, ApiError> {
    let storage = &call.server.storage;
    let (initial, after, mark_end) = match plan.start {
        Start::After(revision) => (Vec::new(), revision, None),
        Start::Now => (Vec::new(), storage.settle(store::ReadAt::Newest).await?, None),
        Start::Initial { at, mark_end } => {
            let found = list::find(call, filter, at, 0, None).await?;
            (found.entries, found.revision, mark_end.then_some(found.revision))
        }
    };
    let key = channel_key(call, filter);
    let (reader, missed) = call.server.fanouts.read(key, lens, after).map_err(|error| match error {
        StoreError::Compacted { requested, oldest } => {
            ApiError::expired(format!("too old resource version: {requested} ({oldest})"))
        }
        error => error.into(),
    })?;
    Ok(Begun { initial, mark_end, missed, reader })
}

/// Watches of the same objects, selected and shown in the same way, share a channel. Tables do not:
/// each names its columns in its first event.
fn channel_key(call: &Call, filter: &Filter) -> ChannelKey {
    let mut prefix = storage::prefix(call.stored_kind(), call.namespace());
    if let (Some(name), true) = (filter.name(), !call.kind.is_namespaced() || !call.namespace().is_empty()) {
        // One object: the store need not wake this watch for its neighbours.
        prefix.push_str(name);
    }
    let selector = |name| call.query.get(name).unwrap_or("");
    let unique = match call.accepted.form {
        Form::Table { .. } => call.server.ambient.random.next_u64(),
        _ => 0,
    };
    let view = format!(
        "{} {:?} {:?} {}\n{}\n{}\n{unique}",
        call.kind.version,
        call.kind.group,
        call.accepted,
        call.info.name,
        selector("labelSelector"),
        selector("fieldSelector")
    );
    ChannelKey { prefix, view }
}

/// The body of a watch.
struct Lines {
    server: Arc<ApiServer>,
    counter: WatchCounter,
    /// Lines that go out next.
    pending: VecDeque<Bytes>,
    initial: vec::IntoIter<Entry>,
    mark_end: Option<Revision>,
    missed: vec::IntoIter<Arc<Event>>,
    /// None once nothing more comes.
    reader: Option<Reader>,
    schedule: Schedule,
    timer: Pin<Box<Sleep>>,
    due: Due,
    /// A bookmark is to be sent once everything up to here has been.
    asked: Option<Revision>,
}

impl Lines {
    fn new(server: Arc<ApiServer>, begun: Begun, bookmarks: bool, deadline: Instant, counter: WatchCounter) -> Self {
        let schedule = Schedule { bookmarks, deadline };
        let (at, due) = schedule.next(server.ambient.clock.instant());
        Lines {
            server,
            counter,
            pending: VecDeque::new(),
            initial: begun.initial.into_iter(),
            mark_end: begun.mark_end,
            missed: begun.missed.into_iter(),
            reader: Some(begun.reader),
            schedule,
            timer: Box::pin(tokio::time::sleep_until(at)),
            due,
            asked: None,
        }
    }

    /// A watch that ends with its first event.
    fn refused(server: Arc<ApiServer>, line: Bytes, deadline: Instant, counter: WatchCounter) -> Self {
        Lines {
            server,
            counter,
            pending: VecDeque::from([line]),
            initial: Vec::new().into_iter(),
            mark_end: None,
            missed: Vec::new().into_iter(),
            reader: None,
            schedule: Schedule { bookmarks: false, deadline },
            timer: Box::pin(tokio::time::sleep_until(deadline)),
            due: Due::End,
            asked: None,
        }
    }

    /// The next part of what there was when the watch began, in the order it happened.
    fn past(&mut self) -> Result<Option<Bytes>, ApiError> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let lens = reader.lens();
        let (mut chunk, mut count) = (Vec::new(), 0);
        while chunk.len() < CHUNK_BYTES && count < LINES_A_TURN {
            if let Some(entry) = self.initial.next() {
                lens.write_initial(&mut chunk, entry)?;
            } else if let Some(revision) = self.mark_end.take() {
                chunk.extend_from_slice(&lens.bookmark(revision, true)?);
            } else if let Some(event) = self.missed.next() {
                chunk.extend_from_slice(&lens.line(&event)?.unwrap_or_default());
            } else {
                break;
            }
            count += 1;
        }
        self.counter.count(count);
        Ok((!chunk.is_empty()).then(|| Bytes::from(chunk)))
    }

    fn take(&mut self, taken: Taken) {
        match taken {
            Taken::Lines { bytes, seen } => {
                self.counter.count(bytes.len());
                self.pending.extend(joined(bytes));
                if self.asked.is_some_and(|asked| seen >= asked) {
                    self.asked = None;
                    let line = self.reader.as_ref().map(|reader| reader.lens().bookmark(seen, false));
                    self.queue(line);
                }
            }
            Taken::CutOff { oldest } => {
                let reason = format!("too old resource version: the watch fell behind {}", oldest.0);
                self.fail(&ApiError::expired(reason));
            }
            Taken::End(Some(error)) => self.fail(&error),
            Taken::End(None) => self.reader = None,
        }
    }

    fn fail(&mut self, error: &ApiError) {
        let line = self.reader.take().map(|reader| reader.lens().error(error));
        self.queue(line);
    }

    fn queue(&mut self, line: Option<Result<Bytes, ApiError>>) {
        match line {
            Some(Ok(line)) => self.pending.push_back(line),
            Some(Err(error)) => tracing::warn!(reason = error.message(), "a watch line could not be encoded"),
            None => {}
        }
    }

    /// The timer ran out.
    fn ring(&mut self) {
        match self.due {
            Due::End => self.reader = None,
            Due::Bookmark => {
                self.asked = Some(self.server.storage.revision());
                if let Some(reader) = &self.reader {
                    reader.nudge();
                }
                let (at, due) = self.schedule.next(self.server.ambient.clock.instant());
                self.due = due;
                self.timer.as_mut().reset(at);
            }
        }
    }
}

impl Stream for Lines {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(line) = this.pending.pop_front() {
                return Poll::Ready(Some(Ok(line)));
            }
            match this.past() {
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Ok(None) => {}
                Err(error) => {
                    this.fail(&error);
                    continue;
                }
            }
            let asked = this.asked;
            let Some(reader) = &mut this.reader else { return Poll::Ready(None) };
            // Before the lines: also a watch that always has some must end.
            if this.timer.as_mut().poll(context).is_ready() {
                this.ring();
                continue;
            }
            match reader.poll_take(context, asked) {
                Poll::Ready(taken) => this.take(taken),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}

/// What a watch does by the clock.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    bookmarks: bool,
    deadline: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Bookmark,
    End,
}

impl Schedule {
    fn next(&self, now: Instant) -> (Instant, Due) {
        let last_bookmark = self.deadline.checked_sub(LAST_BOOKMARK).filter(|last| self.bookmarks && now < *last);
        match last_bookmark {
            Some(last) => (last.min(now + BOOKMARK_EVERY), Due::Bookmark),
            None => (self.deadline, Due::End),
        }
    }
}

/// Several lines as one frame; one line as it is.
fn joined(lines: Vec<Bytes>) -> Option<Bytes> {
    match lines.len() {
        0 | 1 => lines.into_iter().next(),
        _ => {
            let mut frame = Vec::with_capacity(lines.iter().map(Bytes::len).sum());
            lines.iter().for_each(|line| frame.extend_from_slice(line));
            Some(Bytes::from(frame))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bookmarks_come_every_minute_and_shortly_before_the_end() {
        let start = stdx::Clock::simulated().instant();
        let at = |seconds| start + Duration::from_secs(seconds);
        let schedule = Schedule { bookmarks: true, deadline: at(100) };
        assert_eq!(schedule.next(at(0)), (at(60), Due::Bookmark));
        assert_eq!(schedule.next(at(60)), (at(98), Due::Bookmark));
        assert_eq!(schedule.next(at(98)), (at(100), Due::End));
        assert_eq!(Schedule { bookmarks: true, deadline: at(1) }.next(at(0)), (at(1), Due::End));
        assert_eq!(Schedule { bookmarks: false, ..schedule }.next(at(0)), (at(100), Due::End));
    }
}
