//! The whole state at one moment.

use store::{Expect, Operation, Options, Transaction};

use crate::{Home, create, string, text};

pub async fn a_snapshot_stands_still_while_writes_go_on(home: &dyn Home) {
    let store = home.open(Options::default()).await;
    let rounds = 60_u64;
    for key in ["a", "b"] {
        create(&*store, key, "0").await;
    }
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for round in 1..=rounds {
                let put = |key: &str| Operation::put(key, text(&round.to_string()), Expect::Anything);
                let operations =
                    vec![put("a"), put("b"), Operation::put(format!("c{round}"), text("x"), Expect::Absent)];
                store.commit(Transaction { operations, author: None }).await.unwrap();
            }
        }
    });
    let mut taken = Vec::new();
    let mut revisions = store.revisions();
    while !writer.is_finished() {
        taken.push(store.snapshot().unwrap());
        tokio::select! {
            moved = revisions.changed() => drop(moved.unwrap()),
            () = tokio::task::yield_now() => {}
        }
    }
    writer.await.unwrap();
    taken.push(store.snapshot().unwrap());
    for snapshot in &taken {
        let value = |key: &str| string(&snapshot.get(key).unwrap().value);
        assert_eq!(value("a"), value("b"), "a transaction is in it or not");
        let round: usize = value("a").parse().unwrap();
        assert_eq!(snapshot.len(), round + 2);
        assert!(snapshot.entries().all(|entry| entry.modified <= snapshot.revision()));
        assert!(snapshot.entries().map(|entry| &entry.key).is_sorted());
    }
    assert!(taken.is_sorted_by_key(|snapshot| snapshot.revision()));
    assert_eq!(string(&taken.last().unwrap().get("a").unwrap().value), rounds.to_string());
}
