//! The folder itself: its lock, its formats, its files.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use stdx::Ambient;
use store::{
    Embedded, Expect, OpenError, Options, RangeRequest, ReadAt, Revision, Store, StoreError, WatchItem, WatchRequest,
};

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

/// Bytes of version 1 of the format, as the program that wrote it laid them out.
mod version_1 {
    fn checksum(salt: u32, bytes: &[u8]) -> [u8; 4] {
        let mut hasher = crc32fast::Hasher::new_with_initial(salt);
        hasher.update(bytes);
        hasher.finalize().to_le_bytes()
    }

    pub(super) fn header(kind: u8, salt: u32, revision: u64) -> Vec<u8> {
        let mut bytes = b"pintlest".to_vec();
        bytes.extend([kind, 0, 0, 0, 1, 0, 0, 0]);
        bytes.extend(salt.to_le_bytes());
        bytes.extend(revision.to_le_bytes());
        bytes.extend(checksum(0, &bytes.clone()));
        bytes
    }

    pub(super) fn frame(kind: u8, salt: u32, count: u32, revision: u64, payload: &[u8]) -> Vec<u8> {
        let mut bytes = b"frme".to_vec();
        bytes.extend([kind, 0, 0, 0]);
        bytes.extend(count.to_le_bytes());
        bytes.extend((payload.len() as u32).to_le_bytes());
        bytes.extend(revision.to_le_bytes());
        bytes.extend(checksum(salt, payload));
        bytes.extend(checksum(salt, &bytes.clone()));
        bytes.extend(payload);
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        bytes
    }

    pub(super) fn text(key: &str) -> Vec<u8> {
        [&(key.len() as u16).to_le_bytes(), key.as_bytes()].concat()
    }

    pub(super) fn value(value: &str) -> Vec<u8> {
        [&(value.len() as u32).to_le_bytes(), value.as_bytes()].concat()
    }

    pub(super) fn put(key: &str, written: &str) -> Vec<u8> {
        [vec![1], text(key), value(written)].concat()
    }

    pub(super) fn delete(key: &str) -> Vec<u8> {
        [vec![2], text(key)].concat()
    }
}

#[tokio::test]
async fn an_upgrade_reads_the_older_format_and_goes_on_from_there() {
    use version_1::{delete, frame, header, put, text, value};
    let folder = tempfile::tempdir().unwrap();
    // A snapshot of revision 3: "a" as of revision 1, then two changes; a log with the two behind them.
    let entry = [1_u64.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec(), text("a"), value("one")].concat();
    let snapshot = [
        header(b'S', 7, 3),
        frame(2, 7, 1, 1, &entry),
        frame(1, 7, 2, 2, &[put("a", "two"), put("b", "three")].concat()),
        frame(3, 7, 3, 3, &[]),
    ];
    std::fs::write(folder.path().join("snapshot-00000000000000000003"), snapshot.concat()).unwrap();
    let log = [header(b'L', 9, 4), frame(1, 9, 1, 4, &delete("b")), frame(1, 9, 1, 5, &put("c", "five")), vec![0; 999]];
    std::fs::write(folder.path().join("log-00000000000000000004"), log.concat()).unwrap();

    let read = |store: Arc<Embedded>| async move {
        let range = store.range(RangeRequest::default()).await.unwrap();
        let text = |value: &Bytes| String::from_utf8(value.to_vec()).unwrap();
        let entries = range.entries.iter().map(|entry| (entry.key.to_string(), text(&entry.value), entry.modified.0));
        (store.revision().0, entries.collect::<Vec<_>>())
    };
    let store = open(folder.path()).unwrap();
    let expected = [("a", "two", 2), ("c", "five", 5)].map(|(key, value, at)| (key.into(), value.into(), at)).to_vec();
    assert_eq!(read(store.clone()).await, (5, expected.clone()));
    // It does not say when its changes were made: as history they are too old to be kept.
    let watch = store.watch(WatchRequest { after: Revision(3), ..WatchRequest::default() });
    assert!(matches!(watch.err(), Some(StoreError::Compacted { .. })));

    store.put("d", Bytes::from_static(b"six"), Expect::Absent).await.unwrap();
    drop(store);
    let expected = [expected, vec![("d".into(), "six".into(), 6)]].concat();
    assert_eq!(read(open(folder.path()).unwrap()).await, (6, expected));
}
