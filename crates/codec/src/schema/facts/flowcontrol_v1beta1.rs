//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static FlowSchema: Type = Type { name: "FlowSchema", package: "io.k8s.api.flowcontrol.v1beta1", fields: flowcontrol_v1beta2::FlowSchema.fields, embedded: flowcontrol_v1beta2::FlowSchema.embedded, order: flowcontrol_v1beta2::FlowSchema.order, is_atomic: false };

pub(super) static PriorityLevelConfiguration: Type = Type { name: "PriorityLevelConfiguration", package: "io.k8s.api.flowcontrol.v1beta1", fields: flowcontrol_v1beta2::PriorityLevelConfiguration.fields, embedded: flowcontrol_v1beta2::PriorityLevelConfiguration.embedded, order: flowcontrol_v1beta2::PriorityLevelConfiguration.order, is_atomic: false };
