//! certificates.k8s.io `CertificateSigningRequest`.

use crate::kind::Kind;

pub static CERTIFICATE_SIGNING_REQUEST: Kind = Kind {
    group: "certificates.k8s.io",
    kind: "CertificateSigningRequest",
    plural: "certificatesigningrequests",
    singular: "certificatesigningrequest",
    short_names: &["csr"],
    has_status: true,
    ..Kind::CLUSTER
};
