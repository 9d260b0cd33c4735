//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIService: Type = Type { go: "v1.APIService", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&APIServiceSpec)),
    field(3, "status", Struct(&APIServiceStatus)),
], embedded: &[] };

pub(super) static APIServiceCondition: Type = Type { go: "v1.APIServiceCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.APIServiceConditionType")),
], embedded: &[] };

pub(super) static APIServiceSpec: Type = Type { go: "v1.APIServiceSpec", fields: &[
    omitted(5, "caBundle", Bytes).of(Atomic),
    omitted(2, "group", String),
    field(7, "groupPriorityMinimum", Int32),
    omitted(4, "insecureSkipTLSVerify", Bool),
    field(1, "service", Struct(&ServiceReference)),
    omitted(3, "version", String),
    field(8, "versionPriority", Int32),
], embedded: &[] };

pub(super) static APIServiceStatus: Type = Type { go: "v1.APIServiceStatus", fields: &[
    omitted(1, "conditions", List(&Struct(&APIServiceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[] };

pub(super) static ServiceReference: Type = Type { go: "v1.ServiceReference", fields: &[
    omitted(2, "name", String),
    omitted(1, "namespace", String),
    field(3, "port", Int32),
], embedded: &[] };
