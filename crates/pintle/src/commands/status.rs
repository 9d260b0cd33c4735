//! `pintle status`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use api::k8s::api::core::v1::{Node, Pod};
use client::kube::config::{AuthInfo, Config};
use client::{Api, Client};
use cluster::pki::Authority;
use cluster::process::{self, ServerInfo};
use cluster::progress::Format;
use serde_json::json;
use stdx::Clock;

use super::up::server_url;
use crate::arguments;
use crate::{ready, server};

/// A server that does not answer a local request in this time is stuck.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) fn run(status: &arguments::Status) -> anyhow::Result<ExitCode> {
    let run_dir = std::path::absolute(status.r#where.run_dir())?;
    let format = status.output.format();
    let name = &status.r#where.name;
    let holder = process::holder(&run_dir)?;
    let info =
        ServerInfo::read(&run_dir)?.filter(|info| holder.is_some_and(|pid| i64::from(info.pid) == i64::from(pid)));
    let Some(info) = info else {
        match format {
            Format::Text => println!("The cluster {name} is not running; `pintle up` starts it."),
            Format::Json => println!("{}", json!({"name": name, "running": false})),
        }
        return Ok(ExitCode::FAILURE);
    };
    let observed = server::runtime()?.block_on(async {
        tokio::time::timeout(ANSWER_TIMEOUT, observe(&info)).await.context("the API server does not answer")?
    });
    match format {
        Format::Text => print_text(&info, observed.as_ref()),
        Format::Json => {
            let mut object = json!({
                "name": info.settings.name, "running": true, "pid": info.pid, "version": info.version,
                "server": server_url(&info.settings), "node": info.node_name,
            });
            match &observed {
                Ok(seen) => {
                    object["nodeReady"] = seen.node_ready.into();
                    object["pods"] = json!({"running": seen.running, "total": seen.total});
                }
                Err(error) => object["error"] = stdx::error::chain(error.as_ref()).into(),
            }
            println!("{object}");
        }
    }
    let is_well = observed.is_ok_and(|seen| seen.node_ready);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Observed {
    node_ready: bool,
    running: usize,
    total: usize,
}

async fn observe(info: &ServerInfo) -> anyhow::Result<Observed> {
    let client = administrator(info)?;
    let node = Api::<Node>::all(client.clone()).get_opt(&info.node_name).await?;
    let pods = Api::<Pod>::all(client).list(&Default::default()).await?;
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
    Ok(Observed {
        node_ready: node.as_ref().is_some_and(ready::is_ready),
        running: pods.items.iter().filter(|pod| phase(pod).as_deref() == Some("Running")).count(),
        total: pods.items.len(),
    })
}

/// A client over the wire, as any user's is: `status` then says what users meet.
pub(super) fn administrator(info: &ServerInfo) -> anyhow::Result<Client> {
    let authority = Authority::open(&info.settings.pki_dir(), Clock::system().now())?;
    let identity = authority.issue_administrator()?;
    let mut config = Config::new(server_url(&info.settings).parse()?);
    config.root_cert = Some(authority.certificates()?);
    config.auth_info = AuthInfo {
        client_certificate_data: Some(identity.certificate_base64()),
        client_key_data: Some(identity.key_base64().into()),
        ..AuthInfo::default()
    };
    Ok(Client::try_from(config)?)
}

fn print_text(info: &ServerInfo, observed: Result<&Observed, &anyhow::Error>) {
    let settings = &info.settings;
    println!("cluster  {} (pintle {}, process {})", settings.name, info.version, info.pid);
    println!("API      {}", server_url(settings));
    match observed {
        Ok(seen) => {
            let state = if seen.node_ready { "Ready" } else { "NotReady" };
            println!("node     {} {} ({})", info.node_name, state, info.node_address);
            println!("pods     {} running of {}", seen.running, seen.total);
        }
        Err(error) => {
            println!("trouble  {}; log: {}", stdx::error::chain(error.as_ref()), settings.server_log().display())
        }
    }
}
