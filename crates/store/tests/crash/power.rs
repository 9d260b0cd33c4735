//! The disk fails under a store that is written to.

use bytes::Bytes;
use proptest::prelude::*;
use store::{Expect, Store, StoreError};

use crate::faulty_disk::{Fault, FaultyDisk};
use crate::life::{Life, Step, block_on, open, steps, verify};

/// What is found after the power went holds everything acknowledged, and life goes on.
async fn recover_and_go_on(mut life: Life, seed: u64, more: &[Step]) {
    life.store = None;
    let found = life.disk.after_power_loss(seed, []);
    let store = open(&found).unwrap_or_else(|error| panic!("{error}"));
    verify(&*store, &mut life.model).await;
    let mut life = Life { disk: found, store: Some(store), ..life };
    life.live(more).await;
    life.store = None;
    let store = open(&life.disk).unwrap();
    verify(&*store, &mut life.model).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn power_loss_loses_nothing_acknowledged(
        script in steps(40), more in steps(6), step in 1..400_usize, seed in any::<u64>(),
    ) {
        block_on(async {
            let mut life = Life::begin(FaultyDisk::new([(step, Fault::PowerLoss)]));
            life.live(&script).await;
            recover_and_go_on(life, seed, &more).await;
        });
    }

    #[test]
    fn power_loss_during_recovery_loses_nothing_either(
        script in steps(40), more in steps(6), step in 1..400_usize, again in prop::collection::vec(1..12_usize, 1..4),
        seed in any::<u64>(),
    ) {
        block_on(async {
            let mut life = Life::begin(FaultyDisk::new([(step, Fault::PowerLoss)]));
            life.live(&script).await;
            life.store = None;
            for (number, again) in again.into_iter().enumerate() {
                life.disk = life.disk.after_power_loss(seed >> number, [(again, Fault::PowerLoss)]);
                // How far it gets does not matter.
                drop(open(&life.disk));
            }
            recover_and_go_on(life, seed, &more).await;
        });
    }

    #[test]
    fn a_failed_sync_stops_writes_and_not_reads(
        script in steps(30), more in steps(6), step in 1..200_usize, forgets in any::<bool>(), seed in any::<u64>(),
    ) {
        block_on(async {
            let fault = if forgets { Fault::SyncForgets } else { Fault::SyncFails };
            let mut life = Life::begin(FaultyDisk::new([(step, fault)]));
            life.live(&script).await;
            recover_and_go_on(life, seed, &more).await;
        });
    }

    #[test]
    fn a_failed_write_loses_nothing_acknowledged(
        script in steps(30), more in steps(6), step in 1..200_usize, seed in any::<u64>(),
    ) {
        block_on(async {
            let mut life = Life::begin(FaultyDisk::new([(step, Fault::WriteFails)]));
            life.live(&script).await;
            recover_and_go_on(life, seed, &more).await;
        });
    }

    #[test]
    fn a_full_disk_refuses_until_there_is_room(
        script in steps(40), step in 1..200_usize, duration in 1..60_usize,
    ) {
        block_on(async {
            let disk = FaultyDisk::new([(step, Fault::Full { steps: duration })]);
            let mut life = Life::begin(disk);
            life.live(&script).await;
            if let Some(store) = life.store.clone() {
                // Each try that finds no room is a step at least, so the room comes back.
                let mut wrote = None;
                for _ in 0..step + duration {
                    match store.put("other", Bytes::from(vec![b'x'; 30_000]), Expect::Anything).await {
                        Ok(entry) => wrote = Some(entry),
                        Err(StoreError::Unavailable { reason }) => assert!(reason.contains("no room"), "{reason}"),
                        Err(error) => panic!("{error}"),
                    }
                }
                assert_eq!(wrote.map(|entry| entry.modified), Some(store.revision()), "the room came back");
            }
        });
    }

    #[test]
    fn a_full_disk_and_then_no_power_lose_nothing_acknowledged(
        script in steps(40), more in steps(6), step in 1..200_usize, duration in 1..60_usize, until in 1..200_usize,
        seed in any::<u64>(),
    ) {
        block_on(async {
            let faults = [(step, Fault::Full { steps: duration }), (step + until, Fault::PowerLoss)];
            let mut life = Life::begin(FaultyDisk::new(faults));
            life.live(&script).await;
            recover_and_go_on(life, seed, &more).await;
        });
    }
}
