//! exec, attach and port-forward: the runtime serves the stream, this passes it through.

use std::sync::Arc;

use api::k8s::api::core::v1::Pod;
use cri::{AttachRequest, ExecRequest, PortForwardRequest};
use http::{Request, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use remotecommand::tunnel;
use tokio::net::TcpStream;

use super::{Answer, Refusal, query_values};
use crate::pod::observed::{self, Observed};
use crate::pod::{Context, spec};

/// Which streams the client wants. The kubelet's own names differ from the API's.
struct Streams {
    stdin: bool,
    stdout: bool,
    stderr: bool,
    tty: bool,
}

impl Streams {
    fn parse(query: &str) -> Result<Streams, Refusal> {
        let flag = |names: [&str; 2]| {
            names.iter().any(|name| query_values(query, name).any(|value| value == "1" || value == "true"))
        };
        let streams = Streams {
            stdin: flag(["input", "stdin"]),
            stdout: flag(["output", "stdout"]),
            stderr: flag(["error", "stderr"]),
            tty: flag(["tty", "tty"]),
        };
        if !(streams.stdin || streams.stdout || streams.stderr) {
            return Err(Refusal::bad_request("you must specify at least 1 of stdin, stdout, stderr"));
        }
        // A terminal has one output.
        Ok(Streams { stderr: streams.stderr && !streams.tty, ..streams })
    }
}

pub(crate) async fn exec(
    context: &Arc<Context>,
    pod: &Pod,
    container: &str,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let query = request.uri().query().unwrap_or("");
    let Streams { stdin, stdout, stderr, tty } = Streams::parse(query)?;
    let cmd: Vec<String> = query_values(query, "command").collect();
    let container_id = running_container(context, pod, container).await?;
    let url = context.runtime.exec(ExecRequest { container_id, cmd, tty, stdin, stdout, stderr }).await;
    pass_through(&url.map_err(|status| refusal(&status))?.url, request).await
}

pub(crate) async fn attach(
    context: &Arc<Context>,
    pod: &Pod,
    container: &str,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let Streams { stdin, stdout, stderr, .. } = Streams::parse(request.uri().query().unwrap_or(""))?;
    let container_id = running_container(context, pod, container).await?;
    // Whether there is a terminal was decided when the container was made.
    let tty = spec::find(pod, container).is_some_and(|(container, _)| container.tty == Some(true));
    let request_of_runtime = AttachRequest { container_id, stdin, tty, stdout, stderr: stderr && !tty };
    let url = context.runtime.attach(request_of_runtime).await;
    pass_through(&url.map_err(|status| refusal(&status))?.url, request).await
}

pub(crate) async fn port_forward(
    context: &Arc<Context>,
    pod: &Pod,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    let query = request.uri().query().unwrap_or("");
    let ports = query_values(query, "port").chain(query_values(query, "ports"));
    let ports = ports.flat_map(|value| value.split(',').map(str::to_owned).collect::<Vec<_>>());
    let port: Result<Vec<i32>, _> = ports.map(|value| value.parse::<u16>().map(i32::from)).collect();
    let port = port.map_err(|_| Refusal::bad_request("invalid value of port"))?;
    let observed = observe(context, pod).await?;
    let sandbox = observed.current_sandbox().filter(|sandbox| sandbox.ready);
    let sandbox = sandbox.ok_or_else(|| {
        Refusal::not_found(format!("pod not found ({:?})", format!("{}_{}", spec::name(pod), spec::namespace(pod))))
    })?;
    let request_of_runtime = PortForwardRequest { pod_sandbox_id: sandbox.id.clone(), port };
    let url = context.runtime.port_forward(request_of_runtime).await;
    pass_through(&url.map_err(|status| refusal(&status))?.url, request).await
}

async fn running_container(context: &Context, pod: &Pod, name: &str) -> Result<String, Refusal> {
    let observed = observe(context, pod).await?;
    let running = observed.latest(name).filter(|container| container.is_running());
    running
        .map(|container| container.id.clone())
        .ok_or_else(|| Refusal::not_found(format!("container not found ({name:?})")))
}

async fn observe(context: &Context, pod: &Pod) -> Result<Observed, Refusal> {
    observed::observe(&*context.runtime, spec::uid(pod)).await.map_err(|status| refusal(&status))
}

/// Joins the client's connection with the runtime's stream.
async fn pass_through(url: &str, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let target: Uri =
        url.parse().map_err(|_| Refusal::internal(format!("the runtime named an invalid URL {url:?}")))?;
    let (Some(host), Some(port)) = (target.host(), target.port_u16()) else {
        return Err(Refusal::internal(format!("the runtime named an invalid URL {url:?}")));
    };
    let upstream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let upstream = upstream.map_err(|error| Refusal::internal(format!("error dialing backend: {error}")))?;
    let upstream_request = tunnel::upstream_request(&request, &target);
    let tunnel = match tunnel::tunnel(request, upstream, upstream_request).await {
        Ok(tunnel) => tunnel,
        Err(error @ tunnel::Error::NoUpgradeRequested) => return Err(Refusal::bad_request(error.to_string())),
        Err(error) => return Err(Refusal::internal(stdx::error::chain(&error))),
    };
    if let Some(copying) = tunnel.copying {
        tokio::spawn(async move {
            if let Err(error) = copying.await {
                tracing::debug!(error = stdx::error::chain(&error), "a stream ended");
            }
        });
    }
    Ok(tunnel.response.map(BodyExt::boxed))
}

fn refusal(status: &cri::Status) -> Refusal {
    let code = match status.code {
        cri::Code::NotFound => StatusCode::NOT_FOUND,
        cri::Code::InvalidArgument => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Refusal::new(code, status.message.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_asked_for_in_either_spelling() {
        let parse = |query| Streams::parse(query).map(|s| (s.stdin, s.stdout, s.stderr, s.tty));
        assert_eq!(parse("input=1&output=1&error=1"), Ok((true, true, true, false)));
        assert_eq!(parse("stdin=true&stdout=true&stderr=true&tty=true"), Ok((true, true, false, true)));
        assert!(parse("command=sh").is_err());
    }
}
