//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static ControllerRevision: Type = Type { name: "ControllerRevision", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    field(2, "data", Any).optional(),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(3, "revision", Int64),
], embedded: &[], order: &[3, 1, 4], is_atomic: false };

pub(super) static DaemonSet: Type = Type { name: "DaemonSet", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&apps_v1::DaemonSetSpec)).optional(),
    field(3, "status", Struct(&DaemonSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DaemonSetCondition: Type = Type { name: "DaemonSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("DaemonSetConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

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

pub(super) static Deployment: Type = Type { name: "Deployment", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&apps_v1::DeploymentSpec)).optional(),
    field(3, "status", Struct(&DeploymentStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static DeploymentCondition: Type = Type { name: "DeploymentCondition", package: "", fields: &[
    field(7, "lastTransitionTime", Time).optional(),
    field(6, "lastUpdateTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("DeploymentConditionType")),
], embedded: &[], order: &[5, 4, 3, 2, 1, 0], is_atomic: false };

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

pub(super) static ReplicaSet: Type = Type { name: "ReplicaSet", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&apps_v1::ReplicaSetSpec)).optional(),
    field(3, "status", Struct(&ReplicaSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ReplicaSetCondition: Type = Type { name: "ReplicaSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("ReplicaSetConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

pub(super) static ReplicaSetStatus: Type = Type { name: "ReplicaSetStatus", package: "", fields: &[
    omitted(5, "availableReplicas", Int32),
    omitted(6, "conditions", List(&Struct(&ReplicaSetCondition))).of(Keyed(&["type"])).patched(Merge("type")),
    omitted(2, "fullyLabeledReplicas", Int32),
    omitted(3, "observedGeneration", Int64),
    omitted(4, "readyReplicas", Int32),
    field(1, "replicas", Int32),
    pointer(7, "terminatingReplicas", Int32),
], embedded: &[], order: &[5, 2, 3, 4, 0, 1, 6], is_atomic: false };

pub(super) static Scale: Type = Type { name: "Scale", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&autoscaling_v1::ScaleSpec)).optional(),
    field(3, "status", Struct(&ScaleStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static ScaleStatus: Type = Type { name: "ScaleStatus", package: "", fields: &[
    field(1, "replicas", Int32),
    omitted(2, "selector", Map(&String)).of(Atomic),
    omitted(3, "targetSelector", String),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static StatefulSet: Type = Type { name: "StatefulSet", package: "io.k8s.api.apps.v1beta2", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&apps_v1::StatefulSetSpec)).optional(),
    field(3, "status", Struct(&StatefulSetStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static StatefulSetCondition: Type = Type { name: "StatefulSetCondition", package: "", fields: &[
    field(3, "lastTransitionTime", Time).optional(),
    omitted(5, "message", String),
    omitted(4, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("StatefulSetConditionType")),
], embedded: &[], order: &[4, 3, 0, 2, 1], is_atomic: false };

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
