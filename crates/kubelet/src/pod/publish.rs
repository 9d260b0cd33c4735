//! Tells the API what became of a pod.

use api::k8s::api::core::v1::{Pod, PodStatus};
use client::kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use client::{Api, CallError, Client};
use serde_json::{Map, Value, json};

use super::spec;

/// Others write the status too: this often it is read again and merged anew.
const ATTEMPTS: usize = 5;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("encoding the status of pod {0}")]
    Encode(String, #[source] serde_json::Error),
    #[error("writing the status of pod {0}")]
    Write(String, #[source] CallError),
    #[error("the status of pod {0} kept changing while it was written")]
    Contended(String),
    #[error("deleting pod {0}")]
    Delete(String, #[source] CallError),
}

/// Writes what differs between the pod's status and `generate(pod)`. The newest pod, or `None` where it
/// is gone or another took its name.
pub(crate) async fn status(
    client: &Client,
    pod: &Pod,
    generate: impl Fn(&Pod) -> PodStatus,
) -> Result<Option<Pod>, PublishError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), spec::namespace(pod));
    let name = spec::name(pod);
    let mut current = pod.clone();
    for _ in 0..ATTEMPTS {
        let Some(change) = difference(&current, &generate(&current))? else { return Ok(Some(current)) };
        // The list of conditions is replaced whole, so it must be the newest that was merged with.
        let patch = json!({ "metadata": { "resourceVersion": current.metadata.resource_version }, "status": change });
        let written = api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch)).await;
        match written.map_err(CallError::from) {
            Ok(written) => return Ok(Some(written)),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(PublishError::Write(spec::long_name(pod), error)),
        }
        match api.get(name).await.map_err(CallError::from) {
            Ok(newest) if newest.metadata.uid == pod.metadata.uid => current = newest,
            Ok(_) => return Ok(None),
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(PublishError::Write(spec::long_name(pod), error)),
        }
    }
    Err(PublishError::Contended(spec::long_name(pod)))
}

/// Removes the object of a pod that has ended, unless another has its name by now.
pub(crate) async fn delete(client: &Client, pod: &Pod) -> Result<(), PublishError> {
    let api: Api<Pod> = Api::namespaced(client.clone(), spec::namespace(pod));
    let preconditions = Preconditions { uid: pod.metadata.uid.clone(), resource_version: None };
    let parameters =
        DeleteParams { grace_period_seconds: Some(0), preconditions: Some(preconditions), ..DeleteParams::default() };
    match api.delete(spec::name(pod), &parameters).await.map_err(CallError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() || error.is_conflict() => Ok(()),
        Err(error) => Err(PublishError::Delete(spec::long_name(pod), error)),
    }
}

pub(super) fn difference(pod: &Pod, wanted: &PodStatus) -> Result<Option<Value>, PublishError> {
    let encode = |status: &PodStatus| {
        serde_json::to_value(status).map_err(|source| PublishError::Encode(spec::long_name(pod), source))
    };
    let current = pod.status.as_ref().map_or_else(|| Ok(json!({})), &encode)?;
    Ok(merge_patch(&current, &encode(wanted)?))
}

/// The RFC 7386 patch that turns one value into the other; `None` where they are the same.
pub(crate) fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    match (from, to) {
        (Value::Object(from), Value::Object(to)) => {
            let mut patch = Map::new();
            for (key, wanted) in to {
                let change = match from.get(key) {
                    Some(current) => merge_patch(current, wanted),
                    None => Some(wanted.clone()),
                };
                if let Some(change) = change {
                    patch.insert(key.clone(), change);
                }
            }
            for key in from.keys().filter(|key| !to.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            (!patch.is_empty()).then_some(Value::Object(patch))
        }
        (from, to) if from == to => None,
        (_, to) => Some(to.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_patch_holds_only_what_differs() {
        let from = json!({"a": 1, "b": {"c": [1], "d": 2}, "gone": true});
        let to = json!({"a": 1, "b": {"c": [1, 2], "d": 2}, "new": {}});
        assert_eq!(merge_patch(&from, &to), Some(json!({"b": {"c": [1, 2]}, "new": {}, "gone": null})));
        assert_eq!(merge_patch(&from, &from), None);
    }
}
