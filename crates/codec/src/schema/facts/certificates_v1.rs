//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CertificateSigningRequest: Type = Type { go: "v1.CertificateSigningRequest", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&CertificateSigningRequestSpec)),
    field("status", Struct(&CertificateSigningRequestStatus)),
] };

pub(super) static CertificateSigningRequestCondition: Type = Type { go: "v1.CertificateSigningRequestCondition", fields: &[
    field("lastTransitionTime", Time),
    field("lastUpdateTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.RequestConditionType")),
] };

pub(super) static CertificateSigningRequestSpec: Type = Type { go: "v1.CertificateSigningRequestSpec", fields: &[
    field("expirationSeconds", Int32),
    omitted("extra", Map(&List(&String))),
    omitted("groups", List(&String)).of(Atomic),
    field("request", Bytes),
    field("signerName", String),
    omitted("uid", String),
    omitted("usages", List(&Text("v1.KeyUsage"))).of(Atomic),
    omitted("username", String),
] };

pub(super) static CertificateSigningRequestStatus: Type = Type { go: "v1.CertificateSigningRequestStatus", fields: &[
    omitted("certificate", Bytes),
    omitted("conditions", List(&Struct(&CertificateSigningRequestCondition))).of(Keyed(&["type"])),
] };

pub(super) static ClusterTrustBundle: Type = Type { go: "v1.ClusterTrustBundle", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("spec", Struct(&ClusterTrustBundleSpec)),
] };

pub(super) static ClusterTrustBundleSpec: Type = Type { go: "v1.ClusterTrustBundleSpec", fields: &[
    omitted("signerName", String),
    omitted("trustBundle", String),
] };

pub(super) static PodCertificateRequest: Type = Type { go: "v1.PodCertificateRequest", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    omitted("metadata", Struct(&meta_v1::ObjectMeta)),
    omitted("spec", Struct(&PodCertificateRequestSpec)),
    omitted("status", Struct(&PodCertificateRequestStatus)),
] };

pub(super) static PodCertificateRequestSpec: Type = Type { go: "v1.PodCertificateRequestSpec", fields: &[
    omitted("maxExpirationSeconds", Int32),
    omitted("nodeName", String),
    omitted("nodeUID", String),
    omitted("podName", String),
    omitted("podUID", String),
    omitted("serviceAccountName", String),
    omitted("serviceAccountUID", String),
    omitted("signerName", String),
    omitted("stubPKCS10Request", Bytes),
    omitted("unverifiedUserAnnotations", Map(&String)),
] };

pub(super) static PodCertificateRequestStatus: Type = Type { go: "v1.PodCertificateRequestStatus", fields: &[
    omitted("beginRefreshAt", Time),
    omitted("certificateChain", String),
    omitted("conditions", List(&Struct(&meta_v1::Condition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("notAfter", Time),
    omitted("notBefore", Time),
] };
