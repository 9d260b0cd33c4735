//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static FlowSchema: Type = Type { name: "FlowSchema", package: "io.k8s.api.flowcontrol.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&flowcontrol_v1::FlowSchemaSpec)).optional(),
    field(3, "status", Struct(&FlowSchemaStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static FlowSchemaStatus: Type = Type { name: "FlowSchemaStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&flowcontrol_v1beta3::FlowSchemaCondition))).of(Keyed(&["type"])),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static LimitedPriorityLevelConfiguration: Type = Type { name: "LimitedPriorityLevelConfiguration", package: "", fields: &[
    field(1, "assuredConcurrencyShares", Int32).optional(),
    pointer(4, "borrowingLimitPercent", Int32),
    pointer(3, "lendablePercent", Int32),
    field(2, "limitResponse", Struct(&flowcontrol_v1::LimitResponse)).optional(),
], embedded: &[], order: &[0, 3, 2, 1], is_atomic: false };

pub(super) static PriorityLevelConfiguration: Type = Type { name: "PriorityLevelConfiguration", package: "io.k8s.api.flowcontrol.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PriorityLevelConfigurationSpec)).optional(),
    field(3, "status", Struct(&PriorityLevelConfigurationStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static PriorityLevelConfigurationSpec: Type = Type { name: "PriorityLevelConfigurationSpec", package: "", fields: &[
    pointer(3, "exempt", Struct(&flowcontrol_v1::ExemptPriorityLevelConfiguration)),
    pointer(2, "limited", Struct(&LimitedPriorityLevelConfiguration)),
    field(1, "type", Text("PriorityLevelEnablement")),
], embedded: &[], order: &[2, 1, 0], is_atomic: false };

pub(super) static PriorityLevelConfigurationStatus: Type = Type { name: "PriorityLevelConfigurationStatus", package: "", fields: &[
    omitted(1, "conditions", List(&Struct(&flowcontrol_v1beta3::PriorityLevelConfigurationCondition))).of(Keyed(&["type"])),
], embedded: &[], order: &[0], is_atomic: false };
