//! Many writers at once, whose next transactions gather while the last ones are written, and a disk
//! that fails under them.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use store::{Embedded, Entry, Expect, ReadAt, Store, StoreError};

use crate::faulty_disk::{Fault, FaultyDisk};
use crate::life::open;

const WRITERS: usize = 48;
const VALUE_BYTES: usize = 4 << 10;

/// What a writer knows of its key.
#[derive(Clone, Debug, Default)]
struct Told {
    /// The last that was acknowledged.
    acknowledged: Option<Entry>,
    /// What was answered with an error: it may have been written or not.
    unknown: Option<Bytes>,
}

fn key(writer: usize) -> String {
    format!("writers/{writer}")
}

fn value(writer: usize, step: usize) -> Bytes {
    let mut value = format!("{writer}:{step}:").into_bytes();
    value.resize(VALUE_BYTES, b'.');
    Bytes::from(value)
}

/// Puts its key over and over, each time where the last put left it, until it is refused.
async fn write(store: Arc<Embedded>, writer: usize, steps: usize) -> Told {
    let mut told = Told::default();
    for step in 0..steps {
        let expect = told.acknowledged.as_ref().map_or(Expect::Absent, |entry| Expect::At(entry.modified));
        match store.put(&key(writer), value(writer, step), expect).await {
            Ok(entry) => {
                let seen = store.get(&key(writer), ReadAt::Newest).await.unwrap();
                assert_eq!(seen.as_ref(), Some(&entry), "what is acknowledged is seen");
                told.acknowledged = Some(entry);
            }
            Err(StoreError::ReadOnly { .. } | StoreError::Unavailable { .. }) => {
                told.unknown = Some(value(writer, step));
                return told;
            }
            Err(error) => panic!("writer {writer}, step {step}: {error}"),
        }
    }
    told
}

/// All write at once; what they were told.
async fn crowd(disk: &FaultyDisk, steps: usize) -> Vec<Told> {
    let Ok(store) = open(disk) else { return Vec::new() };
    let tasks: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(store.clone(), writer, steps))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.unwrap());
    }
    // What was refused is not seen, whatever rests of it.
    for (writer, told) in all.iter().enumerate() {
        assert_eq!(store.get(&key(writer), ReadAt::Newest).await.unwrap(), told.acknowledged);
    }
    all
}

async fn verify(disk: &FaultyDisk, all: &[Told]) {
    let store = open(disk).unwrap();
    for (writer, told) in all.iter().enumerate() {
        let found = store.get(&key(writer), ReadAt::Newest).await.unwrap();
        let is_unknown = found.as_ref().map(|entry| &entry.value) == told.unknown.as_ref() && found.is_some();
        assert!(found == told.acknowledged || is_unknown, "writer {writer}: {found:?} after {told:?}");
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_crowd_loses_nothing_acknowledged(
        fault in prop_oneof![
            Just(Fault::PowerLoss), Just(Fault::SyncFails), Just(Fault::SyncForgets), Just(Fault::WriteFails),
            (1..20_usize).prop_map(|steps| Fault::Full { steps }),
        ],
        step in 1..250_usize,
        seed in any::<u64>(),
    ) {
        block_on(async {
            let disk = FaultyDisk::new([(step, fault)]);
            let all = crowd(&disk, 12).await;
            verify(&disk.after_power_loss(seed, []), &all).await;
        });
    }
}

/// Each writer's steps lead from one to the next, whoever else writes.
#[test]
fn a_crowd_is_served_in_order() {
    block_on(async {
        let disk = FaultyDisk::new([]);
        let all = crowd(&disk, 30).await;
        for (writer, told) in all.iter().enumerate() {
            assert_eq!(told.acknowledged.as_ref().map(|entry| entry.value.clone()), Some(value(writer, 29)));
        }
        verify(&disk, &all).await;
    });
}
