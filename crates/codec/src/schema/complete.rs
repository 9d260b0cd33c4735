//! Gives an object the fields that Go writes whether they were given or not.

use serde_json::{Map, Value};

use super::conform::zero;
use super::{Presence, Shape, Type};

/// Adds what is absent though Go has no way to leave it out: structs that are no pointers (`status: {}`,
/// `resources: {}`) with all that stands in them, numbers and texts (`replicas: 0`), lists and times (`rules: null`).
pub fn complete(object: &mut Map<String, Value>, r#type: &Type) {
    // One bit for each field that stands there: types have at most as many.
    let mut present = 0_u64;
    for (name, value) in object.iter_mut() {
        if let Some(at) = r#type.position(name) {
            present |= 1 << at;
            complete_value(value, &r#type.fields[at].shape);
        }
    }
    for (at, field) in r#type.fields.iter().enumerate() {
        if field.presence == Presence::Always && present & (1 << at) == 0 {
            let mut value = zero(&field.shape);
            complete_value(&mut value, &field.shape);
            object.insert(field.name.to_owned(), value);
        }
    }
}

fn complete_value(value: &mut Value, shape: &Shape) {
    match (shape, value) {
        (Shape::Struct(r#type), Value::Object(object)) => complete(object, r#type),
        (Shape::List(item @ (Shape::Struct(_) | Shape::List(_) | Shape::Map(_))), Value::Array(items)) => {
            items.iter_mut().for_each(|value| complete_value(value, item));
        }
        (Shape::Map(item @ (Shape::Struct(_) | Shape::List(_) | Shape::Map(_))), Value::Object(entries)) => {
            entries.values_mut().for_each(|value| complete_value(value, item));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::lookup;

    #[track_caller]
    fn check((group, version, kind): (&str, &str, &str), given: Value, expected: Value) {
        let Value::Object(mut object) = given else { panic!("an object") };
        let r#type = lookup(group, version, kind).unwrap();
        complete(&mut object, r#type);
        assert_eq!(Value::Object(object.clone()), expected, "{kind}");
        let whole = object.clone();
        complete(&mut object, r#type);
        assert_eq!(object, whole, "{kind} twice");
    }

    /// Each expected object is what `kubectl create --dry-run=server -o json` shows, less what the server's defaults add.
    #[test]
    fn what_go_has_no_pointer_for_is_written() {
        check(
            ("apps", "v1", "Deployment"),
            json!({"metadata": {"name": "a"}, "spec": {"template": {"spec": {"containers": [{"name": "b"}]}}}}),
            json!({
                "metadata": {"name": "a"},
                "spec": {
                    "strategy": {},
                    "template": {"metadata": {}, "spec": {"containers": [{"name": "b", "resources": {}}]}},
                },
                "status": {},
            }),
        );
        check(
            ("", "v1", "Service"),
            json!({"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}),
            json!({
                "metadata": {"name": "a"},
                "spec": {"ports": [{"port": 80, "targetPort": 0}]},
                "status": {"loadBalancer": {}},
            }),
        );
        check(
            ("rbac.authorization.k8s.io", "v1", "ClusterRole"),
            json!({"metadata": {"name": "a"}}),
            json!({"metadata": {"name": "a"}, "rules": null}),
        );
        check(
            ("apps", "v1", "DaemonSet"),
            json!({"metadata": {}, "spec": {"selector": {}, "template": {"metadata": {}, "spec": {"containers": []}}}}),
            json!({
                "metadata": {},
                "spec": {
                    "selector": {},
                    "template": {"metadata": {}, "spec": {"containers": []}},
                    "updateStrategy": {},
                },
                "status": {"currentNumberScheduled": 0, "desiredNumberScheduled": 0, "numberMisscheduled": 0, "numberReady": 0},
            }),
        );
    }

    #[test]
    fn times_and_texts_without_pointers_are_written_too() {
        check(
            ("", "v1", "Event"),
            json!({"metadata": {"name": "a"}, "involvedObject": {"kind": "Pod"}}),
            json!({
                "metadata": {"name": "a"},
                "involvedObject": {"kind": "Pod"},
                "source": {},
                "firstTimestamp": null,
                "lastTimestamp": null,
                "eventTime": null,
                "reportingComponent": "",
                "reportingInstance": "",
            }),
        );
    }
}
