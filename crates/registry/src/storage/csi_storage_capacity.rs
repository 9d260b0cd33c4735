//! storage.k8s.io `CSIStorageCapacity`: how much a storage class can still give in one place.

use jiff::Timestamp;
use serde_json::Value;

use crate::columns::{self, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, get, get_object, get_str, invalid_all, text};
use crate::kind::{Column, Kind, Object, Rules};
use crate::{metadata, names};

pub static CSI_STORAGE_CAPACITY: Kind = Kind {
    group: "storage.k8s.io",
    kind: "CSIStorageCapacity",
    plural: "csistoragecapacities",
    singular: "csistoragecapacity",
    rules: &CsiStorageCapacityRules,
    ..Kind::NAMESPACED
};

struct CsiStorageCapacityRules;

impl Rules for CsiStorageCapacityRules {
    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        if let Some(topology) = get_object(object, "nodeTopology") {
            metadata::validate_selector(topology, "nodeTopology", &mut faults);
        }
        let class = text(object, "storageClassName");
        invalid_all("storageClassName", class, names::dns_subdomain(class), &mut faults);
        if let Some(amount) = get_str(object, "capacity").filter(|amount| amount.starts_with('-')) {
            faults.push(FieldError::invalid("capacity", amount, "must be greater than or equal to 0"));
        }
        let Some(old) = old else { return faults };
        for field in ["nodeTopology", "storageClassName"] {
            check_immutable(object, old, field, &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column(
                "StorageClassName",
                "string",
                "The name of the storage class that the reported capacity applies to.",
            ),
            column("Capacity", "string", "How much storage is available in this place, as the driver reports it."),
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let capacity = get(object, "capacity").cloned().unwrap_or_else(|| Value::from("<unset>"));
        vec![columns::name(object), Value::from(text(object, "storageClassName")), capacity]
    }

    fn allows_unconditional_update(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{check, check_update, row};

    #[test]
    fn a_capacity_is_of_a_class_and_a_place() {
        let kind = &CSI_STORAGE_CAPACITY;
        let capacity = |class: &str, amount: &str| {
            json!({"metadata": {"name": "a"}, "storageClassName": class, "capacity": amount,
                "nodeTopology": {"matchLabels": {"zone": "x"}}})
        };
        check(kind, capacity("fast", "1Gi"), &[]);
        check(kind, capacity("fast", "-1"), &[r#"capacity: Invalid value: "-1": must be greater than or equal to 0"#]);
        check_update(
            kind,
            capacity("slow", "1Gi"),
            capacity("fast", "1Gi"),
            &[r#"storageClassName: Invalid value: "slow": field is immutable"#],
        );
        assert_eq!(row(kind, capacity("fast", "1Gi")), "Name=a StorageClassName=fast Capacity=1Gi");
    }
}
