//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static PodPreset: Type = Type { name: "PodPreset", package: "io.k8s.api.settings.v1alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&PodPresetSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };

pub(super) static PodPresetSpec: Type = Type { name: "PodPresetSpec", package: "", fields: &[
    omitted(2, "env", List(&Struct(&core_v1::EnvVar))),
    omitted(3, "envFrom", List(&Struct(&core_v1::EnvFromSource))),
    field(1, "selector", Struct(&meta_v1::LabelSelector)).optional(),
    omitted(5, "volumeMounts", List(&Struct(&core_v1::VolumeMount))),
    omitted(4, "volumes", List(&Struct(&core_v1::Volume))),
], embedded: &[], order: &[2, 0, 1, 4, 3], is_atomic: false };
