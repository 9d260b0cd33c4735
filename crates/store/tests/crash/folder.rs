//! The folder itself: its lock, its formats, its files.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use stdx::Ambient;
use store::{Embedded, Expect, OpenError, Options, ReadAt, Revision, Store, StoreError, WatchItem, WatchRequest};

fn open(folder: &Path) -> Result<Arc<Embedded>, OpenError> {
    Embedded::open(folder, Options::default(), Ambient::system())
}

fn only_log(folder: &Path) -> std::path::PathBuf {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names.into_iter().find(|path| path.to_string_lossy().contains("/log-")).unwrap()
}

#[test]
fn a_folder_has_one_user_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(error.contains(&format!("in use by process {};", std::process::id())), "{error}");
    drop(first);
    open(folder.path()).unwrap();
}

#[tokio::test]
async fn other_formats_are_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    store.put("a", Bytes::from_static(b"1"), Expect::Absent).await.unwrap();
    drop(store);
    let log = only_log(folder.path());
    let good = std::fs::read(&log).unwrap();

    let mut newer = good.clone();
    newer[12] = 9;
    let checksum = crc32fast::hash(&newer[..28]).to_le_bytes();
    newer[28..32].copy_from_slice(&checksum);
    std::fs::write(&log, &newer).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, OpenError::NewerFormat { found: 9, supported: 2, .. }), "{error}");
    assert_eq!(std::fs::read(&log).unwrap(), newer);

    std::fs::write(&log, "a letter to somebody").unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, OpenError::Foreign { path } if *path == log), "{error}");

    std::fs::write(&log, &good).unwrap();
    open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_missing_log_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { rotate_log_bytes: 100, ..Options::default() };
    let store = Embedded::open(folder.path(), options, Ambient::system()).unwrap();
    for number in 0..20 {
        store.put(&format!("k{number}"), Bytes::from(vec![1; 100]), Expect::Absent).await.unwrap();
    }
    drop(store);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("/snapshot-") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let error = open(folder.path()).unwrap_err().to_string();
    assert!(error.contains("is missing"), "{error}");
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening_and_watches_resume() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    let mut watch = store.watch(WatchRequest::default()).unwrap();
    let first = store.put("a", Bytes::from_static(b"1"), Expect::Absent).await.unwrap();
    let second = store.put("a", Bytes::from_static(b"2"), Expect::At(first.modified)).await.unwrap();
    drop(store);
    let mut ended = None;
    while let Some(item) = watch.next().await {
        ended = Some(item);
    }
    assert!(matches!(ended, Some(Err(StoreError::Closed))), "{ended:?}");

    let store = open(folder.path()).unwrap();
    assert_eq!(store.get("a", ReadAt::Newest).await.unwrap(), Some(second));
    let mut watch = store.watch(WatchRequest { after: first.modified, ..WatchRequest::default() }).unwrap();
    let Some(Ok(WatchItem::Event(event))) = watch.next().await else { panic!("the watch resumes") };
    assert_eq!((event.revision, event.previous.as_ref()), (Revision(2), Some(&first)));
}
