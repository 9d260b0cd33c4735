//! A server over the memory store on a loopback port, with a throw-away authority, for trying
//! clients on it: `cargo run -p apiserver --example serve -- /tmp/kubeconfig`.

use std::sync::Arc;

use apiserver::{ApiServer, Config};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::PrivateKeyDer;
use stdx::Ambient;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kubeconfig = std::env::args().nth(1).ok_or("name the kubeconfig to write")?;
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let authority = params.self_signed(&authority_key)?;
    let issuer = Issuer::from_params(&params, &authority_key);

    let server_key = KeyPair::generate()?;
    let server_params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    let server_certificate = server_params.signed_by(&server_key, &issuer)?;

    let admin_key = KeyPair::generate()?;
    let mut admin_params = CertificateParams::default();
    admin_params.distinguished_name.push(DnType::CommonName, "admin");
    admin_params.distinguished_name.push(DnType::OrganizationName, "system:masters");
    let admin = admin_params.signed_by(&admin_key, &issuer)?;

    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()?;
    let key = PrivateKeyDer::try_from(server_key.serialize_der())?;
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server_certificate.der().clone()], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let server = ApiServer::start(Config {
        store: store::Memory::new(),
        ambient: Ambient::system(),
        service_cidr: "10.96.0.0/12".to_owned(),
        node_ports: 30000..=32767,
        cluster_domain: "cluster.local".to_owned(),
        client_ca_pem: authority.pem(),
        service_account_key_pem: KeyPair::generate()?.serialize_pem(),
        service_account_issuer: "https://kubernetes.default.svc.cluster.local".to_owned(),
        advertise: address,
        kubelet_tls: None,
    })
    .await?;
    std::fs::write(kubeconfig, config(address, &authority.pem(), &admin.pem(), &admin_key.serialize_pem()))?;
    println!("serving on https://{address}");
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.cancel();
        }
    });
    server.serve(listener, Arc::new(tls), cancel).await;
    Ok(())
}

fn config(address: std::net::SocketAddr, authority: &str, certificate: &str, key: &str) -> String {
    use base64::Engine;
    let encode = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: try\n\
         clusters: [{{name: try, cluster: {{server: 'https://{address}', certificate-authority-data: {}}}}}]\n\
         users: [{{name: try, user: {{client-certificate-data: {}, client-key-data: {}}}}}]\n\
         contexts: [{{name: try, context: {{cluster: try, user: try}}}}]\n",
        encode(authority),
        encode(certificate),
        encode(key)
    )
}
