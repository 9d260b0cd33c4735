//! Exec, attach and port-forward, as a client speaks them to the URLs that a runtime hands out.

use cri::*;
use http::HeaderMap;
use remotecommand::client::{self, Protocol};
use remotecommand::exec::Options;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::node::{Node, container, sleeper, until};

pub(crate) async fn exec_attach_and_port_forward_are_streams_at_urls(node: &Node) {
    let pod = node.pod("streams").await;
    let options = Options { stdin: true, stdout: true, stderr: true, tty: false };
    let id = pod.run(sleeper("app")).await;
    let request = ExecRequest {
        container_id: id.clone(),
        cmd: ["sh", "-c", "cat; echo problem >&2; exit 3"].map(str::to_owned).into(),
        tty: false,
        stdin: true,
        stdout: true,
        stderr: true,
    };
    let url = node.runtime.exec(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    let mut process = client::exec(io, &target, HeaderMap::new(), Protocol::Spdy, options).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"hello\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    let (stdout, stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
    let (out, err, status) = tokio::join!(read(stdout), read(stderr), read(process.status));
    assert_eq!((out.as_str(), err.as_str()), ("hello\n", "problem\n"));
    assert!(status.contains("NonZeroExitCode") && status.contains("\"3\""), "{status}");

    let reader = ContainerConfig {
        stdin: true,
        stdin_once: true,
        ..container("reads", "while read line; do echo got $line; done; exit 2")
    };
    let reads = pod.run(reader).await;
    let request = AttachRequest { container_id: reads.clone(), stdin: true, tty: false, stdout: true, stderr: true };
    let url = node.runtime.attach(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    let mut process = client::exec(io, &target, HeaderMap::new(), Protocol::Spdy, options).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    assert_eq!(read(process.stdout.take().unwrap()).await, "got one\ngot two\n");
    assert_eq!(node.ended(&reads).await.exit_code, 2);

    let serves = pod.run(container("serves", "while :; do echo from the pod | nc -l -p 8080; done")).await;
    until("somebody to listen", || async {
        let listens = node.exec(&serves, "cat /proc/net/tcp /proc/net/tcp6 | grep -q ':1F90 .* 0A '").await;
        (listens.exit_code == 0).then_some(())
    })
    .await;
    let request = PortForwardRequest { pod_sandbox_id: pod.id.clone(), port: vec![8080] };
    let url = node.runtime.port_forward(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    let mut forward = client::port_forward(io, &target, HeaderMap::new(), Protocol::Spdy).await.unwrap();
    let mut connection = forward.connect(8080).await.unwrap();
    connection.writer.shutdown().await.unwrap();
    assert_eq!(read(connection.reader).await, "from the pod\n");

    node.stop(&id, 30).await;
    let ended = ExecRequest { container_id: id, cmd: vec!["true".to_owned()], stdout: true, ..Default::default() };
    assert!(node.runtime.exec(ended).await.is_err(), "there is nothing to run it in");
    pod.end().await;
}

async fn connect(url: &str) -> (TcpStream, String) {
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    (TcpStream::connect(address).await.unwrap(), format!("/{path}"))
}

async fn read(mut reader: impl AsyncReadExt + Unpin) -> String {
    let mut bytes = Vec::new();
    // A runtime may close the connection where it could have ended the stream.
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
    }
    String::from_utf8(bytes).unwrap()
}
