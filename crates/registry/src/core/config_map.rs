//! ConfigMap.

use crate::kind::Kind;

pub static CONFIG_MAP: Kind =
    Kind { kind: "ConfigMap", plural: "configmaps", singular: "configmap", short_names: &["cm"], ..Kind::NAMESPACED };
