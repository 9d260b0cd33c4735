//! What a DELETE does to an object: a plan, made without touching anything.

use jiff::{SignedDuration, Timestamp};
use registry::{Kind, Object};
use serde_json::Value;

use crate::metadata;

/// What the client wants of a deletion (`metav1.DeleteOptions`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteOptions {
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) dry_run: bool,
}

/// What becomes of the objects that depend on the deleted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Orphan,
    Background,
    Foreground,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plan {
    /// Nothing holds the object.
    Remove,
    /// The object stays, marked so that its holders let go.
    Mark(Object),
    /// The deletion is under way already.
    Nothing,
}

const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

pub(crate) fn plan(kind: &Kind, object: &Object, options: &DeleteOptions, now: Timestamp) -> Plan {
    let mut marked = object.clone();
    let finalizers_changed = set_finalizers(kind, &mut marked, options.propagation);
    let grace = kind.rules.grace_period_seconds(object, options.grace_period_seconds);
    if metadata::is_deleting(object) {
        let pending = grace_pending(object);
        if pending > 0 && grace < pending {
            shorten(&mut marked, pending, grace);
        } else if pending > 0 || (is_held(kind, &marked) && !finalizers_changed) {
            return Plan::Nothing;
        }
    } else {
        mark(kind, &mut marked, grace, now);
    }
    if is_complete(kind, &marked) { Plan::Remove } else { Plan::Mark(marked) }
}

/// Whether nothing holds a marked object any more: an update that leads here removes it.
pub(crate) fn is_complete(kind: &Kind, object: &Object) -> bool {
    metadata::is_deleting(object) && grace_pending(object) == 0 && !is_held(kind, object)
}

fn is_held(kind: &Kind, object: &Object) -> bool {
    metadata::finalizers(object).next().is_some() || kind.rules.holds_deletion(object)
}

fn grace_pending(object: &Object) -> i64 {
    let seconds = object.get("metadata").and_then(|metadata| metadata.get("deletionGracePeriodSeconds"));
    seconds.and_then(Value::as_i64).unwrap_or(0)
}

fn mark(kind: &Kind, object: &mut Object, grace: i64, now: Timestamp) {
    let ends = now.checked_add(SignedDuration::from_secs(grace)).unwrap_or(Timestamp::MAX);
    let metadata = metadata::of(object);
    metadata.insert("deletionTimestamp".to_owned(), Value::from(ends.to_string()));
    metadata.insert("deletionGracePeriodSeconds".to_owned(), Value::from(grace));
    if kind.rules.tracks_generation() {
        metadata::bump_generation(object);
    }
    kind.rules.begin_deletion(object);
}

fn shorten(object: &mut Object, pending: i64, grace: i64) {
    let ends: Option<Timestamp> = metadata::text(object, "deletionTimestamp").parse().ok();
    let sooner = ends.and_then(|ends| ends.checked_add(SignedDuration::from_secs(grace - pending)).ok());
    let metadata = metadata::of(object);
    if let Some(sooner) = sooner {
        metadata.insert("deletionTimestamp".to_owned(), Value::from(sooner.to_string()));
    }
    metadata.insert("deletionGracePeriodSeconds".to_owned(), Value::from(grace));
}

/// Turns the propagation policy into the finalizers the garbage collector works by.
fn set_finalizers(kind: &Kind, object: &mut Object, propagation: Option<Propagation>) -> bool {
    let before: Vec<String> = metadata::finalizers(object).map(str::to_owned).collect();
    let has = |name: &str| before.iter().any(|finalizer| finalizer == name);
    let (orphan, foreground) = match propagation {
        Some(Propagation::Orphan) => (true, false),
        Some(Propagation::Foreground) => (false, true),
        Some(Propagation::Background) => (false, false),
        None if has(ORPHAN) || has(FOREGROUND) => (has(ORPHAN), has(FOREGROUND)),
        None => (kind.rules.orphans_by_default(), false),
    };
    let mut after: Vec<String> = before.iter().filter(|name| *name != ORPHAN && *name != FOREGROUND).cloned().collect();
    if orphan {
        after.push(ORPHAN.to_owned());
    }
    if foreground {
        after.push(FOREGROUND.to_owned());
    }
    if after == before {
        return false;
    }
    let metadata = metadata::of(object);
    if after.is_empty() {
        metadata.remove("finalizers");
    } else {
        metadata.insert("finalizers".to_owned(), Value::from(after));
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Object {
        let Value::Object(object) = value else { panic!("an object") };
        object
    }

    fn describe(kind: &Kind, subject: Value, options: &DeleteOptions) -> String {
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        match plan(kind, &object(subject), options, now) {
            Plan::Remove => "remove".to_owned(),
            Plan::Nothing => "nothing".to_owned(),
            Plan::Mark(marked) => {
                let finalizers: Vec<&str> = metadata::finalizers(&marked).collect();
                let ends = metadata::text(&marked, "deletionTimestamp");
                format!("mark {ends} {} {finalizers:?}", grace_pending(&marked))
            }
        }
    }

    #[test]
    fn a_plain_object_goes_at_once_and_finalizers_hold_it() {
        let kind = crate::kinds::find("", "v1", "configmaps").unwrap();
        let plain = json!({"metadata": {"name": "a"}});
        let held = json!({"metadata": {"name": "a", "finalizers": ["example.com/x"]}});
        let deleting = json!({"metadata": {"name": "a", "finalizers": ["example.com/x"],
            "deletionTimestamp": "2029-12-31T00:00:00Z", "deletionGracePeriodSeconds": 0}});
        let none = DeleteOptions::default();
        let policy = |propagation| DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
        assert_eq!(describe(kind, plain.clone(), &none), "remove");
        assert_eq!(describe(kind, held, &none), r#"mark 2030-01-01T00:00:00Z 0 ["example.com/x"]"#);
        assert_eq!(describe(kind, deleting.clone(), &none), "nothing");
        assert_eq!(
            describe(kind, plain.clone(), &policy(Propagation::Foreground)),
            r#"mark 2030-01-01T00:00:00Z 0 ["foregroundDeletion"]"#
        );
        assert_eq!(describe(kind, plain, &policy(Propagation::Orphan)), r#"mark 2030-01-01T00:00:00Z 0 ["orphan"]"#);
        assert_eq!(
            describe(kind, deleting, &policy(Propagation::Foreground)),
            r#"mark 2029-12-31T00:00:00Z 0 ["example.com/x", "foregroundDeletion"]"#
        );
    }

    #[test]
    fn a_pod_on_a_node_is_given_time_to_end() {
        let kind = crate::kinds::find("", "v1", "pods").unwrap();
        let spec = json!({"nodeName": "n", "terminationGracePeriodSeconds": 30});
        let running = json!({"metadata": {"name": "a"}, "spec": spec.clone()});
        let pending = json!({"metadata": {"name": "a"}, "spec": {"terminationGracePeriodSeconds": 30}});
        let ending = json!({"metadata": {"name": "a", "deletionTimestamp": "2030-01-01T00:00:20Z",
            "deletionGracePeriodSeconds": 30}, "spec": spec});
        let grace = |seconds| DeleteOptions { grace_period_seconds: Some(seconds), ..DeleteOptions::default() };
        let none = DeleteOptions::default();
        assert_eq!(describe(kind, running.clone(), &none), "mark 2030-01-01T00:00:30Z 30 []");
        assert_eq!(describe(kind, running.clone(), &grace(5)), "mark 2030-01-01T00:00:05Z 5 []");
        assert_eq!(describe(kind, running, &grace(0)), "remove");
        assert_eq!(describe(kind, pending, &none), "remove");
        assert_eq!(describe(kind, ending.clone(), &none), "nothing");
        assert_eq!(describe(kind, ending.clone(), &grace(10)), "mark 2030-01-01T00:00:00Z 10 []");
        assert_eq!(describe(kind, ending, &grace(0)), "remove");
    }
}
