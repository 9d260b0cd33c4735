//! The checker against histories whose verdict is known, and against the exponential search.

use std::time::SystemTime;

use stdx::Random;

use super::*;

fn bytes(value: &str) -> Bytes {
    Bytes::copy_from_slice(value.as_bytes())
}

/// A store of a few lines that says what it does: the specification.
#[derive(Clone, Default)]
struct Specification {
    state: BTreeMap<Arc<str>, Entry>,
    revision: u64,
    events: Vec<Arc<Event>>,
}

impl Specification {
    fn get(&self, key: &str) -> Outcome {
        Outcome::Got { key: key.into(), entry: self.state.get(key).cloned() }
    }

    fn list(&self, prefix: &str) -> Outcome {
        let entries = self.state.values().filter(|entry| entry.key.starts_with(prefix)).cloned().collect();
        let range = Range { revision: Revision(self.revision), entries, remaining: 0 };
        Outcome::Listed { prefix: prefix.into(), range }
    }

    fn commit(&mut self, operations: Vec<Operation>) -> Outcome {
        let refused = operations.iter().find(|operation| !holds(operation.expect, self.state.get(&operation.key)));
        if let Some(key) = refused.map(|operation| operation.key.clone()) {
            return Outcome::Conflicted { operations, current: self.state.get(&key).cloned(), key };
        }
        let revision = Revision(self.revision + 1);
        let mut entries = Vec::new();
        for operation in &operations {
            let previous = self.state.get(&operation.key).cloned();
            let mut happened = |change| {
                let previous = previous.clone();
                let event = Event { revision, change, previous, time: SystemTime::UNIX_EPOCH, author: None };
                self.events.push(Arc::new(event));
                self.revision = revision.0;
            };
            match &operation.action {
                Action::Put { value, .. } => {
                    let created = previous.as_ref().map_or(revision, |previous| previous.created);
                    let (key, value) = (operation.key.clone(), value.clone());
                    let entry = Entry { key: key.clone(), value, created, modified: revision };
                    happened(Change::Put(entry.clone()));
                    self.state.insert(key, entry.clone());
                    entries.push(Some(entry));
                }
                Action::Delete => {
                    if previous.is_some() {
                        happened(Change::Delete { key: operation.key.clone() });
                        self.state.remove(&operation.key);
                    }
                    entries.push(previous);
                }
                Action::Check => entries.push(previous),
            }
        }
        Outcome::Committed { operations, committed: Committed { revision: Revision(self.revision), entries } }
    }
}

fn put(key: &str, value: &str, expect: Expect) -> Vec<Operation> {
    vec![Operation::put(key, bytes(value), expect)]
}

fn call(invoked: u64, returned: u64, outcome: Outcome) -> Call {
    Call { invoked, returned, outcome }
}

#[test]
fn overlapping_calls_may_take_place_in_either_order() {
    let mut store = Specification::default();
    let before = store.get("a");
    let write = store.commit(put("a", "1", Expect::Absent));
    let after = store.get("a");
    let during = [call(1, 10, write), call(2, 4, before), call(3, 5, after)];
    assert_eq!(check(&during, &store.events), Ok(()));
}

#[test]
fn a_read_that_goes_back_is_found() {
    let mut store = Specification::default();
    let before = store.get("a");
    let write = store.commit(put("a", "1", Expect::Absent));
    let after = store.get("a");
    // The write lasts; one reader sees it, and a later one does not.
    let back = [call(1, 10, write.clone()), call(2, 3, after.clone()), call(4, 5, before.clone())];
    assert_eq!(check(&back, &store.events), Err(Violation::Stale { call: 2 }));
    let stale = [call(1, 2, write.clone()), call(3, 4, before)];
    assert_eq!(check(&stale, &store.events), Err(Violation::Stale { call: 1 }));
    let early = [call(3, 4, write), call(1, 2, after)];
    assert_eq!(check(&early, &store.events), Err(Violation::Stale { call: 1 }));
}

#[test]
fn two_keys_must_agree_on_one_order() {
    let mut store = Specification::default();
    let (no_a, no_b) = (store.get("a"), store.get("b"));
    let write_a = store.commit(put("a", "1", Expect::Absent));
    let write_b = store.commit(put("b", "1", Expect::Absent));
    let (a, b) = (store.get("a"), store.get("b"));
    // One client sees a without b, the other b without a. Each key by itself is in order.
    let fork =
        [call(1, 20, write_a), call(1, 20, write_b), call(2, 3, a), call(4, 5, no_b), call(2, 3, b), call(4, 5, no_a)];
    let verdict = check(&fork, &store.events);
    assert!(matches!(verdict, Err(Violation::Stale { .. })), "{verdict:?}");
    assert_eq!(check(&fork[..4], &store.events), Ok(()), "the first client alone is right");
}

#[test]
fn a_transaction_is_seen_whole_or_not() {
    let mut store = Specification::default();
    let both = [put("k/a", "1", Expect::Absent), put("k/b", "1", Expect::Absent)].concat();
    let write = store.commit(both);
    let Outcome::Listed { prefix, mut range } = store.list("k/") else { unreachable!() };
    let whole = call(3, 4, Outcome::Listed { prefix: prefix.clone(), range: range.clone() });
    assert_eq!(check(&[call(1, 2, write.clone()), whole], &store.events), Ok(()));
    range.entries.pop();
    let torn = check(&[call(1, 2, write), call(3, 4, Outcome::Listed { prefix, range })], &store.events);
    assert!(matches!(torn, Err(Violation::WrongAnswer { call: 1, .. })), "{torn:?}");
}

#[test]
fn lost_and_invented_writes_are_found() {
    let mut store = Specification::default();
    let first = store.commit(put("a", "1", Expect::Absent));
    let events = store.events.clone();
    let second = store.commit(put("b", "2", Expect::Absent));
    let calls = [call(1, 2, first), call(3, 4, second)];
    assert_eq!(check(&calls, &store.events), Ok(()));
    assert_eq!(check(&calls, &events), Err(Violation::Lost { call: 1, revision: 2 }));
    assert_eq!(check(&calls[..1], &store.events), Err(Violation::Unexplained { at: 2 }));
    let reversed = [call(3, 4, calls[0].outcome.clone()), call(1, 2, calls[1].outcome.clone())];
    assert_eq!(check(&reversed, &store.events), Err(Violation::OutOfOrder { call: 1 }));
}

#[test]
fn two_writers_cannot_both_have_replaced_the_same() {
    let mut store = Specification::default();
    let create = store.commit(put("a", "0", Expect::Absent));
    let Outcome::Committed { committed, .. } = &create else { unreachable!() };
    let at = Expect::At(committed.revision);
    let winner = store.commit(put("a", "1", at));
    // A broken store lets the second one through as well.
    let second = store.commit(put("a", "2", Expect::Anything));
    let Outcome::Committed { mut operations, committed } = second else { unreachable!() };
    operations[0].expect = at;
    let loser = Outcome::Committed { operations, committed };
    let verdict = check(&[call(1, 2, create), call(3, 5, winner), call(4, 6, loser)], &store.events);
    assert!(matches!(verdict, Err(Violation::WrongAnswer { call: 2, .. })), "{verdict:?}");
}

#[test]
fn a_refusal_needs_a_reason() {
    let mut store = Specification::default();
    let create = store.commit(put("a", "0", Expect::Absent));
    let refused = store.commit(put("a", "1", Expect::Absent));
    assert_eq!(check(&[call(1, 2, create.clone()), call(3, 4, refused.clone())], &store.events), Ok(()));
    let early = check(&[call(3, 4, create), call(1, 2, refused)], &store.events);
    assert_eq!(early, Err(Violation::Stale { call: 1 }));
}

#[test]
fn what_nobody_knows_may_have_happened_or_not() {
    let mut store = Specification::default();
    let unknown = |operations| Outcome::Unknown { operations };
    let before = store.get("a");
    let calls = [call(1, 2, unknown(put("a", "1", Expect::Absent))), call(3, 4, before.clone())];
    assert_eq!(check(&calls, &[]), Ok(()), "it did not");
    store.commit(put("a", "1", Expect::Absent));
    assert_eq!(check(&calls, &store.events), Ok(()), "it did, late");
    let seen = [calls[0].clone(), call(3, 4, store.get("a")), call(5, 6, before)];
    assert_eq!(check(&seen, &store.events), Err(Violation::Stale { call: 2 }), "it does not come undone");
    let not_yet = [call(5, 6, unknown(put("a", "1", Expect::Absent))), call(1, 2, store.get("a"))];
    assert_eq!(check(&not_yet, &store.events), Err(Violation::Stale { call: 1 }), "nor before it was asked for");
}

/// Tries every order that the clock allows.
fn search(calls: &[Call], done: &mut Vec<bool>, store: &Specification, events: &[Arc<Event>]) -> bool {
    if done.iter().all(|done| *done) {
        return store.events.len() == events.len();
    }
    (0..calls.len()).any(|next| {
        let may_be_next =
            !done[next] && (0..calls.len()).all(|other| done[other] || calls[other].returned >= calls[next].invoked);
        if !may_be_next {
            return false;
        }
        let mut after = store.clone();
        let answer = match &calls[next].outcome {
            Outcome::Got { key, .. } => after.get(key),
            Outcome::Listed { prefix, .. } => after.list(prefix),
            Outcome::Committed { operations, .. } | Outcome::Conflicted { operations, .. } => {
                after.commit(operations.clone())
            }
            Outcome::Unknown { .. } => unreachable!("not generated"),
        };
        if format!("{answer:?}") != format!("{:?}", calls[next].outcome) {
            return false;
        }
        done[next] = true;
        let found = search(calls, done, &after, events);
        done[next] = false;
        found
    })
}

/// A few calls that take effect one after the other, with intervals around those moments that may be too narrow.
fn random_history(random: &Random) -> (Vec<Call>, Vec<Arc<Event>>) {
    let mut store = Specification::default();
    let mut calls = Vec::new();
    let count = 3 + random.below(5);
    let key = |random: &Random| ["k/a", "k/b"][random.below(2) as usize];
    for step in 0..count {
        let expect = match random.below(3) {
            0 => Expect::Absent,
            1 => Expect::At(Revision(store.revision)),
            _ => Expect::Anything,
        };
        let value = step.to_string();
        let outcome = match random.below(7) {
            0 | 1 => store.get(key(random)),
            2 => store.list("k/"),
            3 => store.commit(vec![Operation::delete(key(random), expect)]),
            4 => {
                let second = Operation::put("k/b", bytes(&value), Expect::Anything);
                store.commit([put("k/a", &value, expect), vec![second]].concat())
            }
            _ => store.commit(put(key(random), &value, expect)),
        };
        let invoked = 100 + step * 10 + random.below(50) - random.below(60);
        calls.push(call(invoked, invoked + 1 + random.below(40), outcome));
    }
    (calls, store.events)
}

#[test]
fn the_verdict_is_that_of_the_exponential_search() {
    let random = Random::seeded(20);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..4000 {
        let (calls, events) = random_history(&random);
        let verdict = check(&calls, &events);
        let found = search(&calls, &mut vec![false; calls.len()], &Specification::default(), &events);
        assert_eq!(verdict.is_ok(), found, "{verdict:?} of {calls:#?}");
        if found { good += 1 } else { bad += 1 }
    }
    assert!(good > 400 && bad > 400, "{good} good and {bad} bad histories say little");
}
