//! storage.k8s.io `StorageClass`.

use crate::kind::Kind;

pub static STORAGE_CLASS: Kind = Kind {
    group: "storage.k8s.io",
    kind: "StorageClass",
    plural: "storageclasses",
    singular: "storageclass",
    short_names: &["sc"],
    ..Kind::CLUSTER
};
