//! `kill -9` at random moments: every acknowledged write is there afterwards.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use stdx::{Ambient, Random};
use store::{Embedded, Expect, Options, ReadAt, Revision, Store};

const WRITERS: usize = 4;

const FOLDER_VARIABLE: &str = "STORE_KILL_TEST_FOLDER";
/// How often to kill.
const ROUNDS_VARIABLE: &str = "STORE_KILL_TEST_ROUNDS";

#[test]
fn an_acknowledged_write_survives_kill_9() {
    // The test runs itself a second time, to have somebody to kill.
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        write_for_ever(Path::new(&folder));
    }
    let rounds = std::env::var(ROUNDS_VARIABLE).map_or(20, |rounds| rounds.parse().expect("a number of rounds"));
    let folder = tempfile::tempdir().unwrap();
    let random = Random::system();
    let mut acknowledged = [0_u64; WRITERS];
    for round in 0..rounds {
        let patience = 1 + random.below(400);
        observe_until_killed(folder.path(), patience, &mut acknowledged);
        verify(folder.path(), &mut acknowledged, round);
    }
    assert!(acknowledged.iter().all(|&steps| steps > 0), "{acknowledged:?}");
}

/// Starts a writing process, kills it after a number of acknowledgements, and notes them all.
fn observe_until_killed(folder: &Path, patience: u64, acknowledged: &mut [u64; WRITERS]) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "an_acknowledged_write_survives_kill_9", "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut seen = 0;
    // What was acknowledged before the kill and is still in the pipe counts too.
    for line in lines.map_while(Result::ok) {
        let mut words = line.split(' ');
        let (Some("done"), Some(writer), Some(step)) = (words.next(), words.next(), words.next()) else { continue };
        // The pipe's last line may be cut short.
        if words.next() != Some(".") {
            continue;
        }
        acknowledged[writer.parse::<usize>().unwrap()] = step.parse().unwrap();
        seen += 1;
        if seen == patience {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(seen >= patience, "the writing process ended by itself: {status}");
}

/// Each writer's key is as its last acknowledged step left it, or as the one after did.
fn verify(folder: &Path, acknowledged: &mut [u64; WRITERS], round: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = open(folder);
    for (writer, last) in acknowledged.iter_mut().enumerate() {
        let entry = runtime.block_on(store.get(&key(writer), ReadAt::Newest)).unwrap();
        let found = entry.as_ref().map(|entry| String::from_utf8(entry.value.to_vec()).unwrap());
        let possible = [*last, *last + 1].into_iter().find(|&step| found == state_after(step));
        *last =
            possible.unwrap_or_else(|| panic!("round {round}: writer {writer} acknowledged {last}, found {found:?}"));
    }
}

/// The child: writes, and says so once the store has said so.
fn write_for_ever(folder: &Path) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = open(folder);
    let writers: Vec<_> = (0..WRITERS).map(|writer| runtime.spawn(write_one_key(store.clone(), writer))).collect();
    for writer in writers {
        runtime.block_on(writer).unwrap();
    }
    unreachable!("writers do not end")
}

async fn write_one_key(store: Arc<Embedded>, writer: usize) {
    let key = key(writer);
    let steps_key = format!("steps/{writer}");
    let mut entry = store.get(&key, ReadAt::Newest).await.unwrap();
    // Where the key itself is gone, its tombstone's step follows from the round number kept beside.
    let mut rounds = store.get(&steps_key, ReadAt::Newest).await.unwrap();
    let mut step = match (&entry, &rounds) {
        (Some(entry), _) => String::from_utf8(entry.value.to_vec()).unwrap().parse().unwrap(),
        (None, Some(rounds)) => String::from_utf8(rounds.value.to_vec()).unwrap().parse().unwrap(),
        (None, None) => 0_u64,
    };
    loop {
        step += 1;
        match (state_after(step), entry.take()) {
            (Some(value), current) => {
                let expect = current.map_or(Expect::Absent, |current| Expect::At(current.modified));
                entry = Some(store.put(&key, Bytes::from(value), expect).await.unwrap());
            }
            (None, current) => {
                let expect = rounds.as_ref().map_or(Expect::Absent, |rounds| Expect::At(rounds.modified));
                rounds = Some(store.put(&steps_key, Bytes::from(step.to_string()), expect).await.unwrap());
                let modified = current.map_or(Revision(0), |current| current.modified);
                store.delete(&key, Expect::At(modified)).await.unwrap();
            }
        }
        let mut output = std::io::stdout().lock();
        writeln!(output, "done {writer} {step} .").unwrap();
        output.flush().unwrap();
    }
}

fn open(folder: &Path) -> Arc<Embedded> {
    // Logs so short that rotation and snapshots are killed as well.
    let options = Options { rotate_log_bytes: 4096, ..Options::default() };
    Embedded::open(folder, options, Ambient::system()).unwrap()
}

fn key(writer: usize) -> String {
    format!("keys/{writer}")
}

/// Every fifth step removes the key; the others write their number.
fn state_after(step: u64) -> Option<String> {
    (!step.is_multiple_of(5)).then(|| step.to_string())
}
