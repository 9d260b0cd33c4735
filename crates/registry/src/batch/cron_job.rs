//! batch `CronJob`.

use crate::kind::Kind;

pub static CRON_JOB: Kind = Kind {
    group: "batch",
    kind: "CronJob",
    plural: "cronjobs",
    singular: "cronjob",
    short_names: &["cj"],
    categories: &["all"],
    has_status: true,
    ..Kind::NAMESPACED
};
