//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CertificateSigningRequest: Type = Type { go: "v1.CertificateSigningRequest", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&CertificateSigningRequestSpec)),
    field(3, "status", Struct(&CertificateSigningRequestStatus)),
], embedded: &[] };

pub(super) static CertificateSigningRequestCondition: Type = Type { go: "v1.CertificateSigningRequestCondition", fields: &[
    field(5, "lastTransitionTime", Time),
    field(4, "lastUpdateTime", Time),
    omitted(3, "message", String),
    omitted(2, "reason", String),
    field(6, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.RequestConditionType")),
], embedded: &[] };

pub(super) static CertificateSigningRequestSpec: Type = Type { go: "v1.CertificateSigningRequestSpec", fields: &[
    field(8, "expirationSeconds", Int32),
    omitted(6, "extra", Map(&List(&String))),
    omitted(4, "groups", List(&String)).of(Atomic),
    field(1, "request", Bytes),
    field(7, "signerName", String),
    omitted(3, "uid", String),
    omitted(5, "usages", List(&Text("v1.KeyUsage"))).of(Atomic),
    omitted(2, "username", String),
], embedded: &[] };

pub(super) static CertificateSigningRequestStatus: Type = Type { go: "v1.CertificateSigningRequestStatus", fields: &[
    omitted(2, "certificate", Bytes),
    omitted(1, "conditions", List(&Struct(&CertificateSigningRequestCondition))).of(Keyed(&["type"])),
], embedded: &[] };

pub(super) static ClusterTrustBundle: Type = Type { go: "v1.ClusterTrustBundle", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(0, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(0, "spec", Struct(&ClusterTrustBundleSpec)),
], embedded: &[] };

pub(super) static ClusterTrustBundleSpec: Type = Type { go: "v1.ClusterTrustBundleSpec", fields: &[
    omitted(0, "signerName", String),
    omitted(0, "trustBundle", String),
], embedded: &[] };

pub(super) static PodCertificateRequest: Type = Type { go: "v1.PodCertificateRequest", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    omitted(0, "metadata", Struct(&meta_v1::ObjectMeta)),
    omitted(0, "spec", Struct(&PodCertificateRequestSpec)),
    omitted(0, "status", Struct(&PodCertificateRequestStatus)),
], embedded: &[] };

pub(super) static PodCertificateRequestSpec: Type = Type { go: "v1.PodCertificateRequestSpec", fields: &[
    omitted(0, "maxExpirationSeconds", Int32),
    omitted(0, "nodeName", String),
    omitted(0, "nodeUID", String),
    omitted(0, "podName", String),
    omitted(0, "podUID", String),
    omitted(0, "serviceAccountName", String),
    omitted(0, "serviceAccountUID", String),
    omitted(0, "signerName", String),
    omitted(0, "stubPKCS10Request", Bytes),
    omitted(0, "unverifiedUserAnnotations", Map(&String)),
], embedded: &[] };

pub(super) static PodCertificateRequestStatus: Type = Type { go: "v1.PodCertificateRequestStatus", fields: &[
    omitted(0, "beginRefreshAt", Time),
    omitted(0, "certificateChain", String),
    omitted(0, "conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(0, "notAfter", Time),
    omitted(0, "notBefore", Time),
], embedded: &[] };
