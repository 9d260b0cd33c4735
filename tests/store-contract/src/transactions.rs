//! All or nothing, at one revision.

use std::sync::Arc;

use store::{Author, Change, Committed, Expect, Operation, Options, ReadAt, Revision, Store, StoreError, Transaction};

use crate::{Home, create, drain, list, read, set, text, watch};

async fn commit(store: &dyn Store, operations: Vec<Operation>) -> Result<Committed, StoreError> {
    store.commit(Transaction { operations, author: None }).await
}

pub async fn a_transaction_happens_at_one_revision(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let old = create(store, "b", "old").await;
    let gone = create(store, "c", "gone").await;
    let mut events = watch(store, "", store.revision()).unwrap();
    let committed = commit(
        store,
        vec![
            Operation::put("a", text("1"), Expect::Absent),
            Operation::put("b", text("2"), Expect::At(old)),
            Operation::delete("c", Expect::At(gone)),
        ],
    )
    .await
    .unwrap();
    let revision = committed.revision;
    assert!(revision > gone);
    let [Some(a), Some(b), Some(c)] = &committed.entries[..] else { panic!("{committed:?}") };
    assert_eq!((a.created, a.modified, b.created, b.modified), (revision, revision, old, revision));
    assert_eq!((c.modified, &*c.key), (gone, "c"));
    let number = revision.0;
    let expected = [
        format!("progress {}", gone.0),
        format!("{number} put a=1 was -"),
        format!("{number} put b=2 was old"),
        format!("{number} delete c was gone"),
    ];
    let mut seen = drain(&mut events);
    seen[1..].sort();
    let mut wanted = expected.to_vec();
    wanted[1..].sort();
    assert_eq!(seen, wanted);
    assert_eq!(list(store, "", ReadAt::Newest).await, [("a".into(), "1".into()), ("b".into(), "2".into())]);
    let before = list(store, "", ReadAt::Exactly(gone)).await;
    assert_eq!(before, [("b".into(), "old".into()), ("c".into(), "gone".into())]);
}

pub async fn a_failing_check_changes_nothing_and_names_the_key(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    create(store, "a", "1").await;
    let b = store.put("b", text("2"), Expect::Absent).await.unwrap();
    let newest = store.revision();
    let attempts = [
        (vec![Operation::put("c", text("3"), Expect::Absent), Operation::check("b", Expect::Absent)], "b"),
        (vec![Operation::delete("a", Expect::Anything), Operation::put("b", text("x"), Expect::Absent)], "b"),
        (
            vec![
                Operation::put("a", text("x"), Expect::Anything),
                Operation::delete("b", Expect::At(Revision(1 << 40))),
            ],
            "b",
        ),
        (vec![Operation::put("a", text("x"), Expect::Anything), Operation::check("z", Expect::At(newest))], "z"),
    ];
    for (operations, culprit) in attempts {
        let refused = commit(store, operations).await.unwrap_err();
        let StoreError::Conflict { key, current } = &refused else { panic!("{refused:?}") };
        assert_eq!(&**key, culprit);
        assert_eq!(current.as_ref(), (culprit == "b").then_some(&b));
    }
    assert_eq!(store.revision(), newest);
    assert_eq!(list(store, "", ReadAt::Newest).await, [("a".into(), "1".into()), ("b".into(), "2".into())]);
}

pub async fn a_check_may_stand_beside_changes(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let guard = store.put("guard", text("g"), Expect::Absent).await.unwrap();
    let operations = vec![
        Operation::check("guard", Expect::At(guard.modified)),
        Operation::check("nothing", Expect::Absent),
        Operation::put("a", text("1"), Expect::Absent),
    ];
    let committed = commit(store, operations).await.unwrap();
    assert_eq!(committed.entries[..2], [Some(guard.clone()), None]);
    assert_eq!(store.get("guard", ReadAt::Newest).await.unwrap(), Some(guard.clone()), "a check leaves no mark");
    set(store, "guard", "h").await;
    let late =
        vec![Operation::check("guard", Expect::At(guard.modified)), Operation::put("b", text("2"), Expect::Absent)];
    let refused = commit(store, late).await.unwrap_err();
    assert!(matches!(&refused, StoreError::Conflict { key, .. } if **key == *"guard"), "{refused:?}");
    assert_eq!(read(store, "b", ReadAt::Newest).await, None);
}

pub async fn what_changes_nothing_takes_no_revision(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let a = store.put("a", text("1"), Expect::Absent).await.unwrap();
    let newest = store.revision();
    let checks = vec![
        Operation::check("a", Expect::Anything),
        Operation::check("b", Expect::Absent),
        Operation::delete("c", Expect::Anything),
        Operation::delete("d", Expect::Absent),
    ];
    let committed = commit(store, checks).await.unwrap();
    assert_eq!(committed, Committed { revision: newest, entries: vec![Some(a), None, None, None] });
    assert_eq!(store.revision(), newest);
    create(store, "c", "x").await;
    let removed = commit(store, vec![Operation::delete("c", Expect::Anything)]).await.unwrap();
    assert!(removed.revision > newest && removed.entries[0].is_some());
}

pub async fn a_transaction_that_makes_no_sense_is_refused(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let newest = store.revision();
    let put = |key: &str| Operation::put(key, text("x"), Expect::Anything);
    let too_many = (0..=store::MAX_OPERATIONS).map(|number| put(&format!("k{number}"))).collect();
    for operations in [vec![], vec![put("a"), Operation::check("a", Expect::Absent)], too_many] {
        let refused = commit(store, operations).await.unwrap_err();
        assert!(matches!(refused, StoreError::InvalidTransaction { .. }), "{refused:?}");
    }
    let bad_second = commit(store, vec![put("a"), put("b/../c")]).await.unwrap_err();
    assert!(matches!(bad_second, StoreError::InvalidKey { .. }), "{bad_second:?}");
    assert_eq!(store.revision(), newest);
    assert_eq!(list(store, "", ReadAt::Newest).await, []);
}

pub async fn large_transactions_are_carried_out(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let count = store::MAX_OPERATIONS;
    let author = Some(Arc::new(Author { user: "jane".into(), manager: "kubectl".into() }));
    let operations = (0..count).map(|number| Operation::put(format!("k/{number:03}"), text("x"), Expect::Absent));
    let committed =
        store.commit(Transaction { operations: operations.collect(), author: author.clone() }).await.unwrap();
    assert_eq!(committed.entries.len(), count);
    let range = store.range(crate::prefix("k/")).await.unwrap();
    assert_eq!(range.entries.len(), count);
    assert!(range.entries.iter().all(|entry| entry.modified == committed.revision));
    let changes = store.changes("k/000").await.unwrap();
    assert!(matches!(&changes[..], [event] if matches!(event.change, Change::Put(_)) && event.author == author));
}
