//! The cluster's certificate authority and what it signs.
//!
//! On disk rest only the authority, the service account key and the administrator's kubeconfig. The
//! serving and client certificates of the components are issued anew at every start and live in
//! memory alone, so there is nothing to rotate and nothing to steal.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

const AUTHORITY_YEARS: i64 = 10;
/// For certificates that live in memory: as long as the authority itself.
pub const COMPONENT_YEARS: i64 = AUTHORITY_YEARS;
const ADMINISTRATOR_YEARS: i64 = 1;

#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("cannot {doing} {}", path.display())]
    File { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is damaged; move {} away to make new certificates (clients then need the new kubeconfig)", path.display(), path.parent().unwrap_or(path).display())]
    Damaged { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("cannot sign a certificate")]
    Sign(#[from] rcgen::Error),
    #[error("cannot set up TLS")]
    Tls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The authority, ready to sign.
pub struct Authority {
    certificate_pem: String,
    issuer: Issuer<'static, KeyPair>,
    now: Timestamp,
}

/// A certificate with its key, both PEM.
#[derive(Clone)]
pub struct Identity {
    pub certificate_pem: String,
    pub key_pem: String,
}

/// Whom a client certificate names: the user and its groups.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub user: &'a str,
    pub groups: &'a [&'a str],
}

impl Authority {
    /// Opens the authority in `folder`, or makes it there where none is.
    pub fn open(folder: &Path, now: Timestamp) -> Result<Self, PkiError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| PkiError::File {
            doing: "create",
            path: folder.to_owned(),
            source,
        })?;
        let (certificate_path, key_path) = (folder.join("ca.crt"), folder.join("ca.key"));
        if let (Some(certificate_pem), Some(key_pem)) = (read(&certificate_path)?, read(&key_path)?) {
            let damaged = |path: &Path| {
                let path = path.to_owned();
                move |source: rcgen::Error| PkiError::Damaged { path, source: Box::new(source) }
            };
            let key = KeyPair::from_pem(&key_pem).map_err(damaged(&key_path))?;
            let issuer = Issuer::from_ca_cert_pem(&certificate_pem, key).map_err(damaged(&certificate_path))?;
            return Ok(Authority { certificate_pem, issuer, now });
        }
        let key = KeyPair::generate()?;
        let mut parameters = parameters("pintle-ca", &[], now, AUTHORITY_YEARS)?;
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages =
            vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate_pem = parameters.self_signed(&key)?.pem();
        // The key first: a certificate on disk means the pair is complete.
        write(&key_path, &key.serialize_pem(), 0o600)?;
        write(&certificate_path, &certificate_pem, 0o644)?;
        Ok(Authority { certificate_pem, issuer: Issuer::new(parameters, key), now })
    }

    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// For the one room that signs what clients ask for; it never leaves the process.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for a TLS server that is reached by `names` and `addresses`.
    pub fn issue_server(&self, name: &str, names: &[String], addresses: &[IpAddr]) -> Result<Identity, PkiError> {
        let mut parameters = parameters(name, names, self.now, AUTHORITY_YEARS)?;
        parameters.subject_alt_names.extend(addresses.iter().map(|address| rcgen::SanType::IpAddress(*address)));
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(parameters)
    }

    /// A certificate that authenticates a client, valid for `years`.
    pub fn issue_client(&self, subject: Subject<'_>, years: i64) -> Result<Identity, PkiError> {
        let mut parameters = parameters(subject.user, &[], self.now, years)?;
        for group in subject.groups {
            parameters.distinguished_name.push(DnType::OrganizationName, *group);
        }
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(parameters)
    }

    fn issue(&self, mut parameters: CertificateParams) -> Result<Identity, PkiError> {
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate()?;
        let certificate = parameters.signed_by(&key, &self.issuer)?;
        Ok(Identity { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }

    /// The administrator: `system:masters`, whom no rule can lock out.
    pub fn issue_administrator(&self) -> Result<Identity, PkiError> {
        let subject = Subject { user: "kubernetes-admin", groups: &["system:masters"] };
        self.issue_client(subject, ADMINISTRATOR_YEARS)
    }

    /// TLS for a server that asks clients for a certificate of this authority but takes those without:
    /// they may hold a token.
    pub fn server_tls(&self, identity: &Identity) -> Result<Arc<rustls::ServerConfig>, PkiError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()?), provider.clone())
            .allow_unauthenticated()
            .build()
            .map_err(tls)?;
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(identity.chain()?, identity.key()?)
            .map_err(tls)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// TLS for a client that proves `identity` and trusts only this authority.
    pub fn client_tls(&self, identity: &Identity) -> Result<Arc<rustls::ClientConfig>, PkiError> {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(tls)?
            .with_root_certificates(self.roots()?)
            .with_client_auth_cert(identity.chain()?, identity.key()?)
            .map_err(tls)?;
        Ok(Arc::new(config))
    }

    /// The authority's certificate, for clients that take it parsed.
    pub fn certificates(&self) -> Result<Vec<Vec<u8>>, PkiError> {
        let certificates = CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes());
        certificates.map(|certificate| Ok(certificate.map_err(tls)?.to_vec())).collect()
    }

    fn roots(&self) -> Result<RootCertStore, PkiError> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes()) {
            roots.add(certificate.map_err(tls)?).map_err(tls)?;
        }
        Ok(roots)
    }
}

impl Identity {
    pub fn certificate_base64(&self) -> String {
        STANDARD.encode(&self.certificate_pem)
    }

    pub fn key_base64(&self) -> String {
        STANDARD.encode(&self.key_pem)
    }

    fn chain(&self) -> Result<Vec<CertificateDer<'static>>, PkiError> {
        CertificateDer::pem_slice_iter(self.certificate_pem.as_bytes()).collect::<Result<_, _>>().map_err(tls)
    }

    fn key(&self) -> Result<PrivateKeyDer<'static>, PkiError> {
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key_pem.as_bytes()).map_err(tls)?;
        Ok(PrivateKeyDer::Pkcs8(key))
    }
}

/// The key that signs service account tokens (P-256, PKCS#8 PEM), made where none is. Tokens must outlive
/// restarts, so this one rests on disk.
pub fn service_account_key(folder: &Path) -> Result<String, PkiError> {
    let path = folder.join("sa.key");
    if let Some(key) = read(&path)? {
        return match KeyPair::from_pem(&key) {
            Ok(_) => Ok(key),
            Err(source) => Err(PkiError::Damaged { path, source: Box::new(source) }),
        };
    }
    let key = KeyPair::generate()?.serialize_pem();
    write(&path, &key, 0o600)?;
    Ok(key)
}

fn parameters(name: &str, names: &[String], now: Timestamp, years: i64) -> Result<CertificateParams, PkiError> {
    let mut parameters = CertificateParams::new(names.to_vec())?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    let today = now.to_zoned(TimeZone::UTC).date();
    // A day of grace for clients whose clocks are behind.
    let (first, last) = (today.saturating_sub(1.day()), today.saturating_add(years.years()));
    let day = |date: jiff::civil::Date| {
        rcgen::date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs())
    };
    (parameters.not_before, parameters.not_after) = (day(first), day(last));
    Ok(parameters)
}

fn read(path: &Path) -> Result<Option<String>, PkiError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(PkiError::File { doing: "read", path: path.to_owned(), source }),
    }
}

fn write(path: &Path, contents: &str, mode: u32) -> Result<(), PkiError> {
    stdx::fs::write_atomic(path, contents.as_bytes(), mode).map_err(|source| PkiError::File {
        doing: "write",
        path: path.to_owned(),
        source,
    })
}

fn tls(error: impl std::error::Error + Send + Sync + 'static) -> PkiError {
    PkiError::Tls(Box::new(error))
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2030-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_authority_is_made_once_and_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::open(folder.path(), now()).unwrap();
        let again = Authority::open(folder.path(), now()).unwrap();
        assert_eq!(first.certificate_pem(), again.certificate_pem());
        assert_eq!(service_account_key(folder.path()).unwrap(), service_account_key(folder.path()).unwrap());

        let identity = again.issue_administrator().unwrap();
        let (_, pem) = parse_x509_pem(identity.certificate_pem.as_bytes()).unwrap();
        let certificate = pem.parse_x509().unwrap();
        assert_eq!(certificate.subject().to_string(), "CN=kubernetes-admin, O=system:masters");
        let (_, authority) = parse_x509_pem(first.certificate_pem().as_bytes()).unwrap();
        let authority = authority.parse_x509().unwrap();
        assert_eq!(certificate.issuer(), authority.subject());
        again.server_tls(&again.issue_server("api", &["kubernetes".into()], &[]).unwrap()).unwrap();
        again.client_tls(&identity).unwrap();
    }

    #[test]
    fn damaged_files_are_named_and_left_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        Authority::open(folder.path(), now()).unwrap();
        for name in ["ca.key", "ca.crt"] {
            let path = folder.path().join(name);
            let whole = fs::read(&path).unwrap();
            fs::write(&path, "garbage").unwrap();
            let error = Authority::open(folder.path(), now()).err().unwrap().to_string();
            assert!(error.contains(name) && error.contains("is damaged"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), b"garbage");
            fs::write(&path, whole).unwrap();
        }
    }
}
