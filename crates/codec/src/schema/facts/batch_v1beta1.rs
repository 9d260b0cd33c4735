//! Made by `cargo xtask codegen`; edits are lost.

use super::prelude::*;

pub(super) static CronJob: Type = Type { name: "CronJob", package: "io.k8s.api.batch.v1beta1", fields: batch_v1::CronJob.fields, embedded: batch_v1::CronJob.embedded, order: batch_v1::CronJob.order, is_atomic: false };

pub(super) static JobTemplate: Type = Type { name: "JobTemplate", package: "io.k8s.api.batch.v1beta1", fields: &[
    omitted(0, "apiVersion", String),
    omitted(0, "kind", String),
    field(1, "metadata", Struct(&meta_v1::ObjectMeta)).optional(),
    field(2, "template", Struct(&batch_v1::JobTemplateSpec)).optional(),
], embedded: &[], order: &[2, 3], is_atomic: false };
