//! PodTemplate.

use crate::kind::Kind;

pub static POD_TEMPLATE: Kind =
    Kind { kind: "PodTemplate", plural: "podtemplates", singular: "podtemplate", ..Kind::NAMESPACED };
