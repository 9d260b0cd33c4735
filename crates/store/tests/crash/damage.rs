//! What rests is not what was written any more.

use proptest::prelude::*;
use store::{OpenError, Revision, Store};

use crate::faulty_disk::{Fault, FaultyDisk, SECTOR_BYTES};
use crate::life::{Life, Step, block_on, open, serves_a_state_of, steps};

/// A life whose disk holds logs, and as a rule a snapshot.
async fn lived(script: &[Step], faults: impl IntoIterator<Item = (usize, Fault)>) -> Life {
    let mut life = Life::begin(FaultyDisk::new(faults));
    life.live(script).await;
    life.store = None;
    life
}

/// How many bytes of each file say something: behind a log's end are zeros.
fn used(disk: &FaultyDisk) -> Vec<(String, usize)> {
    let end = |bytes: &[u8]| bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    disk.contents().into_iter().map(|(name, bytes)| (name, end(&bytes))).collect()
}

/// What was damaged is refused, and left as it is; or nothing that was damaged is read.
async fn refused_or_right(life: &Life, damaged: &FaultyDisk, newest_at_least: Revision) {
    let before = damaged.contents();
    match open(damaged) {
        Ok(store) => {
            assert!(store.revision() >= newest_at_least, "{:?} is lost", store.revision());
            serves_a_state_of(&*store, &life.model).await;
        }
        Err(OpenError::Damaged { .. } | OpenError::Foreign { .. } | OpenError::Io { .. }) => {
            assert_eq!(damaged.contents(), before, "nothing is touched");
        }
        Err(error) => panic!("{error}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_bit_is_never_served(script in steps(40), places in prop::collection::vec(any::<(usize, usize)>(), 20)) {
        block_on(async {
            let life = lived(&script, []).await;
            let files = used(&life.disk);
            for (file, place) in places {
                let Some((name, used)) = files.get(file % files.len().max(1)).filter(|(_, used)| *used > 0) else {
                    continue;
                };
                let damaged = life.disk.copy();
                damaged.flip(name, place % used);
                refused_or_right(&life, &damaged, life.model.revision()).await;
            }
        });
    }

    #[test]
    fn a_scrambled_or_unreadable_sector_is_never_served(
        script in steps(40), places in prop::collection::vec(any::<(usize, usize, bool)>(), 20),
    ) {
        block_on(async {
            let life = lived(&script, []).await;
            let files = life.disk.contents();
            let files: Vec<_> = files.iter().map(|(name, bytes)| (name, bytes.len().div_ceil(SECTOR_BYTES))).collect();
            for (file, place, is_unreadable) in places {
                let Some((name, sectors)) = files.get(file % files.len().max(1)) else { continue };
                let damaged = life.disk.copy();
                if is_unreadable {
                    damaged.make_unreadable(name, place % sectors);
                } else {
                    damaged.scramble_sector(name, place % sectors, place as u64);
                }
                refused_or_right(&life, &damaged, life.model.revision()).await;
            }
        });
    }

    /// The last frame of all may be lost this way: nothing tells that it was there.
    #[test]
    fn a_misdirected_write_is_never_served(script in steps(40), step in 1..400_usize, seed in any::<u64>()) {
        block_on(async {
            let life = lived(&script, [(step, Fault::Misdirected { seed })]).await;
            let found = life.disk.after_power_loss(1, []);
            refused_or_right(&life, &found, life.before_last_write).await;
        });
    }
}

#[tokio::test]
async fn the_damaged_file_and_the_way_out_are_named() {
    let script: Vec<Step> = (0..30).map(|_| Step::put(1, 1000)).collect();
    let life = lived(&script, []).await;
    // Files that a snapshot stands for may be on their way out; nobody would miss them. A start removes them.
    drop(open(&life.disk).unwrap());
    let files = used(&life.disk);
    assert!(files.iter().any(|(name, _)| name.starts_with("snapshot-")), "{files:?}");
    for (name, used) in files {
        let damaged = life.disk.copy();
        // In the first frame, or the header of a log that has none.
        damaged.flip(&name, if used > 600 { 560 } else { 20 });
        let error = open(&damaged).unwrap_err();
        assert!(matches!(&error, OpenError::Damaged { path, .. } if path.ends_with(&name)), "{error}");
        let text = error.to_string();
        for word in ["`pintle store check`", "`pintle store repair`", "`pintle store restore`"] {
            assert!(text.contains(word), "{text}");
        }
    }
}
