//! Sees every write in its order: keeps the world, tells the trace, and has the laws judge.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use serde_json::Value;
use stdx::{Clock, Signal};
use store::{Change, Revision, Store, StoreError, Watch, WatchItem, WatchRequest};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::laws::Laws;
use crate::object::{Object, World};
use crate::trace::clock_face;

/// What is told of one write at most.
const MOST_DIFFERENCES: usize = 6;
/// Writes at one moment. Whoever writes on and on lets no time pass: virtual time waits for those who have something
/// to do.
const MOST_AT_ONCE: u64 = 5000;

#[derive(Clone)]
pub(super) struct Observer {
    shared: Arc<Mutex<Seen>>,
    store: Arc<dyn Store>,
    progress: Arc<Signal<Revision>>,
    clock: Clock,
    start: Instant,
    /// Cancelled when too much is written at one moment.
    stalled: CancellationToken,
}

#[derive(Default)]
struct Seen {
    world: World,
    lines: Vec<String>,
    laws: Laws,
    broken: Vec<String>,
    /// Writes of those that should be quiet when nothing happens.
    writes: u64,
    /// The moment of the last write, and how many there have been at it.
    moment: Option<(Instant, u64)>,
}

impl Observer {
    /// Watches until the store ends.
    pub(super) fn start(store: Arc<dyn Store>, clock: Clock, laws: Laws) -> Result<Observer, StoreError> {
        let watch = store.watch(WatchRequest { prefix: "/registry/".into(), ..WatchRequest::default() })?;
        let observer = Observer {
            shared: Arc::new(Mutex::new(Seen { laws, ..Seen::default() })),
            store,
            progress: Arc::new(Signal::new(Revision::default())),
            clock,
            start: clock.instant(),
            stalled: CancellationToken::new(),
        };
        tokio::spawn(observer.clone().observe(watch));
        Ok(observer)
    }

    /// Returns once everything that was written has been seen.
    pub(super) async fn caught_up(&self) {
        let newest = self.store.revision();
        // The signal lives as long as the observer.
        while self.progress.get() < newest {
            if self.progress.subscribe().changed().await.is_err() {
                return;
            }
        }
    }

    pub(super) fn note(&self, line: &str) {
        let time = clock_face(self.clock.instant() - self.start);
        self.lock().lines.push(format!("{time}  {line}"));
    }

    pub(super) fn report_broken(&self, finding: String) {
        self.note(&format!("BROKEN: {finding}"));
        self.lock().broken.push(finding);
    }

    pub(super) fn world(&self) -> World {
        self.lock().world.clone()
    }

    /// The laws broken so far.
    pub(super) fn broken(&self) -> Vec<String> {
        self.lock().broken.clone()
    }

    pub(super) fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// Returns when somebody writes on and on, and so lets no time pass.
    pub(super) fn stalled(&self) -> impl Future<Output = ()> + use<> {
        self.stalled.clone().cancelled_owned()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lock().lines.clone()
    }

    async fn observe(self, mut watch: Watch) {
        while let Some(item) = watch.next().await {
            match item {
                Ok(WatchItem::Event(event)) => {
                    self.see(event.revision, &event.change);
                    // Events of one revision come together, and the last may not have come yet: at worst somebody
                    // looks too early, and sees what was true in the middle of a transaction.
                    self.progress.set(event.revision);
                }
                Ok(WatchItem::Progress(revision)) => self.progress.set(revision),
                Err(error) => return self.report_broken(format!("the observer lost the store: {error}")),
            }
        }
    }

    fn see(&self, revision: Revision, change: &Change) {
        let key = change.key().to_string();
        let now = match change {
            Change::Put(entry) => match serde_json::from_slice(&entry.value) {
                Ok(value) => Some(Object::new(&key, value)),
                Err(error) => return self.report_broken(format!("{key} is no JSON: {error}")),
            },
            Change::Delete { .. } => None,
        };
        let mut seen = self.lock();
        let before = match now.clone() {
            Some(object) => seen.world.insert(key.clone(), object),
            None => seen.world.remove(&key),
        };
        let kind = crate::object::kind_of(&key).to_owned();
        if is_quiet_work(&kind) {
            return;
        }
        seen.writes += 1;
        let now_is = self.clock.instant();
        let at_once = seen.moment.filter(|(moment, _)| *moment == now_is).map_or(0, |(_, count)| count) + 1;
        seen.moment = Some((now_is, at_once));
        if at_once == MOST_AT_ONCE {
            seen.broken.push(format!("{MOST_AT_ONCE} writes at one moment"));
            self.stalled.cancel();
        }
        let time = clock_face(now_is - self.start);
        if kind != "core/events" {
            let line = tell(before.as_ref(), now.as_ref());
            seen.lines.push(format!("{time}  {} {line}", revision.0));
        }
        let Seen { world, laws, .. } = &mut *seen;
        let findings = laws.judge(world, before.as_ref(), now.as_ref());
        for finding in findings {
            seen.lines.push(format!("{time}  BROKEN: {finding}"));
            seen.broken.push(finding);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is written though nothing happens: signs of life.
fn is_quiet_work(kind: &str) -> bool {
    matches!(kind, "coordination.k8s.io/leases" | "core/nodes")
}

fn tell(before: Option<&Object>, now: Option<&Object>) -> String {
    match (before, now) {
        (None, Some(now)) => format!("+ {}", now.title()),
        (Some(before), None) => format!("- {}", before.title()),
        (Some(before), Some(now)) => {
            let mut differences = Vec::new();
            compare("", &before.value, &now.value, &mut differences);
            let more = differences.len().saturating_sub(MOST_DIFFERENCES);
            differences.truncate(MOST_DIFFERENCES);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("~ {}: {}{more}", now.title(), differences.join(", "))
        }
        (None, None) => String::new(),
    }
}

/// The scalars that differ, but those that always do.
fn compare(path: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before == now || path.ends_with("managedFields") {
        return;
    }
    match (before, now) {
        (Value::Object(old), Value::Object(new)) => {
            let gone = old.keys().filter(|key| !new.contains_key(*key));
            for key in new.keys().chain(gone) {
                let nothing = &Value::Null;
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                compare(&path, old.get(key).unwrap_or(nothing), new.get(key).unwrap_or(nothing), found);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{index}]"), old, new, found);
            }
        }
        _ if path.ends_with("Time") || path.ends_with("Timestamp") && !path.contains("deletion") => {}
        (_, now) => {
            let mut shown = now.to_string();
            if let Some((end, _)) = shown.char_indices().nth(60) {
                shown.truncate(end);
            }
            found.push(format!("{path}={shown}"));
        }
    }
}
