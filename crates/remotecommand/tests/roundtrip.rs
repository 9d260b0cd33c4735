//! Both ends over a real HTTP upgrade, in every protocol.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use remotecommand::client::{self, Protocol};
use remotecommand::exec::{self, Options, Session};
use remotecommand::{ExitStatus, Limits, portforward};
use stdx::Random;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

const ALL: Options = Options { stdin: true, stdout: true, stderr: true, tty: false };
const TERMINAL: Options = Options { stdin: true, stdout: true, stderr: true, tty: true };

fn protocols() -> [Protocol; 2] {
    [Protocol::WebSocket(Random::seeded(1)), Protocol::Spdy]
}

/// Serves one connection; each request goes to `answer`.
fn server<A>(answer: A) -> DuplexStream
where
    A: Fn(Request<Incoming>) -> Response<Full<Bytes>> + Send + Sync + 'static,
{
    let (near, far) = duplex(16 * 1024);
    tokio::spawn(async move {
        let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(answer(request))));
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(far), service)
            .with_upgrades()
            .await
            .unwrap();
    });
    near
}

fn exec_server<R, F>(options: Options, run: R) -> DuplexStream
where
    R: Fn(Session) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send,
{
    server(move |request| match exec::accept(request, options, Limits::default()) {
        Ok((response, session)) => {
            let run = run.clone();
            tokio::spawn(async move { run(session.await.unwrap()).await });
            response
        }
        Err(refusal) => refusal.into_response(),
    })
}

async fn read_all(reader: &mut (impl AsyncRead + Unpin)) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn pipes_carry_everything_and_the_status_comes_last() {
    for protocol in protocols() {
        // More than all queues together hold.
        let large = "0123456789abcdef".repeat(100_000);
        let expected = large.clone();
        let io = exec_server(ALL, |mut session| async move {
            let mut input = String::new();
            session.stdin.take().unwrap().read_to_string(&mut input).await.unwrap();
            session.stdout.as_mut().unwrap().write_all(input.as_bytes()).await.unwrap();
            session.stderr.as_mut().unwrap().write_all(b"a complaint").await.unwrap();
            let command = ["cat".to_owned()];
            session.finish(ExitStatus::from_code(&command, 7)).await.unwrap();
        });
        let mut process = client::exec(io, "/exec?command=cat", HeaderMap::new(), protocol, ALL).await.unwrap();
        let mut stdin = process.stdin.take().unwrap();
        let feeding = tokio::spawn(async move {
            stdin.write_all(large.as_bytes()).await.unwrap();
            stdin.shutdown().await.unwrap();
        });
        let (mut stdout, mut stderr) = (process.stdout.take().unwrap(), process.stderr.take().unwrap());
        let (output, complaint, status) =
            tokio::join!(read_to_close(&mut stdout), read_to_close(&mut stderr), read_to_close(&mut process.status));
        feeding.await.unwrap();
        assert!(output == expected, "{} of {} bytes", output.len(), expected.len());
        assert_eq!(complaint, "a complaint");
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        assert_eq!(status["details"]["causes"][0], serde_json::json!({"reason": "ExitCode", "message": "7"}));
    }
}

/// Over a WebSocket single outputs end with the connection, which a reader reports as such.
async fn read_to_close(reader: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    match reader.read_to_end(&mut bytes).await {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof),
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn a_terminal_has_sizes_and_no_standard_error() {
    for protocol in protocols() {
        let io = exec_server(TERMINAL, |mut session| async move {
            assert!(session.stderr.is_none());
            let size = session.resize.recv().await.unwrap();
            let line = format!("{}x{}", size.width, size.height);
            session.stdout.as_mut().unwrap().write_all(line.as_bytes()).await.unwrap();
            session.finish(ExitStatus::Success).await.unwrap();
        });
        let mut process = client::exec(io, "/exec", HeaderMap::new(), protocol, TERMINAL).await.unwrap();
        assert!(process.stderr.is_none());
        let size = br#"{"Width":132,"Height":43}"#;
        process.resize.as_mut().unwrap().write_all(size).await.unwrap();
        assert_eq!(read_to_close(process.stdout.as_mut().unwrap()).await, "132x43");
        assert_eq!(read_to_close(&mut process.status).await, r#"{"metadata":{},"status":"Success"}"#);
    }
}

#[tokio::test]
async fn a_client_that_vanishes_is_noticed() {
    for protocol in protocols() {
        let (gone, noticed) = tokio::sync::oneshot::channel();
        let gone = std::sync::Arc::new(std::sync::Mutex::new(Some(gone)));
        let io = exec_server(ALL, move |mut session| {
            let gone = gone.clone();
            async move {
                session.stdout.as_mut().unwrap().write_all(b"!").await.unwrap();
                session.disconnected().cancelled().await;
                let error = session.stdin.as_mut().unwrap().read(&mut [0; 8]).await.unwrap_err();
                gone.lock().unwrap().take().unwrap().send(error.kind()).unwrap();
            }
        });
        let mut process = client::exec(io, "/exec", HeaderMap::new(), protocol, ALL).await.unwrap();
        assert_eq!(process.stdout.as_mut().unwrap().read_u8().await.unwrap(), b'!');
        drop(process);
        assert_eq!(noticed.await.unwrap(), std::io::ErrorKind::UnexpectedEof);
    }
}

#[tokio::test]
async fn requests_that_cannot_be_served_say_why() {
    for protocol in protocols() {
        let io = exec_server(Options::default(), |_| async {});
        let refused = client::exec(io, "/exec", HeaderMap::new(), protocol, ALL).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "unable to upgrade connection: 400 Bad Request: you must specify at least 1 of stdin, stdout, stderr"
        );
    }
}

#[tokio::test]
async fn forwards_many_connections_and_reports_failures() {
    for protocol in protocols() {
        let io = server(|request| {
            let (response, session) = portforward::accept(request, Vec::new(), Limits::default()).unwrap();
            tokio::spawn(async move {
                let mut session = session.await.unwrap();
                while let Some(mut forward) = session.next().await {
                    tokio::spawn(async move {
                        if forward.port == 81 {
                            forward.error.write_all(b"connection refused").await.unwrap();
                            return;
                        }
                        let mut heard = String::new();
                        forward.reader.read_to_string(&mut heard).await.unwrap();
                        let answer = format!("{}: {heard}", forward.port);
                        forward.writer.write_all(answer.as_bytes()).await.unwrap();
                    });
                }
            });
            response
        });
        let mut forward = client::port_forward(io, "/portForward", HeaderMap::new(), protocol).await.unwrap();
        let mut connections = Vec::new();
        for port in [80, 443, 80] {
            connections.push((port, forward.connect(port).await.unwrap()));
        }
        for (port, connection) in &mut connections {
            connection.writer.write_all(b"hello").await.unwrap();
            connection.writer.shutdown().await.unwrap();
            assert_eq!(read_all(&mut connection.reader).await, format!("{port}: hello"));
            assert_eq!(read_all(&mut connection.error).await, "");
        }
        let mut failed = forward.connect(81).await.unwrap();
        assert_eq!(read_all(&mut failed.error).await, "connection refused");
    }
}
