//! PersistentVolume.

use crate::kind::Kind;

pub static PERSISTENT_VOLUME: Kind = Kind {
    kind: "PersistentVolume",
    plural: "persistentvolumes",
    singular: "persistentvolume",
    short_names: &["pv"],
    has_status: true,
    ..Kind::CLUSTER
};
