//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static APIService: Type = Type { name: "APIService", package: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&APIServiceSpec)).optional(),
    field(3, "status", Struct(&APIServiceStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static APIServiceCondition: Type = Type { name: "APIServiceCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("ConditionStatus")),
    field(1, "type", Text("APIServiceConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static APIServiceSpec: Type = Type { name: "APIServiceSpec", package: "", fields: &[
    omitted(5, "caBundle", Bytes).of(Atomic),
    omitted(2, "group", String),
    field(7, "groupPriorityMinimum", Int32),
    omitted(4, "insecureSkipTLSVerify", Bool),
    pointer(1, "service", Struct(&ServiceReference)),
    omitted(3, "version", String),
    field(8, "versionPriority", Int32),
], embedded: &[], order: &[4, 1, 5, 3, 0, 2, 6], is_atomic: false };

pub(super) static APIServiceStatus: Type = Type { name: "APIServiceStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&APIServiceCondition))).of(Keyed(&["type"])).patched(Merge("type")),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static ServiceReference: Type = Type { name: "ServiceReference", package: "", fields: &[
    omitted(2, "name", String),
    omitted(1, "namespace", String),
    pointer(3, "port", Int32),
], embedded: &[], order: &[1, 0, 2], is_atomic: false };
