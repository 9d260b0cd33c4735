//! Lists: a thousand pods by many clients, all of many objects, and few out of many.

use futures::future::try_join_all;

use super::client::{Connection, Target, request};
use super::verbs::fill;
use super::{Servers, block_on, make_namespace, objects};
use crate::Bench;
use crate::durations::{Durations, median};
use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, processor_seconds};
use crate::values;

/// A pod of upstream's measurement, as it is answered.
const POD_BYTES: usize = 2700;
const CLIENTS: usize = 16;
const GROUPS: usize = 1000;

const PODS: &str = "/api/v1/namespaces/lists/pods";
const MAPS: &str = "/api/v1/namespaces/lists/configmaps";

pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let servers = Servers::start(&bench.folder, "lists")?;
    let mut figures = Vec::new();
    block_on(async {
        make_namespace(&mut servers.api.connect().await?, "lists").await?;
        figures.extend(thousand_pods(bench, &servers).await?);
        figures.extend(everything(bench, &servers).await?);
        anyhow::Ok(())
    })?;
    servers.end()?;
    Ok(figures)
}

async fn thousand_pods(bench: &Bench, servers: &Servers) -> anyhow::Result<Vec<Figure>> {
    let padding = pod_padding(&servers.api, POD_BYTES).await?;
    fill(&servers.api, PODS, 1000, |number| objects::pod("lists", &format!("pod-{number}"), number, &padding)).await?;
    let cached = request("GET", &format!("{PODS}?resourceVersion=0"));
    let consistent = request("GET", PODS);
    let mut connections = connect(&servers.api).await?;
    let mut constants = connect(&servers.constant).await?;
    let bytes = connections[0].drain(&consistent).await?;
    let constant = request("GET", &format!("/{bytes}"));

    let mut rounds = [const { Vec::new() }; 3];
    for _ in 0..bench.rounds().min(3) {
        rounds[0].push(run(bench, &mut connections, &cached, servers.api_pid()).await?);
        rounds[1].push(run(bench, &mut connections, &consistent, servers.api_pid()).await?);
        rounds[2].push(run(bench, &mut constants, &constant, servers.constant_pid()).await?);
    }
    let [cached, consistent, constants] = rounds;
    let rates = |rounds: &[Round]| median(rounds.iter().map(|round| round.rate).collect());
    let figure = |name: &str, rounds: &[Round], upstream| {
        let mut delays = Durations::default();
        rounds.iter().for_each(|round| delays.merge(&round.delays));
        Figure::new(format!("1,000 pods, {CLIENTS} clients, {name}"), Quantity::PerSecond(rates(rounds)))
            .detail("p99", delays.percentile(0.99).into())
            .detail("CPU", Quantity::Seconds(processor_each(rounds)))
            .beside("upstream", Quantity::PerSecond(upstream))
            .aim(Aim::ShareAtLeast(10.0))
    };
    let share = median(cached.iter().zip(&constants).map(|(list, constant)| list.rate / constant.rate).collect());
    Ok(vec![
        figure("from the cache", &cached, 64.0),
        figure("consistent", &consistent, 36.0),
        Figure::new("1,000 pods beside a constant", Quantity::PerSecond(rates(&cached)))
            .detail("body", Quantity::Bytes(bytes as f64))
            .detail("constant's CPU", Quantity::Seconds(processor_each(&constants)))
            .beside("constant answer", Quantity::PerSecond(rates(&constants)))
            .share(share),
    ])
}

/// Everything of many, and one in a thousand of it.
async fn everything(bench: &Bench, servers: &Servers) -> anyhow::Result<Vec<Figure>> {
    let [some, all] = [bench.scaled(100_000), bench.scaled(300_000)];
    let map = |number: usize| {
        let labels = format!("\"group\":\"g{}\",\"app\":\"shop\"", number % GROUPS);
        objects::config_map("lists", &format!("map-{number}"), &labels, &format!("\"number\":\"{number}\""))
    };
    let mut figures = Vec::new();
    let mut connection = servers.api.connect().await?;
    let mut constant = servers.constant.connect().await?;
    let mut filled = 0;
    for count in [some, all] {
        fill(&servers.api, MAPS, count - filled, |number| map(filled + number)).await?;
        filled = count;
        let (mut lists, mut constants) = (Vec::new(), Vec::new());
        let mut bytes = 0;
        for _ in 0..3 {
            let began = now();
            bytes = connection.drain(&request("GET", MAPS)).await?;
            lists.push(began.elapsed().as_secs_f64());
            let answer = request("GET", &format!("/{bytes}"));
            constant.drain(&answer).await?;
            let began = now();
            constant.drain(&answer).await?;
            constants.push(began.elapsed().as_secs_f64());
        }
        let figure =
            Figure::new(format!("list of {} ConfigMaps", Quantity::count(count)), Quantity::Seconds(median(lists)))
                .detail("body", Quantity::Bytes(bytes as f64));
        let limit = Quantity::Seconds(median(constants));
        figures.push(if count == all {
            figure.detail("upstream", Quantity::Seconds(0.499)).beside("constant answer", limit)
        } else {
            figure.beside("constant answer", limit)
        });
    }
    figures.push(selective(bench, &mut connection, &mut constant, all).await?);
    Ok(figures)
}

async fn selective(
    bench: &Bench,
    connection: &mut Connection,
    constant: &mut Connection,
    count: usize,
) -> anyhow::Result<Figure> {
    let random = values::random();
    let (mut delays, mut constants) = (Durations::default(), Durations::default());
    let deadline = now() + bench.round() * 6;
    let mut bytes = 0;
    while now() < deadline {
        let group = random.below(GROUPS as u64);
        let began = now();
        bytes = connection.drain(&request("GET", &format!("{MAPS}?labelSelector=group%3Dg{group}"))).await?;
        delays.record(began.elapsed());
        let began = now();
        constant.drain(&request("GET", &format!("/{bytes}"))).await?;
        constants.record(began.elapsed());
    }
    Ok(Figure::new(
        format!("{} of {} by label, p99", Quantity::count(count / GROUPS), Quantity::count(count)),
        delays.percentile(0.99).into(),
    )
    .detail("p50", delays.percentile(0.5).into())
    .detail("body", Quantity::Bytes(bytes as f64))
    .detail("lists", Quantity::Count(delays.count() as f64))
    .beside("constant answer, p99", constants.percentile(0.99).into())
    .aim(Aim::AtMost(Quantity::Seconds(0.005))))
}

struct Round {
    rate: f64,
    delays: Durations,
    processor_seconds: f64,
}

fn processor_each(rounds: &[Round]) -> f64 {
    let seconds: f64 = rounds.iter().map(|round| round.processor_seconds).sum();
    seconds / rounds.iter().map(|round| round.delays.count()).sum::<u64>() as f64
}

async fn connect(target: &Target) -> anyhow::Result<Vec<Connection>> {
    try_join_all((0..CLIENTS).map(|_| target.connect())).await
}

/// The same request over all connections for a while.
async fn run(bench: &Bench, connections: &mut [Connection], request: &[u8], pid: u32) -> anyhow::Result<Round> {
    let processor = processor_seconds(pid)?;
    let began = now();
    let deadline = began + bench.round() * 3;
    let runs = connections.iter_mut().map(|connection| async move {
        let mut delays = Durations::default();
        while now() < deadline {
            let began = now();
            connection.drain(request).await?;
            delays.record(began.elapsed());
        }
        anyhow::Ok(delays)
    });
    let mut delays = Durations::default();
    try_join_all(runs).await?.iter().for_each(|part| delays.merge(part));
    let took = began.elapsed();
    let rate = delays.count() as f64 / took.as_secs_f64();
    Ok(Round { rate, delays, processor_seconds: processor_seconds(pid)? - processor })
}

/// The padding with which a pod is answered with this many bytes. The pod asked about it is not kept.
pub(crate) async fn pod_padding(target: &Target, bytes: usize) -> anyhow::Result<String> {
    let mut connection = target.connect().await?;
    let path = format!("{PODS}?dryRun=All").replace("lists", "default");
    let account = "/api/v1/namespaces/default/serviceaccounts";
    let body = "{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"default\"}}";
    // Nobody else makes it here, but a second server on the same folder may find it.
    connection.ask(&super::client::request_with("POST", account, body)).await?;
    let pod = objects::pod("default", "pod-50000", 50_000, "");
    let bare = connection.must(&super::client::request_with("POST", &path, &pod)).await?.len();
    Ok(values::text(&values::random(), bytes.saturating_sub(bare)))
}
