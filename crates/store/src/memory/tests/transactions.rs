//! All or nothing, at one revision.

use super::*;

#[tokio::test]
async fn a_transaction_happens_wholly_and_at_one_revision() {
    let store = store(Options::default());
    let mut everything = watch(&store, "", 0);
    let first = store.commit(by("ann", vec![put("a", "1"), put("b", "1"), put("c", "1")])).await.unwrap();
    assert_eq!((first.revision, first.entries.len()), (Revision(1), 3));
    let second = by(
        "ben",
        vec![
            put("a", "2"),
            Operation::delete("b", Expect::At(Revision(1))),
            Operation::delete("nothing", Expect::Absent),
            Operation::check("c", Expect::At(Revision(1))),
            Operation::check("d", Expect::Absent),
            Operation::put("e", text("2"), Expect::Absent),
        ],
    );
    let second = store.commit(second).await.unwrap();
    assert_eq!(second.revision, Revision(2));
    let told = second.entries.iter().map(|entry| entry.as_ref().map(|entry| (string(entry), entry.modified.0)));
    let told: Vec<_> = told.map(|entry| entry.map_or("-".to_owned(), |(value, at)| format!("{value}@{at}"))).collect();
    assert_eq!(told, ["2@2", "1@1", "-", "1@1", "-", "2@2"]);
    assert_eq!(
        drain(&mut everything),
        [
            "progress 0",
            "1 ann puts a=1 over -",
            "1 ann puts b=1 over -",
            "1 ann puts c=1 over -",
            "2 ben puts a=2 over 1",
            "2 ben deletes b=1",
            "2 ben puts e=2 over -",
        ]
    );
}

#[tokio::test]
async fn what_is_not_as_expected_stops_all_of_it() {
    let store = store(Options::default());
    store.commit(by("ann", vec![put("a", "1"), put("b", "1")])).await.unwrap();
    let revision = |number| Expect::At(Revision(number));
    // With each operation beside a good one, the key of the conflict, or none.
    for (operation, conflict) in [
        (Operation::check("a", Expect::Absent), Some("a")),
        (Operation::check("a", revision(2)), Some("a")),
        (Operation::check("c", revision(1)), Some("c")),
        (Operation::delete("c", revision(1)), Some("c")),
        (Operation::delete("b", revision(7)), Some("b")),
        (Operation::delete("b", Expect::Absent), Some("b")),
        (Operation::put("a", text("x"), Expect::Absent), Some("a")),
        (Operation::put("c", text("x"), revision(1)), Some("c")),
        (Operation::check("a", Expect::Anything), None),
        (Operation::check("c", Expect::Anything), None),
        (Operation::check("b", revision(1)), None),
    ] {
        let before = store.revision();
        let transaction = by("ben", vec![put("good", "1"), operation.clone()]);
        match (store.commit(transaction).await, conflict) {
            (Ok(committed), None) => assert_eq!(committed.revision, Revision(before.0 + 1), "{operation:?}"),
            (Err(StoreError::Conflict { key, current }), Some(conflict)) => {
                assert_eq!(&*key, conflict);
                assert_eq!(current, store.get(conflict, ReadAt::Newest).await.unwrap());
                assert_eq!(store.revision(), before, "nothing happened");
            }
            (other, _) => panic!("{operation:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn without_effect_it_takes_no_revision() {
    let store = store(Options::default());
    store.commit(by("ann", vec![put("a", "1")])).await.unwrap();
    let mut everything = watch(&store, "", 1);
    let idle = vec![Operation::check("a", Expect::Anything), Operation::delete("b", Expect::Anything)];
    let committed = store.commit(by("ben", idle)).await.unwrap();
    assert_eq!((committed.revision, store.revision()), (Revision(1), Revision(1)));
    assert_eq!(drain(&mut everything), ["progress 1"]);
    let missing = store.delete("b", Expect::Anything).await.unwrap_err();
    assert!(matches!(missing, StoreError::Conflict { current: None, .. }), "{missing:?}");
}

#[tokio::test]
async fn what_may_not_be_is_refused_before_anything_happens() {
    let store = store(Options::default());
    for (operations, expected) in [
        (vec![], "invalid transaction: it has no operations"),
        (vec![put("a", "1"), put("a", "2")], "invalid transaction: it names a key twice"),
        (vec![put("a", "1"), put("a\0b", "2")], "invalid key \"a\\0b\": it contains a NUL"),
        (
            vec![put("a", "1"), Operation::delete("..", Expect::Anything)],
            "invalid key \"..\": it has a segment that means a folder",
        ),
    ] {
        assert_eq!(store.commit(by("ann", operations)).await.unwrap_err().to_string(), expected);
    }
    assert_eq!(store.revision(), Revision(0));
}

#[tokio::test]
async fn a_value_does_not_hold_the_buffer_it_was_cut_from() {
    let store = store(Options::default());
    let buffer = Bytes::from(vec![b'x'; 1 << 20]);
    let entry = store.put("a", buffer.slice(10..20), Expect::Absent).await.unwrap();
    assert_eq!(entry.value, buffer.slice(10..20));
    assert!(buffer.is_unique(), "the store holds a copy of its own");
}
