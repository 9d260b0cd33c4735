//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ControllerRevision: Type = Type { go: "v1.ControllerRevision", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "data", Any),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(3, "revision", Int64),
], embedded: &[] };

pub(super) static DaemonSet: Type = Type { go: "v1.DaemonSet", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&DaemonSetSpec)),
    field(3, "status", Struct(&DaemonSetStatus)),
], embedded: &[] };

pub(super) static DaemonSetCondition: Type = Type { go: "v1.DaemonSetCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.DaemonSetConditionType")),
], embedded: &[] };

pub(super) static DaemonSetSpec: Type = Type { go: "v1.DaemonSetSpec", fields: &[
    omitted(4, "minReadySeconds", Int32),
    field(6, "revisionHistoryLimit", Int32),
    field(1, "selector", Struct(&meta_v1::LabelSelector)),
    field(2, "template", Struct(&core_v1::PodTemplateSpec)),
    field(3, "updateStrategy", Struct(&DaemonSetUpdateStrategy)),
], embedded: &[] };

pub(super) static DaemonSetStatus: Type = Type { go: "v1.DaemonSetStatus", fields: &[
    field(9, "collisionCount", Int32),
    omitted(10, "conditions", List(&Struct(&DaemonSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field(1, "currentNumberScheduled", Int32),
    field(3, "desiredNumberScheduled", Int32),
    omitted(7, "numberAvailable", Int32),
    field(2, "numberMisscheduled", Int32),
    field(4, "numberReady", Int32),
    omitted(8, "numberUnavailable", Int32),
    omitted(5, "observedGeneration", Int64),
    omitted(6, "updatedNumberScheduled", Int32),
], embedded: &[] };

pub(super) static DaemonSetUpdateStrategy: Type = Type { go: "v1.DaemonSetUpdateStrategy", fields: &[
    field(2, "rollingUpdate", Struct(&RollingUpdateDaemonSet)),
    omitted(1, "type", Text("v1.DaemonSetUpdateStrategyType")),
], embedded: &[] };

pub(super) static Deployment: Type = Type { go: "v1.Deployment", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&DeploymentSpec)),
    field(3, "status", Struct(&DeploymentStatus)),
], embedded: &[] };

pub(super) static DeploymentCondition: Type = Type { go: "v1.DeploymentCondition", fields: &[
    field(7, "lastTransitionTime", Time),
    field(6, "lastUpdateTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.DeploymentConditionType")),
], embedded: &[] };

pub(super) static DeploymentSpec: Type = Type { go: "v1.DeploymentSpec", fields: &[
    omitted(5, "minReadySeconds", Int32),
    omitted(7, "paused", Bool),
    field(9, "progressDeadlineSeconds", Int32),
    field(1, "replicas", Int32),
    field(6, "revisionHistoryLimit", Int32),
    field(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(4, "strategy", Struct(&DeploymentStrategy)).patched(RetainKeys),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
], embedded: &[] };

pub(super) static DeploymentStatus: Type = Type { go: "v1.DeploymentStatus", fields: &[
    omitted(4, "availableReplicas", Int32),
    field(8, "collisionCount", Int32),
    omitted(6, "conditions", List(&Struct(&DeploymentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(1, "observedGeneration", Int64),
    omitted(7, "readyReplicas", Int32),
    omitted(2, "replicas", Int32),
    field(9, "terminatingReplicas", Int32),
    omitted(5, "unavailableReplicas", Int32),
    omitted(3, "updatedReplicas", Int32),
], embedded: &[] };

pub(super) static DeploymentStrategy: Type = Type { go: "v1.DeploymentStrategy", fields: &[
    field(2, "rollingUpdate", Struct(&RollingUpdateDeployment)),
    omitted(1, "type", Text("v1.DeploymentStrategyType")),
], embedded: &[] };

pub(super) static ReplicaSet: Type = Type { go: "v1.ReplicaSet", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&ReplicaSetSpec)),
    field(3, "status", Struct(&ReplicaSetStatus)),
], embedded: &[] };

pub(super) static ReplicaSetCondition: Type = Type { go: "v1.ReplicaSetCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.ReplicaSetConditionType")),
], embedded: &[] };

pub(super) static ReplicaSetSpec: Type = Type { go: "v1.ReplicaSetSpec", fields: &[
    omitted(4, "minReadySeconds", Int32),
    field(1, "replicas", Int32),
    field(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
], embedded: &[] };

pub(super) static ReplicaSetStatus: Type = Type { go: "v1.ReplicaSetStatus", fields: &[
    omitted(5, "availableReplicas", Int32),
    omitted(6, "conditions", List(&Struct(&ReplicaSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "fullyLabeledReplicas", Int32),
    omitted(3, "observedGeneration", Int64),
    omitted(4, "readyReplicas", Int32),
    field(1, "replicas", Int32),
    field(7, "terminatingReplicas", Int32),
], embedded: &[] };

pub(super) static RollingUpdateDaemonSet: Type = Type { go: "v1.RollingUpdateDaemonSet", fields: &[
    field(2, "maxSurge", IntOrString),
    field(1, "maxUnavailable", IntOrString),
], embedded: &[] };

pub(super) static RollingUpdateDeployment: Type = Type { go: "v1.RollingUpdateDeployment", fields: &[
    field(2, "maxSurge", IntOrString),
    field(1, "maxUnavailable", IntOrString),
], embedded: &[] };

pub(super) static RollingUpdateStatefulSetStrategy: Type = Type { go: "v1.RollingUpdateStatefulSetStrategy", fields: &[
    field(2, "maxUnavailable", IntOrString),
    field(1, "partition", Int32),
], embedded: &[] };

pub(super) static StatefulSet: Type = Type { go: "v1.StatefulSet", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&StatefulSetSpec)),
    field(3, "status", Struct(&StatefulSetStatus)),
], embedded: &[] };

pub(super) static StatefulSetCondition: Type = Type { go: "v1.StatefulSetCondition", fields: &[
    field(3, "lastTransitionTime", Time),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.StatefulSetConditionType")),
], embedded: &[] };

pub(super) static StatefulSetOrdinals: Type = Type { go: "v1.StatefulSetOrdinals", fields: &[
    field(1, "start", Int32),
], embedded: &[] };

pub(super) static StatefulSetPersistentVolumeClaimRetentionPolicy: Type = Type { go: "v1.StatefulSetPersistentVolumeClaimRetentionPolicy", fields: &[
    omitted(1, "whenDeleted", Text("v1.PersistentVolumeClaimRetentionPolicyType")),
    omitted(2, "whenScaled", Text("v1.PersistentVolumeClaimRetentionPolicyType")),
], embedded: &[] };

pub(super) static StatefulSetSpec: Type = Type { go: "v1.StatefulSetSpec", fields: &[
    omitted(9, "minReadySeconds", Int32),
    field(11, "ordinals", Struct(&StatefulSetOrdinals)),
    field(10, "persistentVolumeClaimRetentionPolicy", Struct(&StatefulSetPersistentVolumeClaimRetentionPolicy)),
    omitted(6, "podManagementPolicy", Text("v1.PodManagementPolicyType")),
    field(1, "replicas", Int32),
    field(8, "revisionHistoryLimit", Int32),
    field(2, "selector", Struct(&meta_v1::LabelSelector)),
    field(5, "serviceName", String),
    field(3, "template", Struct(&core_v1::PodTemplateSpec)),
    field(7, "updateStrategy", Struct(&StatefulSetUpdateStrategy)),
    omitted(4, "volumeClaimTemplates", List(&Struct(&core_v1::PersistentVolumeClaim))).of(Atomic),
], embedded: &[] };

pub(super) static StatefulSetStatus: Type = Type { go: "v1.StatefulSetStatus", fields: &[
    field(11, "availableReplicas", Int32),
    field(9, "collisionCount", Int32),
    omitted(10, "conditions", List(&Struct(&StatefulSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(4, "currentReplicas", Int32),
    omitted(6, "currentRevision", String),
    omitted(1, "observedGeneration", Int64),
    omitted(3, "readyReplicas", Int32),
    field(2, "replicas", Int32),
    omitted(7, "updateRevision", String),
    omitted(5, "updatedReplicas", Int32),
], embedded: &[] };

pub(super) static StatefulSetUpdateStrategy: Type = Type { go: "v1.StatefulSetUpdateStrategy", fields: &[
    field(2, "rollingUpdate", Struct(&RollingUpdateStatefulSetStrategy)),
    omitted(1, "type", Text("v1.StatefulSetUpdateStrategyType")),
], embedded: &[] };
