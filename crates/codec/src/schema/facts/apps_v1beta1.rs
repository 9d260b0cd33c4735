//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ControllerRevision: Type = Type { name: "ControllerRevision", package: "io.k8s.api.apps.v1beta1", fields: apps_v1beta2::ControllerRevision.fields, embedded: apps_v1beta2::ControllerRevision.embedded, order: apps_v1beta2::ControllerRevision.order, is_atomic: false };

pub(super) static Deployment: Type = Type { name: "Deployment", package: "io.k8s.api.apps.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DeploymentSpec)).optional(),
    field(3, "status", Struct(&apps_v1beta2::DeploymentStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DeploymentRollback: Type = Type { name: "DeploymentRollback", package: "io.k8s.api.apps.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "name", String),
    field(3, "rollbackTo", Struct(&RollbackConfig)),
    omitted(2, "updatedAnnotations", Map(&String)),
], embedded: &[], order: &[2, 4, 3], is_atomic: false };

pub(super) static DeploymentSpec: Type = Type { name: "DeploymentSpec", package: "", fields: &[
    omitted(5, "minReadySeconds", Int32),
    omitted(7, "paused", Bool),
    pointer(9, "progressDeadlineSeconds", Int32),
    pointer(1, "replicas", Int32),
    pointer(6, "revisionHistoryLimit", Int32),
    pointer(8, "rollbackTo", Struct(&RollbackConfig)),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(4, "strategy", Struct(&apps_v1::DeploymentStrategy)).optional().patched(RetainKeys),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
], embedded: &[], order: &[3, 6, 8, 7, 0, 4, 1, 5, 2], is_atomic: false };

pub(super) static RollbackConfig: Type = Type { name: "RollbackConfig", package: "", fields: &[
    omitted(1, "revision", Int64),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static Scale: Type = Type { name: "Scale", package: "io.k8s.api.apps.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&autoscaling_v1::ScaleSpec)).optional(),
    field(3, "status", Struct(&ScaleStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ScaleStatus: Type = Type { name: "ScaleStatus", package: "", fields: &[
    field(1, "replicas", Int32),
    omitted(2, "selector", Map(&String)),
    omitted(3, "targetSelector", String),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static StatefulSet: Type = Type { name: "StatefulSet", package: "io.k8s.api.apps.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&StatefulSetSpec)).optional(),
    field(3, "status", Struct(&StatefulSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static StatefulSetSpec: Type = Type { name: "StatefulSetSpec", package: "", fields: &[
    omitted(9, "minReadySeconds", Int32),
    pointer(11, "ordinals", Struct(&apps_v1::StatefulSetOrdinals)),
    pointer(10, "persistentVolumeClaimRetentionPolicy", Struct(&apps_v1::StatefulSetPersistentVolumeClaimRetentionPolicy)),
    omitted(6, "podManagementPolicy", Text("PodManagementPolicyType")),
    pointer(1, "replicas", Int32),
    pointer(8, "revisionHistoryLimit", Int32),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(5, "serviceName", String).optional(),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
    field(7, "updateStrategy", Struct(&apps_v1::StatefulSetUpdateStrategy)).optional(),
    omitted(4, "volumeClaimTemplates", List(&Struct(&core_v1::PersistentVolumeClaim))).of(Atomic),
], embedded: &[], order: &[4, 6, 8, 10, 7, 3, 9, 5, 0, 2, 1], is_atomic: false };

pub(super) static StatefulSetStatus: Type = Type { name: "StatefulSetStatus", package: "", fields: &[
    field(11, "availableReplicas", Int32).optional(),
    pointer(9, "collisionCount", Int32),
    omitted(10, "conditions", List(&Struct(&apps_v1beta2::StatefulSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(4, "currentReplicas", Int32),
    omitted(6, "currentRevision", String),
    pointer(1, "observedGeneration", Int64),
    omitted(3, "readyReplicas", Int32),
    field(2, "replicas", Int32),
    omitted(7, "updateRevision", String),
    omitted(5, "updatedReplicas", Int32),
], embedded: &[], order: &[5, 7, 6, 3, 9, 4, 8, 1, 2, 0], is_atomic: false };
