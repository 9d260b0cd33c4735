//! What knowing every kind costs in memory: `cargo run -p apiserver --example schema_cost`.
//!
//! The facts themselves are part of the program; counted is what a process holds beside its file: after the start of a
//! server over memory, and again once every document that is made of the facts has been asked for in every form.

use apiserver::{ApiServer, Config};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use rcgen::KeyPair;
use serde_json::Value;
use stdx::Ambient;
use tower::ServiceExt;

const MEBIBYTE: f64 = 1024.0 * 1024.0;

const V2_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const V3_PROTOBUF: &str = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

const AIM_MEBIBYTES: f64 = 10.0;

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
        if response.status() != StatusCode::OK {
            return Err(format!("{path} as {accept}: {}", response.status()).into());
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(response.into_body())
    };
    let index: Value = serde_json::from_slice(&get("/openapi/v3", "*/*").await?.collect().await?.to_bytes())?;
    let described = index["paths"].as_object().into_iter().flatten();
    let mut asked: Vec<(String, String)> = Vec::new();
    for (_, group) in described {
        let place = group["serverRelativeURL"].as_str().ok_or("the index names no place")?;
        asked.extend(["application/json", V3_PROTOBUF].map(|accept| (place.to_owned(), accept.to_owned())));
    }
    asked.extend(["application/json", V2_PROTOBUF].map(|accept| ("/openapi/v2".to_owned(), accept.to_owned())));
    for path in ["/api", "/apis"] {
        for encoding in ["application/json", "application/vnd.kubernetes.protobuf"] {
            let accept = format!("{encoding};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
            asked.push((path.to_owned(), accept));
        }
    }
    let mut bytes = 0;
    for (path, accept) in &asked {
        let mut body = get(path, accept).await?;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len());
        }
    }
    let asked = own_bytes()?;
    println!("documents {:>16.1} MiB", bytes as f64 / MEBIBYTE);
    println!("memory, asked {:>12.1} MiB (aim: at most {AIM_MEBIBYTES})", (asked - before) / MEBIBYTE);
    Ok(())
}

/// What the process holds that no file backs.
fn own_bytes() -> std::io::Result<f64> {
    let rollup = std::fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Anonymous:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<f64>().ok());
    kibibytes.map(|kibibytes| kibibytes * 1024.0).ok_or_else(|| std::io::ErrorKind::InvalidData.into())
}
