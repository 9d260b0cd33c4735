//! metrics.k8s.io: what its objects look like in a table. They rest nowhere, and another room answers for them.

use std::collections::BTreeMap;

use api::Quantity;
use api::quantity::Format;
use jiff::Timestamp;
use serde_json::Value;

use crate::columns;
use crate::fields::{get_object, items, text};
use crate::kind::{Column, Kind, Object, Rules};

const GROUP: &str = "metrics.k8s.io";

static NODE_METRICS: Kind = Kind { group: GROUP, kind: "NodeMetrics", plural: "nodes", rules: &Usage, ..Kind::CLUSTER };
static POD_METRICS: Kind = Kind { group: GROUP, kind: "PodMetrics", plural: "pods", rules: &Usage, ..Kind::NAMESPACED };

/// How objects of a kind are shown, where it is one of the group's.
pub fn find(group: &str, kind: &str) -> Option<&'static Kind> {
    [&NODE_METRICS, &POD_METRICS].into_iter().find(|known| known.group == group && known.kind == kind)
}

struct Usage;

impl Rules for Usage {
    fn columns(&self) -> &'static [Column] {
        const QUANTITY: Column = Column { format: "quantity", ..columns::column("", "string", "") };
        static COLUMNS: &[Column] = &[
            Column { description: "Name of the resource", ..columns::NAME },
            Column { name: "cpu", ..QUANTITY },
            Column { name: "memory", ..QUANTITY },
            Column { format: "duration", ..columns::column("Window", "string", "") },
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, _now: Timestamp) -> Vec<Value> {
        let used = used(object);
        let amount = |resource: &str| Value::from(used.get(resource).cloned().unwrap_or_else(|| "0".to_owned()));
        vec![columns::name(object), amount("cpu"), amount("memory"), Value::from(text(object, "window"))]
    }
}

/// What a node uses, or a pod's containers together.
fn used(object: &Object) -> BTreeMap<&str, String> {
    let node = get_object(object, "usage").into_iter();
    let containers = items(object, "containers").filter_map(|container| get_object(container, "usage"));
    let mut sums: BTreeMap<&str, (Quantity, Format)> = BTreeMap::new();
    for (resource, amount) in node.chain(containers).flatten() {
        let amount = amount.as_str().unwrap_or("");
        let Ok(quantity) = amount.parse::<Quantity>() else { continue };
        let sum = sums.entry(resource).or_default();
        // Nothing, written without a suffix, says nothing of the form.
        if sum.0 == Quantity::default() {
            sum.1 = Format::of(amount);
        }
        sum.0 = sum.0.saturating_add(quantity);
    }
    sums.into_iter().map(|(resource, (sum, format))| (resource, sum.to_text(format))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::row;

    #[test]
    fn containers_count_together() {
        let usage = |cpu: &str, memory: &str| json!({"name": "c", "usage": {"cpu": cpu, "memory": memory}});
        let pod = json!({
            "metadata": {"name": "web"}, "window": "15.2s",
            "containers": [usage("0", "0"), usage("900000n", "1536Ki"), usage("1100000n", "512Ki")],
        });
        assert_eq!(row(find(GROUP, "PodMetrics").unwrap(), pod), "Name=web cpu=2m memory=2Mi Window=15.2s");
        let node =
            json!({"metadata": {"name": "n"}, "window": "10s", "usage": {"cpu": "1203134n", "memory": "2264Ki"}});
        assert_eq!(row(find(GROUP, "NodeMetrics").unwrap(), node), "Name=n cpu=1203134n memory=2264Ki Window=10s");
        let none = json!({"metadata": {"name": "n"}});
        assert_eq!(row(find(GROUP, "NodeMetrics").unwrap(), none), "Name=n cpu=0 memory=0 Window=");
    }
}
