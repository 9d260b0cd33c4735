//! flowcontrol.apiserver.k8s.io before v1: no shares meant the default, and the first betas called them by another name.

use serde_json::Value;

use super::annotations;
use crate::fields::{get_i64, get_object, object_mut, set};
use crate::flowcontrol::flow_schema::FLOW_SCHEMA;
use crate::flowcontrol::priority_level_configuration::PRIORITY_LEVEL_CONFIGURATION;
use crate::kind::{Conversion, Kind, Object};

const GROUP: &str = "flowcontrol.apiserver.k8s.io";

pub static FLOW_SCHEMA_V1BETA3: Kind = Kind::served_as(GROUP, "v1beta3", &Conversion::same_as(&FLOW_SCHEMA))
    .deprecated(29, 32, "flowcontrol.apiserver.k8s.io/v1 FlowSchema");
pub static FLOW_SCHEMA_V1BETA2: Kind = Kind::served_as(GROUP, "v1beta2", &Conversion::same_as(&FLOW_SCHEMA))
    .deprecated(26, 29, "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema");
pub static FLOW_SCHEMA_V1BETA1: Kind = Kind::served_as(GROUP, "v1beta1", &Conversion::same_as(&FLOW_SCHEMA))
    .deprecated(23, 26, "flowcontrol.apiserver.k8s.io/v1beta3 FlowSchema");

pub static PRIORITY_LEVEL_CONFIGURATION_V1BETA3: Kind = Kind::served_as(
    GROUP,
    "v1beta3",
    &Conversion {
        default: |level| default_shares(level, NOMINAL),
        ..Conversion::between(&PRIORITY_LEVEL_CONFIGURATION, forget_zero, remember_zero)
    },
)
.deprecated(29, 32, "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration");
pub static PRIORITY_LEVEL_CONFIGURATION_V1BETA2: Kind = Kind::served_as(GROUP, "v1beta2", &ASSURED_SHARES).deprecated(
    26,
    29,
    "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
);
pub static PRIORITY_LEVEL_CONFIGURATION_V1BETA1: Kind = Kind::served_as(GROUP, "v1beta1", &ASSURED_SHARES).deprecated(
    23,
    26,
    "flowcontrol.apiserver.k8s.io/v1beta3 PriorityLevelConfiguration",
);

static ASSURED_SHARES: Conversion = Conversion {
    default: |level| default_shares(level, ASSURED),
    ..Conversion::between(
        &PRIORITY_LEVEL_CONFIGURATION,
        |level| rename(level, ASSURED, NOMINAL),
        |level| rename(level, NOMINAL, ASSURED),
    )
};

const ASSURED: &str = "assuredConcurrencyShares";
const NOMINAL: &str = "nominalConcurrencyShares";
const DEFAULT_SHARES: i64 = 30;

/// Says that no shares are meant, not the default.
const PRESERVE_ZERO: &str = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

fn default_shares(level: &mut Object, field: &str) {
    let keeps_zero = field == NOMINAL && annotations::has(level, PRESERVE_ZERO);
    let Some(limited) = object_mut(level, "spec.limited") else { return };
    if get_i64(limited, field).unwrap_or(0) == 0 {
        set(limited, field, if keeps_zero { 0 } else { DEFAULT_SHARES });
    }
}

fn forget_zero(level: &mut Object) {
    annotations::take(level, PRESERVE_ZERO);
}

fn remember_zero(level: &mut Object) {
    let limited = get_object(level, "spec.limited");
    if limited.is_some_and(|limited| get_i64(limited, NOMINAL) == Some(0)) && !annotations::has(level, PRESERVE_ZERO) {
        annotations::put(level, PRESERVE_ZERO, "");
    }
}

fn rename(level: &mut Object, from: &str, to: &str) {
    let Some(limited) = object_mut(level, "spec.limited") else { return };
    if let Some(shares) = limited.shift_remove(from).filter(Value::is_number) {
        limited.insert(to.to_owned(), shares);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::legacy::testing::{rested, shown};

    #[test]
    fn shares_changed_their_name_and_what_none_means() {
        let level =
            |limited: Value| json!({"metadata": {"name": "a"}, "spec": {"type": "Limited", "limited": limited}});
        let shares = |kind: &Kind, object: Value| rested(kind, object)["spec"]["limited"][NOMINAL].clone();
        assert_eq!(shares(&PRIORITY_LEVEL_CONFIGURATION_V1BETA2, level(json!({ASSURED: 7}))), 7);
        assert_eq!(shares(&PRIORITY_LEVEL_CONFIGURATION_V1BETA1, level(json!({}))), 30);
        assert_eq!(shares(&PRIORITY_LEVEL_CONFIGURATION_V1BETA3, level(json!({NOMINAL: 0}))), 30);
        let mut none = level(json!({NOMINAL: 0}));
        none["metadata"]["annotations"] = json!({PRESERVE_ZERO: ""});
        let at_rest = rested(&PRIORITY_LEVEL_CONFIGURATION_V1BETA3, none.clone());
        assert_eq!(at_rest["spec"]["limited"][NOMINAL], 0);
        assert_eq!(at_rest["metadata"].get("annotations"), None);
        let shown = shown(&PRIORITY_LEVEL_CONFIGURATION_V1BETA3, at_rest);
        assert_eq!(shown["metadata"], none["metadata"]);
    }
}
