//! What a CertificateSigningRequest carries: PKCS#10, in PEM, in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

/// For whom, and under which names, somebody asks for a certificate.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CertificateRequest {
    pub common_name: String,
    pub organizations: Vec<String>,
    pub dns_names: usize,
    pub ip_addresses: usize,
    /// Mail addresses and URIs.
    pub other_names: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error(transparent)]
    Base64(#[from] base64::DecodeError),
    #[error("PEM block type must be CERTIFICATE REQUEST")]
    Block,
    #[error("{0}")]
    Syntax(String),
}

impl CertificateRequest {
    /// Reads `spec.request`.
    pub fn read(encoded: &str) -> Result<CertificateRequest, RequestError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(&STANDARD.decode(encoded)?).map_err(|_| RequestError::Block)?;
        if pem.label != "CERTIFICATE REQUEST" {
            return Err(RequestError::Block);
        }
        let syntax =
            |error: x509_parser::nom::Err<x509_parser::error::X509Error>| RequestError::Syntax(error.to_string());
        let (_, parsed) = X509CertificationRequest::from_der(&pem.contents).map_err(syntax)?;
        let subject = &parsed.certification_request_info.subject;
        let text = |name: &x509_parser::x509::AttributeTypeAndValue<'_>| name.as_str().ok().map(str::to_owned);
        let mut request = CertificateRequest {
            // Of several the last counts.
            common_name: subject.iter_common_name().filter_map(text).last().unwrap_or_default(),
            organizations: subject.iter_organization().filter_map(text).collect(),
            ..CertificateRequest::default()
        };
        for extension in parsed.requested_extensions().into_iter().flatten() {
            let ParsedExtension::SubjectAlternativeName(names) = extension else { continue };
            for name in &names.general_names {
                match name {
                    GeneralName::DNSName(_) => request.dns_names += 1,
                    GeneralName::IPAddress(_) => request.ip_addresses += 1,
                    GeneralName::RFC822Name(_) | GeneralName::URI(_) => request.other_names += 1,
                    _ => {}
                }
            }
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_request_is_told_apart() {
        let refused = |text: &str| CertificateRequest::read(text).unwrap_err().to_string();
        assert_eq!(refused("***"), "Invalid symbol 42, offset 0.");
        assert_eq!(refused("bm90IGEgcmVxdWVzdA=="), "PEM block type must be CERTIFICATE REQUEST");
        let other = STANDARD.encode("-----BEGIN CERTIFICATE-----\nAAA=\n-----END CERTIFICATE-----\n");
        assert_eq!(refused(&other), "PEM block type must be CERTIFICATE REQUEST");
        let empty = STANDARD.encode("-----BEGIN CERTIFICATE REQUEST-----\nAAA=\n-----END CERTIFICATE REQUEST-----\n");
        assert!(matches!(CertificateRequest::read(&empty), Err(RequestError::Syntax(_))));
    }
}
