//! batch `Job`.

use crate::kind::Kind;

pub static JOB: Kind = Kind {
    group: "batch",
    kind: "Job",
    plural: "jobs",
    singular: "job",
    categories: &["all"],
    has_status: true,
    ..Kind::NAMESPACED
};
