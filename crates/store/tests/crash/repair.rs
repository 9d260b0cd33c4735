//! What a damaged store still gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use stdx::Ambient;
use store::folder::{Loss, check_on, repair_on};
use store::{Disk, Entry, RangeRequest, Revision, Store, StoreError, WatchRequest};

use crate::faulty_disk::{Fault, FaultyDisk, SECTOR_BYTES};
use crate::life::{Life, Step, block_on, open, options, steps};

/// Whether what a repair says it lost covers a key that was last changed at a revision.
fn covers(lost: &[Loss], key: &str, changed: Revision) -> bool {
    lost.iter().any(|loss| match loss {
        Loss::Revisions { first, last } => (*first..=*last).contains(&changed),
        Loss::After(revision) => changed > *revision,
        Loss::Keys { after, before, at } => {
            let is_between =
                after.as_deref().is_none_or(|after| after < key) && before.as_deref().is_none_or(|before| key < before);
            is_between && changed <= *at
        }
        Loss::Leases { .. } => false,
    })
}

/// What an entry holds. Where the revision that made its key is lost, it counts as made later.
fn says(entry: Option<&Entry>) -> Option<(&[u8], Revision)> {
    entry.map(|entry| (&*entry.value, entry.modified))
}

/// The newest change of each key that ever was there.
fn last_changes(life: &Life) -> Vec<(Arc<str>, Revision)> {
    let states = &life.model.states;
    let mut changes = Vec::new();
    let keys: BTreeSet<Arc<str>> = states.values().flat_map(|contents| contents.keys().cloned()).collect();
    for key in keys {
        let mut last = Revision(0);
        let mut before = None;
        for (&revision, contents) in states {
            let now = contents.get(&key);
            if now != before {
                (before, last) = (now, revision);
            }
        }
        changes.push((key, last));
    }
    changes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is not as it was is among what the repair says is lost, and nothing was thrown away.
    #[test]
    fn a_repair_keeps_what_is_readable_and_names_what_is_not(
        script in steps(50), damages in prop::collection::vec(any::<(usize, usize, bool)>(), 1..4),
    ) {
        block_on(async {
            let mut life = Life::begin(FaultyDisk::new([]));
            let compaction_free: Vec<Step> = script.into_iter().filter(|step| !matches!(step, Step::Compact)).collect();
            life.live(&compaction_free).await;
            life.store = None;
            let before = life.disk.contents();
            let names: Vec<&String> = before.keys().collect();
            if names.is_empty() {
                return;
            }
            let damaged = life.disk.copy();
            for (file, sector, is_unreadable) in damages {
                let name = names[file % names.len()];
                let sector = sector % before[name].len().div_ceil(SECTOR_BYTES);
                if is_unreadable {
                    damaged.make_unreadable(name, sector);
                } else {
                    damaged.scramble_sector(name, sector, sector as u64);
                }
            }
            let originals = damaged.contents();
            let was_refused = open(&damaged).is_err();
            let report = check_on(&damaged, None).unwrap();
            assert_eq!(report.contents.is_none(), was_refused);
            assert_eq!(report.damage.is_empty(), !was_refused);

            let repaired = repair_on(&damaged, options(), &Ambient::system()).unwrap();
            assert_eq!(!repaired.damage.is_empty(), was_refused);
            let store = open(&damaged).unwrap();
            assert_eq!(store.revision(), repaired.contents.revision);
            if was_refused {
                assert!(store.revision() > Revision(life.model.revision().0 + 1_000_000));
                let old = WatchRequest { after: life.model.revision(), ..WatchRequest::default() };
                assert!(matches!(store.watch(old).err(), Some(StoreError::Compacted { .. })));
                let aside = repaired.aside.unwrap();
                let folder = aside.file_name().unwrap().to_str().unwrap();
                let kept = damaged.contents();
                for (name, bytes) in originals {
                    assert_eq!(kept.get(&format!("{folder}/{name}")), Some(&bytes), "{name} is kept");
                }
            }
            let range = store.range(RangeRequest::default()).await.unwrap();
            for entry in &range.entries {
                let was_so = life.model.states.values().any(|contents| says(contents.get(&entry.key)) == says(Some(entry)));
                assert!(was_so, "{} was never like this", entry.key);
            }
            for (key, changed) in last_changes(&life) {
                let found = range.entries.iter().find(|entry| entry.key == key);
                let expected = life.model.contents().get(&key);
                assert!(
                    says(found) == says(expected) || covers(&repaired.lost, &key, changed),
                    "{key}, last changed at {changed:?}, is not as it was, but lost is {:?}", repaired.lost
                );
            }
        });
    }

    /// Wherever the power goes, what was readable still is, by another repair.
    #[test]
    fn a_repair_may_be_cut_short(step in 1..14_usize, seed in any::<u64>()) {
        block_on(async {
            let script: Vec<Step> = (0..30).map(|number| Step::put(number % 7, 900)).collect();
            let mut life = Life::begin(FaultyDisk::new([]));
            life.live(&script).await;
            life.store = None;
            let name = life.disk.contents().into_keys().find(|name| name.starts_with("log-")).unwrap();
            life.disk.flip(&name, 560);
            let whole = life.disk.copy();
            let expected = repair_on(&whole, options(), &Ambient::system()).unwrap();

            let cut_short = life.disk.after_power_loss(1, [(step, Fault::PowerLoss)]);
            drop(repair_on(&cut_short, options(), &Ambient::system()));
            let found = cut_short.after_power_loss(seed, []);
            repair_on(&found, options(), &Ambient::system()).unwrap();
            let store = open(&found).unwrap();
            assert!(store.revision() >= expected.contents.revision);
            let range = store.range(RangeRequest::default()).await.unwrap();
            let wanted = open(&whole).unwrap().range(RangeRequest::default()).await.unwrap();
            assert_eq!(range.entries, wanted.entries);
            assert!(found.names().unwrap().iter().all(|name| !name.ends_with(".tmp")));
        });
    }
}
