//! Identity from a client certificate: common name and organisations.

use jiff::Timestamp;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, X509Certificate, X509Error};

use super::User;

#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("the certificate does not parse")]
    Parse(#[source] x509_parser::nom::Err<X509Error>),
    #[error("the certificate has no common name")]
    NoCommonName,
    #[error("the certificate is not valid at {0}")]
    Expired(Timestamp),
}

/// The handshake verified chain and purpose. A connection may outlive its certificate, so the time
/// is looked at again on every request.
pub(crate) fn identity(certificate: &CertificateDer<'_>, now: Timestamp) -> Result<User, CertificateError> {
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(CertificateError::Parse)?;
    let validity = parsed.validity();
    let seconds = now.as_second();
    if seconds < validity.not_before.timestamp() || seconds > validity.not_after.timestamp() {
        return Err(CertificateError::Expired(now));
    }
    let subject = parsed.subject();
    let name = subject.iter_common_name().next().and_then(|name| name.as_str().ok()).filter(|name| !name.is_empty());
    let name = name.ok_or(CertificateError::NoCommonName)?.to_owned();
    let groups: Vec<String> =
        subject.iter_organization().filter_map(|group| group.as_str().ok()).map(str::to_owned).collect();
    Ok(User::authenticated(name, groups))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    #[test]
    fn names_and_groups_come_from_the_subject() {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "jane");
        params.distinguished_name.push(DnType::OrganizationName, "system:masters");
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
        let user = identity(certificate.der(), now).unwrap();
        assert_eq!(user.name, "jane");
        assert_eq!(user.groups, ["system:masters", "system:authenticated"]);
        let late: Timestamp = "9000-01-01T00:00:00Z".parse().unwrap();
        assert!(matches!(identity(certificate.der(), late), Err(CertificateError::Expired(_))));
    }
}
