//! storage.k8s.io `CSIDriver`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::fields::{get_array, items, object_at, set_default, text, truth};
use crate::kind::{Column, Kind, Object, Rules};

pub static CSI_DRIVER: Kind = Kind {
    group: "storage.k8s.io",
    kind: "CSIDriver",
    plural: "csidrivers",
    singular: "csidriver",
    rules: &CsiDriverRules,
    ..Kind::CLUSTER
};

struct CsiDriverRules;

static COLUMNS: &[Column] = &[
    NAME,
    column("AttachRequired", "boolean", "Whether this volume driver requires an attach operation."),
    column("PodInfoOnMount", "boolean", "Whether the driver requires additional pod information at mount."),
    column("StorageCapacity", "boolean", "Whether pod scheduling considers the storage capacity the driver reports."),
    column("TokenRequests", "string", "Service account tokens the driver needs at mount."),
    column("RequiresRepublish", "boolean", "Whether the driver wants its volumes published again periodically."),
    column("Modes", "string", "The volume lifecycle modes the driver supports."),
    AGE,
];

impl Rules for CsiDriverRules {
    fn default(&self, object: &mut Object) {
        let spec = object_at(object, "spec");
        set_default(spec, "attachRequired", true);
        set_default(spec, "podInfoOnMount", false);
        set_default(spec, "storageCapacity", false);
        set_default(spec, "fsGroupPolicy", "ReadWriteOnceWithFSType");
        set_default(spec, "requiresRepublish", false);
        set_default(spec, "seLinuxMount", false);
        if get_array(spec, "volumeLifecycleModes").is_empty() {
            spec.insert("volumeLifecycleModes".to_owned(), json!(["Persistent"]));
        }
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let audiences: Vec<&str> =
            items(object, "spec.tokenRequests").map(|request| text(request, "audience")).collect();
        let modes: Vec<&str> =
            get_array(object, "spec.volumeLifecycleModes").iter().filter_map(Value::as_str).collect();
        vec![
            columns::name(object),
            Value::from(truth(object, "spec.attachRequired")),
            Value::from(truth(object, "spec.podInfoOnMount")),
            Value::from(truth(object, "spec.storageCapacity")),
            Value::from(if audiences.is_empty() { "<unset>".to_owned() } else { audiences.join(",") }),
            Value::from(truth(object, "spec.requiresRepublish")),
            Value::from(if modes.is_empty() { "<none>".to_owned() } else { modes.join(",") }),
            columns::age(object, now),
        ]
    }

    fn tracks_generation(&self) -> bool {
        true
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}
