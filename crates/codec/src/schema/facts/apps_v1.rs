//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ControllerRevision: Type = Type { name: "ControllerRevision", package: "io.k8s.api.apps.v1", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "data", Any),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "revision", Int64).optional(),
], embedded: &[], order: &[3, 1, 4], is_atomic: false };

pub(super) static DaemonSet: Type = Type { name: "DaemonSet", package: "io.k8s.api.apps.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DaemonSetSpec)),
    field(3, "status", Struct(&DaemonSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DaemonSetCondition: Type = Type { name: "DaemonSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")).optional(),
    field(1, "type", Text("DaemonSetConditionType")).optional(),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static DaemonSetSpec: Type = Type { name: "DaemonSetSpec", package: "", fields: &[
    omitted(4, "minReadySeconds", Int32),
    pointer(6, "revisionHistoryLimit", Int32),
    pointer(1, "selector", Struct(&meta_v1::LabelSelector)).required(),
    field(2, "template", Struct(&core_v1::PodTemplateSpec)),
    field(3, "updateStrategy", Struct(&DaemonSetUpdateStrategy)).optional(),
], embedded: &[], order: &[2, 3, 4, 0, 1], is_atomic: false };

pub(super) static DaemonSetStatus: Type = Type { name: "DaemonSetStatus", package: "", fields: &[
    pointer(9, "collisionCount", Int32),
    omitted(10, "conditions", List(&Struct(&DaemonSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(1, "currentNumberScheduled", Int32),
    field(3, "desiredNumberScheduled", Int32),
    omitted(7, "numberAvailable", Int32),
    field(2, "numberMisscheduled", Int32),
    field(4, "numberReady", Int32),
    omitted(8, "numberUnavailable", Int32),
    omitted(5, "observedGeneration", Int64),
    omitted(6, "updatedNumberScheduled", Int32),
], embedded: &[], order: &[2, 5, 3, 6, 8, 9, 4, 7, 0, 1], is_atomic: false };

pub(super) static DaemonSetUpdateStrategy: Type = Type { name: "DaemonSetUpdateStrategy", package: "", fields: &[
    pointer(2, "rollingUpdate", Struct(&RollingUpdateDaemonSet)),
    omitted(1, "type", Text("DaemonSetUpdateStrategyType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static Deployment: Type = Type { name: "Deployment", package: "io.k8s.api.apps.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&DeploymentSpec)),
    field(3, "status", Struct(&DeploymentStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DeploymentCondition: Type = Type { name: "DeploymentCondition", package: "", fields: &[
    field(7, "lastTransitionTime", Time).optional(),
    field(6, "lastUpdateTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")).optional(),
    field(1, "type", Text("DeploymentConditionType")).optional(),
], embedded: &[], order: &[5, 4, 3, 2, 1, 0], is_atomic: false };

pub(super) static DeploymentSpec: Type = Type { name: "DeploymentSpec", package: "", fields: &[
    omitted(5, "minReadySeconds", Int32),
    omitted(7, "paused", Bool),
    pointer(9, "progressDeadlineSeconds", Int32),
    pointer(1, "replicas", Int32),
    pointer(6, "revisionHistoryLimit", Int32),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)).required(),
    field(4, "strategy", Struct(&DeploymentStrategy)).optional().patched(RetainKeys),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
], embedded: &[], order: &[3, 5, 7, 6, 0, 4, 1, 2], is_atomic: false };

pub(super) static DeploymentStatus: Type = Type { name: "DeploymentStatus", package: "", fields: &[
    omitted(4, "availableReplicas", Int32),
    pointer(8, "collisionCount", Int32),
    omitted(6, "conditions", List(&Struct(&DeploymentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(1, "observedGeneration", Int64),
    omitted(7, "readyReplicas", Int32),
    omitted(2, "replicas", Int32),
    pointer(9, "terminatingReplicas", Int32),
    omitted(5, "unavailableReplicas", Int32),
    omitted(3, "updatedReplicas", Int32),
], embedded: &[], order: &[3, 5, 8, 0, 7, 2, 4, 1, 6], is_atomic: false };

pub(super) static DeploymentStrategy: Type = Type { name: "DeploymentStrategy", package: "", fields: &[
    pointer(2, "rollingUpdate", Struct(&RollingUpdateDeployment)),
    omitted(1, "type", Text("DeploymentStrategyType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static ReplicaSet: Type = Type { name: "ReplicaSet", package: "io.k8s.api.apps.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&ReplicaSetSpec)),
    field(3, "status", Struct(&ReplicaSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ReplicaSetCondition: Type = Type { name: "ReplicaSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")).optional(),
    field(1, "type", Text("ReplicaSetConditionType")).optional(),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static ReplicaSetSpec: Type = Type { name: "ReplicaSetSpec", package: "", fields: &[
    omitted(4, "minReadySeconds", Int32),
    pointer(1, "replicas", Int32),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)).required(),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)).optional(),
], embedded: &[], order: &[1, 2, 3, 0], is_atomic: false };

pub(super) static ReplicaSetStatus: Type = Type { name: "ReplicaSetStatus", package: "", fields: &[
    omitted(5, "availableReplicas", Int32),
    omitted(6, "conditions", List(&Struct(&ReplicaSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "fullyLabeledReplicas", Int32),
    omitted(3, "observedGeneration", Int64),
    omitted(4, "readyReplicas", Int32),
    field(1, "replicas", Int32),
    pointer(7, "terminatingReplicas", Int32),
], embedded: &[], order: &[5, 2, 3, 4, 0, 1, 6], is_atomic: false };

pub(super) static RollingUpdateDaemonSet: Type = Type { name: "RollingUpdateDaemonSet", package: "", fields: &[
    pointer(2, "maxSurge", IntOrString),
    pointer(1, "maxUnavailable", IntOrString),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static RollingUpdateDeployment: Type = Type { name: "RollingUpdateDeployment", package: "", fields: &[
    pointer(2, "maxSurge", IntOrString),
    pointer(1, "maxUnavailable", IntOrString),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static RollingUpdateStatefulSetStrategy: Type = Type { name: "RollingUpdateStatefulSetStrategy", package: "", fields: &[
    pointer(2, "maxUnavailable", IntOrString),
    pointer(1, "partition", Int32),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static StatefulSet: Type = Type { name: "StatefulSet", package: "io.k8s.api.apps.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&StatefulSetSpec)),
    field(3, "status", Struct(&StatefulSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static StatefulSetCondition: Type = Type { name: "StatefulSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")).optional(),
    field(1, "type", Text("StatefulSetConditionType")).optional(),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static StatefulSetOrdinals: Type = Type { name: "StatefulSetOrdinals", package: "", fields: &[
    field(1, "start", Int32).optional(),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static StatefulSetPersistentVolumeClaimRetentionPolicy: Type = Type { name: "StatefulSetPersistentVolumeClaimRetentionPolicy", package: "", fields: &[
    omitted(1, "whenDeleted", Text("PersistentVolumeClaimRetentionPolicyType")),
    omitted(2, "whenScaled", Text("PersistentVolumeClaimRetentionPolicyType")),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static StatefulSetSpec: Type = Type { name: "StatefulSetSpec", package: "", fields: &[
    omitted(9, "minReadySeconds", Int32),
    pointer(11, "ordinals", Struct(&StatefulSetOrdinals)),
    pointer(10, "persistentVolumeClaimRetentionPolicy", Struct(&StatefulSetPersistentVolumeClaimRetentionPolicy)),
    omitted(6, "podManagementPolicy", Text("PodManagementPolicyType")),
    pointer(1, "replicas", Int32),
    pointer(8, "revisionHistoryLimit", Int32),
    pointer(2, "selector", Struct(&meta_v1::LabelSelector)).required(),
    field(5, "serviceName", String).optional(),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
    field(7, "updateStrategy", Struct(&StatefulSetUpdateStrategy)).optional(),
    omitted(4, "volumeClaimTemplates", List(&Struct(&core_v1::PersistentVolumeClaim))).of(Atomic),
], embedded: &[], order: &[4, 6, 8, 10, 7, 3, 9, 5, 0, 2, 1], is_atomic: false };

pub(super) static StatefulSetStatus: Type = Type { name: "StatefulSetStatus", package: "", fields: &[
    field(11, "availableReplicas", Int32).optional(),
    pointer(9, "collisionCount", Int32),
    omitted(10, "conditions", List(&Struct(&StatefulSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(4, "currentReplicas", Int32),
    omitted(6, "currentRevision", String),
    omitted(1, "observedGeneration", Int64),
    omitted(3, "readyReplicas", Int32),
    field(2, "replicas", Int32),
    omitted(7, "updateRevision", String),
    omitted(5, "updatedReplicas", Int32),
], embedded: &[], order: &[5, 7, 6, 3, 9, 4, 8, 1, 2, 0], is_atomic: false };

pub(super) static StatefulSetUpdateStrategy: Type = Type { name: "StatefulSetUpdateStrategy", package: "", fields: &[
    pointer(2, "rollingUpdate", Struct(&RollingUpdateStatefulSetStrategy)),
    omitted(1, "type", Text("StatefulSetUpdateStrategyType")),
], embedded: &[], order: &[1, 0], is_atomic: false };
