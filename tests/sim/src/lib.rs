//! A whole cluster on virtual time, in one process: the real store, API server, controllers and
//! scheduler, and nodes whose kubelets only pretend to run pods.
//!
//! A scenario is a script (see [`script`]); what a user would see happen is its trace. Hours pass in
//! moments, and the same script gives the same trace, byte for byte, on every run and machine.

mod administrator;
pub mod chaos;
mod cluster;
mod condition;
mod kubelet;
mod manifest;
mod network;
mod node;
mod object;
pub mod script;
mod trace;
mod usage;

use std::collections::BTreeMap;
use std::time::Duration;

use stdx::Ambient;

use cluster::Cluster;
use script::{Action, ParseError, Statement};

/// What a run leaves behind.
#[derive(Debug)]
pub struct Outcome {
    /// What a user saw, one line each.
    pub trace: String,
    /// Every change the store saw from the scenario's begin, whole: what two runs must agree on.
    pub history: Vec<String>,
    /// How often each component made each kind of call, such as `list pods`.
    pub calls: BTreeMap<(String, String), u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("the script is not understood")]
    Script(#[from] ParseError),
    #[error("the cluster does not start: {0}")]
    Start(String),
    #[error("a room failed: {reason}\n{trace}")]
    Ended { reason: String, trace: String },
    #[error("line {line}: {reason}\n{trace}")]
    Statement { line: usize, reason: String, trace: String },
}

/// Runs a script to its end.
pub fn run(script: &str) -> Result<Outcome, Failure> {
    let statements = script::parse(script)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| Failure::Start(error.to_string()))?;
    runtime.block_on(perform(&statements))
}

async fn perform(statements: &[Statement]) -> Result<Outcome, Failure> {
    let ambient = Ambient::simulated(1);
    let mut cluster = Cluster::start(ambient.clone(), 0).await.map_err(Failure::Start)?;
    let start = ambient.clock.instant();
    for statement in statements {
        let mut passed = Ok(());
        if let Some(at) = statement.at {
            passed = cluster.pass_until(start + at).await;
        }
        cluster.trace.note(&statement.text);
        let done = match passed {
            Ok(()) => perform_one(&mut cluster, &statement.action).await,
            failed => failed,
        };
        if let Err(reason) = done {
            let trace = cluster.trace.render();
            return Err(Failure::Statement { line: statement.line, reason, trace });
        }
    }
    let trace = cluster.trace.render();
    let calls = cluster.network.calls();
    match cluster.stop().await {
        Ok(history) => Ok(Outcome { trace, history, calls }),
        Err(reason) => Err(Failure::Ended { reason, trace }),
    }
}

async fn perform_one(cluster: &mut Cluster, action: &Action) -> Result<(), String> {
    match action {
        Action::Nodes { names, size } => {
            for name in names {
                cluster.add_node(name, size);
            }
            Ok(())
        }
        Action::Kill { node } => cluster.kill_node(node),
        Action::Revive { node } => cluster.revive_node(node),
        Action::Image { image, starts_after } => {
            cluster.behaviour.set(image, *starts_after);
            Ok(())
        }
        Action::ImageExits { image, exits } => {
            cluster.behaviour.set_exits(image, exits.clone());
            Ok(())
        }
        Action::Wait { condition, within } => cluster.wait_for(condition, *within).await,
        Action::End => {
            // What is due at this very moment still happens.
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok(())
        }
        Action::Load { app, millicores } => {
            cluster.load.set(app, *millicores);
            Ok(())
        }
        Action::Request(request) => cluster.send(request).await,
        Action::Drain { node } => cluster.drain(node).await,
        Action::Trouble(trouble) => cluster.trouble(*trouble).await,
    }
}
