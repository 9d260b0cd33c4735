//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CronJob: Type = Type { go: "v1.CronJob", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&CronJobSpec)),
    field(3, "status", Struct(&CronJobStatus)),
], embedded: &[] };

pub(super) static CronJobSpec: Type = Type { go: "v1.CronJobSpec", fields: &[
    omitted(3, "concurrencyPolicy", Text("v1.ConcurrencyPolicy")),
    field(7, "failedJobsHistoryLimit", Int32),
    field(5, "jobTemplate", Struct(&JobTemplateSpec)),
    field(1, "schedule", String),
    field(2, "startingDeadlineSeconds", Int64),
    field(6, "successfulJobsHistoryLimit", Int32),
    field(4, "suspend", Bool),
    field(8, "timeZone", String),
], embedded: &[] };

pub(super) static CronJobStatus: Type = Type { go: "v1.CronJobStatus", fields: &[
    omitted(1, "active", List(&Struct(&core_v1::ObjectReference))).of(Atomic),
    field(4, "lastScheduleTime", Time),
    field(5, "lastSuccessfulTime", Time),
], embedded: &[] };

pub(super) static Job: Type = Type { go: "v1.Job", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&JobSpec)),
    field(3, "status", Struct(&JobStatus)),
], embedded: &[] };

pub(super) static JobCondition: Type = Type { go: "v1.JobCondition", fields: &[
    field(3, "lastProbeTime", Time),
    field(4, "lastTransitionTime", Time),
    omitted(6, "message", String),
    omitted(5, "reason", String),
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.JobConditionType")),
], embedded: &[] };

pub(super) static JobSchedulingConfiguration: Type = Type { go: "v1.JobSchedulingConfiguration", fields: &[
    omitted(0, "disruptionMode", Struct(&scheduling_v1alpha3::WorkloadPodGroupDisruptionMode)),
    omitted(0, "resourceClaims", List(&Struct(&scheduling_v1alpha3::WorkloadPodGroupResourceClaim))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted(0, "schedulingConstraints", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingConstraints)),
    omitted(0, "schedulingPolicy", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingPolicy)),
], embedded: &[] };

pub(super) static JobSpec: Type = Type { go: "v1.JobSpec", fields: &[
    field(3, "activeDeadlineSeconds", Int64),
    field(7, "backoffLimit", Int32),
    field(12, "backoffLimitPerIndex", Int32),
    field(9, "completionMode", Text("v1.CompletionMode")),
    field(2, "completions", Int32),
    field(15, "managedBy", String),
    field(5, "manualSelector", Bool),
    field(13, "maxFailedIndexes", Int32),
    field(1, "parallelism", Int32),
    field(11, "podFailurePolicy", Struct(&PodFailurePolicy)),
    field(14, "podReplacementPolicy", Text("v1.PodReplacementPolicy")),
    omitted(0, "scheduling", Struct(&JobSchedulingConfiguration)),
    field(4, "selector", Struct(&meta_v1::LabelSelector)),
    field(16, "successPolicy", Struct(&SuccessPolicy)),
    field(10, "suspend", Bool),
    field(6, "template", Struct(&core_v1::PodTemplateSpec)),
    field(8, "ttlSecondsAfterFinished", Int32),
], embedded: &[] };

pub(super) static JobStatus: Type = Type { go: "v1.JobStatus", fields: &[
    omitted(4, "active", Int32),
    omitted(7, "completedIndexes", String),
    field(3, "completionTime", Time),
    omitted(1, "conditions", List(&Struct(&JobCondition))).of(Atomic).patched(Merge("type")),
    omitted(6, "failed", Int32),
    field(10, "failedIndexes", String),
    field(9, "ready", Int32),
    field(2, "startTime", Time),
    omitted(5, "succeeded", Int32),
    field(11, "terminating", Int32),
    field(8, "uncountedTerminatedPods", Struct(&UncountedTerminatedPods)),
], embedded: &[] };

pub(super) static JobTemplateSpec: Type = Type { go: "v1.JobTemplateSpec", fields: &[
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)),
    field(2, "spec", Struct(&JobSpec)),
], embedded: &[] };

pub(super) static PodFailurePolicy: Type = Type { go: "v1.PodFailurePolicy", fields: &[
    field(1, "rules", List(&Struct(&PodFailurePolicyRule))).of(Atomic),
], embedded: &[] };

pub(super) static PodFailurePolicyOnExitCodesRequirement: Type = Type { go: "v1.PodFailurePolicyOnExitCodesRequirement", fields: &[
    field(1, "containerName", String),
    field(2, "operator", Text("v1.PodFailurePolicyOnExitCodesOperator")),
    field(3, "values", List(&Int32)).of(Set),
], embedded: &[] };

pub(super) static PodFailurePolicyOnPodConditionsPattern: Type = Type { go: "v1.PodFailurePolicyOnPodConditionsPattern", fields: &[
    field(2, "status", Text("v1.ConditionStatus")),
    field(1, "type", Text("v1.PodConditionType")),
], embedded: &[] };

pub(super) static PodFailurePolicyRule: Type = Type { go: "v1.PodFailurePolicyRule", fields: &[
    field(1, "action", Text("v1.PodFailurePolicyAction")),
    field(2, "onExitCodes", Struct(&PodFailurePolicyOnExitCodesRequirement)),
    omitted(3, "onPodConditions", List(&Struct(&PodFailurePolicyOnPodConditionsPattern))).of(Atomic),
], embedded: &[] };

pub(super) static SuccessPolicy: Type = Type { go: "v1.SuccessPolicy", fields: &[
    field(1, "rules", List(&Struct(&SuccessPolicyRule))).of(Atomic),
], embedded: &[] };

pub(super) static SuccessPolicyRule: Type = Type { go: "v1.SuccessPolicyRule", fields: &[
    field(2, "succeededCount", Int32),
    field(1, "succeededIndexes", String),
], embedded: &[] };

pub(super) static UncountedTerminatedPods: Type = Type { go: "v1.UncountedTerminatedPods", fields: &[
    omitted(2, "failed", List(&Text("types.UID"))).of(Set),
    omitted(1, "succeeded", List(&Text("types.UID"))).of(Set),
], embedded: &[] };
