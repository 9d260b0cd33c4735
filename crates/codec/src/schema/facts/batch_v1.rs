//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CronJob: Type = Type { name: "CronJob", package: "io.k8s.api.batch.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CronJobSpec)),
    field(3, "status", Struct(&CronJobStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static CronJobSpec: Type = Type { name: "CronJobSpec", package: "", fields: &[
    omitted(3, "concurrencyPolicy", Text("ConcurrencyPolicy")),
    pointer(7, "failedJobsHistoryLimit", Int32),
    field(5, "jobTemplate", Struct(&JobTemplateSpec)),
    field(1, "schedule", String),
    pointer(2, "startingDeadlineSeconds", Int64),
    pointer(6, "successfulJobsHistoryLimit", Int32),
    pointer(4, "suspend", Bool),
    pointer(8, "timeZone", String),
], embedded: &[], order: &[3, 4, 0, 6, 2, 5, 1, 7], is_atomic: false };

pub(super) static CronJobStatus: Type = Type { name: "CronJobStatus", package: "", fields: &[
    omitted(1, "active", List(&Struct(&core_v1::ObjectReference))).of(Atomic),
    pointer(4, "lastScheduleTime", Time),
    pointer(5, "lastSuccessfulTime", Time),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static Job: Type = Type { name: "Job", package: "io.k8s.api.batch.v1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&JobSpec)).optional(),
    field(3, "status", Struct(&JobStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static JobCondition: Type = Type { name: "JobCondition", package: "", fields: &[
    field(3, "lastProbeTime", Time).optional(),
    field(4, "lastTransitionTime", Time).optional(),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("JobConditionType")),
], embedded: &[], order: &[5, 4, 0, 1, 3, 2], is_atomic: false };

pub(super) static JobSchedulingConfiguration: Type = Type { name: "JobSchedulingConfiguration", package: "io.k8s.api.batch.v1", fields: &[
    pointer(0, "disruptionMode", Struct(&scheduling_v1alpha3::WorkloadPodGroupDisruptionMode)),
    omitted(0, "resourceClaims", List(&Struct(&scheduling_v1alpha3::WorkloadPodGroupResourceClaim))).of(Keyed(&["name"])).patched(Merge("name")),
    pointer(0, "schedulingConstraints", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingConstraints)),
    pointer(0, "schedulingPolicy", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingPolicy)),
], embedded: &[], order: &[], is_atomic: false };

pub(super) static JobSpec: Type = Type { name: "JobSpec", package: "io.k8s.api.batch.v1", fields: &[
    pointer(3, "activeDeadlineSeconds", Int64),
    pointer(7, "backoffLimit", Int32),
    pointer(12, "backoffLimitPerIndex", Int32),
    pointer(9, "completionMode", Text("CompletionMode")),
    pointer(2, "completions", Int32),
    pointer(15, "managedBy", String),
    pointer(5, "manualSelector", Bool),
    pointer(13, "maxFailedIndexes", Int32),
    pointer(1, "parallelism", Int32),
    pointer(11, "podFailurePolicy", Struct(&PodFailurePolicy)),
    pointer(14, "podReplacementPolicy", Text("PodReplacementPolicy")),
    pointer(0, "scheduling", Struct(&JobSchedulingConfiguration)),
    pointer(4, "selector", Struct(&meta_v1::LabelSelector)),
    pointer(16, "successPolicy", Struct(&SuccessPolicy)),
    pointer(10, "suspend", Bool),
    field(6, "template", Struct(&core_v1::PodTemplateSpec)),
    pointer(8, "ttlSecondsAfterFinished", Int32),
], embedded: &[], order: &[8, 4, 0, 12, 6, 15, 1, 16, 3, 14, 9, 2, 7, 10, 5, 13], is_atomic: false };

pub(super) static JobStatus: Type = Type { name: "JobStatus", package: "", fields: &[
    omitted(4, "active", Int32),
    omitted(7, "completedIndexes", String),
    pointer(3, "completionTime", Time),
    omitted(1, "conditions", List(&Struct(&JobCondition))).of(Atomic).patched(Merge("type")),
    omitted(6, "failed", Int32),
    pointer(10, "failedIndexes", String),
    pointer(9, "ready", Int32),
    pointer(2, "startTime", Time),
    omitted(5, "succeeded", Int32),
    pointer(11, "terminating", Int32),
    pointer(8, "uncountedTerminatedPods", Struct(&UncountedTerminatedPods)),
], embedded: &[], order: &[3, 7, 2, 0, 8, 4, 1, 10, 6, 5, 9], is_atomic: false };

pub(super) static JobTemplateSpec: Type = Type { name: "JobTemplateSpec", package: "", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&JobSpec)).optional(),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static PodFailurePolicy: Type = Type { name: "PodFailurePolicy", package: "io.k8s.api.batch.v1", fields: &[
    field(1, "rules", List(&Struct(&PodFailurePolicyRule))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static PodFailurePolicyOnExitCodesRequirement: Type = Type { name: "PodFailurePolicyOnExitCodesRequirement", package: "io.k8s.api.batch.v1", fields: &[
    pointer(1, "containerName", String),
    field(2, "operator", Text("PodFailurePolicyOnExitCodesOperator")),
    field(3, "values", List(&Int32)).of(Set),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static PodFailurePolicyOnPodConditionsPattern: Type = Type { name: "PodFailurePolicyOnPodConditionsPattern", package: "io.k8s.api.batch.v1", fields: &[
    field(2, "status", Text("v1.ConditionStatus")).optional(),
    field(1, "type", Text("v1.PodConditionType")),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static PodFailurePolicyRule: Type = Type { name: "PodFailurePolicyRule", package: "io.k8s.api.batch.v1", fields: &[
    field(1, "action", Text("PodFailurePolicyAction")),
    pointer(2, "onExitCodes", Struct(&PodFailurePolicyOnExitCodesRequirement)),
    omitted(3, "onPodConditions", List(&Struct(&PodFailurePolicyOnPodConditionsPattern))).of(Atomic),
], embedded: &[], order: &[0, 1, 2], is_atomic: false };

pub(super) static SuccessPolicy: Type = Type { name: "SuccessPolicy", package: "io.k8s.api.batch.v1", fields: &[
    field(1, "rules", List(&Struct(&SuccessPolicyRule))).of(Atomic),
], embedded: &[], order: &[0], is_atomic: false };

pub(super) static SuccessPolicyRule: Type = Type { name: "SuccessPolicyRule", package: "io.k8s.api.batch.v1", fields: &[
    pointer(2, "succeededCount", Int32),
    pointer(1, "succeededIndexes", String),
], embedded: &[], order: &[1, 0], is_atomic: false };

pub(super) static UncountedTerminatedPods: Type = Type { name: "UncountedTerminatedPods", package: "", fields: &[
    omitted(2, "failed", List(&Text("types.UID"))).of(Set),
    omitted(1, "succeeded", List(&Text("types.UID"))).of(Set),
], embedded: &[], order: &[1, 0], is_atomic: false };
