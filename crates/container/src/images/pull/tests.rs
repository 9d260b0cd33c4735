//! Pulling from a registry of a few lines.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::tests::Sample;
use super::*;

/// Path to media type and content; the log of what was asked.
#[derive(Default)]
struct Registry {
    contents: BTreeMap<String, (&'static str, Vec<u8>)>,
    /// `user:password`, where one is needed.
    secret: Option<&'static str>,
    asked: Mutex<Vec<String>>,
    /// Whether somebody introduced himself.
    authorised: std::sync::atomic::AtomicBool,
}

trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// A certificate for this machine that only who has its text trusts.
fn self_signed() -> (TlsAcceptor, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(config)), made.cert.pem())
}

/// Writes what the store is to know of a registry.
fn tell(store: &ImageStore, registry: &str, hosts: &str) {
    let folder = store.hosts_folder().join(registry);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("hosts.toml"), hosts).unwrap();
}

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Registry {
    fn with(samples: &[(&str, Sample)]) -> Self {
        let mut registry = Registry::default();
        let mut entries = Vec::new();
        for (architecture, sample) in samples {
            let manifest = sample.manifest(&sample.layer);
            entries.push(serde_json::json!({
                "mediaType": IMAGE, "digest": digest(&manifest), "size": manifest.len(),
                "platform": { "os": "linux", "architecture": architecture },
            }));
            for blob in [&sample.config, &sample.layer] {
                registry.put(&format!("blobs/{}", digest(blob)), "application/octet-stream", blob.clone());
            }
            registry.put(&format!("manifests/{}", digest(&manifest)), IMAGE, manifest.clone());
            registry.put("manifests/single", IMAGE, manifest);
        }
        let index = serde_json::json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        registry.put("manifests/v1", INDEX, serde_json::to_vec(&index).unwrap());
        registry
    }

    fn put(&mut self, path: &str, kind: &'static str, contents: Vec<u8>) {
        self.contents.insert(format!("/v2/team/app/{path}"), (kind, contents));
    }

    async fn serve(self) -> (String, Arc<Registry>) {
        self.serve_over(None).await
    }

    async fn serve_over(self, tls: Option<TlsAcceptor>) -> (String, Arc<Registry>) {
        let registry = Arc::new(self);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let image = format!("{}/team/app", listener.local_addr().unwrap());
        let known = registry.clone();
        tokio::spawn(async move {
            loop {
                let (connection, _) = listener.accept().await.unwrap();
                let (registry, tls) = (known.clone(), tls.clone());
                tokio::spawn(async move {
                    let connection: Box<dyn Connection> = match tls {
                        None => Box::new(connection),
                        Some(tls) => match tls.accept(connection).await {
                            Ok(connection) => Box::new(connection),
                            // The client does not trust us, which some tests are about.
                            Err(_) => return,
                        },
                    };
                    let answer = service_fn(move |request| {
                        let response = registry.answer(&request);
                        async move { Ok::<_, Infallible>(response) }
                    });
                    let server = hyper::server::conn::http1::Builder::new();
                    drop(server.serve_connection(TokioIo::new(connection), answer).await);
                });
            }
        });
        (image, registry)
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        self.asked.lock().unwrap().push(path.to_owned());
        if request.headers().contains_key("authorization") {
            self.authorised.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        let authorised = self.secret.is_none_or(|secret| {
            let expected = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(secret));
            request.headers().get("authorization").is_some_and(|value| value.as_bytes() == expected.as_bytes())
        });
        let reply = |status: StatusCode, kind: &str, body: Vec<u8>| {
            Response::builder().status(status).header("content-type", kind).body(Full::from(body)).unwrap()
        };
        if !authorised {
            let body = br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#;
            let mut response = reply(StatusCode::UNAUTHORIZED, "application/json", body.to_vec());
            response.headers_mut().insert("www-authenticate", "Basic realm=\"test\"".parse().unwrap());
            return response;
        }
        match (path, self.contents.get(path)) {
            ("/v2/", _) => reply(StatusCode::OK, "application/json", b"{}".to_vec()),
            (_, Some((kind, contents))) => {
                let mut response = reply(StatusCode::OK, kind, contents.clone());
                response.headers_mut().insert("docker-content-digest", digest(contents).parse().unwrap());
                response
            }
            (_, None) => {
                let body = br#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
                reply(StatusCode::NOT_FOUND, "application/json", body.to_vec())
            }
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn store() -> (tempfile::TempDir, ImageStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = ImageStore::open(folder.path().join("images")).unwrap();
    (folder, store)
}

async fn refusal(image: &str, credentials: &RegistryCredentials) -> String {
    let (_folder, store) = store();
    let error = store.pull(image, credentials).await.unwrap_err();
    assert!(store.list().unwrap().is_empty());
    let line = stdx::error::chain(&error);
    assert!(!line.contains('\n'));
    line
}

#[tokio::test]
async fn an_image_is_chosen_from_an_index_and_unpacked_once() {
    let ours = own_architecture();
    let registry = Registry::with(&[("s390x", Sample::new("other", "s390x")), (ours, Sample::new("ours", ours))]);
    let index = digest(&registry.contents["/v2/team/app/manifests/v1"].1);
    let (name, registry) = registry.serve().await;
    let (_folder, store) = store();
    let anonymous = RegistryCredentials::default();
    let image = store.pull(&format!("{name}:v1"), &anonymous).await.unwrap();
    assert_eq!((image.origin, image.size_bytes), (Origin::Pull, 4));
    assert_eq!(image.names, [format!("{name}:v1")]);
    assert_eq!(image.digests, [format!("{name}@{index}")]);
    let hello = store.layer_folders(&image)[0].join("hello");
    assert_eq!(std::fs::read_to_string(hello).unwrap(), "ours");
    registry.asked.lock().unwrap().clear();
    assert_eq!(store.pull(&format!("{name}:v1"), &anonymous).await.unwrap().id, image.id);
    assert_eq!(store.pull(&format!("{name}@{index}"), &anonymous).await.unwrap().id, image.id);
    assert!(!registry.asked.lock().unwrap().iter().any(|path| path.contains("/blobs/")), "nothing is fetched again");
    assert_eq!(std::fs::read_dir(store.folder().join("work")).unwrap().count(), 0);
}

#[tokio::test]
async fn credentials_are_used_and_missed() {
    let ours = own_architecture();
    let mut registry = Registry::with(&[(ours, Sample::new("secret", ours))]);
    registry.secret = Some("user:pass:word");
    let (name, _registry) = registry.serve().await;
    let image = format!("{name}:single");
    let auth = cri::AuthConfig {
        auth: base64::engine::general_purpose::STANDARD.encode("user:pass:word"),
        ..cri::AuthConfig::default()
    };
    let (_folder, store) = store();
    store.pull(&image, &RegistryCredentials::from_cri(&auth)).await.unwrap();
    for wrong in
        [RegistryCredentials::default(), RegistryCredentials { username: "x".to_owned(), ..Default::default() }]
    {
        let line = refusal(&image, &wrong).await;
        assert!(line.contains("pull access denied, repository does not exist or may require authorization"), "{line}");
    }
}

#[tokio::test]
async fn the_true_reason_is_told() {
    let (name, _registry) = Registry::with(&[("s390x", Sample::new("other", "s390x"))]).serve().await;
    let anonymous = RegistryCredentials::default();
    let absent = refusal(&format!("{name}:none"), &anonymous).await;
    assert_eq!(absent, format!("failed to resolve reference \"{name}:none\": {name}:none: not found"));
    let platform = refusal(&format!("{name}:v1"), &anonymous).await;
    assert!(platform.contains("no match for platform linux/") && platform.ends_with("linux/s390x"), "{platform}");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let line = refusal(&format!("{closed}/team/app"), &anonymous).await;
    assert!(line.contains("Connection refused"), "{line}");
}

#[tokio::test]
async fn what_is_sent_must_be_what_was_named() {
    let ours = own_architecture();
    let sample = Sample::new("right", ours);
    let layer = digest(&sample.layer);
    let mut registry = Registry::with(&[(ours, sample)]);
    registry.put(&format!("blobs/{layer}"), "application/octet-stream", b"something else".to_vec());
    let (name, _registry) = registry.serve().await;
    let line = refusal(&format!("{name}:single"), &RegistryCredentials::default()).await;
    assert!(line.to_lowercase().contains("digest"), "{line}");
}

#[tokio::test]
async fn a_mirror_serves_before_the_registry_and_the_registry_after_it() {
    let ours = own_architecture();
    let (name, mirror) = Registry::with(&[(ours, Sample::new("from the mirror", ours))]).serve().await;
    let address = name.strip_suffix("/team/app").unwrap();
    let (_folder, store) = store();
    tell(&store, "registry.invalid", &format!("[host.\"http://{address}\"]"));
    let secret = RegistryCredentials { username: "x".to_owned(), password: "y".to_owned(), ..Default::default() };
    let image = store.pull("registry.invalid/team/app:single", &secret).await.unwrap();
    assert_eq!(image.names, ["registry.invalid/team/app:single"], "the image has the registry's name");
    assert!(!mirror.authorised.load(std::sync::atomic::Ordering::Relaxed), "no mirror gets the registry's secrets");
    // What the mirror does not have, or may not say, comes from the registry itself.
    let (other, _other) = Registry::with(&[(ours, Sample::new("from the registry", ours))]).serve().await;
    let registry = other.strip_suffix("/team/app").unwrap();
    tell(&store, registry, "[host.\"http://127.0.0.1:1\"]");
    let image = store.pull(&format!("{other}:single"), &RegistryCredentials::default()).await.unwrap();
    let hello = store.layer_folders(&image)[0].join("hello");
    assert_eq!(std::fs::read_to_string(hello).unwrap(), "from the registry");
    mirror.asked.lock().unwrap().clear();
    tell(&store, registry, &format!("[host.\"http://{address}\"]\ncapabilities = [\"pull\"]"));
    store.pull(&format!("{other}:v1"), &RegistryCredentials::default()).await.unwrap();
    assert!(mirror.asked.lock().unwrap().is_empty(), "it may not say what a tag stands for");
}

#[tokio::test]
async fn a_registry_of_ones_own_is_trusted_as_told() {
    let ours = own_architecture();
    let (tls, certificate) = self_signed();
    let (name, _registry) = Registry::with(&[(ours, Sample::new("sealed", ours))]).serve_over(Some(tls)).await;
    let address = name.strip_suffix("/team/app").unwrap();
    let anonymous = RegistryCredentials::default();
    let (_folder, store) = store();
    let image = "sealed.invalid/team/app:single";
    tell(&store, "sealed.invalid", &format!("server = \"https://{address}\""));
    let refused = stdx::error::chain(&store.pull(image, &anonymous).await.unwrap_err());
    assert!(refused.to_lowercase().contains("certificate"), "{refused}");
    tell(&store, "sealed.invalid", &format!("server = \"https://{address}\"\nca = \"own.pem\""));
    std::fs::write(store.hosts_folder().join("sealed.invalid/own.pem"), certificate).unwrap();
    let pulled = store.pull(image, &anonymous).await.unwrap();
    store.remove(&pulled.id).unwrap();
    tell(&store, "sealed.invalid", &format!("server = \"https://{address}\"\nskip_verify = true"));
    store.pull(image, &anonymous).await.unwrap();
}

#[test]
fn only_this_machine_is_spoken_to_without_encryption() {
    for (registry, expected) in [
        ("localhost", true),
        ("localhost:5000", true),
        ("127.0.0.1:5000", true),
        ("127.8.9.1", true),
        ("docker.io", false),
        ("localhost.example.com", false),
        ("10.0.0.1:5000", false),
    ] {
        assert_eq!(is_loopback(registry), expected, "{registry}");
    }
}
