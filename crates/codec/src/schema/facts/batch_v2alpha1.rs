//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CronJob: Type = Type { name: "CronJob", package: "io.k8s.api.batch.v2alpha1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "spec", Struct(&CronJobSpec)).optional(),
    field(3, "status", Struct(&CronJobStatus)).optional(),
], embedded: &[], order: &[2, 3, 4], is_atomic: false };

pub(super) static CronJobSpec: Type = Type { name: "CronJobSpec", package: "", fields: &[
    omitted(3, "concurrencyPolicy", Text("ConcurrencyPolicy")),
    pointer(7, "failedJobsHistoryLimit", Int32),
    field(5, "jobTemplate", Struct(&batch_v1::JobTemplateSpec)),
    field(1, "schedule", String),
    pointer(2, "startingDeadlineSeconds", Int64),
    pointer(6, "successfulJobsHistoryLimit", Int32),
    pointer(4, "suspend", Bool),
], embedded: &[], order: &[3, 4, 0, 6, 2, 5, 1], is_atomic: false };

pub(super) static CronJobStatus: Type = Type { name: "CronJobStatus", package: "", fields: &[
    omitted(1, "active", List(&Struct(&core_v1::ObjectReference))),
    pointer(4, "lastScheduleTime", Time),
], embedded: &[], order: &[0, 1], is_atomic: false };

pub(super) static JobTemplate: Type = Type { name: "JobTemplate", package: "io.k8s.api.batch.v2alpha1", fields: batch_v1beta1::JobTemplate.fields, embedded: batch_v1beta1::JobTemplate.embedded, order: batch_v1beta1::JobTemplate.order, is_atomic: false };
