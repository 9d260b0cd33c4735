//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CronJob: Type = Type { go: "v1.CronJob", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&CronJobSpec)),
    field("status", Struct(&CronJobStatus)),
] };

pub(super) static CronJobSpec: Type = Type { go: "v1.CronJobSpec", fields: &[
    omitted("concurrencyPolicy", Text("v1.ConcurrencyPolicy")),
    field("failedJobsHistoryLimit", Int32),
    field("jobTemplate", Struct(&JobTemplateSpec)),
    field("schedule", String),
    field("startingDeadlineSeconds", Int64),
    field("successfulJobsHistoryLimit", Int32),
    field("suspend", Bool),
    field("timeZone", String),
] };

pub(super) static CronJobStatus: Type = Type { go: "v1.CronJobStatus", fields: &[
    omitted("active", List(&Struct(&core_v1::ObjectReference))).of(Atomic),
    field("lastScheduleTime", Time),
    field("lastSuccessfulTime", Time),
] };

pub(super) static Job: Type = Type { go: "v1.Job", fields: &[
    omitted("apiVersion", String),
    omitted("kind", String),
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&JobSpec)),
    field("status", Struct(&JobStatus)),
] };

pub(super) static JobCondition: Type = Type { go: "v1.JobCondition", fields: &[
    field("lastProbeTime", Time),
    field("lastTransitionTime", Time),
    omitted("message", String),
    omitted("reason", String),
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.JobConditionType")),
] };

pub(super) static JobSchedulingConfiguration: Type = Type { go: "v1.JobSchedulingConfiguration", fields: &[
    omitted("disruptionMode", Struct(&scheduling_v1alpha3::WorkloadPodGroupDisruptionMode)),
    omitted("resourceClaims", List(&Struct(&scheduling_v1alpha3::WorkloadPodGroupResourceClaim))).of(Keyed(&["name"])).patched(Merge("name")),
    omitted("schedulingConstraints", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingConstraints)),
    omitted("schedulingPolicy", Struct(&scheduling_v1alpha3::WorkloadPodGroupSchedulingPolicy)),
] };

pub(super) static JobSpec: Type = Type { go: "v1.JobSpec", fields: &[
    field("activeDeadlineSeconds", Int64),
    field("backoffLimit", Int32),
    field("backoffLimitPerIndex", Int32),
    field("completionMode", Text("v1.CompletionMode")),
    field("completions", Int32),
    field("managedBy", String),
    field("manualSelector", Bool),
    field("maxFailedIndexes", Int32),
    field("parallelism", Int32),
    field("podFailurePolicy", Struct(&PodFailurePolicy)),
    field("podReplacementPolicy", Text("v1.PodReplacementPolicy")),
    omitted("scheduling", Struct(&JobSchedulingConfiguration)),
    field("selector", Struct(&meta_v1::LabelSelector)),
    field("successPolicy", Struct(&SuccessPolicy)),
    field("suspend", Bool),
    field("template", Struct(&core_v1::PodTemplateSpec)),
    field("ttlSecondsAfterFinished", Int32),
] };

pub(super) static JobStatus: Type = Type { go: "v1.JobStatus", fields: &[
    omitted("active", Int32),
    omitted("completedIndexes", String),
    field("completionTime", Time),
    omitted("conditions", List(&Struct(&JobCondition))).of(Atomic).patched(Merge("type")),
    omitted("failed", Int32),
    field("failedIndexes", String),
    field("ready", Int32),
    field("startTime", Time),
    omitted("succeeded", Int32),
    field("terminating", Int32),
    field("uncountedTerminatedPods", Struct(&UncountedTerminatedPods)),
] };

pub(super) static JobTemplateSpec: Type = Type { go: "v1.JobTemplateSpec", fields: &[
    field("metadata", Struct(&meta_v1::ObjectMeta)),
    field("spec", Struct(&JobSpec)),
] };

pub(super) static PodFailurePolicy: Type = Type { go: "v1.PodFailurePolicy", fields: &[
    field("rules", List(&Struct(&PodFailurePolicyRule))).of(Atomic),
] };

pub(super) static PodFailurePolicyOnExitCodesRequirement: Type = Type { go: "v1.PodFailurePolicyOnExitCodesRequirement", fields: &[
    field("containerName", String),
    field("operator", Text("v1.PodFailurePolicyOnExitCodesOperator")),
    field("values", List(&Int32)).of(Set),
] };

pub(super) static PodFailurePolicyOnPodConditionsPattern: Type = Type { go: "v1.PodFailurePolicyOnPodConditionsPattern", fields: &[
    field("status", Text("v1.ConditionStatus")),
    field("type", Text("v1.PodConditionType")),
] };

pub(super) static PodFailurePolicyRule: Type = Type { go: "v1.PodFailurePolicyRule", fields: &[
    field("action", Text("v1.PodFailurePolicyAction")),
    field("onExitCodes", Struct(&PodFailurePolicyOnExitCodesRequirement)),
    omitted("onPodConditions", List(&Struct(&PodFailurePolicyOnPodConditionsPattern))).of(Atomic),
] };

pub(super) static SuccessPolicy: Type = Type { go: "v1.SuccessPolicy", fields: &[
    field("rules", List(&Struct(&SuccessPolicyRule))).of(Atomic),
] };

pub(super) static SuccessPolicyRule: Type = Type { go: "v1.SuccessPolicyRule", fields: &[
    field("succeededCount", Int32),
    field("succeededIndexes", String),
] };

pub(super) static UncountedTerminatedPods: Type = Type { go: "v1.UncountedTerminatedPods", fields: &[
    omitted("failed", List(&Text("types.UID"))).of(Set),
    omitted("succeeded", List(&Text("types.UID"))).of(Set),
] };
