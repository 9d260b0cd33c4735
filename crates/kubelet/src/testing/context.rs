//! What workers and the server share, over an API and a runtime of data.

use std::sync::Arc;

use reconcile::{Informer, ListOptions, Recorder};
use stdx::Ambient;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use super::api_server::FakeApi;
use super::runtime::FakeRuntime;
use super::{NoMounts, node_facts};
use crate::config::NodeFacts;
use crate::managers::Managers;
use crate::managers::devices::Devices;
use crate::pod::Context;
use crate::policy::Policy;
use crate::references::References;
use crate::volumes::tokens::{ApiTokens, Tokens};

pub(crate) struct World {
    pub(crate) context: Arc<Context>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) cancel: CancellationToken,
}

impl World {
    pub(crate) fn new() -> World {
        let ambient = Ambient::simulated(1);
        World::with(&FakeApi::default(), &FakeRuntime::new(ambient.clock), ambient)
    }

    pub(crate) fn with(api: &FakeApi, runtime: &Arc<FakeRuntime>, ambient: Ambient) -> World {
        let folder = tempfile::tempdir().unwrap();
        let cancel = CancellationToken::new();
        let client = api.client();
        let node = NodeFacts {
            root_dir: folder.path().join("kubelet"),
            pod_log_dir: folder.path().join("logs"),
            ..node_facts()
        };
        let services = client::Api::all(client.clone());
        let nodes = client::Api::all(client.clone());
        let context = Arc::new(Context {
            client: client.clone(),
            runtime: Arc::clone(runtime) as _,
            images: Arc::clone(runtime) as _,
            node,
            ambient: ambient.clone(),
            recorder: Recorder::start(client.clone(), "kubelet", Some("node"), &ambient, cancel.clone()),
            references: References::new(client.clone(), ambient.clone(), Arc::new(|_| {}), cancel.clone()),
            services: Informer::start(services, ListOptions::default(), &ambient, cancel.clone()),
            tokens: Tokens::new(Arc::new(ApiTokens::new(client))),
            mounter: Box::new(NoMounts),
            registries: crate::pod::images::SilentRegistries::default(),
            own_node: Informer::start(nodes, ListOptions::default(), &ambient, cancel.clone()),
            mailboxes: Arc::default(),
            pressures: crate::node::machine::Pressures::default(),
            managers: Arc::new(managers(&folder, &ambient)),
            is_shutting_down: std::sync::atomic::AtomicBool::new(false),
            volumes_in_use: crate::volumes::attach::VolumesInUse::default(),
            mounted_claims: crate::volumes::claims::MountedClaims::default(),
            probe_counts: crate::counts::Counts::default(),
            eviction_counts: crate::counts::Counts::default(),
            node_changed: Arc::new(Notify::new()),
            runtime_events: watch::Sender::new(0),
            started_at: ambient.clock.instant(),
            booted_at: jiff::Timestamp::UNIX_EPOCH,
        });
        World { context, folder, cancel }
    }
}

/// Of a machine with four processors, under no policy.
fn managers(folder: &tempfile::TempDir, ambient: &Ambient) -> Managers {
    let plugins = folder.path().join("device-plugins");
    let devices = Devices::open(&plugins, Arc::new(Notify::new()), ambient.clock).unwrap();
    let topology = crate::managers::topology::tests::machine(1, 1, 4, 1, 8);
    Managers::open(folder.path(), &Policy::default(), topology, Arc::new(devices)).unwrap()
}
