//! Create, get, update and delete of ConfigMaps of 1 KiB.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use futures::future::try_join_all;
use stdx::Random;

use super::client::{Connection, Target, request, request_with};
use super::{Servers, block_on, objects};
use crate::Bench;
use crate::durations::{Durations, median};
use crate::figures::{Aim, Figure, Quantity, Section};
use crate::machine::{now, processor_seconds};
use crate::values;

const VALUE_BYTES: usize = 1024;
const NAMESPACE: &str = "verbs";
const MAPS: &str = "/api/v1/namespaces/verbs/configmaps";

/// Upstream's figures with as many connections: create, get, update, delete per second.
const UPSTREAM: [(usize, [f64; 4]); 3] =
    [(1, [377.0, 933.0, 392.0, 358.0]), (16, [1293.0, 2718.0, 1195.0, 1035.0]), (64, [1511.0, 3274.0, 1438.0, 1286.0])];
/// Upstream's processor time of API server and store, with 64 connections.
const UPSTREAM_CREATE_SECONDS: f64 = 0.96e-3;
const UPSTREAM_GET_SECONDS: f64 = 0.49e-3;

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start(&bench.folder, "verbs")?;
    let random = values::random();
    let mut figures = Vec::new();
    block_on(async {
        let mut first = servers.api.connect().await?;
        super::make_namespace(&mut first, NAMESPACE).await?;
        for (connections, upstream) in UPSTREAM {
            let mut load = Load::new(&servers, connections, &random).await?;
            let mut phases = [const { Vec::new() }; 5];
            for _ in 0..bench.rounds().min(3) {
                for (phase, rates) in
                    [Verb::Create, Verb::Get, Verb::Constant, Verb::Update, Verb::Delete].into_iter().zip(&mut phases)
                {
                    rates.push(load.run(phase, &servers, bench.round()).await?);
                }
            }
            figures.extend(figures_of(connections, upstream, &phases));
        }
        anyhow::Ok(())
    })?;
    servers.end()?;
    Ok(figures)
}

/// One verb for so long, on objects made just before.
pub(crate) fn load(folder: &Path, verb: Verb, connections: usize, period: Duration) -> anyhow::Result<()> {
    let servers = Servers::start(folder, "load")?;
    block_on(async {
        super::make_namespace(&mut servers.api.connect().await?, NAMESPACE).await?;
        let mut load = Load::new(&servers, connections, &values::random()).await?;
        load.run(Verb::Create, &servers, period.min(Duration::from_secs(1))).await?;
        eprintln!("the API server is process {}, the constant answerer {}", servers.api_pid(), servers.constant_pid());
        let phase = load.run(verb, &servers, period).await?;
        println!("{}", Section { title: "Load", figures: vec![summary(many(connections), &[phase])] });
        anyhow::Ok(())
    })?;
    servers.end()
}

fn figures_of(connections: usize, upstream: [f64; 4], phases: &[Vec<Phase>; 5]) -> Vec<Figure> {
    let [creates, gets, constants, updates, deletes] = phases;
    let verb = |name: &str, phases: &[Phase], upstream: f64| {
        let figure =
            summary(format!("{name}, {}", many(connections)), phases).beside("upstream", Quantity::PerSecond(upstream));
        // With one connection the disk's sync is the limit of what is written.
        if connections == 1 { figure } else { figure.aim(Aim::ShareAtLeast(10.0)) }
    };
    let mut figures = vec![
        verb("create", creates, upstream[0]),
        verb("get", gets, upstream[1]),
        verb("update", updates, upstream[2]),
        verb("delete", deletes, upstream[3]),
    ];
    let share = median(gets.iter().zip(constants).map(|(get, constant)| get.rate() / constant.rate()).collect());
    let constant = Quantity::PerSecond(median(constants.iter().map(Phase::rate).collect()));
    figures.push(
        Figure::new(
            format!("get beside a constant, {}", many(connections)),
            Quantity::PerSecond(median(gets.iter().map(Phase::rate).collect())),
        )
        .detail("constant's CPU", Quantity::Seconds(processor_each(constants)))
        .beside("constant answer", constant)
        .share(share)
        .aim(Aim::ShareAtLeast(0.7)),
    );
    if connections == 64 {
        let each = |name: &str, phases: &[Phase], upstream, aim| {
            Figure::new(format!("CPU per {name}, 64 connections"), Quantity::Seconds(processor_each(phases)))
                .beside("upstream", Quantity::Seconds(upstream))
                .aim(Aim::AtMost(Quantity::Seconds(aim)))
        };
        figures.push(each("create", creates, UPSTREAM_CREATE_SECONDS, 0.08e-3));
        figures.push(each("get", gets, UPSTREAM_GET_SECONDS, 0.03e-3));
        let slowest = delays(creates).percentile(0.99);
        figures.push(
            Figure::new("create p99, 64 connections", slowest.into())
                .beside("upstream", Quantity::Seconds(0.231))
                .aim(Aim::AtMost(Quantity::Seconds(0.020))),
        );
    }
    figures
}

fn summary(what: String, phases: &[Phase]) -> Figure {
    let delays = delays(phases);
    Figure::new(what, Quantity::PerSecond(median(phases.iter().map(Phase::rate).collect())))
        .detail("p50", delays.percentile(0.5).into())
        .detail("p99", delays.percentile(0.99).into())
        .detail("CPU", Quantity::Seconds(processor_each(phases)))
}

fn delays(phases: &[Phase]) -> Durations {
    let mut all = Durations::default();
    phases.iter().for_each(|phase| all.merge(&phase.delays));
    all
}

fn processor_each(phases: &[Phase]) -> f64 {
    let seconds: f64 = phases.iter().map(|phase| phase.processor_seconds).sum();
    let count: u64 = phases.iter().map(|phase| phase.delays.count()).sum();
    seconds / count as f64
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Verb {
    Create,
    Get,
    /// A get of as many bytes from the server that answers constants.
    Constant,
    Update,
    Delete,
}

/// One verb for a while.
struct Phase {
    delays: Durations,
    took: Duration,
    processor_seconds: f64,
}

impl Phase {
    fn rate(&self) -> f64 {
        self.delays.count() as f64 / self.took.as_secs_f64()
    }
}

/// Connections with the objects that each has made.
struct Load {
    workers: Vec<Worker>,
    constants: Vec<Connection>,
    /// How long an object is as an answer.
    answer_bytes: usize,
}

struct Worker {
    connection: Connection,
    name: String,
    made: Vec<String>,
    next: usize,
    data: String,
}

impl Load {
    async fn new(servers: &Servers, connections: usize, random: &Random) -> anyhow::Result<Load> {
        let mut workers = Vec::new();
        for index in 0..connections {
            workers.push(Worker {
                connection: servers.api.connect().await?,
                name: format!("c{connections}-{index}"),
                made: Vec::new(),
                next: 0,
                data: format!("\"value\":\"{}\"", values::text(random, VALUE_BYTES)),
            });
        }
        let constants = try_join_all((0..connections).map(|_| servers.constant.connect())).await?;
        let mut load = Load { workers, constants, answer_bytes: 0 };
        let worker = &mut load.workers[0];
        worker.step(Verb::Create).await?;
        load.answer_bytes = worker.connection.must(&request("GET", &format!("{MAPS}/{}", worker.made[0]))).await?.len();
        Ok(load)
    }

    async fn run(&mut self, verb: Verb, servers: &Servers, period: Duration) -> anyhow::Result<Phase> {
        let pid = if matches!(verb, Verb::Constant) { servers.constant_pid() } else { servers.api_pid() };
        let processor = processor_seconds(pid)?;
        let began = now();
        let deadline = began + period;
        let mut delays = Durations::default();
        if matches!(verb, Verb::Constant) {
            let request = request("GET", &format!("/{}", self.answer_bytes));
            let runs = self.constants.iter_mut().map(|connection| constant(connection, &request, deadline));
            try_join_all(runs).await?.iter().for_each(|part| delays.merge(part));
        } else {
            let runs = self.workers.iter_mut().map(|worker| worker.run(verb, deadline));
            try_join_all(runs).await?.iter().for_each(|part| delays.merge(part));
        }
        Ok(Phase { delays, took: began.elapsed(), processor_seconds: processor_seconds(pid)? - processor })
    }
}

async fn constant(connection: &mut Connection, request: &[u8], deadline: Instant) -> anyhow::Result<Durations> {
    let mut delays = Durations::default();
    let mut began = now();
    while began < deadline {
        connection.must(request).await?;
        let ended = now();
        delays.record(ended - began);
        began = ended;
    }
    Ok(delays)
}

impl Worker {
    async fn run(&mut self, verb: Verb, deadline: Instant) -> anyhow::Result<Durations> {
        let mut delays = Durations::default();
        let mut began = now();
        while began < deadline && self.step(verb).await? {
            let ended = now();
            delays.record(ended - began);
            began = ended;
        }
        Ok(delays)
    }

    /// One request; false when there is nothing left to delete.
    async fn step(&mut self, verb: Verb) -> anyhow::Result<bool> {
        self.next += 1;
        let index = self.next % self.made.len().max(1);
        match verb {
            Verb::Create => {
                let name = format!("{}-{}", self.name, self.next);
                let body = objects::config_map(NAMESPACE, &name, "", &self.data);
                self.connection.must(&request_with("POST", MAPS, &body)).await?;
                self.made.push(name);
            }
            Verb::Get => {
                self.connection.must(&request("GET", &format!("{MAPS}/{}", self.made[index]))).await?;
            }
            Verb::Update => {
                let name = &self.made[index];
                // Every update changes something: one that does not is not written.
                let data = format!("{},\"number\":\"{}\"", self.data, self.next);
                let body = objects::config_map(NAMESPACE, name, "", &data);
                self.connection.must(&request_with("PUT", &format!("{MAPS}/{name}"), &body)).await?;
            }
            Verb::Delete => {
                // The first stays: it is what a get finds in a round whose deletes were quicker.
                if self.made.len() < 2 {
                    return Ok(false);
                }
                if let Some(name) = self.made.pop() {
                    self.connection.must(&request("DELETE", &format!("{MAPS}/{name}"))).await?;
                }
            }
            Verb::Constant => {}
        }
        Ok(true)
    }
}

/// Fills a server with objects, over many connections at once.
pub(crate) async fn fill(
    target: &Target,
    path: &str,
    count: usize,
    object: impl Fn(usize) -> String,
) -> anyhow::Result<u64> {
    const CONNECTIONS: usize = 64;
    let object = &object;
    let parts = (0..CONNECTIONS).map(|part| async move {
        let mut connection = target.connect().await?;
        let mut bytes = 0;
        for number in (part..count).step_by(CONNECTIONS) {
            bytes += connection.must(&request_with("POST", path, &object(number))).await?.len() as u64;
        }
        anyhow::Ok(bytes)
    });
    Ok(try_join_all(parts).await?.into_iter().sum())
}

fn many(connections: usize) -> String {
    if connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") }
}
