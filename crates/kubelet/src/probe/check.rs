//! One probe, once.

use std::time::Duration;

use api::k8s::api::core::v1::{Container, Probe};
use api::k8s::apimachinery::pkg::util::intstr::IntOrString;
use cri::{Code, ExecSyncRequest, RuntimeService};
use tokio::net::TcpStream;

use super::http;

/// The output that an event shows, as upstream cuts it.
const MAXIMUM_OUTPUT_BYTES: usize = 10 * 1024;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Success,
    /// With what to tell people.
    Failure(String),
}

pub(crate) async fn run(
    probe: &Probe,
    container: &Container,
    container_id: &str,
    address: &str,
    timeout: Duration,
    runtime: &dyn RuntimeService,
) -> Verdict {
    if let Some(exec) = &probe.exec {
        return run_exec(runtime, container_id, exec.command.as_deref().unwrap_or(&[]), timeout).await;
    }
    if let Some(action) = &probe.http_get {
        let target = match http::target(action, container, address) {
            Ok(target) => target,
            Err(message) => return Verdict::Failure(message),
        };
        return match http::get(&target, timeout).await {
            Ok(status) if (200..400).contains(&status) => Verdict::Success,
            Ok(status) => Verdict::Failure(format!("HTTP probe failed with statuscode: {status}")),
            Err(error) => Verdict::Failure(format!("Get \"{}\": {}", target.url(), stdx::error::chain(&error))),
        };
    }
    if let Some(action) = &probe.tcp_socket {
        let host = action.host.as_deref().filter(|host| !host.is_empty()).unwrap_or(address);
        return match resolve_port(&action.port, container) {
            Ok(port) => run_tcp(host, port, timeout).await,
            Err(message) => Verdict::Failure(message),
        };
    }
    if let Some(action) = &probe.grpc {
        let port = u16::try_from(action.port).unwrap_or(0);
        let service = action.service.as_deref().unwrap_or("");
        return match http::grpc_health(address, port, service, timeout).await {
            Ok(()) => Verdict::Success,
            Err(error) => Verdict::Failure(stdx::error::chain(&error)),
        };
    }
    Verdict::Failure("missing probe handler".to_owned())
}

async fn run_exec(runtime: &dyn RuntimeService, id: &str, command: &[String], timeout: Duration) -> Verdict {
    let request = ExecSyncRequest {
        container_id: id.to_owned(),
        cmd: command.to_vec(),
        timeout: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
    };
    match runtime.exec_sync(request).await {
        Ok(response) if response.exit_code == 0 => Verdict::Success,
        Ok(response) => {
            let output = [response.stdout, response.stderr].concat();
            let shown = &output[..output.len().min(MAXIMUM_OUTPUT_BYTES)];
            Verdict::Failure(String::from_utf8_lossy(shown).into_owned())
        }
        Err(status) if status.code == Code::DeadlineExceeded => Verdict::Failure(format!(
            "command timed out: {:?} timed out after {}s",
            command.join(" "),
            timeout.as_secs()
        )),
        Err(status) => Verdict::Failure(status.message),
    }
}

async fn run_tcp(host: &str, port: u16, timeout: Duration) -> Verdict {
    let shown = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    match tokio::time::timeout(timeout, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Verdict::Success,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Verdict::Failure(format!("dial tcp {shown}: connect: connection refused"))
        }
        Ok(Err(error)) => Verdict::Failure(format!("dial tcp {shown}: {error}")),
        Err(_) => Verdict::Failure(format!("dial tcp {shown}: i/o timeout")),
    }
}

/// A number, or the name of one of the container's ports.
pub(crate) fn resolve_port(port: &IntOrString, container: &Container) -> Result<u16, String> {
    let number = match port {
        IntOrString::Int(number) => Some(*number),
        IntOrString::String(name) => {
            let named = container.ports.iter().flatten().find(|port| port.name.as_deref() == Some(name));
            named.map(|port| port.container_port).or_else(|| name.parse().ok())
        }
    };
    let number = number.and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 0);
    number.ok_or_else(|| match port {
        IntOrString::Int(number) => format!("invalid port number: {number}"),
        IntOrString::String(name) => format!("couldn't find port: {name:?} in container {:?}", container.name),
    })
}

#[cfg(test)]
mod tests {
    use api::k8s::api::core::v1::HTTPGetAction;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn ports_are_numbers_or_names() {
        let container: Container =
            serde_json::from_str(r#"{"name":"c","ports":[{"name":"web","containerPort":8080}]}"#).unwrap();
        let port = |port| resolve_port(&port, &container);
        assert_eq!(port(IntOrString::Int(80)), Ok(80));
        assert_eq!(port(IntOrString::String("web".to_owned())), Ok(8080));
        assert!(port(IntOrString::String("none".to_owned())).is_err() && port(IntOrString::Int(70_000)).is_err());
    }

    /// Answers one request with the given status and returns what was asked.
    async fn answer_once(status: u16) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (port, task)
    }

    async fn get(status: u16) -> (Verdict, String) {
        let (port, task) = answer_once(status).await;
        let action: HTTPGetAction = serde_json::from_value(serde_json::json!({
            "port": port, "path": "healthz?x=1", "httpHeaders": [{"name": "X-Probe", "value": "yes"}]
        }))
        .unwrap();
        let target = http::target(&action, &Container::default(), "127.0.0.1").unwrap();
        let verdict = match http::get(&target, Duration::from_secs(5)).await.unwrap() {
            status if status < 400 => Verdict::Success,
            status => Verdict::Failure(status.to_string()),
        };
        (verdict, task.await.unwrap())
    }

    #[tokio::test]
    async fn http_statuses_decide() {
        let (verdict, request) = get(204).await;
        assert_eq!(verdict, Verdict::Success);
        let request = request.to_lowercase();
        assert!(request.starts_with("get /healthz?x=1 http/1.1\r\n"), "{request}");
        assert!(request.contains("x-probe: yes") && request.contains("user-agent: kube-probe/"));
        assert_eq!(get(503).await.0, Verdict::Failure("503".to_owned()));
    }

    #[tokio::test]
    async fn a_closed_port_is_told_as_upstream_tells_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(run_tcp("127.0.0.1", port, Duration::from_secs(5)).await, Verdict::Success);
        drop(listener);
        let refused = format!("dial tcp 127.0.0.1:{port}: connect: connection refused");
        assert_eq!(run_tcp("127.0.0.1", port, Duration::from_secs(5)).await, Verdict::Failure(refused));
    }
}
