//! From the order for a sandbox with a container to its running process, through the runtime's socket, beside crun.

use std::time::Duration;

use cri::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, ImageSpec, LinuxContainerConfig,
    LinuxContainerSecurityContext, LinuxPodSandboxConfig, LinuxSandboxSecurityContext, NamespaceMode, NamespaceOption,
    PodSandboxConfig, PodSandboxMetadata, RemovePodSandboxRequest, RunPodSandboxRequest, RuntimeClient, RuntimeService,
    SecurityProfile, StartContainerRequest, StopPodSandboxRequest,
};

use super::cluster::{Cluster, NAME, USUAL_PODS};
use super::crun::Crun;
use crate::Bench;
use crate::durations::{Durations, median};
use crate::figures::{Aim, Figure};
use crate::machine::now;

const ROUNDS: usize = 40;

pub(super) fn measure(bench: &Bench) -> anyhow::Result<Vec<Figure>> {
    let cluster = Cluster::start(bench, &["busybox"], USUAL_PODS)?;
    let figures = crate::api::server::runtime()?.block_on(starts(bench, &cluster))?;
    cluster.destroy()?;
    Ok(figures)
}

async fn starts(bench: &Bench, cluster: &Cluster) -> anyhow::Result<Vec<Figure>> {
    let runtime = cluster.runtime()?;
    let model = start(&runtime, 0).await?;
    let container = cluster.data().join("containers").join(&model.container);
    let mut crun = Crun::like(&container, bench.folder.join("crun"))?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for number in 1..=bench.scaled(ROUNDS) {
        let started = start(&runtime, number).await?;
        ours.push(started.took);
        remove(&runtime, started).await?;
        theirs.push(crun.start(number)?);
        crun.remove(number)?;
    }
    crun.end()?;
    remove(&runtime, model).await?;

    let shares = ours.iter().zip(&theirs).map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64()).collect();
    let [ours, theirs] = [ours, theirs].map(|delays| {
        let mut all = Durations::default();
        delays.into_iter().for_each(|delay| all.record(delay));
        all
    });
    Ok(vec![
        Figure::new("to a running process, p50", ours.percentile(0.5).into())
            .detail("p90", ours.percentile(0.9).into())
            .detail("crun's p90", theirs.percentile(0.9).into())
            .beside("crun run and ip", theirs.percentile(0.5).into())
            .share(median(shares))
            .aim(Aim::ShareAtMost(1.5)),
    ])
}

struct Started {
    sandbox: String,
    container: String,
    took: Duration,
}

async fn start(runtime: &RuntimeClient, number: usize) -> anyhow::Result<Started> {
    let sandbox = sandbox(number);
    let began = now();
    let request = RunPodSandboxRequest { config: Some(sandbox.clone()), runtime_handler: String::new() };
    let pod_sandbox_id = runtime.run_pod_sandbox(request).await?.pod_sandbox_id;
    let request = CreateContainerRequest {
        pod_sandbox_id: pod_sandbox_id.clone(),
        config: Some(container()),
        sandbox_config: Some(sandbox),
    };
    let container_id = runtime.create_container(request).await?.container_id;
    runtime.start_container(StartContainerRequest { container_id: container_id.clone() }).await?;
    Ok(Started { sandbox: pod_sandbox_id, container: container_id, took: began.elapsed() })
}

async fn remove(runtime: &RuntimeClient, started: Started) -> anyhow::Result<()> {
    let pod_sandbox_id = started.sandbox;
    runtime.stop_pod_sandbox(StopPodSandboxRequest { pod_sandbox_id: pod_sandbox_id.clone() }).await?;
    runtime.remove_pod_sandbox(RemovePodSandboxRequest { pod_sandbox_id }).await?;
    Ok(())
}

/// As the kubelet orders it for a pod that asks for nothing in particular.
fn sandbox(number: usize) -> PodSandboxConfig {
    let uid = format!("bench-{number}");
    let metadata =
        PodSandboxMetadata { name: uid.clone(), uid: uid.clone(), namespace: "default".to_owned(), attempt: 0 };
    let security_context = LinuxSandboxSecurityContext {
        namespace_options: Some(namespaces()),
        seccomp: Some(SecurityProfile::default()),
        ..LinuxSandboxSecurityContext::default()
    };
    PodSandboxConfig {
        metadata: Some(metadata),
        hostname: uid.clone(),
        linux: Some(LinuxPodSandboxConfig {
            cgroup_parent: format!("/{NAME}/pods/besteffort/pod{uid}"),
            security_context: Some(security_context),
            ..LinuxPodSandboxConfig::default()
        }),
        ..PodSandboxConfig::default()
    }
}

fn container() -> ContainerConfig {
    let security_context = LinuxContainerSecurityContext {
        namespace_options: Some(namespaces()),
        seccomp: Some(SecurityProfile::default()),
        ..LinuxContainerSecurityContext::default()
    };
    let linux = LinuxContainerConfig { security_context: Some(security_context), ..LinuxContainerConfig::default() };
    ContainerConfig {
        metadata: Some(ContainerMetadata { name: "main".to_owned(), attempt: 0 }),
        image: Some(ImageSpec { image: "docker.io/library/busybox:latest".to_owned(), ..ImageSpec::default() }),
        command: vec!["sleep".to_owned(), "1000000".to_owned()],
        linux: Some(linux),
        ..ContainerConfig::default()
    }
}

/// Each container has a process tree of its own.
fn namespaces() -> NamespaceOption {
    NamespaceOption { pid: NamespaceMode::Container.into(), ..NamespaceOption::default() }
}
