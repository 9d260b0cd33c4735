//! `deployments/rollback` of the versions before apps/v1beta2: asks the Deployment's controller to return to an
//! earlier revision.

use std::sync::Arc;

use futures::future::BoxFuture;
use http::{Request, Response, StatusCode};
use registry::legacy::apps::ROLLBACK_TO;
use registry::{FieldError, Object};
use serde_json::{Value, json};

use crate::call::Call;
use crate::status::ApiError;
use crate::wire::body::{self, Body};
use crate::write::{self, Part};
use crate::{decode, metadata, respond};

pub(super) fn create(call: Arc<Call>, request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, ApiError>> {
    Box::pin(async move {
        let options = call.write_options()?;
        let body = body::read(request.into_body()).await?;
        let form = (call.kind.group, call.kind.version, "DeploymentRollback");
        let rollback = decode::of_type(&call, form, &body, options.validation)?;
        let name = call.info.name.clone();
        check(&rollback, &name)?;
        let part = Part::Narrow("rollback");
        write::update(&call, &name, part, options, |old| Ok::<_, ApiError>(asked(old, &rollback))).await?;
        let message = format!("rollback request for deployment {name:?} succeeded");
        let status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "message": message, "code": 200,
        });
        respond::value(&call, StatusCode::CREATED, status)
    })
}

fn check(rollback: &Object, name: &str) -> Result<(), ApiError> {
    match rollback.get("name").and_then(Value::as_str).unwrap_or("") {
        "" => {
            let fault = FieldError::required("name", "name is required");
            let message = format!("DeploymentRollback.apps {name:?} is invalid: {fault}");
            Err(ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "Invalid", message).with_cause(
                fault.reason(),
                fault.body(),
                Some(&fault.path),
            ))
        }
        given if given != name => {
            Err(ApiError::bad_request("name in URL does not match name in DeploymentRollback object"))
        }
        _ => Ok(()),
    }
}

/// The Deployment, asked to return to the revision; 0 is the one before the present.
fn asked(old: &Object, rollback: &Object) -> Object {
    let mut deployment = old.clone();
    let metadata = metadata::of(&mut deployment);
    metadata.remove("resourceVersion");
    let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
    if let Value::Object(annotations) = annotations {
        let updated = rollback.get("updatedAnnotations").and_then(Value::as_object);
        annotations.extend(updated.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        let revision = rollback.get("rollbackTo").and_then(|to| to.get("revision")).and_then(Value::as_i64);
        annotations.insert(ROLLBACK_TO.to_owned(), Value::from(revision.unwrap_or(0).to_string()));
    }
    deployment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_is_asked_for_in_annotations() {
        let object = |value: Value| value.as_object().cloned().unwrap();
        let old = object(json!({"metadata": {"name": "a", "resourceVersion": "7", "annotations": {"x": "y"}}}));
        let rollback =
            object(json!({"name": "a", "updatedAnnotations": {"why": "broken"}, "rollbackTo": {"revision": 3}}));
        assert_eq!(
            Value::Object(asked(&old, &rollback)),
            json!({"metadata": {"name": "a", "annotations": {"x": "y", "why": "broken", ROLLBACK_TO: "3"}}})
        );
        assert!(check(&rollback, "a").is_ok());
        assert_eq!(
            check(&rollback, "b").unwrap_err().message(),
            "name in URL does not match name in DeploymentRollback object"
        );
    }
}
