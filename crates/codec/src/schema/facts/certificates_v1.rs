//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CertificateSigningRequest: Type = Type { name: "CertificateSigningRequest", package: "io.k8s.api.certificates.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CertificateSigningRequestSpec)),
    field(3, "status", Struct(&CertificateSigningRequestStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static CertificateSigningRequestCondition: Type = Type { name: "CertificateSigningRequestCondition", package: "", fields: &[
    field(5, "lastTransitionTime", Time).optional(),
    field(4, "lastUpdateTime", Time).optional(),
    omitted(3, "message", String),
    omitted(2, "reason", String),
    field(6, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("RequestConditionType")),
], embedded: &[], order: &[5, 3, 2, 1, 0, 4], is_atomic: false };

pub(super) static CertificateSigningRequestSpec: Type = Type { name: "CertificateSigningRequestSpec", package: "", fields: &[
    pointer(8, "expirationSeconds", Int32),
    omitted(6, "extra", Map(&List(&String))),
    omitted(4, "groups", List(&String)).of(Atomic),
    field(1, "request", Bytes),
    field(7, "signerName", String),
    omitted(3, "uid", String),
    omitted(5, "usages", List(&Text("KeyUsage"))).of(Atomic),
    omitted(2, "username", String),
], embedded: &[], order: &[3, 7, 5, 2, 6, 1, 4, 0], is_atomic: false };

pub(super) static CertificateSigningRequestStatus: Type = Type { name: "CertificateSigningRequestStatus", package: "", fields: &[
    omitted(2, "certificate", Bytes),
    omitted(1, "conditions", List(&Struct(&CertificateSigningRequestCondition))).of(Keyed(&["type"])),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ClusterTrustBundle: Type = Type { name: "ClusterTrustBundle", package: "io.k8s.api.certificates.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ClusterTrustBundleSpec)),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static ClusterTrustBundleSpec: Type = Type { name: "ClusterTrustBundleSpec", package: "", fields: &[
    omitted(1, "signerName", String),
    field(2, "trustBundle", String),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodCertificateRequest: Type = Type { name: "PodCertificateRequest", package: "io.k8s.api.certificates.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodCertificateRequestSpec)),
    field(3, "status", Struct(&PodCertificateRequestStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PodCertificateRequestSpec: Type = Type { name: "PodCertificateRequestSpec", package: "", fields: &[
    pointer(8, "maxExpirationSeconds", Int32).or("86400"),
    field(6, "nodeName", Text("types.NodeName")),
    field(7, "nodeUID", Text("types.UID")),
    field(2, "podName", String),
    field(3, "podUID", Text("types.UID")),
    field(4, "serviceAccountName", String),
    field(5, "serviceAccountUID", Text("types.UID")),
    field(1, "signerName", String),
    field(12, "stubPKCS10Request", Bytes),
    omitted(11, "unverifiedUserAnnotations", Map(&String)),
], embedded: &[], order: &[7, 3, 4, 5, 6, 1, 2, 0, 9, 8], is_atomic: false };

pub(super) static PodCertificateRequestStatus: Type = Type { name: "PodCertificateRequestStatus", package: "", fields: &[
    pointer(5, "beginRefreshAt", Time),
    omitted(2, "certificateChain", String),
    omitted(1, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    pointer(6, "notAfter", Time),
    pointer(4, "notBefore", Time),
], embedded: &[], order: &[2, 1, 4, 0, 3], is_atomic: false };
