//! Lifecycle hooks: postStart and preStop.

use std::time::Duration;

use api::k8s::api::core::v1::{Container, LifecycleHandler};
use cri::ExecSyncRequest;

use super::Context;
use crate::probe::http;

/// How long an HTTP hook may take to answer.
const HTTP_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HookError {
    #[error("{0}")]
    Exec(cri::Status),
    #[error("command '{command}' exited with {code}: {output}")]
    Exit { command: String, code: i32, output: String },
    #[error("{0}")]
    Http(String),
}

/// Runs a hook to its end. The caller bounds the time.
pub(crate) async fn run(
    context: &Context,
    handler: &LifecycleHandler,
    container: &Container,
    container_id: &str,
    address: &str,
) -> Result<(), HookError> {
    if let Some(exec) = &handler.exec {
        let command = exec.command.clone().unwrap_or_default();
        let shown = command.join(" ");
        let request = ExecSyncRequest { container_id: container_id.to_owned(), cmd: command, timeout: 0 };
        let response = context.runtime.exec_sync(request).await.map_err(HookError::Exec)?;
        if response.exit_code != 0 {
            let output = String::from_utf8_lossy(&[response.stdout, response.stderr].concat()).into_owned();
            return Err(HookError::Exit { command: shown, code: response.exit_code, output });
        }
    } else if let Some(action) = &handler.http_get {
        let target = http::target(action, container, address).map_err(HookError::Http)?;
        http::get(&target, HTTP_TIMEOUT).await.map_err(|error| HookError::Http(stdx::error::chain(&error)))?;
    } else if let Some(sleep) = &handler.sleep {
        context.ambient.clock.sleep(Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0))).await;
    }
    Ok(())
}
