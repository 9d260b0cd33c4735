//! Exec, attach and port-forward, as a client speaks them, over both protocols.

use cri::*;
use http::HeaderMap;
use remotecommand::client::{self, Process, Protocol};
use remotecommand::exec::Options;
use stdx::Random;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::bench::{Bench, config};

fn protocols() -> [Protocol; 2] {
    [Protocol::WebSocket(Random::system()), Protocol::Spdy]
}

async fn connect(url: &str) -> (TcpStream, String) {
    let rest = url.strip_prefix("http://").unwrap();
    let (address, path) = rest.split_once('/').unwrap();
    (TcpStream::connect(address).await.unwrap(), format!("/{path}"))
}

async fn read<R: AsyncReadExt + Unpin>(reader: Option<R>) -> String {
    let mut bytes = Vec::new();
    // A WebSocket's channels have no end of their own: there the connection's is theirs.
    match reader.unwrap().read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
    }
    String::from_utf8(bytes).unwrap()
}

async fn exec(bench: &Bench, id: &str, script: &str, options: Options, protocol: Protocol) -> Process {
    let request = ExecRequest {
        container_id: id.to_owned(),
        cmd: vec!["/bin/sh".to_owned(), "-c".to_owned(), script.to_owned()],
        tty: options.tty,
        stdin: options.stdin,
        stdout: options.stdout,
        stderr: options.stderr,
    };
    let url = bench.runtime.exec(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    client::exec(io, &target, HeaderMap::new(), protocol, options).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_carries_all_streams_and_the_exit_code() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("stream").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    for protocol in protocols() {
        let options = Options { stdin: true, stdout: true, stderr: true, tty: false };
        let mut process = exec(&bench, &id, "cat; echo problem >&2; exit 3", options, protocol).await;
        let mut stdin = process.stdin.take().unwrap();
        let (stdout, stderr) = (process.stdout.take(), process.stderr.take());
        // SPDY can end one stream; a WebSocket cannot, so this one ends by closing the channel.
        stdin.write_all(b"hello\n").await.unwrap();
        stdin.shutdown().await.unwrap();
        let (out, err, status) = tokio::join!(read(stdout), read(stderr), read(Some(process.status)));
        assert_eq!((out.as_str(), err.as_str()), ("hello\n", "problem\n"));
        assert!(status.contains("NonZeroExitCode") && status.contains("\"3\""), "{status}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn exec_with_a_terminal_has_its_size() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("tty").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    for protocol in protocols() {
        let options = Options { stdin: true, stdout: true, stderr: false, tty: true };
        let script = "read line; stty size; echo $TERM got $line";
        let mut process = exec(&bench, &id, script, options, protocol).await;
        let mut resize = process.resize.take().unwrap();
        resize.write_all(b"{\"Width\":91,\"Height\":17}").await.unwrap();
        // The command reads on only after the size has been set.
        while bench.exec(&id, "stty -F /dev/pts/0 size").await.stdout != b"17 91\n" {
            tokio::task::yield_now().await;
        }
        let mut stdin = process.stdin.take().unwrap();
        stdin.write_all(b"word\n").await.unwrap();
        let (out, status) = tokio::join!(read(process.stdout.take()), read(Some(process.status)));
        assert_eq!(out, "word\r\n17 91\r\nxterm got word\r\n");
        assert!(status.contains("Success"), "{status}");
    }
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn attach_joins_the_containers_own_streams() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("attach").await;
    let reader = ContainerConfig {
        stdin: true,
        stdin_once: true,
        ..config("app", "while read line; do echo got $line; done; exit 2")
    };
    let id = bench.run(&sandbox, reader).await;
    let request = AttachRequest { container_id: id.clone(), stdin: true, tty: false, stdout: true, stderr: true };
    let url = bench.runtime.attach(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    let options = Options { stdin: true, stdout: true, stderr: true, tty: false };
    let mut process = client::exec(io, &target, HeaderMap::new(), Protocol::Spdy, options).await.unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\n").await.unwrap();
    stdin.shutdown().await.unwrap();
    assert_eq!(read(process.stdout.take()).await, "got one\ngot two\n");
    let status = bench.ended(&id).await;
    assert_eq!(status.exit_code, 2);
    assert!(std::fs::read_to_string(status.log_path).unwrap().contains("stdout F got two"));
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_of_the_pods_own_network_are_reached() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("ports").await;
    let id = bench.run(&sandbox, config("app", "while :; do echo from the pod | nc -l -p 8080; done")).await;
    while bench.exec(&id, "cat /proc/net/tcp /proc/net/tcp6 | grep -q ':1F90 .* 0A '").await.exit_code != 0 {
        tokio::task::yield_now().await;
    }
    let request = PortForwardRequest { pod_sandbox_id: sandbox.clone(), port: vec![8080] };
    let url = bench.runtime.port_forward(request).await.unwrap().url;
    let (io, target) = connect(&url).await;
    let mut forward = client::port_forward(io, &target, HeaderMap::new(), Protocol::Spdy).await.unwrap();
    let mut connection = forward.connect(8080).await.unwrap();
    connection.writer.shutdown().await.unwrap();
    assert_eq!(read(Some(connection.reader)).await, "from the pod\n");
    let refused = forward.connect(9).await.unwrap();
    let reason = read(Some(refused.error)).await;
    assert!(reason.starts_with("error forwarding port 9 to pod ") && reason.contains("refused"), "{reason}");
    bench.remove(&sandbox).await;
    bench.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_works_once() {
    let bench = Bench::new().await;
    let sandbox = bench.sandbox("once").await;
    let id = bench.run(&sandbox, config("app", "sleep 1000")).await;
    let request = ExecRequest { container_id: id, cmd: vec!["true".to_owned()], stdout: true, ..Default::default() };
    let url = bench.runtime.exec(request.clone()).await.unwrap().url;
    let options = Options { stdout: true, ..Default::default() };
    for accepted in [true, false] {
        let (io, target) = connect(&url).await;
        let result = client::exec(io, &target, HeaderMap::new(), Protocol::Spdy, options).await;
        assert_eq!(result.is_ok(), accepted);
    }
    bench.remove(&sandbox).await;
    assert_eq!(bench.runtime.exec(request).await.unwrap_err().code, Code::NotFound);
    bench.close();
}
