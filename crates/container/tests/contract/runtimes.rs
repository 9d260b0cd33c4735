//! The runtimes, each made when the first trial asks for it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use cri::*;
use cri_contract::{Containerd, IMAGE, Node, busybox_archive};
use stdx::Ambient;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    InProcess,
    Socket,
    Containerd,
}

impl Kind {
    pub(crate) const ALL: [Kind; 3] = [Kind::InProcess, Kind::Socket, Kind::Containerd];
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Kind::InProcess => "in_process",
            Kind::Socket => "socket",
            Kind::Containerd => "containerd",
        })
    }
}

pub(crate) struct Runtimes {
    executor: tokio::runtime::Runtime,
    folder: TempDir,
    ours: OnceLock<Ours>,
    theirs: OnceLock<Containerd>,
}

/// Our runtime, and the socket it is served at.
struct Ours {
    runtime: Arc<container::Runtime>,
    cancel: CancellationToken,
}

impl Runtimes {
    pub(crate) fn new() -> Arc<Self> {
        // Short: the path of a shim's socket must fit into a socket address.
        let folder = tempfile::Builder::new().prefix("pc").tempdir_in("/tmp").unwrap();
        let executor = tokio::runtime::Runtime::new().unwrap();
        Arc::new(Runtimes { executor, folder, ours: OnceLock::new(), theirs: OnceLock::new() })
    }

    pub(crate) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.executor.block_on(work)
    }

    pub(crate) fn get(&self, kind: Kind) -> Node {
        let (runtime, images): (Arc<dyn RuntimeService>, Arc<dyn ImageService>) = match kind {
            Kind::InProcess => (self.ours().runtime.clone(), self.ours().runtime.clone()),
            Kind::Socket => {
                self.ours();
                clients(&format!("unix://{}", self.socket().display()))
            }
            Kind::Containerd => clients(&self.theirs().endpoint()),
        };
        Node { runtime, images, folder: self.folder().to_owned(), cgroup: format!("/{}", self.cluster()) }
    }

    pub(crate) fn log(&self, kind: Kind) -> String {
        match kind {
            Kind::InProcess | Kind::Socket => String::new(),
            Kind::Containerd => self.theirs().log(),
        }
    }

    /// Ends all of them, and tells what is left.
    pub(crate) fn close(&self) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(ours) = self.ours.get() {
            ours.cancel.cancel();
            let (data, run) = (self.folder().join("data"), self.folder().join("run"));
            if let Err(error) = container::destroy(&data, &run, &self.cluster()) {
                left.push(stdx::error::chain(&error));
            }
        }
        if let Some(theirs) = self.theirs.get() {
            left.extend(theirs.leftovers());
            theirs.stop();
        }
        left.extend(self.remove_cgroups());
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
        let here = self.folder().display().to_string();
        left.extend(mounts.lines().filter(|line| line.contains(&here)).map(|line| format!("mount {line}")));
        left
    }

    /// Runtimes remove containers' groups; the pods' above them are the kubelet's to remove, and so ours. One that is
    /// not empty is a container's that was left.
    fn remove_cgroups(&self) -> Vec<String> {
        let mut find = Command::new("find");
        find.args(["/sys/fs/cgroup", "-depth", "-type", "d", "-path", &format!("*/{}*", self.cluster())]);
        let found = find.output().unwrap().stdout;
        let removed = String::from_utf8(found).unwrap();
        let removed = removed.lines().map(|group| (group, std::fs::remove_dir(group)));
        removed.filter_map(|(group, removed)| Some(format!("cgroup {group}: {}", removed.err()?))).collect()
    }

    fn ours(&self) -> &Ours {
        self.ours.get_or_init(|| {
            let config = container::Config {
                cluster: self.cluster(),
                data_dir: self.folder().join("data"),
                run_dir: self.folder().join("run"),
                network: Arc::new(FakeNetwork::default()),
                shim_program: env!("CARGO_BIN_EXE_shim-host").into(),
                ambient: Ambient::system(),
            };
            let cancel = CancellationToken::new();
            let runtime = self.wait(async {
                let runtime = container::Runtime::open(config).await.unwrap();
                let listener = bind(&self.socket()).unwrap();
                let clock = Ambient::system().clock;
                tokio::spawn(serve(listener, runtime.clone(), runtime.clone(), clock, cancel.clone()));
                let network_config = Some(NetworkConfig { pod_cidr: "10.244.0.0/24".to_owned() });
                let range = UpdateRuntimeConfigRequest { runtime_config: Some(RuntimeConfig { network_config }) };
                runtime.update_runtime_config(range).await.unwrap();
                runtime
            });
            let archive = self.folder().join("busybox.tar");
            std::fs::write(&archive, busybox_archive(IMAGE, &["sh"])).unwrap();
            runtime.images().load(&archive).unwrap();
            Ours { runtime, cancel }
        })
    }

    fn theirs(&self) -> &Containerd {
        self.theirs.get_or_init(|| {
            let containerd = Containerd::start(&self.folder().join("containerd"), Command::new);
            containerd.load(&busybox_archive(IMAGE, &["sh"]));
            containerd
        })
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn socket(&self) -> PathBuf {
        self.folder().join("cri.sock")
    }

    /// Names the control groups; nobody else has this one.
    fn cluster(&self) -> String {
        format!("pintle-cri-{}", std::process::id())
    }
}

fn clients(endpoint: &str) -> (Arc<dyn RuntimeService>, Arc<dyn ImageService>) {
    let endpoint: Endpoint = endpoint.parse().unwrap();
    (Arc::new(RuntimeClient::new(&endpoint, Ambient::system().clock)), Arc::new(ImageClient::new(&endpoint)))
}

/// Gives addresses, and connects nobody.
#[derive(Default)]
struct FakeNetwork {
    is_configured: AtomicBool,
}

#[async_trait]
impl PodNetwork for FakeNetwork {
    async fn configure(&self, _: &[String]) -> std::result::Result<(), NetworkError> {
        self.is_configured.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn status(&self) -> std::result::Result<(), NetworkError> {
        match self.is_configured.load(Ordering::Relaxed) {
            true => Ok(()),
            false => Err(NetworkError::NotReady("no pod range is set".to_owned())),
        }
    }

    async fn attach(&self, _: &PodNetworkRequest) -> std::result::Result<PodAddresses, NetworkError> {
        Ok(PodAddresses { ips: vec![IpAddr::V4(Ipv4Addr::new(10, 244, 0, 7))] })
    }

    async fn detach(&self, _: &str) -> std::result::Result<(), NetworkError> {
        Ok(())
    }
}
