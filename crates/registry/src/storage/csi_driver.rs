//! storage.k8s.io `CSIDriver`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{
    check_supported, get, get_array, get_i64, items, join, object_at, set_default, text, texts, truth, value,
};
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

const FS_GROUP_POLICIES: &[&str] = &["File", "None", "ReadWriteOnceWithFSType"];
const MODES: &[&str] = &["Persistent", "Ephemeral"];
const MIN_UPDATE_PERIOD_SECONDS: i64 = 10;
const MIN_TOKEN_SECONDS: i64 = 600;
const MAX_TOKEN_SECONDS: i64 = 1 << 32;

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

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        check_supported(object, "spec.fsGroupPolicy", FS_GROUP_POLICIES, "", &mut faults);
        validate_token_requests(object, &mut faults);
        for mode in texts(object, "spec.volumeLifecycleModes").filter(|mode| !MODES.contains(mode)) {
            faults.push(FieldError::not_supported("spec.volumeLifecycleModes", mode, MODES));
        }
        let period = get_i64(object, "spec.nodeAllocatableUpdatePeriodSeconds");
        if let Some(period) = period.filter(|period| *period < MIN_UPDATE_PERIOD_SECONDS) {
            let detail = "must be greater than or equal to 10 seconds";
            faults.push(FieldError::invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, detail));
        }
        if let Some(old) = old {
            // Upstream misspells the first.
            for (field, called) in [
                ("spec.attachRequired", "spec.attachedRequired"),
                ("spec.volumeLifecycleModes", "spec.volumeLifecycleModes"),
            ] {
                if get(object, field) != get(old, field) {
                    faults.push(FieldError::invalid(called, value(object, field), "field is immutable"));
                }
            }
        }
        faults
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

/// One for each audience, one of which may be nobody in particular.
fn validate_token_requests(driver: &Object, faults: &mut Vec<FieldError>) {
    let mut audiences = Vec::new();
    for (at, request) in items(driver, "spec.tokenRequests").enumerate() {
        let path = format!("spec.tokenRequests[{at}]");
        let audience = text(request, "audience");
        if audiences.contains(&audience) {
            faults.push(FieldError::duplicate(join(&path, "audience"), audience));
            continue;
        }
        audiences.push(audience);
        let Some(seconds) = get_i64(request, "expirationSeconds") else { continue };
        let detail = match seconds {
            ..MIN_TOKEN_SECONDS => "may not specify a duration less than 10 minutes",
            MIN_TOKEN_SECONDS..=MAX_TOKEN_SECONDS => continue,
            _ => "may not specify a duration larger than 2^32 seconds",
        };
        faults.push(FieldError::invalid(join(&path, "expirationSeconds"), seconds, detail));
    }
}
