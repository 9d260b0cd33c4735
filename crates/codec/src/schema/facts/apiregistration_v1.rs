//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIService: Type = Type { go: "v1.APIService", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&APIServiceSpec)),
    field("status", Struct(&APIServiceStatus)),
] };

pub(super) static APIServiceCondition: Type = Type { go: "v1.APIServiceCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.APIServiceConditionType")),
] };

pub(super) static APIServiceSpec: Type = Type { go: "v1.APIServiceSpec", fields: &[
    omitted("caBundle", Bytes).of(Atomic),
    omitted("group", String),
    field("groupPriorityMinimum", Int32),
    omitted("insecureSkipTLSVerify", Bool),
    field("service", Struct(&ServiceReference)),
    omitted("version", String),
    field("versionPriority", Int32),
] };

pub(super) static APIServiceStatus: Type = Type { go: "v1.APIServiceStatus", fields: &[
    omitted("conditions", List(&Struct(&APIServiceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    omitted("name", String),
    omitted("namespace", String),
    field("port", Int32),
] };
