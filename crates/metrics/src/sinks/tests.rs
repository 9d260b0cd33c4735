use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Response;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::history::tests::moment;

/// What came in: the target, the headers, the body.
type Received = (String, http::HeaderMap, Vec<u8>);

/// A server that answers with the codes given, the last of them for ever, and hands on what it was sent.
async fn receiver(codes: &'static [u16]) -> (String, mpsc::UnboundedReceiver<Received>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, received) = mpsc::unbounded_channel();
    let count = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (sender, count) = (sender.clone(), count.clone());
            let service = service_fn(move |request: Request<Incoming>| {
                let (sender, count) = (sender.clone(), count.clone());
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes().to_vec();
                    let index = count.fetch_add(1, Ordering::Relaxed).min(codes.len() - 1);
                    // The test may have seen enough.
                    drop(sender.send((head.uri.to_string(), head.headers, body)));
                    let response = Response::builder().status(codes[index]).body(Full::new(Bytes::from("as told")));
                    Ok::<_, Infallible>(response.unwrap())
                }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (address.to_string(), received)
}

fn sinks(text: &str) -> Arc<Sinks> {
    Arc::new(Sinks::new(&[Sink::parse(text).unwrap()]))
}

fn spawn(sinks: &Arc<Sinks>, folder: &Path) -> tokio::task::JoinHandle<()> {
    let (sinks, folder) = (sinks.clone(), folder.to_owned());
    tokio::spawn(async move { sinks.run(&folder).await })
}

fn decoded(body: &[u8]) -> prometheus::WriteRequest {
    let message = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    prometheus::WriteRequest::decode(message.as_slice()).unwrap()
}

#[test]
fn settings_name_sinks() {
    for (text, host) in
        [("prometheus:http://a:9090/api/v1/write", "prometheus at a"), ("influxdb:https://u:p@b:8086", "influxdb at b")]
    {
        assert_eq!(Sink::parse(text).unwrap().to_string(), host);
    }
    assert_eq!(Sink::parse("folder"), Ok(Sink::Folder));
    for bad in
        ["", "prometheus", "prometheus:a", "prometheus:ftp://a", "other:http://a", "folder:/a", "influxdb:http://"]
    {
        assert!(Sink::parse(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn prometheus_is_written_to_as_its_protocol_says() {
    let (address, mut received) = receiver(&[204]).await;
    let sinks = sinks(&format!("prometheus:http://user:secret@{address}/api/v1/write"));
    let task = spawn(&sinks, Path::new("/nonexistent"));
    sinks.add(&Arc::new(moment(0, &[("shop/web/main", 1500)])));
    let (target, headers, body) = received.recv().await.unwrap();
    assert_eq!(target, "/api/v1/write");
    for (name, value) in [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-write-version", "0.1.0"),
        ("authorization", "Basic dXNlcjpzZWNyZXQ="),
    ] {
        assert_eq!(headers[name], value);
    }
    let series = decoded(&body).series;
    assert_eq!(series.len(), 4);
    let labels: Vec<(&str, &str)> =
        series[2].labels.iter().map(|label| (label.name.as_str(), label.value.as_str())).collect();
    let expected = [
        ("__name__", "container_cpu_usage_seconds_total"),
        ("container", "main"),
        ("namespace", "shop"),
        ("node", "one"),
        ("pod", "web"),
    ];
    assert_eq!(labels, expected);
    let sample = series[2].samples[0];
    assert_eq!((sample.value, sample.at_milliseconds), (1.5, 1_700_000_000_000));
    task.abort();
}

#[tokio::test]
async fn what_is_down_is_tried_again_and_what_is_refused_is_not() {
    let (address, mut received) = receiver(&[503, 204, 400, 204]).await;
    let sinks = sinks(&format!("prometheus:http://{address}/"));
    let task = spawn(&sinks, Path::new("/nonexistent"));
    for seconds in [0, 30, 60] {
        sinks.add(&Arc::new(moment(seconds, &[])));
    }
    let mut seconds = Vec::new();
    for _ in 0..4 {
        let (_, _, body) = received.recv().await.unwrap();
        seconds.push(decoded(&body).series[0].samples[0].at_milliseconds / 1000 - 1_700_000_000);
    }
    assert_eq!(seconds, [0, 0, 30, 60], "the first twice, the refused once");
    task.abort();
}

#[tokio::test]
async fn an_influx_without_the_database_is_told_to_make_it() {
    let (address, mut received) = receiver(&[404, 200, 204]).await;
    let sinks = sinks(&format!("influxdb:http://{address}"));
    let task = spawn(&sinks, Path::new("/nonexistent"));
    sinks.add(&Arc::new(moment(0, &[])));
    let mut targets = Vec::new();
    let mut last = Vec::new();
    for _ in 0..3 {
        let (target, _, body) = received.recv().await.unwrap();
        targets.push(target);
        last = body;
    }
    let write = "/write?db=k8s&precision=ms";
    assert_eq!(targets, [write, "/query?q=CREATE+DATABASE+%22k8s%22", write]);
    assert!(String::from_utf8(last).unwrap().starts_with("cpu/usage,nodename=one,type=node value=900000000i"));
    task.abort();
}

#[tokio::test]
async fn who_waits_too_long_is_forgotten() {
    let queue = Queue::default();
    for seconds in 0..WAITING as i64 + 5 {
        queue.add(Arc::new(moment(seconds, &[])));
    }
    assert_eq!(queue.next().await.at, moment(5, &[]).at);
    assert_eq!(queue.moments.lock().unwrap().len(), WAITING - 1);
}

#[tokio::test]
async fn the_folder_gives_back_what_was_before_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let before = sinks("folder");
    let task = spawn(&before, folder.path());
    for seconds in [0, 30] {
        before.add(&Arc::new(moment(seconds, &[("shop/web/main", 7)])));
    }
    // The ring tells when both are written.
    let mut kept = 0;
    while kept < 2 {
        tokio::task::yield_now().await;
        kept = folder::kept(folder.path(), Timestamp::MIN).unwrap().len();
    }
    task.abort();
    let mut history = History::default();
    sinks("folder").restore(folder.path(), Timestamp::MIN, &mut history);
    assert_eq!(history.last().map(|moment| moment.at), Some(moment(30, &[]).at));
}

/// A receiver behind TLS, and what vouches for it.
async fn secure_receiver() -> (Uri, RootCertStore, tokio::task::JoinHandle<Option<Vec<u8>>>) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certified.cert.der().clone()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(stream).await.ok()?;
        let (sender, mut received) = mpsc::unbounded_channel();
        let service = service_fn(move |request: Request<Incoming>| {
            let sender = sender.clone();
            async move {
                let body = request.into_body().collect().await.unwrap().to_bytes().to_vec();
                sender.send(body).unwrap();
                Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
            }
        });
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok()?;
        received.recv().await
    });
    (format!("https://localhost:{port}/write").parse().unwrap(), roots, serving)
}

#[tokio::test]
async fn a_sink_behind_tls_is_written_to_when_its_authority_is_trusted() {
    let (uri, roots, serving) = secure_receiver().await;
    let http = Http::over(uri.clone(), tls().with_root_certificates(roots).with_no_client_auth());
    http.post(&uri, &[], b"some moment".to_vec()).await.unwrap();
    drop(http);
    assert_eq!(serving.await.unwrap().as_deref(), Some(b"some moment".as_slice()));
}

#[tokio::test]
async fn a_sink_that_nobody_vouches_for_is_told_nothing() {
    let (uri, _, serving) = secure_receiver().await;
    let refused = Http::new(uri.clone()).post(&uri, &[], b"some moment".to_vec()).await.unwrap_err();
    let told = stdx::error::chain(&refused);
    assert!(told.contains("UnknownIssuer") || told.contains("invalid peer certificate"), "{told}");
    assert!(refused.may_pass(), "an authority may be trusted later");
    assert_eq!(serving.await.unwrap(), None);
}
