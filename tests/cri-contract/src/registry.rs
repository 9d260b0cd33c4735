//! A registry of a few lines, which serves one image to those who know its password.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::image;

pub(crate) const USER: &str = "reader";
pub(crate) const PASSWORD: &str = "open sesame";
/// `reader:open sesame`, as HTTP has it.
const AUTHORIZATION: &str = "Basic cmVhZGVyOm9wZW4gc2VzYW1l";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// Serves until it is dropped.
pub(crate) struct Registry {
    port: u16,
    _stop: DropGuard,
}

/// Path to media type and content.
type Contents = BTreeMap<String, (&'static str, Vec<u8>)>;

impl Registry {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (contents, cancel) = (Arc::new(contents()), CancellationToken::new());
        let stopped = cancel.clone();
        tokio::spawn(async move {
            let accept = async {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer_all(stream, contents.clone()));
                }
            };
            stopped.run_until_cancelled(accept).await
        });
        Registry { port, _stop: cancel.drop_guard() }
    }

    /// The image's name.
    pub(crate) fn image(&self) -> String {
        format!("127.0.0.1:{}/private/box:1", self.port)
    }
}

fn contents() -> Contents {
    // Another image than the one that the others run: whoever removes one name of an image removes it whole.
    let (config, layer) = image::parts(&["true"]);
    let mut contents = Contents::new();
    let mut add = |kind: &'static str, bytes: Vec<u8>| {
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        let descriptor = json!({ "mediaType": kind, "digest": digest, "size": bytes.len() });
        let folder = if kind == MANIFEST { "manifests" } else { "blobs" };
        contents.insert(format!("/v2/private/box/{folder}/{digest}"), (kind, bytes));
        descriptor
    };
    let config = add("application/vnd.oci.image.config.v1+json", config);
    let layer = add("application/vnd.oci.image.layer.v1.tar", layer);
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer] });
    let manifest = manifest.to_string().into_bytes();
    add(MANIFEST, manifest.clone());
    contents.insert("/v2/private/box/manifests/1".to_owned(), (MANIFEST, manifest));
    contents.insert("/v2/".to_owned(), ("application/json", b"{}".to_vec()));
    contents
}

/// Answers what comes over one connection; a client that goes away ends it.
async fn answer_all(stream: TcpStream, contents: Arc<Contents>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut words = lines.first()?.split(' ');
        let (method, path) = (words.next()?, words.next()?);
        let is_known = lines.iter().any(|line| {
            line.split_once(": ")
                .is_some_and(|(name, value)| name.eq_ignore_ascii_case("authorization") && value == AUTHORIZATION)
        });
        let (status, head, body) = match contents.get(path) {
            _ if !is_known => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"test\"\r\n".to_owned(), &[][..]),
            None => ("404 Not Found", String::new(), &[][..]),
            Some((kind, bytes)) => {
                let digest = hex::encode(Sha256::digest(bytes));
                ("200 OK", format!("Content-Type: {kind}\r\nDocker-Content-Digest: sha256:{digest}\r\n"), &bytes[..])
            }
        };
        let head = format!("HTTP/1.1 {status}\r\n{head}Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).await.ok()?;
        if method != "HEAD" {
            stream.write_all(body).await.ok()?;
        }
    }
}
