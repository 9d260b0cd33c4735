//! Secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

use super::config_map::{MAX_DATA_BYTES, check_unchanged, decoded_bytes};
use crate::columns::{self, AGE, NAME, column};
use crate::error::FieldError;
use crate::fields::{check_immutable, get_object, invalid_all, object_at, set_default, text};
use crate::kind::{Column, Kind, Object, Rules, WriteContext};
use crate::names;

pub static SECRET: Kind =
    Kind { kind: "Secret", plural: "secrets", singular: "secret", rules: &SecretRules, ..Kind::NAMESPACED };

struct SecretRules;

impl Rules for SecretRules {
    /// `stringData` is for writing only: its values go, encoded, into `data`.
    fn default(&self, object: &mut Object) {
        if let Some(Value::Object(plain)) = object.shift_remove("stringData") {
            let data = object_at(object, "data");
            for (key, value) in plain {
                data.insert(key, Value::String(STANDARD.encode(value.as_str().unwrap_or(""))));
            }
        }
        set_default(object, "type", "Opaque");
    }

    fn prepare_create(&self, _object: &mut Object, _context: &WriteContext<'_>) {}

    fn prepare_update(&self, object: &mut Object, old: &Object, _context: &WriteContext<'_>) {
        if text(object, "type").is_empty() {
            crate::fields::set(object, "type", text(old, "type"));
        }
    }

    fn validate(&self, object: &Object, old: Option<&Object>) -> Vec<FieldError> {
        let mut faults = Vec::new();
        let mut bytes = 0;
        for (key, value) in get_object(object, "data").into_iter().flatten() {
            invalid_all(&format!("data[{key}]"), key, names::config_key(key), &mut faults);
            bytes += decoded_bytes(value.as_str().unwrap_or(""));
        }
        if bytes > MAX_DATA_BYTES {
            faults.push(FieldError::too_long("data", MAX_DATA_BYTES));
        }
        validate_by_type(object, &mut faults);
        if let Some(old) = old {
            check_immutable(object, old, "type", &mut faults);
            check_unchanged(object, old, &["data"], &mut faults);
        }
        faults
    }

    fn columns(&self) -> &'static [Column] {
        static COLUMNS: &[Column] = &[
            NAME,
            column("Type", "string", "Used to facilitate programmatic handling of secret data."),
            column("Data", "string", "Data contains the secret data."),
            AGE,
        ];
        COLUMNS
    }

    fn row(&self, object: &Object, now: Timestamp) -> Vec<Value> {
        let count = get_object(object, "data").map_or(0, Object::len);
        vec![columns::name(object), Value::from(text(object, "type")), Value::from(count), columns::age(object, now)]
    }

    fn selectable_field(&self, object: &Object, path: &str) -> Option<String> {
        (path == "type").then(|| text(object, path).to_owned())
    }

    fn selectable_fields(&self) -> &'static [&'static str] {
        &["type"]
    }
}

/// Whether settings for registries are at least a JSON object, and what is wrong if not.
fn parsed(value: &Value) -> Option<Result<(), String>> {
    let bytes = STANDARD.decode(value.as_str()?).ok()?;
    Some(serde_json::from_slice::<Object>(&bytes).map(|_| ()).map_err(|error| error.to_string()))
}

/// Types that promise certain keys must keep the promise.
fn validate_by_type(secret: &Object, faults: &mut Vec<FieldError>) {
    let holds = |key: &str| get_object(secret, "data").is_some_and(|data| data.contains_key(key));
    let required: &[&str] = match text(secret, "type") {
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/basic-auth" if !holds("username") && !holds("password") => &["username", "password"],
        "kubernetes.io/service-account-token" => {
            let annotations = get_object(secret, "metadata.annotations");
            let name = annotations.and_then(|annotations| annotations.get("kubernetes.io/service-account.name"));
            if name.and_then(Value::as_str).unwrap_or("").is_empty() {
                let path = "metadata.annotations[kubernetes.io/service-account.name]";
                faults.push(FieldError::required(path, ""));
            }
            &[]
        }
        _ => &[],
    };
    for key in [".dockercfg", ".dockerconfigjson"].iter().filter(|key| required.contains(key)) {
        if let Some(Err(error)) = get_object(secret, "data").and_then(|data| parsed(data.get(*key)?)) {
            let path = format!("data[{key}]");
            faults.push(FieldError::invalid(path, "<secret contents redacted>", error));
        }
    }
    faults
        .extend(required.iter().filter(|key| !holds(key)).map(|key| FieldError::required(format!("data[{key}]"), "")));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_text_is_encoded_over_data() {
        let Value::Object(mut secret) = json!({"data": {"a": "QQ==", "b": "Qg=="}, "stringData": {"a": "hello"}})
        else {
            panic!("an object")
        };
        SecretRules.default(&mut secret);
        assert_eq!(Value::Object(secret), json!({"data": {"a": "aGVsbG8=", "b": "Qg=="}, "type": "Opaque"}));
    }

    #[test]
    fn a_type_must_hold_what_it_promises_and_stay() {
        let Value::Object(old) = json!({"type": "Opaque"}) else { panic!("an object") };
        let Value::Object(new) = json!({"type": "kubernetes.io/tls", "data": {"tls.key": ""}}) else {
            panic!("an object")
        };
        let faults: Vec<String> = SecretRules.validate(&new, Some(&old)).iter().map(FieldError::to_string).collect();
        assert_eq!(
            faults,
            ["data[tls.crt]: Required value", "type: Invalid value: \"kubernetes.io/tls\": field is immutable"]
        );
    }
}
