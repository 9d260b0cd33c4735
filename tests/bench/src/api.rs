//! The API server over the embedded store, in a process of its own, loaded over HTTPS from this one on the same
//! cores, beside a server of the same stack that answers constants.

pub(crate) mod client;
pub(crate) mod constant;
mod create;
mod footprint;
mod lists;
mod objects;
pub(crate) mod server;
mod verbs;
mod watch;
mod watcher;
pub(crate) mod wire;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::Measurement;
use crate::child::Child;
use crate::figures::Quantity;
use client::{Connection, Target, request_with};
pub(crate) use verbs::{Verb, load};

pub(crate) const MEASUREMENTS: &[Measurement] = &[
    ("Verbs: ConfigMaps of 1 KiB, JSON over HTTPS", verbs::measure),
    ("Watches", watch::measure),
    ("Lists", lists::measure),
    ("Footprint and start", footprint::measure),
    ("One create: a pod of 4 KiB, in process", create::measure),
];

/// The API server and the constant answerer, with the administrator's way to each.
struct Servers {
    api: Target,
    constant: Target,
    api_process: Child,
    constant_process: Child,
}

impl Servers {
    fn start(folder: &Path, name: &str) -> anyhow::Result<Servers> {
        let folder = folder.join(name);
        let (api_process, api) = start("api", &folder)?;
        let (constant_process, constant) = start("constant", &folder)?;
        Ok(Servers { api, constant, api_process, constant_process })
    }

    fn api_pid(&self) -> u32 {
        self.api_process.pid()
    }

    fn constant_pid(&self) -> u32 {
        self.constant_process.pid()
    }

    fn end(self) -> anyhow::Result<()> {
        self.api_process.end()?;
        self.constant_process.end()
    }
}

/// Starts a server on a folder; it serves when this returns.
fn start(part: &str, folder: &Path) -> anyhow::Result<(Child, Target)> {
    std::fs::create_dir_all(folder)?;
    // The authority is made by whoever comes first, and two come at once.
    server::authority(folder)?;
    let process = Child::start(&[part, path_text(folder)?])?;
    let address = process.line()?;
    Ok((process, Target::new(folder, &address)?))
}

fn path_text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().with_context(|| format!("{} is not Unicode", PathBuf::from(path).display()))
}

/// The load runs on one thread: it shall leave the cores to what is measured.
fn block_on<T>(load: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(load)
}

/// A namespace in which pods can be made.
async fn make_namespace(connection: &mut Connection, name: &str) -> anyhow::Result<()> {
    let namespace = format!("{{\"kind\":\"Namespace\",\"apiVersion\":\"v1\",\"metadata\":{{\"name\":\"{name}\"}}}}");
    connection.must(&request_with("POST", "/api/v1/namespaces", &namespace)).await?;
    // No controller runs here that would make it.
    let account = "{\"kind\":\"ServiceAccount\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"default\"}}";
    connection.must(&request_with("POST", &format!("/api/v1/namespaces/{name}/serviceaccounts"), account)).await?;
    Ok(())
}

fn per_second(count: u64, took: Duration) -> Quantity {
    Quantity::PerSecond(count as f64 / took.as_secs_f64())
}
