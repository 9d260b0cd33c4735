//! Identity from a client certificate: common name and organisations.

use std::sync::Arc;

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

/// Whom a certificate names, and while when.
#[derive(Debug)]
pub(crate) struct Identity {
    user: Arc<User>,
    not_before_seconds: i64,
    not_after_seconds: i64,
}

impl Identity {
    /// The handshake verified chain and purpose.
    pub(crate) fn of(certificate: &CertificateDer<'_>) -> Result<Self, CertificateError> {
        let (_, parsed) = X509Certificate::from_der(certificate).map_err(CertificateError::Parse)?;
        let subject = parsed.subject();
        let name = subject.iter_common_name().next().and_then(|name| name.as_str().ok());
        let name = name.filter(|name| !name.is_empty()).ok_or(CertificateError::NoCommonName)?;
        let groups: Vec<String> =
            subject.iter_organization().filter_map(|group| group.as_str().ok()).map(str::to_owned).collect();
        Ok(Identity {
            user: Arc::new(User::authenticated(name, groups)),
            not_before_seconds: parsed.validity().not_before.timestamp(),
            not_after_seconds: parsed.validity().not_after.timestamp(),
        })
    }

    /// The user. A connection may outlive its certificate, so the time is looked at on every request.
    pub(crate) fn at(&self, now: Timestamp) -> Result<Arc<User>, CertificateError> {
        if (self.not_before_seconds..=self.not_after_seconds).contains(&now.as_second()) {
            Ok(self.user.clone())
        } else {
            Err(CertificateError::Expired(now))
        }
    }
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
        let identity = Identity::of(certificate.der()).unwrap();
        let user = identity.at(now).unwrap();
        assert_eq!(user.name, "jane");
        assert_eq!(user.groups, ["system:masters", "system:authenticated"]);
        let late: Timestamp = "9000-01-01T00:00:00Z".parse().unwrap();
        assert!(matches!(identity.at(late), Err(CertificateError::Expired(_))));
    }
}
