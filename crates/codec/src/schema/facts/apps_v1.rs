//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ControllerRevision: Type = Type { go: "v1.ControllerRevision", fields: &[
    omitted("apiVersion", String),
    field("data", Any),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("revision", Int64),
] };

pub(super) static DaemonSet: Type = Type { go: "v1.DaemonSet", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&DaemonSetSpec)),
    field("status", Struct(&DaemonSetStatus)),
] };

pub(super) static DaemonSetCondition: Type = Type { go: "v1.DaemonSetCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.DaemonSetConditionType")),
] };

pub(super) static DaemonSetSpec: Type = Type { go: "v1.DaemonSetSpec", fields: &[
    omitted("minReadySeconds", Int32),
    field("revisionHistoryLimit", Int32),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("template", Struct(&core_v1::PodTemplateSpec)),
    field("updateStrategy", Struct(&DaemonSetUpdateStrategy)),
] };

pub(super) static DaemonSetStatus: Type = Type { go: "v1.DaemonSetStatus", fields: &[
    field("collisionCount", Int32),
    omitted("conditions", List(&Struct(&DaemonSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    field("currentNumberScheduled", Int32),
    field("desiredNumberScheduled", Int32),
    omitted("numberAvailable", Int32),
    field("numberMisscheduled", Int32),
    field("numberReady", Int32),
    omitted("numberUnavailable", Int32),
    omitted("observedGeneration", Int64),
    omitted("updatedNumberScheduled", Int32),
] };

pub(super) static DaemonSetUpdateStrategy: Type = Type { go: "v1.DaemonSetUpdateStrategy", fields: &[
    field("rollingUpdate", Struct(&RollingUpdateDaemonSet)),
    omitted("type", Text("v1.DaemonSetUpdateStrategyType")),
] };

pub(super) static Deployment: Type = Type { go: "v1.Deployment", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&DeploymentSpec)),
    field("status", Struct(&DeploymentStatus)),
] };

pub(super) static DeploymentCondition: Type = Type { go: "v1.DeploymentCondition", fields: &[
    field("lastTransitionTime", Time),
    field("lastUpdateTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.DeploymentConditionType")),
] };

pub(super) static DeploymentSpec: Type = Type { go: "v1.DeploymentSpec", fields: &[
    omitted("minReadySeconds", Int32),
    omitted("paused", Bool),
    field("progressDeadlineSeconds", Int32),
    field("replicas", Int32),
    field("revisionHistoryLimit", Int32),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("strategy", Struct(&DeploymentStrategy)).patched(RetainKeys),
    field("template", Struct(&core_v1::PodTemplateSpec)),
] };

pub(super) static DeploymentStatus: Type = Type { go: "v1.DeploymentStatus", fields: &[
    omitted("availableReplicas", Int32),
    field("collisionCount", Int32),
    omitted("conditions", List(&Struct(&DeploymentCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("observedGeneration", Int64),
    omitted("readyReplicas", Int32),
    omitted("replicas", Int32),
    field("terminatingReplicas", Int32),
    omitted("unavailableReplicas", Int32),
    omitted("updatedReplicas", Int32),
] };

pub(super) static DeploymentStrategy: Type = Type { go: "v1.DeploymentStrategy", fields: &[
    field("rollingUpdate", Struct(&RollingUpdateDeployment)),
    omitted("type", Text("v1.DeploymentStrategyType")),
] };

pub(super) static ReplicaSet: Type = Type { go: "v1.ReplicaSet", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&ReplicaSetSpec)),
    field("status", Struct(&ReplicaSetStatus)),
] };

pub(super) static ReplicaSetCondition: Type = Type { go: "v1.ReplicaSetCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.ReplicaSetConditionType")),
] };

pub(super) static ReplicaSetSpec: Type = Type { go: "v1.ReplicaSetSpec", fields: &[
    omitted("minReadySeconds", Int32),
    field("replicas", Int32),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("template", Struct(&core_v1::PodTemplateSpec)),
] };

pub(super) static ReplicaSetStatus: Type = Type { go: "v1.ReplicaSetStatus", fields: &[
    omitted("availableReplicas", Int32),
    omitted("conditions", List(&Struct(&ReplicaSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("fullyLabeledReplicas", Int32),
    omitted("observedGeneration", Int64),
    omitted("readyReplicas", Int32),
    field("replicas", Int32),
    field("terminatingReplicas", Int32),
] };

pub(super) static RollingUpdateDaemonSet: Type = Type { go: "v1.RollingUpdateDaemonSet", fields: &[
    field("maxSurge", IntOrString),
    field("maxUnavailable", IntOrString),
] };

pub(super) static RollingUpdateDeployment: Type = Type { go: "v1.RollingUpdateDeployment", fields: &[
    field("maxSurge", IntOrString),
    field("maxUnavailable", IntOrString),
] };

pub(super) static RollingUpdateStatefulSetStrategy: Type = Type { go: "v1.RollingUpdateStatefulSetStrategy", fields: &[
    field("maxUnavailable", IntOrString),
    field("partition", Int32),
] };

pub(super) static StatefulSet: Type = Type { go: "v1.StatefulSet", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&StatefulSetSpec)),
    field("status", Struct(&StatefulSetStatus)),
] };

pub(super) static StatefulSetCondition: Type = Type { go: "v1.StatefulSetCondition", fields: &[
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.StatefulSetConditionType")),
] };

pub(super) static StatefulSetOrdinals: Type = Type { go: "v1.StatefulSetOrdinals", fields: &[
    field("start", Int32),
] };

pub(super) static StatefulSetPersistentVolumeClaimRetentionPolicy: Type = Type { go: "v1.StatefulSetPersistentVolumeClaimRetentionPolicy", fields: &[
    omitted("whenDeleted", Text("v1.PersistentVolumeClaimRetentionPolicyType")),
    omitted("whenScaled", Text("v1.PersistentVolumeClaimRetentionPolicyType")),
] };

pub(super) static StatefulSetSpec: Type = Type { go: "v1.StatefulSetSpec", fields: &[
    omitted("minReadySeconds", Int32),
    field("ordinals", Struct(&StatefulSetOrdinals)),
    field("persistentVolumeClaimRetentionPolicy", Struct(&StatefulSetPersistentVolumeClaimRetentionPolicy)),
    omitted("podManagementPolicy", Text("v1.PodManagementPolicyType")),
    field("replicas", Int32),
    field("revisionHistoryLimit", Int32),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("serviceName", String),
    field("template", Struct(&core_v1::PodTemplateSpec)),
    field("updateStrategy", Struct(&StatefulSetUpdateStrategy)),
    omitted("volumeClaimTemplates", List(&Struct(&core_v1::PersistentVolumeClaim))).of(Atomic),
] };

pub(super) static StatefulSetStatus: Type = Type { go: "v1.StatefulSetStatus", fields: &[
    field("availableReplicas", Int32),
    field("collisionCount", Int32),
    omitted("conditions", List(&Struct(&StatefulSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted("currentReplicas", Int32),
    omitted("currentRevision", String),
    omitted("observedGeneration", Int64),
    omitted("readyReplicas", Int32),
    field("replicas", Int32),
    omitted("updateRevision", String),
    omitted("updatedReplicas", Int32),
] };

pub(super) static StatefulSetUpdateStrategy: Type = Type { go: "v1.StatefulSetUpdateStrategy", fields: &[
    field("rollingUpdate", Struct(&RollingUpdateStatefulSetStrategy)),
    omitted("type", Text("v1.StatefulSetUpdateStrategyType")),
] };
