//! The command line.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Parser, Subcommand, ValueEnum};
use cluster::progress::Format;
use cluster::settings::NODE_CIDR_BITS;
use cluster::{Choices, EtcdLocation, RemoteRuntime, Settings, StoreLocation};

use crate::commands::store;

// Upstream's own numbers, which manifests and tools take for granted.
const API_PORT: u16 = 6443;
const KUBELET_PORT: u16 = 10250;
const POD_CIDR: &str = "10.244.0.0/16";
const SERVICE_CIDR: &str = "10.96.0.0/12";
const CLUSTER_DOMAIN: &str = "cluster.local";
/// Says that the state rests in the data folder.
const FOLDER: &str = "folder";
/// Says that the program runs the node's containers itself.
const BUILT_IN: &str = "built-in";

/// Kubernetes, whole, in one small program.
#[derive(Parser)]
#[command(name = "pintle", disable_version_flag = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Start the cluster, or find it running
    Up(Up),
    /// Tell whether the cluster runs and how it is
    Status(Status),
    /// Stop the cluster; its state and its pods' volumes stay
    Down(Where),
    /// Remove the cluster with everything it made
    Destroy(Destroy),
    /// Tell what this machine lacks, and the commands that mend it
    Check(Place),
    /// Load, list and remove images
    Image(Image),
    /// Check, repair, save, restore and fork the store
    Store(store::Store),
    /// Print the version
    Version(Output),
    /// Run the cluster's server in this process
    #[command(hide = true)]
    Server(Place),
}

/// Which cluster of this machine.
#[derive(Args, Clone)]
pub(crate) struct Where {
    /// The cluster's name: of its kubeconfig context, bridge, kernel tables and cgroups
    #[arg(long, default_value = "pintle")]
    pub(crate) name: String,
    /// Where state is kept [default: /var/lib/NAME]
    #[arg(long)]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where runtime state is kept until the machine reboots [default: /run/NAME]
    #[arg(long)]
    pub(crate) run_dir: Option<PathBuf>,
}

/// Which cluster, and the numbers it gets: the usual ones where it is new, those of its last start where it is not.
#[derive(Args, Clone)]
pub(crate) struct Place {
    #[command(flatten)]
    pub(crate) r#where: Where,
    /// The API server's port [default: as before, or 6443]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// The kubelet's port [default: as before, or 10250]
    #[arg(long)]
    pub(crate) kubelet_port: Option<u16>,
    /// Addresses of pods [default: as before, or 10.244.0.0/16]
    #[arg(long)]
    pub(crate) pod_cidr: Option<String>,
    /// The prefix length of the range that each node gets of them: a node has no more pods than addresses
    /// [default: as before, or 24]
    #[arg(long)]
    pub(crate) node_cidr_mask_size: Option<u8>,
    /// Addresses of services [default: as before, or 10.96.0.0/12]
    #[arg(long)]
    pub(crate) service_cidr: Option<String>,
    /// The domain of cluster names [default: as before, or cluster.local]
    #[arg(long)]
    pub(crate) cluster_domain: Option<String>,
    /// Serve the API versions that Kubernetes has removed, such as extensions/v1beta1 [default: as before, or true]
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) legacy_apis: Option<bool>,
    /// Also send what nodes and pods use to `prometheus:http://HOST:PORT/PATH` (remote write) or
    /// `influxdb:http://HOST:PORT`, or keep it in the data folder with `folder`; may be given several times
    #[arg(long = "metrics-sink", value_parser = sink)]
    pub(crate) metrics_sinks: Vec<String>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) runtime: RuntimePlace,
}

/// Who runs the node's containers.
#[derive(Args, Clone, Default)]
pub(crate) struct RuntimePlace {
    /// The socket of another container runtime, such as unix:///run/containerd/containerd.sock; it brings its own pod
    /// network and images; or `built-in` [default: as before, or built-in]
    #[arg(long)]
    container_runtime_endpoint: Option<String>,
    /// The socket of its image service [default: the same]
    #[arg(long, requires = "container_runtime_endpoint")]
    image_service_endpoint: Option<String>,
}

impl RuntimePlace {
    fn remote(&self, before: Option<RemoteRuntime>) -> anyhow::Result<Option<RemoteRuntime>> {
        let Some(runtime) = &self.container_runtime_endpoint else { return Ok(before) };
        if runtime == BUILT_IN {
            return Ok(None);
        }
        // Refused here rather than by the server.
        let canonical = |text: &str| Ok::<_, cri::EndpointError>(text.parse::<cri::Endpoint>()?.to_string());
        let images = self.image_service_endpoint.as_ref().unwrap_or(runtime);
        Ok(Some(RemoteRuntime { runtime: canonical(runtime)?, images: canonical(images)? }))
    }
}

/// Refused here rather than by the server.
fn sink(text: &str) -> Result<String, metrics::SinkError> {
    metrics::Sink::parse(text).map(|_| text.to_owned())
}

/// Where the cluster's state rests. A later start need not say it again.
#[derive(Args, Clone, Default)]
pub(crate) struct StorePlace {
    /// `folder`, in the data folder, or `etcd://HOST:PORT,HOST:PORT` with a prefix of its own in `/ROOT` [default root:
    /// NAME] [default: where it rested before, or else `folder`]
    #[arg(long)]
    store: Option<String>,
    /// The authority of etcd's certificate, in PEM; without it, etcd is spoken to in the clear
    #[arg(long, alias = "etcd-cafile", requires = "store")]
    store_ca: Option<PathBuf>,
    /// The certificate that etcd knows this server by, in PEM
    #[arg(long, alias = "etcd-certfile", requires = "store_ca", requires = "store_key")]
    store_certificate: Option<PathBuf>,
    /// The certificate's key, in PEM
    #[arg(long, alias = "etcd-keyfile", requires = "store_certificate")]
    store_key: Option<PathBuf>,
}

impl StorePlace {
    /// What was asked for, if anything was.
    fn location(&self, name: &str) -> anyhow::Result<Option<StoreLocation>> {
        let Some(store) = &self.store else { return Ok(None) };
        if store == FOLDER {
            if self.store_ca.is_some() {
                bail!("--store-ca and its companions are for a store in etcd");
            }
            return Ok(Some(StoreLocation::Folder));
        }
        // Refused here rather than by the server.
        store_etcd::Address::parse(store, name)?;
        // The server runs in another folder than `up`.
        let absolute = |path: &Option<PathBuf>| path.as_deref().map(std::path::absolute).transpose();
        Ok(Some(StoreLocation::Etcd(EtcdLocation {
            address: store.clone(),
            authority: absolute(&self.store_ca)?,
            certificate: absolute(&self.store_certificate)?,
            key: absolute(&self.store_key)?,
        })))
    }
}

#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Wait until the node is Ready and DNS answers
    #[arg(long, default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) wait: bool,
    /// Stay in the foreground; interrupting ends the cluster's server, as `down` does not its pods
    #[arg(long)]
    pub(crate) foreground: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) r#where: Where,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    pub(crate) r#where: Where,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Args)]
pub(crate) struct Image {
    #[command(subcommand)]
    pub(crate) command: ImageCommand,
}

#[derive(Subcommand)]
pub(crate) enum ImageCommand {
    /// Load a `docker save` archive, an OCI archive or an OCI layout folder
    Load {
        #[command(flatten)]
        r#where: Where,
        /// The archive or folder
        file: PathBuf,
    },
    /// List images
    Ls {
        #[command(flatten)]
        r#where: Where,
        #[command(flatten)]
        output: Output,
    },
    /// Remove images by name or id
    Rm {
        #[command(flatten)]
        r#where: Where,
        #[arg(required = true)]
        images: Vec<String>,
    },
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// How to print: for people, or one JSON object a line for programs
    #[arg(long, short, value_enum, default_value_t = OutputFormat::Text)]
    output: OutputFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum OutputFormat {
    Text,
    Json,
}

impl Output {
    pub(crate) fn format(self) -> Format {
        match self.output {
            OutputFormat::Text => Format::Text,
            OutputFormat::Json => Format::Json,
        }
    }
}

impl Where {
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| PathBuf::from("/var/lib").join(&self.name))
    }

    pub(crate) fn run_dir(&self) -> PathBuf {
        self.run_dir.clone().unwrap_or_else(|| PathBuf::from("/run").join(&self.name))
    }
}

impl Place {
    /// A cluster whose numbers are not asked for.
    pub(crate) fn of(r#where: Where) -> Self {
        Place {
            r#where,
            port: None,
            kubelet_port: None,
            pod_cidr: None,
            node_cidr_mask_size: None,
            service_cidr: None,
            cluster_domain: None,
            legacy_apis: None,
            metrics_sinks: Vec::new(),
            store: StorePlace::default(),
            runtime: RuntimePlace::default(),
        }
    }

    pub(crate) fn settings(&self) -> anyhow::Result<Settings> {
        let data_dir = std::path::absolute(self.r#where.data_dir())?;
        let asked = self.store.location(&self.r#where.name)?;
        let before = Choices::read(&data_dir)?;
        let text = |asked: &Option<String>, before: Option<String>, usual: &str| {
            asked.clone().or(before).unwrap_or_else(|| usual.to_owned())
        };
        let settings = Settings {
            name: self.r#where.name.clone(),
            store: cluster::store::settle(&data_dir, asked)?,
            data_dir,
            run_dir: std::path::absolute(self.r#where.run_dir())?,
            api_port: self.port.or(before.api_port).unwrap_or(API_PORT),
            kubelet_port: self.kubelet_port.or(before.kubelet_port).unwrap_or(KUBELET_PORT),
            pod_cidr: text(&self.pod_cidr, before.pod_cidr, POD_CIDR),
            node_cidr_bits: self.node_cidr_mask_size.or(before.node_cidr_bits).unwrap_or(NODE_CIDR_BITS),
            service_cidr: text(&self.service_cidr, before.service_cidr, SERVICE_CIDR),
            cluster_domain: text(&self.cluster_domain, before.cluster_domain, CLUSTER_DOMAIN),
            container_runtime: self.runtime.remote(before.container_runtime)?,
            legacy_apis: self.legacy_apis.or(before.legacy_apis).unwrap_or(true),
            metrics_sinks: self.metrics_sinks.clone(),
        };
        settings.validate()?;
        Ok(settings)
    }

    /// The same choices as command-line arguments, for the server process.
    pub(crate) fn to_arguments(settings: &Settings) -> Vec<std::ffi::OsString> {
        let mut arguments = Vec::new();
        let mut add = |option: &str, value: std::ffi::OsString| arguments.extend([option.into(), value]);
        add("--name", settings.name.clone().into());
        add("--data-dir", settings.data_dir.clone().into());
        add("--run-dir", settings.run_dir.clone().into());
        add("--port", settings.api_port.to_string().into());
        add("--kubelet-port", settings.kubelet_port.to_string().into());
        add("--pod-cidr", settings.pod_cidr.clone().into());
        add("--node-cidr-mask-size", settings.node_cidr_bits.to_string().into());
        add("--service-cidr", settings.service_cidr.clone().into());
        add("--cluster-domain", settings.cluster_domain.clone().into());
        match &settings.store {
            StoreLocation::Folder => add("--store", FOLDER.into()),
            StoreLocation::Etcd(etcd) => {
                add("--store", etcd.address.clone().into());
                let files = [
                    ("--store-ca", &etcd.authority),
                    ("--store-certificate", &etcd.certificate),
                    ("--store-key", &etcd.key),
                ];
                for (option, path) in files {
                    if let Some(path) = path {
                        add(option, path.clone().into());
                    }
                }
            }
        }
        match &settings.container_runtime {
            Some(remote) => {
                add("--container-runtime-endpoint", remote.runtime.clone().into());
                add("--image-service-endpoint", remote.images.clone().into());
            }
            None => add("--container-runtime-endpoint", BUILT_IN.into()),
        }
        for sink in &settings.metrics_sinks {
            add("--metrics-sink", sink.clone().into());
        }
        // Clap wants the value in the same word.
        arguments.push(format!("--legacy-apis={}", settings.legacy_apis).into());
        arguments
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_server_gets_the_settings_up_was_given() {
        let parse = |arguments: Vec<std::ffi::OsString>| match Arguments::try_parse_from(arguments).unwrap().command {
            Command::Up(up) => up.place.settings().unwrap(),
            Command::Server(place) => place.settings().unwrap(),
            _ => panic!("another command"),
        };
        let given = [
            "pintle",
            "up",
            "--name",
            "x",
            "--port",
            "7000",
            "--pod-cidr",
            "10.1.0.0/16",
            "--node-cidr-mask-size",
            "22",
            "--wait=false",
        ];
        let etcd = ["--store", "etcd://a,b:1", "--store-ca", "/ca", "--etcd-certfile", "/crt", "--store-key", "/key"];
        let runtime = ["--container-runtime-endpoint", "/run/c.sock", "--image-service-endpoint", "unix:///run/i.sock"];
        let sinks = ["--metrics-sink", "folder", "--metrics-sink", "influxdb:http://a:8086"];
        for more in [&[][..], &["--store", "folder"], &["--legacy-apis=false"], &etcd, &sinks, &runtime, &runtime[..2]]
        {
            let up = parse(given.iter().chain(more).map(Into::into).collect());
            assert_eq!(up.data_dir, PathBuf::from("/var/lib/x"));
            let mut server: Vec<std::ffi::OsString> = vec!["pintle".into(), "server".into()];
            server.extend(Place::to_arguments(&up));
            assert_eq!(parse(server), up);
        }
    }

    #[test]
    fn what_an_earlier_start_was_given_is_given_still() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = folder.path().to_str().unwrap();
        let up = |more: &[&str]| {
            let given = ["pintle", "up", "--data-dir", data_dir];
            match Arguments::try_parse_from(given.iter().chain(more)).unwrap().command {
                Command::Up(up) => up.place.settings().unwrap(),
                _ => panic!("another command"),
            }
        };
        let usual = up(&[]);
        assert_eq!((usual.api_port, usual.legacy_apis, usual.container_runtime.is_some()), (API_PORT, true, false));
        let endpoint = ["--container-runtime-endpoint", "unix:///run/c.sock"];
        let first =
            up(&["--port", "7000", "--pod-cidr", "10.1.0.0/16", "--legacy-apis=false", endpoint[0], endpoint[1]]);
        Choices::remember(&first).unwrap();
        assert_eq!(up(&[]), first);
        let second = up(&["--port", "7001", endpoint[0], BUILT_IN]);
        assert_eq!((second.api_port, &second.container_runtime), (7001, &None));
        assert_eq!((&second.pod_cidr, second.legacy_apis), (&first.pod_cidr, false));
        Choices::remember(&second).unwrap();
        assert_eq!(up(&[]), second);
        assert_eq!(
            Place::of(Where { data_dir: Some(folder.path().into()), ..where_of_x() }).settings().unwrap().api_port,
            7001
        );
    }

    fn where_of_x() -> Where {
        Where { name: "x".to_owned(), data_dir: None, run_dir: None }
    }

    #[test]
    fn a_store_is_named_in_full_or_not_at_all() {
        let settings = |more: &[&str]| {
            let given = ["pintle", "up", "--name", "x", "--data-dir", "/nonexistent/x"];
            let parsed = Arguments::try_parse_from(given.iter().chain(more));
            match parsed.map_err(|error| error.to_string())?.command {
                Command::Up(up) => up.place.settings().map_err(|error| error.to_string()),
                _ => panic!("another command"),
            }
        };
        let etcd = settings(&["--store", "etcd://a", "--store-ca", "ca.crt"]).unwrap().store;
        let StoreLocation::Etcd(etcd) = etcd else { panic!("{etcd:?}") };
        assert!(etcd.authority.is_some_and(|path| path.is_absolute()));
        assert_eq!(settings(&[]).unwrap().store, StoreLocation::Folder);
        let bad: [&[&str]; 5] = [
            &["--store", "http://a:2379"],
            &["--store", "etcd://a:x"],
            &["--store-ca", "ca.crt"],
            &["--store", "etcd://a", "--store-ca", "ca.crt", "--store-key", "key"],
            &["--store", "folder", "--store-ca", "ca.crt"],
        ];
        for more in bad {
            assert!(settings(more).is_err(), "{more:?}");
        }
    }

    #[test]
    fn a_container_runtime_is_a_unix_socket() {
        let settings = |more: &[&str]| {
            let given = ["pintle", "up", "--data-dir", "/nonexistent/x"];
            let parsed = Arguments::try_parse_from(given.iter().chain(more));
            match parsed.map_err(|error| error.to_string())?.command {
                Command::Up(up) => up.place.settings().map_err(|error| error.to_string()),
                _ => panic!("another command"),
            }
        };
        assert_eq!(settings(&[]).unwrap().container_runtime, None);
        let remote = settings(&["--container-runtime-endpoint", "/run/c.sock"]).unwrap().container_runtime.unwrap();
        assert_eq!([remote.runtime, remote.images], ["unix:///run/c.sock", "unix:///run/c.sock"]);
        let bad: [&[&str]; 3] = [
            &["--container-runtime-endpoint", "tcp://127.0.0.1:1"],
            &["--container-runtime-endpoint", "run/c.sock"],
            &["--image-service-endpoint", "/run/c.sock"],
        ];
        for more in bad {
            assert!(settings(more).is_err(), "{more:?}");
        }
    }

    #[test]
    fn waiting_can_be_turned_off() {
        let wait = |arguments: &[&str]| match Arguments::try_parse_from(arguments).unwrap().command {
            Command::Up(up) => up.wait,
            _ => panic!("another command"),
        };
        assert!(
            wait(&["pintle", "up"]) && wait(&["pintle", "up", "--wait"]) && !wait(&["pintle", "up", "--wait=false"])
        );
    }
}
