//! The API server over the embedded store, as `pintle` runs it, in a process of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use apiserver::ApiServer;
use cluster::pki::{self, Authority};
use stdx::Ambient;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::child;

/// As the program has.
const WORKER_THREADS: usize = 2;

pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(tracing_subscriber::filter::LevelFilter::WARN)
        .init();
    let ambient = Ambient::system();
    let runtime = runtime()?;
    let cancel = CancellationToken::new();
    let (server, store) = runtime.block_on(async {
        let tls = server_tls(folder)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let store = store::Embedded::open(&folder.join("store"), store::Options::default(), ambient.clone())?;
        let api = ApiServer::start(apiserver::Config {
            store: store.clone(),
            ambient,
            service_cidr: "10.96.0.0/12".to_owned(),
            node_ports: 30000..=32767,
            cluster_domain: "cluster.local".to_owned(),
            client_ca_pem: authority(folder)?.certificate_pem().to_owned(),
            service_account_key_pem: pki::service_account_key(&folder.join("pki"))?,
            service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
            advertise: address,
            kubelet_tls: None,
        })
        .await?;
        let cancel = cancel.clone();
        let server = tokio::spawn(async move { api.serve(listener, tls, cancel).await });
        child::tell(&address.to_string())?;
        anyhow::Ok((server, store))
    })?;
    while child::next_order()?.is_some() {}
    cancel.cancel();
    runtime.block_on(server)?;
    runtime.shutdown_timeout(Duration::from_secs(5));
    store.close();
    Ok(())
}

pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(WORKER_THREADS).enable_all().build().context("cannot start threads")
}

/// The authority whose certificates servers and clients of this measurement use.
pub(crate) fn authority(folder: &Path) -> anyhow::Result<Authority> {
    Ok(Authority::open(&folder.join("pki"), Ambient::system().clock.now())?)
}

/// What every server of the measurement serves with.
pub(crate) fn server_tls(folder: &Path) -> anyhow::Result<Arc<rustls::ServerConfig>> {
    let authority = authority(folder)?;
    let identity = authority.issue_server("kube-apiserver", &["localhost".to_owned()], &["127.0.0.1".parse()?])?;
    Ok(authority.server_tls(&identity)?)
}
