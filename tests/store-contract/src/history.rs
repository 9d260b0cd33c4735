//! What was, and who changed it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stdx::Clock;
use store::{
    Author, Event, Expect, Operation, Options, RangeRequest, ReadAt, Revision, Store, StoreError, Transaction, put_back,
};

use crate::{Home, create, drain, list, prefix, read, remove, set, text, watch};

pub async fn compaction_keeps_the_present_and_refuses_the_past(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let mut revisions = Vec::new();
    for number in 1..=6 {
        revisions.push(create(store, &format!("k{number}"), "x").await);
    }
    let (past, kept) = (revisions[2], revisions[3]);
    store.compact(kept).await.unwrap();
    store.compact(past).await.unwrap();
    assert_eq!(list(store, "", ReadAt::Newest).await.len(), 6);
    assert_eq!(list(store, "", ReadAt::Exactly(kept)).await.len(), 4);
    assert_eq!(read(store, "k4", ReadAt::Exactly(kept)).await, Some("x".into()));
    let refused = [
        store.range(RangeRequest { at: ReadAt::Exactly(past), ..prefix("") }).await.map(drop).unwrap_err(),
        store.get("k1", ReadAt::Exactly(past)).await.map(drop).unwrap_err(),
        watch(store, "", past).map(drop).unwrap_err(),
    ];
    for error in refused {
        let StoreError::Compacted { requested, oldest } = error else { panic!("{error:?}") };
        assert_eq!((requested, oldest), (past.0, kept.0));
    }
    assert_eq!(drain(&mut watch(store, "", kept).unwrap()).len(), 3);
    set(store, "k1", "y").await;
    assert_eq!(list(store, "", ReadAt::Exactly(kept)).await.len(), 4);
}

fn author(user: &str) -> Option<Arc<Author>> {
    Some(Arc::new(Author { user: user.into(), manager: "kubectl".into() }))
}

async fn write_as(store: &dyn Store, user: &str, operation: Operation) -> Revision {
    store.commit(Transaction { operations: vec![operation], author: author(user) }).await.unwrap().revision
}

fn wall_clock() -> SystemTime {
    Clock::system().now().into()
}

pub async fn history_tells_who_changed_what_and_when(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let began = wall_clock();
    let written = [
        write_as(store, "jane", Operation::put("a", text("1"), Expect::Absent)).await,
        write_as(store, "joe", Operation::put("a", text("2"), Expect::Anything)).await,
        write_as(store, "jim", Operation::delete("a", Expect::Anything)).await,
        set(store, "a", "3").await,
    ];
    write_as(store, "other", Operation::put("ab", text("x"), Expect::Absent)).await;
    let ended = wall_clock();
    let changes = store.changes("a").await.unwrap();
    let seen: Vec<(Revision, Option<Arc<Author>>, Option<String>)> =
        changes.iter().map(|event| (event.revision, event.author.clone(), held(event))).collect();
    let expected = [
        (written[0], author("jane"), Some("1".to_owned())),
        (written[1], author("joe"), Some("2".to_owned())),
        (written[2], author("jim"), None),
        (written[3], None, Some("3".to_owned())),
    ];
    assert_eq!(seen, expected);
    let times: Vec<SystemTime> = changes.iter().map(|event| event.time).collect();
    assert!(times.is_sorted() && times.iter().all(|time| (began..=ended).contains(time)), "{times:?}");
    assert!(store.changes("nothing").await.unwrap().is_empty());
    let watched = drain(&mut watch(store, "a", Revision(written[0].0 - 1)).unwrap());
    assert_eq!(watched.len(), 6, "a watch tells the same: {watched:?}");
}

fn held(event: &Event) -> Option<String> {
    event.current().map(|entry| crate::string(&entry.value))
}

pub async fn an_older_value_is_put_back(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let nothing = create(store, "other", "x").await;
    let first = create(store, "a", "1").await;
    let second = set(store, "a", "2").await;
    let back = put_back(store, "a", first, Expect::At(second), author("jane")).await.unwrap().unwrap();
    assert_eq!((crate::string(&back.value), back.created), ("1".to_owned(), first));
    let refused = put_back(store, "a", second, Expect::At(second), None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Conflict { .. }), "{refused:?}");

    remove(store, "a").await;
    let again = put_back(store, "a", second, Expect::Absent, author("jane")).await.unwrap().unwrap();
    assert_eq!((crate::string(&again.value), again.created), ("2".to_owned(), again.modified));
    let changes = store.changes("a").await.unwrap();
    assert_eq!(changes.last().unwrap().author, author("jane"));

    let gone = put_back(store, "a", nothing, Expect::At(again.modified), None).await.unwrap();
    assert_eq!((gone, read(store, "a", ReadAt::Newest).await), (None, None), "it was not there then");
}

pub async fn the_state_of_an_older_time_can_be_read(home: &dyn Home) {
    let store = &*home.open(Options::default()).await;
    let mut states = Vec::new();
    for number in 0..5 {
        let revision = set(store, "a", &number.to_string()).await;
        let time = store.changes("a").await.unwrap().last().unwrap().time;
        states.push((time, revision));
        // The clock that stamps changes counts in microseconds.
        while wall_clock() <= time + Duration::from_micros(2) {
            tokio::task::yield_now().await;
        }
    }
    for (number, (time, revision)) in states.iter().enumerate() {
        assert_eq!(store.revision_at(*time).unwrap(), *revision);
        assert_eq!(store.revision_at(*time + Duration::from_micros(1)).unwrap(), *revision);
        let then = ReadAt::Exactly(store.revision_at(*time).unwrap());
        assert_eq!(read(store, "a", then).await, Some(number.to_string()));
    }
    assert_eq!(store.revision_at(wall_clock()).unwrap(), store.revision());
    store.compact(states[2].1).await.unwrap();
    let refused = store.revision_at(states[1].0).unwrap_err();
    assert!(matches!(refused, StoreError::Compacted { .. }), "{refused:?}");
    assert_eq!(store.revision_at(states[2].0).unwrap(), states[2].1);
}
