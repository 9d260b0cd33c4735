//! The kubelet: it runs a node's pods through [`cri`] and tells the API what became of them.
//!
//! `pod` holds the machine (what to do, as a pure function) and the workers that carry it out;
//! `config` turns pods into CRI's configurations, `volumes` makes what they mount, `probe` asks how
//! they are; `node` keeps the node's own object; `server` answers the API server's questions.
//!
//! **Invariant:** nothing polls. A worker waits for its pod, a runtime event, a probe's verdict, an
//! object it refers to, or a deadline it computed.

mod config;
mod counts;
mod eviction;
mod housekeeping;
mod managers;
mod node;
mod pod;
mod policy;
mod probe;
mod references;
mod server;
mod settings;
mod shutdown;
mod static_pods;
mod termination;
#[cfg(test)]
mod testing;
mod usage;
mod userns;
mod volumes;

use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use api::k8s::api::core::v1::{Node, Pod, Service};
use client::{Api, Client};
use reconcile::{Informer, ListOptions, Recorder};
use stdx::{Ambient, Backoff};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use config::NodeFacts;
use counts::Counts;
use housekeeping::logs::LogKeeper;
use managers::Managers;
use managers::devices::Devices;
use managers::topology::Topology;
use node::{NodeKeeper, machine};
use pod::Context;
use pod::manager::{Mailboxes, Pods};
use references::References;
use static_pods::StaticPods;
use volumes::attach::VolumesInUse;
use volumes::claims::MountedClaims;
use volumes::mounts::KernelMounter;
use volumes::tokens::{ApiTokens, Tokens};

pub struct Config {
    pub node_name: String,
    pub node_ip: IpAddr,
    pub client: Client,
    pub runtime: Arc<dyn cri::RuntimeService>,
    pub images: Arc<dyn cri::ImageService>,
    /// Pods' volumes and small files, the sockets of device plugins and monitors; a `config.yaml` in it is obeyed.
    pub root_dir: PathBuf,
    pub pod_log_dir: PathBuf,
    /// Manifests of pods that this node runs whatever the API says.
    pub static_pod_dir: PathBuf,
    /// The cgroup below which every pod's lies, e.g. `/pintle/pods`.
    pub cgroup_root: String,
    pub cluster_dns: IpAddr,
    pub cluster_domain: String,
    pub api_server_ca_pem: String,
    /// The node API's port.
    pub listener: TcpListener,
    pub tls: Arc<rustls::ServerConfig>,
    pub ambient: Ambient,
    pub cancel: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the container runtime does not say what it is")]
    Runtime(#[source] cri::Status),
    #[error("cannot make {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the node API's listener has no address")]
    Listener(#[source] io::Error),
    #[error("the configuration {} is wrong", path.display())]
    Settings {
        path: PathBuf,
        #[source]
        source: settings::SettingsError,
    },
    #[error("the machine's processors and memory cannot be read")]
    Topology(#[source] io::Error),
    #[error("the devices that containers have cannot be read")]
    Devices(#[source] managers::devices::CheckpointError),
    #[error("the resource managers cannot begin")]
    Managers(#[source] managers::OpenError),
}

/// Runs the node until cancelled. Its pods go on without it.
pub async fn run(config: Config) -> Result<(), Error> {
    let Config { node_name, client, root_dir, pod_log_dir, listener, tls, ambient, cancel, .. } = config;
    for path in [&root_dir, &pod_log_dir] {
        std::fs::create_dir_all(path).map_err(|source| Error::Folder { path: path.clone(), source })?;
    }
    let port = listener.local_addr().map_err(Error::Listener)?.port();
    let machine = machine::read(&root_dir);
    let policy = settings::read(&root_dir);
    let policy = policy.map_err(|source| Error::Settings { path: root_dir.join(settings::FILE), source })?;
    let policy = Arc::new(policy);
    let node_changed = Arc::new(Notify::new());
    let plugins_dir = root_dir.join("device-plugins");
    let devices = Devices::open(&plugins_dir, Arc::clone(&node_changed), ambient.clock).map_err(Error::Devices)?;
    let devices = Arc::new(devices);
    let memory_bytes = u64::try_from(machine.memory_bytes).unwrap_or(0);
    let topology = Topology::read(Path::new("/sys"), memory_bytes).map_err(Error::Topology)?;
    let managers = Managers::open(&root_dir, &policy, topology, Arc::clone(&devices)).map_err(Error::Managers)?;
    let managers = Arc::new(managers);
    let pod_resources_dir = root_dir.join("pod-resources");
    let asked = cri::VersionRequest { version: "v1".to_owned() };
    let version = config.runtime.version(asked).await.map_err(Error::Runtime)?;
    let facts = NodeFacts {
        node_name: node_name.clone(),
        runtime_name: version.runtime_name,
        node_ips: vec![config.node_ip.to_string()],
        cluster_dns: config.cluster_dns.to_string(),
        cluster_domain: config.cluster_domain,
        root_dir,
        pod_log_dir,
        cgroup_root: config.cgroup_root,
        cgroup_mount: PathBuf::from("/sys/fs/cgroup"),
        pod_pids_limit: policy.pod_pids_limit,
        cpu_millis: machine.cpu_millis,
        memory_bytes: machine.memory_bytes,
        page_sizes: machine.huge_pages.keys().copied().collect(),
        has_app_armor: machine.has_app_armor,
        ephemeral_storage_bytes: machine.disk_bytes,
        resolv_conf: PathBuf::from("/etc/resolv.conf"),
    };
    let mailboxes = Arc::new(Mailboxes::default());
    let told = Arc::clone(&mailboxes);
    let notify: references::Notify = Arc::new(move |uid| told.references_changed(uid));
    let services: Api<Service> = Api::all(client.clone());
    let nodes: Api<Node> = Api::all(client.clone());
    let this_node = ListOptions::fields(format!("metadata.name={node_name}"));
    let context = Arc::new(Context {
        client: client.clone(),
        runtime: config.runtime,
        images: config.images,
        node: facts,
        ambient: ambient.clone(),
        recorder: Recorder::start(client.clone(), "kubelet", Some(&node_name), &ambient, cancel.clone()),
        references: References::new(client.clone(), ambient.clone(), notify, cancel.clone()),
        services: Informer::start(services, ListOptions::default(), &ambient, cancel.clone()),
        tokens: Tokens::new(Arc::new(ApiTokens::new(client.clone()))),
        mounter: Box::new(KernelMounter),
        registries: pod::images::SilentRegistries::default(),
        own_node: Informer::start(nodes, this_node, &ambient, cancel.clone()),
        mailboxes,
        pressures: machine::Pressures::default(),
        mounted_claims: MountedClaims::default(),
        volumes_in_use: VolumesInUse::default(),
        managers: Arc::clone(&managers),
        is_shutting_down: AtomicBool::new(false),
        probe_counts: Counts::default(),
        eviction_counts: Counts::default(),
        node_changed,
        runtime_events: watch::Sender::new(0),
        started_at: ambient.clock.instant(),
        booted_at: usage::booted_at().unwrap_or(jiff::Timestamp::UNIX_EPOCH),
    });
    let pods: Api<Pod> = Api::all(client.clone());
    let own =
        Informer::start(pods, ListOptions::fields(format!("spec.nodeName={node_name}")), &ambient, cancel.clone());
    let keeper = NodeKeeper { context: Arc::clone(&context), machine, policy: Arc::clone(&policy), port };
    let manager = Pods::new(Arc::clone(&context), cancel.clone());
    let eviction = eviction::Keeper::new(Arc::clone(&context), Arc::clone(&manager), Arc::clone(&policy));
    let logs = LogKeeper::new(Arc::clone(&context), Arc::clone(&policy));
    let statics = StaticPods::new(Arc::clone(&context), Arc::clone(&manager), config.static_pod_dir);
    let shutdown = shutdown::follow(Arc::clone(&context), Arc::clone(&manager), policy.shutdown_graces.clone());
    let sockets = serve_sockets(devices, managers, &pod_resources_dir, Arc::clone(&context.mailboxes), cancel.clone());
    let server = server::Server::new(Arc::clone(&context), own.clone(), policy, port);
    let work = async {
        tokio::join!(
            keeper.run(),
            run_pods(&context, &manager, &own, statics),
            eviction.run(),
            logs.run(),
            managers::keep_shared(&context),
            shutdown,
            sockets,
            server.run(listener, tls, cancel.clone()),
        )
    };
    cancel.run_until_cancelled(work).await;
    Ok(())
}

/// Device plugins register at one socket, monitors ask at another. A node without either is still a node.
async fn serve_sockets(
    devices: Arc<Devices>,
    managers: Arc<Managers>,
    pod_resources_dir: &Path,
    mailboxes: Arc<Mailboxes>,
    cancel: CancellationToken,
) {
    let absent = devices.forget_the_absent();
    let plugins = async {
        if let Err(error) = managers::devices::serve(Arc::clone(&devices), cancel.clone()).await {
            tracing::warn!(%error, "device plugins cannot register");
        }
    };
    let resources = async {
        let served = managers::pod_resources::serve(pod_resources_dir, managers, mailboxes, cancel.clone());
        if let Err(error) = served.await {
            tracing::warn!(%error, "pods' resources cannot be asked for");
        }
    };
    tokio::join!(absent, plugins, resources);
}

/// Pods begin once it is known which Services there are and what the runtime still holds.
async fn run_pods(context: &Context, manager: &Arc<Pods>, own: &Informer<Pod>, statics: StaticPods) {
    context.services.synced().await;
    own.synced().await;
    context.own_node.synced().await;
    // Before the mirrors, which without their pods would be taken away.
    statics.apply().await;
    manager.release_allotments(own);
    manager.follow(own);
    context.volumes_in_use.pods_are_known();
    context.node_changed.notify_one();
    let orphans = async {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        while let Err(status) = manager.remove_orphans(own).await {
            tracing::warn!(error = %status, "pods that are gone were not removed");
            context.ambient.clock.sleep(backoff.next_delay()).await;
        }
    };
    tokio::join!(orphans, manager.listen(), statics.run());
}
