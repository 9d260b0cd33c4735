//! What the embedded engine keeps when the disk, or what is on it, fails.

mod faulty_disk;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use faulty_disk::{Fault, FaultyDisk};
use futures::{FutureExt, StreamExt};
use stdx::Ambient;
use store::{
    Embedded, Entry, Expect, OpenError, Options, RangeRequest, ReadAt, Revision, Store, StoreError, WatchItem,
    WatchRequest,
};

/// Writes of the workload; the one at index `i` makes revision `i + 1`.
const OPERATIONS: usize = 60;
/// How many are under way at once.
const ROUND: usize = 3;

#[derive(Clone, Debug)]
enum Operation {
    Put { key: String, value: Bytes, expect: Expect },
    Delete { key: String, expect: Revision },
}

type Model = BTreeMap<String, Entry>;

/// A fixed script of writes that all succeed, and the state before each of them and after the last.
fn workload() -> (Vec<Operation>, Vec<Model>) {
    let mut model = Model::new();
    let mut states = vec![model.clone()];
    let mut operations = Vec::new();
    for index in 0..OPERATIONS {
        let revision = Revision(index as u64 + 1);
        let key = format!("things/{}", index * 7 % 11);
        let current = model.get(&key).cloned();
        match current {
            Some(current) if index % 4 == 3 => {
                model.remove(&key);
                operations.push(Operation::Delete { key, expect: current.modified });
            }
            current => {
                // Now and then more than a log's first room, and than several sectors.
                let size = [10, 700, 40, 1500, 100, 70_000][index % 6];
                let value = Bytes::from(vec![b'a' + (index % 26) as u8; size]);
                let expect = current.as_ref().map_or(Expect::Absent, |current| Expect::At(current.modified));
                let created = current.map_or(revision, |current| current.created);
                let entry = Entry { key: key.as_str().into(), value: value.clone(), created, modified: revision };
                model.insert(key.clone(), entry);
                operations.push(Operation::Put { key, value, expect });
            }
        }
        states.push(model.clone());
    }
    (operations, states)
}

fn options() -> Options {
    // Several rotations within the workload.
    Options { rotate_log_bytes: 100_000, ..Options::default() }
}

fn open(disk: &FaultyDisk) -> Result<Arc<Embedded>, OpenError> {
    Embedded::open_on(Arc::new(disk.clone()), options(), Ambient::system())
}

async fn perform(store: &Embedded, operation: Operation) -> Result<(), StoreError> {
    match operation {
        Operation::Put { key, value, expect } => store.put(&key, value, expect).await.map(drop),
        Operation::Delete { key, expect } => store.delete(&key, Expect::At(expect)).await.map(drop),
    }
}

/// Runs the script until a write fails: how many were acknowledged, and how many attempted.
async fn run(store: &Embedded, operations: &[Operation]) -> (usize, usize) {
    let mut acknowledged = 0;
    for round in operations.chunks(ROUND) {
        let results = futures::future::join_all(round.iter().map(|operation| perform(store, operation.clone()))).await;
        let good = results.iter().take_while(|result| result.is_ok()).count();
        for refused in &results[good..] {
            assert!(matches!(refused, Err(StoreError::ReadOnly { .. })), "{refused:?}");
        }
        acknowledged += good;
        if good < round.len() {
            return (acknowledged, acknowledged - good + round.len());
        }
    }
    (acknowledged, acknowledged)
}

/// The store holds exactly the state at its revision, and all history that led there.
async fn verify(store: &Embedded, states: &[Model]) -> usize {
    let range = store.range(RangeRequest::default()).await.unwrap();
    let count = range.revision.0 as usize;
    assert_eq!(range.revision, store.revision());
    assert!(range.entries.iter().eq(states[count].values()), "the state at revision {count}");

    let mut watch = store.watch(WatchRequest::default()).unwrap();
    let mut replayed = 0;
    while let Some(Some(Ok(WatchItem::Event(event)))) = tokio::task::unconstrained(watch.next()).now_or_never() {
        replayed += 1;
        assert_eq!(event.revision, Revision(replayed));
        let before = &states[replayed as usize - 1];
        assert_eq!(event.previous.as_ref(), before.get(&**event.key()));
    }
    assert_eq!(replayed as usize, count, "the history up to revision {count}");
    count
}

async fn verify_recovery(disk: &FaultyDisk, acknowledged: usize, attempted: usize, context: &str) {
    let (operations, states) = workload();
    let store = open(disk).unwrap_or_else(|error| panic!("{context}: {error}"));
    let count = verify(&store, &states).await;
    assert!((acknowledged..=attempted).contains(&count), "{context}: {count} of {acknowledged} to {attempted}");
    // And life goes on.
    assert_eq!(run(&store, &operations[count..]).await.0, OPERATIONS - count, "{context}");
    drop(store);
    assert_eq!(verify(&open(disk).unwrap(), &states).await, OPERATIONS, "{context}");
}

#[tokio::test]
async fn power_loss_at_any_step_loses_no_acknowledged_write() {
    let (operations, _) = workload();
    for step in 1.. {
        let disk = FaultyDisk::new(Fault::PowerLossAt(step));
        let (acknowledged, attempted) = match open(&disk) {
            Ok(store) => run(&store, &operations).await,
            Err(_) => (0, 0),
        };
        for seed in 0..4 {
            let found = disk.after_power_loss(seed + 4 * step as u64, Fault::None);
            verify_recovery(&found, acknowledged, attempted, &format!("step {step}, seed {seed}")).await;
        }
        if !disk.has_failed() {
            assert!(step > 2 * OPERATIONS / ROUND, "the workload has steps");
            return;
        }
    }
}

#[tokio::test]
async fn power_loss_during_recovery_loses_nothing_either() {
    let (operations, _) = workload();
    for step in (6..120).step_by(3) {
        let disk = FaultyDisk::new(Fault::PowerLossAt(step));
        let store = open(&disk).unwrap();
        let (acknowledged, attempted) = run(&store, &operations).await;
        drop(store);
        for again in 1..8 {
            let seed = (step * 8 + again) as u64;
            let second = disk.after_power_loss(seed, Fault::PowerLossAt(again));
            // Whether it got that far does not matter.
            drop(open(&second));
            let found = second.after_power_loss(seed / 2, Fault::None);
            verify_recovery(&found, acknowledged, attempted, &format!("step {step}, then {again}")).await;
        }
    }
}

#[tokio::test]
async fn a_disk_that_refuses_stops_writes_and_not_reads() {
    let (operations, states) = workload();
    for step in (4..150).step_by(2) {
        for fault in [Fault::FullFrom(step), Fault::SyncFailsFrom(step)] {
            let disk = FaultyDisk::new(fault);
            let Ok(store) = open(&disk) else { continue };
            let (acknowledged, attempted) = run(&store, &operations).await;
            assert_eq!(verify(&store, &states).await, acknowledged, "{fault:?}: what is not safe is not seen");
            if acknowledged < OPERATIONS {
                let error = store.put("other", Bytes::new(), Expect::Absent).await.unwrap_err();
                assert!(
                    matches!(&error, StoreError::ReadOnly { reason } if reason.contains("/faulty/log-")),
                    "{error}"
                );
            }
            drop(store);
            let found = disk.after_power_loss(step as u64, Fault::None);
            verify_recovery(&found, acknowledged, attempted, &format!("{fault:?}")).await;
        }
    }
}

#[tokio::test]
async fn a_changed_byte_anywhere_is_found_and_refused() {
    let (operations, _) = workload();
    let disk = FaultyDisk::new(Fault::None);
    let store = open(&disk).unwrap();
    run(&store, &operations[..50]).await;
    drop(store);
    let files: Vec<(String, usize)> = disk
        .contents()
        .into_iter()
        // The zeros behind a log's end hold nothing yet.
        .map(|(name, bytes)| (name, bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)))
        .collect();
    assert!(files.iter().any(|(name, _)| name.starts_with("snapshot-")), "{files:?}");
    assert!(files.iter().any(|(name, used)| name.starts_with("log-") && *used > 2000), "{files:?}");
    for (name, used) in files {
        for offset in (0..used).step_by(used / 150 + 1) {
            let damaged = disk.after_power_loss(0, Fault::None);
            damaged.flip(&name, offset);
            let before = damaged.contents();
            let error = match open(&damaged) {
                Err(error) => error,
                // Of a frame's padding nothing is read.
                Ok(store) if is_padding(&before[&name], offset) => {
                    assert_eq!(store.revision(), Revision(50));
                    continue;
                }
                Ok(_) => panic!("{name} at {offset}: opened"),
            };
            match &error {
                OpenError::Damaged { path, .. } | OpenError::Foreign { path } => assert!(path.ends_with(&name)),
                other => panic!("{name} at {offset}: {other}"),
            }
            assert_eq!(damaged.contents(), before, "nothing is touched");
        }
    }
}

/// A byte that is zero but for the flip, between zeros up to the next multiple of 32.
fn is_padding(bytes: &[u8], offset: usize) -> bool {
    let end = offset.next_multiple_of(32).min(bytes.len());
    bytes[offset] == 0x10 && bytes[offset + 1..end].iter().all(|&byte| byte == 0)
}

mod folder {
    use std::path::Path;

    use super::*;

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

    #[test]
    fn other_formats_are_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(open(folder.path()).unwrap());
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
}
