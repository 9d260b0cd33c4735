//! apps `ControllerRevision`.

use crate::kind::Kind;

pub static CONTROLLER_REVISION: Kind = Kind {
    group: "apps",
    kind: "ControllerRevision",
    plural: "controllerrevisions",
    singular: "controllerrevision",
    ..Kind::NAMESPACED
};
