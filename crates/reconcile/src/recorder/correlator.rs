//! Folds repeats into one event with a count, and keeps a noisy object from flooding the store.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use api::k8s::api::core::v1::ObjectReference;
use api::k8s::jiff::Timestamp;
use tokio::time::Instant;

use super::EventType;

/// How many objects, and how many distinct events, are remembered.
const MEMORY: usize = 4096;
/// Per object: so many events at once, then one every five minutes.
const BURST: u32 = 25;
const REFILL: Duration = Duration::from_secs(300);
/// So many like events, differing in their message alone, are told apart within ten minutes.
const DISTINCT_MESSAGES: usize = 10;
const SIMILAR_WINDOW: Duration = Duration::from_secs(600);

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub(super) about: ObjectReference,
    pub(super) r#type: EventType,
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) at: Timestamp,
}

/// What makes two occurrences the same event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Identity {
    group: Group,
    message: String,
}

/// What makes two events similar: all but the message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    object: Object,
    r#type: EventType,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: String,
    namespace: String,
    name: String,
    uid: String,
    field_path: String,
}

/// What to do with an occurrence.
#[derive(Debug)]
pub(super) enum Verdict {
    Drop,
    New { occurrence: Occurrence, identity: Identity },
    Repeat { name: String, count: i32, occurrence: Occurrence, identity: Identity },
}

#[derive(Default)]
pub(super) struct Correlator {
    budgets: BTreeMap<Object, Budget>,
    similar: BTreeMap<Group, Similar>,
    written: BTreeMap<Identity, Written>,
}

struct Budget {
    tokens: u32,
    refilled: Instant,
}

struct Similar {
    messages: BTreeSet<String>,
    last: Instant,
}

struct Written {
    name: String,
    count: i32,
    last: Instant,
}

impl Correlator {
    pub(super) fn observe(&mut self, mut occurrence: Occurrence, now: Instant) -> Verdict {
        let group = group_of(&occurrence);
        if !self.spend(&group.object, now) {
            return Verdict::Drop;
        }
        let message = if self.is_one_of_many(&group, &occurrence.message, now) {
            occurrence.message = format!("(combined from similar events): {}", occurrence.message);
            String::new()
        } else {
            occurrence.message.clone()
        };
        let identity = Identity { group, message };
        match self.written.get_mut(&identity) {
            Some(written) => {
                written.count = written.count.saturating_add(1);
                written.last = now;
                Verdict::Repeat { name: written.name.clone(), count: written.count, occurrence, identity }
            }
            None => {
                make_room(&mut self.written, |written| written.last);
                let written = Written { name: String::new(), count: 0, last: now };
                self.written.insert(identity.clone(), written);
                Verdict::New { occurrence, identity }
            }
        }
    }

    /// The event exists under this name; repeats are counted on it.
    pub(super) fn written(&mut self, identity: Identity, name: String) {
        if let Some(written) = self.written.get_mut(&identity) {
            written.name = name;
            written.count = written.count.max(1);
        }
    }

    fn spend(&mut self, object: &Object, now: Instant) -> bool {
        if !self.budgets.contains_key(object) {
            make_room(&mut self.budgets, |budget| budget.refilled);
        }
        let budget = self.budgets.entry(object.clone()).or_insert(Budget { tokens: BURST, refilled: now });
        while budget.tokens < BURST && now.duration_since(budget.refilled) >= REFILL {
            budget.tokens += 1;
            budget.refilled += REFILL;
        }
        if budget.tokens == BURST {
            budget.refilled = now;
        }
        let has_token = budget.tokens > 0;
        budget.tokens = budget.tokens.saturating_sub(1);
        has_token
    }

    fn is_one_of_many(&mut self, group: &Group, message: &str, now: Instant) -> bool {
        if !self.similar.contains_key(group) {
            make_room(&mut self.similar, |similar| similar.last);
        }
        let similar =
            self.similar.entry(group.clone()).or_insert_with(|| Similar { messages: BTreeSet::new(), last: now });
        if now.duration_since(similar.last) > SIMILAR_WINDOW {
            similar.messages.clear();
        }
        similar.last = now;
        if similar.messages.len() < DISTINCT_MESSAGES {
            similar.messages.insert(message.to_owned());
            return false;
        }
        !similar.messages.contains(message)
    }
}

fn group_of(occurrence: &Occurrence) -> Group {
    let about = &occurrence.about;
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    Group {
        object: Object {
            kind: text(&about.kind),
            namespace: text(&about.namespace),
            name: text(&about.name),
            uid: text(&about.uid),
            field_path: text(&about.field_path),
        },
        r#type: occurrence.r#type,
        reason: occurrence.reason.clone(),
    }
}

/// Forgets the older half of a full map. Rare, so a full pass is cheap enough.
fn make_room<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, last: impl Fn(&V) -> Instant) {
    if map.len() < MEMORY {
        return;
    }
    let mut times: Vec<Instant> = map.values().map(&last).collect();
    times.sort_unstable();
    let middle = times[times.len() / 2];
    let mut excess = map.len() / 2;
    map.retain(|_, value| {
        let forget = excess > 0 && last(value) <= middle;
        excess -= usize::from(forget);
        !forget
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn occurrence(object: &str, message: &str) -> Occurrence {
        Occurrence {
            about: ObjectReference { name: Some(object.into()), ..ObjectReference::default() },
            r#type: EventType::Normal,
            reason: "Pulled".into(),
            message: message.into(),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    fn observe(correlator: &mut Correlator, object: &str, message: &str) -> String {
        match correlator.observe(occurrence(object, message), Instant::now()) {
            Verdict::Drop => "drop".into(),
            Verdict::New { occurrence, identity } => {
                correlator.written(identity, "event".into());
                format!("new {}", occurrence.message)
            }
            Verdict::Repeat { count, occurrence, .. } => format!("{count} {}", occurrence.message),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn repeats_are_counted_and_floods_are_cut() {
        let mut correlator = Correlator::default();
        assert_eq!(observe(&mut correlator, "web", "pulled"), "new pulled");
        assert_eq!(observe(&mut correlator, "web", "pulled"), "2 pulled");
        assert_eq!(observe(&mut correlator, "db", "pulled"), "new pulled");
        for _ in 2..25 {
            assert_ne!(observe(&mut correlator, "web", "pulled"), "drop");
        }
        assert_eq!(observe(&mut correlator, "web", "pulled"), "drop");
        tokio::time::advance(REFILL).await;
        assert_eq!(observe(&mut correlator, "web", "pulled"), "26 pulled");
        assert_eq!(observe(&mut correlator, "web", "pulled"), "drop");
    }

    #[tokio::test(start_paused = true)]
    async fn many_similar_events_become_one() {
        let mut correlator = Correlator::default();
        for number in 0..10 {
            assert_eq!(observe(&mut correlator, "web", &number.to_string()), format!("new {number}"));
        }
        assert_eq!(observe(&mut correlator, "web", "11"), "new (combined from similar events): 11");
        assert_eq!(observe(&mut correlator, "web", "12"), "2 (combined from similar events): 12");
        assert_eq!(observe(&mut correlator, "web", "3"), "2 3");
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded() {
        let mut correlator = Correlator::default();
        for number in 0..3 * MEMORY {
            observe(&mut correlator, &number.to_string(), "pulled");
        }
        assert!(correlator.written.len() <= MEMORY && correlator.budgets.len() <= MEMORY);
        assert!(correlator.similar.len() <= MEMORY);
    }
}
