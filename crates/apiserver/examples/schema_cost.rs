//! What knowing every kind costs in memory: `cargo run -p apiserver --example schema_cost`.
//!
//! The facts themselves are part of the program; counted is what a process holds beside its file: after the start of a
//! server over memory, and again once every document that is made of the facts has been asked for.

use apiserver::{ApiServer, Config};
use http::Request;
use http_body_util::{BodyExt, Empty};
use rcgen::KeyPair;
use serde_json::Value;
use stdx::Ambient;
use tower::ServiceExt;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let (ambient, before) = (Ambient::system(), own_bytes()?);
    let clock = ambient.clock;
    let began = clock.instant();
    let server = ApiServer::start(Config {
        store: store::Memory::new(),
        ambient,
        service_cidr: "10.96.0.0/12".to_owned(),
        node_ports: 30000..=32767,
        cluster_domain: "cluster.local".to_owned(),
        client_ca_pem: "nobody shows a certificate".to_owned(),
        service_account_key_pem: KeyPair::generate()?.serialize_pem(),
        service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
        advertise: "192.0.2.1:6443".parse()?,
        kubelet_tls: None,
    })
    .await?;
    let took = clock.instant().duration_since(began);
    let started = own_bytes()?;
    println!("kinds {:>24}", registry::KINDS.len());
    println!("start {:>21.1} ms", took.as_secs_f64() * 1e3);
    println!("memory, started {:>10.1} MiB", (started - before) / MEBIBYTE);

    let service = server.local("admin", &["system:masters"]);
    let get = async |path: &str, accept: &str| {
        let request = Request::get(path).header("accept", accept).body(Empty::new())?;
        let Ok(response) = service.clone().oneshot(request).await;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(response.into_body().collect().await?.to_bytes())
    };
    let mut bytes = 0;
    let aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    for (path, accept) in [("/api", aggregated), ("/apis", aggregated), ("/openapi/v2", "application/json")] {
        bytes += get(path, accept).await?.len();
    }
    let index: Value = serde_json::from_slice(&get("/openapi/v3", "application/json").await?)?;
    for place in
        index["paths"].as_object().into_iter().flatten().filter_map(|(_, group)| group["serverRelativeURL"].as_str())
    {
        bytes += get(place, "application/json").await?.len();
    }
    let asked = own_bytes()?;
    println!("documents {:>16.1} MiB", bytes as f64 / MEBIBYTE);
    println!("memory, asked {:>12.1} MiB", (asked - before) / MEBIBYTE);
    Ok(())
}

/// What the process holds that no file backs.
fn own_bytes() -> std::io::Result<f64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024.0).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
