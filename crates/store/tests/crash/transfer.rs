//! Snapshots in files, restores and forks.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use stdx::Ambient;
use store::folder::{TransferError, check, fork, repair, restore, save, snapshot_of};
use store::{
    Action, Embedded, Expect, OpenError, Operation, Options, RangeRequest, ReadAt, Revision, Store, StoreError,
    Transaction, WatchRequest,
};

fn open(folder: &Path) -> Arc<Embedded> {
    // Several logs and snapshots in a test.
    let options = Options { rotate_log_bytes: 30_000, ..Options::default() };
    Embedded::open(folder, options, Ambient::system()).unwrap()
}

async fn write(store: &dyn Store, keys: std::ops::Range<u32>) {
    for number in keys {
        let value = Bytes::from(format!("{number}:{}", "x".repeat(900)));
        store.put(&format!("things/{}", number % 50), value, Expect::Anything).await.unwrap();
    }
}

async fn contents(store: &dyn Store) -> BTreeMap<Arc<str>, Bytes> {
    let range = store.range(RangeRequest::default()).await.unwrap();
    range.entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
}

#[tokio::test]
async fn a_restored_store_tells_its_clients_that_their_revisions_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (original, copy) = (folder.path().join("store"), folder.path().join("copy"));
    let file = folder.path().join("backup");
    let store = open(&original);
    write(&*store, 0..60).await;
    let lease = Action::Put { value: Bytes::from_static(b"1"), lifetime: Some(Duration::from_secs(3600)) };
    let lease = Operation { key: "leases/a".into(), expect: Expect::Absent, action: lease };
    store.commit(Transaction { operations: vec![lease], author: None }).await.unwrap();
    let expected = contents(&*store).await;
    let taken = store.snapshot().unwrap();
    // Written while writes go on.
    write(&*store, 60..120).await;
    let length = save(&taken, &file, &Ambient::system()).unwrap();
    assert_eq!(length, std::fs::metadata(&file).unwrap().len());
    let newest = store.revision();

    let restored = restore(&file, &copy, false, &Ambient::system()).unwrap();
    assert_eq!((restored.snapshot_revision, restored.aside), (Revision(61), None));
    let second = open(&copy);
    assert_eq!(contents(&*second).await, expected);
    assert_eq!(second.snapshot().unwrap().leases().map(|(key, _)| key.to_owned()).collect::<Vec<_>>(), ["leases/a"]);
    assert!(second.revision() > Revision(newest.0 + 1_000_000));
    // Revisions that were before the snapshot, at it, and after it.
    for known in [Revision(30), Revision(61), newest] {
        let watch = second.watch(WatchRequest { after: known, ..WatchRequest::default() });
        assert!(matches!(watch.err(), Some(StoreError::Compacted { .. })));
        let request = RangeRequest { at: ReadAt::Exactly(known), ..RangeRequest::default() };
        assert!(matches!(second.range(request).await, Err(StoreError::Compacted { .. })));
    }
    write(&*second, 0..5).await;
    let before = second.revision();
    let seen = contents(&*second).await;
    drop(second);

    let refused = restore(&file, &copy, false, &Ambient::system()).unwrap_err();
    assert!(matches!(&refused, TransferError::Occupied { .. }), "{refused}");
    let restored = restore(&file, &copy, true, &Ambient::system()).unwrap();
    let aside = restored.aside.unwrap();
    let second = open(&copy);
    assert_eq!(contents(&*second).await, expected);
    assert!(second.revision() > before, "revisions do not go back, whatever is restored");
    let moved = open(&aside);
    assert_eq!((contents(&*moved).await, moved.revision()), (seen, before), "what was there is a store still");
}

#[tokio::test]
async fn a_damaged_snapshot_file_is_refused_and_nothing_touched() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("backup");
    let store = open(&folder.path().join("store"));
    write(&*store, 0..10).await;
    save(&store.snapshot().unwrap(), &file, &Ambient::system()).unwrap();
    let good = std::fs::read(&file).unwrap();
    let target = folder.path().join("target");
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    for bad in [&flipped[..], &good[..good.len() - 40], b"a letter to somebody, which is long"] {
        std::fs::write(&file, bad).unwrap();
        let error = restore(&file, &target, false, &Ambient::system()).unwrap_err();
        let is_named = matches!(
            &error,
            TransferError::Store(OpenError::Damaged { path, .. } | OpenError::Foreign { path }) if *path == file
        );
        assert!(is_named, "{error}");
        assert!(!target.exists());
    }
}

#[tokio::test]
async fn a_fork_shares_what_does_not_change_and_goes_its_own_way() {
    let folder = tempfile::tempdir().unwrap();
    let (original, copy) = (folder.path().join("store"), folder.path().join("fork"));
    let store = open(&original);
    write(&*store, 0..200).await;
    let expected = contents(&*store).await;

    let forked = fork(&original, &copy).unwrap();
    assert_eq!(forked.contents.revision, store.revision());
    assert!(forked.shared_bytes > 0, "{forked:?}");
    let links =
        std::fs::read_dir(&copy).unwrap().filter(|entry| entry.as_ref().unwrap().metadata().unwrap().nlink() > 1);
    assert!(links.count() > 0, "files are shared");
    assert!(matches!(fork(&original, &copy), Err(TransferError::Exists { .. })));

    let second = open(&copy);
    assert_eq!(contents(&*second).await, expected);
    write(&*second, 1000..1300).await;
    write(&*store, 200..203).await;
    drop(second);
    let first = contents(&*store).await;
    drop(store);
    assert_eq!(contents(&*open(&original)).await, first, "the fork changes nothing here");
    assert_ne!(contents(&*open(&copy)).await, first);
}

/// Looking at a store that is written to, rotated and snapshotted all the time finds it whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_in_use_is_checked_saved_and_forked_beside_its_server() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("store");
    let store = open(&original);
    write(&*store, 0..5).await;
    let writing = tokio::spawn({
        let store = store.clone();
        async move { write(&*store, 5..1500).await }
    });
    let mut last = Revision(0);
    let mut rounds = 0;
    while !writing.is_finished() || rounds == 0 {
        let report = check(&original).unwrap();
        assert_eq!(report.holder, Some(std::process::id().to_string()));
        assert_eq!(report.damage, []);
        let revision = snapshot_of(&original).unwrap().revision();
        assert!(revision >= last);
        let copy = folder.path().join(format!("fork-{rounds}"));
        last = fork(&original, &copy).unwrap().contents.revision;
        assert!(last >= revision);
        assert_eq!(open(&copy).revision(), last);
        rounds += 1;
    }
    writing.await.unwrap();
    let error = repair(&original, Options::default(), &Ambient::system()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error}");
}
