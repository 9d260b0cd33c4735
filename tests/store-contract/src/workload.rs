//! Many clients at once, and what they saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{FutureExt, StreamExt};
use stdx::Random;
use store::{
    Entry, Event, Expect, Operation, Options, ReadAt, Revision, Store, StoreError, Transaction, Watch, WatchItem,
};
use tokio::sync::Notify;

use crate::linearizability::{Call, Outcome, check};
use crate::{Home, patiently, prefix, text, watch};

/// How much is asked of a store.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub calls: usize,
    pub clients: usize,
    pub seed: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Record {
    pub calls: Vec<Call>,
    /// Everything that happened meanwhile, as a watch told it.
    pub events: Vec<Arc<Event>>,
}

/// Keys stand in groups, which are what ranges read.
const GROUPS: u64 = 4;
const KEYS: u64 = 6;

pub async fn concurrent_clients_see_one_order(home: &dyn Home) {
    let store = home.open(Options { watch_queue: 1 << 17, ..Options::default() }).await;
    let record = run(&[store], Load { calls: 100_000, clients: 64, seed: 1 }).await;
    assert!(record.calls.len() >= 100_000 && record.events.len() >= 5_000, "{} events", record.events.len());
    let unknown = record.calls.iter().filter(|call| matches!(call.outcome, Outcome::Unknown { .. })).count();
    assert_eq!(unknown, 0, "nothing disturbed this store");
    check(&record.calls, &record.events).unwrap_or_else(|violation| panic!("{violation}"));
}

/// Lets clients loose on stores that share their bytes, and are empty; each client keeps to one.
pub async fn run(stores: &[Arc<dyn Store>], load: Load) -> Record {
    let begin = stores[0].revision();
    let recorder = Arc::new(Recorder::default());
    let finished = Arc::new(Notify::new());
    let events = watch(&*stores[0], "", begin).expect("history reaches back to now");
    let collector = tokio::spawn(collect(events, finished.clone()));
    let clients: Vec<_> = (0..load.clients)
        .map(|number| {
            let client = Client {
                store: stores[number % stores.len()].clone(),
                recorder: recorder.clone(),
                random: Random::seeded(load.seed.wrapping_mul(1000) + number as u64),
                name: number,
                known: vec![None; (GROUPS * KEYS) as usize],
                calls: Vec::new(),
            };
            tokio::spawn(client.run(load.calls.div_ceil(load.clients)))
        })
        .collect();
    let mut calls = Vec::with_capacity(load.calls);
    for client in clients {
        calls.extend(client.await.expect("a client does not panic"));
    }
    patiently("the end", async {
        // A store that was disturbed may take a moment.
        while stores[0].refresh().await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    finished.notify_one();
    let events = patiently("the events", collector).await.expect("the collector does not panic");
    Record { calls, events }
}

async fn collect(mut watch: Watch, finished: Arc<Notify>) -> Vec<Arc<Event>> {
    let mut events = Vec::new();
    let mut take = |item: Option<Result<WatchItem, StoreError>>| match item {
        Some(Ok(WatchItem::Event(event))) => events.push(event),
        Some(Ok(WatchItem::Progress(_))) => {}
        other => panic!("the watch ended: {other:?}"),
    };
    loop {
        tokio::select! {
            biased;
            () = finished.notified() => break,
            item = watch.next() => take(item),
        }
    }
    // Every event up to the newest revision is there.
    while let Some(item) = tokio::task::unconstrained(watch.next()).now_or_never() {
        take(item);
    }
    events
}

/// The clock that all clients share: it only orders.
#[derive(Debug, Default)]
pub struct Recorder {
    ticks: AtomicU64,
}

impl Recorder {
    pub fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
}

struct Client {
    store: Arc<dyn Store>,
    recorder: Arc<Recorder>,
    random: Random,
    name: usize,
    /// What the client last knew of each key.
    known: Vec<Option<Entry>>,
    calls: Vec<Call>,
}

impl Client {
    async fn run(mut self, calls: usize) -> Vec<Call> {
        let mut step = 0;
        while self.calls.len() < calls && step < 2 * calls {
            step += 1;
            match self.random.below(100) {
                0..65 => self.get(self.any_key()).await,
                65..68 => self.list().await,
                68..71 => self.check().await,
                71..78 => self.transact(step).await,
                78..83 => self.delete().await,
                _ => self.put(step).await,
            }
            if step % 16 == 0 {
                // On one thread, others would wait for this one's end where the store is memory alone.
                tokio::task::yield_now().await;
            }
        }
        self.calls
    }

    async fn get(&mut self, key: u64) {
        let invoked = self.recorder.tick();
        match self.store.get(&name(key), ReadAt::Newest).await {
            Ok(entry) => {
                self.known[key as usize] = entry.clone();
                self.record(invoked, Outcome::Got { key: name(key).into(), entry });
            }
            Err(error) => expect_unavailable(&error),
        }
    }

    async fn list(&mut self) {
        let group = format!("g{}/", self.random.below(GROUPS));
        let invoked = self.recorder.tick();
        match self.store.range(prefix(&group)).await {
            Ok(range) => self.record(invoked, Outcome::Listed { prefix: group, range }),
            Err(error) => expect_unavailable(&error),
        }
    }

    async fn put(&mut self, step: usize) {
        let key = self.any_key();
        self.look_perhaps(key).await;
        let operation = Operation::put(name(key), self.value(step, 0), self.expectation(key));
        self.commit(vec![operation]).await;
    }

    async fn delete(&mut self) {
        let key = self.any_key();
        self.look_perhaps(key).await;
        let operation = Operation::delete(name(key), self.expectation(key));
        self.commit(vec![operation]).await;
    }

    async fn check(&mut self) {
        let (first, second) = self.two_keys();
        let operations = vec![
            Operation::check(name(first), self.expectation(first)),
            Operation::check(name(second), self.expectation(second)),
        ];
        self.commit(operations).await;
    }

    async fn transact(&mut self, step: usize) {
        let (first, second) = self.two_keys();
        self.look_perhaps(first).await;
        self.look_perhaps(second).await;
        let expect = self.expectation(second);
        let partner = match self.random.below(4) {
            0 => Operation::delete(name(second), expect),
            1 => Operation::check(name(second), expect),
            _ => Operation::put(name(second), self.value(step, 1), expect),
        };
        let operation = Operation::put(name(first), self.value(step, 0), self.expectation(first));
        self.commit(vec![operation, partner]).await;
    }

    /// Most keys have changed since the client knew them last; some writers look first.
    async fn look_perhaps(&mut self, key: u64) {
        if self.random.below(2) == 0 {
            self.get(key).await;
        }
    }

    async fn commit(&mut self, operations: Vec<Operation>) {
        let invoked = self.recorder.tick();
        let answer = self.store.commit(Transaction { operations: operations.clone(), author: None }).await;
        let outcome = match answer {
            Ok(committed) => {
                for (operation, entry) in operations.iter().zip(&committed.entries) {
                    let after = if matches!(operation.action, store::Action::Delete) { &None } else { entry };
                    self.known[number(&operation.key)] = after.clone();
                }
                Outcome::Committed { operations, committed }
            }
            Err(StoreError::Conflict { key, current }) => {
                self.known[number(&key)] = current.clone();
                Outcome::Conflicted { operations, key, current }
            }
            Err(error) => {
                expect_unavailable(&error);
                Outcome::Unknown { operations }
            }
        };
        self.record(invoked, outcome);
    }

    fn record(&mut self, invoked: u64, outcome: Outcome) {
        self.calls.push(Call { invoked, returned: self.recorder.tick(), outcome });
    }

    fn any_key(&self) -> u64 {
        self.random.below(GROUPS * KEYS)
    }

    fn two_keys(&self) -> (u64, u64) {
        let first = self.any_key();
        (first, (first + 1 + self.random.below(GROUPS * KEYS - 1)) % (GROUPS * KEYS))
    }

    /// Mostly what the client knows, which may have changed.
    fn expectation(&self, key: u64) -> Expect {
        match (self.random.below(8), &self.known[key as usize]) {
            (0, _) => Expect::Anything,
            (_, Some(entry)) => Expect::At(entry.modified),
            (_, None) => Expect::Absent,
        }
    }

    /// Written by nobody else.
    fn value(&self, step: usize, part: usize) -> bytes::Bytes {
        text(&format!("{}.{step}.{part}", self.name))
    }
}

fn name(key: u64) -> String {
    format!("g{}/k{}", key / KEYS, key % KEYS)
}

fn number(key: &str) -> usize {
    (0..GROUPS * KEYS).position(|number| name(number) == key).expect("a key of this workload")
}

/// Where a store is disturbed, this is all it may say.
fn expect_unavailable(error: &StoreError) {
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
}

/// The newest revision of a record, for those who go on from there.
impl Record {
    pub fn newest(&self) -> Revision {
        self.events.last().map_or(Revision(0), |event| event.revision)
    }
}
