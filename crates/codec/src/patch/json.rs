//! JSON patch, RFC 6902.

use serde_json::{Map, Value};

use super::{MAX_OPERATIONS, PatchError, type_name};
use crate::Object;

/// Applies every operation in order, or none.
pub fn apply_json_patch(object: &Object, patch: &Value) -> Result<Object, PatchError> {
    let Value::Array(operations) = patch else {
        let found = type_name(patch);
        return Err(PatchError::Malformed(format!(
            "json: cannot unmarshal {found} into Go value of type jsonpatch.Patch"
        )));
    };
    if operations.len() > MAX_OPERATIONS {
        return Err(PatchError::TooManyOperations { count: operations.len() });
    }
    let operations = operations.iter().map(Operation::read).collect::<Result<Vec<_>, _>>()?;
    let mut document = Value::Object(object.clone());
    let mut growth = Growth { left: MAX_COPIED_VALUES };
    for operation in &operations {
        operation.apply(&mut document, &mut growth)?;
    }
    match document {
        Value::Object(object) => Ok(object),
        other => {
            Err(PatchError::Inapplicable(format!("the patch leaves a {} in place of the object", type_name(&other))))
        }
    }
}

/// How many values `copy` may add: copies of copies double with each operation.
const MAX_COPIED_VALUES: usize = 1_000_000;

struct Growth {
    left: usize,
}

#[derive(Debug)]
struct Operation<'a> {
    path: &'a str,
    action: Action<'a>,
}

#[derive(Debug)]
enum Action<'a> {
    Add(&'a Value),
    Remove,
    Replace(&'a Value),
    Move { from: &'a str },
    Copy { from: &'a str },
    Test(&'a Value),
}

impl<'a> Operation<'a> {
    fn read(operation: &'a Value) -> Result<Self, PatchError> {
        let Value::Object(operation) = operation else {
            let found = type_name(operation);
            let why = format!("json: cannot unmarshal {found} into Go value of type jsonpatch.Operation");
            return Err(PatchError::Malformed(why));
        };
        let malformed = |why: String| PatchError::Inapplicable(why);
        let text = |key: &str| {
            let value = operation.get(key).and_then(Value::as_str);
            value.ok_or_else(|| malformed(format!("a JSON patch operation must have a string {key:?}")))
        };
        let value =
            || operation.get("value").ok_or_else(|| malformed("a JSON patch operation lacks its \"value\"".to_owned()));
        let path = text("path")?;
        let action = match text("op")? {
            "add" => Action::Add(value()?),
            "remove" => Action::Remove,
            "replace" => Action::Replace(value()?),
            "move" => Action::Move { from: text("from")? },
            "copy" => Action::Copy { from: text("from")? },
            "test" => Action::Test(operation.get("value").unwrap_or(&Value::Null)),
            other => return Err(malformed(format!("Unexpected kind: {other}"))),
        };
        Ok(Operation { path, action })
    }

    fn apply(&self, document: &mut Value, growth: &mut Growth) -> Result<(), PatchError> {
        match self.action {
            Action::Add(value) => add(document, self.path, value.clone()),
            Action::Remove => remove(document, self.path, "remove").map(drop),
            Action::Replace(value) => replace(document, self.path, value.clone()),
            Action::Move { from } if self.path.strip_prefix(from).is_some_and(|rest| rest.starts_with('/')) => {
                Err(PatchError::Inapplicable(format!("move operation: {from} cannot be moved into itself")))
            }
            Action::Move { from } => {
                let value = remove(document, from, "move")?;
                add(document, self.path, value)
            }
            Action::Copy { from } => {
                let value = find_mut(document, from).ok_or_else(|| missing("copy", from))?.clone();
                let size = count_values(&value);
                growth.left = growth.left.checked_sub(size).ok_or_else(|| {
                    PatchError::Inapplicable("copy operations would grow the object beyond its limit".to_owned())
                })?;
                add(document, self.path, value)
            }
            Action::Test(expected) => {
                // A missing value equals null, as upstream has it.
                let holds = match find_mut(document, self.path) {
                    Some(found) => equal(found, expected),
                    None => expected.is_null(),
                };
                match holds {
                    true => Ok(()),
                    false => Err(PatchError::Inapplicable(format!("testing value {} failed: test failed", self.path))),
                }
            }
        }
    }
}

fn missing(operation: &str, path: &str) -> PatchError {
    PatchError::Inapplicable(format!(
        "{operation} operation does not apply: doc is missing path: {path:?}: missing value"
    ))
}

/// A container is there, but not the key or index in it.
fn no_entry(operation: &str, path: &str, container: &Value, key: &str) -> PatchError {
    PatchError::Inapplicable(match container {
        Value::Array(_) => {
            format!(
                "error in {operation} for path: '{path}': Unable to access invalid index: {key}: invalid index referenced"
            )
        }
        _ if operation == "replace" => {
            format!("replace operation does not apply: doc is missing key: {path}: missing value")
        }
        _ => format!("error in {operation} for path: '{path}': Unable to remove nonexistent key: {key}: missing value"),
    })
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    let Some((parent, key)) = path.rsplit_once('/') else {
        *document = value;
        return Ok(());
    };
    match find_mut(document, parent).ok_or_else(|| missing("add", path))? {
        Value::Object(object) => {
            object.insert(unescape(key), value);
            Ok(())
        }
        Value::Array(items) if key == "-" => {
            items.push(value);
            Ok(())
        }
        Value::Array(items) => match index(key).filter(|at| *at <= items.len()) {
            Some(at) => {
                items.insert(at, value);
                Ok(())
            }
            None => Err(no_entry("add", path, &Value::Array(vec![]), key)),
        },
        _ => Err(missing("add", path)),
    }
}

fn remove(document: &mut Value, path: &str, operation: &str) -> Result<Value, PatchError> {
    let (parent, key) = path.rsplit_once('/').ok_or_else(|| missing(operation, path))?;
    let container = find_mut(document, parent).ok_or_else(|| missing(operation, path))?;
    let removed = match container {
        Value::Object(object) => object.shift_remove(&unescape(key)),
        Value::Array(items) => index(key).filter(|at| *at < items.len()).map(|at| items.remove(at)),
        _ => return Err(missing(operation, path)),
    };
    removed.ok_or_else(|| no_entry(operation, path, container, key))
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if let Some(found) = find_mut(document, path) {
        *found = value;
        return Ok(());
    }
    let (parent, key) = path.rsplit_once('/').ok_or_else(|| missing("replace", path))?;
    let container = find_mut(document, parent).ok_or_else(|| missing("replace", path))?;
    Err(no_entry("replace", path, container, key))
}

fn find_mut<'a>(document: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    if path.is_empty() {
        return Some(document);
    }
    path.strip_prefix('/')?.split('/').try_fold(document, |value, key| match value {
        Value::Object(object) => object.get_mut(&unescape(key)),
        Value::Array(items) => index(key).and_then(|at| items.get_mut(at)),
        _ => None,
    })
}

/// `~1` stands for a slash, `~0` for a tilde.
fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

fn index(key: &str) -> Option<usize> {
    let is_plain = key == "0" || (!key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit()));
    if is_plain { key.parse().ok() } else { None }
}

/// Numbers are equal by value: 1 is 1.0.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => same_entries(left, right),
        _ => left == right,
    }
}

fn same_entries(left: &Map<String, Value>, right: &Map<String, Value>) -> bool {
    left.len() == right.len() && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| equal(value, other)))
}

fn count_values(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count_values).sum(),
        Value::Object(entries) => entries.values().map(count_values).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(document: Value, patch: Value) -> Result<Value, String> {
        let Value::Object(object) = document else { panic!("an object") };
        apply_json_patch(&object, &patch).map(Value::Object).map_err(|error| error.to_string())
    }

    /// The examples of the RFC's appendix, and the corners.
    #[test]
    fn follows_the_standard() {
        for (document, patch, expected) in [
            (json!({"a": 1}), json!([{"op": "add", "path": "/b", "value": 2}]), json!({"a": 1, "b": 2})),
            (json!({"a": [1, 3]}), json!([{"op": "add", "path": "/a/1", "value": 2}]), json!({"a": [1, 2, 3]})),
            (json!({"a": [1]}), json!([{"op": "add", "path": "/a/-", "value": 2}]), json!({"a": [1, 2]})),
            (json!({"a": 1, "b": 2}), json!([{"op": "remove", "path": "/b"}]), json!({"a": 1})),
            (json!({"a": [1, 2]}), json!([{"op": "remove", "path": "/a/0"}]), json!({"a": [2]})),
            (json!({"a": 1}), json!([{"op": "replace", "path": "/a", "value": [2]}]), json!({"a": [2]})),
            (
                json!({"a": {"x": 1}, "b": {}}),
                json!([{"op": "move", "from": "/a/x", "path": "/b/y"}]),
                json!({"a": {}, "b": {"y": 1}}),
            ),
            (json!({"a": [1, 2, 3]}), json!([{"op": "move", "from": "/a/0", "path": "/a/2"}]), json!({"a": [2, 3, 1]})),
            (json!({"a": 1}), json!([{"op": "copy", "from": "/a", "path": "/b"}]), json!({"a": 1, "b": 1})),
            (json!({"a": 1}), json!([{"op": "test", "path": "/a", "value": 1.0}]), json!({"a": 1})),
            (json!({"a/b": {"~": 1}}), json!([{"op": "remove", "path": "/a~1b/~0"}]), json!({"a/b": {}})),
            (json!({"a": 1}), json!([{"op": "test", "path": "/none", "value": null}]), json!({"a": 1})),
            (json!({"a": 1}), json!([]), json!({"a": 1})),
        ] {
            assert_eq!(patched(document.clone(), patch.clone()), Ok(expected), "{document} {patch}");
        }
    }

    #[test]
    fn what_does_not_apply_is_refused() {
        let document = json!({"a": [1], "b": 1});
        for patch in [
            json!([{"op": "remove", "path": "/none"}]),
            json!([{"op": "replace", "path": "/none", "value": 1}]),
            json!([{"op": "add", "path": "/none/x", "value": 1}]),
            json!([{"op": "add", "path": "/a/2", "value": 1}]),
            json!([{"op": "add", "path": "/a/01", "value": 1}]),
            json!([{"op": "add", "path": "/b/x", "value": 1}]),
            json!([{"op": "test", "path": "/b", "value": 2}]),
            json!([{"op": "move", "from": "/a", "path": "/a/x"}]),
            json!([{"op": "replace", "path": "", "value": 1}]),
            json!([{"op": "remove", "path": "b"}]),
            json!([{"op": "bend", "path": "/b"}]),
            json!([{"op": "add", "path": "/b"}]),
            json!([{"path": "/b"}]),
            json!([1]),
            json!({"op": "remove"}),
        ] {
            assert!(patched(document.clone(), patch.clone()).is_err(), "{patch}");
        }
    }

    #[test]
    fn refusals_name_the_place() {
        let document = json!({"a": [1], "b": {}});
        for (operation, expected) in [
            (
                json!({"op": "remove", "path": "/b/x"}),
                "error in remove for path: '/b/x': Unable to remove nonexistent key: x: missing value",
            ),
            (
                json!({"op": "remove", "path": "/x/y"}),
                "remove operation does not apply: doc is missing path: \"/x/y\": missing value",
            ),
            (
                json!({"op": "replace", "path": "/b/x", "value": 1}),
                "replace operation does not apply: doc is missing key: /b/x: missing value",
            ),
            (
                json!({"op": "add", "path": "/a/7", "value": 1}),
                "error in add for path: '/a/7': Unable to access invalid index: 7: invalid index referenced",
            ),
            (json!({"op": "test", "path": "/a/0", "value": 2}), "testing value /a/0 failed: test failed"),
        ] {
            assert_eq!(patched(document.clone(), json!([operation])), Err(expected.to_owned()));
        }
    }

    #[test]
    fn operations_and_growth_are_bounded() {
        let many = vec![json!({"op": "test", "path": "/a", "value": 1}); MAX_OPERATIONS + 1];
        assert_eq!(
            patched(json!({"a": 1}), Value::Array(many)),
            Err("Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001".into())
        );
        let doubling: Vec<Value> =
            (0..64).map(|step| json!({"op": "copy", "from": "", "path": format!("/{step}")})).collect();
        assert!(patched(json!({"a": 1}), Value::Array(doubling)).unwrap_err().contains("grow"));
    }
}
