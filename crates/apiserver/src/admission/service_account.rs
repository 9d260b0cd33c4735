//! Every pod runs as a service account, and finds its credentials in a projected volume.

use async_trait::async_trait;
use registry::Object;
use serde_json::{Map, Value, json};

use super::{Attributes, Operation, Plugin, Reservation};
use crate::kinds;
use crate::metadata;
use crate::status::ApiError;

const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX: &str = "kube-api-access-";
/// An hour and a little, so that a kubelet renewing at the hour is never late.
const TOKEN_SECONDS: u64 = 3607;
const MIRROR: &str = "kubernetes.io/config.mirror";

pub(super) struct ServiceAccount;

#[async_trait]
impl Plugin for ServiceAccount {
    fn name(&self) -> &'static str {
        "ServiceAccount"
    }

    fn handles(&self, attributes: &Attributes<'_>) -> bool {
        attributes.is("", "pods", "") && attributes.operation == Operation::Create
    }

    async fn admit(&self, attributes: &Attributes<'_>, object: &mut Object) -> Result<Option<Reservation>, ApiError> {
        if metadata::map(object, "annotations").is_some_and(|annotations| annotations.contains_key(MIRROR)) {
            // A mirror pod shows what a kubelet runs by itself: it has no credentials.
            return refuse_credentials(attributes, object).map(|()| None);
        }
        let Some(Value::Object(spec)) = object.get_mut("spec") else { return Ok(None) };
        let given = spec.get("serviceAccountName").or_else(|| spec.get("serviceAccount")).and_then(Value::as_str);
        let name = given.filter(|name| !name.is_empty()).unwrap_or("default").to_owned();
        spec.insert("serviceAccountName".to_owned(), Value::from(name.clone()));
        spec.insert("serviceAccount".to_owned(), Value::from(name.clone()));
        let accounts = kinds::required("", "v1", "serviceaccounts");
        let account = attributes.call.server.storage.object(accounts, attributes.namespace, &name).await?;
        let account = account.ok_or_else(|| {
            let why = format!(
                "error looking up service account {}/{name}: serviceaccount {name:?} not found",
                attributes.namespace
            );
            attributes.forbidden(&why)
        })?;
        if mounts_token(spec, &account) {
            let suffix = attributes.call.server.ambient.random.suffix(5);
            mount_token(spec, &format!("{VOLUME_PREFIX}{suffix}"));
        }
        let pull_secrets =
            account.get("imagePullSecrets").filter(|secrets| secrets.as_array().is_some_and(|s| !s.is_empty()));
        let has_own = spec.get("imagePullSecrets").and_then(Value::as_array).is_some_and(|own| !own.is_empty());
        if let (Some(secrets), false) = (pull_secrets, has_own) {
            spec.insert("imagePullSecrets".to_owned(), secrets.clone());
        }
        Ok(None)
    }
}

fn refuse_credentials(attributes: &Attributes<'_>, object: &Object) -> Result<(), ApiError> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let has_account = spec.get("serviceAccountName").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    if has_account {
        return Err(attributes.forbidden("a mirror pod may not reference service accounts"));
    }
    let volumes = spec.get("volumes").and_then(Value::as_array).into_iter().flatten();
    if volumes.into_iter().any(|volume| volume.get("secret").is_some()) {
        return Err(attributes.forbidden("a mirror pod may not reference secrets"));
    }
    Ok(())
}

/// The pod's word counts before its account's; without either the token is mounted.
fn mounts_token(spec: &Map<String, Value>, account: &Object) -> bool {
    let flag = |object: &Map<String, Value>| object.get("automountServiceAccountToken").and_then(Value::as_bool);
    flag(spec).or_else(|| flag(account)).unwrap_or(true)
}

/// Adds the volume and mounts it in every container that has nothing of its own at the place.
fn mount_token(spec: &mut Map<String, Value>, volume: &str) {
    let existing = spec.get("volumes").and_then(Value::as_array).into_iter().flatten().find_map(|volume| {
        let name = volume.get("name")?.as_str()?;
        (name.starts_with(VOLUME_PREFIX) && volume.get("projected").is_some()).then(|| name.to_owned())
    });
    let name = existing.clone().unwrap_or_else(|| volume.to_owned());
    let mut mounted = false;
    for field in ["initContainers", "containers"] {
        let Some(Value::Array(containers)) = spec.get_mut(field) else { continue };
        for container in containers.iter_mut().filter_map(Value::as_object_mut) {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            if mounts.is_null() {
                *mounts = json!([]);
            }
            let Value::Array(mounts) = mounts else { continue };
            let occupied =
                mounts.iter().any(|mount| mount.get("mountPath").and_then(Value::as_str) == Some(MOUNT_PATH));
            if !occupied {
                mounts.push(json!({ "name": name, "readOnly": true, "mountPath": MOUNT_PATH }));
                mounted = true;
            }
        }
    }
    if !mounted || existing.is_some() {
        return;
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if volumes.is_null() {
        *volumes = json!([]);
    }
    if let Value::Array(volumes) = volumes {
        volumes.push(token_volume(&name));
    }
}

fn token_volume(name: &str) -> Value {
    json!({
        "name": name,
        "projected": {
            "sources": [
                { "serviceAccountToken": { "expirationSeconds": TOKEN_SECONDS, "path": "token" } },
                { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
                { "downwardAPI": { "items": [
                    { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
                ] } },
            ],
            "defaultMode": 0o644,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_get_the_token_where_nothing_else_is_mounted() {
        let Value::Object(mut spec) = json!({ "containers": [
            { "name": "a" },
            { "name": "b", "volumeMounts": [{ "name": "own", "mountPath": MOUNT_PATH }] },
        ] }) else {
            unreachable!()
        };
        mount_token(&mut spec, "kube-api-access-abcde");
        assert_eq!(spec["volumes"][0]["name"], "kube-api-access-abcde");
        assert_eq!(spec["containers"][0]["volumeMounts"][0]["mountPath"], MOUNT_PATH);
        assert_eq!(spec["containers"][1]["volumeMounts"].as_array().unwrap().len(), 1);
        let once = spec.clone();
        mount_token(&mut spec, "kube-api-access-other");
        assert_eq!(spec, once);
    }
}
