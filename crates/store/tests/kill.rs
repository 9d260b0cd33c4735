//! `kill -9` at random moments: every acknowledged transaction is there afterwards, whole.
//!
//! A child process writes random transactions; the parent kills it, now after so many
//! acknowledgements, now after so much time, which also meets recovery, rotation and snapshots; then
//! it opens the folder and holds it against what was acknowledged. `STORE_KILL_TEST_ROUNDS` says how
//! often (20 by default):
//!
//! `STORE_KILL_TEST_ROUNDS=10000 cargo test -p store --test kill -- --nocapture`

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use stdx::{Ambient, Random};
use store::{
    Action, Embedded, Expect, HistoryLimits, Operation, Options, RangeRequest, Revision, Store, StoreError,
    Transaction, WatchItem, WatchRequest,
};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const WRITERS: u64 = 4;
/// Keys of each writer, beside the one that holds its step.
const KEYS: u64 = 6;

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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let random = Random::system();
        let mut known = Known::default();
        for round in 1..=rounds {
            observe_until_killed(folder.path(), Moment::choose(&random), &mut known).await;
            verify(folder.path(), &mut known, round).await;
            if round % 500 == 0 {
                let acknowledged: u64 = known.writers.iter().map(|writer| writer.step).sum();
                println!("{round} kills, {acknowledged} transactions, revision {}", known.revision.0);
            }
        }
        assert!(known.writers.iter().all(|writer| writer.step > 0), "the writers wrote");
    });
}

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    AfterAcknowledgements(u64),
    /// From the start of the process.
    AfterTime(Duration),
}

impl Moment {
    fn choose(random: &Random) -> Moment {
        if random.below(2) == 0 {
            Moment::AfterAcknowledgements(1 + random.below(150))
        } else {
            Moment::AfterTime(Duration::from_micros(random.below(40_000)))
        }
    }
}

/// What must be there.
#[derive(Debug, Default)]
struct Known {
    writers: [Writer; WRITERS as usize],
    /// The newest revision ever seen or acknowledged.
    revision: Revision,
    /// What the store held when it was last opened, and at which revision.
    contents: BTreeMap<Arc<str>, Bytes>,
    contents_revision: Revision,
}

#[derive(Debug, Default)]
struct Writer {
    /// The last step that was acknowledged, and at which revision.
    step: u64,
    revision: Revision,
    /// What the writer's keys hold after it.
    state: BTreeMap<String, Bytes>,
    /// The last step that `state` stands for.
    state_step: u64,
}

/// Starts a writing process, kills it at the moment, and notes what it acknowledged.
async fn observe_until_killed(folder: &Path, moment: Moment, known: &mut Known) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "an_acknowledged_write_survives_kill_9", "--nocapture"])
        .env(FOLDER_VARIABLE, folder)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (patience, time) = match moment {
        Moment::AfterAcknowledgements(count) => (count, Duration::from_secs(3600)),
        Moment::AfterTime(time) => (u64::MAX, time),
    };
    let deadline = tokio::time::sleep(time);
    tokio::pin!(deadline);
    let mut seen = 0;
    let mut is_killed = false;
    loop {
        tokio::select! {
            // What was acknowledged before the kill and is still in the pipe counts too.
            line = lines.next_line() => match line.unwrap() {
                Some(line) => seen += u64::from(note(&line, known)),
                None => break,
            },
            () = &mut deadline, if !is_killed => kill(&mut child, &mut is_killed),
        }
        if seen >= patience && !is_killed {
            kill(&mut child, &mut is_killed);
        }
    }
    let status = child.wait().await.unwrap();
    assert!(is_killed, "the writing process ended by itself: {status}");
}

fn kill(child: &mut Child, is_killed: &mut bool) {
    child.start_kill().unwrap();
    *is_killed = true;
}

/// Takes in "done WRITER STEP REVISION ." The pipe's last line may be cut short.
fn note(line: &str, known: &mut Known) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let ["done", writer, step, revision, "."] = words.as_slice() else { return false };
    let writer = &mut known.writers[writer.parse::<usize>().unwrap()];
    (writer.step, writer.revision) = (step.parse().unwrap(), Revision(revision.parse().unwrap()));
    known.revision = known.revision.max(writer.revision);
    true
}

/// Each writer's keys are as its last acknowledged step left them, or as the one after did.
async fn verify(folder: &Path, known: &mut Known, round: u64) {
    let store = open(folder);
    let revision = store.revision();
    assert!(revision >= known.revision, "round {round}: {revision:?} after {:?}", known.revision);
    known.revision = revision;

    let range = store.range(RangeRequest::default()).await.unwrap();
    for (number, writer) in known.writers.iter_mut().enumerate() {
        let prefix = format!("{number}/");
        let entries: Vec<_> = range.entries.iter().filter(|entry| entry.key.starts_with(&prefix)).collect();
        let step_entry = entries.iter().find(|entry| *entry.key == *step_key(number as u64));
        let step = step_entry.map_or(0, |entry| step_of(&entry.value));
        assert!(
            step == writer.step || step == writer.step + 1,
            "round {round}: writer {number} acknowledged {}, found {step}",
            writer.step
        );
        if step == writer.step && step > 0 {
            assert_eq!(step_entry.unwrap().modified, writer.revision, "round {round}");
        }
        for step in writer.state_step + 1..=step {
            apply(&mut writer.state, transaction(number as u64, step));
        }
        (writer.step, writer.state_step) = (step, step);
        writer.revision = step_entry.map_or(Revision(0), |entry| entry.modified);
        let found: BTreeMap<String, Bytes> =
            entries.iter().map(|entry| (entry.key.to_string(), entry.value.clone())).collect();
        assert!(found == writer.state, "round {round}: writer {number} after step {step}");
    }
    follow_history(&*store, known).await;
    known.contents = range.entries.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    known.contents_revision = range.revision;
}

/// What history says since the last time leads from what was there to what is there.
async fn follow_history(store: &dyn Store, known: &Known) {
    let mut contents = known.contents.clone();
    let mut watch = match store.watch(WatchRequest { after: known.contents_revision, ..WatchRequest::default() }) {
        Ok(watch) => watch,
        Err(StoreError::Compacted { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let mut last = known.contents_revision;
    while let Some(Some(Ok(WatchItem::Event(event)))) = tokio::task::unconstrained(watch.next()).now_or_never() {
        assert!(event.revision >= last);
        last = event.revision;
        let previous = match event.current() {
            Some(entry) => contents.insert(entry.key.clone(), entry.value.clone()),
            None => contents.remove(event.key()),
        };
        assert_eq!(previous, event.previous.as_ref().map(|previous| previous.value.clone()));
    }
    let range = store.range(RangeRequest::default()).await.unwrap();
    assert!(range.entries.iter().map(|entry| (&entry.key, &entry.value)).eq(&contents), "history leads elsewhere");
}

/// The child: writes, and says so once the store has said so.
fn write_for_ever(folder: &Path) -> ! {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let store = open(folder);
    let writers: Vec<_> = (0..WRITERS).map(|writer| runtime.spawn(write_steps(store.clone(), writer))).collect();
    for writer in writers {
        runtime.block_on(writer).unwrap();
    }
    unreachable!("writers do not end")
}

async fn write_steps(store: Arc<Embedded>, writer: u64) {
    let present = store.get(&step_key(writer), store::ReadAt::Newest).await.unwrap();
    let mut step = present.as_ref().map_or(0, |entry| step_of(&entry.value));
    let mut expect = present.map_or(Expect::Absent, |entry| Expect::At(entry.modified));
    loop {
        step += 1;
        let mut operations = transaction(writer, step);
        operations[0].expect = expect;
        let committed = store.commit(Transaction { operations, author: None }).await.unwrap();
        expect = Expect::At(committed.revision);
        let mut output = std::io::stdout().lock();
        writeln!(output, "done {writer} {step} {} .", committed.revision.0).unwrap();
        output.flush().unwrap();
    }
}

/// What a writer does at a step: the first operation writes down the step.
fn transaction(writer: u64, step: u64) -> Vec<Operation> {
    let random = Random::seeded(step * WRITERS + writer);
    let mut operations = vec![Operation::put(step_key(writer), Bytes::from(step.to_string()), Expect::Anything)];
    for key in 0..KEYS {
        let key = format!("{writer}/{key}");
        match random.below(8) {
            0 => operations.push(Operation::delete(key, Expect::Anything)),
            1 | 2 => {
                // Now and then more than a whole log has room for.
                let size = [10, 100, 1000, 3000, 20_000][random.below(5) as usize];
                let letter = b'a' + (step % 26) as u8;
                operations.push(Operation::put(key, Bytes::from(vec![letter; size]), Expect::Anything));
            }
            _ => {}
        }
    }
    operations
}

fn apply(state: &mut BTreeMap<String, Bytes>, operations: Vec<Operation>) {
    for operation in operations {
        match operation.action {
            Action::Put { value, .. } => drop(state.insert(operation.key.to_string(), value)),
            Action::Delete => drop(state.remove(&*operation.key)),
            Action::Check => {}
        }
    }
}

fn step_key(writer: u64) -> String {
    format!("{writer}/step")
}

fn step_of(value: &[u8]) -> u64 {
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

fn open(folder: &Path) -> Arc<Embedded> {
    // Logs so short that rotation and snapshots are killed as well, and little to replay.
    let history = HistoryLimits { ceiling_bytes: 100_000, ..HistoryLimits::default() };
    let options = Options { rotate_log_bytes: 16_384, history, ..Options::default() };
    Embedded::open(folder, options, Ambient::system()).unwrap()
}
