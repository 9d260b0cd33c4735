//! The engine that the settings choose.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cluster::{EtcdLocation, Settings, StoreLocation};
use stdx::Ambient;
use store::{Embedded, Options, Store};
use store_etcd::{Address, Etcd, Identity, client_tls};

/// How long a request to the API may wait for etcd; below the minute that clients wait.
const ETCD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a start waits for etcd, and reads it: both may be started together.
const ETCD_OPEN_TIMEOUT: Duration = Duration::from_secs(30);

/// Opens the store, and remembers where it is.
pub(crate) async fn open(settings: &Settings, ambient: &Ambient) -> anyhow::Result<Arc<dyn Store>> {
    let store: Arc<dyn Store> = match &settings.store {
        StoreLocation::Folder => Embedded::open(&settings.store_dir(), Options::default(), ambient.clone())?,
        StoreLocation::Etcd(etcd) => Etcd::open(config(etcd, &settings.name, ambient)?).await?,
    };
    cluster::store::remember(&settings.data_dir, &settings.store)?;
    Ok(store)
}

fn config(etcd: &EtcdLocation, name: &str, ambient: &Ambient) -> anyhow::Result<store_etcd::Config> {
    let identity = match (&etcd.certificate, &etcd.key) {
        (Some(certificate), Some(key)) => Some(Identity { certificate, key }),
        _ => None,
    };
    let tls = etcd.authority.as_deref().map(|authority| client_tls(authority, identity)).transpose();
    Ok(store_etcd::Config {
        address: Address::parse(&etcd.address, name)?,
        tls: tls.context("cannot speak TLS with etcd")?,
        options: Options::default(),
        timeout: ETCD_TIMEOUT,
        open_timeout: ETCD_OPEN_TIMEOUT,
        compact_every: store_etcd::COMPACT_EVERY,
        ambient: ambient.clone(),
    })
}
