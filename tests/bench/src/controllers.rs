//! The API server over the embedded store, the controllers and the scheduler, wired in one process as the program
//! wires them, with nodes whose kubelets only say that they run their pods. The kubelets' work counts as ours:
//! elsewhere it is done on their own machines.

mod kubelet;
mod ledger;
mod requests;
mod world;

use std::time::Duration;

use client::kube::Api;
use client::kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use futures::{StreamExt, TryStreamExt};
use kinds::k8s::api::apps::v1::Deployment;
use kinds::k8s::api::core::v1::{ConfigMap, Namespace, Pod, Service};
use serde_json::{Value, json};

use crate::figures::{Aim, Figure, Quantity};
use crate::machine::{now, own_processor_seconds};
use crate::{Bench, Measurement};
use ledger::Ledger;
use requests::Requests;
use world::World;

pub(crate) const MEASUREMENTS: &[Measurement] = &[
    ("Deployment of 5,000 pods", deployment),
    ("Namespace of 10,000 objects", namespace),
    ("Rest with 10,000 pods", rest),
];

/// As upstream's default; the last node is not filled.
const PODS_PER_NODE: usize = 110;
/// Requests of the administrator that are under way at once.
const REQUESTS: usize = 32;
/// How long nothing is written before the cluster counts as being at rest.
const QUIET: Duration = Duration::from_secs(3);

fn deployment(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let count = bench.scaled(5_000);
    crate::api::server::runtime()?.block_on(async {
        let world = World::start(&bench.folder.join("deployment"), nodes_for(count)).await?;
        world.quiet(QUIET).await?;
        let services: Api<Service> = Api::namespaced(world.admin.clone(), "default");
        services.create(&PostParams::default(), &parse(service())?).await?;

        let (empty, asked) = (world.ledger(), Requests::of(&world.admin).await?);
        let (began, processor) = (now(), own_processor_seconds()?);
        create_deployment(&world, count).await?;
        world.until("every pod to be bound", |ledger| ledger.bound >= count).await?;
        let bound = began.elapsed();
        world.until("every pod to run", |ledger| ledger.running >= count).await?;
        let running = began.elapsed();
        let creating = own_processor_seconds()? - processor;
        let (created, creation) = (world.ledger(), Requests::of(&world.admin).await?.since(asked));
        world.quiet(QUIET).await?;

        let before = world.ledger();
        make_unready(&world).await?;
        world
            .until("the slice to follow", |ledger| ledger.writes("endpointslices") > before.writes("endpointslices"))
            .await?;
        world.quiet(QUIET).await?;
        let slices = world.ledger().writes("endpointslices") - before.writes("endpointslices");

        let (full, asked) = (world.ledger(), Requests::of(&world.admin).await?);
        let (began, processor) = (now(), own_processor_seconds()?);
        scale(&world, 0).await?;
        world.until("every pod to go", |ledger| ledger.live("pods") == 0).await?;
        let gone = began.elapsed();
        let removing = own_processor_seconds()? - processor;
        let (emptied, removal) = (world.ledger(), Requests::of(&world.admin).await?.since(asked));
        world.end().await?;
        let seconds = |most: f64| Aim::AtMost(Quantity::Seconds(most));
        Ok(vec![
            written(
                &empty,
                &created,
                Figure::new(format!("create, to all {} running", Quantity::count(count)), running.into()),
            )
            .detail("requests a pod", Quantity::Times(creation.all as f64 / count as f64))
            .detail("all bound", bound.into())
            .detail("processor", Quantity::Seconds(creating))
            .aim(seconds(10.0)),
            Figure::new("slices written when one pod of the service changes", Quantity::count(slices))
                .detail("slices", Quantity::count(before.live("endpointslices")))
                .aim(Aim::AtMost(Quantity::Count(1.0))),
            written(&full, &emptied, Figure::new("scale to 0, to all gone", gone.into()))
                .detail("requests a pod", Quantity::Times(removal.all as f64 / count as f64))
                .detail("processor", Quantity::Seconds(removing))
                .aim(seconds(5.0)),
            Figure::new("lists asked for by all components in both", Quantity::count(creation.lists + removal.lists))
                .aim(Aim::AtMost(Quantity::Count(0.0))),
        ])
    })
}

/// How much was written of what is not pods: nobody needs it as often as there are pods.
fn written(before: &Ledger, after: &Ledger, figure: Figure) -> Figure {
    let kinds = ["events", "endpointslices", "endpoints", "replicasets", "deployments"];
    kinds
        .into_iter()
        .fold(figure, |figure, kind| figure.detail(kind, Quantity::count(after.writes(kind) - before.writes(kind))))
}

fn namespace(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let count = bench.scaled(10_000);
    crate::api::server::runtime()?.block_on(async {
        let world = World::start(&bench.folder.join("namespace"), 0).await?;
        let namespaces: Api<Namespace> = Api::all(world.admin.clone());
        namespaces.create(&PostParams::default(), &parse(json!({"metadata": {"name": "crowded"}}))?).await?;
        let objects: Api<ConfigMap> = Api::namespaced(world.admin.clone(), "crowded");
        let object = |number: usize| json!({"metadata": {"name": format!("object-{number:05}")}, "data": {"a": "b"}});
        futures::stream::iter(0..count)
            .map(|number| {
                let objects = objects.clone();
                async move { anyhow::Ok(objects.create(&PostParams::default(), &parse(object(number))?).await.map(drop)?) }
            })
            .buffer_unordered(REQUESTS)
            .try_collect::<()>()
            .await?;
        world.quiet(QUIET).await?;
        let others = world.ledger().live("configmaps") - count;
        let (began, processor) = (now(), own_processor_seconds()?);
        namespaces.delete("crowded", &DeleteParams::default()).await?;
        let before = world.ledger().live("namespaces");
        // One of the others is the namespace's own, which goes with it.
        world.until("the namespace to go", |ledger| ledger.live("namespaces") < before).await?;
        let took = began.elapsed();
        let processor = own_processor_seconds()? - processor;
        anyhow::ensure!(world.ledger().live("configmaps") < others, "objects were left behind");
        world.end().await?;
        Ok(vec![
            Figure::new(format!("delete with {} objects, to gone", Quantity::count(count)), took.into())
                .detail("processor", Quantity::Seconds(processor))
                .aim(Aim::AtMost(Quantity::Seconds(5.0))),
        ])
    })
}

fn rest(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let count = bench.scaled(10_000);
    let window = Duration::from_secs(if bench.quick { 10 } else { 30 });
    crate::api::server::runtime()?.block_on(async {
        let world = World::start(&bench.folder.join("rest"), nodes_for(count)).await?;
        world.quiet(QUIET).await?;
        let empty = at_rest(&world, window).await?;
        create_deployment(&world, count).await?;
        world.until("every pod to run", |ledger| ledger.running >= count).await?;
        world.quiet(QUIET).await?;
        let full = at_rest(&world, window).await?;
        world.end().await?;
        Ok(vec![
            Figure::new("writes that renew no lease", Quantity::count(full.writes))
                .detail("leases renewed", Quantity::count(full.leases))
                .detail("seconds", Quantity::Seconds(window.as_secs_f64()))
                .aim(Aim::AtMost(Quantity::Count(0.0))),
            Figure::new(
                "processor time a second that the pods cost",
                Quantity::Seconds((full.processor - empty.processor).max(0.0)),
            )
            .detail("with all leases", Quantity::Seconds(full.processor))
            .detail("the same nodes without pods", Quantity::Seconds(empty.processor))
            .aim(Aim::AtMost(Quantity::Seconds(0.005))),
        ])
    })
}

struct Rest {
    writes: usize,
    leases: usize,
    /// Seconds of processor time a second.
    processor: f64,
}

async fn at_rest(world: &World, window: Duration) -> anyhow::Result<Rest> {
    let (before, processor) = (world.ledger(), own_processor_seconds()?);
    tokio::time::sleep(window).await;
    let after = world.ledger();
    let leases = after.writes("leases") - before.writes("leases");
    Ok(Rest {
        writes: after.all_writes() - before.all_writes() - leases,
        leases,
        processor: (own_processor_seconds()? - processor) / window.as_secs_f64(),
    })
}

fn nodes_for(pods: usize) -> usize {
    pods.div_ceil(PODS_PER_NODE) + 1
}

async fn create_deployment(world: &World, replicas: usize) -> anyhow::Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(world.admin.clone(), "default");
    let deployment = json!({
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{
                    "name": "main", "image": "web:1",
                    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}},
                    "ports": [{"containerPort": 80}],
                }]},
            },
        },
    });
    deployments.create(&PostParams::default(), &parse(deployment)?).await?;
    Ok(())
}

async fn scale(world: &World, replicas: usize) -> anyhow::Result<()> {
    let deployments: Api<Deployment> = Api::namespaced(world.admin.clone(), "default");
    let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
    deployments.patch_scale("web", &PatchParams::default(), &patch).await?;
    Ok(())
}

fn service() -> Value {
    json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}})
}

/// As its kubelet would say of one pod.
async fn make_unready(world: &World) -> anyhow::Result<()> {
    let pods: Api<Pod> = Api::namespaced(world.admin.clone(), "default");
    let one = pods.list(&client::kube::api::ListParams::default().limit(1)).await?;
    let name = one.items.first().and_then(|pod| pod.metadata.name.clone()).unwrap_or_default();
    let patch = json!({"status": {"conditions": [
        {"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "False"},
    ]}});
    pods.patch_status(&name, &PatchParams::default(), &Patch::Strategic(patch)).await?;
    Ok(())
}

fn parse<K: reconcile::Kind>(manifest: Value) -> anyhow::Result<K> {
    Ok(serde_json::from_value(manifest)?)
}
