//! ServiceAccount.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, AGE, NAME, column};
use crate::fields::get_array;
use crate::kind::{Column, Kind, Object, Rules};

pub static SERVICE_ACCOUNT: Kind = Kind {
    kind: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    rules: &ServiceAccountRules,
    ..Kind::NAMESPACED
};

struct ServiceAccountRules;

impl Rules for ServiceAccountRules {
    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[NAME, column("Secrets", "string", "Secrets pods may use."), AGE];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        vec![columns::name(object), Value::from(get_array(object, "secrets").len()), columns::age(object, now)]
    }
}
