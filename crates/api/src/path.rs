//! Values by dotted path: `spec.replicas`. Keys that hold dots themselves are not reachable this way.

use serde_json::{Map, Value};

pub fn get<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = path.split('.');
    let first = object.get(keys.next()?)?;
    keys.try_fold(first, |value, key| value.as_object()?.get(key))
}

pub fn get_mut<'a>(object: &'a mut Map<String, Value>, path: &str) -> Option<&'a mut Value> {
    let mut keys = path.split('.');
    let first = object.get_mut(keys.next()?)?;
    keys.try_fold(first, |value, key| value.as_object_mut()?.get_mut(key))
}

pub fn get_str<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a str> {
    get(object, path)?.as_str()
}

pub fn get_i64(object: &Map<String, Value>, path: &str) -> Option<i64> {
    get(object, path)?.as_i64()
}

pub fn get_bool(object: &Map<String, Value>, path: &str) -> Option<bool> {
    get(object, path)?.as_bool()
}

pub fn get_object<'a>(object: &'a Map<String, Value>, path: &str) -> Option<&'a Map<String, Value>> {
    get(object, path)?.as_object()
}

/// The items of a list; none where the path leads nowhere.
pub fn get_array<'a>(object: &'a Map<String, Value>, path: &str) -> &'a [Value] {
    get(object, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Sets a value, making the objects on the way. What stood on the way and was no object is replaced.
pub fn set(object: &mut Map<String, Value>, path: &str, value: impl Into<Value>) {
    match path.split_once('.') {
        None => {
            object.insert(path.to_owned(), value.into());
        }
        Some((first, rest)) => set(object_at(object, first), rest, value),
    }
}

/// Sets a value only where the path leads to nothing or null.
pub fn set_default(object: &mut Map<String, Value>, path: &str, value: impl Into<Value>) {
    if get(object, path).is_none_or(Value::is_null) {
        set(object, path, value);
    }
}

/// Takes a value out; empty objects on the way stay.
pub fn remove(object: &mut Map<String, Value>, path: &str) -> Option<Value> {
    match path.rsplit_once('.') {
        None => object.shift_remove(path),
        Some((parents, last)) => get_mut(object, parents)?.as_object_mut()?.shift_remove(last),
    }
}

/// The object under a key, made where it is missing.
pub fn object_at<'a>(object: &'a mut Map<String, Value>, key: &str) -> &'a mut Map<String, Value> {
    let entry = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(inner) => inner,
        _ => unreachable!("the line above made it an object"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_and_writes_by_path() {
        let Value::Object(mut object) = json!({"spec": {"replicas": 3, "on": true, "items": [1]}, "text": "x"}) else {
            panic!("an object")
        };
        assert_eq!(get_i64(&object, "spec.replicas"), Some(3));
        assert_eq!(get_str(&object, "text"), Some("x"));
        assert_eq!(get_bool(&object, "spec.on"), Some(true));
        assert_eq!(get_array(&object, "spec.items").len(), 1);
        assert_eq!(get_array(&object, "spec.none").len(), 0);
        assert_eq!(get(&object, "text.more"), None);
        set(&mut object, "status.deep.value", 1);
        set_default(&mut object, "spec.replicas", 9);
        set_default(&mut object, "spec.fresh", "f");
        assert_eq!(remove(&mut object, "spec.on"), Some(json!(true)));
        assert_eq!(remove(&mut object, "none.on"), None);
        assert_eq!(
            Value::Object(object),
            json!({
                "spec": {"replicas": 3, "items": [1], "fresh": "f"},
                "text": "x",
                "status": {"deep": {"value": 1}},
            })
        );
    }
}
